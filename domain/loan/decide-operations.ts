import { tagOf } from '../aggregates.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { ExactDecimal, MAX_AMOUNT_MINOR } from '../shared/money.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { type Reckoning, type RunningLoan, bookDifference, reckon } from './book.js';
import { bookedToJson } from './booked.js';
import type { AccrueLoan, OperateLoan } from './commands.js';
import { checkDay, knownLoan, runningLoanOf, settingsOf, wrongStatus } from './guards.js';
import type { LoanState } from './loan.js';
import { standing } from './operations-json.js';
import type { LoanOperation } from './operations.js';
import { NARRATIONS, checkRecovery, operate, settle, startOf, tooMuch } from './operate.js';

interface Running {
  readonly state: LoanState;
  readonly loan: RunningLoan;
}

/** What staff does to a running loan. Disbursements and repayments have commands of their own. */
export const decideOperateLoan: Decide<OperateLoan> = ({ loan: id, operation, reason }, context) => {
  const running = runningLoanOf(id, context);
  if (isRefusal(running)) return running;
  const dated = checkDay(operation.date, startOf(running.loan), context.today, 'date');
  const refusal = dated ?? checkOperation(operation, running, context);
  if (refusal !== undefined) return refusal;
  const booked = operate(
    id,
    running,
    operation,
    {
      narration: NARRATIONS[operation.kind],
      reason,
      ...repaymentOf(operation, running.state),
      check: (after) => checkEffect(operation, running, after),
    },
    context,
  );
  return isRefusal(booked) ? booked : undefined;
};

/** Undoing a repayment names its report as well. */
function repaymentOf(operation: LoanOperation, { repayments }: LoanState): { repayment?: string } {
  if (operation.kind !== 'UNDONE' || repayments[operation.operation] === undefined) return {};
  return { repayment: operation.operation };
}

function checkOperation(operation: LoanOperation, running: Running, context: DecisionContext): Refusal | undefined {
  const { state, loan } = running;
  if ('amount' in operation && (operation.amount <= 0n || operation.amount > MAX_AMOUNT_MINOR)) {
    return refuse('amount-out-of-range', 'an amount is positive', { field: 'amount' });
  }
  switch (operation.kind) {
    case 'DISBURSED':
    case 'REPAID':
      return refuse('invalid-argument', 'disbursements and repayments have calls of their own', { field: 'kind' });
    case 'UNDONE':
      return checkUndone(operation.operation, running);
    case 'RECOVERED':
      return state.writtenOff ? undefined : refuse('invalid-state', 'the loan is not written off');
    case 'CHARGED_BACK':
      return state.writtenOff ? writtenOff() : undefined;
    case 'CHARGED':
      return checkOwing(state) ?? checkDay(operation.due, startOf(loan), latestDue(operation.date), 'due');
    case 'WRITTEN_OFF':
      return checkOwing(state) ?? checkLost(running, context);
    case 'RATE_CHANGED':
      return checkOwing(state) ?? checkRate(operation.annualRatePercent);
    case 'RESCHEDULED':
      return checkOwing(state) ?? checkReschedule(operation);
    case 'REAGED':
      return (
        checkOwing(state) ??
        checkInstalments(operation.instalments) ??
        checkDay(operation.firstDueDate, operation.date, latestDue(operation.date), 'firstDueDate')
      );
    case 'CREDITED':
    case 'WAIVED':
    case 'REAMORTISED':
    case 'PREPAYMENT_RULE_SET':
      return checkOwing(state);
  }
}

const writtenOff = (): Refusal => refuse('invalid-state', 'the loan is written off');

function checkOwing(state: LoanState): Refusal | undefined {
  if (state.status !== 'DISBURSED') return wrongStatus(state);
  return state.writtenOff ? writtenOff() : undefined;
}

/** Ten years after a day: far enough for any due date, near enough to be no slip. */
function latestDue(date: string): string {
  return `${String(Number.parseInt(date, 10) + 10).padStart(4, '0')}${date.slice(4, 8)}28`;
}

function checkRate(annualRatePercent: string): Refusal | undefined {
  const isRate = /^\d{1,9}(?:\.\d{1,12})?$/.test(annualRatePercent) && new ExactDecimal(annualRatePercent).lte(1_000);
  return isRate ? undefined : refuse('invalid-argument', 'this is not a rate', { field: 'interestRate' });
}

