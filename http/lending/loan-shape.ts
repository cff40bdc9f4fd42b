import { z } from 'zod';
import type { CollectionAccount } from '../../application/loan/collection-account.js';
import { type LoanStanding, rateOn } from '../../application/loan/position-of.js';
import type { LoanProductView } from '../../application/ports/lending-read-models.js';
import { sumBuckets } from '../../domain/loan/booked.js';
import { payableOf } from '../../domain/loan/payoff.js';
import type { InstalmentPosition, LoanPosition } from '../../domain/loan/position.js';
import type { ByBucket } from '../../domain/loan/terms.js';
import { amountOut } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { EXAMPLE } from '../ledger/examples.js';
import { amountShown } from '../schemas.js';
import { customerNameOf, loanStatus } from './application-shape.js';
import { LOANS } from './examples.js';
import { percentOut, percentShown, tenureUnit } from './pieces.js';

export const ACCOUNT_STATES = ['ACTIVE', 'IN_ARREARS', 'CLOSED', 'WRITTEN_OFF'] as const;
type AccountState = (typeof ACCOUNT_STATES)[number];
const STATES: Readonly<Record<LoanPosition['status'], AccountState | null>> = {
  PENDING_DISBURSEMENT: null,
  ACTIVE: 'ACTIVE',
  IN_ARREARS: 'IN_ARREARS',
  PAID_OFF: 'CLOSED',
  OVERPAID: 'CLOSED',
  WRITTEN_OFF: 'WRITTEN_OFF',
};

export const instalmentShape = z
  .object({
    installmentNumber: z.int().meta({ description: '0: the down payment' }),
    dueDate: z.string(),
    installmentAmount: amountShown,
    principalAmount: amountShown,
    interestAmount: amountShown,
    feesAmount: amountShown,
    penaltyAmount: amountShown,
    amountPaid: amountShown,
    outstandingAmount: amountShown,
    paymentStatus: z.enum(['PENDING', 'OVERDUE', 'PAID']),
    paymentDate: z.string().nullable(),
    daysOverdue: z.int(),
  })
  .meta({ id: 'LoanInstalment' });

/** A loan with its four buckets, without its schedule. */
export const loanShape = z
  .object({
    loanApplicationId: z.string(),
    loanCode: z.string(),
    customerId: z.string(),
    customerName: z.string().nullable(),
    customerEmail: z.string().nullable(),
    loanProductId: z.string(),
    loanProductName: z.string(),
    loanApplicationStatus: loanStatus,
    accountState: z.enum(ACCOUNT_STATES).nullable().meta({ description: 'Null until the money is paid out' }),
    currencyCode: z.string(),
    loanAmount: amountShown,
    interestRate: percentShown,
    totalRepaymentAmount: amountShown.meta({ description: 'All instalments, paid or not' }),
    totalPayable: amountShown.meta({ description: 'What the schedule still asks for, due now or later' }),
    totalBalance: amountShown.meta({ description: 'Owed as of today: disbursed, accrued or charged, and not paid' }),
    principalBalance: amountShown,
    interestBalance: amountShown.meta({ description: 'Accrued and not paid' }),
    feesBalance: amountShown,
    penaltyBalance: amountShown,
    totalAmountPaid: amountShown,
    principalPaid: amountShown,
    interestPaid: amountShown,
    feesPaid: amountShown,
    penaltyPaid: amountShown,
    amountWaived: amountShown,
    amountWrittenOff: amountShown,
    amountOverdue: amountShown,
    daysOverdue: z.int(),
    applicationDate: z.string(),
    disbursementDate: z.string().nullable(),
    firstInstallmentDate: z.string().nullable(),
    maturityDate: z.string().nullable(),
    nextPaymentDueDate: z.string().nullable(),
    totalInstallments: z.int(),
    installmentsPaid: z.int(),
    installmentsRemaining: z.int(),
    loanDuration: z.int(),
    durationCounter: tenureUnit,
    loanRepaymentMethod: z.string(),
    isThirdPartyPayment: z.boolean(),
    loanFullyRepaid: z.boolean(),
  })
  .meta({ id: 'Loan' });

