import { tagOf } from '../aggregates.js';
import { REPAYMENT_METHODS } from '../loan-product/events.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { MAX_AMOUNT_MINOR, formatAmount } from '../shared/money.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { type RunningLoan, reckon } from './book.js';
import type { PayOffLoan, RejectRepayment, ReportRepayment, VerifyRepayment } from './commands.js';
import { checkDay, runningLoanOf, settingsOf, wrongStatus } from './guards.js';
import { type LoanState, MAX_PENDING_REPAYMENTS, type RepaymentState } from './loan.js';
import { standing } from './operations-json.js';
import type { LoanOperation } from './operations.js';
import { NARRATIONS, bookingDay, checkRecovery, operate, startOf } from './operate.js';
import { payableOf, payoffOn } from './payoff.js';

/** Reported, then verified or rejected: what a loan owes changes at verification only (spec 7.3 and 9.15). */
export const decideReportRepayment: Decide<ReportRepayment> = (command, context) => {
  const running = runningLoanOf(command.loan, context);
  if (isRefusal(running)) return running;
  const { state, loan } = running;
  const { amount, method, paymentDate, bankAccount } = command;
  const refusal =
    checkRepayable(state, context) ??
    checkMethod(method) ??
    checkDay(paymentDate, startOf(loan), context.today, 'paymentDate') ??
    checkNew(command, state);
  if (refusal !== undefined) return refusal;
  const { position } = reckon(loan, loan.operations, bookingDay(state, context));
  const payable = payableOf(position);
  if (amount <= 0n || amount > payable) {
    return refuse('amount-out-of-range', 'a repayment is positive and at most what is payable', {
      field: 'repaymentAmount',
      details: { totalPayable: formatAmount(payable, loan.terms.currency) },
    });
  }
  report(command, { amount, paymentDate, ...(bankAccount === undefined ? {} : { bankAccount }) }, context);
  return undefined;
};

function report(
  { loan, repayment, method, reference }: Pick<ReportRepayment, 'loan' | 'repayment' | 'method' | 'reference'>,
  more: {
    readonly amount: bigint;
    readonly paymentDate: string;
    readonly bankAccount?: string;
    readonly payoff?: boolean;
  },
  context: DecisionContext,
): void {
  context.emit({
    type: 'repayment-reported',
    version: 1,
    data: { ...{ loan, repayment, method, reference }, ...more, amount: more.amount.toString() },
    tags: [tagOf('loan', loan)],
    effectiveAt: more.paymentDate,
  });
}

/** By hand, on a loan that runs: not where a partner collects, and not on what was paid off or given up. */
function checkRepayable(state: LoanState, context: DecisionContext): Refusal | undefined {
  if (state.status !== 'DISBURSED') return wrongStatus(state);
  if (state.writtenOff) return refuse('invalid-state', 'the loan is written off: what comes in is a recovery');
  return settingsOf(state, context).thirdPartyCollection
    ? refuse('repayment-not-permitted', 'repayments of this loan are collected by a partner')
    : undefined;
}

function checkMethod(method: string): Refusal | undefined {
  return (REPAYMENT_METHODS as readonly string[]).includes(method)
    ? undefined
    : refuse('invalid-argument', 'there is no such way to repay', { field: 'paymentMethod' });
}

/** The reference is the loan's own, so the same payment is one of the same amount and day besides. */
function checkNew(
  { repayment, reference, amount, paymentDate }: Omit<ReportRepayment, 'loan' | 'method' | 'bankAccount'>,
  { repayments }: LoanState,
): Refusal | undefined {
  if (repayments[repayment] !== undefined) return refuse('repayment-exists', 'there is such a repayment');
  const pending = Object.values(repayments).filter(({ status }) => status === 'PENDING_VERIFICATION');
  const text = amount.toString();
  if (pending.some((one) => one.reference === reference && one.amount === text && one.paymentDate === paymentDate)) {
    return refuse('repayment-exists', 'this payment waits to be verified already', { field: 'repaymentReference' });
  }
  return pending.length >= MAX_PENDING_REPAYMENTS
    ? refuse('too-many-repayments', `at most ${MAX_PENDING_REPAYMENTS} repayments of a loan wait to be verified`)
    : undefined;
}

/**
 * Books what came in on its value date. It is allocated whatever it is: more than is owed goes to the borrower's wallet,
 * on a loan that was given up it is a recovery.
 */
