import { tagOf } from '../aggregates.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { ExactDecimal, formatAmount } from '../shared/money.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import type {
  AcceptLoanConditions,
  AcceptLoanOffer,
  ApproveLoan,
  EndLoan,
  ExpireLoanOffer,
  SendLoanOffer,
} from './commands.js';
import { disburse } from './decide-disbursement.js';
import { type LoanStatus, loanApprovedV1 } from './events.js';
import { knownLoan, settingsOf, wrongStatus } from './guards.js';
import type { LoanState } from './loan.js';
import { feeFromJson, feeToJson, termsToJson } from './terms-json.js';
import { termsOfProduct } from './terms-of-product.js';

/** From the review queue to the accepted conditions (spec 7.1 and 9.14); the request is in decide-request.ts. */
const RATE = /^\d{1,9}(?:\.\d{1,12})?$/;
/** Percent a year that no approval may pass, whatever the product says. */
const MAX_RATE_PERCENT = 1_000;
const MAX_OFFER_DAYS = 366;
const DAY_MS = 86_400_000;

export const decideApproveLoan: Decide<ApproveLoan> = (command, context) => {
  const state = knownLoan(command.loan, context);
  if (isRefusal(state)) return state;
  if (state.status !== 'REQUESTED') return wrongStatus(state);
  const unfit = checkApproval(command, state, context);
  if (unfit !== undefined) return unfit;
  const { loan, amount, annualRatePercent, instalments, reason } = command;
  const fees = command.fees?.map(feeToJson) ?? settingsOf(state, context).fees;
  context.emit({
    type: 'loan-approved',
    version: 1,
    data: {
      ...{ loan, amount: amount.toString(), annualRatePercent, instalments, fees },
      ...(reason === undefined ? {} : { reason }),
    },
    tags: [tagOf('loan', loan)],
  });
  return undefined;
};

function checkApproval(command: ApproveLoan, state: LoanState, context: DecisionContext): Refusal | undefined {
  const { amount, annualRatePercent, instalments, fees = [] } = command;
  const settings = settingsOf(state, context);
  if (amount < BigInt(settings.minAmount) || amount > BigInt(state.requestedAmount)) {
    return refuse('amount-out-of-range', 'an approval is for at most what was asked for', {
      field: 'amount',
      details: {
        minAmount: formatAmount(BigInt(settings.minAmount), state.currency),
        requestedAmount: formatAmount(BigInt(state.requestedAmount), state.currency),
      },
    });
  }
  const { minInstalments, maxInstalments, minRatePercent = '0', maxRatePercent = String(MAX_RATE_PERCENT) } = settings;
  if (!Number.isInteger(instalments) || instalments < minInstalments || instalments > maxInstalments) {
    return refuse('invalid-argument', 'the product does not lend for so long', {
      field: 'tenure',
      details: { minInstalments: String(minInstalments), maxInstalments: String(maxInstalments) },
    });
  }
  const rate = RATE.test(annualRatePercent) ? new ExactDecimal(annualRatePercent) : undefined;
  if (rate === undefined || rate.gt(MAX_RATE_PERCENT) || rate.lt(minRatePercent) || rate.gt(maxRatePercent)) {
    return refuse('invalid-argument', 'the product does not lend at this rate', {
      field: 'interestRate',
      details: { minRatePercent, maxRatePercent },
    });
  }
  const areFees = loanApprovedV1.shape.fees.safeParse(fees.map(feeToJson)).success;
  if (!areFees || fees.some((fee) => (fee.kind === 'FIXED' ? fee.amount : fee.percent) === undefined)) {
    return refuse('invalid-argument', 'a fee has a name and says how much it is', { field: 'fees' });
  }
  return undefined;
}

