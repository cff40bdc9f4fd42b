import { z } from 'zod';
import type { DomainEvent, Json } from '../shared/event.js';

const text = z.string().max(512);
const settings = {
  name: text,
  baseCurrency: z.string().length(3),
  currencies: z.array(z.string().length(3)).min(1).max(50),
  domains: z.array(z.string().max(253)).max(20),
  /** White-label settings: keys and values as the tenant sends them. */
  branding: z.record(z.string().max(64), z.string().max(2000)),
  emailTemplates: z.record(z.string().max(64), z.string().max(20000)),
  smsSenderId: z.string().max(32).optional(),
};

export const tenantCreatedV1 = z.strictObject({ slug: z.string().max(63), ...settings });
export const tenantUpdatedV1 = z.strictObject(settings);
export const TENANT_STATUSES = ['ACTIVE', 'SUSPENDED'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];
export const tenantStatusSetV1 = z.strictObject({
  from: z.enum(TENANT_STATUSES),
  to: z.enum(TENANT_STATUSES),
  reason: text,
});

const id = z.string().length(36);
const preferenceScope = z.strictObject({
  agent: id.optional(),
  country: z.string().length(3).optional(),
  validFrom: z.iso.date().optional(),
  validTo: z.iso.date().optional(),
});
const json = z.json() as z.ZodType<Json>;
/** `to: null` takes the value at this scope away; `from` is what stood there. */
export const preferencesChangedV1 = z.strictObject({
  changes: z
    .array(
      z.strictObject({ key: z.string().max(64), scope: preferenceScope, from: json.nullable(), to: json.nullable() }),
    )
    .min(1)
    .max(200),
  reason: text.optional(),
});
const serving = z.strictObject({ active: z.boolean(), sending: z.boolean(), receiving: z.boolean() });
export type CountryServing = z.infer<typeof serving>;
export const countrySetV1 = z.strictObject({ country: z.string().length(3), from: serving, to: serving });
export const KEY_USES = ['PAYLOAD', 'WEBHOOK', 'JWT'] as const;
export type KeyUse = (typeof KEY_USES)[number];
/** A key pair was made, or (WEBHOOK) a public key was uploaded; the one before it works until `previousUntil`. */
export const keyIntroducedV1 = z.strictObject({
  kid: z.string().max(64),
  use: z.enum(KEY_USES),
  algorithm: z.string().max(32),
  previous: z.string().max(64).optional(),
  previousUntil: z.iso.datetime().optional(),
});

export type TenantSettings = z.infer<typeof tenantUpdatedV1>;
export type TenantCreated = DomainEvent<'tenant-created', z.infer<typeof tenantCreatedV1>>;
export type TenantUpdated = DomainEvent<'tenant-updated', TenantSettings>;
export type TenantStatusSet = DomainEvent<'tenant-status-set', z.infer<typeof tenantStatusSetV1>>;
export type PreferencesChanged = DomainEvent<'preferences-changed', z.infer<typeof preferencesChangedV1>>;
export type CountrySet = DomainEvent<'country-set', z.infer<typeof countrySetV1>>;
export type KeyIntroduced = DomainEvent<'key-introduced', z.infer<typeof keyIntroducedV1>>;
export type TenantEvent =
  TenantCreated | TenantUpdated | TenantStatusSet | PreferencesChanged | CountrySet | KeyIntroduced;
