import { z } from 'zod';
import { costOf } from '../../application/loan/position-of.js';
import { sumBuckets } from '../../domain/loan/booked.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import { type DisclosureError, type NamedAmount, discloseLoan } from '../../domain/loan/disclosure.js';
import type { LoanFee } from '../../domain/loan/terms.js';
import { feeFromJson } from '../../domain/loan/terms-json.js';
import { termsOfProduct, upfrontFees } from '../../domain/loan/terms-of-product.js';
import { Findings, amountIn, amountOut } from '../amounts.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { decimalOut } from '../json.js';
import { type Failure, invalid } from '../problem.js';
import { amount, amountShown, currencyCode } from '../schemas.js';
import { LOANS } from './examples.js';
import { todayOf } from './loan-in-sight.js';
import { RATES_EXAMPLE, ratesOut, ratesShape } from './offer-shape.js';
import { percentIn, percentShown, wholeNumber } from './pieces.js';
import { READERS, productId, visibleProduct } from './products.js';
import { instalmentsIn } from './tenure.js';

const MAX_TENURE = 600;
const body = z.strictObject({
  loanAmount: amount,
  interestRate: percentIn.meta({ description: 'Percent a year: 12.5 is 12.5 %' }),
  tenure: wholeNumber(1, MAX_TENURE).meta({ description: 'Months; with loanProductId in the product’s unit' }),
  processingFee: amount.optional(),
  otherFees: z
    .array(z.union([amount, z.strictObject({ name: z.string().trim().min(1).max(128), amount })]))
    .max(20)
    .optional(),
  loanProductId: productId.optional().meta({ description: 'Adds the fees of this product, and its kind of schedule' }),
  currencyCode: currencyCode
    .optional()
    .meta({ description: 'Default: the product’s, else the tenant’s base currency' }),
});
type Body = z.output<typeof body>;

const named = z.object({ name: z.string(), amount: amountShown });
const aprShape = z
  .object({
    apr: percentShown.nullable().meta({ description: 'Nominal, US Appendix J; null where the payments have no rate' }),
    totalInterest: amountShown,
    totalFees: amountShown,
    totalAmountPayable: amountShown.meta({ description: 'Principal, interest and fees' }),
    monthlyPayment: amountShown,
    breakdown: z.object({
      currencyCode: z.string(),
      principal: amountShown,
      amountFinanced: amountShown.meta({ description: 'Principal less the fees that are taken from it' }),
      fees: z.array(named),
      payments: z.array(z.object({ count: z.int(), amount: amountShown })),
      rates: ratesShape,
    }),
  })
  .meta({ id: 'AprCalculation' });

interface Costs {
  readonly apr: string | null;
  readonly totalInterest: bigint;
  readonly totalFees: bigint;
  readonly totalAmountPayable: bigint;
  readonly instalment: bigint;
  readonly principal: bigint;
  readonly amountFinanced: bigint;
  readonly fees: readonly NamedAmount[];
  readonly payments: ReadonlyArray<{ readonly count: number; readonly amount: bigint }>;
  readonly rates: ReturnType<typeof ratesOut>;
}

export const calculateApr = defineEndpoint({
  id: 'calculate-apr',
  group: 'lending',
  title: 'Calculate APR',
  description:
    'Of equal instalments, or of a product’s kind of schedule. `apr` is the nominal rate of US Regulation Z, Appendix J; ' +
    '`breakdown.rates` has it and the effective rate of the EU directives, each with the name of its convention.',
  method: 'POST',
  path: '/api/v1/services/user/calculate-apr',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  body,
  unknownMembers: 'refuse',
  requestExamples: {
    documented: { body: { loanAmount: 50_000, interestRate: 12.5, tenure: 12, processingFee: 500 } },
    fees: {
      body: {
        ...{ loanAmount: 50_000, interestRate: '12.5', tenure: 12, currencyCode: 'NGN' },
        otherFees: [{ name: 'Insurance', amount: 250 }, 250],
      },
    },
    product: { body: { loanAmount: 50_000, interestRate: 12.5, tenure: 12, loanProductId: LOANS.productId } },
  },
  success: {
    status: 200,
    description: 'The rate and what it is made of',
    data: aprShape,
    example: {
      ...{ apr: 14.4154, totalInterest: 3449.71, totalFees: 500, totalAmountPayable: 53_949.71 },
      monthlyPayment: 4454.14,
      breakdown: {
        ...{ currencyCode: 'NGN', principal: 50_000, amountFinanced: 49_500 },
        fees: [{ name: 'Processing', amount: 500 }],
        payments: [
          { count: 11, amount: 4454.14 },
          { count: 1, amount: 4454.17 },
        ],
        rates: RATES_EXAMPLE,
      },
    },
  },
  errors: ['NOT_FOUND', 'CURRENCY_MISMATCH'],
  async handler(call) {
    const { loanProductId } = call.body;
    const product = loanProductId === undefined ? undefined : await visibleProduct(call, loanProductId);
    const currency = call.body.currencyCode ?? product?.settings.currency ?? (await baseCurrency(call));
    if (product !== undefined && currency !== product.settings.currency) {
      return invalid('currencyCode', 'CURRENCY_MISMATCH', `the product lends ${product.settings.currency}`);
    }
    const costs = costsOf(call.body, currency, product?.settings, todayOf(call));
    if ('kind' in costs) return costs;
    return { kind: 'answer', message: 'APR calculated', data: costsOut(costs, currency) };
  },
});

