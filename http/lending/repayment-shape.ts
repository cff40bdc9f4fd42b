import { z } from 'zod';
import type { LoanView, RepaymentView } from '../../application/ports/lending-read-models.js';
import { amountOut, optionalAmountOut } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { EXAMPLE } from '../ledger/examples.js';
import { amountShown } from '../schemas.js';
import { customerNameOf } from './application-shape.js';
import { LOANS } from './examples.js';

export const REPAYMENT_STATUSES = ['PENDING_VERIFICATION', 'VERIFIED', 'REJECTED'] as const;
const repaymentStatus = z.enum(REPAYMENT_STATUSES);

/** What repay-loan answers: the members of the documents. */
export const reportedShape = z
  .object({
    id: z.string(),
    loanApplicationId: z.string(),
    repaymentAmount: amountShown,
    currencyCode: z.string(),
    customerName: z.string().nullable(),
    email: z.string().nullable(),
    loanProductName: z.string(),
    repaymentReference: z.string().nullable(),
    verificationStatus: repaymentStatus,
    message: z.string(),
  })
  .meta({ id: 'ReportedRepayment' });

const portions = z.object({
  principalAmount: amountShown,
  interestAmount: amountShown,
  feesAmount: amountShown,
  penaltyAmount: amountShown,
});

/** A repayment as staff see it. */
export const repaymentShape = reportedShape
  .extend({
    loanCode: z.string(),
    customerId: z.string(),
    paymentMethod: z.string(),
    paymentDate: z.string(),
    bankAccountId: z.string().nullable(),
    payoff: z.boolean().meta({ description: 'It settles the whole loan' }),
    receivedAmount: amountShown.nullable(),
    valueDate: z.string().nullable(),
    allocation: portions.nullable().meta({ description: 'What it settled, as computed now' }),
    overpaidAmount: amountShown.meta({ description: 'Went to the customer’s loan wallet' }),
    reversed: z.boolean(),
    reason: z.string().nullable().meta({ description: 'Why it was rejected' }),
    reportedBy: z.string(),
    reportedAt: z.string(),
    verifiedBy: z.string().nullable(),
    verifiedAt: z.string().nullable(),
  })
  .meta({ id: 'LoanRepayment' });

const MESSAGES: Readonly<Record<RepaymentView['status'], string>> = {
  PENDING_VERIFICATION: 'The loan balance changes once the payment is verified',
  VERIFIED: 'Verified: the loan balance has changed',
  REJECTED: 'Not verified: the loan balance has not changed',
};

type Who = Pick<LoanView, 'applicant'>;

export function reportedOut(repayment: RepaymentView, loan: Who) {
  const { repaymentId, loanId, amount, currency, productName, reference, status } = repayment;
  return {
    id: repaymentId,
    loanApplicationId: loanId,
    repaymentAmount: amountOut(amount, currency),
    currencyCode: currency,
    customerName: customerNameOf(loan),
    email: loan.applicant?.email ?? null,
    loanProductName: productName,
    repaymentReference: reference,
    verificationStatus: status,
    message: MESSAGES[status],
  };
}

export function repaymentOut(repayment: RepaymentView, loan: Who) {
  const { currency, portions: split, status } = repayment;
  const out = (minor: bigint) => amountOut(minor, currency);
  return {
    ...reportedOut(repayment, loan),
    loanCode: repayment.loanCode,
    customerId: repayment.customerId,
    paymentMethod: repayment.method,
    paymentDate: repayment.paymentDate,
    bankAccountId: repayment.bankDetailId,
    payoff: repayment.payoff,
    receivedAmount: optionalAmountOut(repayment.receivedAmount, currency),
    valueDate: repayment.valueDate,
    allocation:
      split === null
        ? null
        : {
            principalAmount: out(split.principal),
            interestAmount: out(split.interest),
            feesAmount: out(split.fees),
            penaltyAmount: out(split.penalty),
          },
    overpaidAmount: out(repayment.overpaid),
    reversed: repayment.undone,
    reason: repayment.reason,
    reportedBy: repayment.reportedBy,
    reportedAt: repayment.reportedAt,
    verifiedBy: status === 'PENDING_VERIFICATION' ? null : repayment.decidedBy,
    verifiedAt: status === 'PENDING_VERIFICATION' ? null : repayment.decidedAt,
  };
}

export const REPORTED_EXAMPLE = {
  id: LOANS.repaymentId,
  loanApplicationId: LOANS.loanId,
  repaymentAmount: 4454.14,
  currencyCode: 'NGN',
  customerName: 'Ada Obi',
  email: PEOPLE.email,
  loanProductName: 'Salary advance',
  repaymentReference: LOANS.reference,
  verificationStatus: 'PENDING_VERIFICATION',
  message: MESSAGES.PENDING_VERIFICATION,
};
export const REPAYMENT_EXAMPLE = {
  ...REPORTED_EXAMPLE,
  verificationStatus: 'VERIFIED',
  message: MESSAGES.VERIFIED,
  loanCode: LOANS.loanCode,
  customerId: PEOPLE.customerId,
  paymentMethod: 'BANK_TRANSFER',
  paymentDate: EXAMPLE.date,
  bankAccountId: null,
  payoff: false,
  receivedAmount: 4454.14,
  valueDate: EXAMPLE.date,
  allocation: { principalAmount: 4454.14, interestAmount: 0, feesAmount: 0, penaltyAmount: 0 },
  overpaidAmount: 0,
  reversed: false,
  reason: null,
  reportedBy: 'token:1',
  reportedAt: EXAMPLE.at,
  verifiedBy: 'token:2',
  verifiedAt: EXAMPLE.at,
};
