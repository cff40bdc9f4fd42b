import { balanceOn, type Running } from './engine-state.js';
import { type Period, partOfYear } from './schedule-periods.js';
import { divideRounded, type Ratio } from './schedule-rounding.js';

/** A change of the balance that bears interest. */
export interface Change {
  readonly date: string;
  readonly delta: bigint;
}

export function rateOn({ rates }: Running, day: string): Ratio {
  let rate = (rates[0] as Running['rates'][number]).rate;
  for (const entry of rates) if (entry.from <= day) rate = entry.rate;
  return rate;
}

/** balance * rate * part of a year, in minor units, rounded half-even. */
function interestFor(balance: bigint, rate: Ratio, year: Ratio): bigint {
  if (balance <= 0n || year.numerator === 0n) return 0n;
  const numerator = balance * rate.numerator * year.numerator;
  return divideRounded(numerator, rate.denominator * year.denominator, 'HALF_EVEN');
}

/**
 * Interest of the days between two dates of a period on a balance that changes in between: each stretch of one balance
 * and one rate is rounded by itself, so that what is computed for a day stays as later ones come.
 */
export function interestBetween(
  running: Running,
  period: Period,
  { from, to }: { readonly from: string; readonly to: string },
  opening: bigint,
  changes: readonly Change[],
): bigint {
  if (period.isFree || from >= to) return 0n;
  const { terms, rates } = running;
  if (changes.length === 0 && rates.length === 1) {
    return interestFor(opening, (rates[0] as { rate: Ratio }).rate, partOfYear(terms, period, from, to));
  }
  let [sum, balance, since] = [0n, opening, from];
  const bear = (until: string): void => {
    if (until > since && balance > 0n) {
      sum += interestFor(balance, rateOn(running, since), partOfYear(terms, period, since, until));
    }
    since = until;
  };
  let next = 1;
  while (next < rates.length && (rates[next] as { from: string }).from <= from) next += 1;
  for (const { date, delta } of changes) {
    if (date <= from) continue;
    if (date >= to) break;
    for (; next < rates.length && (rates[next] as { from: string }).from <= date; next += 1) {
      bear((rates[next] as { from: string }).from);
    }
    bear(date);
    balance += delta;
  }
  for (; next < rates.length && (rates[next] as { from: string }).from < to; next += 1) {
    bear((rates[next] as { from: string }).from);
  }
  bear(to);
  return sum;
}

/** A balance by day: what it is on one, and how it changes. */
interface Balance {
  readonly on: (day: string) => bigint;
  readonly changes: readonly Change[];
}

/**
 * Interest between two dates that may lie in several periods, of which the one at `index` is the last. None after it is due.
 */
export function interestAcross(running: Running, index: number, from: string, to: string, balance: Balance): bigint {
  let sum = 0n;
  for (let at = index; at >= 0; at -= 1) {
    const { period } = running.regular[at] as Running['regular'][number];
    const start = period.from > from ? period.from : from;
    const end = period.due < to ? period.due : to;
    if (start < end) {
      sum += interestBetween(running, period, { from: start, to: end }, balance.on(start), balance.changes);
    }
    if (period.from <= from) break;
  }
  return sum;
}

/** Interest on what is really outstanding. */
export function actualInterest(running: Running, index: number, from: string, to: string): bigint {
  if (from >= to) return 0n;
  return interestAcross(running, index, from, to, { on: (day) => balanceOn(running, day), changes: running.moves });
}
