import { z } from 'zod';
import { eligibilityRule, scoringRule } from '../loan-product/events.js';
import type { DomainEvent } from '../shared/event.js';
import { sealedPerson } from '../shared/person.js';
import { BUCKETS, FREQUENCY_UNITS, PREPAYMENT_RULES } from './terms.js';
import { loanFeeJson, loanTermsJson } from './terms-json.js';

/**
 * Facts about loans, from the application to the last recovery. What the borrower told (birth date, BVN, income, answers)
 * stands sealed in `person`; results of checks and scores name rules, not what people said.
 */
const id = z.string().length(36);
const reason = z.string().min(1).max(512);
const minor = z.string().regex(/^\d{1,38}$/);
const percent = z.string().regex(/^\d{1,9}(?:\.\d{1,12})?$/);
const day = z.iso.date();

export const LOAN_STATUSES = [
  'REQUESTED',
  'APPROVED',
  'OFFER_SENT',
  'ACCEPTED',
  'DISBURSED',
  'PAID_OFF',
  'REJECTED',
  'WITHDRAWN',
  'CANCELLED',
] as const;
export type LoanStatus = (typeof LOAN_STATUSES)[number];

export const loanRequestedV1 = z.strictObject({
  loan: id,
  /** Short code for people and references, unique in the tenant: made from `codeSequence`. */
  code: z.string().max(16),
  codeSequence: z.int().positive(),
  customer: id,
  product: id,
  productVersion: z.int().positive(),
  currency: z.string().length(3),
  amount: minor,
  instalments: z.int().min(1).max(600),
  repaymentMethod: z.string().max(32),
  agent: id.optional(),
  /** Sealed: `LoanApplicant`. */
  person: sealedPerson,
});
const ruleResult = z.strictObject({ rule: z.string().max(128), met: z.boolean() });
/** Automated checks and score, with every rule that was applied (the product's version may be gone from view) and its result. */
export const loanAssessedV1 = z.strictObject({
  loan: id,
  eligibility: z.array(ruleResult.extend({ applied: eligibilityRule })).max(60),
  scoring: z.array(ruleResult.extend({ applied: scoringRule, points: z.int() })).max(100),
  score: z.int(),
  risk: z.enum(['LOW', 'MEDIUM', 'HIGH']),
  outcome: z.enum(['REVIEW', 'REJECTED']),
});
/** Terms that were approved: what the offer will say. */
export const loanApprovedV1 = z.strictObject({
  loan: id,
  amount: minor,
  annualRatePercent: percent,
  instalments: z.int().min(1).max(600),
  fees: z.array(loanFeeJson).max(20),
  reason: reason.optional(),
});
export const loanOfferSentV1 = z.strictObject({ loan: id, expiresAt: z.iso.datetime(), terms: loanTermsJson });
export const loanOfferAcceptedV1 = z.strictObject({ loan: id });
export const loanConditionsAcceptedV1 = z.strictObject({ loan: id, conditionsVersion: z.int().nonnegative() });
/** REJECTED by the underwriter, the checks or the customer; WITHDRAWN by the customer or by expiry; CANCELLED before disbursement. */
export const loanEndedV1 = z.strictObject({
  loan: id,
  from: z.enum(LOAN_STATUSES),
  to: z.enum(['REJECTED', 'WITHDRAWN', 'CANCELLED']),
  by: z.enum(['CUSTOMER', 'STAFF', 'SYSTEM']),
  reason: reason.optional(),
});

/** Cumulated totals of what was booked for the loan: an entry books the difference of two of them (book.ts). */
export const bookedJson = z.strictObject({
  disbursed: minor,
  /** Principal that is owed again because a repayment was taken back by the payer's bank. */
  chargedBack: minor,
  earned: z.strictObject({ interest: minor, fees: minor, penalty: minor }),
  paid: z.strictObject({ principal: minor, interest: minor, fees: minor, penalty: minor }),
  waived: z.strictObject({ interest: minor, fees: minor, penalty: minor }),
  writtenOff: z.strictObject({ principal: minor, interest: minor, fees: minor, penalty: minor }),
  overpaid: minor,
  recovered: minor,
  /** Fees taken from the wallet at disbursement. */
  upfrontFees: minor,
});

