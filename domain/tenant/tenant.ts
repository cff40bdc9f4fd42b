import type { AccountOpened } from '../ledger/events.js';
import type { Aggregate, Json } from '../shared/event.js';
import type { CustomerRegistered } from '../customer/events.js';
import type { LoanRequested } from '../loan/events.js';
import type { LoanConditionsSet } from '../loan-product/events.js';
import type { WithdrawalRequested } from '../withdrawal/events.js';
import type { CountryServing, PreferencesChanged, TenantEvent, TenantSettings, TenantStatus } from './events.js';
import { type PreferenceSetting, isPreferenceKey, sameScope } from './preferences.js';

/** The tenant itself and the counters of its book: the fold of events tagged `tenant:<id>`. */
export interface TenantState {
  readonly status: 'NONE' | TenantStatus;
  readonly slug: string;
  readonly settings: TenantSettings;
  /** Running number of the last account number that was made. */
  readonly accountSequence: number;
  /** Running number of the last customer code that was made. */
  readonly customerSequence: number;
  /** Running number of the last loan code that was made. */
  readonly loanSequence: number;
  /** Version of the terms and conditions of its loans; 0: none yet. */
  readonly loanConditionsVersion: number;
  /** Running number of the last transfer to a bank. */
  readonly withdrawalSequence: number;
  readonly preferences: readonly PreferenceSetting[];
  /** Countries whose serving was set by hand, by ISO 3166-1 alpha-3; for the others see `servedByDefault`. */
  readonly countries: Readonly<Record<string, CountryServing>>;
}

const NONE: TenantState = {
  status: 'NONE',
  slug: '',
  settings: { name: '', baseCurrency: '', currencies: [], domains: [], branding: {}, emailTemplates: {} },
  accountSequence: 0,
  customerSequence: 0,
  loanSequence: 0,
  loanConditionsVersion: 0,
  withdrawalSequence: 0,
  preferences: [],
  countries: {},
};

export const tenantAggregate: Aggregate<
  TenantState,
  TenantEvent | AccountOpened | CustomerRegistered | LoanRequested | LoanConditionsSet | WithdrawalRequested
> = {
  kind: 'tenant',
  stateVersion: 3,
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
      case 'customer-registered':
        return { ...state, customerSequence: event.data.codeSequence };
      case 'loan-requested':
        return { ...state, loanSequence: event.data.codeSequence };
      case 'loan-conditions-set':
        return { ...state, loanConditionsVersion: event.data.conditionsVersion };
      case 'withdrawal-requested':
        return { ...state, withdrawalSequence: event.data.referenceSequence };
      case 'preferences-changed':
        return { ...state, preferences: changedPreferences(state.preferences, event) };
      case 'country-set':
        return { ...state, countries: { ...state.countries, [event.data.country]: event.data.to } };
      case 'key-introduced':
        return state;
    }
  },
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as TenantState,
};

/** The settings after an event: shared with the read model. Keys that this code no longer knows are dropped. */
export function changedPreferences(
  settings: readonly PreferenceSetting[],
  event: Pick<PreferencesChanged, 'data'>,
): readonly PreferenceSetting[] {
  let changed = settings;
  for (const { key, scope, to } of event.data.changes) {
    changed = changed.filter((setting) => setting.key !== key || !sameScope(setting.scope, scope));
    if (to !== null && isPreferenceKey(key)) changed = [...changed, { key, scope, value: to }];
  }
  return changed;
}
