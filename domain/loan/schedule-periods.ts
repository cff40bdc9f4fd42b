import { addPeriods, daysBetween } from './calendar.js';
import { yearRatio } from './day-count.js';
import { type Ratio, ZERO_RATIO } from './schedule-rounding.js';
import type { Frequency, LoanTerms } from './terms.js';

/** A stretch of time that an instalment is for: from a day, that counts, to the day it is due, that does not. */
export interface Period {
  readonly from: string;
  readonly due: string;
  /** No interest for it. */
  readonly isFree: boolean;
  /** What part of a year the whole of it is, where its parts count by days of it; else by the day count. */
  readonly unit: Ratio | undefined;
}

/**
 * `count` periods that begin on a day. Due dates are counted from the first one, so that ends of months do not drift.
 */
export function periodsFrom(
  terms: LoanTerms,
  start: { readonly from: string; readonly firstDue?: string; readonly frequency: Frequency; readonly free: number },
  count: number,
): Period[] {
  const { from, frequency, free } = start;
  const { every, unit } = frequency;
  const regular = addPeriods(from, every, unit);
  const first = start.firstDue ?? regular;
  const anchor = first === regular ? from : first;
  const skipped = first === regular ? 1 : 0;
  const whole = wholeUnit(terms, frequency);
  const isOdd = first !== regular && terms.dayCount !== '30/360';
  const periods: Period[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = addPeriods(anchor, (index + skipped) * every, unit);
    const previous = periods[index - 1]?.due ?? from;
    const fraction = index === 0 && isOdd ? undefined : whole;
    periods.push({ from: previous, due, isFree: index < free, unit: fraction });
  }
  return periods;
}

/** A period as a part of a year where interest is by period; undefined where it is by day. */
function wholeUnit({ interestBy, dayCount }: LoanTerms, { every, unit }: Frequency): Ratio | undefined {
  if (interestBy === 'DAILY') return undefined;
  const inYear = { DAYS: dayCount.endsWith('360') ? 360n : 365n, WEEKS: 52n, MONTHS: 12n, YEARS: 1n };
  return { numerator: BigInt(every), denominator: inYear[unit] };
}

/** What part of a year the days between two dates of a period are. */
export function partOfYear(terms: LoanTerms, period: Period, from: string, to: string): Ratio {
  if (period.isFree || from >= to) return ZERO_RATIO;
  const { unit } = period;
  if (unit === undefined) {
    const { numerator, denominator } = yearRatio(from, to, terms.dayCount);
    return { numerator: BigInt(numerator), denominator: BigInt(denominator) };
  }
  if (from === period.from && to === period.due) return unit;
  return {
    numerator: unit.numerator * BigInt(daysBetween(from, to)),
    denominator: unit.denominator * BigInt(daysBetween(period.from, period.due)),
  };
}