const operation = z.strictObject({ id, date: day });
/** An operation as it stands in events: amounts as text. */
export const operationJson = z.discriminatedUnion('kind', [
  operation.extend({ kind: z.literal('DISBURSED'), amount: minor }),
  operation.extend({
    kind: z.literal('REPAID'),
    amount: minor,
    method: z.string().max(32),
    isDownPayment: z.boolean().optional(),
  }),
  operation.extend({
    kind: z.literal('CREDITED'),
    amount: minor,
    type: z.string().max(64),
    prepayment: z.enum(PREPAYMENT_RULES).optional(),
  }),
  operation.extend({
    kind: z.literal('CHARGED_BACK'),
    amount: minor,
    restores: z.strictObject({ operation: id, order: z.array(z.enum(BUCKETS)).max(4) }).optional(),
  }),
  operation.extend({
    kind: z.literal('CHARGED'),
    bucket: z.enum(['fees', 'penalty']),
    amount: minor,
    due: day,
    type: z.string().max(64),
  }),
  operation.extend({ kind: z.literal('WAIVED'), bucket: z.enum(['interest', 'fees', 'penalty']), amount: minor }),
  operation.extend({ kind: z.literal('RATE_CHANGED'), annualRatePercent: percent }),
  operation.extend({ kind: z.literal('PREPAYMENT_RULE_SET'), rule: z.enum(PREPAYMENT_RULES) }),
  operation.extend({ kind: z.literal('REAMORTISED') }),
  operation.extend({
    kind: z.literal('REAGED'),
    instalments: z.int().min(1).max(600),
    frequency: z.strictObject({ every: z.int().min(1).max(366), unit: z.enum(FREQUENCY_UNITS) }),
    firstDueDate: day,
  }),
  operation.extend({
    kind: z.literal('RESCHEDULED'),
    instalments: z.int().min(1).max(600).optional(),
    annualRatePercent: percent.optional(),
    firstDueDate: day.optional(),
  }),
  operation.extend({ kind: z.literal('WRITTEN_OFF'), stillOwed: z.boolean().optional() }),
  operation.extend({ kind: z.literal('RECOVERED'), amount: minor }),
  operation.extend({ kind: z.literal('UNDONE'), operation: id }),
]);

/** The money leaves: from here on the terms hold. Ledger accounts of the loan, opened in the same commit. */
export const loanDisbursedV1 = z.strictObject({
  loan: id,
  terms: loanTermsJson,
  operation: operationJson,
  wallet: id,
  accounts: z.strictObject({ principal: id, interest: id, fees: id, penalty: id }),
  /** Day up to which interest and penalties are booked with it. */
  upTo: day,
  booked: bookedJson,
});
/** Anything that happened to the running loan; `repayment`: the report that it settles. */
export const loanOperatedV1 = z.strictObject({
  loan: id,
  operation: operationJson,
  repayment: id.optional(),
  reason: reason.optional(),
  /** Day up to which interest and penalties are booked with it. */
  upTo: day,
  booked: bookedJson,
});
/** Interest and penalties of the days up to `upTo` are earned. */
export const loanAccruedV1 = z.strictObject({ loan: id, upTo: day, booked: bookedJson });
/** Nothing is owed any more. */
export const loanPaidOffV1 = z.strictObject({ loan: id, date: day });
/** A later correction made it owe again. */
export const loanReopenedV1 = z.strictObject({ loan: id });
export const repaymentReportedV1 = z.strictObject({
  loan: id,
  repayment: id,
  amount: minor,
  method: z.string().max(32),
  paymentDate: day,
  reference: z.string().max(64),
  bankAccount: id.optional(),
  /** It settles the whole loan when it is verified. */
  payoff: z.boolean().optional(),
});
export const repaymentVerifiedV1 = z.strictObject({ loan: id, repayment: id, receivedAmount: minor, valueDate: day });
export const repaymentRejectedV1 = z.strictObject({ loan: id, repayment: id, reason });

export type BookedJson = z.infer<typeof bookedJson>;
export type OperationJson = z.infer<typeof operationJson>;
export type LoanRequested = DomainEvent<'loan-requested', z.infer<typeof loanRequestedV1>>;
export type LoanAssessed = DomainEvent<'loan-assessed', z.infer<typeof loanAssessedV1>>;
export type LoanApproved = DomainEvent<'loan-approved', z.infer<typeof loanApprovedV1>>;
export type LoanOfferSent = DomainEvent<'loan-offer-sent', z.infer<typeof loanOfferSentV1>>;
export type LoanOfferAccepted = DomainEvent<'loan-offer-accepted', z.infer<typeof loanOfferAcceptedV1>>;
export type LoanConditionsAccepted = DomainEvent<'loan-conditions-accepted', z.infer<typeof loanConditionsAcceptedV1>>;
export type LoanEnded = DomainEvent<'loan-ended', z.infer<typeof loanEndedV1>>;
export type LoanDisbursed = DomainEvent<'loan-disbursed', z.infer<typeof loanDisbursedV1>>;
export type LoanOperated = DomainEvent<'loan-operated', z.infer<typeof loanOperatedV1>>;
export type LoanAccrued = DomainEvent<'loan-accrued', z.infer<typeof loanAccruedV1>>;
export type LoanPaidOff = DomainEvent<'loan-paid-off', z.infer<typeof loanPaidOffV1>>;
export type LoanReopened = DomainEvent<'loan-reopened', z.infer<typeof loanReopenedV1>>;
export type RepaymentReported = DomainEvent<'repayment-reported', z.infer<typeof repaymentReportedV1>>;
export type RepaymentVerified = DomainEvent<'repayment-verified', z.infer<typeof repaymentVerifiedV1>>;
export type RepaymentRejected = DomainEvent<'repayment-rejected', z.infer<typeof repaymentRejectedV1>>;
export type LoanEvent =
  | LoanRequested
  | LoanAssessed
  | LoanApproved
  | LoanOfferSent
  | LoanOfferAccepted
  | LoanConditionsAccepted
  | LoanEnded
  | LoanDisbursed
  | LoanOperated
  | LoanAccrued
  | LoanPaidOff
  | LoanReopened
  | RepaymentReported
  | RepaymentVerified
  | RepaymentRejected;
