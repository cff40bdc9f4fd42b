import type { TenantSettings, TenantStatus } from './events.js';

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
