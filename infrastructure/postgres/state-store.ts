import pg from 'pg';
import type { LoadedStates, StateStore } from '../../application/ports/state-store.js';
import type { Tag } from '../../domain/shared/event.js';
import { RAW_TYPES } from './raw-rows.js';

/**
 * One statement, so one snapshot: the checkpoint and the states belong together. States of another version than the
 * code's are as good as none (no row comes back), until the rebuild of this version has switched the views.
 */
const LOAD = {
  name: 'state-store-load',
  text: `select coalesce((select c.revision from ledger.aggregate_checkpoints c where c.tenant_id = $1), -1) as revision,
                s.tag, s.state
           from (select from ledger.projections where name = 'aggregate-states' and status = 'live' and version = $3) live
           left join ledger.aggregate_states s on s.tenant_id = $1 and s.tag = any(string_to_array($2, ' '))`,
  types: RAW_TYPES,
};

interface StateRow {
  readonly revision: string;
  readonly tag: Tag | null;
  readonly state: string | null;
}

/** Stored aggregate states in `ledger.aggregate_states`, as role corebook_core. */
export class PostgresStateStore implements StateStore {
  readonly #pool: pg.Pool;
  readonly #version: string;

  constructor(options: {
    readonly url: string;
    /** Version of the projection that writes the states (AGGREGATE_STATES_VERSION). */
    readonly version: number;
  }) {
    this.#version = String(options.version);
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: 4,
      application_name: 'corebook states',
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
    });
    // An idle connection that breaks is replaced by the pool.
    this.#pool.on('error', () => undefined);
  }

  async load(tenantId: string, tags: readonly Tag[]): Promise<LoadedStates> {
    // Tags have no blanks: the log joins them by one.
    const values = [tenantId, tags.join(' '), this.#version];
    const { rows } = await this.#pool.query<StateRow>({ ...LOAD, values });
    if (rows.length === 0) return { revision: -1, states: new Map(), missing: true };
    const states = new Map<Tag, unknown>();
    for (const { tag, state } of rows)
      if (tag !== null && state !== null) states.set(tag, JSON.parse(state) as unknown);
    return { revision: Number.parseInt(rows[0]?.revision ?? '-1', 10), states };
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
