/**
 * Annual percentage rate of charge after Directives 2008/48/EC and 2014/17/EU, Annex I: the X with
 * Σ C·(1+X)^-t = Σ D·(1+X)^-s, times in years. An effective rate. Also the UK's (FCA CONC App 1.2, MCOB 10.3), which is
 * the same equation; its figures for short loans hang on how many days a year has, so that is said by the caller.
 */
import { Decimal } from 'decimal.js';
import { ExactDecimal, roundToMinor } from '../shared/money.js';
import type { AnnualRate, DatedAmount } from './apr.js';
import { addPeriods, compareDates, daysBetween, partsOf } from './calendar.js';
import type { YearRatio } from './day-count.js';
import { rateOfReturn } from './rate-of-return.js';
import type { TimedAmount } from './rate-of-return.js';
import type { FrequencyUnit } from './terms.js';

/** The periods of which whole ones are counted; a year has 12 equal months or 52 weeks (Annex I, remark (c)). */
export type EuPeriod = 'WEEKS' | 'MONTHS' | 'YEARS';

const ROUND_HALF_UP = Decimal.ROUND_HALF_UP;
const PERIODS_A_YEAR: { readonly [P in EuPeriod]: number } = { WEEKS: 52, MONTHS: 12, YEARS: 1 };

/** The rate of amounts whose times are given in years. */
export function annualRateOfCharge(amounts: readonly TimedAmount[]): AnnualRate {
  const found = rateOfReturn(amounts);
  return found.defined ? { defined: true, percent: new ExactDecimal(found.rate).mul(100) } : found;
}

/** The rate of amounts on dates, times counted backwards to the first of them. */
export function annualRateOfChargeOf(amounts: readonly DatedAmount[], period: EuPeriod): AnnualRate {
  const [start] = amounts.map(({ date }) => date).sort(compareDates);
  if (start === undefined) return { defined: false, reason: 'no-rate' };
  return annualRateOfCharge(amounts.map(({ date, amount }) => ({ amount, time: euInterval(start, date, period) })));
}

/**
 * Years between the first drawdown and a later date: whole periods counted backwards from the later date, then the days
 * that remain over the days (365 or 366) of the year that ends with them (Annex I, remark (c); guidelines SWD(2012) 128,
 * 4.1.1).
 */
export function euInterval(drawdown: string, date: string, period: EuPeriod): YearRatio {
  let whole = mostPeriods(drawdown, date, period);
  while (whole > 0 && addPeriods(date, -whole, period) < drawdown) whole -= 1;
  const end = addPeriods(date, -whole, period);
  const days = daysBetween(drawdown, end);
  const perYear = PERIODS_A_YEAR[period];
  if (days === 0) return { numerator: whole, denominator: perYear };
  const daysOfYear = daysBetween(addPeriods(end, -1, 'YEARS'), end);
  return { numerator: whole * daysOfYear + days * perYear, denominator: perYear * daysOfYear };
}

/** Whole periods, or one more. */
function mostPeriods(from: string, to: string, period: EuPeriod): number {
  if (period === 'WEEKS') return Math.floor(daysBetween(from, to) / 7);
  const [a, b] = [partsOf(from), partsOf(to)];
  return period === 'YEARS' ? b.year - a.year : (b.year - a.year) * 12 + b.month - a.month;
}

/** Years of a number of days, for figures by a year of so many days (UK calculators: 365.25). */
export function yearsOfDays(days: number, daysAYear: 365 | 365.25 | 366): YearRatio {
  return { numerator: days * 100, denominator: daysAYear * 100 };
}

/** Which whole periods to count in a loan that is repaid in these. */
export function euPeriodOf(unit: FrequencyUnit): EuPeriod {
  return unit === 'DAYS' ? 'YEARS' : unit;
}

/** A rate as it is published: to so many decimals, up where the next digit is 5 or more (Annex I, remark (d)). */
export function publishedRate(percent: Decimal.Value, decimals: number): string {
  const units = roundToMinor(new ExactDecimal(percent).mul(new ExactDecimal(10).pow(decimals)), ROUND_HALF_UP);
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  const split = digits.length - decimals;
  return `${units < 0n ? '-' : ''}${digits.slice(0, split)}${decimals > 0 ? `.${digits.slice(split)}` : ''}`;
}
