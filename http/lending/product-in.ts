import { z } from 'zod';
import { type ProductDescription, productFaults, productSettings } from '../../application/loan/product-settings.js';
import { ruleFaults } from '../../application/loan/facts.js';
import { present } from '../../application/people/person-checks.js';
import { type LoanProductSettings, REPAYMENT_METHODS } from '../../domain/loan-product/events.js';
import { feeToJson, penaltyToJson } from '../../domain/loan/terms-json.js';
import { type Bucket, DAY_COUNTS, PREPAYMENT_RULES, ROUNDING_MODES } from '../../domain/loan/terms.js';
import { Findings, amountIn } from '../amounts.js';
import { RequestFailed, failure } from '../problem.js';
import { amount, currencyCode } from '../schemas.js';
import { feesIn, penaltyOf } from './charges.js';
import { amortisation, amortisationIn, feeIn, penaltyIn, percentIn, tenureUnit, wholeNumber } from './pieces.js';
import { eligibilityIn, eligibilityOf, questionIn, questionsOf, scoringIn, scoringOf } from './product-rules.js';

/** A loan product as it comes in; what is absent has a default that lends sensibly, or stays as it was. */
export const BUCKET_WORDS = ['PENALTY', 'FEES', 'INTEREST', 'PRINCIPAL'] as const;
type BucketWord = (typeof BUCKET_WORDS)[number];
export const bucketOrder = z.array(z.enum(BUCKET_WORDS)).length(BUCKET_WORDS.length);
const wordIn = (word: BucketWord): Bucket => word.toLowerCase() as Bucket;

const MAX_PERIODS = 600;
const members = {
  description: z.string().trim().max(2000).optional(),
  minAmount: amount.optional(),
  maxAmount: amount.optional(),
  minTenure: wholeNumber(1, 10_000).optional().meta({ description: 'In `tenureUnit`' }),
  maxTenure: wholeNumber(1, 10_000).optional(),
  tenureUnit: tenureUnit.optional(),
  repaymentEvery: wholeNumber(1, 366)
    .optional()
    .meta({ description: 'Units between two instalments: 3 with MONTHS is quarterly. Tenures are multiples of it' }),
  minInterestRate: percentIn.optional().meta({ description: 'An approval may set another rate down to this one' }),
  maxInterestRate: percentIn.optional(),
  amortisation: amortisation.optional(),
  dayCount: z.enum(DAY_COUNTS).optional(),
  interestBy: z.enum(['PERIOD', 'DAILY']).optional(),
  recalculatesInterest: z.boolean().optional().meta({
    description:
      'Whether early and late payment change the interest (the default), and paying off costs it up to the day; never with FLAT',
  }),
  graceOnPrincipal: wholeNumber(0, MAX_PERIODS).optional(),
  graceOnInterest: wholeNumber(0, MAX_PERIODS).optional(),
  interestFreePeriods: wholeNumber(0, MAX_PERIODS).optional(),
  rounding: z.strictObject({ multiple: amount, mode: z.enum(ROUNDING_MODES).default('HALF_EVEN') }).optional(),
  balloonPercent: percentIn.optional(),
  downPaymentPercent: percentIn.optional(),
  fees: z.array(feeIn).max(20).optional(),
  penalty: penaltyIn.optional(),
  prepaymentRule: z.enum(PREPAYMENT_RULES).optional(),
  allocationBy: z.enum(['INSTALMENT', 'BUCKET']).optional(),
  allocationOrder: bucketOrder.optional(),
  allocationInAdvance: bucketOrder.optional(),
  disbursement: z.enum(['AUTOMATIC', 'MANUAL']).optional(),
  offerDays: wholeNumber(1, 366).optional(),
  writeOffAfterDays: wholeNumber(0, 3660).optional(),
  repaymentMethods: z.array(z.enum(REPAYMENT_METHODS)).min(1).max(REPAYMENT_METHODS.length).optional(),
  thirdPartyCollection: z.boolean().optional(),
  bvnRequired: z.boolean().optional(),
  eligibilityQuestions: z.array(questionIn).max(50).optional(),
  eligibility: eligibilityIn.optional(),
  scoring: scoringIn.optional(),
};
const name = z.string().trim().min(1).max(512);
export const newProduct = z.strictObject({ name, currencyCode, interestRate: percentIn, ...members });
/** Absent members stay; null takes away what a product may be without. */
export const changedProduct = z.strictObject({
  ...newProduct.partial().shape,
  penalty: penaltyIn.nullable().optional(),
  balloonPercent: percentIn.nullable().optional(),
  downPaymentPercent: percentIn.nullable().optional(),
  minInterestRate: percentIn.nullable().optional(),
  maxInterestRate: percentIn.nullable().optional(),
});
type Wire = z.output<typeof changedProduct>;

/** The settings of a new product, or of an old one with the change laid over it; fails with all that is wrong. */
export function settingsIn(wire: Wire, before: LoanProductSettings | undefined): LoanProductSettings {
  const findings = new Findings();
  const currency = wire.currencyCode ?? before?.currency ?? '';
  // Amounts of another currency would silently become something else.
  if (before !== undefined && currency !== before.currency) {
    findings.add('currencyCode', 'UNCHANGEABLE', 'cannot be changed: make another product');
    findings.throwIfAny();
  }
  const described = { ...before, ...plainIn(wire), ...moneyIn(wire, currency, findings), ...structureIn(wire, before) };
  const tenure = tenureIn(wire, before, findings);
  findings.throwIfAny();
  // A new product's body has its name, currency and rate: its schema has seen to that.
  const settings = productSettings(withoutNulls(wire, { ...described, ...tenure, currency } as ProductDescription));
  const faults = [...productFaults(settings), ...ruleFaults(settings)];
  if (faults.length > 0) {
    throw new RequestFailed(failure('VALIDATION_ERROR', 'Validation failed', { errors: faults }));
  }
  return settings;
}

