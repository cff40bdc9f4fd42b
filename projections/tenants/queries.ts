import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { Page, Paged, TenantSettingsView, TenantView } from '../../application/ports/read-models.js';
import { count, instant, limitOf, offsetOf, optionalText, text } from '../rows.js';

const COLUMNS = `t.tenant_id, t.slug, t.name, t.domains, t.base_currency, t.currencies, t.branding, t.email_templates,
  t.sms_sender_id, t.status, ${instant('t.created_at')} as created_at`;

export async function tenant(db: TenantQueries, tenantId: string): Promise<TenantView | undefined> {
  const [row] = await db.query(null, {
    name: 'tenant-by-id',
    text: `select ${COLUMNS} from ledger.tenants t where t.tenant_id = $1`,
    values: [tenantId],
  });
  return row === undefined ? undefined : tenantView(row);
}

/** An agent's host belongs to its tenant, and tells the agent too. */
export async function domainOwner(
  db: TenantQueries,
  domain: string,
): Promise<{ readonly tenantId: string; readonly agentId: string | null } | undefined> {
  const [row] = await db.query(null, {
    name: 'domain-owner',
    text: `select tenant_id, agent_id from ledger.tenant_domains where domain = $1 and tenant_id is not null`,
    values: [domain.toLowerCase()],
  });
  return row === undefined ? undefined : { tenantId: text(row, 'tenant_id'), agentId: optionalText(row, 'agent_id') };
}

export async function tenantSettings(db: TenantQueries, tenantId: string): Promise<TenantSettingsView> {
  const [row] = await db.query(tenantId, {
    name: 'tenant-settings',
    text: `select preferences, countries from ledger.tenant_settings where tenant_id = $1`,
    values: [tenantId],
  });
  if (row === undefined) return { preferences: [], countries: {} };
  return {
    preferences: JSON.parse(text(row, 'preferences')) as TenantSettingsView['preferences'],
    countries: JSON.parse(text(row, 'countries')) as TenantSettingsView['countries'],
  };
}

/** By slug. */
export async function tenants(db: TenantQueries, page: Page): Promise<Paged<TenantView>> {
  const [[counted], rows] = await Promise.all([
    db.query(null, { name: 'tenants-count', text: 'select count(*) as n from ledger.tenants', values: [] }),
    db.query(null, {
      name: 'tenants-page',
      text: `select ${COLUMNS} from ledger.tenants t order by t.slug, t.tenant_id limit $1 offset $2`,
      values: [limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(tenantView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

function tenantView(row: QueryRow): TenantView {
  const json = (column: string): unknown => JSON.parse(text(row, column));
  return {
    tenantId: text(row, 'tenant_id'),
    slug: text(row, 'slug'),
    name: text(row, 'name'),
    domains: json('domains') as string[],
    baseCurrency: text(row, 'base_currency'),
    currencies: json('currencies') as string[],
    branding: json('branding') as Record<string, string>,
    emailTemplates: json('email_templates') as Record<string, string>,
    smsSenderId: optionalText(row, 'sms_sender_id'),
    status: text(row, 'status') as TenantView['status'],
    createdAt: text(row, 'created_at'),
  };
}
