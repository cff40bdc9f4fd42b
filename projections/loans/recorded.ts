import type { LoanStep, RecordedOperation } from '../../application/ports/read-models.js';
import type { OperationJson } from '../../domain/loan/events.js';
import { operationFromJson } from '../../domain/loan/operations-json.js';

/** What of a loan stands in columns as JSON text, in the order it was recorded. */

/** An operation with who recorded it when, and the repayment that it settles. */
export type RecordedJson = OperationJson & Pick<RecordedOperation, 'recordedAt' | 'actor' | 'reason' | 'repaymentId'>;

export function operationsText(operations: readonly RecordedJson[]): string {
  return JSON.stringify(operations);
}

export function recordedOf(text: string): RecordedJson[] {
  return JSON.parse(text) as RecordedJson[];
}

export function operationOf(recorded: RecordedJson): RecordedOperation {
  // What it has beside the operation goes through as it is.
  return operationFromJson(recorded) as RecordedOperation;
}

export function stepsText(steps: readonly LoanStep[]): string {
  return JSON.stringify(steps);
}

export function stepsOf(text: string): LoanStep[] {
  return JSON.parse(text) as LoanStep[];
}
