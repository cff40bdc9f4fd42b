/** Loans and their products as facts of `given`: made by the commands themselves, up to the step that is asked for. */
import type { CommandPayloads } from '../../application/commands.js';
import { DEFAULT_ALLOCATION } from '../../domain/loan/terms.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import { loanWalletNumber, receivableNumber } from '../../domain/loan/decide-disbursement.js';
import { loanCodeOf } from '../../domain/loan/loan-code.js';
import { accountIdOf, nameBasedUuid } from '../../domain/shared/ids.js';
import { systemAccountNumber } from '../../domain/ledger/products.js';
import { type Deed, type Fact, NOW, SETTINGS, TENANT, did } from './given.js';
import { ADA, customerIs, customerRegistered, personId, plainlySealed } from './given-people.js';

export const loanId = (name: string): string => nameBasedUuid(TENANT, `loan ${name}`);
export const productId = (name: string): string => nameBasedUuid(TENANT, `product ${name}`);
export const repaymentId = (name: string): string => nameBasedUuid(TENANT, `repayment ${name}`);
export const operationId = (name: string): string => nameBasedUuid(TENANT, `operation ${name}`);

/** 12 % a year in equal instalments by months of 30 days; nothing asked, everybody reviewed. */
export function productSettings(more: Partial<LoanProductSettings> = {}): LoanProductSettings {
  return {
    name: 'Starter',
    description: '',
    currency: 'NGN',
    minAmount: '100000',
    maxAmount: '100000000',
    minInstalments: 1,
    maxInstalments: 24,
    annualRatePercent: '12',
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
      ...DEFAULT_ALLOCATION,
      due: [...DEFAULT_ALLOCATION.due],
      inAdvance: [...DEFAULT_ALLOCATION.inAdvance],
    },
    disbursement: 'MANUAL',
    offerDays: 14,
    writeOffAfterDays: 90,
    repaymentMethods: ['BANK_TRANSFER', 'WALLET'],
    thirdPartyCollection: false,
    bvnRequired: false,
    questions: [],
    eligibility: [],
    scoring: { rules: [], high: 0, low: 0 },
    ...more,
  };
}

export const founded = did('create-tenant', { slug: 'acme', settings: SETTINGS });
export const product = (name: string, settings: LoanProductSettings = productSettings()): Deed =>
  did('save-loan-product', { product: productId(name), isNew: true, settings });
export const productIsActive = (name: string): Deed =>
  did('set-loan-product-status', { product: productId(name), to: 'ACTIVE' });

/** A tenant with its system accounts, Ada, who borrows, and a product `starter` that is offered. */
export const borrower = (settings?: LoanProductSettings): Array<Fact | Deed> => [
  founded,
  customerRegistered('ada'),
  customerIs('ada', 'PENDING_VERIFICATION', 'ACTIVE'),
  product('starter', settings),
  productIsActive('starter'),
];

export const request = (more: Partial<CommandPayloads['request-loan']> = {}): CommandPayloads['request-loan'] => ({
  loan: loanId('l'),
  customer: personId('ada'),
  product: productId('starter'),
  amount: 3_650_000n,
  instalments: 12,
  repaymentMethod: 'BANK_TRANSFER',
  person: plainlySealed(personId('ada'), ADA),
  facts: {},
  ...more,
});
const loan = loanId('l');
export const APPROVAL = { loan, amount: 3_650_000n, annualRatePercent: '12', instalments: 12 };

/** The loan `l` of Ada's, as it was taken up to a step; `settings` of its product. */
export const STEPS = ['REQUESTED', 'APPROVED', 'OFFER_SENT', 'ACCEPTED', 'CONDITIONS_ACCEPTED', 'DISBURSED'] as const;
export type Step = (typeof STEPS)[number];
export function taken(step: Step, settings?: LoanProductSettings, at = NOW): Array<Fact | Deed> {
  const facts: Deed[] = [
    did('request-loan', request(), { at }),
    did('approve-loan', APPROVAL, { at }),
    did('send-loan-offer', { loan }, { at }),
    did('accept-loan-offer', { loan }, { at }),
    did('accept-loan-conditions', { loan }, { at }),
    did('disburse-loan', { loan }, { at }),
  ];
  return [...borrower(settings), ...facts.slice(0, STEPS.indexOf(step) + 1)];
}

/** Accounts of the first loan and of its borrower. */
export const CODE = loanCodeOf(1);
const accountOf = (number: string): string => accountIdOf(TENANT, number);
export const ACCOUNTS = {
  wallet: accountOf(loanWalletNumber('C1', 'NGN')),
  principal: accountOf(receivableNumber(CODE, 'principal')),
  interest: accountOf(receivableNumber(CODE, 'interest')),
  fees: accountOf(receivableNumber(CODE, 'fees')),
  penalty: accountOf(receivableNumber(CODE, 'penalty')),
  cash: accountOf(systemAccountNumber('cash', 'NGN')),
  interestIncome: accountOf(systemAccountNumber('interest-income', 'NGN')),
  feeIncome: accountOf(systemAccountNumber('fee-income', 'NGN')),
  penaltyIncome: accountOf(systemAccountNumber('penalty-income', 'NGN')),
  losses: accountOf(systemAccountNumber('loan-losses', 'NGN')),
};

/** Interest by the day: 12.00 a day on all of it. */
export const DAILY: Partial<LoanProductSettings> = { dayCount: 'ACT/365', interestBy: 'DAILY', recalculates: true };
