import type { z } from 'zod';
import type { LoanFee, LoanPenalty } from '../../domain/loan/terms.js';
import { type Findings, amountIn, amountOut, optionalAmountOut } from '../amounts.js';
import { type feeIn, type penaltyIn, percentOut } from './pieces.js';

/** Fees and penalties between wire and domain. FIXED has an amount, PERCENT a percentage (application/loan checks which). */
type Charge = Pick<LoanFee, 'kind' | 'amount' | 'percent'>;
type WireCharge = Pick<z.output<typeof feeIn>, 'type' | 'amount' | 'percentage'>;

function chargeIn(
  { type, amount, percentage }: WireCharge,
  currency: string,
  field: string,
  findings: Findings,
): Charge {
  return {
    kind: type === 'FIXED' ? 'FIXED' : 'PERCENT',
    ...(amount === undefined ? {} : { amount: amountIn(amount, currency, `${field}.amount`, findings) }),
    ...(percentage === undefined ? {} : { percent: percentage }),
  };
}

export function feesIn(fees: ReadonlyArray<z.output<typeof feeIn>>, currency: string, findings: Findings): LoanFee[] {
  return fees.map(({ name, when, ...charge }, i) => ({
    name,
    when,
    ...chargeIn(charge, currency, `fees.${i}`, findings),
  }));
}

export function penaltyOf(wire: z.output<typeof penaltyIn>, currency: string, findings: Findings): LoanPenalty {
  const { graceDays, when, cap, ...charge } = wire;
  return {
    graceDays,
    when,
    ...chargeIn(charge, currency, 'penalty', findings),
    ...(cap === undefined ? {} : { cap: amountIn(cap, currency, 'penalty.cap', findings) }),
  };
}

function chargeOut({ kind, amount, percent }: Charge, currency: string) {
  return {
    type: kind === 'FIXED' ? ('FIXED' as const) : ('PERCENTAGE' as const),
    amount: optionalAmountOut(amount ?? null, currency),
    percentage: percent === undefined ? null : percentOut(percent),
  };
}

export function feeOut({ name, when, ...charge }: LoanFee, currency: string) {
  return { name, when, ...chargeOut(charge, currency) };
}

export function penaltyOut({ graceDays, when, cap, ...charge }: LoanPenalty, currency: string) {
  return { graceDays, when, ...chargeOut(charge, currency), cap: cap === undefined ? null : amountOut(cap, currency) };
}
