import { z } from 'zod';
import type { LoanProductView, LoanStep, LoanView } from '../../application/ports/lending-read-models.js';
import { PEOPLE } from '../ciam/examples.js';
import { EXAMPLE } from '../ledger/examples.js';
import { LOAN_DETAILS_EXAMPLE, loanDetailsOut, loanDetailsShape, loanStatus } from './application-shape.js';
import { OFFER_EXAMPLE, offerOut, offerShape } from './offer-shape.js';
import { eligibilityRuleShown, scoringRuleShown } from './product-rules.js';
import { amountOut } from '../amounts.js';
import { amountShown } from '../schemas.js';
import { masked } from './bank-pieces.js';
import { feeOut } from './charges.js';
import { feeShown, percentOut, percentShown } from './pieces.js';

/** Everything that staff who decide about an application see of it. */
const risk = z.enum(['LOW', 'MEDIUM', 'HIGH']);
const result = { met: z.boolean() };
const scoringShape = z.object({
  outcome: z.enum(['REVIEW', 'REJECTED']),
  risk,
  score: z.int(),
  eligibility: z.array(eligibilityRuleShown.extend(result)),
  scoring: z.array(scoringRuleShown.extend({ ...result, pointsGiven: z.int() })),
});
const stepShape = z.object({
  from: loanStatus.nullable(),
  to: loanStatus,
  by: z.enum(['CUSTOMER', 'STAFF', 'SYSTEM']).nullable(),
  reason: z.string().nullable(),
  actor: z.string(),
  at: z.string(),
});
const approvalShape = z.object({
  amount: amountShown,
  interestRate: percentShown,
  tenure: z.int(),
  fees: z.array(feeShown),
  reason: z.string().nullable(),
  approvedAt: z.string(),
});

export const staffApplicationShape = z
  .object({
    loanDetails: loanDetailsShape,
    loanProductName: z.string(),
    productVersion: z.int(),
    risk: risk.nullable(),
    customer: z.object({
      customerId: z.string(),
      agentId: z.string().nullable(),
      firstName: z.string().nullable(),
      lastName: z.string().nullable(),
      email: z.string().nullable(),
      phoneNumber: z.string().nullable(),
      dateOfBirth: z.string().nullable(),
      country: z.string().nullable(),
      bvn: z.string().nullable(),
      accountNumber: z.string().nullable(),
      bankCode: z.string().nullable(),
    }),
    eligibilityAnswers: z.array(z.object({ questionId: z.string(), question: z.string(), answer: z.string() })),
    scoring: scoringShape.nullable(),
    approval: approvalShape.nullable(),
    offer: offerShape.nullable(),
    termsAcceptedAt: z.string().nullable(),
    termsVersion: z.int().nullable(),
    history: z.array(stepShape),
  })
  .meta({ id: 'LoanApplicationForStaff' });

export function staffApplicationOut(loan: LoanView, product: LoanProductView, organisation: string, today: string) {
  const { applicant } = loan;
  return {
    loanDetails: loanDetailsOut(loan, product, organisation),
    loanProductName: loan.productName,
    productVersion: loan.productVersion,
    risk: loan.risk,
    customer: {
      customerId: loan.customerId,
      agentId: loan.agentId,
      firstName: applicant?.firstName ?? null,
      lastName: applicant?.lastName ?? null,
      email: applicant?.email ?? null,
      phoneNumber: applicant?.phoneNumber ?? null,
      dateOfBirth: applicant?.dateOfBirth ?? null,
      country: applicant?.country ?? null,
      bvn: applicant?.bvn ?? null,
      accountNumber: applicant?.accountNumber === undefined ? null : masked(applicant.accountNumber),
      bankCode: applicant?.bankCode ?? null,
    },
    eligibilityAnswers: applicant?.answers ?? [],
    scoring: assessmentOut(loan),
    approval: approvalOut(loan, product),
    offer: offerOut(loan, today),
    termsAcceptedAt: loan.conditionsAcceptedAt,
    termsVersion: loan.conditionsVersion,
    history: loan.history.map(stepOut),
  };
}

/** Every rule that was applied with its result: what the decision is explained by. */
function assessmentOut({ assessment }: LoanView) {
  if (assessment === null) return null;
  const { outcome, risk: level, score, eligibility, scoring } = assessment;
  return {
    outcome,
    risk: level,
    score,
    eligibility: eligibility.map(({ rule, met, applied }) => ({ name: rule, ...applied.must, met })),
    scoring: scoring.map(({ rule, met, points, applied }) => ({
      ...{ name: rule, ...applied.when, points: applied.points, met },
      pointsGiven: points,
    })),
  };
}

function approvalOut({ approved, currency }: LoanView, { settings }: LoanProductView) {
  if (approved === null) return null;
  return {
    amount: amountOut(approved.amount, currency),
    interestRate: percentOut(approved.annualRatePercent),
    tenure: approved.instalments * settings.frequency.every,
    fees: approved.fees.map((fee) => feeOut(fee, currency)),
    reason: approved.reason ?? null,
    approvedAt: approved.at,
  };
}

function stepOut({ from, to, by, reason, actor, at }: LoanStep) {
  return { from, to, by, reason, actor, at };
}

export const STAFF_APPLICATION_EXAMPLE = {
  loanDetails: { ...LOAN_DETAILS_EXAMPLE, loanApplicationStatusEnum: 'OFFER_SENT' },
  loanProductName: 'Salary advance',
  productVersion: 1,
  risk: 'LOW',
  customer: {
    customerId: PEOPLE.customerId,
    agentId: PEOPLE.agentId,
    firstName: 'Ada',
    lastName: 'Obi',
    email: PEOPLE.email,
    phoneNumber: PEOPLE.phone,
    dateOfBirth: '1990-05-17',
    country: 'NGA',
    bvn: '22212345678',
    accountNumber: '******4579',
    bankCode: '011',
  },
  eligibilityAnswers: [{ questionId: 'purpose', question: 'What is the loan for?', answer: 'SCHOOL' }],
  scoring: {
    outcome: 'REVIEW',
    risk: 'LOW',
    score: 50,
    eligibility: [{ name: 'minimum-age', fact: 'age', operator: 'GTE', value: '18', met: true }],
    scoring: [
      {
        ...{ name: 'has-work', fact: 'employmentStatus', operator: 'EQ', value: 'EMPLOYED', points: 50 },
        ...{ met: true, pointsGiven: 50 },
      },
    ],
  },
  approval: {
    amount: 50_000,
    interestRate: 12.5,
    tenure: 12,
    fees: OFFER_EXAMPLE.fees,
    reason: null,
    approvedAt: EXAMPLE.at,
  },
  offer: OFFER_EXAMPLE,
  termsAcceptedAt: null,
  termsVersion: null,
  history: [
    { from: null, to: 'REQUESTED', by: 'CUSTOMER', reason: null, actor: 'token', at: EXAMPLE.at },
    { from: 'REQUESTED', to: 'APPROVED', by: 'STAFF', reason: null, actor: 'token', at: EXAMPLE.at },
    { from: 'APPROVED', to: 'OFFER_SENT', by: 'STAFF', reason: null, actor: 'token', at: EXAMPLE.at },
  ],
};
