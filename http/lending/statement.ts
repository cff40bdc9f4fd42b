import { z } from 'zod';
import { standingOf } from '../../application/loan/position-of.js';
import type { LoanView, RecordedOperation } from '../../application/ports/lending-read-models.js';
import type { LoanPosition, LoanTransaction } from '../../domain/loan/position.js';
import { amountOut } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { RequestFailed, failure, invalid } from '../problem.js';
import { amountShown, dateIn } from '../schemas.js';
import { customerNameOf, loanStatus } from './application-shape.js';
import { collectionAccount } from './collection.js';
import { LOANS } from './examples.js';
import { todayOf, visibleLoan } from './loan-in-sight.js';
import { COLLECTION_EXAMPLE } from './loan-shape.js';
import { VIEWERS } from './loan-views.js';
import { LOAN_PARAMS, loanParams } from './offers.js';
import { quoteOn } from './payoff.js';

const USER = '/api/v1/services/user';

const lineShape = z.object({
  date: z.string(),
  type: z.string().meta({ description: 'DISBURSED, REPAID, CHARGED, WAIVED, …' }),
  amount: amountShown,
  principalAmount: amountShown,
  interestAmount: amountShown,
  feesAmount: amountShown,
  penaltyAmount: amountShown,
  overpaidAmount: amountShown,
  principalBalance: amountShown.meta({ description: 'After it' }),
  operationId: z.string(),
  recordedAt: z.string().nullable(),
  reason: z.string().nullable(),
});
const statementShape = z
  .object({
    loanApplicationId: z.string(),
    loanCode: z.string(),
    customerId: z.string(),
    customerName: z.string().nullable(),
    loanProductName: z.string(),
    currencyCode: z.string(),
    fromDate: z.string(),
    toDate: z.string(),
    openingPrincipal: amountShown,
    closingPrincipal: amountShown,
    totalDisbursed: amountShown.meta({ description: 'In the period, as the three below' }),
    totalRepaid: amountShown,
    totalCharged: amountShown,
    totalWaived: amountShown,
    transactions: z.array(lineShape),
  })
  .meta({ id: 'LoanStatement' });

const STATEMENT_EXAMPLE = {
  ...{ loanApplicationId: LOANS.loanId, loanCode: LOANS.loanCode, customerId: PEOPLE.customerId },
  ...{ customerName: 'Ada Obi', loanProductName: 'Salary advance', currencyCode: 'NGN' },
  ...{ fromDate: EXAMPLE.date, toDate: EXAMPLE.date, openingPrincipal: 0, closingPrincipal: 50_000 },
  ...{ totalDisbursed: 50_000, totalRepaid: 0, totalCharged: 0, totalWaived: 0 },
  transactions: [
    {
      ...{ date: EXAMPLE.date, type: 'DISBURSED', amount: 50_000, principalAmount: 50_000, interestAmount: 0 },
      ...{ feesAmount: 0, penaltyAmount: 0, overpaidAmount: 0, principalBalance: 50_000 },
      ...{ operationId: LOANS.operationId, recordedAt: EXAMPLE.at, reason: null },
    },
  ],
};

/** The position of a loan whose money was paid out; one that has no money out has no statement. */
function paidOutPosition(loan: LoanView, day: string): LoanPosition {
  const { position } = standingOf(loan, day);
  if (position !== null) return position;
  throw new RequestFailed(failure('INVALID_STATE_TRANSITION', `The loan is ${loan.status}: no money was paid out`));
}

