import { z } from 'zod';
import { standingOf } from '../../application/loan/position-of.js';
import { present } from '../../application/people/person-checks.js';
import type { LoanView, RepaymentView } from '../../application/ports/lending-read-models.js';
import { payableOf } from '../../domain/loan/payoff.js';
import { sumBuckets } from '../../domain/loan/booked.js';
import { amountOut } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { customerCode, personId } from '../ciam/person-schemas.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { EXAMPLE } from '../ledger/examples.js';
import { RequestFailed, invalid } from '../problem.js';
import { amountShown, dateIn, page, pagedOf, uuid } from '../schemas.js';
import { visibleCustomer } from '../scope.js';
import { customerNameOf } from './application-shape.js';
import { LOANS } from './examples.js';
import { todayOf } from './loan-in-sight.js';
import { CUSTOMER_PARAMS, VIEWERS, customerOf, customerParams } from './loan-views.js';
import { smallSize } from './pieces.js';
import { REPAYMENT_EXAMPLE, REPAYMENT_STATUSES, repaymentOut, repaymentShape } from './repayment-shape.js';

const USER = '/api/v1/services/user';

/** The loans of these repayments, each asked for once. */
async function loansOf(call: Call, repayments: readonly RepaymentView[]): Promise<Map<string, LoanView>> {
  const ids = [...new Set(repayments.map(({ loanId }) => loanId))];
  const { services, caller } = call;
  const found = await Promise.all(ids.map((id) => services.readModels.loan(caller.tenantId, id)));
  return new Map(found.flatMap((loan) => (loan === undefined ? [] : [[loan.loanId, loan]])));
}