export const loanWithHistoryShape = loanShape
  .extend({
    repaymentBankName: z.string().nullable(),
    repaymentAccountNumber: z.string().nullable(),
    repaymentAccountName: z.string().nullable(),
    paymentHistory: z.array(instalmentShape),
  })
  .meta({ id: 'LoanWithPaymentHistory' });

const NOTHING: ByBucket = { principal: 0n, interest: 0n, fees: 0n, penalty: 0n };
const NO_POSITION: Pick<
  LoanPosition,
  'instalments' | 'outstanding' | 'scheduled' | 'paid' | 'waived' | 'writtenOff' | 'overdue'
> = {
  instalments: [],
  outstanding: NOTHING,
  scheduled: NOTHING,
  paid: NOTHING,
  waived: NOTHING,
  writtenOff: NOTHING,
  overdue: NOTHING,
};

export function loanOut({ loan, position }: LoanStanding, { settings }: LoanProductView, today: string) {
  const { currency, terms, approved } = loan;
  const { outstanding, paid, scheduled, waived, writtenOff, overdue, instalments } = position ?? NO_POSITION;
  const out = (minor: bigint) => amountOut(minor, currency);
  const regular = instalments.filter(({ number }) => number > 0);
  const settled = regular.filter(({ paidDate }) => paidDate !== null).length;
  const agreed = terms?.instalments ?? approved?.instalments ?? loan.requestedInstalments;
  const frequency = terms?.frequency ?? settings.frequency;
  const rate =
    terms === null ? (approved?.annualRatePercent ?? settings.annualRatePercent) : rateOn(loan, terms, today);
  return {
    loanApplicationId: loan.loanId,
    loanCode: loan.code,
    customerId: loan.customerId,
    customerName: customerNameOf(loan),
    customerEmail: loan.applicant?.email ?? null,
    loanProductId: loan.productId,
    loanProductName: loan.productName,
    loanApplicationStatus: loan.status,
    accountState: position === null ? null : STATES[position.status],
    currencyCode: currency,
    loanAmount: out(terms?.principal ?? approved?.amount ?? loan.requestedAmount),
    interestRate: percentOut(rate),
    totalRepaymentAmount: out(sumBuckets(scheduled)),
    totalPayable: out(position === null ? 0n : payableOf(position)),
    totalBalance: out(sumBuckets(outstanding)),
    principalBalance: out(outstanding.principal),
    interestBalance: out(outstanding.interest),
    feesBalance: out(outstanding.fees),
    penaltyBalance: out(outstanding.penalty),
    totalAmountPaid: out(sumBuckets(paid)),
    principalPaid: out(paid.principal),
    interestPaid: out(paid.interest),
    feesPaid: out(paid.fees),
    penaltyPaid: out(paid.penalty),
    amountWaived: out(sumBuckets(waived)),
    amountWrittenOff: out(sumBuckets(writtenOff)),
    amountOverdue: out(sumBuckets(overdue)),
    daysOverdue: position?.daysOverdue ?? 0,
    applicationDate: loan.requestedAt,
    disbursementDate: disbursedOn(loan),
    firstInstallmentDate: regular[0]?.dueDate ?? null,
    maturityDate: position?.maturityDate ?? null,
    nextPaymentDueDate: position?.nextDueDate ?? null,
    totalInstallments: position === null ? agreed : regular.length,
    installmentsPaid: settled,
    installmentsRemaining: (position === null ? agreed : regular.length) - settled,
    loanDuration: agreed * frequency.every,
    durationCounter: frequency.unit,
    loanRepaymentMethod: loan.repaymentMethod,
    isThirdPartyPayment: settings.thirdPartyCollection,
    loanFullyRepaid: position !== null && STATES[position.status] === 'CLOSED',
  };
}

function disbursedOn({ operations }: LoanStanding['loan']): string | null {
  return operations.find(({ kind }) => kind === 'DISBURSED')?.date ?? null;
}

export function loanWithHistoryOut(
  standing: LoanStanding,
  product: LoanProductView,
  today: string,
  account: CollectionAccount | null,
) {
  const { loan, position } = standing;
  return {
    ...loanOut(standing, product, today),
    repaymentBankName: account?.bankName ?? null,
    repaymentAccountNumber: account?.accountNumber ?? null,
    repaymentAccountName: account?.accountName ?? null,
    paymentHistory: (position?.instalments ?? []).map((one) => instalmentOut(one, loan.currency, today)),
  };
}

