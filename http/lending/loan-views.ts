import { z } from 'zod';
import { type LoanStanding, standingOf } from '../../application/loan/position-of.js';
import type { LoanFilter, LoanTotalsView, LoanView } from '../../application/ports/lending-read-models.js';
import { sumBuckets } from '../../domain/loan/booked.js';
import { amountOut } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { personId } from '../ciam/person-schemas.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { amountShown, page, pagedOf } from '../schemas.js';
import { visibleCustomer } from '../scope.js';
import { statusFilter, statusIn } from './application-shape.js';
import { collectionAccount } from './collection.js';
import { LOANS } from './examples.js';
import { ProductVersions, todayOf, visibleLoan } from './loan-in-sight.js';
import {
  LOAN_EXAMPLE,
  LOAN_WITH_HISTORY_EXAMPLE,
  instalmentOut,
  loanOut,
  loanShape,
  loanWithHistoryOut,
  loanWithHistoryShape,
} from './loan-shape.js';
import { LOAN_PARAMS, loanParams } from './offers.js';
import { smallSize } from './pieces.js';

const USER = '/api/v1/services/user';
export const VIEWERS = ['MANAGER', 'AGENT', 'CUSTOMER'] as const;
export const customerParams = z.object({ customerId: personId });
export const CUSTOMER_PARAMS = { customerId: PEOPLE.customerId };

/** A customer has a handful of running loans; more than this are not computed for one answer. */
const MOST_RUNNING = 100;

/** The customer that a path names, and the day. */
export async function customerOf(call: Call, idOrCode: string): Promise<{ customerId: string; today: string }> {
  const { customerId } = await visibleCustomer(call, idOrCode);
  return { customerId, today: todayOf(call) };
}

/** Loans whose money is out and not back, with where they stand today. */
export async function runningLoans(call: Call, customerId: string, today: string): Promise<LoanStanding[]> {
  const filter: LoanFilter = { customerId, status: 'DISBURSED' };
  const slice = { page: 1, size: MOST_RUNNING };
  const { items } = await call.services.readModels.loans(call.caller.tenantId, filter, undefined, slice);
  return items.filter(({ writtenOff }) => !writtenOff).map((loan) => standingOf(loan, today));
}

