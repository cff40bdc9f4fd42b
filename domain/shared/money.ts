import { Decimal } from 'decimal.js';
import { ISO_4217 } from './iso-4217.js';

/** The largest single amount, in minor units: far above any real one, far below numeric(38,0) after many sums. */
export const MAX_AMOUNT_MINOR = 10n ** 24n;
/** The largest balance, in minor units. A posting that would pass it is refused. */
export const MAX_BALANCE_MINOR = 10n ** 33n;

const EXPONENTS: ReadonlyMap<string, number> = new Map(ISO_4217.map(([code, exponent]) => [code, exponent]));

/** Decimals of a currency by ISO 4217 (JPY 0, NGN 2, KWD 3, CLF 4); undefined for an unknown code. */
export function currencyExponent(currency: string): number | undefined {
  return EXPONENTS.get(currency);
}

export function isCurrency(currency: string): boolean {
  return EXPONENTS.has(currency);
}

const DECIMAL_TEXT = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/;

export type AmountError = 'not-a-decimal' | 'unknown-currency' | 'too-many-decimals' | 'too-large';

/**
 * Exact decimal text in major units ("24.240") to minor units (2424n). Trailing zeros beyond the currency's scale
 * pass, any other excess digit does not (platform.md 1.3). No rounding happens here, ever.
 */
export function parseAmount(text: string, currency: string): bigint | AmountError {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) return 'unknown-currency';
  const match = DECIMAL_TEXT.exec(text);
  if (match === null) return 'not-a-decimal';
  const [, sign, whole, fraction = ''] = match;
  for (let i = exponent; i < fraction.length; i += 1) {
    if (fraction.charCodeAt(i) !== 48) return 'too-many-decimals';
  }
  const minor = BigInt((whole ?? '') + fraction.slice(0, exponent).padEnd(exponent, '0'));
  if (minor > MAX_AMOUNT_MINOR) return 'too-large';
  return sign === '-' ? -minor : minor;
}

/** Minor units to exact decimal text in major units: (2424n, 'NGN') is "24.24". */
export function formatAmount(minor: bigint, currency: string): string {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) throw new RangeError(`unknown currency ${currency}`);
  if (exponent === 0) return minor.toString();
  const negative = minor < 0n;
  const digits = (negative ? -minor : minor).toString().padStart(exponent + 1, '0');
  const split = digits.length - exponent;
  return `${negative ? '-' : ''}${digits.slice(0, split)}.${digits.slice(split)}`;
}

/** Rounding modes that Corebook uses, by name; each use names its mode. */
export const ROUND_HALF_EVEN = Decimal.ROUND_HALF_EVEN;
export const ROUND_DOWN = Decimal.ROUND_DOWN;

/** Decimal with enough precision for any amount times any rate; private to the process, not the global default. */
export const ExactDecimal = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_EVEN });

/** An exact decimal number of minor units, rounded to a whole one by the named mode. */
export function roundToMinor(value: Decimal, rounding: Decimal.Rounding): bigint {
  return BigInt(value.toDecimalPlaces(0, rounding).toFixed(0));
}

/**
 * `minor` of `from` converted at `rate` (units of `to` for one unit of `from`, decimal text), rounded half-even to
 * `to`'s minor units.
 */
export function convert(minor: bigint, from: string, to: string, rate: string): bigint {
  const fromExponent = EXPONENTS.get(from);
  const toExponent = EXPONENTS.get(to);
  if (fromExponent === undefined || toExponent === undefined) throw new RangeError('unknown currency');
  const exact = new ExactDecimal(minor.toString()).mul(rate).mul(new ExactDecimal(10).pow(toExponent - fromExponent));
  return roundToMinor(exact, ROUND_HALF_EVEN);
}

/**
 * Splits an amount by weights without losing a minor unit: each share is floored, the remainder goes to the largest
 * fractions first (largest-remainder method), ties to the earlier share.
 */
export function allocate(minor: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total <= 0n || weights.some((weight) => weight < 0n)) throw new RangeError('weights must be positive');
  const sign = minor < 0n ? -1n : 1n;
  const magnitude = minor * sign;
  const shares = weights.map((weight) => (magnitude * weight) / total);
  let rest = magnitude - shares.reduce((sum, share) => sum + share, 0n);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (magnitude * weight) % total }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder) {
    if (rest === 0n) break;
    shares[index] = (shares[index] ?? 0n) + 1n;
    rest -= 1n;
  }
  return shares.map((share) => share * sign);
}
