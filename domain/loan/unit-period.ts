/**
 * Unit-periods of US Regulation Z, 12 CFR 1026 Appendix J: (b)(2) and (b)(3) which interval of a transaction is its
 * unit-period, (b)(4) and (b)(5) how many of them, and which remaining fraction, lie between two dates.
 */
import { addPeriods, daysBetween, daysInMonth, partsOf } from './calendar.js';
import type { YearRatio } from './day-count.js';

export interface UnitPeriod {
  readonly count: number;
  /** TERM_*: the whole term of a single advance with a single payment, `count` days or months. */
  readonly unit: 'DAY' | 'WEEK' | 'SEMIMONTH' | 'MONTH' | 'YEAR' | 'TERM_DAYS' | 'TERM_MONTHS';
}
export interface UnitPeriods {
  readonly whole: number;
  /** Of a unit-period. */
  readonly odd: YearRatio;
}

/** (b)(2)(iv): all months count 30 days. */
const DAYS_A_MONTH = 30;
const DAYS_IN: { readonly [U in UnitPeriod['unit']]: number } = {
  DAY: 1,
  WEEK: 7,
  SEMIMONTH: 15,
  MONTH: DAYS_A_MONTH,
  YEAR: 12 * DAYS_A_MONTH,
  TERM_DAYS: 1,
  TERM_MONTHS: DAYS_A_MONTH,
};

export function unitPeriodsPerYear({ unit, count }: UnitPeriod): YearRatio {
  switch (unit) {
    case 'DAY':
    case 'TERM_DAYS':
      return { numerator: 365, denominator: count };
    case 'WEEK':
      return { numerator: 52, denominator: count };
    case 'SEMIMONTH':
      return { numerator: 24, denominator: 1 };
    case 'MONTH':
    case 'TERM_MONTHS':
      return { numerator: 12, denominator: count };
    case 'YEAR':
      return { numerator: 1, denominator: 1 };
  }
}

/** Which unit-period a transaction has; dates in order, without repetition, advances before the last payment. */
export function unitPeriodOf(advances: readonly string[], payments: readonly string[]): UnitPeriod {
  const [advance] = advances;
  const [payment] = payments;
  if (advances.length === 1 && payments.length === 1 && advance !== undefined && payment !== undefined) {
    return termOf(advance, payment);
  }
  const intervals = [...intervalsOf(advances), ...intervalsOf(payments)];
  const candidates = intervals.map(([from, to]) => periodsFitting(from, to));
  return mostFrequent(candidates.flat()) ?? averageOf(intervals);
}

/** (b)(5): unit-periods between two dates, whole ones counted backwards from the later date. */
export function unitPeriodsBetween(from: string, to: string, period: UnitPeriod): UnitPeriods {
  const { unit, count } = period;
  if (unit === 'TERM_DAYS' || unit === 'TERM_MONTHS') {
    return { whole: from === to ? 0 : 1, odd: { numerator: 0, denominator: 1 } };
  }
  if (unit === 'YEAR') return yearsBetween(from, to);
  if (unit === 'DAY' || unit === 'WEEK') return divided(daysBetween(from, to), count * DAYS_IN[unit]);
  const { months, days } = monthsBack(from, to);
  if (unit === 'MONTH' && count === 1) {
    return { whole: months, odd: { numerator: days, denominator: DAYS_A_MONTH } };
  }
  return divided(months * DAYS_A_MONTH + days, count * DAYS_IN[unit]);
}

/** (b)(5)(v): whole years, then whole months over 12 or else days over 365. */
function yearsBetween(from: string, to: string): UnitPeriods {
  const { months, days } = monthsBack(from, to);
  const whole = Math.floor(months / 12);
  if (days === 0) return { whole, odd: { numerator: months % 12, denominator: 12 } };
  return {
    whole,
    odd: { numerator: daysBetween(from, addPeriods(to, -whole, 'YEARS')), denominator: 365 },
  };
}

/** (b)(3)(ii), (b)(5)(vi) and (vii): the term, but no more than a year. */
function termOf(advance: string, payment: string): UnitPeriod {
  const { months, days } = monthsBack(advance, payment);
  if (months >= 12) return { unit: 'YEAR', count: 1 };
  if (days === 0) return { unit: 'TERM_MONTHS', count: months };
  return { unit: 'TERM_DAYS', count: daysBetween(advance, payment) };
}

function divided(days: number, perPeriod: number): UnitPeriods {
  return {
    whole: Math.floor(days / perPeriod),
    odd: { numerator: days % perPeriod, denominator: perPeriod },
  };
}

