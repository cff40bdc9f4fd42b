/**
 * What a loan costs, told before it is made (and for a running one, from its schedule): totals and the annual percentage
 * rate by both conventions, each named. Amounts are minor units, rates decimal text in percent.
 */
import type { Decimal } from 'decimal.js';
import { ExactDecimal, ROUND_HALF_EVEN, roundToMinor } from '../shared/money.js';
import { actuarialApr, actuarialAprOf } from './apr.js';
import type { AnnualRate } from './apr.js';
import type { YearRatio } from './day-count.js';
import { annualRateOfCharge, annualRateOfChargeOf, euPeriodOf, publishedRate } from './eu-aprc.js';
import type { TimedAmount } from './rate-of-return.js';
import type { Frequency, FrequencyUnit } from './terms.js';
import { pmt } from './time-value.js';
import type { UnitPeriod } from './unit-period.js';

/** Most instalments that are disclosed without a schedule: a hundred years of months. */
export const MAX_DISCLOSED_INSTALMENTS = 1_200;
export const US_CONVENTION = 'US Regulation Z, 12 CFR 1026 Appendix J, actuarial method (nominal)';
export const EU_CONVENTION = 'EU Directives 2008/48/EC and 2014/17/EU, Annex I (effective)';

/** A rate by one convention; null where the payments have none or several, with the reason. */
export interface DisclosedRate {
  readonly convention: string;
  /** As the convention publishes it: US 2 decimals, EU 1. */
  readonly published: string | null;
  /** To 4 decimals. */
  readonly percent: string | null;
  readonly undefinedBecause: 'no-rate' | 'several-rates' | 'too-many-amounts' | null;
}
export interface BothRates {
  readonly usAppendixJ: DisclosedRate & { readonly unitPeriod: string | null };
  readonly euAprc: DisclosedRate;
}

export interface NamedAmount {
  readonly name: string;
  readonly amount: bigint;
}
/** Equal instalments on the reducing balance; the fees are taken from the amount when it is paid out. */
export interface LoanToDisclose {
  readonly amount: bigint;
  readonly annualRatePercent: string;
  readonly instalments: number;
  readonly frequency: Frequency;
  readonly fees: readonly NamedAmount[];
}
export interface LoanDisclosure {
  readonly instalment: bigint;
  readonly totalInterest: bigint;
  readonly totalFees: bigint;
  /** Principal, interest and fees. */
  readonly totalAmountPayable: bigint;
  /** Nominal, to 4 decimals: periods a year times the internal rate of return; null where there is none. */
  readonly apr: string | null;
  /** The same, compounded. */
  readonly effectiveApr: string | null;
  readonly breakdown: BothRates & {
    readonly principal: bigint;
    readonly amountFinanced: bigint;
    readonly fees: readonly NamedAmount[];
    /** Equal payments in a row, in order. */
    readonly payments: readonly { readonly count: number; readonly amount: bigint }[];
  };
}
export type DisclosureError = 'amount-not-positive' | 'rate-out-of-range' | 'instalments-out-of-range' | 'fee-negative';

/** Percent a year; above any usury, below what leaves the decimals. */
const MAX_RATE_PERCENT = 100_000;

/** Of a loan that is only an amount, a rate and a number of instalments. */
export function discloseLoan(loan: LoanToDisclose): LoanDisclosure | DisclosureError {
  const { amount, instalments, frequency, fees } = loan;
  const annual = new ExactDecimal(loan.annualRatePercent);
  if (amount <= 0n) return 'amount-not-positive';
  if (!annual.isFinite() || annual.isNeg() || annual.gt(MAX_RATE_PERCENT)) return 'rate-out-of-range';
  if (!Number.isSafeInteger(instalments) || instalments < 1 || instalments > MAX_DISCLOSED_INSTALMENTS) {
    return 'instalments-out-of-range';
  }
  if (fees.some((fee) => fee.amount < 0n)) return 'fee-negative';
  const perYear = periodsPerYear(frequency);
  const ratePerPeriod = annual.div(100).mul(perYear.denominator).div(perYear.numerator);
  const payments = equalInstalments(amount, ratePerPeriod, instalments);
  const totalFees = fees.reduce((sum, fee) => sum + fee.amount, 0n);
  const paid = payments.reduce((sum, payment) => sum + payment, 0n);
  const amountFinanced = amount - totalFees;
  const rates = ratesOfRegular(amountFinanced, payments, frequency);
  return {
    instalment: payments[0] ?? 0n,
    totalInterest: paid - amount,
    totalFees,
    totalAmountPayable: paid + totalFees,
    apr: rates.usAppendixJ.percent,
    effectiveApr: rates.euAprc.percent,
    breakdown: { principal: amount, amountFinanced, fees, payments: runsOf(payments), ...rates },
  };
}