export const loanDetailsWithPaymentHistory = defineEndpoint({
  id: 'loan-details-with-payment-history',
  group: 'lending',
  title: 'Loan details with payment history',
  description:
    'Where the loan stands today, by bucket, with all instalments. `totalBalance` is what is owed today, ' +
    '`totalPayable` what the whole schedule still asks for. The schedule is there once the money is paid out; before, it is in the offer.',
  method: 'GET',
  path: `${USER}/loan-details-with-payment-history/{loanApplicationId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: LOAN_PARAMS } },
  success: {
    status: 200,
    description: 'The loan',
    data: loanWithHistoryShape,
    example: LOAN_WITH_HISTORY_EXAMPLE,
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    const today = todayOf(call);
    const product = await new ProductVersions(call).of(loan);
    const data = loanWithHistoryOut(standingOf(loan, today), product, today, await collectionAccount(call));
    return { kind: 'answer', message: 'Loan details', data };
  },
});

export const getLoanHistory = defineEndpoint({
  id: 'get-loan-history',
  group: 'lending',
  title: 'Loan history',
  description: 'All loans and applications of the customer, newest first.',
  method: 'GET',
  path: `${USER}/get-loan-history/{customerId}`,
  aliases: [{ method: 'GET', path: `${USER}/loan-history/{customerId}` }],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: customerParams,
  query: z.object({ page, size: smallSize, status: statusFilter.optional() }),
  unknownMembers: 'refuse',
  requestExamples: { first: { params: CUSTOMER_PARAMS, query: { page: '1', size: '10' } } },
  success: {
    status: 200,
    description: 'Loan history retrieved successfully',
    data: pagedOf('loans', loanShape),
    example: { loans: [LOAN_EXAMPLE], page: 1, size: 10, totalElements: 1, totalPages: 1 },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerId, today } = await customerOf(call, call.params.customerId);
    const { status, ...slice } = call.query;
    const filter = { customerId, ...(status === undefined ? {} : { status: statusIn(status) }) };
    const found = await call.services.readModels.loans(call.caller.tenantId, filter, undefined, slice);
    const loans = await loansOut(call, found.items, today);
    const data = { loans, ...pageInfo(slice, found.totalElements) };
    return { kind: 'answer', message: 'Loan history retrieved successfully', data };
  },
});

async function loansOut(call: Call, loans: readonly LoanView[], today: string) {
  const products = new ProductVersions(call);
  return Promise.all(loans.map(async (loan) => loanOut(standingOf(loan, today), await products.of(loan), today)));
}

const totalsOfCurrency = z.object({
  currencyCode: z.string(),
  totalBorrowed: amountShown,
  totalOutstanding: amountShown,
  totalRepaid: amountShown,
  activeLoans: z.int(),
  overdueAmount: amountShown,
  nextPaymentDueDate: z.string().nullable(),
});
const TOTALS_EXAMPLE = {
  currencyCode: 'NGN',
  totalBorrowed: 50_000,
  totalOutstanding: 53_449.71,
  totalRepaid: 0,
  activeLoans: 1,
  overdueAmount: 0,
  nextPaymentDueDate: LOANS.firstDueDate,
};

export const getTotalLoan = defineEndpoint({
  id: 'get-total-loan',
  group: 'lending',
  title: 'Customer’s total loan',
  description:
    'The dashboard: what was borrowed, repaid and is still to be paid. Amounts of the tenant’s base currency where it is borrowed in, ' +
    'else of the first one; `byCurrency` has them all.',
  method: 'GET',
  path: `${USER}/get-total/{customerId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: customerParams,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: CUSTOMER_PARAMS } },
  success: {
    status: 200,
    description: 'Dashboard summary retrieved successfully',
    data: totalsOfCurrency.extend({ byCurrency: z.array(totalsOfCurrency) }).meta({ id: 'LoanTotals' }),
    example: { ...TOTALS_EXAMPLE, byCurrency: [TOTALS_EXAMPLE] },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerId, today } = await customerOf(call, call.params.customerId);
    const { readModels } = call.services;
    const { tenantId } = call.caller;
    const [totals, tenant] = await Promise.all([
      readModels.loanTotals(tenantId, customerId, today),
      readModels.tenant(tenantId),
    ]);
    const base = tenant?.baseCurrency ?? '';
    const byCurrency = totals.map(totalsOut);
    const first =
      byCurrency.find(({ currencyCode }) => currencyCode === base) ?? byCurrency[0] ?? totalsOut(none(base));
    return {
      kind: 'answer',
      message: 'Dashboard summary retrieved successfully',
      data: { ...first, byCurrency },
    };
  },
});

type Totals = Pick<
  LoanTotalsView,
  'currency' | 'borrowed' | 'outstanding' | 'repaid' | 'activeLoans' | 'overdue' | 'nextDueDate'
>;
const none = (currency: string): Totals => ({
  ...{ currency, borrowed: 0n, outstanding: 0n, repaid: 0n, activeLoans: 0, overdue: 0n, nextDueDate: null },
});

function totalsOut({ currency, borrowed, outstanding, repaid, activeLoans, overdue, nextDueDate }: Totals) {
  return {
    currencyCode: currency,
    totalBorrowed: amountOut(borrowed, currency),
    totalOutstanding: amountOut(outstanding, currency),
    totalRepaid: amountOut(repaid, currency),
    activeLoans,
    overdueAmount: amountOut(overdue, currency),
    nextPaymentDueDate: nextDueDate,
  };
}

const managedShape = loanShape
  .extend({ amountDue: amountShown.meta({ description: 'Overdue, or else the next instalment' }) })
  .meta({ id: 'ManagedLoan' });

