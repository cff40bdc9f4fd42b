import { z } from 'zod';
import { type LoanProductSettings, PRODUCT_STATUSES, REPAYMENT_METHODS } from '../../domain/loan-product/events.js';
import { feeFromJson, penaltyFromJson } from '../../domain/loan/terms-json.js';
import { type Bucket, DAY_COUNTS, PREPAYMENT_RULES, ROUNDING_MODES } from '../../domain/loan/terms.js';
import type { LoanProductView } from '../../application/ports/lending-read-models.js';
import { amountOut } from '../amounts.js';
import { EXAMPLE } from '../ledger/examples.js';
import { amountShown } from '../schemas.js';
import { feeOut, penaltyOut } from './charges.js';
import { LOANS } from './examples.js';
import {
  amortisation,
  amortisationOut,
  feeShown,
  penaltyShown,
  percentOut,
  percentShown,
  tenureUnit,
} from './pieces.js';
import { BUCKET_WORDS } from './product-in.js';
import { eligibilityOut, eligibilityShown, questionShown, scoringOut, scoringShown } from './product-rules.js';

/** What everybody may see of a product. */
export const productShape = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    currencyCode: z.string(),
    minAmount: amountShown,
    maxAmount: amountShown,
    interestRate: percentShown.meta({ description: 'Percent a year' }),
    amortisation,
    minTenure: z.int(),
    maxTenure: z.int(),
    tenureUnit,
    repaymentEvery: z.int(),
    fees: z.array(feeShown),
    penalty: penaltyShown.nullable(),
    repaymentMethods: z.array(z.enum(REPAYMENT_METHODS)),
    earlyPayoff: z.literal(true).meta({ description: 'A loan may be paid off at any time' }),
    prepaymentRule: z.enum(PREPAYMENT_RULES),
    thirdPartyCollection: z.boolean(),
    bvnRequired: z.boolean(),
  })
  .meta({ id: 'LoanProduct' });

const word = z.enum(BUCKET_WORDS);
/** A product as staff see it. */
export const staffProductShape = productShape
  .extend({
    status: z.enum(PRODUCT_STATUSES),
    version: z.int(),
    minInterestRate: percentShown.nullable(),
    maxInterestRate: percentShown.nullable(),
    dayCount: z.enum(DAY_COUNTS),
    interestBy: z.enum(['PERIOD', 'DAILY']),
    recalculatesInterest: z.boolean(),
    graceOnPrincipal: z.int(),
    graceOnInterest: z.int(),
    interestFreePeriods: z.int(),
    rounding: z.object({ multiple: amountShown, mode: z.enum(ROUNDING_MODES) }),
    balloonPercent: percentShown.nullable(),
    downPaymentPercent: percentShown.nullable(),
    allocationBy: z.enum(['INSTALMENT', 'BUCKET']),
    allocationOrder: z.array(word),
    allocationInAdvance: z.array(word),
    disbursement: z.enum(['AUTOMATIC', 'MANUAL']),
    offerDays: z.int(),
    writeOffAfterDays: z.int(),
    eligibilityQuestions: z.array(questionShown),
    eligibility: eligibilityShown,
    scoring: scoringShown,
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'LoanProductForStaff' });

export function productOut({ productId, settings }: LoanProductView) {
  const { currency, frequency, fees, penalty } = settings;
  return {
    id: productId,
    name: settings.name,
    description: settings.description,
    currencyCode: currency,
    minAmount: amountOut(settings.minAmount, currency),
    maxAmount: amountOut(settings.maxAmount, currency),
    interestRate: percentOut(settings.annualRatePercent),
    amortisation: amortisationOut(settings.schedule),
    minTenure: settings.minInstalments * frequency.every,
    maxTenure: settings.maxInstalments * frequency.every,
    tenureUnit: frequency.unit,
    repaymentEvery: frequency.every,
    fees: fees.map((fee) => feeOut(feeFromJson(fee), currency)),
    penalty: penalty === undefined ? null : penaltyOut(penaltyFromJson(penalty), currency),
    repaymentMethods: settings.repaymentMethods,
    earlyPayoff: true,
    prepaymentRule: settings.prepayment,
    thirdPartyCollection: settings.thirdPartyCollection,
    bvnRequired: settings.bvnRequired,
  };
}

