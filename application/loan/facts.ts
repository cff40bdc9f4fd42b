import type { EligibilityRule, LoanProductSettings, ScoringRule } from '../../domain/loan-product/events.js';
import type { LoanApplicant } from '../../domain/loan/applicant.js';
import type { LoanFacts } from '../../domain/loan/commands.js';
import { ExactDecimal, ROUND_HALF_EVEN, formatAmount } from '../../domain/shared/money.js';
import type { CustomerView } from '../ports/read-models.js';
import { type Fault, fault } from '../people/faults.js';
import { ageOn } from '../people/person-checks.js';

/**
 * What the rules of a product may look at, by name. Amounts are decimal text in major units of the product's currency. A
 * fact that is not known of somebody is absent, and no condition on it is met.
 */
export const FACTS = {
  age: 'Full years today',
  country: 'Of residence, ISO 3166-1 alpha-3',
  customerType: 'INDIVIDUAL or COMPANY',
  complianceStatus: 'Of his identification',
  employmentStatus: 'As he told it',
  monthlyIncome: 'As he told it',
  hasBvn: 'Whether he gave a Bank Verification Number',
  daysAsCustomer: 'Since his registration',
  loanAmount: 'What he asks for',
  loanDuration: 'In the product’s unit',
  instalmentToIncome: 'An equal instalment, by the month, to the monthly income: 0.25 is a quarter',
  activeLoans: 'Running loans with us',
  paidOffLoans: 'Loans that he paid off',
  writtenOffLoans: 'Loans that were given up',
  outstanding: 'What he owes on running loans in the same currency',
  daysOverdue: 'Of his oldest unpaid instalment, over all loans',
  walletBalance: 'Of his wallets in the same currency',
} as const;
type FactName = keyof typeof FACTS;

export interface FactSources {
  /** YYYY-MM-DD. */
  readonly today: string;
  readonly customer: CustomerView;
  readonly applicant: LoanApplicant;
  readonly settings: LoanProductSettings;
  readonly amount: bigint;
  readonly instalments: number;
  /** Minor units; null where it cannot be told. */
  readonly monthlyInstalment: bigint | null;
  readonly walletBalance: bigint;
  readonly loans: BorrowingHistory;
}

/** What somebody borrowed before, and how it went. */
export interface BorrowingHistory {
  readonly active: number;
  readonly paidOff: number;
  readonly writtenOff: number;
  readonly outstanding: bigint;
  readonly daysOverdue: number;
}

const RATIO_DECIMALS = 4;
const DAY_MS = 86_400_000;

export function factsOf(sources: FactSources): LoanFacts {
  const { today, customer, applicant, settings, amount, instalments, loans, walletBalance } = sources;
  const money = (minor: bigint): string => formatAmount(minor, settings.currency);
  const income = applicant.monthlyIncome === undefined ? undefined : BigInt(applicant.monthlyIncome);
  const ratio = ratioOf(sources.monthlyInstalment, income);
  const facts: Partial<Record<FactName, string>> = {
    age: String(ageOn(today, applicant.dateOfBirth)),
    country: applicant.country,
    customerType: customer.customerType,
    complianceStatus: customer.complianceStatus,
    employmentStatus: applicant.employmentStatus,
    ...(income === undefined ? {} : { monthlyIncome: money(income) }),
    hasBvn: String(applicant.bvn !== undefined),
    daysAsCustomer: String(daysBetween(customer.registeredAt.slice(0, 10), today)),
    loanAmount: money(amount),
    loanDuration: String(instalments * settings.frequency.every),
    ...(ratio === undefined ? {} : { instalmentToIncome: ratio }),
    activeLoans: String(loans.active),
    paidOffLoans: String(loans.paidOff),
    writtenOffLoans: String(loans.writtenOff),
    outstanding: money(loans.outstanding),
    daysOverdue: String(loans.daysOverdue),
    walletBalance: money(walletBalance),
  };
  const answers = applicant.answers.map(({ questionId, answer }) => [`answer:${questionId}`, answer] as const);
  return Object.fromEntries([...Object.entries(facts), ...answers]);
}

/** Rounded half-even to four decimals. */
function ratioOf(instalment: bigint | null, income: bigint | undefined): string | undefined {
  if (instalment === null || income === undefined || income === 0n) return undefined;
  const exact = new ExactDecimal(instalment.toString()).div(income.toString());
  return exact.toDecimalPlaces(RATIO_DECIMALS, ROUND_HALF_EVEN).toString();
}

function daysBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS));
}

const NUMERIC: ReadonlySet<string> = new Set(['GT', 'GTE', 'LT', 'LTE']);
const LISTS: ReadonlySet<string> = new Set(['IN', 'NOT_IN']);
const DECIMAL = /^-?\d{1,30}(?:\.\d{1,30})?$/;

/** Conditions that nobody could ever meet, or that could not be told. */
export function ruleFaults({ eligibility, scoring, questions }: LoanProductSettings): Fault[] {
  const asked = new Set(questions.map(({ questionId }) => `answer:${questionId}`));
  const faultsOf = (field: string, condition: EligibilityRule['must'] | ScoringRule['when']): Fault[] => {
    const { fact, operator, value } = condition;
    const faults: Fault[] = [];
    if (!Object.hasOwn(FACTS, fact) && !asked.has(fact)) {
      faults.push(fault(`${field}.fact`, 'UNKNOWN_FACT', `there is no fact ${fact}`));
    }
    const isList = typeof value !== 'string';
    if (isList !== LISTS.has(operator)) {
      faults.push(fault(`${field}.value`, 'INVALID_TYPE', 'IN and NOT_IN go with a list, the others with one value'));
    } else if (!isList && NUMERIC.has(operator) && !DECIMAL.test(value)) {
      faults.push(fault(`${field}.value`, 'NOT_A_NUMBER', `${operator} compares numbers`));
    }
    return faults;
  };
  return [
    ...eligibility.flatMap(({ must }, i) => faultsOf(`eligibility.rules.${i}`, must)),
    ...scoring.rules.flatMap(({ when }, i) => faultsOf(`scoring.rules.${i}`, when)),
  ];
}
