import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { Row, TableDefinition } from '../../application/ports/read-store.js';
import type { AgentCreated, AgentUpdated } from '../../domain/agent/events.js';
import type {
  CountryServing,
  CountrySet,
  PreferencesChanged,
  TenantCreated,
  TenantSettings,
  TenantStatusSet,
  TenantUpdated,
} from '../../domain/tenant/events.js';
import type { PreferenceSetting } from '../../domain/tenant/preferences.js';
import { changedPreferences } from '../../domain/tenant/tenant.js';
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

/**
 * Whose a domain is: the first tenant or agent (by position) that names it, until it names it no more. An agent's
 * domain belongs to its tenant, and tells the agent too.
 */
export const TENANT_DOMAINS: TableDefinition = {
  name: 'tenant_domains',
  comment: 'Domains and the tenants (and agents) they belong to; null: given up.',
  columns: { domain: 'text', tenant_id: 'uuid', agent_id: 'uuid' },
  key: ['domain'],
  nullable: ['tenant_id', 'agent_id'],
  scope: 'directory',
};

/** Which domains each agent names: what it must give up when it names others. */
const AGENT_DOMAINS: TableDefinition = {
  name: 'agent_domains',
  comment: 'Domains each agent names, as a JSON list.',
  columns: { tenant_id: 'uuid', agent_id: 'uuid', domains: 'text' },
  key: ['tenant_id', 'agent_id'],
};

/** Preferences and countries as they were set: what a tenant runs by. */
export const TENANT_SETTINGS: TableDefinition = {
  name: 'tenant_settings',
  comment: 'Preferences (JSON list of settings) and countries (JSON object by ISO 3166-1 alpha-3) of each tenant.',
  columns: { tenant_id: 'uuid', preferences: 'text', countries: 'text' },
  key: ['tenant_id'],
};

type DirectoryEvent =
  TenantCreated | TenantUpdated | TenantStatusSet | AgentCreated | AgentUpdated | PreferencesChanged | CountrySet;
type Event = ScannedEvent & DirectoryEvent;

