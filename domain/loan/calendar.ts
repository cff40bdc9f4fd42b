import type { FrequencyUnit } from './terms.js';

/**
 * Calendar dates as text (YYYY-MM-DD) in the proleptic Gregorian calendar: no clock, no time zone. Dates come checked
 * from the edge; one that is not a date is a defect and throws. Text of this shape sorts as dates do.
 */
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS_IN_UNIT: { readonly [U in FrequencyUnit]: number } = { DAYS: 0, WEEKS: 0, MONTHS: 1, YEARS: 12 };
const DAYS_IN_UNIT: { readonly [U in FrequencyUnit]: number } = { DAYS: 1, WEEKS: 7, MONTHS: 0, YEARS: 0 };

export interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

export function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

export function daysInYear(year: number): 365 | 366 {
  return isLeapYear(year) ? 366 : 365;
}

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** Year, month and day of a date; throws where the text is no date. A schedule reads hundreds: without a match object. */
export function partsOf(date: string): CalendarDate {
  const year = digits(date, 0) * 100 + digits(date, 2);
  const month = digits(date, 5);
  const day = digits(date, 8);
  // What is no digit is NaN, and so in no range.
  const isDate =
    date.length === 10 &&
    date[4] === '-' &&
    date[7] === '-' &&
    year >= 0 &&
    day >= 1 &&
    day <= daysInMonth(year, month);
  if (!isDate) throw new RangeError(`not a date: ${date}`);
  return { year, month, day };
}

const ZERO = 48;

/** The number of two digits at an index; NaN where there are none. */
function digits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - ZERO, text.charCodeAt(at + 1) - ZERO];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Negative, zero or positive, as `a` lies before, on or after `b`. */
export function compareDates(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Calendar days from one date to another; negative where `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return dayNumber(partsOf(to)) - dayNumber(partsOf(from));
}

export function addDays(date: string, days: number): string {
  return fromDayNumber(dayNumber(partsOf(date)) + days);
}

/**
 * The date `count` units after (negative: before) a date. Months and years keep the day of the date given and end at the
 * last day of shorter months, so a series is counted from its first date, never from the date before:
 * 31 January + 1, 2, 3 months is 28 February, 31 March, 30 April.
 */
export function addPeriods(date: string, count: number, unit: FrequencyUnit): string {
  const months = count * MONTHS_IN_UNIT[unit];
  if (months === 0) return addDays(date, count * DAYS_IN_UNIT[unit]);
  const { year, month, day } = partsOf(date);
  const index = year * 12 + (month - 1) + months;
  const target = { year: Math.floor(index / 12), month: (((index % 12) + 12) % 12) + 1 };
  return textOf({ ...target, day: Math.min(day, daysInMonth(target.year, target.month)) });
}

function textOf({ year, month, day }: CalendarDate): string {
  if (year < 0 || year > 9999) throw new RangeError(`year ${year} is outside the calendar`);
  return `${year > 999 ? year : String(year).padStart(4, '0')}-${month > 9 ? month : `0${month}`}-${day > 9 ? day : `0${day}`}`;
}

/** Days since 1970-01-01; civil-from-days and its inverse after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
function dayNumber({ year, month, day }: CalendarDate): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

function fromDayNumber(days: number): string {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  return textOf({ year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day });
}
