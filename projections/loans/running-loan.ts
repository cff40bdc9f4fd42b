import type { LoanStep } from '../../application/ports/read-models.js';
import type { Row } from '../../application/ports/read-store.js';
import type { BookedJson, LoanEvent, LoanStatus } from '../../domain/loan/events.js';
import { standing } from '../../domain/loan/operations-json.js';
import type { LoanTermsJson } from '../../domain/loan/terms-json.js';
import { textOf } from '../projection.js';
import { type RecordedJson, operationOf, recordedOf, stepsOf } from './recorded.js';

/** What a batch must know of a loan: as its row has it, then as the batch's events change it. */
export interface RunningLoan {
  readonly key: { readonly tenant_id: string; readonly loan_id: string };
  readonly customerId: string;
  readonly agentId: string | null;
  readonly currency: string;
  status: LoanStatus;
  terms: LoanTermsJson | undefined;
  operations: readonly RecordedJson[];
  steps: readonly LoanStep[];
  accruedTo: string | undefined;
  earned: { readonly fees: bigint; readonly penalty: bigint };
  /** How many rows its instalments have. */
  slots: number;
  /** Its schedule may be another one now. */
  isChanged: boolean;
}

export function runningLoan(key: RunningLoan['key'], row: Row): RunningLoan {
  const terms = row['terms'] as string | null;
  return {
    key,
    customerId: textOf(row['customer_id']),
    agentId: row['agent_id'] as string | null,
    currency: textOf(row['currency']),
    status: textOf(row['status']) as LoanStatus,
    terms: terms === null ? undefined : (JSON.parse(terms) as LoanTermsJson),
    operations: recordedOf(textOf(row['operations'])),
    steps: stepsOf(textOf(row['history'])),
    accruedTo: (row['accrued_to'] as string | null) ?? undefined,
    earned: earnedOf(row),
    slots: row['instalment_slots'] as number,
    isChanged: false,
  };
}

const earnedOf = (row: Row) => ({ fees: row['earned_fees'] as bigint, penalty: row['earned_penalty'] as bigint });

/** Whether the schedule of the loan with this row may be another one after the event. */
export function changesSchedule(event: LoanEvent, row: Row): boolean {
  switch (event.type) {
    case 'loan-disbursed':
    case 'loan-operated':
    case 'loan-paid-off':
    case 'loan-reopened':
      return true;
    case 'loan-accrued': {
      const terms = JSON.parse(textOf(row['terms'])) as LoanTermsJson;
      return accrualChanges(terms, earnedOf(row), event.data.booked);
    }
    default:
      return false;
  }
}

/**
 * A day that passes adds to what is due only where a penalty or fee is charged, or where interest follows what is really
 * outstanding: so nearly all of the daily accruals leave the instalments as they are.
 */
export function accrualChanges(terms: LoanTermsJson, before: RunningLoan['earned'], { earned }: BookedJson): boolean {
  return terms.recalculates || BigInt(earned.penalty) !== before.penalty || BigInt(earned.fees) !== before.fees;
}

/** Given up, or only marked as lost: then the borrower owes it as before. */
export function writeOffOf(operations: readonly RecordedJson[]): { isWrittenOff: boolean; isStillOwed: boolean } {
  const writeOffs = standing(operations.map(operationOf)).filter(({ kind }) => kind === 'WRITTEN_OFF');
  const isStillOwed = writeOffs.every((operation) => 'stillOwed' in operation && operation.stillOwed === true);
  return { isWrittenOff: writeOffs.length > 0, isStillOwed };
}
