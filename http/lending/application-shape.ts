import { z } from 'zod';
import type { LoanProductView, LoanView } from '../../application/ports/lending-read-models.js';
import { LOAN_STATUSES, type LoanStatus } from '../../domain/loan/events.js';
import { amountOut, optionalAmountOut } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { EXAMPLE } from '../ledger/examples.js';
import { amountShown } from '../schemas.js';
import { LOANS } from './examples.js';
import { tenureUnit } from './pieces.js';

/** An application as the documents show it. What the borrower told is null once he was erased. */
export const loanStatus = z.enum(LOAN_STATUSES);

export const loanDetailsShape = z
  .object({
    id: z.string(),
    loanApplicationId: z.string(),
    loanCode: z.string(),
    dateOfRequest: z.string(),
    loanRequestUserId: z.string().meta({ description: 'The customer' }),
    loanProduct: z.string().meta({ description: 'Id of the product' }),
    organisation: z.string(),
    loanApplicationStatusEnum: loanStatus,
    requestedLoanAmount: amountShown,
    currencyCode: z.string(),
    loanDuration: z.int(),
    durationCounter: tenureUnit.meta({ description: 'What loanDuration counts' }),
    loanRepaymentMethodEnum: z.string(),
    customerCreditAccountId: z.string().nullable().meta({ description: 'His loan wallet, once it is there' }),
    employmentStatus: z.string().nullable(),
    monthlyIncome: amountShown.nullable(),
    customerName: z.string().nullable(),
    email: z.string().nullable(),
    phoneNumber: z.string().nullable(),
    dateOfBirth: z.string().nullable(),
  })
  .meta({ id: 'LoanApplication' });

export function customerNameOf({ applicant }: Pick<LoanView, 'applicant'>): string | null {
  return applicant === null ? null : `${applicant.firstName} ${applicant.lastName}`;
}

export function loanDetailsOut(loan: LoanView, { settings }: LoanProductView, organisation: string) {
  const { applicant, currency } = loan;
  const income = applicant?.monthlyIncome;
  return {
    id: loan.loanId,
    loanApplicationId: loan.loanId,
    loanCode: loan.code,
    dateOfRequest: loan.requestedAt,
    loanRequestUserId: loan.customerId,
    loanProduct: loan.productId,
    organisation,
    loanApplicationStatusEnum: loan.status,
    requestedLoanAmount: amountOut(loan.requestedAmount, currency),
    currencyCode: currency,
    loanDuration: loan.requestedInstalments * settings.frequency.every,
    durationCounter: settings.frequency.unit,
    loanRepaymentMethodEnum: loan.repaymentMethod,
    customerCreditAccountId: loan.wallet,
    employmentStatus: applicant?.employmentStatus ?? null,
    monthlyIncome: optionalAmountOut(income === undefined ? null : BigInt(income), currency),
    customerName: customerNameOf(loan),
    email: applicant?.email ?? null,
    phoneNumber: applicant?.phoneNumber ?? null,
    dateOfBirth: applicant?.dateOfBirth ?? null,
  };
}

/** The answer of update-application, with the documents' spelling. */
export const updatedApplicationShape = z
  .object({
    applicationId: z.string(),
    loanProductId: z.string(),
    userName: z.string().nullable(),
    productName: z.string(),
    currencyCode: z.string(),
    employmentStatus: z.string().nullable(),
    loanApplicationcreatedDate: z.string(),
    userId: z.string(),
    durationCounterUnitEnum: tenureUnit,
    requestedLoanAmount: amountShown,
    loanStatus,
    monthlyIncome: amountShown.nullable(),
    dateOfBirth: z.string().nullable(),
    loanDuration: z.int(),
  })
  .meta({ id: 'UpdatedLoanApplication' });

export function updatedApplicationOut(loan: LoanView, product: LoanProductView) {
  const details = loanDetailsOut(loan, product, '');
  return {
    applicationId: details.id,
    loanProductId: details.loanProduct,
    userName: details.customerName,
    productName: loan.productName,
    currencyCode: details.currencyCode,
    employmentStatus: details.employmentStatus,
    loanApplicationcreatedDate: details.dateOfRequest,
    userId: details.loanRequestUserId,
    durationCounterUnitEnum: details.durationCounter,
    requestedLoanAmount: details.requestedLoanAmount,
    loanStatus: details.loanApplicationStatusEnum,
    monthlyIncome: details.monthlyIncome,
    dateOfBirth: details.dateOfBirth,
    loanDuration: details.loanDuration,
  };
}

/** `COMPLETED` is the documents' other word for a loan that was paid off (9.14). */
export const statusFilter = z.enum([...LOAN_STATUSES, 'COMPLETED']);
export function statusIn(wire: LoanStatus | 'COMPLETED'): LoanStatus {
  return wire === 'COMPLETED' ? 'PAID_OFF' : wire;
}

export const LOAN_DETAILS_EXAMPLE = {
  id: LOANS.loanId,
  loanApplicationId: LOANS.loanId,
  loanCode: LOANS.loanCode,
  dateOfRequest: EXAMPLE.at,
  loanRequestUserId: PEOPLE.customerId,
  loanProduct: LOANS.productId,
  organisation: EXAMPLE.tenantId,
  loanApplicationStatusEnum: 'REQUESTED',
  requestedLoanAmount: 50_000,
  currencyCode: 'NGN',
  loanDuration: 12,
  durationCounter: 'MONTHS',
  loanRepaymentMethodEnum: 'BANK_TRANSFER',
  customerCreditAccountId: null,
  employmentStatus: 'EMPLOYED',
  monthlyIncome: 200_000,
  customerName: 'Ada Obi',
  email: PEOPLE.email,
  phoneNumber: PEOPLE.phone,
  dateOfBirth: '1990-05-17',
};
export const UPDATED_APPLICATION_EXAMPLE = {
  applicationId: LOANS.loanId,
  loanProductId: LOANS.productId,
  userName: 'Ada Obi',
  productName: 'Salary advance',
  currencyCode: 'NGN',
  employmentStatus: 'EMPLOYED',
  loanApplicationcreatedDate: EXAMPLE.at,
  userId: PEOPLE.customerId,
  durationCounterUnitEnum: 'MONTHS',
  requestedLoanAmount: 50_000,
  loanStatus: 'ACCEPTED',
  monthlyIncome: 200_000,
  dateOfBirth: '1990-05-17',
  loanDuration: 12,
};
