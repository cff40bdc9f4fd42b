import { z } from 'zod';
import {
  BUCKETS,
  DAY_COUNTS,
  FREQUENCY_UNITS,
  type LoanFee,
  type LoanPenalty,
  type LoanTerms,
  PREPAYMENT_RULES,
  ROUNDING_MODES,
  SCHEDULE_TYPES,
  SCHEDULINGS,
} from './terms.js';

/** Terms as they stand in events: amounts as decimal text of minor units, optional members absent. */
const minor = z.string().regex(/^\d{1,38}$/);
const percent = z.string().regex(/^\d{1,9}(?:\.\d{1,12})?$/);
const day = z.iso.date();
export const loanFeeJson = z.strictObject({
  name: z.string().min(1).max(128),
  when: z.enum(['UPFRONT', 'INSTALMENT']),
  kind: z.enum(['FIXED', 'PERCENT']),
  amount: minor.optional(),
  percent: percent.optional(),
});
export const loanPenaltyJson = z.strictObject({
  graceDays: z.int().min(0).max(366),
  when: z.enum(['FLAT', 'DAILY']),
  kind: z.enum(['FIXED', 'PERCENT']),
  amount: minor.optional(),
  percent: percent.optional(),
  cap: minor.optional(),
});
export const frequencyJson = z.strictObject({ every: z.int().min(1).max(366), unit: z.enum(FREQUENCY_UNITS) });
export const roundingJson = z.strictObject({ multiple: minor, mode: z.enum(ROUNDING_MODES) });
export const allocationJson = z.strictObject({
  walk: z.enum(['BY_INSTALMENT', 'BY_BUCKET']),
  due: z.array(z.enum(BUCKETS)).length(4),
  inAdvance: z.array(z.enum(BUCKETS)).length(4),
});

export const loanTermsJson = z.strictObject({
  currency: z.string().length(3),
  principal: minor,
  annualRatePercent: percent,
  schedule: z.enum(SCHEDULE_TYPES),
  instalments: z.int().min(1).max(600),
  frequency: frequencyJson,
  dayCount: z.enum(DAY_COUNTS),
  interestBy: z.enum(['PERIOD', 'DAILY']),
  recalculates: z.boolean(),
  graceOnPrincipal: z.int().min(0).max(600),
  graceOnInterest: z.int().min(0).max(600),
  interestFreePeriods: z.int().min(0).max(600),
  rounding: roundingJson,
  balloon: minor.optional(),
  downPaymentPercent: percent.optional(),
  fees: z.array(loanFeeJson).max(20),
  penalty: loanPenaltyJson.optional(),
  prepayment: z.enum(PREPAYMENT_RULES),
  allocation: allocationJson,
  firstDueDate: day.optional(),
  startDate: day.optional(),
  scheduling: z.enum(SCHEDULINGS).optional(),
  instalmentAmount: minor.optional(),
});
export type LoanFeeJson = z.infer<typeof loanFeeJson>;
export type LoanPenaltyJson = z.infer<typeof loanPenaltyJson>;
export type LoanTermsJson = z.infer<typeof loanTermsJson>;

export function termsToJson(terms: LoanTerms): LoanTermsJson {
  const { principal, rounding, balloon, downPaymentPercent, fees, penalty, allocation, ...optional } = terms;
  const { firstDueDate, startDate, scheduling, instalmentAmount, ...rest } = optional;
  return {
    ...rest,
    frequency: { ...rest.frequency },
    principal: principal.toString(),
    rounding: { ...rounding, multiple: rounding.multiple.toString() },
    ...(balloon === undefined ? {} : { balloon: balloon.toString() }),
    ...(downPaymentPercent === undefined ? {} : { downPaymentPercent }),
    fees: fees.map(feeToJson),
    ...(penalty === undefined ? {} : { penalty: penaltyToJson(penalty) }),
    allocation: { ...allocation, due: [...allocation.due], inAdvance: [...allocation.inAdvance] },
    ...(firstDueDate === undefined ? {} : { firstDueDate }),
    ...(startDate === undefined ? {} : { startDate }),
    ...(scheduling === undefined ? {} : { scheduling }),
    ...(instalmentAmount === undefined ? {} : { instalmentAmount: instalmentAmount.toString() }),
  };
}

export function termsFromJson(json: LoanTermsJson): LoanTerms {
  const { principal, rounding, balloon, downPaymentPercent, fees, penalty, ...optional } = json;
  const { firstDueDate, startDate, scheduling, instalmentAmount, ...rest } = optional;
  return {
    ...rest,
    principal: BigInt(principal),
    rounding: { ...rounding, multiple: BigInt(rounding.multiple) },
    ...(balloon === undefined ? {} : { balloon: BigInt(balloon) }),
    ...(downPaymentPercent === undefined ? {} : { downPaymentPercent }),
    fees: fees.map(feeFromJson),
    ...(penalty === undefined ? {} : { penalty: penaltyFromJson(penalty) }),
    ...(firstDueDate === undefined ? {} : { firstDueDate }),
    ...(startDate === undefined ? {} : { startDate }),
    ...(scheduling === undefined ? {} : { scheduling }),
    ...(instalmentAmount === undefined ? {} : { instalmentAmount: BigInt(instalmentAmount) }),
  };
}

export function feeToJson({ name, when, kind, amount, percent: share }: LoanFee): z.infer<typeof loanFeeJson> {
  return {
    ...{ name, when, kind },
    ...(amount === undefined ? {} : { amount: amount.toString() }),
    ...(share === undefined ? {} : { percent: share }),
  };
}

export function feeFromJson({ amount, percent: share, ...rest }: z.infer<typeof loanFeeJson>): LoanFee {
  return {
    ...rest,
    ...(amount === undefined ? {} : { amount: BigInt(amount) }),
    ...(share === undefined ? {} : { percent: share }),
  };
}

export function penaltyToJson(penalty: LoanPenalty): z.infer<typeof loanPenaltyJson> {
  const { amount, percent: share, cap, ...rest } = penalty;
  return {
    ...rest,
    ...(amount === undefined ? {} : { amount: amount.toString() }),
    ...(share === undefined ? {} : { percent: share }),
    ...(cap === undefined ? {} : { cap: cap.toString() }),
  };
}

export function penaltyFromJson(json: z.infer<typeof loanPenaltyJson>): LoanPenalty {
  const { amount, percent: share, cap, ...rest } = json;
  return {
    ...rest,
    ...(amount === undefined ? {} : { amount: BigInt(amount) }),
    ...(share === undefined ? {} : { percent: share }),
    ...(cap === undefined ? {} : { cap: BigInt(cap) }),
  };
}
