import type { Ratio } from './schedule-rounding.js';

/** Fixed-point scale of discount factors: far finer than any instalment is rounded. */
const SCALE = 10n ** 30n;

/**
 * The level instalment that repays a balance down to `final`: the balance discounted over the rates of the periods to
 * come (the annuity formula with a rate of its own for each period). `first`: interest of the first period where it is
 * not balance times rate, because it began later or changed on its way. `final` falls due one period after the last.
 */
export function levelInstalment(
  balance: bigint,
  rates: readonly Ratio[],
  { first, final = 0n }: { readonly first?: bigint | undefined; readonly final?: bigint },
): Ratio {
  let [factor, annuity] = [SCALE, 0n];
  for (const [index, { numerator, denominator }] of rates.entries()) {
    if (index > 0 || first === undefined) factor = (factor * denominator) / (denominator + numerator);
    annuity += factor;
  }
  const worth = (balance + (first ?? 0n)) * SCALE - final * factor;
  return { numerator: worth > 0n ? worth : 0n, denominator: annuity };
}
