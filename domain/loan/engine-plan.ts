import { rateOn } from './engine-interest.js';
import { layOut } from './engine-layout.js';
import { remainingAt } from './engine-remaining.js';
import type { Part, Running } from './engine-state.js';
import { levelInstalment } from './schedule-level.js';
import { partOfYear } from './schedule-periods.js';
import { type Ratio, divideRounded, roundInstalment } from './schedule-rounding.js';

/**
 * New level instalments from the one at `from` on for all that is left to repay, laid out as of a day. `reference`: of a
 * CUMULATIVE schedule the instalment whose period's rate holds for all.
 */
export function relevel(running: Running, from: number, day: string, reference = from): void {
  const { regular, terms } = running;
  const first = regular.findIndex((part, index) => index >= from && !part.isClosed && !part.hasPrincipalGrace);
  if (first < 0) {
    layOut(running, from, day);
    return;
  }
  if (terms.schedule === 'FLAT' || isBroken(running, first)) {
    setLevels(running, first, 0n);
    layOut(running, from, day);
  }
  setLevels(running, first, levelFrom(running, first, reference));
  layOut(running, from, day);
  if (terms.schedule === 'EQUAL_INSTALMENTS' && terms.instalmentAmount === undefined) even(running, from, first, day);
}

function setLevels({ regular }: Running, from: number, level: bigint): void {
  for (let index = from; index < regular.length; index += 1) (regular[index] as Part).level = level;
}

function levelFrom(running: Running, first: number, reference: number): bigint {
  const { regular, terms } = running;
  const { rounding, schedule } = terms;
  const balance = remainingAt(running, first);
  const count = BigInt(regular.length - first);
  switch (schedule) {
    case 'BULLET':
    case 'INTEREST_ONLY':
      return 0n;
    case 'EQUAL_PRINCIPAL':
      return roundInstalment({ numerator: balance, denominator: count }, rounding);
    case 'FLAT': {
      const interest = regular.slice(first).reduce((sum, part) => sum + part.interest, 0n);
      return roundInstalment({ numerator: balance + interest, denominator: count }, rounding);
    }
    case 'EQUAL_INSTALMENTS':
      if (terms.instalmentAmount !== undefined) return terms.instalmentAmount;
      return roundInstalment(levelInstalment(balance, ratesFrom(running, first, reference), { first: firstInterest(running, first) }), rounding); // prettier-ignore
    case 'BALLOON': {
      const rates = ratesFrom(running, first, reference);
      if (rates.length < 2) return 0n;
      const [final, at] = [terms.balloon ?? 0n, { first: firstInterest(running, first) }];
      return roundInstalment(levelInstalment(balance, rates.slice(0, -1), { ...at, final }), rounding);
    }
  }
}

/** The rate of each period to come; a CUMULATIVE schedule has one for all. */
function ratesFrom(running: Running, first: number, reference: number): Ratio[] {
  const { regular, terms } = running;
  const whole = ({ period }: Part): Ratio => {
    const year = partOfYear(terms, period, period.from, period.due);
    const rate = rateOn(running, period.due);
    return { numerator: rate.numerator * year.numerator, denominator: rate.denominator * year.denominator };
  };
  if (terms.scheduling !== 'CUMULATIVE') return regular.slice(first).map(whole);
  const one = whole(regular[Math.min(reference, regular.length - 1)] as Part);
  return regular.slice(first).map(({ period }) => (period.isFree ? { numerator: 0n, denominator: 1n } : one));
}

/** Interest of the first period where it is not balance times rate: known from the layout before. */
function firstInterest(running: Running, first: number): bigint | undefined {
  return isBroken(running, first) ? (running.regular[first] as Part).raw : undefined;
}

/** A disbursement or a new rate falls into the first period of a PROGRESSIVE schedule. */
function isBroken({ regular, terms, tranches, rates }: Running, first: number): boolean {
  if (terms.scheduling === 'CUMULATIVE') return false;
  const { period } = regular[first] as Part;
  const isWithin = (date: string): boolean => date > period.from && date < period.due;
  return tranches.some(({ date }) => isWithin(date)) || rates.some(({ from }) => isWithin(from));
}

/**
 * Where the last instalment differs from the others by more than half a minor unit for each of them, the difference is
 * spread over all, if that brings the last one closer (so does Apache Fineract's progressive schedule).
 */
function even(running: Running, from: number, first: number, day: string): void {
  const { regular, terms } = running;
  const count = regular.length - first;
  if (terms.scheduling === 'CUMULATIVE' || terms.rounding.multiple !== 1n || count < 2) return;
  const { level } = regular[first] as Part;
  const gap = (): bigint => lastOf(regular) - (regular[first] as Part).level;
  const before = gap();
  const size = before < 0n ? -before : before;
  if (size <= BigInt(Math.floor(count / 2))) return;
  const spread = divideRounded(before, BigInt(count), 'HALF_EVEN');
  if (spread === 0n) return;
  setLevels(running, first, level + spread);
  layOut(running, from, day);
  const after = gap();
  if ((after < 0n ? -after : after) < size) return;
  setLevels(running, first, level);
  layOut(running, from, day);
}

function lastOf(regular: readonly Part[]): bigint {
  const last = regular.at(-1) as Part;
  return last.principal + last.interest;
}
