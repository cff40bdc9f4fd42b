import { tagOf } from '../aggregates.js';
import type { DecisionContext } from '../shared/decider.js';
import { formatAmount } from '../shared/money.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { type Reckoning, type RunningLoan, bookDifference, reckon } from './book.js';
import { bookedToJson, sumBuckets } from './booked.js';
import { type LoanState, MAX_LOAN_OPERATIONS } from './loan.js';
import { operationToJson } from './operations-json.js';
import type { LoanOperation } from './operations.js';
import type { LoanPosition } from './position.js';

/** What entries say; ids and people are not named. */
export const NARRATIONS: Readonly<Record<LoanOperation['kind'], string>> = {
  DISBURSED: 'Loan disbursement',
  REPAID: 'Loan repayment',
  CREDITED: 'Loan credit',
  CHARGED_BACK: 'Loan repayment charged back',
  CHARGED: 'Loan charge',
  WAIVED: 'Loan waiver',
  RATE_CHANGED: 'Loan rate change',
  PREPAYMENT_RULE_SET: 'Loan prepayment rule',
  REAMORTISED: 'Loan re-amortised',
  REAGED: 'Loan re-aged',
  RESCHEDULED: 'Loan rescheduled',
  WRITTEN_OFF: 'Loan written off',
  RECOVERED: 'Loan recovery',
  UNDONE: 'Loan correction',
};

/** Day up to which a command books: today, and never less than was booked before. */
export function bookingDay({ accruedTo = '' }: Pick<LoanState, 'accruedTo'>, { today }: { today: string }): string {
  return accruedTo > today ? accruedTo : today;
}

/** The day of the first disbursement: nothing happened to the loan before it. */
export function startOf({ operations }: Pick<RunningLoan, 'operations'>): string {
  return operations.find(({ kind }) => kind === 'DISBURSED')?.date ?? '';
}

/**
 * Adds an operation to a running loan: states it, books the difference that it makes to everything, and says whether the
 * loan is paid off or owes again. Emits nothing where `check` refuses what would come of it.
 */
export function operate(
  id: string,
  { state, loan }: { readonly state: LoanState; readonly loan: RunningLoan },
  operation: LoanOperation,
  more: {
    readonly narration: string;
    readonly repayment?: string;
    readonly reason?: string | undefined;
    readonly check?: (after: Reckoning) => Refusal | undefined;
  },
  context: DecisionContext,
): Reckoning | Refusal {
  if (loan.operations.length >= MAX_LOAN_OPERATIONS) {
    return refuse('too-many-operations', `a loan has at most ${MAX_LOAN_OPERATIONS} operations`);
  }
  if (loan.operations.some((other) => other.id === operation.id)) {
    return refuse('invalid-state', 'the loan has an operation of this id');
  }
  const reckoning = reckon(loan, [...loan.operations, operation], bookingDay(state, context));
  const refusal = more.check?.(reckoning);
  if (refusal !== undefined) return refusal;
  const { repayment, reason, narration } = more;
  context.emit({
    type: 'loan-operated',
    version: 1,
    data: {
      loan: id,
      operation: operationToJson(operation),
      ...(repayment === undefined ? {} : { repayment }),
      ...(reason === undefined ? {} : { reason }),
      upTo: reckoning.upTo,
      booked: bookedToJson(reckoning.booked),
    },
    tags: [tagOf('loan', id)],
    effectiveAt: operation.date,
  });
  const unbooked = bookDifference(loan, reckoning, { valueDate: operation.date, narration }, context);
  if (isRefusal(unbooked)) return unbooked;
  settle(id, state, reckoning.position, operation.date, context);
  return reckoning;
}

/** Says so where a loan does not owe any more, or owes again. */
export function settle(
  id: string,
  { status }: Pick<LoanState, 'status'>,
  position: LoanPosition,
  date: string,
  context: DecisionContext,
): void {
  const isOver = position.status === 'PAID_OFF' || position.status === 'OVERPAID';
  const isSettled = isOver && sumBuckets(position.outstanding) === 0n;
  const tags = [tagOf('loan', id)];
  if (isSettled && status === 'DISBURSED') {
    context.emit({ type: 'loan-paid-off', version: 1, data: { loan: id, date }, tags });
  } else if (!isSettled && status === 'PAID_OFF') {
    context.emit({ type: 'loan-reopened', version: 1, data: { loan: id }, tags });
  }
}

/** Of what was given up no more comes back than was lost. */
export function checkRecovery(operation: LoanOperation, loan: RunningLoan, after: Reckoning): Refusal | undefined {
  if (operation.kind !== 'RECOVERED') return undefined;
  const lost = sumBuckets(after.booked.writtenOff) - loan.booked.recovered;
  return operation.amount <= lost ? undefined : tooMuch(lost, loan.terms.currency);
}

export function tooMuch(most: bigint, currency: string): Refusal {
  return refuse('amount-out-of-range', 'this is more than there is', {
    field: 'amount',
    details: { most: formatAmount(most, currency) },
  });
}