export const listRepayments = defineEndpoint({
  id: 'list-repayments',
  group: 'lending',
  title: 'List repayments (staff)',
  description: 'Newest first. `status=PENDING_VERIFICATION` is the queue of what is to be verified.',
  method: 'GET',
  path: '/api/v6/services/admin/repayments/list',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({
    loanApplicationId: uuid.optional(),
    customerId: customerCode.optional().meta({ description: 'Id or code' }),
    status: z.enum([...REPAYMENT_STATUSES, 'ALL']).optional(),
    page,
    size: smallSize,
    startDate: dateIn.optional().meta({ description: 'Day of payment, inclusive' }),
    endDate: dateIn.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    queue: { query: { status: 'PENDING_VERIFICATION', page: '1', size: '10' } },
    all: { query: { status: 'ALL', startDate: '2026-01-01' } },
  },
  success: {
    status: 200,
    description: 'Repayments retrieved successfully',
    data: pagedOf('repayments', repaymentShape),
    example: { repayments: [REPAYMENT_EXAMPLE], page: 1, size: 10, totalElements: 1, totalPages: 1 },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { loanApplicationId, customerId: named, status, startDate, endDate, ...slice } = call.query;
    if (startDate !== undefined && endDate !== undefined && startDate > endDate) {
      throw new RequestFailed(invalid('startDate', 'INVALID_RANGE', 'startDate is after endDate'));
    }
    const customerId = named === undefined ? undefined : (await visibleCustomer(call, named)).customerId;
    const filter = {
      ...present({ loanId: loanApplicationId, customerId, from: startDate, to: endDate }),
      ...(status === undefined || status === 'ALL' ? {} : { status }),
    };
    const found = await call.services.readModels.repayments(call.caller.tenantId, filter, slice);
    const loans = await loansOf(call, found.items);
    const repayments = found.items.map((one) => repaymentOut(one, loans.get(one.loanId) ?? { applicant: null }));
    const data = { repayments, ...pageInfo(slice, found.totalElements) };
    return { kind: 'answer', message: 'Repayments retrieved successfully', data };
  },
});

const repaidShape = z
  .object({
    repaymentId: z.string(),
    loanApplicationId: z.string(),
    repaymentAmount: amountShown,
    currencyCode: z.string(),
    paymentDate: z.string(),
    paymentMethod: z.string(),
    status: z.enum(['VERIFIED', 'REVERSED']),
  })
  .meta({ id: 'RepaidTransaction' });

export const repaidTransactions = defineEndpoint({
  id: 'repaid-transactions',
  group: 'lending',
  title: 'Repaid transactions',
  description:
    'What arrived, newest first: verified repayments of all loans of the customer. One that was taken back later is REVERSED.',
  method: 'GET',
  path: `${USER}/repaid-transactions/{userId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ userId: personId }),
  query: z.object({ page, size: smallSize }),
  unknownMembers: 'refuse',
  requestExamples: { own: { params: { userId: PEOPLE.customerId } } },
  success: {
    status: 200,
    description: 'Repayments that count',
    data: z.array(repaidShape),
    example: [
      {
        ...{ repaymentId: LOANS.repaymentId, loanApplicationId: LOANS.loanId, repaymentAmount: 4454.14 },
        ...{ currencyCode: 'NGN', paymentDate: EXAMPLE.date, paymentMethod: 'BANK_TRANSFER', status: 'VERIFIED' },
      },
    ],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerId } = await customerOf(call, call.params.userId);
    const filter = { customerId, status: 'VERIFIED' } as const;
    const found = await call.services.readModels.repayments(call.caller.tenantId, filter, call.query);
    const data = found.items.map((one) => ({
      repaymentId: one.repaymentId,
      loanApplicationId: one.loanId,
      repaymentAmount: amountOut(one.receivedAmount ?? one.amount, one.currency),
      currencyCode: one.currency,
      paymentDate: one.valueDate ?? one.paymentDate,
      paymentMethod: one.method,
      status: one.undone ? 'REVERSED' : 'VERIFIED',
    }));
    return {
      kind: 'answer',
      message: 'Repaid transactions',
      data,
      page: pageInfo(call.query, found.totalElements),
    };
  },
});

const customerRepaymentShape = z
  .object({
    id: z.string(),
    loanRepaymentMethodEnum: z.string(),
    accountProductName: z.string(),
    customerName: z.string().nullable(),
    email: z.string().nullable(),
    repaymentAmount: amountShown,
    currencyCode: z.string(),
    verificationStatus: z.enum(REPAYMENT_STATUSES),
    loanProductName: z.string(),
    principalBalance: amountShown,
    totalBalance: amountShown,
    loanAmountPaid: z.boolean().meta({ description: 'Whether the loan is fully repaid' }),
    creationDate: z.string(),
    paymentDueDate: z.string().nullable().meta({ description: 'When the loan’s next instalment is due' }),
    installmentCount: z.int(),
    accountId: z.string().nullable().meta({ description: 'Ledger account of the loan’s principal' }),
    loanApplicationId: z.string(),
    totalPayable: amountShown.meta({ description: 'What the loan’s schedule still asks for' }),
  })
  .meta({ id: 'CustomerRepayment' });

export const listCustomerRepayments = defineEndpoint({
  id: 'list-customer-repayments',
  group: 'lending',
  title: 'List customer repayments',
  description: 'Whatever their status, newest first, with where their loans stand today.',
  method: 'GET',
  path: `${USER}/list-customer-repayments/{customerId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: customerParams,
  query: z.object({ page, size: smallSize }),
  unknownMembers: 'refuse',
  requestExamples: { own: { params: CUSTOMER_PARAMS } },
  success: {
    status: 200,
    description: 'Repayments',
    data: z.array(customerRepaymentShape),
    example: [
      {
        ...{
          id: LOANS.repaymentId,
          loanRepaymentMethodEnum: 'BANK_TRANSFER',
          accountProductName: 'Receivable of a loan',
        },
        ...{ customerName: 'Ada Obi', email: PEOPLE.email, repaymentAmount: 4454.14, currencyCode: 'NGN' },
        ...{ verificationStatus: 'VERIFIED', loanProductName: 'Salary advance', principalBalance: 46_066.69 },
        ...{ totalBalance: 46_066.69, loanAmountPaid: false, creationDate: EXAMPLE.at },
        ...{ paymentDueDate: LOANS.firstDueDate, installmentCount: 12, accountId: EXAMPLE.accountId },
        ...{ loanApplicationId: LOANS.loanId, totalPayable: 48_995.57 },
      },
    ],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerId } = await customerOf(call, call.params.customerId);
    const found = await call.services.readModels.repayments(call.caller.tenantId, { customerId }, call.query);
    const loans = await loansOf(call, found.items);
    const today = todayOf(call);
    const data = found.items.flatMap((one) => {
      const loan = loans.get(one.loanId);
      return loan === undefined ? [] : [customerRepaymentOut(one, loan, today)];
    });
    return {
      kind: 'answer',
      message: 'Repayments',
      data,
      page: pageInfo(call.query, found.totalElements),
    };
  },
});

function customerRepaymentOut(repayment: RepaymentView, loan: LoanView, today: string) {
  const { position } = standingOf(loan, today);
  const out = (minor: bigint) => amountOut(minor, loan.currency);
  return {
    id: repayment.repaymentId,
    loanRepaymentMethodEnum: repayment.method,
    accountProductName: 'Receivable of a loan',
    customerName: customerNameOf(loan),
    email: loan.applicant?.email ?? null,
    repaymentAmount: out(repayment.receivedAmount ?? repayment.amount),
    currencyCode: loan.currency,
    verificationStatus: repayment.status,
    loanProductName: loan.productName,
    principalBalance: out(position?.outstanding.principal ?? 0n),
    totalBalance: out(position === null ? 0n : sumBuckets(position.outstanding)),
    loanAmountPaid: loan.status === 'PAID_OFF',
    creationDate: repayment.reportedAt,
    paymentDueDate: position?.nextDueDate ?? null,
    installmentCount: position?.instalments.filter(({ number }) => number > 0).length ?? 0,
    accountId: loan.accounts?.principal ?? null,
    loanApplicationId: loan.loanId,
    totalPayable: out(position === null ? 0n : payableOf(position)),
  };
}