export const decideVerifyRepayment: Decide<VerifyRepayment> = (command, context) => {
  const running = runningLoanOf(command.loan, context);
  if (isRefusal(running)) return running;
  const repayment = pendingRepayment(command.repayment, running.state);
  if (isRefusal(repayment)) return repayment;
  const amount = command.receivedAmount ?? BigInt(repayment.amount);
  const date = command.valueDate ?? repayment.paymentDate;
  const refusal = checkReceived(amount) ?? checkDay(date, startOf(running.loan), context.today, 'valueDate');
  if (refusal !== undefined) return refusal;
  return verify(command, running, { amount, date, method: repayment.method }, context);
};

function verify(
  { loan, repayment }: { readonly loan: string; readonly repayment: string },
  running: { readonly state: LoanState; readonly loan: RunningLoan },
  { amount, date, method }: { readonly amount: bigint; readonly date: string; readonly method: string },
  context: DecisionContext,
): Refusal | undefined {
  const lostOn = standing(running.loan.operations).find(
    (one) => one.kind === 'WRITTEN_OFF' && one.stillOwed !== true,
  )?.date;
  const isRecovery = lostOn !== undefined && date >= lostOn;
  if (isRecovery && method === 'WALLET') {
    return refuse('invalid-state', 'the loan is written off: nothing is taken from the wallet any more');
  }
  context.emit({
    type: 'repayment-verified',
    version: 1,
    data: { loan, repayment, receivedAmount: amount.toString(), valueDate: date },
    tags: [tagOf('loan', loan)],
    effectiveAt: date,
  });
  // The operation has the id of the report: what is undone later can be found from either.
  const operation: LoanOperation = isRecovery
    ? { id: repayment, date, kind: 'RECOVERED', amount }
    : { id: repayment, date, kind: 'REPAID', amount, method };
  const booked = operate(
    loan,
    running,
    operation,
    {
      narration: NARRATIONS[operation.kind],
      repayment,
      check: (after) => checkRecovery(operation, running.loan, after),
    },
    context,
  );
  return isRefusal(booked) ? booked : undefined;
}

function checkReceived(amount: bigint): Refusal | undefined {
  return amount > 0n && amount <= MAX_AMOUNT_MINOR
    ? undefined
    : refuse('amount-out-of-range', 'what was received is a positive amount', { field: 'receivedAmount' });
}

function pendingRepayment(id: string, { repayments }: LoanState): RepaymentState | Refusal {
  const repayment = repayments[id];
  if (repayment === undefined) return refuse('repayment-not-found', 'there is no such repayment');
  return repayment.status === 'PENDING_VERIFICATION'
    ? repayment
    : refuse('invalid-state', `the repayment is ${repayment.status} already`, {
        details: { status: repayment.status },
      });
}

export const decideRejectRepayment: Decide<RejectRepayment> = ({ loan, repayment, reason }, context) => {
  const running = runningLoanOf(loan, context);
  if (isRefusal(running)) return running;
  const pending = pendingRepayment(repayment, running.state);
  if (isRefusal(pending)) return pending;
  context.emit({
    type: 'repayment-rejected',
    version: 1,
    data: { loan, repayment, reason },
    tags: [tagOf('loan', loan)],
  });
  return undefined;
};

/** All at once, for exactly what it takes today: from the wallet now, any other way when it is verified (spec 9.9). */
export const decidePayOffLoan: Decide<PayOffLoan> = (command, context) => {
  const running = runningLoanOf(command.loan, context);
  if (isRefusal(running)) return running;
  const { state, loan } = running;
  const { method } = command;
  const today = context.today;
  const amount = payoffOn(loan.terms, loan.operations, today);
  const atOnce = method === 'WALLET';
  const refusal =
    checkMethod(method) ??
    (atOnce && state.status === 'DISBURSED' && !state.writtenOff ? undefined : checkRepayable(state, context)) ??
    checkNew({ ...command, amount, paymentDate: today }, state);
  if (refusal !== undefined) return refusal;
  if (command.amount !== undefined && command.amount !== amount) {
    return refuse('payoff-amount-differs', 'the loan is not settled by this amount today', {
      field: 'payoffAmount',
      details: { payoffAmount: formatAmount(amount, loan.terms.currency), currencyCode: loan.terms.currency },
    });
  }
  if (amount <= 0n) return refuse('invalid-state', 'nothing is owed today');
  report(command, { amount, paymentDate: today, payoff: true }, context);
  return atOnce ? verify(command, running, { amount, date: today, method }, context) : undefined;
};