export function tenantsProjection(): Projection {
  return {
    name: 'tenants',
    version: 2,
    tables: [TENANTS, TENANT_DOMAINS, AGENT_DOMAINS, TENANT_SETTINGS],
    handles: [
      'tenant-created',
      'tenant-updated',
      'tenant-status-set',
      'agent-created',
      'agent-updated',
      'preferences-changed',
      'country-set',
    ],
    answersQueries: true,
    needs(events, loaded) {
      const tenants = events.map(({ tenantId }) => ({ tenant_id: tenantId }));
      const agents = (events as readonly Event[]).flatMap((event) =>
        'agent' in event.data ? [{ tenant_id: event.tenantId, agent_id: event.data.agent }] : [],
      );
      const named = events.flatMap((event) => domainsIn(event as Event));
      const before = [
        ...tenants.flatMap((key) => domainsOf(loaded.get(TENANTS, key))),
        ...agents.flatMap((key) => domainsOf(loaded.get(AGENT_DOMAINS, key))),
      ];
      return [
        { table: TENANTS, keys: tenants },
        { table: AGENT_DOMAINS, keys: agents },
        { table: TENANT_SETTINGS, keys: tenants },
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
  return 'domains' in event.data ? event.data.domains.map(normalDomain) : [];
}

function domainsOf(row: Row | undefined): string[] {
  return row === undefined ? [] : (JSON.parse(textOf(row['domains'])) as string[]).map(normalDomain);
}

interface Owner {
  readonly tenant_id: string | null;
  readonly agent_id: string | null;
}
const NOBODY: Owner = { tenant_id: null, agent_id: null };

/** The directory as far as a batch touches it. */
class Directory {
  readonly changes = new Changes();
  readonly #rows = new Map<string, Row>();
  readonly #owners = new Map<string, Owner>();

  constructor(private readonly loaded: Loaded) {}

  apply(event: Event): void {
    switch (event.type) {
      case 'tenant-created':
      case 'tenant-updated':
      case 'tenant-status-set':
        this.#tenant(event);
        return;
      case 'agent-created':
      case 'agent-updated':
        this.#agent(event);
        return;
      case 'preferences-changed':
      case 'country-set':
        this.#settings(event);
    }
  }

  #tenant(event: ScannedEvent & (TenantCreated | TenantUpdated | TenantStatusSet)): void {
    const key = { tenant_id: event.tenantId };
    const before = this.#row(TENANTS, key);
    if (event.type === 'tenant-created') {
      const { slug } = event.data;
      this.#put(TENANTS, key, { slug, status: 'ACTIVE', created_at: event.recordedAt, ...settingsRow(event.data) });
    } else if (before === undefined) {
      throw new Error(`${event.type} of tenant ${event.tenantId}, which was not created`);
    } else {
      const change = event.type === 'tenant-updated' ? settingsRow(event.data) : { status: event.data.to };
      this.#put(TENANTS, key, { ...before, ...change });
    }
    if (event.type === 'tenant-status-set') return;
    this.#claim({ tenant_id: event.tenantId, agent_id: null }, domainsOf(before), domainsIn(event));
  }

  #agent(event: ScannedEvent & (AgentCreated | AgentUpdated)): void {
    const key = { tenant_id: event.tenantId, agent_id: event.data.agent };
    const before = domainsOf(this.#row(AGENT_DOMAINS, key));
    const after = domainsIn(event);
    this.#put(AGENT_DOMAINS, key, { domains: JSON.stringify(after) });
    this.#claim(key, before, after);
  }

  #settings(event: ScannedEvent & (PreferencesChanged | CountrySet)): void {
    const key = { tenant_id: event.tenantId };
    const row = this.#row(TENANT_SETTINGS, key);
    const preferences = row === undefined ? '[]' : textOf(row['preferences']);
    const countries = row === undefined ? '{}' : textOf(row['countries']);
    if (event.type === 'country-set') {
      const all = JSON.parse(countries) as Record<string, CountryServing>;
      const text = JSON.stringify({ ...all, [event.data.country]: event.data.to });
      this.#put(TENANT_SETTINGS, key, { preferences, countries: text });
    } else {
      const changed = changedPreferences(JSON.parse(preferences) as PreferenceSetting[], event);
      this.#put(TENANT_SETTINGS, key, { preferences: JSON.stringify(changed), countries });
    }
  }

  #row(table: TableDefinition, key: Row): Row | undefined {
    return this.#rows.get(rowName(table, key)) ?? this.loaded.get(table, key);
  }

  #put(table: TableDefinition, key: Row, columns: Row): void {
    const row = { ...columns, ...key };
    this.#rows.set(rowName(table, key), row);
    this.changes.put(table, row);
  }

  #claim(claimant: Owner, before: readonly string[], after: readonly string[]): void {
    for (const domain of before) {
      if (!after.includes(domain) && isSame(this.#ownerOf(domain), claimant)) this.#own(domain, NOBODY);
    }
    for (const domain of after) if (this.#ownerOf(domain).tenant_id === null) this.#own(domain, claimant);
  }

  #ownerOf(domain: string): Owner {
    const row = this.#owners.get(domain) ?? this.loaded.get(TENANT_DOMAINS, { domain });
    return (row as Owner | undefined) ?? NOBODY;
  }

  #own(domain: string, { tenant_id, agent_id }: Owner): void {
    this.#owners.set(domain, { tenant_id, agent_id });
    this.changes.put(TENANT_DOMAINS, { domain, tenant_id, agent_id });
  }
}

const isSame = (a: Owner, b: Owner): boolean => a.tenant_id === b.tenant_id && a.agent_id === b.agent_id;
const rowName = (table: TableDefinition, key: Row): string => `${table.name} ${Object.values(key).join(' ')}`;

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
