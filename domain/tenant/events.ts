import { z } from 'zod';
import type { DomainEvent } from '../shared/event.js';

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

export type TenantSettings = z.infer<typeof tenantUpdatedV1>;
export type TenantCreated = DomainEvent<'tenant-created', z.infer<typeof tenantCreatedV1>>;
export type TenantUpdated = DomainEvent<'tenant-updated', TenantSettings>;
export type TenantStatusSet = DomainEvent<'tenant-status-set', z.infer<typeof tenantStatusSetV1>>;
export type TenantEvent = TenantCreated | TenantUpdated | TenantStatusSet;
