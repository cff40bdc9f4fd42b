import { z } from 'zod';
import { ARREARS_BUCKETS } from '../../application/ports/lending-read-models.js';
import { sumBuckets } from '../../domain/loan/booked.js';
import { amountOut } from '../amounts.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { RequestFailed, invalid } from '../problem.js';
import { amountShown, dateIn } from '../schemas.js';
import { todayOf } from './loan-in-sight.js';

/** The lender's view of all his loans, by currency: amounts of two currencies are never added. */
const PATH = '/api/v6/services/admin/loan-portfolio';
const roles = ['MANAGER', 'AUDITOR', 'ANALYST'] as const;
const common = {
  group: 'lending',
  method: 'GET',
  aliases: [],
  roles,
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  errors: [],
} as const;
const asOf = dateIn.optional().meta({ description: 'Day that overdue is counted on; default today' });

const arrearsShape = z
  .object({
    currencyCode: z.string(),
    bucket: z.enum(ARREARS_BUCKETS).meta({ description: 'Days overdue of the oldest unpaid instalment' }),
    loans: z.int(),
    outstandingAmount: amountShown,
    principalBalance: amountShown,
    interestBalance: amountShown,
    feesBalance: amountShown,
    penaltyBalance: amountShown,
    overdueAmount: amountShown,
  })
  .meta({ id: 'ArrearsBucket' });

export const portfolioArrears = defineEndpoint({
  ...common,
  id: 'loan-portfolio-arrears',
  title: 'Portfolio: arrears',
  description: 'Running loans by currency and by how long their oldest unpaid instalment is overdue.',
  path: `${PATH}/arrears`,
  query: z.object({ asOf }),
  requestExamples: { today: {} },
  success: {
    status: 200,
    description: 'Buckets',
    data: z.object({ asOf: z.string(), arrears: z.array(arrearsShape) }),
    example: {
      asOf: EXAMPLE.date,
      arrears: [
        {
          ...{ currencyCode: 'NGN', bucket: '1-30', loans: 1, outstandingAmount: 50_520.83 },
          ...{ principalBalance: 50_000, interestBalance: 520.83, feesBalance: 0, penaltyBalance: 0 },
          overdueAmount: 4454.14,
        },
      ],
    },
  },
  async handler(call) {
    const on = call.query.asOf ?? todayOf(call);
    const found = await call.services.readModels.arrears(call.caller.tenantId, on);
    const arrears = found.map(({ currency, bucket, loans, outstanding, overdue }) => ({
      currencyCode: currency,
      bucket,
      loans,
      outstandingAmount: amountOut(sumBuckets(outstanding), currency),
      principalBalance: amountOut(outstanding.principal, currency),
      interestBalance: amountOut(outstanding.interest, currency),
      feesBalance: amountOut(outstanding.fees, currency),
      penaltyBalance: amountOut(outstanding.penalty, currency),
      overdueAmount: amountOut(overdue, currency),
    }));
    return { kind: 'answer', message: 'Arrears', data: { asOf: on, arrears } };
  },
});

const vintageShape = z
  .object({
    currencyCode: z.string(),
    month: z.string().meta({ description: 'Of disbursement, YYYY-MM' }),
    loans: z.int(),
    disbursedAmount: amountShown,
    paidOffLoans: z.int(),
    writtenOffLoans: z.int(),
    principalPaid: amountShown,
    principalWrittenOff: amountShown,
    recoveredAmount: amountShown,
    principalBalance: amountShown,
    atRisk30: amountShown.meta({ description: 'Principal of loans more than 30 days overdue' }),
    atRisk90: amountShown,
  })
  .meta({ id: 'Vintage' });

