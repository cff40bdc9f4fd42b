import type { Json } from '../shared/event.js';
import type { CountryServing, KeyUse, TenantSettings, TenantStatus } from './events.js';
import type { PreferenceKey, PreferenceScope } from './preferences.js';

export interface CreateTenant {
  readonly slug: string;
  readonly settings: TenantSettings;
}
/** Absent members stay as they are. `currencies` may only grow: a book does not forget a currency. */
export interface UpdateTenant {
  readonly settings: Partial<TenantSettings>;
}
export interface SetTenantStatus {
  readonly status: TenantStatus;
  readonly reason: string;
}
/** Opens the system accounts of further currencies; those enabled already are left alone. */
export interface EnableCurrencies {
  readonly currencies: readonly string[];
}
/** Values are validated against `PREFERENCES`; `value: null` takes one away. What is so already changes nothing. */
export interface ChangePreferences {
  readonly changes: ReadonlyArray<{
    readonly key: PreferenceKey;
    readonly scope: PreferenceScope;
    readonly value: Json;
  }>;
  readonly reason?: string;
}
export interface SetCountry {
  /** ISO 3166-1 alpha-3, checked by the caller. */
  readonly country: string;
  readonly serving: Partial<CountryServing>;
  /** What holds for it while nothing was set. */
  readonly byDefault: CountryServing;
}
export interface IntroduceKey {
  readonly kid: string;
  readonly use: KeyUse;
  readonly algorithm: string;
  readonly previous?: string;
  readonly previousUntil?: string;
}