export const manageLoans = defineEndpoint({
  id: 'manage-loans',
  group: 'lending',
  title: 'Manage loans',
  description: 'Running loans, most urgent first.',
  method: 'GET',
  path: `${USER}/manage-loans/{customerId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: customerParams,
  query: z.object({ page, size: smallSize }),
  unknownMembers: 'refuse',
  requestExamples: { one: { params: CUSTOMER_PARAMS } },
  success: {
    status: 200,
    description: 'Active loans retrieved',
    data: z.array(managedShape),
    example: [{ ...LOAN_EXAMPLE, amountDue: 4454.14 }],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerId, today } = await customerOf(call, call.params.customerId);
    const running = await runningLoans(call, customerId, today);
    const urgent = running.toSorted((a, b) => (dueDateOf(a) < dueDateOf(b) ? -1 : dueDateOf(a) > dueDateOf(b) ? 1 : 0));
    const slice = call.query;
    const products = new ProductVersions(call);
    const shown = await Promise.all(
      cut(urgent, slice).map(async (standing) => ({
        ...loanOut(standing, await products.of(standing.loan), today),
        amountDue: amountOut(amountDue(standing), standing.loan.currency),
      })),
    );
    const counters = pageInfo(slice, running.length);
    return { kind: 'answer', message: 'Active loans retrieved', data: shown, page: counters };
  },
});

/** The part of a list that a page shows. */
export function cut<T>(items: readonly T[], { page: number, size }: { page: number; size: number }): readonly T[] {
  return items.slice((number - 1) * size, number * size);
}

function dueDateOf({ position }: LoanStanding): string {
  return position?.oldestOverdueDate ?? position?.nextDueDate ?? '9999';
}

function amountDue({ position }: LoanStanding): bigint {
  if (position === null) return 0n;
  const overdue = sumBuckets(position.overdue);
  if (overdue > 0n) return overdue;
  const next = position.instalments.find(({ dueDate }) => dueDate === position.nextDueDate);
  return next === undefined ? 0n : sumBuckets(next.due) - sumBuckets(next.paid) - sumBuckets(next.waived);
}

const pendingShape = z
  .object({
    loanApplicationId: z.string(),
    loanCode: z.string(),
    currencyCode: z.string(),
    installmentNumber: z.int(),
    dueDate: z.string(),
    amountDue: amountShown,
    principalAmount: amountShown,
    interestAmount: amountShown,
    feesAmount: amountShown,
    penaltyAmount: amountShown,
    status: z.enum(['PENDING', 'OVERDUE']),
    daysOverdue: z.int(),
  })
  .meta({ id: 'PendingRepayment' });

export const pendingRepayments = defineEndpoint({
  id: 'pending-repayments',
  group: 'lending',
  title: 'Pending repayments',
  description: 'Instalments of all running loans that are not paid, by due date; amounts are what is left of them.',
  method: 'GET',
  path: `${USER}/pending-repayments/{userId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ userId: personId }),
  query: z.object({ page, size: smallSize }),
  unknownMembers: 'refuse',
  requestExamples: { first: { params: { userId: PEOPLE.customerId }, query: { page: '1', size: '10' } } },
  success: {
    status: 200,
    description: 'Instalments',
    data: z.array(pendingShape),
    example: [
      {
        ...{ loanApplicationId: LOANS.loanId, loanCode: LOANS.loanCode, currencyCode: 'NGN', installmentNumber: 1 },
        ...{ dueDate: LOANS.firstDueDate, amountDue: 4454.14, principalAmount: 3933.31, interestAmount: 520.83 },
        ...{ feesAmount: 0, penaltyAmount: 0, status: 'PENDING', daysOverdue: 0 },
      },
    ],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerId, today } = await customerOf(call, call.params.userId);
    const running = await runningLoans(call, customerId, today);
    const open = running.flatMap((standing) => pendingOf(standing, today));
    const due = open.toSorted((a, b) => (a.dueDate < b.dueDate ? -1 : a.dueDate > b.dueDate ? 1 : 0));
    const counters = pageInfo(call.query, due.length);
    return { kind: 'answer', message: 'Pending repayments', data: cut(due, call.query), page: counters };
  },
});

function pendingOf({ loan, position }: LoanStanding, today: string) {
  const { loanId: loanApplicationId, code: loanCode, currency } = loan;
  return (position?.instalments ?? []).flatMap((instalment) => {
    const { due, paid, waived } = instalment;
    const left = (bucket: keyof typeof due) => amountOut(due[bucket] - paid[bucket] - waived[bucket], currency);
    const shown = instalmentOut(instalment, currency, today);
    if (shown.paymentStatus === 'PAID') return [];
    return {
      ...{ loanApplicationId, loanCode, currencyCode: currency, installmentNumber: instalment.number },
      dueDate: instalment.dueDate,
      amountDue: shown.outstandingAmount,
      principalAmount: left('principal'),
      interestAmount: left('interest'),
      feesAmount: left('fees'),
      penaltyAmount: left('penalty'),
      status: shown.paymentStatus,
      daysOverdue: shown.daysOverdue,
    };
  });
}