/**
 * Full months counted backwards from the later date, and the days from the earlier date to where they end. From the end of
 * a month to the last day of a shorter one is a full month too: a payment on the 28th of February is that of the 31st.
 */
function monthsBack(from: string, to: string): { months: number; days: number } {
  const [a, b] = [partsOf(from), partsOf(to)];
  let months = Math.max(0, (b.year - a.year) * 12 + b.month - a.month);
  if (addPeriods(from, months, 'MONTHS') === to) return { months, days: 0 };
  while (months > 0 && addPeriods(to, -months, 'MONTHS') < from) months -= 1;
  return { months, days: daysBetween(from, addPeriods(to, -months, 'MONTHS')) };
}

function intervalsOf(dates: readonly string[]): [string, string][] {
  return dates.slice(1).map((to, index) => [dates[index] ?? to, to]);
}

/** Every period that an interval may be an instance of, up to a year: 1 February to 1 March is a month and four weeks. */
function periodsFitting(from: string, to: string): UnitPeriod[] {
  const days = daysBetween(from, to);
  const months = wholeMonths(from, to);
  const fitting: UnitPeriod[] = [];
  if (months === 12) fitting.push({ unit: 'YEAR', count: 1 });
  else if (months > 0 && months < 12) fitting.push({ unit: 'MONTH', count: months });
  if (isHalfMonth(from, to)) fitting.push({ unit: 'SEMIMONTH', count: 1 });
  if (days % 7 === 0 && days < 365) fitting.push({ unit: 'WEEK', count: days / 7 });
  else if (days <= 365) fitting.push({ unit: 'DAY', count: days });
  return fitting;
}

function wholeMonths(from: string, to: string): number {
  const [a, b] = [partsOf(from), partsOf(to)];
  const months = (b.year - a.year) * 12 + b.month - a.month;
  return addPeriods(from, months, 'MONTHS') === to || addPeriods(to, -months, 'MONTHS') === from ? months : 0;
}

/** Twice a month: the 1st and the 15th or 16th, the 15th and the last day, the 5th and the 20th. */
function isHalfMonth(from: string, to: string): boolean {
  const [a, b] = [partsOf(from), partsOf(to)].map(({ year, month, day }) => ({
    months: year * 12 + month,
    day: day === daysInMonth(year, month) ? DAYS_A_MONTH : day,
  }));
  if (a === undefined || b === undefined) return false;
  const days = (b.months - a.months) * DAYS_A_MONTH + b.day - a.day;
  return days >= 14 && days <= 16;
}

/** (b)(3)(i): the common period that occurs most often; of several the smaller; null where none occurs twice. */
function mostFrequent(periods: readonly UnitPeriod[]): UnitPeriod | null {
  const counted = new Map<string, { period: UnitPeriod; times: number }>();
  for (const period of periods) {
    const key = `${period.unit} ${period.count}`;
    counted.set(key, { period, times: (counted.get(key)?.times ?? 0) + 1 });
  }
  const [best] = [...counted.values()]
    .filter(({ times }) => times > 1)
    .sort((a, b) => b.times - a.times || lengthOf(a.period) - lengthOf(b.period));
  return best?.period ?? null;
}

function lengthOf({ unit, count }: UnitPeriod): number {
  return count * DAYS_IN[unit];
}

/** (b)(3)(i)(B): the average of all periods, rounded to the nearest standard interval; the lower of two equally near. */
function averageOf(intervals: readonly (readonly [string, string])[]): UnitPeriod {
  const total = intervals.reduce((sum, [from, to]) => {
    const months = wholeMonths(from, to);
    return sum + (months > 0 ? months * DAYS_A_MONTH : daysBetween(from, to));
  }, 0);
  // Distances are compared in whole numbers: as many days as there are intervals, times each length.
  const distance = (period: UnitPeriod): number => Math.abs(total - lengthOf(period) * intervals.length);
  const [nearest] = standardIntervals().sort((a, b) => distance(a) - distance(b) || lengthOf(a) - lengthOf(b));
  return nearest ?? { unit: 'MONTH', count: 1 };
}

/** (b)(2)(iii): a day, week, semimonth, month, or a multiple of a week or a month up to a year. */
function standardIntervals(): UnitPeriod[] {
  const weeks = Array.from({ length: 52 }, (_, index): UnitPeriod => ({ unit: 'WEEK', count: index + 1 }));
  const months = Array.from({ length: 11 }, (_, index): UnitPeriod => ({ unit: 'MONTH', count: index + 1 }));
  return [{ unit: 'DAY', count: 1 }, { unit: 'SEMIMONTH', count: 1 }, ...months, { unit: 'YEAR', count: 1 }, ...weeks];
}