async function baseCurrency({ services, caller }: Call): Promise<string> {
  const tenant = await services.readModels.tenant(caller.tenantId);
  if (tenant === undefined) throw new Error('a caller has his tenant');
  return tenant.baseCurrency;
}

function costsOf(
  wire: Body,
  currency: string,
  settings: LoanProductSettings | undefined,
  today: string,
): Costs | Failure {
  const findings = new Findings();
  const principal = amountIn(wire.loanAmount, currency, 'loanAmount', findings);
  const fees = feesOf(wire, currency, findings);
  const frequency = settings?.frequency ?? ({ every: 1, unit: 'MONTHS' } as const);
  const instalments = instalmentsIn(wire.tenure, frequency, 'tenure', findings);
  findings.throwIfAny();
  const loan = { amount: principal, annualRatePercent: wire.interestRate, instalments };
  if (settings !== undefined) return costsOfProduct(settings, loan, fees, today);
  const disclosed = discloseLoan({ ...loan, frequency, fees });
  if (typeof disclosed === 'string') return undisclosed(disclosed);
  const { breakdown } = disclosed;
  return { ...disclosed, ...breakdown, rates: ratesOut(breakdown) };
}

function feesOf(wire: Body, currency: string, findings: Findings): NamedAmount[] {
  const read = (given: z.output<typeof amount>, field: string) =>
    amountIn(given, currency, field, findings, 'not-negative');
  const processing =
    wire.processingFee === undefined ? [] : [{ name: 'Processing', amount: read(wire.processingFee, 'processingFee') }];
  const others = (wire.otherFees ?? []).map((fee, i) =>
    typeof fee === 'object'
      ? { name: fee.name, amount: read(fee.amount, `otherFees.${i}.amount`) }
      : { name: `Fee ${i + 1}`, amount: read(fee, `otherFees.${i}`) },
  );
  return [...processing, ...others];
}

/** With everything that the product says of a schedule, as if it were paid out today. */
function costsOfProduct(
  settings: LoanProductSettings,
  loan: { readonly amount: bigint; readonly annualRatePercent: string; readonly instalments: number },
  more: readonly NamedAmount[],
  today: string,
): Costs {
  const own = settings.fees.map(feeFromJson);
  const extra = more.map(({ name, amount: fixed }): LoanFee => ({
    name,
    when: 'UPFRONT',
    kind: 'FIXED',
    amount: fixed,
  }));
  const terms = termsOfProduct(settings, { ...loan, fees: [...own, ...extra] });
  const cost = costOf(terms, today);
  const upfront = terms.fees.filter(({ when }) => when === 'UPFRONT');
  const withInstalments = cost.totalFees - cost.upfrontFees;
  return {
    apr: cost.rates.usAppendixJ.percent,
    totalInterest: cost.totalInterest,
    totalFees: cost.totalFees,
    totalAmountPayable: cost.totalPayable,
    instalment: cost.instalment,
    principal: terms.principal,
    amountFinanced: terms.principal - cost.upfrontFees,
    fees: [
      ...upfront.map((fee) => ({ name: fee.name, amount: upfrontFees({ principal: terms.principal, fees: [fee] }) })),
      ...(withInstalments === 0n ? [] : [{ name: 'With the instalments', amount: withInstalments }]),
    ],
    payments: runsOf(cost.position.instalments.map(({ due }) => sumBuckets(due))),
    rates: ratesOut(cost.rates),
  };
}

/** Equal payments in a row, counted. */
function runsOf(payments: readonly bigint[]): Array<{ count: number; amount: bigint }> {
  const runs: Array<{ count: number; amount: bigint }> = [];
  for (const payment of payments) {
    const last = runs.at(-1);
    if (last?.amount === payment) last.count += 1;
    else runs.push({ count: 1, amount: payment });
  }
  return runs;
}

function costsOut(costs: Costs, currency: string) {
  const out = (minor: bigint) => amountOut(minor, currency);
  return {
    apr: costs.apr === null ? null : decimalOut(costs.apr),
    totalInterest: out(costs.totalInterest),
    totalFees: out(costs.totalFees),
    totalAmountPayable: out(costs.totalAmountPayable),
    monthlyPayment: out(costs.instalment),
    breakdown: {
      currencyCode: currency,
      principal: out(costs.principal),
      amountFinanced: out(costs.amountFinanced),
      fees: costs.fees.map((fee) => ({ name: fee.name, amount: out(fee.amount) })),
      payments: costs.payments.map((run) => ({ count: run.count, amount: out(run.amount) })),
      rates: costs.rates,
    },
  };
}

const FIELDS: Readonly<Record<DisclosureError, string>> = {
  'amount-not-positive': 'loanAmount',
  'rate-out-of-range': 'interestRate',
  'instalments-out-of-range': 'tenure',
  'fee-negative': 'otherFees',
};
function undisclosed(error: DisclosureError): Failure {
  return invalid(FIELDS[error], 'OUT_OF_RANGE', error.replaceAll('-', ' '));
}
