import type { EligibilityRule, LoanProductSettings, ScoringRule } from '../../domain/loan-product/events.js';
import { BUCKETS, DEFAULT_ALLOCATION } from '../../domain/loan/terms.js';
import { ExactDecimal, currencyExponent } from '../../domain/shared/money.js';
import { type Fault, fault } from '../people/faults.js';

/** What must be said of a product; everything else has a default that lends sensibly. Amounts are minor units as text. */
export type ProductDescription = Pick<LoanProductSettings, 'name' | 'currency' | 'annualRatePercent'> &
  Partial<Omit<LoanProductSettings, 'name' | 'currency' | 'annualRatePercent'>>;

/** 1,000 and 1,000,000 units of the currency. */
const MIN_UNITS = 1_000n;
const MAX_UNITS = 1_000_000n;
/** No loan costs more a year (domain/loan/decide-application.ts). */
export const MAX_RATE_PERCENT = 1_000;

/** Everybody of age. The names are read again by the wire (http/lending/product-rules.ts). */
const DEFAULT_ELIGIBILITY: readonly EligibilityRule[] = [
  { name: 'minimum-age', must: { fact: 'age', operator: 'GTE', value: '18' } },
];

/** Facts are application/loan/facts.ts's. Who is in arrears is refused; the other points only sort the review queue. */
const DEFAULT_SCORING: { readonly rules: readonly ScoringRule[]; readonly high: number; readonly low: number } = {
  rules: [
    { name: 'identity-approved', when: { fact: 'complianceStatus', operator: 'EQ', value: 'APPROVED' }, points: 20 },
    {
      name: 'has-work',
      when: { fact: 'employmentStatus', operator: 'IN', value: ['EMPLOYED', 'SALARIED', 'SELF_EMPLOYED'] },
      points: 20,
    },
    {
      name: 'instalment-within-a-third-of-income',
      when: { fact: 'instalmentToIncome', operator: 'LTE', value: '0.3334' },
      points: 30,
    },
    { name: 'paid-off-before', when: { fact: 'paidOffLoans', operator: 'GTE', value: '1' }, points: 20 },
    { name: 'in-arrears', when: { fact: 'daysOverdue', operator: 'GT', value: '0' }, points: -200 },
  ],
  high: 0,
  low: 50,
};

/** A description made whole. */
export function productSettings(described: ProductDescription): LoanProductSettings {
  const unit = 10n ** BigInt(currencyExponent(described.currency) ?? 2);
  const { rules, ...bands } = DEFAULT_SCORING;
  return {
    description: '',
    minAmount: (MIN_UNITS * unit).toString(),
    maxAmount: (MAX_UNITS * unit).toString(),
    minInstalments: 1,
    maxInstalments: 36,
    schedule: 'EQUAL_INSTALMENTS',
    frequency: { every: 1, unit: 'MONTHS' },
    dayCount: '30/360',
    interestBy: 'PERIOD',
    recalculates: true,
    graceOnPrincipal: 0,
    graceOnInterest: 0,
    interestFreePeriods: 0,
    rounding: { multiple: '1', mode: 'HALF_EVEN' },
    fees: [],
    prepayment: 'NEXT_INSTALMENT',
    allocation: {
      walk: DEFAULT_ALLOCATION.walk,
      due: [...DEFAULT_ALLOCATION.due],
      inAdvance: [...DEFAULT_ALLOCATION.inAdvance],
    },
    disbursement: 'AUTOMATIC',
    offerDays: 14,
    writeOffAfterDays: 90,
    repaymentMethods: ['BANK_TRANSFER', 'WALLET'],
    thirdPartyCollection: false,
    bvnRequired: false,
    questions: [],
    eligibility: [...DEFAULT_ELIGIBILITY],
    scoring: { rules: [...rules], ...bands },
    ...described,
  };
}

/** What is wrong with a product as a whole; its members are right one by one. Fields are named as on the wire. */
export function productFaults(settings: LoanProductSettings): Fault[] {
  return [
    ...limitFaults(settings),
    ...rateFaults(settings),
    ...scheduleFaults(settings),
    ...chargeFaults(settings),
    ...listFaults(settings),
    ...(settings.scoring.high > settings.scoring.low
      ? [fault('scoring.lowRiskFrom', 'INVALID_RANGE', 'low risk begins above high risk')]
      : []),
  ];
}

function limitFaults({ minAmount, maxAmount, minInstalments, maxInstalments }: LoanProductSettings): Fault[] {
  return [
    ...(BigInt(minAmount) <= 0n ? [fault('minAmount', 'AMOUNT_OUT_OF_RANGE', 'must be greater than zero')] : []),
    ...(BigInt(minAmount) > BigInt(maxAmount)
      ? [fault('minAmount', 'INVALID_RANGE', 'minAmount is above maxAmount')]
      : []),
    ...(minInstalments > maxInstalments ? [fault('minTenure', 'INVALID_RANGE', 'minTenure is above maxTenure')] : []),
  ];
}

