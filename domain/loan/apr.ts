/**
 * Annual percentage rate after US Regulation Z, 12 CFR 1026 Appendix J, actuarial method: the rate per unit-period that
 * balances Σ A/((1+e·i)(1+i)^q) of the advances with Σ P/((1+f·i)(1+i)^t) of the payments (general equation (b)(8)), times
 * the unit-periods in a year (b)(1). A nominal rate.
 */
import type { Decimal } from 'decimal.js';
import { ExactDecimal } from '../shared/money.js';
import { compareDates } from './calendar.js';
import { rateOfReturn } from './rate-of-return.js';
import type { RateOfReturn, TimedAmount } from './rate-of-return.js';
import type { YearRatio } from './day-count.js';
import { unitPeriodOf, unitPeriodsBetween, unitPeriodsPerYear } from './unit-period.js';
import type { UnitPeriod } from './unit-period.js';

/** Advances to the borrower are positive, what he pays (fees taken at the start among it) is negative. */
export interface DatedAmount {
  readonly date: string;
  readonly amount: Decimal.Value;
}

export type AnnualRate =
  | { readonly defined: true; /** Not rounded: 12.5 is 12.5 %. */ readonly percent: Decimal }
  | Extract<RateOfReturn, { defined: false }>;

export type DatedActuarialApr =
  | { readonly defined: true; readonly percent: Decimal; readonly unitPeriod: UnitPeriod }
  | Extract<RateOfReturn, { defined: false }>;

/** The rate of amounts whose times are given in unit-periods, as whole ones and an odd part. */
export function actuarialApr(amounts: readonly TimedAmount[], perYear: YearRatio): AnnualRate {
  const found = rateOfReturn(amounts);
  if (!found.defined) return found;
  const annual = new ExactDecimal(found.rate).mul(perYear.numerator).div(perYear.denominator);
  return { defined: true, percent: annual.mul(100) };
}

/** The rate of amounts on dates: finds the unit-period of the transaction and counts from the first advance. */
export function actuarialAprOf(amounts: readonly DatedAmount[]): DatedActuarialApr {
  const advances = datesOf(amounts.filter(({ amount }) => new ExactDecimal(amount).isPos()));
  const [start] = advances;
  if (start === undefined) return { defined: false, reason: 'no-rate' };
  const payments = datesOf(amounts.filter(({ amount }) => new ExactDecimal(amount).isNeg())).filter(
    (date) => date !== start,
  );
  if (payments.length === 0 || payments.some((date) => date < start)) return { defined: false, reason: 'no-rate' };
  const unitPeriod = unitPeriodOf(advances, payments);
  const timed = amounts.map(({ date, amount }): TimedAmount => {
    const { whole, odd } = unitPeriodsBetween(start, date, unitPeriod);
    return { amount, time: { numerator: whole, denominator: 1 }, odd };
  });
  const apr = actuarialApr(timed, unitPeriodsPerYear(unitPeriod));
  return apr.defined ? { ...apr, unitPeriod } : apr;
}

function datesOf(amounts: readonly DatedAmount[]): string[] {
  return [...new Set(amounts.map(({ date }) => date))].sort(compareDates);
}