function checkInstalments(instalments: number): Refusal | undefined {
  return Number.isInteger(instalments) && instalments >= 1 && instalments <= 600
    ? undefined
    : refuse('invalid-argument', 'a schedule has 1 to 600 instalments', { field: 'instalments' });
}

function checkReschedule(operation: LoanOperation & { kind: 'RESCHEDULED' }): Refusal | undefined {
  const { instalments, annualRatePercent, firstDueDate, date } = operation;
  if (instalments === undefined && annualRatePercent === undefined && firstDueDate === undefined) {
    return refuse('invalid-argument', 'a new schedule differs in something', { field: 'instalments' });
  }
  return (
    (instalments === undefined ? undefined : checkInstalments(instalments)) ??
    (annualRatePercent === undefined ? undefined : checkRate(annualRatePercent)) ??
    (firstDueDate === undefined ? undefined : checkDay(firstDueDate, date, latestDue(date), 'firstDueDate'))
  );
}

/** A loan is given up when its oldest unpaid instalment is late enough for its product. */
function checkLost({ state, loan }: Running, context: DecisionContext): Refusal | undefined {
  const { writeOffAfterDays } = settingsOf(state, context);
  const { daysOverdue } = reckon(loan, loan.operations, context.today).position;
  if (daysOverdue >= writeOffAfterDays) return undefined;
  return refuse('invalid-state', `a loan is written off when it is ${writeOffAfterDays} days overdue`, {
    details: { daysOverdue: String(daysOverdue), writeOffAfterDays: String(writeOffAfterDays) },
  });
}

function checkUndone(target: string, { loan }: Running): Refusal | undefined {
  const operations = standing(loan.operations);
  const operation = operations.find(({ id }) => id === target);
  if (operation === undefined || operation.kind === 'DISBURSED') {
    return refuse('invalid-argument', 'there is nothing of this id to undo', { field: 'operation' });
  }
  return operation.kind === 'WRITTEN_OFF' && operations.some(({ kind }) => kind === 'RECOVERED')
    ? refuse('invalid-state', 'recoveries are undone before the write-off')
    : undefined;
}

/** What an operation asks for must also come of it. */
function checkEffect(operation: LoanOperation, { loan }: Running, after: Reckoning): Refusal | undefined {
  const { currency } = loan.terms;
  switch (operation.kind) {
    case 'WAIVED': {
      const waived = after.booked.waived[operation.bucket] - loan.booked.waived[operation.bucket];
      return waived === operation.amount ? undefined : tooMuch(waived, currency);
    }
    case 'CHARGED_BACK': {
      const came = repaid(loan.operations, operation.restores?.operation);
      return operation.amount <= came ? undefined : tooMuch(came, currency);
    }
    default:
      return checkRecovery(operation, loan, after);
  }
}

/** What was repaid, by one repayment or by all, and not charged back yet. */
function repaid(operations: readonly LoanOperation[], by: string | undefined): bigint {
  return standing(operations).reduce((sum, one) => {
    if (one.kind === 'REPAID' && (by === undefined || one.id === by)) return sum + one.amount;
    return one.kind === 'CHARGED_BACK' && one.restores?.operation === by ? sum - one.amount : sum;
  }, 0n);
}

/** Interest and penalties of the days up to one: by the daily job, any number of times. */
export const decideAccrueLoan: Decide<AccrueLoan> = ({ loan: id, upTo }, context) => {
  const state = knownLoan(id, context);
  if (isRefusal(state)) return state;
  if (state.status !== 'DISBURSED' || state.writtenOff || (state.accruedTo ?? '') >= upTo) return undefined;
  const running = runningLoanOf(id, context);
  if (isRefusal(running)) return running;
  const { loan } = running;
  const refusal = checkDay(upTo, startOf(loan), context.today, 'upTo');
  if (refusal !== undefined) return refusal;
  const reckoning = reckon(loan, loan.operations, upTo);
  context.emit({
    type: 'loan-accrued',
    version: 1,
    data: { loan: id, upTo, booked: bookedToJson(reckoning.booked) },
    tags: [tagOf('loan', id)],
    effectiveAt: upTo,
  });
  const unbooked = bookDifference(loan, reckoning, { valueDate: upTo, narration: 'Loan accrual' }, context);
  if (isRefusal(unbooked)) return unbooked;
  settle(id, state, reckoning.position, upTo, context);
  return undefined;
};
