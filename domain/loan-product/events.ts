import { z } from 'zod';
import type { DomainEvent } from '../shared/event.js';
import { allocationJson, frequencyJson, loanFeeJson, loanPenaltyJson, roundingJson } from '../loan/terms-json.js';
import { DAY_COUNTS, PREPAYMENT_RULES, SCHEDULE_TYPES } from '../loan/terms.js';

/** Facts about what a tenant lends. A change of a product is a whole new version; running loans keep theirs. */
const id = z.string().length(36);
const text = z.string().max(512);
const minor = z.string().regex(/^\d{1,38}$/);
const percent = z.string().regex(/^\d{1,9}(?:\.\d{1,12})?$/);

export const REPAYMENT_METHODS = ['DIRECT_DEBIT', 'BANK_TRANSFER', 'WALLET', 'CARD'] as const;
export const QUESTION_TYPES = ['TEXT', 'NUMBER', 'BOOLEAN', 'SELECT'] as const;
/** What a rule may look at: facts of the application, by name; answers as `answer:<questionId>`. */
export const RULE_OPERATORS = ['GT', 'GTE', 'LT', 'LTE', 'EQ', 'NE', 'IN', 'NOT_IN'] as const;

export const eligibilityQuestion = z.strictObject({
  questionId: z.string().min(1).max(64),
  question: text.min(1),
  type: z.enum(QUESTION_TYPES),
  options: z.array(z.string().max(128)).max(50),
  required: z.boolean(),
});
const condition = z.strictObject({
  fact: z.string().min(1).max(128),
  operator: z.enum(RULE_OPERATORS),
  /** Decimal text, text, or a list of them. */
  value: z.union([z.string().max(128), z.array(z.string().max(128)).max(250)]),
});
/** A rule of the automated checks: who does not meet it is refused. */
export const eligibilityRule = z.strictObject({ name: z.string().min(1).max(128), must: condition });
/** A rule of the score: points when it is met. */
export const scoringRule = z.strictObject({
  name: z.string().min(1).max(128),
  when: condition,
  points: z.int().min(-10_000).max(10_000),
});

export const loanProductSettings = z.strictObject({
  name: text.min(1),
  description: z.string().max(2000),
  currency: z.string().length(3),
  minAmount: minor,
  maxAmount: minor,
  minInstalments: z.int().min(1).max(600),
  maxInstalments: z.int().min(1).max(600),
  annualRatePercent: percent,
  /** Between which an approval may set another rate; absent: no such limit. */
  minRatePercent: percent.optional(),
  maxRatePercent: percent.optional(),
  schedule: z.enum(SCHEDULE_TYPES),
  frequency: frequencyJson,
  dayCount: z.enum(DAY_COUNTS),
  interestBy: z.enum(['PERIOD', 'DAILY']),
  recalculates: z.boolean(),
  graceOnPrincipal: z.int().min(0).max(600),
  graceOnInterest: z.int().min(0).max(600),
  interestFreePeriods: z.int().min(0).max(600),
  rounding: roundingJson,
  balloonPercent: percent.optional(),
  downPaymentPercent: percent.optional(),
  fees: z.array(loanFeeJson).max(20),
  penalty: loanPenaltyJson.optional(),
  prepayment: z.enum(PREPAYMENT_RULES),
  allocation: allocationJson,
  disbursement: z.enum(['AUTOMATIC', 'MANUAL']),
  offerDays: z.int().min(1).max(366),
  /** A loan this many days overdue may be written off; 0: any. */
  writeOffAfterDays: z.int().min(0).max(3660),
  repaymentMethods: z.array(z.enum(REPAYMENT_METHODS)).min(1).max(4),
  /** Repayments are collected by a partner: none may be reported by hand. */
  thirdPartyCollection: z.boolean(),
  bvnRequired: z.boolean(),
  questions: z.array(eligibilityQuestion).max(50),
  eligibility: z.array(eligibilityRule).max(50),
  scoring: z.strictObject({
    rules: z.array(scoringRule).max(100),
    /** Below `high`: high risk, refused. From `low` on: low risk. Between: medium. */
    high: z.int(),
    low: z.int(),
  }),
});
export type LoanProductSettings = z.infer<typeof loanProductSettings>;
export type EligibilityQuestion = z.infer<typeof eligibilityQuestion>;
export type EligibilityRule = z.infer<typeof eligibilityRule>;
export type ScoringRule = z.infer<typeof scoringRule>;

export const PRODUCT_STATUSES = ['ACTIVE', 'INACTIVE'] as const;
export type ProductStatus = (typeof PRODUCT_STATUSES)[number];

export const loanProductSavedV1 = z.strictObject({
  product: id,
  productVersion: z.int().positive(),
  settings: loanProductSettings,
});
export const loanProductStatusSetV1 = z.strictObject({
  product: id,
  from: z.enum(PRODUCT_STATUSES),
  to: z.enum(PRODUCT_STATUSES),
});
/** Terms and conditions that borrowers accept, of the tenant. */
export const loanConditionsSetV1 = z.strictObject({
  conditionsVersion: z.int().positive(),
  text: z.string().min(1).max(60_000),
  details: z.record(z.string().max(64), z.record(z.string().max(64), z.string().max(2000))),
});

export type LoanProductSaved = DomainEvent<'loan-product-saved', z.infer<typeof loanProductSavedV1>>;
export type LoanProductStatusSet = DomainEvent<'loan-product-status-set', z.infer<typeof loanProductStatusSetV1>>;
export type LoanConditionsSet = DomainEvent<'loan-conditions-set', z.infer<typeof loanConditionsSetV1>>;
export type LoanProductEvent = LoanProductSaved | LoanProductStatusSet;
