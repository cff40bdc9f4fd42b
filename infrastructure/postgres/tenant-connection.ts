import pg from 'pg';
import type { Query, QueryRow, TenantQueries } from '../../application/ports/queries.js';
import { bearBrokenClients } from './pool.js';
import { RAW_TYPES } from './raw-rows.js';

const SETTINGS = '-c statement_timeout=15s -c timezone=UTC -c datestyle=ISO';
const SET_TENANT = { name: 'set-tenant', text: `select set_config('app.tenant', $1, false)` };

/**
 * Connections of role corebook_api, each remembering for which tenant row-level security is set on it: the setting is
 * changed only when another tenant asks, and then travels together with the query.
 */
export class TenantConnections implements TenantQueries {
  readonly #pool: pg.Pool;
  readonly #tenants = new WeakMap<pg.PoolClient, string>();

  constructor(options: { readonly url: string; readonly connections?: number }) {
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: options.connections ?? 8,
      application_name: 'corebook queries',
      connectionTimeoutMillis: 5_000,
      query_timeout: 20_000,
      options: SETTINGS,
    });
    // An idle connection that breaks is replaced by the pool.
    this.#pool.on('error', () => undefined);
    bearBrokenClients(this.#pool);
    this.#pool.on('connect', (client) => {
      (client as pg.PoolClient & { pipeline: boolean }).pipeline = true;
    });
  }

  async query(tenantId: string | null, { name, text, values }: Query): Promise<readonly QueryRow[]> {
    const client = await this.#pool.connect();
    let broken = true;
    try {
      const tenant = tenantId ?? '';
      const setting = this.#tenants.get(client) === tenant ? undefined : this.#setTenant(client, tenant);
      const asked = client.query<Record<string, string | null>>({ name, text, values: [...values], types: RAW_TYPES });
      // Rows count only if the tenant was set; a connection where that failed is not used again.
      const [set, result] = await Promise.allSettled([setting, asked]);
      if (set.status === 'rejected') throw set.reason;
      broken = false;
      if (result.status === 'rejected') {
        broken = !(result.reason instanceof pg.DatabaseError);
        throw result.reason;
      }
      return result.value.rows;
    } finally {
      client.release(broken);
    }
  }

  async #setTenant(client: pg.PoolClient, tenant: string): Promise<void> {
    this.#tenants.delete(client);
    await client.query({ ...SET_TENANT, values: [tenant] });
    this.#tenants.set(client, tenant);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
