import type { OperationJson } from './events.js';
import type { LoanOperation } from './operations.js';

/** An operation as it stands in events: its amount, where it has one, as decimal text of minor units. */
export function operationToJson(operation: LoanOperation): OperationJson {
  return ('amount' in operation ? { ...operation, amount: operation.amount.toString() } : operation) as OperationJson;
}

export function operationFromJson(json: OperationJson): LoanOperation {
  return ('amount' in json ? { ...json, amount: BigInt(json.amount) } : json) as LoanOperation;
}

/** Those that hold: without what was undone, and without the undoing. */
export function standing(operations: readonly LoanOperation[]): readonly LoanOperation[] {
  const undone = new Set<string>();
  for (const operation of operations) if (operation.kind === 'UNDONE') undone.add(operation.operation);
  return undone.size === 0 ? operations : operations.filter(({ id, kind }) => kind !== 'UNDONE' && !undone.has(id));
}