export function staffProductOut(product: LoanProductView) {
  const { settings, status, version, createdAt, updatedAt } = product;
  const { allocation, rounding, balloonPercent, downPaymentPercent } = settings;
  return {
    ...productOut(product),
    status,
    version,
    minInterestRate: optionalPercent(settings.minRatePercent),
    maxInterestRate: optionalPercent(settings.maxRatePercent),
    dayCount: settings.dayCount,
    interestBy: settings.interestBy,
    recalculatesInterest: settings.recalculates,
    graceOnPrincipal: settings.graceOnPrincipal,
    graceOnInterest: settings.graceOnInterest,
    interestFreePeriods: settings.interestFreePeriods,
    rounding: { multiple: amountOut(rounding.multiple, settings.currency), mode: rounding.mode },
    balloonPercent: optionalPercent(balloonPercent),
    downPaymentPercent: optionalPercent(downPaymentPercent),
    allocationBy: allocation.walk === 'BY_INSTALMENT' ? 'INSTALMENT' : 'BUCKET',
    allocationOrder: allocation.due.map(wordOut),
    allocationInAdvance: allocation.inAdvance.map(wordOut),
    disbursement: settings.disbursement,
    offerDays: settings.offerDays,
    writeOffAfterDays: settings.writeOffAfterDays,
    eligibilityQuestions: settings.questions,
    eligibility: eligibilityOut(settings.eligibility),
    scoring: scoringOut(settings.scoring),
    createdAt,
    updatedAt,
  };
}

const optionalPercent = (text: string | undefined) => (text === undefined ? null : percentOut(text));
const wordOut = (bucket: Bucket) => bucket.toUpperCase() as (typeof BUCKET_WORDS)[number];

/** Shown by the documentation: what the tests' product looks like. */
const SETTINGS_EXAMPLE: LoanProductSettings = {
  name: 'Salary advance',
  description: 'For people with a regular income',
  currency: 'NGN',
  minAmount: '1000000',
  maxAmount: '50000000',
  minInstalments: 1,
  maxInstalments: 24,
  annualRatePercent: '12.5',
  schedule: 'EQUAL_INSTALMENTS',
  frequency: { every: 1, unit: 'MONTHS' },
  dayCount: '30/360',
  interestBy: 'PERIOD',
  recalculates: true,
  graceOnPrincipal: 0,
  graceOnInterest: 0,
  interestFreePeriods: 0,
  rounding: { multiple: '1', mode: 'HALF_EVEN' },
  fees: [{ name: 'Processing', when: 'UPFRONT', kind: 'FIXED', amount: '50000' }],
  penalty: { graceDays: 3, when: 'FLAT', kind: 'PERCENT', percent: '1' },
  prepayment: 'NEXT_INSTALMENT',
  allocation: {
    walk: 'BY_INSTALMENT',
    due: ['penalty', 'fees', 'interest', 'principal'],
    inAdvance: ['penalty', 'fees', 'interest', 'principal'],
  },
  disbursement: 'AUTOMATIC',
  offerDays: 14,
  writeOffAfterDays: 90,
  repaymentMethods: ['BANK_TRANSFER', 'WALLET'],
  thirdPartyCollection: false,
  bvnRequired: false,
  questions: [
    {
      questionId: 'purpose',
      question: 'What is the loan for?',
      type: 'SELECT',
      options: ['SCHOOL', 'RENT', 'OTHER'],
      required: true,
    },
  ],
  eligibility: [{ name: 'minimum-age', must: { fact: 'age', operator: 'GTE', value: '18' } }],
  scoring: {
    rules: [{ name: 'has-work', when: { fact: 'employmentStatus', operator: 'EQ', value: 'EMPLOYED' }, points: 50 }],
    high: 0,
    low: 50,
  },
};
const PRODUCT_VIEW_EXAMPLE: LoanProductView = {
  productId: LOANS.productId,
  version: 1,
  status: 'ACTIVE',
  settings: SETTINGS_EXAMPLE,
  createdAt: EXAMPLE.at,
  updatedAt: EXAMPLE.at,
};
export const PRODUCT_EXAMPLE = productOut(PRODUCT_VIEW_EXAMPLE);
export const STAFF_PRODUCT_EXAMPLE = staffProductOut(PRODUCT_VIEW_EXAMPLE);
/** The body that makes it. */
export const NEW_PRODUCT_EXAMPLE = {
  name: 'Salary advance',
  description: 'For people with a regular income',
  currencyCode: 'NGN',
  interestRate: 12.5,
  minAmount: 10_000,
  maxAmount: 500_000,
  maxTenure: 24,
  fees: [{ name: 'Processing', type: 'FIXED', amount: 500 }],
  penalty: { graceDays: 3, type: 'PERCENTAGE', percentage: 1 },
  eligibilityQuestions: [
    {
      questionId: 'purpose',
      question: 'What is the loan for?',
      type: 'SELECT',
      options: ['SCHOOL', 'RENT', 'OTHER'],
    },
  ],
};