export const loanStatement = defineEndpoint({
  id: 'loan-statement',
  group: 'lending',
  title: 'Loan statement',
  description:
    'What happened to the loan from one day to another, by the day it took effect, each with what it did to the buckets. What was undone is left out.',
  method: 'GET',
  path: `${USER}/loan-statement/{loanApplicationId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  query: z.object({
    fromDate: dateIn.optional().meta({ description: 'Default: the day of disbursement' }),
    toDate: dateIn.optional().meta({ description: 'Default today' }),
  }),
  unknownMembers: 'refuse',
  requestExamples: { whole: { params: LOAN_PARAMS } },
  success: { status: 200, description: 'The statement', data: statementShape, example: STATEMENT_EXAMPLE },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    const today = todayOf(call);
    const { transactions } = paidOutPosition(loan, today);
    const { fromDate = transactions[0]?.date ?? today, toDate = today } = call.query;
    if (fromDate > toDate) throw new RequestFailed(invalid('fromDate', 'INVALID_RANGE', 'fromDate is after toDate'));
    return { kind: 'answer', message: 'Loan statement', data: statementOut(loan, transactions, fromDate, toDate) };
  },
});

function statementOut(loan: LoanView, transactions: readonly LoanTransaction[], fromDate: string, toDate: string) {
  const { currency } = loan;
  const before = transactions.filter(({ date }) => date < fromDate);
  const within = transactions.filter(({ date }) => date >= fromDate && date <= toDate);
  const recorded = new Map(loan.operations.map((operation) => [operation.id, operation]));
  const total = (...kinds: readonly string[]) =>
    amountOut(
      within.reduce((sum, { kind, amount }) => (kinds.includes(kind) ? sum + amount : sum), 0n),
      currency,
    );
  const opening = before.at(-1)?.balance ?? 0n;
  return {
    loanApplicationId: loan.loanId,
    loanCode: loan.code,
    customerId: loan.customerId,
    customerName: customerNameOf(loan),
    loanProductName: loan.productName,
    currencyCode: currency,
    ...{ fromDate, toDate },
    openingPrincipal: amountOut(opening, currency),
    closingPrincipal: amountOut(within.at(-1)?.balance ?? opening, currency),
    totalDisbursed: total('DISBURSED'),
    totalRepaid: total('REPAID', 'CREDITED', 'RECOVERED'),
    totalCharged: total('CHARGED'),
    totalWaived: total('WAIVED'),
    transactions: within.map((one) => lineOut(one, recorded.get(one.operation), currency)),
  };
}

function lineOut(transaction: LoanTransaction, operation: RecordedOperation | undefined, currency: string) {
  const { date, kind, amount, portions, overpaid, balance, operation: operationId } = transaction;
  const out = (minor: bigint) => amountOut(minor, currency);
  return {
    date,
    type: kind,
    amount: out(amount),
    principalAmount: out(portions.principal),
    interestAmount: out(portions.interest),
    feesAmount: out(portions.fees),
    penaltyAmount: out(portions.penalty),
    overpaidAmount: out(overpaid),
    principalBalance: out(balance),
    operationId,
    recordedAt: operation?.recordedAt ?? null,
    reason: operation?.reason ?? null,
  };
}

const letterShape = z
  .object({
    letterDate: z.string(),
    lender: z.string(),
    customerId: z.string(),
    customerName: z.string().nullable(),
    loanApplicationId: z.string(),
    loanCode: z.string(),
    loanProductName: z.string(),
    loanStatus,
    currencyCode: z.string(),
    loanAmount: amountShown,
    disbursementDate: z.string(),
    paidOffDate: z.string().nullable(),
    goodThroughDate: z.string().nullable().meta({ description: 'The quote holds on this day' }),
    payoffAmount: amountShown.meta({ description: '0: nothing is owed any more' }),
    principalAmount: amountShown,
    interestAmount: amountShown,
    feesAmount: amountShown,
    penaltyAmount: amountShown,
    perDiem: amountShown.meta({ description: 'What another day adds' }),
    bankAccountDetails: z
      .object({ accountNumber: z.string(), accountName: z.string(), bankCode: z.string(), bankName: z.string() })
      .nullable(),
    paymentReference: z.string(),
  })
  .meta({ id: 'PayoffLetter' });

export const payoffLetter = defineEndpoint({
  id: 'payoff-letter',
  group: 'lending',
  title: 'Payoff letter data',
  description:
    'What a payoff letter says: for a running loan what settles it on a day, and where to pay; for one that is paid off that nothing is owed.',
  method: 'GET',
  path: `${USER}/payoff-letter/{loanApplicationId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  query: z.object({ date: dateIn.optional().meta({ description: 'Default today' }) }),
  unknownMembers: 'refuse',
  requestExamples: { today: { params: LOAN_PARAMS } },
  success: {
    status: 200,
    description: 'The letter',
    data: letterShape,
    example: {
      ...{ letterDate: EXAMPLE.date, lender: 'FinLend', customerId: PEOPLE.customerId, customerName: 'Ada Obi' },
      ...{ loanApplicationId: LOANS.loanId, loanCode: LOANS.loanCode, loanProductName: 'Salary advance' },
      ...{ loanStatus: 'DISBURSED', currencyCode: 'NGN', loanAmount: 50_000, disbursementDate: EXAMPLE.date },
      ...{ paidOffDate: null, goodThroughDate: EXAMPLE.date, payoffAmount: 50_000, principalAmount: 50_000 },
      ...{ interestAmount: 0, feesAmount: 0, penaltyAmount: 0, perDiem: 17.36 },
      ...{ bankAccountDetails: COLLECTION_EXAMPLE, paymentReference: LOANS.reference },
    },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    return { kind: 'answer', message: 'Payoff letter', data: await letterOut(call, loan, call.query.date) };
  },
});

async function letterOut(call: Call, loan: LoanView, date: string | undefined) {
  const { currency, operations } = loan;
  const today = todayOf(call);
  const position = paidOutPosition(loan, today);
  const [tenant, account] = await Promise.all([
    call.services.readModels.tenant(call.caller.tenantId),
    collectionAccount(call),
  ]);
  const isPaidOff = loan.status === 'PAID_OFF';
  const zero = { payoffAmount: 0, principalAmount: 0, interestAmount: 0, feesAmount: 0, penaltyAmount: 0 };
  const quote = isPaidOff ? undefined : await quoteOn(call, loan, date ?? today);
  const { payoffAmount, principalAmount, interestAmount, feesAmount, penaltyAmount } = quote ?? zero;
  return {
    letterDate: today,
    lender: tenant?.name ?? '',
    customerId: loan.customerId,
    customerName: customerNameOf(loan),
    loanApplicationId: loan.loanId,
    loanCode: loan.code,
    loanProductName: loan.productName,
    loanStatus: loan.status,
    currencyCode: currency,
    loanAmount: amountOut(loan.terms?.principal ?? 0n, currency),
    disbursementDate: operations.find(({ kind }) => kind === 'DISBURSED')?.date ?? position.asOf,
    paidOffDate: loan.paidOffDate,
    goodThroughDate: quote?.payoffDate ?? null,
    ...{ payoffAmount, principalAmount, interestAmount, feesAmount, penaltyAmount },
    perDiem: quote?.perDiem ?? 0,
    bankAccountDetails: account,
    paymentReference: loan.code,
  };
}
