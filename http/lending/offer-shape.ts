import { z } from 'zod';
import { type LoanCost, costOf } from '../../application/loan/position-of.js';
import type { LoanView } from '../../application/ports/lending-read-models.js';
import type { BothRates, DisclosedRate } from '../../domain/loan/disclosure.js';
import type { LoanTerms } from '../../domain/loan/terms.js';
import { amountOut } from '../amounts.js';
import { decimalOut } from '../json.js';
import { EXAMPLE } from '../ledger/examples.js';
import { amountShown } from '../schemas.js';
import { loanStatus } from './application-shape.js';
import { feeOut } from './charges.js';
import { LOANS } from './examples.js';
import { INSTALMENT_EXAMPLE, instalmentOut, instalmentShape } from './loan-shape.js';
import { amortisation, amortisationOut, feeShown, percentOut, percentShown, tenureUnit } from './pieces.js';

/** A rate by one convention, with its name; null where the payments have none, and why. */
const rateShape = z.object({
  convention: z.string(),
  published: percentShown.nullable().meta({ description: 'As the convention publishes it' }),
  percent: percentShown.nullable().meta({ description: 'To four decimals' }),
  undefinedBecause: z.string().nullable(),
});
export const ratesShape = z
  .object({ usAppendixJ: rateShape.extend({ unitPeriod: z.string().nullable() }), euAprc: rateShape })
  .meta({ id: 'AnnualRates' });

export function ratesOut({ usAppendixJ, euAprc }: BothRates) {
  return { usAppendixJ: { ...rateOut(usAppendixJ), unitPeriod: usAppendixJ.unitPeriod }, euAprc: rateOut(euAprc) };
}
function rateOut({ convention, published, percent, undefinedBecause }: DisclosedRate) {
  const number = (text: string | null) => (text === null ? null : decimalOut(text));
  return { convention, published: number(published), percent: number(percent), undefinedBecause };
}

/** What a loan of these terms costs, with its schedule as if it were paid out today. */
export const termsShape = z
  .object({
    offeredAmount: amountShown,
    interestRate: percentShown,
    amortisation,
    tenure: z.int(),
    tenureUnit,
    installments: z.int(),
    apr: percentShown.nullable().meta({ description: 'Nominal, by US Appendix J; `rates` has both conventions' }),
    rates: ratesShape,
    monthlyPayment: amountShown.meta({ description: 'The first regular instalment' }),
    totalInterest: amountShown,
    totalFees: amountShown,
    totalAmountPayable: amountShown.meta({ description: 'Principal, interest and fees' }),
    amountPaidOut: amountShown.meta({ description: 'What is left after the upfront fees' }),
    fees: z.array(feeShown),
    schedule: z.array(instalmentShape).meta({ description: 'If it were paid out today' }),
  })
  .meta({ id: 'LoanTerms' });

export function termsOut(terms: LoanTerms, today: string, cost: LoanCost = costOf(terms, today)) {
  const { currency, principal, frequency, instalments } = terms;
  const out = (minor: bigint) => amountOut(minor, currency);
  const { percent } = cost.rates.usAppendixJ;
  return {
    offeredAmount: out(principal),
    interestRate: percentOut(terms.annualRatePercent),
    amortisation: amortisationOut(terms.schedule),
    tenure: instalments * frequency.every,
    tenureUnit: frequency.unit,
    installments: instalments,
    apr: percent === null ? null : percentOut(percent),
    rates: ratesOut(cost.rates),
    monthlyPayment: out(cost.instalment),
    totalInterest: out(cost.totalInterest),
    totalFees: out(cost.totalFees),
    totalAmountPayable: out(cost.totalPayable),
    amountPaidOut: out(principal - cost.upfrontFees),
    fees: terms.fees.map((fee) => feeOut(fee, currency)),
    schedule: cost.position.instalments.map((one) => instalmentOut(one, currency, today)),
  };
}

export const offerShape = termsShape
  .extend({
    loanApplicationId: z.string(),
    loanCode: z.string(),
    loanProductId: z.string(),
    productName: z.string(),
    requestedLoanAmount: amountShown,
    currencyCode: z.string(),
    offerStatus: loanStatus,
    sentAt: z.string().nullable(),
    expiresAt: z.string().nullable(),
  })
  .meta({ id: 'LoanOffer' });

/** Null for a loan that was not offered. */
export function offerOut(loan: LoanView, today: string) {
  const { terms, currency } = loan;
  if (terms === null) return null;
  return {
    loanApplicationId: loan.loanId,
    loanCode: loan.code,
    loanProductId: loan.productId,
    productName: loan.productName,
    requestedLoanAmount: amountOut(loan.requestedAmount, currency),
    currencyCode: currency,
    offerStatus: loan.status,
    sentAt: loan.offerSentAt,
    expiresAt: loan.offerExpiresAt,
    ...termsOut(terms, today),
  };
}

const RATE_EXAMPLE = { published: 14.42, percent: 14.4154, undefinedBecause: null };
export const RATES_EXAMPLE = {
  usAppendixJ: {
    convention: 'US Regulation Z, 12 CFR 1026 Appendix J, actuarial method (nominal)',
    ...RATE_EXAMPLE,
    unitPeriod: 'month',
  },
  euAprc: {
    convention: 'EU Directives 2008/48/EC and 2014/17/EU, Annex I (effective)',
    published: 15.4,
    percent: 15.407,
    undefinedBecause: null,
  },
};
export const OFFER_EXAMPLE = {
  loanApplicationId: LOANS.loanId,
  loanCode: LOANS.loanCode,
  loanProductId: LOANS.productId,
  productName: 'Salary advance',
  requestedLoanAmount: 50_000,
  currencyCode: 'NGN',
  offerStatus: 'OFFER_SENT',
  sentAt: EXAMPLE.at,
  expiresAt: '2026-12-06T10:30:00.000Z',
  offeredAmount: 50_000,
  interestRate: 12.5,
  amortisation: 'REDUCING_BALANCE',
  tenure: 12,
  tenureUnit: 'MONTHS',
  installments: 12,
  apr: 14.4154,
  rates: RATES_EXAMPLE,
  monthlyPayment: 4454.14,
  totalInterest: 3449.71,
  totalFees: 500,
  totalAmountPayable: 53_949.71,
  amountPaidOut: 49_500,
  fees: [{ name: 'Processing', when: 'UPFRONT', type: 'FIXED', amount: 500, percentage: null }],
  schedule: [INSTALMENT_EXAMPLE],
};
