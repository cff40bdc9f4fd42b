import type { Decimal } from 'decimal.js';
import { ExactDecimal } from '../shared/money.js';
import { daysBetween, daysInYear, partsOf } from './calendar.js';
import type { DayCount } from './terms.js';

/** A year fraction as two whole numbers, so that it can be multiplied before it is divided. */
export interface YearRatio {
  readonly numerator: number;
  readonly denominator: number;
}

/**
 * The part of a year from one date to another (the first counts, the last does not; negative backwards), exact:
 * - `30/360`: 30E/360, "Eurobond basis" (ISDA 2006 §4.16(g)): the 31st counts as the 30th at both ends. Of the variants
 *   this one adds up over any split of an interval, which a daily accrual needs.
 * - `ACT/365`: ACT/365 Fixed (§4.16(d)). `ACT/360`: §4.16(e).
 * - `ACT/ACT`: ACT/ACT ISDA (§4.16(b)): days in leap years over 366 plus the others over 365.
 */
export function yearRatio(from: string, to: string, dayCount: DayCount): YearRatio {
  switch (dayCount) {
    case '30/360':
      return { numerator: days360(to) - days360(from), denominator: 360 };
    case 'ACT/365':
      return { numerator: daysBetween(from, to), denominator: 365 };
    case 'ACT/360':
      return { numerator: daysBetween(from, to), denominator: 360 };
    case 'ACT/ACT':
      return actualActual(from, to);
  }
}

/** `yearRatio` as a decimal of 60 digits, rounded half-even. */
export function yearFraction(from: string, to: string, dayCount: DayCount): Decimal {
  const { numerator, denominator } = yearRatio(from, to, dayCount);
  return new ExactDecimal(numerator).div(denominator);
}

function days360(date: string): number {
  const { year, month, day } = partsOf(date);
  return year * 360 + month * 30 + Math.min(day, 30);
}

function actualActual(from: string, to: string): YearRatio {
  if (from > to) {
    const { numerator, denominator } = actualActual(to, from);
    return { numerator: -numerator, denominator };
  }
  const first = partsOf(from).year;
  const last = partsOf(to).year;
  const inFirst = daysInYear(first);
  if (first === last) return { numerator: daysBetween(from, to), denominator: inFirst };
  const inLast = daysInYear(last);
  const head = daysBetween(from, `${String(first + 1).padStart(4, '0')}-01-01`);
  const tail = daysBetween(`${String(last).padStart(4, '0')}-01-01`, to);
  const wholeYears = last - first - 1;
  if (inFirst === inLast) return { numerator: head + tail + wholeYears * inFirst, denominator: inFirst };
  return { numerator: head * inLast + tail * inFirst + wholeYears * 365 * 366, denominator: 365 * 366 };
}
