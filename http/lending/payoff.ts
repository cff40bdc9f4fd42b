import { z } from 'zod';
import { answeredBefore } from '../../application/access/as-user.js';
import { standingOf } from '../../application/loan/position-of.js';
import type { LoanView } from '../../application/ports/lending-read-models.js';
import { REPAYMENT_METHODS } from '../../domain/loan-product/events.js';
import { sumBuckets } from '../../domain/loan/booked.js';
import { payoffQuote as quoteOf } from '../../domain/loan/compute.js';
import { present } from '../../application/people/person-checks.js';
import { Findings, amountIn, amountOut } from '../amounts.js';
import { payloadEncrypted, pin } from '../auth/schemas.js';
import { type Accepted, acceptedOr, askedBy, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { type Failure, RequestFailed, failure, invalid } from '../problem.js';
import { amount, amountShown, dateIn } from '../schemas.js';
import { ownPerson } from '../scope.js';
import { loanStatus } from './application-shape.js';
import { LOANS } from './examples.js';
import { loanAfter, loanForCommand, todayOf, visibleLoan } from './loan-in-sight.js';
import { VIEWERS } from './loan-views.js';
import { LOAN_PARAMS, loanId, loanParams } from './offers.js';
import { repaymentAfter } from './repayments.js';
import { REPAYMENT_STATUSES } from './repayment-shape.js';
import { transactionPinFailure } from './transaction-pin.js';

const USER = '/api/v1/services/user';
const body = z.strictObject({
  loanApplicationId: loanId,
  paymentMethod: z.enum(REPAYMENT_METHODS),
  transactionPin: pin.optional(),
  payloadEncrypted: payloadEncrypted.optional(),
  payoffAmount: amount.optional().meta({ description: 'Must be exactly what is owed today; default: that' }),
});

export const payoffLoan = defineEndpoint({
  id: 'payoff-loan',
  group: 'lending',
  title: 'Pay off loan',
  description:
    'Settles everything that is owed today. `WALLET` at once, from the loan wallet; any other way makes a repayment in PENDING_VERIFICATION. ' +
    'A `payoffAmount` that is not the right one is refused with the right one in `errors[0].details.payoffAmount`; payoff-quote tells it before. ' +
    '`transactionPin` is asked for where `TRANSACTION_PIN_REQUIRED` is on and the customer has one.',
  method: 'POST',
  path: `${USER}/payoff-loan`,
  aliases: [],
  roles: ['CUSTOMER'],
  secretMembers: ['transactionPin'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  body,
  unknownMembers: 'refuse',
  requestExamples: {
    wallet: { body: { loanApplicationId: LOANS.loanId, paymentMethod: 'WALLET' } },
    transfer: { body: { loanApplicationId: LOANS.loanId, paymentMethod: 'BANK_TRANSFER' } },
  },
  success: {
    status: 200,
    description: 'The payoff',
    data: z
      .object({
        repaymentId: z.string(),
        loanApplicationId: z.string(),
        payoffAmount: amountShown,
        currencyCode: z.string(),
        remainingBalance: amountShown,
        loanStatus,
        verificationStatus: z.enum(REPAYMENT_STATUSES),
        transactionReference: z.string(),
        payoffDate: z.string(),
      })
      .meta({ id: 'LoanPayoff' }),
    example: {
      ...{ repaymentId: LOANS.repaymentId, loanApplicationId: LOANS.loanId, payoffAmount: 50_000, currencyCode: 'NGN' },
      ...{ remainingBalance: 0, loanStatus: 'PAID_OFF', verificationStatus: 'VERIFIED' },
      ...{ transactionReference: LOANS.reference, payoffDate: EXAMPLE.date },
    },
  },
  errors: [
    ...(['NOT_FOUND', 'INVALID_STATE_TRANSITION', 'INSUFFICIENT_FUNDS', 'ACCOUNT_NOT_USABLE'] as const),
    ...(['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'LIMIT_EXCEEDED'] as const),
  ],
  async handler(call) {
    const loan = await loanForCommand(call, call.body.loanApplicationId);
    // A retry gets its first answer whatever has become of the PIN since.
    const before = await answeredBefore(call.services.identity, askedBy(call), ownPerson(call));
    if (before !== undefined) {
      const again = acceptedOr(before, call);
      return isFailure(again) ? again : paidOff(call, loan, again);
    }
    const findings = new Findings();
    const { payoffAmount, paymentMethod: method } = call.body;
    const wanted =
      payoffAmount === undefined ? undefined : amountIn(payoffAmount, loan.currency, 'payoffAmount', findings);
    findings.throwIfAny();
    const refused = await transactionPinFailure(call);
    if (refused !== undefined) return refused;
    const repayment = call.services.ids.eventId();
    const done = await execute(call, 'pay-off-loan', {
      ...{ loan: loan.loanId, repayment, method, reference: loan.code },
      ...present({ amount: wanted }),
    });
    return isFailure(done) ? done : paidOff(call, loan, done);
  },
});

async function paidOff(call: Call, { loanId: id, code }: LoanView, done: Accepted): Promise<Answer | Failure> {
  const { repayment } = await repaymentAfter(call, done);
  const now = await loanAfter(call, id, done);
  const { position } = standingOf(now, todayOf(call));
  const { currency, amount: paid, repaymentId, status, paymentDate } = repayment;
  const data = {
    repaymentId,
    loanApplicationId: id,
    payoffAmount: amountOut(paid, currency),
    currencyCode: currency,
    remainingBalance: amountOut(position === null ? 0n : sumBuckets(position.outstanding), currency),
    loanStatus: now.status,
    verificationStatus: status,
    transactionReference: code,
    payoffDate: paymentDate,
  };
  const message = status === 'VERIFIED' ? 'Loan paid off' : 'The loan is paid off once the payment is verified';
  return { kind: 'answer', message, data, position: done.position, replayed: done.replayed };
}

const quoteShape = z
  .object({
    loanApplicationId: z.string(),
    loanCode: z.string(),
    currencyCode: z.string(),
    payoffDate: z.string(),
    payoffAmount: amountShown.meta({ description: 'Exact, if nothing happens until then' }),
    principalAmount: amountShown,
    interestAmount: amountShown,
    feesAmount: amountShown,
    penaltyAmount: amountShown,
    perDiem: amountShown.meta({ description: 'What another day adds' }),
    pendingVerificationAmount: amountShown.meta({ description: 'Reported and not verified: not in the quote' }),
  })
  .meta({ id: 'PayoffQuote' });
const QUOTE_EXAMPLE = {
  ...{ loanApplicationId: LOANS.loanId, loanCode: LOANS.loanCode, currencyCode: 'NGN', payoffDate: EXAMPLE.date },
  ...{ payoffAmount: 50_000, principalAmount: 50_000, interestAmount: 0, feesAmount: 0, penaltyAmount: 0 },
  ...{ perDiem: 17.36, pendingVerificationAmount: 0 },
};

/** A quote reaches this far: beyond it a schedule may have been changed many times. */
const MAX_QUOTE_DAYS = 366;
const DAY_MS = 86_400_000;
const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

export const payoffQuote = defineEndpoint({
  id: 'payoff-quote',
  group: 'lending',
  title: 'Payoff quote',
  description: 'What paying off costs today or on a day to come, by bucket.',
  method: 'GET',
  path: `${USER}/payoff-quote/{loanApplicationId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  query: z.object({ date: dateIn.optional().meta({ description: 'Default today' }) }),
  unknownMembers: 'refuse',
  requestExamples: { today: { params: LOAN_PARAMS } },
  success: { status: 200, description: 'The quote', data: quoteShape, example: QUOTE_EXAMPLE },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    const date = call.query.date ?? todayOf(call);
    return { kind: 'answer', message: 'Payoff quote', data: await quoteOn(call, loan, date) };
  },
});

/** What settles a running loan on a day that is not over. */
export async function quoteOn(call: Call, loan: LoanView, date: string) {
  const today = todayOf(call);
  const last = dayAfter(today, MAX_QUOTE_DAYS);
  if (date < today || date > last) {
    throw new RequestFailed(invalid('date', 'OUT_OF_RANGE', `a payoff is quoted from ${today} to ${last}`));
  }
  if (loan.terms === null || loan.status !== 'DISBURSED') {
    throw new RequestFailed(failure('INVALID_STATE_TRANSITION', `The loan is ${loan.status}: nothing is owed`));
  }
  const quote = quoteOf(loan.terms, loan.operations, date);
  const nextDay = sumBuckets(quoteOf(loan.terms, loan.operations, dayAfter(date)));
  const out = (minor: bigint) => amountOut(minor, loan.currency);
  return {
    loanApplicationId: loan.loanId,
    loanCode: loan.code,
    currencyCode: loan.currency,
    payoffDate: date,
    payoffAmount: out(sumBuckets(quote)),
    principalAmount: out(quote.principal),
    interestAmount: out(quote.interest),
    feesAmount: out(quote.fees),
    penaltyAmount: out(quote.penalty),
    perDiem: out(nextDay - sumBuckets(quote)),
    pendingVerificationAmount: out(await pendingOf(call, loan)),
  };
}

/** A loan has at most fifty of them (domain/loan/loan.ts). */
const MOST_PENDING = 100;
async function pendingOf({ services, caller }: Call, { loanId: id }: LoanView): Promise<bigint> {
  const filter = { loanId: id, status: 'PENDING_VERIFICATION' } as const;
  const slice = { page: 1, size: MOST_PENDING };
  const { items } = await services.readModels.repayments(caller.tenantId, filter, slice);
  return items.reduce((sum, { amount: reported }) => sum + reported, 0n);
}
