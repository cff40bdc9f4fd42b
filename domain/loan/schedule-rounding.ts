import type { InstalmentRounding, RoundingMode } from './terms.js';

/** An exact number as two whole ones; the denominator is positive. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const ZERO_RATIO: Ratio = { numerator: 0n, denominator: 1n };

/** `numerator / denominator` as a whole number, by the named mode; away from zero is up. */
export function divideRounded(numerator: bigint, denominator: bigint, mode: RoundingMode): bigint {
  if (numerator < 0n) return -divideRounded(-numerator, denominator, mode);
  const whole = numerator / denominator;
  const rest = numerator - whole * denominator;
  if (rest === 0n || mode === 'DOWN') return whole;
  if (mode === 'UP') return whole + 1n;
  const twice = rest * 2n;
  if (twice !== denominator) return twice > denominator ? whole + 1n : whole;
  return mode === 'HALF_UP' || whole % 2n === 1n ? whole + 1n : whole;
}

/** An exact amount as a multiple of what instalments are multiples of. */
export function roundInstalment({ numerator, denominator }: Ratio, { multiple, mode }: InstalmentRounding): bigint {
  return divideRounded(numerator, denominator * multiple, mode) * multiple;
}

/** Decimal text in percent ("9.4822") as an exact ratio: 94822 / 1000000. */
export function percentRatio(percent: string): Ratio {
  const [whole = '0', fraction = ''] = percent.split('.');
  return { numerator: BigInt(whole + fraction), denominator: 100n * 10n ** BigInt(fraction.length) };
}

/** A percentage of an amount in minor units, rounded half-even. */
export function shareOf(amount: bigint, { numerator, denominator }: Ratio): bigint {
  return divideRounded(amount * numerator, denominator, 'HALF_EVEN');
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
