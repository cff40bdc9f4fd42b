import { rateOn } from './engine-interest.js';
import type { Part, Running } from './engine-state.js';
import { partOfYear } from './schedule-periods.js';
import { type Ratio, ZERO_RATIO, divideRounded, larger } from './schedule-rounding.js';

/**
 * FLAT: interest of each period from `from` on, on the original principal; the last one takes what rounding left of the
 * interest of all of them together.
 */
export function flatInterest(running: Running, from: number, principal: bigint): bigint[] {
  const { regular, terms } = running;
  const interest: bigint[] = [];
  let [total, rounded] = [ZERO_RATIO, 0n];
  for (let index = from; index < regular.length; index += 1) {
    const { period } = regular[index] as Part;
    const year = partOfYear(terms, period, period.from, period.due);
    const rate = rateOn(running, period.from);
    const exact = {
      numerator: principal * rate.numerator * year.numerator,
      denominator: rate.denominator * year.denominator,
    };
    total = add(total, exact);
    const amount = divideRounded(exact.numerator, exact.denominator, 'HALF_EVEN');
    interest.push(amount);
    rounded += amount;
  }
  const rest = divideRounded(total.numerator, total.denominator, 'HALF_EVEN') - rounded;
  const last = interest.length - 1;
  if (last >= 0) interest[last] = larger(0n, (interest[last] as bigint) + rest);
  return interest;
}

/** Exact; denominators stay as small as their least common multiple. */
function add(a: Ratio, b: Ratio): Ratio {
  if (a.denominator === b.denominator) {
    return { numerator: a.numerator + b.numerator, denominator: a.denominator };
  }
  const common = gcd(a.denominator, b.denominator);
  const denominator = (a.denominator / common) * b.denominator;
  const scaled = ({ numerator, denominator: own }: Ratio): bigint => numerator * (denominator / own);
  return { numerator: scaled(a) + scaled(b), denominator };
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
