import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { Row, TableDefinition } from '../../application/ports/read-store.js';
import { AGGREGATES, aggregateOf } from '../../domain/aggregates.js';
import type { Aggregate, Json } from '../../domain/shared/event.js';
import { Changes } from '../changes.js';
import { type Need, type Projection, textOf } from '../projection.js';

/** Where the processor loads cold aggregates from (application/ports/state-store.ts). */
export const AGGREGATE_STATES: TableDefinition = {
  name: 'aggregate_states',
  comment: 'State of every aggregate by its tag, as JSON text (the aggregate’s toJson).',
  columns: { tenant_id: 'uuid', tag: 'text', revision: 'bigint', state: 'text' },
  key: ['tenant_id', 'tag'],
  fillFactor: 50,
};

/** Up to which revision of each tenant the states are complete. */
export const AGGREGATE_CHECKPOINTS: TableDefinition = {
  name: 'aggregate_checkpoints',
  comment: 'Revision up to which the stored states of a tenant are complete.',
  columns: { tenant_id: 'uuid', revision: 'bigint' },
  key: ['tenant_id'],
  fillFactor: 10,
};

/**
 * Changes whenever any aggregate's `stateVersion` does (each counts from 1 and only goes up, so their sum does), or
 * when an aggregate is added: then all states are built anew beside the old ones.
 */
export const AGGREGATE_STATES_VERSION = Object.values(AGGREGATES).reduce(
  (sum, { stateVersion }) => sum + stateVersion,
  0,
);

/** States kept between batches, so that those in use are not read back. */
const DEFAULT_CACHED_STATES = 60_000;

interface Folded {
  readonly aggregate: Aggregate<unknown>;
  readonly id: string;
  readonly key: { readonly tenant_id: string; readonly tag: string };
  state: unknown;
  /** Revision of the last event folded in. */
  revision: number;
}

export function aggregateStatesProjection(options: { cachedStates?: number } = {}): Projection {
  const cache = new StateCache(options.cachedStates ?? DEFAULT_CACHED_STATES);
  return {
    name: 'aggregate-states',
    version: AGGREGATE_STATES_VERSION,
    tables: [AGGREGATE_STATES, AGGREGATE_CHECKPOINTS],
    handles: 'all',
    answersQueries: false,
    durable: true,
    needs(events): Need[] {
      const keys: Row[] = [];
      for (const { tenantId: tenant_id, tags } of events) {
        for (const tag of tags) {
          if (cache.get(tenant_id, tag) === undefined && aggregateOf(tag) !== undefined) keys.push({ tenant_id, tag });
        }
      }
      return [{ table: AGGREGATE_STATES, keys }];
    },
    project(events, loaded) {
      const touched = new Set<Folded>();
      const checkpoints = new Map<string, number>();
      for (const event of events) {
        checkpoints.set(event.tenantId, event.revision);
        for (const tag of event.tags) {
          let folded = cache.get(event.tenantId, tag);
          if (folded === undefined) {
            folded = start(event, tag, loaded.get(AGGREGATE_STATES, { tenant_id: event.tenantId, tag }));
            if (folded === undefined) continue;
            cache.set(event.tenantId, tag, folded);
          }
          // An event may carry a tag twice.
          if (folded.revision >= event.revision) continue;
          folded.state = folded.aggregate.evolve(folded.state, event, folded.id);
          folded.revision = event.revision;
          touched.add(folded);
        }
      }
      const changes = new Changes();
      for (const { aggregate, key, state, revision } of touched) {
        changes.put(AGGREGATE_STATES, { ...key, revision, state: JSON.stringify(aggregate.toJson(state)) });
      }
      for (const [tenant_id, revision] of checkpoints) changes.put(AGGREGATE_CHECKPOINTS, { tenant_id, revision });
      cache.trim();
      return changes;
    },
    forget: () => cache.clear(),
  };
}

/** The stored or the initial state of a tag; undefined for tags that are no aggregates (`customer:`). */
function start(event: ScannedEvent, tag: string, row: Row | undefined): Folded | undefined {
  const found = aggregateOf(tag);
  if (found === undefined) return undefined;
  const { aggregate, id } = found;
  const key = { tenant_id: event.tenantId, tag };
  if (row === undefined) return { aggregate, id, key, state: aggregate.initial(id), revision: -1 };
  const state = aggregate.fromJson(JSON.parse(textOf(row['state'])) as Json);
  return { aggregate, id, key, state, revision: row['revision'] as number };
}

/** States in two generations: what is used moves to the young one, and a full young one replaces the old. */
class StateCache {
  /** By tenant, then by tag: the tag's own text is the key, nothing is put together for a look-up. */
  #young = new Map<string, Map<string, Folded>>();
  #old = new Map<string, Map<string, Folded>>();
  #size = 0;

  constructor(private readonly limit: number) {}

  get(tenantId: string, tag: string): Folded | undefined {
    const young = this.#young.get(tenantId)?.get(tag);
    if (young !== undefined) return young;
    const old = this.#old.get(tenantId)?.get(tag);
    if (old !== undefined) this.set(tenantId, tag, old);
    return old;
  }

  set(tenantId: string, tag: string, folded: Folded): void {
    let states = this.#young.get(tenantId);
    if (states === undefined) this.#young.set(tenantId, (states = new Map()));
    states.set(tag, folded);
    this.#size += 1;
  }

  /** Between batches only: within one, what `needs` found here must still be here. */
  trim(): void {
    if (this.#size < this.limit / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#size = 0;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#size = 0;
  }
}
