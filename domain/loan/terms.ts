/**
 * What a loan is agreed upon: all that its schedule and every later computation depend on. A running loan keeps the terms
 * it was made with; changes are operations (operations.ts). Amounts are minor units; rates are decimal text in percent a
 * year (`12.5` is 12.5 %). Made of JSON values, so that it stands in events as it is (amounts as decimal text there).
 */
export const SCHEDULE_TYPES = [
  /** Equal instalments on the reducing balance (annuity). */
  'EQUAL_INSTALMENTS',
  /** Interest on the original principal for the whole term, in equal parts. */
  'FLAT',
  /** Equal principal, interest on the reducing balance. */
  'EQUAL_PRINCIPAL',
  /** Everything at the end. */
  'BULLET',
  /** Interest each period, the principal at the end. */
  'INTEREST_ONLY',
  /** Equal instalments down to a last payment of `balloon`. */
  'BALLOON',
] as const;
export type ScheduleType = (typeof SCHEDULE_TYPES)[number];

export const DAY_COUNTS = ['30/360', 'ACT/365', 'ACT/360', 'ACT/ACT'] as const;
export type DayCount = (typeof DAY_COUNTS)[number];

export const FREQUENCY_UNITS = ['DAYS', 'WEEKS', 'MONTHS', 'YEARS'] as const;
export type FrequencyUnit = (typeof FREQUENCY_UNITS)[number];
export interface Frequency {
  readonly every: number;
  readonly unit: FrequencyUnit;
}

export const ROUNDING_MODES = ['HALF_EVEN', 'HALF_UP', 'UP', 'DOWN'] as const;
export type RoundingMode = (typeof ROUNDING_MODES)[number];
export interface InstalmentRounding {
  /** Instalments are multiples of this many minor units (1: cents; 100: whole units of a currency of two decimals). */
  readonly multiple: bigint;
  readonly mode: RoundingMode;
}

/** How a schedule follows what happens. */
export const SCHEDULINGS = [
  /** Each happening changes only what comes after it; payments settle the schedule as it was when they came. */
  'PROGRESSIVE',
  /** One schedule of all disbursements, those to come too; payments settle it from the first one on. */
  'CUMULATIVE',
] as const;
export type Scheduling = (typeof SCHEDULINGS)[number];

export const BUCKETS = ['principal', 'interest', 'fees', 'penalty'] as const;
export type Bucket = (typeof BUCKETS)[number];
/** Minor units by bucket. */
export type ByBucket = { readonly [B in Bucket]: bigint };

export interface LoanFee {
  readonly name: string;
  /** UPFRONT: taken at disbursement. INSTALMENT: with each instalment. */
  readonly when: 'UPFRONT' | 'INSTALMENT';
  /** FIXED: minor units. PERCENT: decimal text, of the principal (UPFRONT) or of the instalment's principal and interest. */
  readonly kind: 'FIXED' | 'PERCENT';
  readonly amount?: bigint;
  readonly percent?: string;
}

export interface LoanPenalty {
  /** Days after the due date before a penalty is charged. */
  readonly graceDays: number;
  /** FLAT: once per overdue instalment. DAILY: for each day overdue. */
  readonly when: 'FLAT' | 'DAILY';
  readonly kind: 'FIXED' | 'PERCENT';
  readonly amount?: bigint;
  /** Decimal text, of the overdue principal and interest of the instalment; DAILY: a day. */
  readonly percent?: string;
  /** Most that is charged for one instalment. */
  readonly cap?: bigint;
}

/** What becomes of an amount that is paid before it is due. */
export const PREPAYMENT_RULES = [
  /** The next instalments are paid first. */
  'NEXT_INSTALMENT',
  /** The last instalments are paid first: the loan ends earlier. */
  'SHORTEN',
  /** Spread over all remaining instalments: each becomes smaller. */
  'REDUCE',
  /** The remaining schedule is computed anew on the smaller balance. */
  'REAMORTISE',
] as const;
export type PrepaymentRule = (typeof PREPAYMENT_RULES)[number];

/** In which order a payment settles what it meets. */
export interface Allocation {
  /** Of what is past due or due now. `BY_INSTALMENT`: the oldest instalment's buckets first; `BY_BUCKET`: one bucket of all instalments first. */
  readonly walk: 'BY_INSTALMENT' | 'BY_BUCKET';
  readonly due: readonly Bucket[];
  /** Of what is not due yet; the same as `due` where not said. */
  readonly inAdvance: readonly Bucket[];
}

export interface LoanTerms {
  readonly currency: string;
  readonly principal: bigint;
  readonly annualRatePercent: string;
  readonly schedule: ScheduleType;
  readonly instalments: number;
  readonly frequency: Frequency;
  readonly dayCount: DayCount;
  /**
   * PERIOD: a whole period is one unit (a month a twelfth of a year, a week a 52nd), a part of it counts by days of it; a
   * first period of another length counts by the day count, but for 30/360. DAILY: by the day count.
   */
  readonly interestBy: 'PERIOD' | 'DAILY';
  /** Whether interest follows what is really outstanding day by day (early and late payment change it). */
  readonly recalculates: boolean;
  /** Instalments at the beginning without principal, and without interest being asked for (it is due later). */
  readonly graceOnPrincipal: number;
  readonly graceOnInterest: number;
  /** Periods at the beginning that bear no interest at all. */
  readonly interestFreePeriods: number;
  readonly rounding: InstalmentRounding;
  /** BALLOON: the last payment of principal. */
  readonly balloon?: bigint;
  /** Decimal text: this share of the principal is due on the day of disbursement, as an instalment of its own. */
  readonly downPaymentPercent?: string;
  readonly fees: readonly LoanFee[];
  readonly penalty?: LoanPenalty;
  readonly prepayment: PrepaymentRule;
  readonly allocation: Allocation;
  /** YYYY-MM-DD; default: one period after the disbursement. */
  readonly firstDueDate?: string;
  /** Where the first period begins if the money goes out within it; default: with the first disbursement. */
  readonly startDate?: string;
  /** Default: PROGRESSIVE. */
  readonly scheduling?: Scheduling;
  /** EQUAL_INSTALMENTS: this much each time until the loan is repaid; `instalments` is then the most there may be. */
  readonly instalmentAmount?: bigint;
}

/** The order of the documents' platform decision 9.7: penalty, fees, interest, principal, oldest instalment first. */
export const DEFAULT_ALLOCATION: Allocation = {
  walk: 'BY_INSTALMENT',
  due: ['penalty', 'fees', 'interest', 'principal'],
  inAdvance: ['penalty', 'fees', 'interest', 'principal'],
};