export const portfolioVintages = defineEndpoint({
  ...common,
  id: 'loan-portfolio-vintages',
  title: 'Portfolio: vintages',
  description: 'Loans by the month of their disbursement, and what became of them.',
  path: `${PATH}/vintages`,
  query: z.object({ asOf }),
  requestExamples: { today: {} },
  success: {
    status: 200,
    description: 'Months, oldest first',
    data: z.object({ asOf: z.string(), vintages: z.array(vintageShape) }),
    example: {
      asOf: EXAMPLE.date,
      vintages: [
        {
          ...{ currencyCode: 'NGN', month: '2026-11', loans: 1, disbursedAmount: 50_000, paidOffLoans: 0 },
          ...{ writtenOffLoans: 0, principalPaid: 0, principalWrittenOff: 0, recoveredAmount: 0 },
          ...{ principalBalance: 50_000, atRisk30: 0, atRisk90: 0 },
        },
      ],
    },
  },
  async handler(call) {
    const on = call.query.asOf ?? todayOf(call);
    const found = await call.services.readModels.vintages(call.caller.tenantId, on);
    const vintages = found.map((one) => ({
      currencyCode: one.currency,
      month: one.month,
      loans: one.loans,
      disbursedAmount: amountOut(one.disbursed, one.currency),
      paidOffLoans: one.paidOffLoans,
      writtenOffLoans: one.writtenOffLoans,
      principalPaid: amountOut(one.principalPaid, one.currency),
      principalWrittenOff: amountOut(one.principalWrittenOff, one.currency),
      recoveredAmount: amountOut(one.recovered, one.currency),
      principalBalance: amountOut(one.principalOutstanding, one.currency),
      atRisk30: amountOut(one.atRisk30, one.currency),
      atRisk90: amountOut(one.atRisk90, one.currency),
    }));
    return { kind: 'answer', message: 'Vintages', data: { asOf: on, vintages } };
  },
});

const cashFlowShape = z
  .object({
    currencyCode: z.string(),
    month: z.string(),
    installments: z.int(),
    expectedAmount: amountShown,
    principalAmount: amountShown,
    interestAmount: amountShown,
    feesAmount: amountShown,
    penaltyAmount: amountShown,
  })
  .meta({ id: 'ExpectedCashFlow' });

const MAX_MONTHS = 120;

export const portfolioCashFlow = defineEndpoint({
  ...common,
  id: 'loan-portfolio-cash-flow',
  title: 'Portfolio: expected cash flow',
  description: `What the schedules expect to come in, by month: what is not paid of instalments due from one day to another, at most ${MAX_MONTHS} months.`,
  path: `${PATH}/expected-cash-flow`,
  query: z.object({
    fromDate: dateIn.optional().meta({ description: 'Default today' }),
    toDate: dateIn.optional().meta({ description: 'Default a year after fromDate' }),
  }),
  requestExamples: { year: { query: { fromDate: '2026-01-01', toDate: '2028-12-31' } } },
  success: {
    status: 200,
    description: 'Months, oldest first',
    data: z.object({ fromDate: z.string(), toDate: z.string(), cashFlow: z.array(cashFlowShape) }),
    example: {
      ...{ fromDate: '2026-01-01', toDate: '2028-12-31' },
      cashFlow: [
        {
          ...{ currencyCode: 'NGN', month: '2026-12', installments: 1, expectedAmount: 4454.14 },
          ...{ principalAmount: 3933.31, interestAmount: 520.83, feesAmount: 0, penaltyAmount: 0 },
        },
      ],
    },
  },
  async handler(call) {
    const { fromDate, toDate } = rangeOf(call);
    const found = await call.services.readModels.expectedCashFlow(call.caller.tenantId, fromDate, toDate);
    const cashFlow = found.map(({ currency, month, instalments, expected }) => ({
      currencyCode: currency,
      month,
      installments: instalments,
      expectedAmount: amountOut(sumBuckets(expected), currency),
      principalAmount: amountOut(expected.principal, currency),
      interestAmount: amountOut(expected.interest, currency),
      feesAmount: amountOut(expected.fees, currency),
      penaltyAmount: amountOut(expected.penalty, currency),
    }));
    return { kind: 'answer', message: 'Expected cash flow', data: { fromDate, toDate, cashFlow } };
  },
});

function rangeOf(
  call: Call<unknown, { readonly fromDate?: string | undefined; readonly toDate?: string | undefined }>,
) {
  const { fromDate = todayOf(call), toDate = yearsAfter(fromDate, 1) } = call.query;
  if (fromDate > toDate || toDate > yearsAfter(fromDate, MAX_MONTHS / 12)) {
    throw new RequestFailed(invalid('toDate', 'INVALID_RANGE', `is not within ${MAX_MONTHS} months from fromDate`));
  }
  return { fromDate, toDate };
}

/** 29 February has its 28th. */
function yearsAfter(day: string, years: number): string {
  const year = String(Number.parseInt(day.slice(0, 4), 10) + years).padStart(4, '0');
  return `${year}${day.slice(4) === '-02-29' ? '-02-28' : day.slice(4)}`;
}
