import type { LoanProductSettings } from '../loan-product/events.js';
import { ExactDecimal, ROUND_HALF_EVEN, roundToMinor } from '../shared/money.js';
import type { LoanFee, LoanTerms } from './terms.js';
import { feeFromJson, penaltyFromJson } from './terms-json.js';

/** What a borrower and a product agree on: the rest of a loan's terms is the product's. */
export interface Agreed {
  readonly amount: bigint;
  readonly annualRatePercent: string;
  readonly instalments: number;
  /** Absent: the product's. */
  readonly fees?: readonly LoanFee[];
}

/** The terms of a loan of this product, as an offer makes them. */
export function termsOfProduct(settings: LoanProductSettings, agreed: Agreed): LoanTerms {
  const { amount, annualRatePercent, instalments } = agreed;
  const { balloonPercent, downPaymentPercent, penalty } = settings;
  return {
    currency: settings.currency,
    principal: amount,
    annualRatePercent,
    schedule: settings.schedule,
    instalments,
    frequency: settings.frequency,
    dayCount: settings.dayCount,
    interestBy: settings.interestBy,
    recalculates: settings.recalculates,
    graceOnPrincipal: settings.graceOnPrincipal,
    graceOnInterest: settings.graceOnInterest,
    interestFreePeriods: settings.interestFreePeriods,
    rounding: { multiple: BigInt(settings.rounding.multiple), mode: settings.rounding.mode },
    ...(settings.schedule === 'BALLOON' && balloonPercent !== undefined
      ? { balloon: percentOf(amount, balloonPercent) }
      : {}),
    ...(downPaymentPercent === undefined ? {} : { downPaymentPercent }),
    fees: agreed.fees ?? settings.fees.map(feeFromJson),
    ...(penalty === undefined ? {} : { penalty: penaltyFromJson(penalty) }),
    prepayment: settings.prepayment,
    allocation: settings.allocation,
  };
}

/** What is taken from the borrower's wallet when the loan is paid out. */
export function upfrontFees({ principal, fees }: Pick<LoanTerms, 'principal' | 'fees'>): bigint {
  return fees.reduce((sum, fee) => (fee.when === 'UPFRONT' ? sum + feeAmount(fee, principal) : sum), 0n);
}

/** A fee on an amount: on the principal where it is taken upfront. */
export function feeAmount({ kind, amount, percent }: LoanFee, base: bigint): bigint {
  return kind === 'FIXED' ? (amount ?? 0n) : percentOf(base, percent ?? '0');
}

/** Rounded half-even to minor units (spec 9.4). */
function percentOf(amount: bigint, percent: string): bigint {
  return roundToMinor(new ExactDecimal(amount.toString()).mul(percent).div(100), ROUND_HALF_EVEN);
}
