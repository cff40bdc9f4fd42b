import { z } from 'zod';
import type { CommittedEvent } from '../../application/commands.js';
import type { TenantView } from '../../application/ports/read-models.js';
import { TENANT_STATUSES, type TenantCreated, type TenantSettings } from '../../domain/tenant/events.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { EXAMPLE } from '../ledger/examples.js';

export const tenantShape = z
  .object({
    tenantId: z.string(),
    slug: z.string(),
    name: z.string(),
    domains: z.array(z.string()),
    baseCurrency: z.string(),
    currencies: z.array(z.string()),
    branding: z.record(z.string(), z.string()),
    emailTemplates: z.record(z.string(), z.string()),
    smsSenderId: z.string().nullable(),
    status: z.enum(TENANT_STATUSES),
    createdAt: z.string(),
  })
  .meta({ id: 'Tenant' });

export function tenantOut(tenant: TenantView) {
  const {
    tenantId,
    slug,
    name,
    domains,
    baseCurrency,
    currencies,
    branding,
    emailTemplates,
    smsSenderId,
    status,
    createdAt,
  } = tenant;
  return {
    tenantId,
    slug,
    name,
    domains,
    baseCurrency,
    currencies,
    branding,
    emailTemplates,
    smsSenderId,
    status,
    createdAt,
  };
}

/** A tenant as its first event made it. */
export function createdTenant(event: CommittedEvent): TenantView {
  const { slug, ...settings } = event.data as TenantCreated['data'];
  return { tenantId: tenantIdOf(slug), slug, ...settingsOut(settings), status: 'ACTIVE', createdAt: event.recordedAt };
}

export function settingsOut(settings: TenantSettings) {
  return { ...settings, smsSenderId: settings.smsSenderId ?? null };
}

export const TENANT_EXAMPLE = {
  tenantId: EXAMPLE.tenantId,
  slug: 'demo',
  name: 'Demo Remittance',
  domains: ['pay.demo.example'],
  baseCurrency: 'NGN',
  currencies: ['NGN', 'USD'],
  branding: { primaryColor: '#0a7f5a' },
  emailTemplates: {},
  smsSenderId: 'DEMO',
  status: 'ACTIVE',
  createdAt: EXAMPLE.at,
};
