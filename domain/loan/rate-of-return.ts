/**
 * The rate at which advances and payments are worth the same: Σ amount · D(time) = 0. It never answers a number where
 * there is none or more than one; it works a bounded number of steps and says what it found.
 */
import type { Decimal } from 'decimal.js';
import { ExactDecimal } from '../shared/money.js';
import type { YearRatio } from './day-count.js';
import { bracketFromPar, firstTwoBrackets } from './rate-search.js';
import type { Bracket, SearchTerm } from './rate-search.js';

/** An amount (advances and payments with opposite signs) and how far it lies from the first one. */
export interface TimedAmount {
  readonly amount: Decimal.Value;
  /** Whole or broken periods, compounded: (1+i)^-time. */
  readonly time: YearRatio;
  /** A further part of a period, 0 to 1, at simple interest: 1/(1+odd·i), as US Appendix J has it. */
  readonly odd?: YearRatio;
}

export type RateOfReturn =
  | { readonly defined: true; readonly rate: Decimal }
  | { readonly defined: false; readonly reason: 'no-rate' | 'several-rates' | 'too-many-amounts' };

/** A loan paid weekly for forty years has 2080 payments. */
export const MAX_TIMED_AMOUNTS = 5_000;
const MAX_REFINEMENTS = 200;
/** Newton's method squares what is missing: behind a step this small, relative to 1 + rate, 24 digits hold. */
const LAST_STEP = new ExactDecimal('1e-13');
/** What sums of discounted amounts may be off zero by rounding, relative to the largest amount. */
const NEGLIGIBLE = new ExactDecimal('1e-20');
const Working = ExactDecimal.clone({ precision: 36 });
const ZERO = new Working(0);
const ONE = new Working(1);

/** One time with an amount: `steps` of 1/scale periods after the one before. */
interface Term {
  readonly amount: Decimal;
  readonly steps: number;
  readonly time: Decimal;
  readonly odd: Decimal;
}
interface Terms {
  readonly list: readonly Term[];
  readonly scale: number;
  readonly signChanges: number;
}

/** The rate per period of `time`, to 24 digits (0.01 is 1 %). */
export function rateOfReturn(amounts: readonly TimedAmount[]): RateOfReturn {
  if (amounts.length > MAX_TIMED_AMOUNTS) return { defined: false, reason: 'too-many-amounts' };
  const terms = termsOf(amounts);
  if (terms.signChanges === 0) return { defined: false, reason: 'no-rate' };
  const search = terms.list.map(searchTerm);
  if (terms.signChanges % 2 === 1) {
    const bracket = bracketFromPar(search);
    const factor = bracket === null ? null : refined(terms, bracket);
    if (factor !== null && isOnlyOne(terms, factor)) return { defined: true, rate: factor.minus(1) };
  }
  const [only, another] = firstTwoBrackets(search);
  if (another !== undefined) return { defined: false, reason: 'several-rates' };
  if (only === undefined) return { defined: false, reason: 'no-rate' };
  return { defined: true, rate: refined(terms, only).minus(1) };
}

/**
 * Where the amounts discounted at this rate and summed from the first on never change sign, no other rate balances them
 * (Soper, "The Marginal Efficiency of Capital: A Further Note", Economic Journal 69, 1959). One change of sign among the
 * amounts, as a loan that is lent and then repaid has it, always does.
 */
function isOnlyOne(terms: Terms, factor: Decimal): boolean {
  if (terms.signChanges === 1) return true;
  const values = discounted(terms, factor);
  const largest = values.reduce((most, value) => (value.abs().gt(most) ? value.abs() : most), ZERO);
  const tolerance = largest.mul(NEGLIGIBLE);
  let sum: Decimal = ZERO;
  let sign = 0;
  for (const value of values) {
    sum = sum.plus(value);
    if (sum.abs().lte(tolerance)) continue;
    if (sign !== 0 && sum.s !== sign) return false;
    sign = sum.s;
  }
  return true;
}