/**
 * Both rates of money on dates: paid out to the borrower positive, paid by him negative (fees taken at the start among
 * it). `unit`: in what the loan is repaid, for the periods that the EU's intervals count.
 */
export function aprOf(amounts: readonly { date: string; amount: bigint }[], unit: FrequencyUnit): BothRates {
  const flows = amounts.map(({ date, amount }) => ({ date, amount: amount.toString() }));
  const actuarial = actuarialAprOf(flows);
  return bothRates(
    actuarial,
    annualRateOfChargeOf(flows, euPeriodOf(unit)),
    actuarial.defined ? actuarial.unitPeriod : null,
  );
}

/** Regularly spaced payments need no dates: the n-th is n unit-periods away. */
function ratesOfRegular(advance: bigint, payments: readonly bigint[], frequency: Frequency): BothRates {
  if (advance <= 0n) {
    const none = { defined: false, reason: 'no-rate' } as const;
    return bothRates(none, none, null);
  }
  const perYear = periodsPerYear(frequency);
  const at = (numerator: number, denominator: number): TimedAmount[] => [
    { amount: advance.toString(), time: { numerator: 0, denominator: 1 } },
    ...payments.map((payment, index) => ({
      amount: (-payment).toString(),
      time: { numerator: (index + 1) * numerator, denominator },
    })),
  ];
  const actuarial = actuarialApr(at(1, 1), perYear);
  const charge = annualRateOfCharge(at(perYear.denominator, perYear.numerator));
  return bothRates(actuarial, charge, { count: frequency.every, unit: UNIT_PERIODS[frequency.unit] });
}

const UNIT_PERIODS: { readonly [U in FrequencyUnit]: UnitPeriod['unit'] } = {
  DAYS: 'DAY',
  WEEKS: 'WEEK',
  MONTHS: 'MONTH',
  YEARS: 'YEAR',
};
const PER_YEAR: { readonly [U in FrequencyUnit]: number } = { DAYS: 365, WEEKS: 52, MONTHS: 12, YEARS: 1 };

function periodsPerYear({ every, unit }: Frequency): YearRatio {
  return { numerator: PER_YEAR[unit], denominator: every };
}

function bothRates(actuarial: AnnualRate, charge: AnnualRate, unitPeriod: UnitPeriod | null): BothRates {
  return {
    usAppendixJ: {
      ...disclosed(actuarial, US_CONVENTION, 2),
      unitPeriod: unitPeriod === null ? null : nameOf(unitPeriod),
    },
    euAprc: disclosed(charge, EU_CONVENTION, 1),
  };
}

function disclosed(rate: AnnualRate, convention: string, decimals: number): DisclosedRate {
  if (!rate.defined) return { convention, published: null, percent: null, undefinedBecause: rate.reason };
  const { percent } = rate;
  return {
    convention,
    published: publishedRate(percent, decimals),
    percent: publishedRate(percent, 4),
    undefinedBecause: null,
  };
}

/** `1 month`, `2 weeks`, `255 days`. */
function nameOf({ count, unit }: UnitPeriod): string {
  const name = unit.replace('TERM_', '').replace(/S$/, '').toLowerCase();
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/**
 * Decision 9.5: the level payment, interest on what is left, each rounded half-even to minor units; the last instalment
 * takes the rest, so that the principal adds up.
 */
function equalInstalments(amount: bigint, rate: Decimal, count: number): bigint[] {
  const level = roundToMinor(pmt(rate, count, (-amount).toString()), ROUND_HALF_EVEN);
  let balance = amount;
  return Array.from({ length: count }, (_, index) => {
    const interest = roundToMinor(rate.mul(balance.toString()), ROUND_HALF_EVEN);
    const isLast = index === count - 1;
    const payment = isLast || level > balance + interest ? balance + interest : level;
    balance -= payment - interest;
    return payment;
  });
}

function runsOf(payments: readonly bigint[]): { count: number; amount: bigint }[] {
  const runs: { count: number; amount: bigint }[] = [];
  for (const amount of payments) {
    const last = runs.at(-1);
    if (last?.amount === amount) last.count += 1;
    else runs.push({ count: 1, amount });
  }
  return runs;
}