const DAY_MS = 86_400_000;
export function daysLate(dueDate: string, today: string): number {
  const days = (Date.parse(`${today}T00:00:00Z`) - Date.parse(`${dueDate}T00:00:00Z`)) / DAY_MS;
  return Math.max(0, Math.round(days));
}

/** An instalment on a day: overdue when its day is over and something of it is left. */
export function instalmentOut(instalment: InstalmentPosition, currency: string, today: string) {
  const { number, dueDate, due, paid, waived, paidDate } = instalment;
  const out = (minor: bigint) => amountOut(minor, currency);
  const left = sumBuckets(due) - sumBuckets(paid) - sumBuckets(waived);
  const late = left > 0n ? daysLate(dueDate, today) : 0;
  return {
    installmentNumber: number,
    dueDate,
    installmentAmount: out(sumBuckets(due)),
    principalAmount: out(due.principal),
    interestAmount: out(due.interest),
    feesAmount: out(due.fees),
    penaltyAmount: out(due.penalty),
    amountPaid: out(sumBuckets(paid)),
    outstandingAmount: out(left),
    paymentStatus: left <= 0n ? ('PAID' as const) : late > 0 ? ('OVERDUE' as const) : ('PENDING' as const),
    paymentDate: paidDate,
    daysOverdue: late,
  };
}

export const INSTALMENT_EXAMPLE = {
  installmentNumber: 1,
  dueDate: LOANS.firstDueDate,
  installmentAmount: 4454.14,
  principalAmount: 3933.31,
  interestAmount: 520.83,
  feesAmount: 0,
  penaltyAmount: 0,
  amountPaid: 0,
  outstandingAmount: 4454.14,
  paymentStatus: 'PENDING',
  paymentDate: null,
  daysOverdue: 0,
} as const;

export const LOAN_EXAMPLE = {
  loanApplicationId: LOANS.loanId,
  loanCode: LOANS.loanCode,
  customerId: PEOPLE.customerId,
  customerName: 'Ada Obi',
  customerEmail: PEOPLE.email,
  loanProductId: LOANS.productId,
  loanProductName: 'Salary advance',
  loanApplicationStatus: 'DISBURSED',
  accountState: 'ACTIVE',
  currencyCode: 'NGN',
  loanAmount: 50_000,
  interestRate: 12.5,
  totalRepaymentAmount: 53_449.71,
  totalPayable: 53_449.71,
  totalBalance: 50_000,
  principalBalance: 50_000,
  interestBalance: 0,
  feesBalance: 0,
  penaltyBalance: 0,
  totalAmountPaid: 0,
  principalPaid: 0,
  interestPaid: 0,
  feesPaid: 0,
  penaltyPaid: 0,
  amountWaived: 0,
  amountWrittenOff: 0,
  amountOverdue: 0,
  daysOverdue: 0,
  applicationDate: EXAMPLE.at,
  disbursementDate: EXAMPLE.date,
  firstInstallmentDate: LOANS.firstDueDate,
  maturityDate: LOANS.maturityDate,
  nextPaymentDueDate: LOANS.firstDueDate,
  totalInstallments: 12,
  installmentsPaid: 0,
  installmentsRemaining: 12,
  loanDuration: 12,
  durationCounter: 'MONTHS',
  loanRepaymentMethod: 'BANK_TRANSFER',
  isThirdPartyPayment: false,
  loanFullyRepaid: false,
} as const;

export const COLLECTION_EXAMPLE = {
  accountNumber: '0123456789',
  accountName: 'FinLend collections',
  bankCode: '058',
  bankName: 'Guaranty Trust Bank',
};
export const LOAN_WITH_HISTORY_EXAMPLE = {
  ...LOAN_EXAMPLE,
  repaymentBankName: COLLECTION_EXAMPLE.bankName,
  repaymentAccountNumber: COLLECTION_EXAMPLE.accountNumber,
  repaymentAccountName: COLLECTION_EXAMPLE.accountName,
  paymentHistory: [INSTALMENT_EXAMPLE],
};