/** Newton's method in decimals from the guess on, kept inside the bracket by bisection. */
function refined(terms: Terms, { low, high, near }: Bracket): Decimal {
  let [below, above] = [new Working(low), new Working(high)];
  const lowSign = valueAndSlope(terms, below)[0];
  let factor = new Working(near);
  for (let i = 0; i < MAX_REFINEMENTS; i += 1) {
    const [value, slope] = valueAndSlope(terms, factor);
    if (value.isZero()) return factor;
    if (value.s === lowSign.s) below = factor;
    else above = factor;
    const newton = slope.isZero() ? below : factor.minus(value.div(slope));
    const isInside = newton.gte(below) && newton.lte(above);
    const next = isInside ? newton : below.plus(above).div(2);
    const step = next.minus(factor).abs();
    factor = next;
    if (step.lte(factor.mul(LAST_STEP))) break;
  }
  return factor;
}

function valueAndSlope(terms: Terms, factor: Decimal): [Decimal, Decimal] {
  const rate = factor.minus(1);
  let [value, compound, simple]: [Decimal, Decimal, Decimal] = [ZERO, ZERO, ZERO];
  discounted(terms, factor).forEach((part, index) => {
    const { time, odd } = terms.list[index] ?? { time: ZERO, odd: ZERO };
    value = value.plus(part);
    compound = compound.plus(part.mul(time));
    if (!odd.isZero()) simple = simple.plus(part.mul(odd).div(odd.mul(rate).plus(1)));
  });
  return [value, compound.div(factor).plus(simple).neg()];
}

/** Each amount at its discount; equal distances in time share one power. */
function discounted({ list, scale }: Terms, factor: Decimal): Decimal[] {
  const rate = factor.minus(1);
  const perStep = scale === 1 ? ONE.div(factor) : factor.pow(new Working(-1).div(scale));
  const powers = new Map<number, Decimal>();
  let discount: Decimal = ONE;
  return list.map(({ amount, steps, odd }) => {
    const power = powers.get(steps) ?? perStep.pow(steps);
    powers.set(steps, power);
    discount = discount.mul(power);
    const value = amount.mul(discount);
    return odd.isZero() ? value : value.div(odd.mul(rate).plus(1));
  });
}

/** In order of time, on a common scale, amounts of the same time added up, none of zero. */
function termsOf(amounts: readonly TimedAmount[]): Terms {
  const scale = amounts.reduce((common, { time }) => leastCommonMultiple(common, time.denominator), 1);
  const groups = new Map<string, { amount: Decimal; at: number; odd: Decimal }>();
  for (const { amount, time, odd } of amounts) {
    const at = (time.numerator * scale) / time.denominator;
    if (!Number.isSafeInteger(at)) throw new RangeError('times without a common scale');
    const part = odd === undefined ? ZERO : new Working(odd.numerator).div(odd.denominator);
    const key = `${at} ${part.toString()}`;
    groups.set(key, { amount: new Working(amount).plus(groups.get(key)?.amount ?? 0), at, odd: part });
  }
  const sorted = [...groups.values()]
    .filter(({ amount }) => !amount.isZero())
    .sort((a, b) => a.at - b.at || a.odd.cmp(b.odd));
  const start = sorted[0]?.at ?? 0;
  const list = sorted.map(({ amount, at, odd }, index): Term => {
    const steps = at - (sorted[index - 1]?.at ?? start);
    return { amount, odd, steps, time: new Working(at - start).div(scale) };
  });
  const signChanges = list.filter(({ amount }, index) => index > 0 && amount.s !== list[index - 1]?.amount.s).length;
  return { list, scale, signChanges };
}

function searchTerm({ amount, time, odd }: Term): SearchTerm {
  return { amount: amount.toNumber(), time: time.toNumber(), odd: odd.toNumber() };
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestCommonDivisor(a, b)) * b;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
