import type { UserEvent } from '../access/user-events.js';
import { NO_ACCESS, type UserAccess, evolveAccess } from '../access/user-access.js';
import type { AccountOpened } from '../ledger/events.js';
import type { LoanRequested } from '../loan/events.js';
import type { WithdrawalEvent } from '../withdrawal/events.js';
import type { Aggregate, Json } from '../shared/event.js';
import type { ComplianceStatus, CustomerEvent, CustomerStatus, CustomerType } from './events.js';

/** Most bank details a customer may have at once. */
export const MAX_BANK_DETAILS = 20;

/** A customer without the person: the fold of events tagged `customer:<id>`. */
export interface CustomerState {
  readonly status: 'NONE' | CustomerStatus;
  readonly complianceStatus: ComplianceStatus;
  readonly code: string;
  readonly customerType: CustomerType;
  readonly country: string;
  readonly agent?: string;
  readonly picture?: string;
  /** Ids of the bank details that were not removed. */
  readonly bankDetails: readonly string[];
  readonly access: UserAccess;
}

const NONE: CustomerState = {
  status: 'NONE',
  complianceStatus: 'INCOMPLETE',
  code: '',
  customerType: 'INDIVIDUAL',
  country: '',
  bankDetails: [],
  access: NO_ACCESS,
};

export const customerAggregate: Aggregate<
  CustomerState,
  CustomerEvent | UserEvent | AccountOpened | LoanRequested | WithdrawalEvent
> = {
  kind: 'customer',
  stateVersion: 1,
  initial: () => NONE,
  evolve(state, event) {
    switch (event.type) {
      case 'customer-registered': {
        const { code, customerType, country, agent } = event.data;
        return {
          ...NONE,
          status: 'PENDING_VERIFICATION',
          code,
          customerType,
          country,
          ...(agent === undefined ? {} : { agent }),
        };
      }
      case 'customer-profile-changed':
        return { ...state, country: event.data.country };
      case 'customer-picture-set':
        return { ...state, picture: event.data.file };
      case 'customer-status-set':
        return { ...state, status: event.data.to };
      case 'customer-compliance-set':
        return { ...state, complianceStatus: event.data.to };
      case 'bank-details-added':
        return { ...state, bankDetails: [...state.bankDetails, event.data.bankDetail] };
      case 'bank-details-removed':
        return { ...state, bankDetails: state.bankDetails.filter((id) => id !== event.data.bankDetail) };
      case 'customer-erased': {
        const { picture: _, ...rest } = state;
        return { ...rest, status: 'ERASED', bankDetails: [], access: NO_ACCESS };
      }
      case 'account-opened':
      case 'loan-requested':
      case 'withdrawal-requested':
      case 'withdrawal-submitted':
      case 'withdrawal-completed':
      case 'withdrawal-failed':
        // Carries the owner's tag so that his history shows it.
        return state;
      default:
        return { ...state, access: evolveAccess(state.access, event) };
    }
  },
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as CustomerState,
};
