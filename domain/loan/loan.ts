import type { Aggregate, Json } from '../shared/event.js';
import type { BookedJson, LoanEvent, LoanStatus, OperationJson } from './events.js';
import type { LoanFeeJson, LoanTermsJson } from './terms-json.js';

/** Most operations a loan may have, and most repayments that wait to be verified. */
export const MAX_LOAN_OPERATIONS = 5_000;
export const MAX_PENDING_REPAYMENTS = 50;

export interface RepaymentState {
  readonly status: 'PENDING_VERIFICATION' | 'VERIFIED' | 'REJECTED';
  readonly amount: string;
  readonly method: string;
  readonly paymentDate: string;
  readonly reference: string;
  readonly payoff: boolean;
}

/** A loan: the fold of events tagged `loan:<id>`. Amounts are decimal text of minor units, as in the events. */
export interface LoanState {
  readonly status: 'NONE' | LoanStatus;
  readonly code: string;
  readonly customer: string;
  readonly agent?: string;
  readonly product: string;
  readonly productVersion: number;
  readonly currency: string;
  readonly requestedAmount: string;
  readonly requestedInstalments: number;
  readonly repaymentMethod: string;
  readonly risk?: 'LOW' | 'MEDIUM' | 'HIGH';
  readonly approved?: {
    readonly amount: string;
    readonly annualRatePercent: string;
    readonly instalments: number;
    readonly fees: readonly LoanFeeJson[];
  };
  /** Of the offer, later of the running loan. */
  readonly terms?: LoanTermsJson;
  readonly offerExpiresAt?: string;
  readonly conditionsAccepted: boolean;
  readonly operations: readonly OperationJson[];
  readonly wallet?: string;
  readonly accounts?: {
    readonly principal: string;
    readonly interest: string;
    readonly fees: string;
    readonly penalty: string;
  };
  readonly booked?: BookedJson;
  /** Day up to which interest and penalties are booked. */
  readonly accruedTo?: string;
  readonly writtenOff: boolean;
  readonly repayments: Readonly<Record<string, RepaymentState>>;
}

const NONE: LoanState = {
  status: 'NONE',
  code: '',
  customer: '',
  product: '',
  productVersion: 0,
  currency: '',
  requestedAmount: '0',
  requestedInstalments: 0,
  repaymentMethod: '',
  conditionsAccepted: false,
  operations: [],
  writtenOff: false,
  repayments: {},
};

export const loanAggregate: Aggregate<LoanState, LoanEvent> = {
  kind: 'loan',
  stateVersion: 1,
  initial: () => NONE,
  evolve,
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as LoanState,
};

function evolve(state: LoanState, event: LoanEvent): LoanState {
  switch (event.type) {
    case 'loan-requested': {
      const { code, customer, agent, product, productVersion, currency, amount, instalments } = event.data;
      return {
        ...NONE,
        status: 'REQUESTED',
        ...{ code, customer, product, productVersion, currency },
        ...(agent === undefined ? {} : { agent }),
        requestedAmount: amount,
        requestedInstalments: instalments,
        repaymentMethod: event.data.repaymentMethod,
      };
    }
    case 'loan-assessed':
      return { ...state, risk: event.data.risk };
    case 'loan-approved': {
      const { amount, annualRatePercent, instalments, fees } = event.data;
      return { ...state, status: 'APPROVED', approved: { amount, annualRatePercent, instalments, fees } };
    }
    case 'loan-offer-sent':
      return { ...state, status: 'OFFER_SENT', terms: event.data.terms, offerExpiresAt: event.data.expiresAt };
    case 'loan-offer-accepted':
      return { ...state, status: 'ACCEPTED' };
    case 'loan-conditions-accepted':
      return { ...state, conditionsAccepted: true };
    case 'loan-ended':
      return { ...state, status: event.data.to };
    case 'loan-disbursed': {
      const { terms, operation, wallet, accounts, booked, upTo } = event.data;
      return {
        ...state,
        status: 'DISBURSED',
        ...{ terms, wallet, accounts, booked },
        operations: [...state.operations, operation],
        accruedTo: upTo,
      };
    }
    case 'loan-operated': {
      const { operation, booked, upTo } = event.data;
      const operations = [...state.operations, operation];
      return { ...state, operations, booked, writtenOff: isWrittenOff(operations), accruedTo: upTo };
    }
    case 'loan-accrued':
      return { ...state, booked: event.data.booked, accruedTo: event.data.upTo };
    case 'loan-paid-off':
      return { ...state, status: 'PAID_OFF' };
    case 'loan-reopened':
      return { ...state, status: 'DISBURSED' };
    case 'repayment-reported': {
      const { repayment, amount, method, paymentDate, reference, payoff = false } = event.data;
      const reported: RepaymentState = {
        status: 'PENDING_VERIFICATION',
        ...{ amount, method, paymentDate, reference, payoff },
      };
      return { ...state, repayments: { ...state.repayments, [repayment]: reported } };
    }
    case 'repayment-verified':
      return withRepayment(state, event.data.repayment, 'VERIFIED');
    case 'repayment-rejected':
      return withRepayment(state, event.data.repayment, 'REJECTED');
  }
}

function isWrittenOff(operations: readonly OperationJson[]): boolean {
  const undone = new Set(operations.map((operation) => (operation.kind === 'UNDONE' ? operation.operation : '')));
  return operations.some((one) => one.kind === 'WRITTEN_OFF' && one.stillOwed !== true && !undone.has(one.id));
}

function withRepayment(state: LoanState, id: string, status: RepaymentState['status']): LoanState {
  const repayment = state.repayments[id];
  if (repayment === undefined) return state;
  return { ...state, repayments: { ...state.repayments, [id]: { ...repayment, status } } };
}