/** The rate that the product names lies between those that an approval may set. */
function rateFaults({ annualRatePercent, minRatePercent, maxRatePercent }: LoanProductSettings): Fault[] {
  const rate = new ExactDecimal(annualRatePercent);
  return [
    ...(rate.gt(MAX_RATE_PERCENT)
      ? [fault('interestRate', 'OUT_OF_RANGE', `is at most ${MAX_RATE_PERCENT} percent a year`)]
      : []),
    ...(minRatePercent !== undefined && rate.lt(minRatePercent)
      ? [fault('minInterestRate', 'INVALID_RANGE', 'minInterestRate is above interestRate')]
      : []),
    ...(maxRatePercent !== undefined && rate.gt(maxRatePercent)
      ? [fault('maxInterestRate', 'INVALID_RANGE', 'maxInterestRate is below interestRate')]
      : []),
  ];
}

/** The rules of a schedule: which members go with which type. */
function scheduleFaults(settings: LoanProductSettings): Fault[] {
  const { schedule, balloonPercent, downPaymentPercent, graceOnPrincipal, graceOnInterest, minInstalments } = settings;
  const faults: Fault[] = [];
  if ((schedule === 'BALLOON') !== (balloonPercent !== undefined)) {
    const code = balloonPercent === undefined ? 'REQUIRED' : 'INVALID';
    faults.push(fault('balloonPercent', code, 'goes with amortisation BALLOON, which needs it'));
  }
  for (const [field, share] of [
    ['balloonPercent', balloonPercent],
    ['downPaymentPercent', downPaymentPercent],
  ] as const) {
    if (share !== undefined && (isZero(share) || !new ExactDecimal(share).lt(100))) {
      faults.push(fault(field, 'OUT_OF_RANGE', 'is a share above 0 and below 100 percent'));
    }
  }
  for (const [field, periods] of [
    ['graceOnPrincipal', graceOnPrincipal],
    ['graceOnInterest', graceOnInterest],
    ['interestFreePeriods', settings.interestFreePeriods],
  ] as const) {
    const most = field === 'interestFreePeriods' ? minInstalments : minInstalments - 1;
    if (periods > most) faults.push(fault(field, 'OUT_OF_RANGE', 'is longer than the shortest loan allows'));
  }
  if (BigInt(settings.rounding.multiple) <= 0n) {
    faults.push(fault('rounding.multiple', 'AMOUNT_OUT_OF_RANGE', 'must be greater than zero'));
  }
  return faults;
}

/** FIXED has an amount, PERCENT a percentage, and neither has the other's. */
export function chargeFaults({ fees, penalty }: Pick<LoanProductSettings, 'fees' | 'penalty'>): Fault[] {
  const charges = fees.map((fee, i) => ({ at: `fees.${i}`, charge: fee }));
  const all = penalty === undefined ? charges : [...charges, { at: 'penalty', charge: penalty }];
  return all.flatMap(({ at, charge: { kind, amount, percent } }) => {
    const [member, value, other] =
      kind === 'FIXED' ? (['amount', amount, percent] as const) : (['percentage', percent, amount] as const);
    if (value === undefined) return [fault(`${at}.${member}`, 'REQUIRED', `is required where type is ${kind}`)];
    if (other !== undefined) return [fault(`${at}.type`, 'AMBIGUOUS', 'has both an amount and a percentage')];
    if (isZero(value)) return [fault(`${at}.${member}`, 'OUT_OF_RANGE', 'must be greater than zero')];
    return kind === 'PERCENT' && new ExactDecimal(value).gt(100)
      ? [fault(`${at}.percentage`, 'OUT_OF_RANGE', 'is at most 100 percent')]
      : [];
  });
}

/** Lists in which nothing may stand twice; questions that can be answered. */
function listFaults({ allocation, repaymentMethods, questions, eligibility, scoring, fees }: LoanProductSettings) {
  const faults: Fault[] = [];
  const once = (field: string, names: readonly string[]): void => {
    if (new Set(names).size < names.length) faults.push(fault(field, 'DUPLICATE', 'has something twice'));
  };
  for (const [field, order] of [
    ['allocationOrder', allocation.due],
    ['allocationInAdvance', allocation.inAdvance],
  ] as const) {
    if (!BUCKETS.every((bucket) => order.includes(bucket))) {
      faults.push(fault(field, 'INVALID_VALUE', 'names each of penalty, fees, interest and principal once'));
    }
  }
  once('repaymentMethods', repaymentMethods);
  once(
    'fees',
    fees.map(({ name }) => name),
  );
  once(
    'eligibility.rules',
    eligibility.map(({ name }) => name),
  );
  once(
    'scoring.rules',
    scoring.rules.map(({ name }) => name),
  );
  return [...faults, ...questionFaults(questions)];
}

/** A SELECT has options to choose from, other questions have none; ids are unique. */
export function questionFaults(questions: LoanProductSettings['questions']): Fault[] {
  const ids = questions.map(({ questionId }) => questionId);
  const twice = ids.flatMap((id, i) =>
    ids.indexOf(id) < i ? [fault(`questions.${i}.questionId`, 'DUPLICATE', 'is the id of another question')] : [],
  );
  const options = questions.flatMap(({ type, options: choices }, i) => {
    if (type === 'SELECT' && choices.length === 0) {
      return [fault(`questions.${i}.options`, 'REQUIRED', 'a SELECT has options')];
    }
    return type !== 'SELECT' && choices.length > 0
      ? [fault(`questions.${i}.options`, 'INVALID', 'only a SELECT has options')]
      : [];
  });
  return [...twice, ...options];
}

const isZero = (decimal: string): boolean => /^[0.]*$/.test(decimal);
