import type { AccountOpened } from '../ledger/events.js';
import type { Aggregate, Json } from '../shared/event.js';
import type { TenantEvent, TenantSettings, TenantStatus } from './events.js';

/** The tenant itself and the counters of its book: the fold of events tagged `tenant:<id>`. */
export interface TenantState {
  readonly status: 'NONE' | TenantStatus;
  readonly slug: string;
  readonly settings: TenantSettings;
  /** Running number of the last account number that was made. */
  readonly accountSequence: number;
}

const NONE: TenantState = {
  status: 'NONE',
  slug: '',
  settings: { name: '', baseCurrency: '', currencies: [], domains: [], branding: {}, emailTemplates: {} },
  accountSequence: 0,
};

export const tenantAggregate: Aggregate<TenantState, TenantEvent | AccountOpened> = {
  kind: 'tenant',
  stateVersion: 1,
  initial: () => NONE,
  evolve(state, event) {
    switch (event.type) {
      case 'tenant-created': {
        const { slug, ...settings } = event.data;
        return { ...state, status: 'ACTIVE', slug, settings };
      }
      case 'tenant-updated':
        return { ...state, settings: event.data };
      case 'tenant-status-set':
        return { ...state, status: event.data.to };
      case 'account-opened':
        return { ...state, accountSequence: event.data.numberSequence ?? state.accountSequence };
    }
  },
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as TenantState,
};