function plainIn(wire: Wire) {
  return present({
    name: wire.name,
    description: wire.description,
    annualRatePercent: wire.interestRate,
    minRatePercent: wire.minInterestRate ?? undefined,
    maxRatePercent: wire.maxInterestRate ?? undefined,
    schedule: wire.amortisation === undefined ? undefined : amortisationIn(wire.amortisation),
    dayCount: wire.dayCount,
    interestBy: wire.interestBy,
    recalculates: wire.recalculatesInterest,
    graceOnPrincipal: wire.graceOnPrincipal,
    graceOnInterest: wire.graceOnInterest,
    interestFreePeriods: wire.interestFreePeriods,
    balloonPercent: wire.balloonPercent ?? undefined,
    downPaymentPercent: wire.downPaymentPercent ?? undefined,
    prepayment: wire.prepaymentRule,
    disbursement: wire.disbursement,
    offerDays: wire.offerDays,
    writeOffAfterDays: wire.writeOffAfterDays,
    repaymentMethods: wire.repaymentMethods,
    thirdPartyCollection: wire.thirdPartyCollection,
    bvnRequired: wire.bvnRequired,
  });
}

function moneyIn({ minAmount, maxAmount, fees, penalty, rounding }: Wire, currency: string, findings: Findings) {
  const minor = (given: z.output<typeof amount> | undefined, field: string): string | undefined =>
    given === undefined ? undefined : amountIn(given, currency, field, findings).toString();
  const multiple = minor(rounding?.multiple, 'rounding.multiple');
  return present({
    minAmount: minor(minAmount, 'minAmount'),
    maxAmount: minor(maxAmount, 'maxAmount'),
    fees: fees === undefined ? undefined : feesIn(fees, currency, findings).map(feeToJson),
    penalty: penalty == null ? undefined : penaltyToJson(penaltyOf(penalty, currency, findings)),
    rounding: rounding === undefined || multiple === undefined ? undefined : { mode: rounding.mode, multiple },
  });
}

function structureIn(wire: Wire, before: LoanProductSettings | undefined) {
  const { allocationBy, allocationOrder, allocationInAdvance, eligibilityQuestions, eligibility, scoring } = wire;
  const due = allocationOrder?.map(wordIn);
  const own = present({
    walk: allocationBy === undefined ? undefined : allocationBy === 'INSTALMENT' ? 'BY_INSTALMENT' : 'BY_BUCKET',
    due,
    // What is said of payments in advance holds; else they go the same way.
    inAdvance: allocationInAdvance?.map(wordIn) ?? due,
  } as const);
  const allocation =
    Object.keys(own).length === 0
      ? undefined
      : { ...(before?.allocation ?? productSettings(NOTHING).allocation), ...own };
  return present({
    allocation,
    questions: eligibilityQuestions === undefined ? undefined : questionsOf(eligibilityQuestions),
    eligibility: eligibility === undefined ? undefined : eligibilityOf(eligibility),
    scoring: scoring === undefined ? undefined : scoringOf(scoring),
  });
}

/** For the defaults of members that do not depend on the others. */
const NOTHING = { name: '', currency: 'USD', annualRatePercent: '0' };

/** Tenures count the unit, instalments the periods of `repaymentEvery` units. */
function tenureIn(wire: Wire, before: LoanProductSettings | undefined, findings: Findings) {
  const fallback = before ?? productSettings(NOTHING);
  const every = wire.repaymentEvery ?? fallback.frequency.every;
  const unit = wire.tenureUnit ?? fallback.frequency.unit;
  const instalments = (tenure: number | undefined, old: number, field: string): number => {
    if (tenure === undefined) return old;
    if (tenure % every !== 0) findings.add(field, 'NOT_A_MULTIPLE', `is not a multiple of repaymentEvery (${every})`);
    if (tenure / every > MAX_PERIODS) findings.add(field, 'TOO_LARGE', `has more than ${MAX_PERIODS} instalments`);
    return Math.max(1, Math.floor(tenure / every));
  };
  return {
    frequency: { every, unit },
    minInstalments: instalments(wire.minTenure, fallback.minInstalments, 'minTenure'),
    maxInstalments: instalments(wire.maxTenure, fallback.maxInstalments, 'maxTenure'),
  };
}

/** Members that a product may be without, by their wire names. */
const REMOVABLE = {
  penalty: 'penalty',
  balloonPercent: 'balloonPercent',
  downPaymentPercent: 'downPaymentPercent',
  minInterestRate: 'minRatePercent',
  maxInterestRate: 'maxRatePercent',
} as const;

function withoutNulls(wire: Wire, described: ProductDescription): ProductDescription {
  const gone = new Set<string>(
    (Object.keys(REMOVABLE) as ReadonlyArray<keyof typeof REMOVABLE>)
      .filter((member) => wire[member] === null)
      .map((member) => REMOVABLE[member]),
  );
  const kept = Object.entries(described).filter(([member]) => !gone.has(member));
  return Object.fromEntries(kept) as unknown as ProductDescription;
}
