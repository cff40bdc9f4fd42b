import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { Row, TableDefinition } from '../../application/ports/read-store.js';
import type { TenantEvent, TenantSettings } from '../../domain/tenant/events.js';
import { Changes } from '../changes.js';
import { type Loaded, type Projection, textOf } from '../projection.js';

/** The directory: read before a tenant is known. Lists and settings are JSON text (jsonb refuses some texts). */
export const TENANTS: TableDefinition = {
  name: 'tenants',
  comment: 'Directory of tenants.',
  columns: {
    tenant_id: 'uuid',
    slug: 'text',
    name: 'text',
    domains: 'text',
    base_currency: 'text',
    currencies: 'text',
    branding: 'text',
    email_templates: 'text',
    sms_sender_id: 'text',
    status: 'text',
    created_at: 'timestamptz',
  },
  key: ['tenant_id'],
  nullable: ['sms_sender_id'],
  indexes: [{ columns: ['slug'] }],
  scope: 'directory',
};

/** Whose a domain is: the first tenant (by position) that names it, until that tenant names it no more. */
export const TENANT_DOMAINS: TableDefinition = {
  name: 'tenant_domains',
  comment: 'Domains and the tenants they belong to; null: given up.',
  columns: { domain: 'text', tenant_id: 'uuid' },
  key: ['domain'],
  nullable: ['tenant_id'],
  scope: 'directory',
};

type Event = ScannedEvent & TenantEvent;

export function tenantsProjection(): Projection {
  return {
    name: 'tenants',
    version: 1,
    tables: [TENANTS, TENANT_DOMAINS],
    handles: ['tenant-created', 'tenant-updated', 'tenant-status-set'],
    answersQueries: true,
    needs(events, loaded) {
      const tenants = events.map(({ tenantId }) => ({ tenant_id: tenantId }));
      const named = events.flatMap((event) => domainsIn(event as Event));
      const before = tenants.flatMap((key) => domainsOf(loaded.get(TENANTS, key)));
      return [
        { table: TENANTS, keys: tenants },
        { table: TENANT_DOMAINS, keys: [...named, ...before].map((domain) => ({ domain })) },
      ];
    },
    project(events, loaded) {
      const directory = new Directory(loaded);
      for (const event of events) directory.apply(event as Event);
      return directory.changes;
    },
  };
}

const normalDomain = (domain: string): string => domain.toLowerCase();

function domainsIn(event: Event): string[] {
  return event.type === 'tenant-status-set' ? [] : event.data.domains.map(normalDomain);
}

function domainsOf(row: Row | undefined): string[] {
  return row === undefined ? [] : (JSON.parse(textOf(row['domains'])) as string[]).map(normalDomain);
}

/** The directory as far as a batch touches it. */
class Directory {
  readonly changes = new Changes();
  readonly #tenants = new Map<string, Row>();
  readonly #owners = new Map<string, string | null>();

  constructor(private readonly loaded: Loaded) {}

  apply(event: Event): void {
    const key = { tenant_id: event.tenantId };
    const before = this.#tenants.get(event.tenantId) ?? this.loaded.get(TENANTS, key);
    if (event.type === 'tenant-created') {
      this.#put({
        ...key,
        slug: event.data.slug,
        status: 'ACTIVE',
        created_at: event.recordedAt,
        ...settingsRow(event.data),
      });
    } else if (before === undefined) {
      throw new Error(`${event.type} of tenant ${event.tenantId}, which was not created`);
    } else {
      this.#put({
        ...before,
        ...(event.type === 'tenant-updated' ? settingsRow(event.data) : { status: event.data.to }),
      });
    }
    if (event.type !== 'tenant-status-set') this.#claim(event.tenantId, domainsOf(before), domainsIn(event));
  }

  #put(row: Row): void {
    this.#tenants.set(textOf(row['tenant_id']), row);
    this.changes.put(TENANTS, row);
  }

  #claim(tenantId: string, before: readonly string[], after: readonly string[]): void {
    for (const domain of before) {
      if (!after.includes(domain) && this.#ownerOf(domain) === tenantId) this.#own(domain, null);
    }
    for (const domain of after) if (this.#ownerOf(domain) === null) this.#own(domain, tenantId);
  }

  #ownerOf(domain: string): string | null {
    const owner = this.#owners.get(domain);
    if (owner !== undefined) return owner;
    return (this.loaded.get(TENANT_DOMAINS, { domain })?.['tenant_id'] as string | null | undefined) ?? null;
  }

  #own(domain: string, tenantId: string | null): void {
    this.#owners.set(domain, tenantId);
    this.changes.put(TENANT_DOMAINS, { domain, tenant_id: tenantId });
  }
}

function settingsRow(settings: TenantSettings) {
  return {
    name: settings.name,
    domains: JSON.stringify(settings.domains),
    base_currency: settings.baseCurrency,
    currencies: JSON.stringify(settings.currencies),
    branding: JSON.stringify(settings.branding),
    email_templates: JSON.stringify(settings.emailTemplates),
    sms_sender_id: settings.smsSenderId ?? null,
  };
}