/** The offer holds the terms of the product's version that was asked for, and of the approval. */
export const decideSendLoanOffer: Decide<SendLoanOffer> = ({ loan, expiresAt }, context) => {
  const state = knownLoan(loan, context);
  if (isRefusal(state)) return state;
  const { status, approved } = state;
  if (status !== 'APPROVED' || approved === undefined) return wrongStatus(state);
  const settings = settingsOf(state, context);
  const nowMs = Date.parse(context.now);
  const expiresMs = expiresAt === undefined ? nowMs + settings.offerDays * DAY_MS : Date.parse(expiresAt);
  if (!(expiresMs > nowMs) || expiresMs > nowMs + MAX_OFFER_DAYS * DAY_MS) {
    return refuse('invalid-argument', `an offer expires within ${MAX_OFFER_DAYS} days from now`, {
      field: 'expiresAt',
    });
  }
  const terms = termsOfProduct(settings, {
    ...approved,
    amount: BigInt(approved.amount),
    fees: approved.fees.map(feeFromJson),
  });
  context.emit({
    type: 'loan-offer-sent',
    version: 1,
    data: { loan, expiresAt: new Date(expiresMs).toISOString(), terms: termsToJson(terms) },
    tags: [tagOf('loan', loan)],
  });
  return undefined;
};

export const decideAcceptLoanOffer: Decide<AcceptLoanOffer> = ({ loan }, context) => {
  const state = knownLoan(loan, context);
  if (isRefusal(state)) return state;
  if (state.status !== 'OFFER_SENT') return wrongStatus(state);
  if (isExpired(state, context)) {
    return refuse('offer-expired', 'the time of the offer has passed', {
      details: { expiresAt: state.offerExpiresAt ?? '' },
    });
  }
  context.emit({ type: 'loan-offer-accepted', version: 1, data: { loan }, tags: [tagOf('loan', loan)] });
  return undefined;
};

function isExpired({ offerExpiresAt }: LoanState, { now }: DecisionContext): boolean {
  return offerExpiresAt !== undefined && offerExpiresAt <= now;
}

/** Who may end an application how, by the state it is in. */
const ENDINGS: Partial<Record<LoanStatus, Partial<Record<EndLoan['to'], ReadonlyArray<EndLoan['by']>>>>> = {
  REQUESTED: { REJECTED: ['STAFF', 'SYSTEM'], CANCELLED: ['CUSTOMER', 'STAFF'] },
  APPROVED: { CANCELLED: ['CUSTOMER', 'STAFF'] },
  OFFER_SENT: { REJECTED: ['CUSTOMER'], WITHDRAWN: ['CUSTOMER', 'SYSTEM'], CANCELLED: ['CUSTOMER', 'STAFF'] },
  ACCEPTED: { CANCELLED: ['STAFF'] },
};

export const decideEndLoan: Decide<EndLoan> = ({ loan, to, by, reason }, context) => {
  const state = knownLoan(loan, context);
  if (isRefusal(state)) return state;
  const { status } = state;
  const allowed = status === 'NONE' ? undefined : ENDINGS[status]?.[to];
  if (allowed?.includes(by) !== true) {
    return refuse('invalid-state', `a loan that is ${status} is not ${to} by ${by}`, { details: { status } });
  }
  context.emit({
    type: 'loan-ended',
    version: 1,
    data: { loan, from: status, to, by, ...(reason === undefined ? {} : { reason }) },
    tags: [tagOf('loan', loan)],
  });
  return undefined;
};

/** By the daily job, any number of times: an offer that is answered or not due yet is left alone. */
export const decideExpireLoanOffer: Decide<ExpireLoanOffer> = ({ loan }, context) => {
  const state = knownLoan(loan, context);
  if (isRefusal(state)) return state;
  if (state.status !== 'OFFER_SENT' || !isExpired(state, context)) return undefined;
  return decideEndLoan({ loan, to: 'WITHDRAWN', by: 'SYSTEM', reason: 'the offer expired' }, context);
};

export const decideAcceptLoanConditions: Decide<AcceptLoanConditions> = ({ loan }, context) => {
  const state = knownLoan(loan, context);
  if (isRefusal(state)) return state;
  if (state.status !== 'ACCEPTED') return wrongStatus(state);
  if (state.conditionsAccepted) return refuse('invalid-state', 'the conditions are accepted already');
  const conditionsVersion = context.state('tenant', context.tenantId).loanConditionsVersion;
  context.emit({
    type: 'loan-conditions-accepted',
    version: 1,
    data: { loan, conditionsVersion },
    tags: [tagOf('loan', loan)],
  });
  return settingsOf(state, context).disbursement === 'AUTOMATIC' ? disburse(loan, context.today, context) : undefined;
};
