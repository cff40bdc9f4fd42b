/**
 * Where to look for a rate of return: brackets around the factors (1 + rate) at which discounted amounts change sign.
 * In binary floating point on purpose: it decides where to look, nothing more; rate-of-return.ts computes the rate in
 * decimals.
 */
export interface SearchTerm {
  readonly amount: number;
  /** Periods after the first one; and a further part at simple interest. */
  readonly time: number;
  readonly odd: number;
}
export interface Bracket {
  readonly low: number;
  readonly high: number;
  /** The best guess inside. */
  readonly near: number;
}

/** Rates a period beyond these are not searched: -99.9999 % and 10^14 %. */
const LOWEST_FACTOR = 1e-6;
const HIGHEST_FACTOR = 1e12;
const MAX_NARROWINGS = 100;
/** Signs of floating point may be wrong this close to the factor: brackets are widened by it, relatively. */
const UNSURE = 1e-9;

/** Steps away from par (no interest) until the sign changes, first and last amount having opposite signs; null: beyond the bounds. */
export function bracketFromPar(terms: readonly SearchTerm[]): Bracket | null {
  const firstSign = Math.sign(terms[0]?.amount ?? 0);
  let low = 1;
  let high = 1;
  if (signAt(terms, 1) === 0) return around(1, 1, 1);
  // Discounted ever more, the first amount alone remains: where its sign is not reached yet, the rate lies above.
  if (signAt(terms, 1) !== firstSign) {
    for (let step = 0.05; signAt(terms, high) !== firstSign; step *= 4) {
      if (high >= HIGHEST_FACTOR) return null;
      low = high;
      high += step;
    }
  } else {
    while (signAt(terms, low) === firstSign) {
      if (low <= LOWEST_FACTOR) return null;
      high = low;
      low /= 2;
    }
  }
  return narrowed(terms, low, high);
}

/** Over the whole range, in steps of 1 % around par and of 9 % beyond; stops behind the second. */
export function firstTwoBrackets(terms: readonly SearchTerm[]): Bracket[] {
  const found: Bracket[] = [];
  let low = LOWEST_FACTOR;
  let lowSign = signAt(terms, low);
  while (low < HIGHEST_FACTOR && found.length < 2) {
    const high = low * (low > 0.5 && low < 2 ? 1.01 : 1.09);
    const highSign = signAt(terms, high);
    // A factor that balances exactly belongs to the step that ends there.
    if (highSign === 0) found.push(around(high, high, high));
    else if (lowSign !== 0 && highSign !== lowSign) found.push(narrowed(terms, low, high));
    low = high;
    lowSign = highSign;
  }
  return found;
}

/** Newton's method, kept inside the bracket by bisection. */
function narrowed(terms: readonly SearchTerm[], from: number, to: number): Bracket {
  let [low, high] = [from, to];
  const lowSign = signAt(terms, low);
  let near = (low + high) / 2;
  for (let i = 0; i < MAX_NARROWINGS; i += 1) {
    const [value, slope] = valueAndSlope(terms, near);
    if (value === 0) break;
    if (Math.sign(value) === lowSign) low = near;
    else high = near;
    const newton = near - value / slope;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - near) <= 1e-14 * near) break;
    near = next;
  }
  return around(from, to, near);
}

function around(low: number, high: number, near: number): Bracket {
  return { low: low * (1 - UNSURE), high: high * (1 + UNSURE), near };
}

function signAt(terms: readonly SearchTerm[], factor: number): number {
  return Math.sign(valueAndSlope(terms, factor)[0]);
}

/** Discounted to the first amount, or below par to the last one, so that no power grows beyond all bounds. */
function valueAndSlope(terms: readonly SearchTerm[], factor: number): [number, number] {
  const base = factor >= 1 ? 0 : (terms.at(-1)?.time ?? 0);
  let value = 0;
  let slope = 0;
  for (const { amount, time, odd } of terms) {
    const simple = 1 + odd * (factor - 1);
    const part = (amount * factor ** (base - time)) / simple;
    value += part;
    slope += part * ((base - time) / factor - odd / simple);
  }
  return [value, slope];
}
