import pg from 'pg';
import {
  ChangesRejected,
  type CheckpointResult,
  type ProjectionState,
  type ProjectionTables,
  type ReadStore,
  type Row,
  type TableChanges,
  type TableDefinition,
  type Target,
} from '../../application/ports/read-store.js';
import { ProjectorConnection } from './projector-connection.js';
import { physicalName } from './read-store-ddl.js';
import { ReadStoreOwner } from './read-store-owner.js';
import type { ViewDefinition } from './read-store-ddl.js';
import { StatementBook, type Statement, parseRow } from './read-store-sql.js';

const STALE = 'CB001';
/** SQLSTATEs that say: these changes, never. CB002 rows missing; 21 a row twice, 22 data, 23 integrity, 42 shape, 54 limit. */
const REJECTED = /^(?:21|22|23|42|54|CB002)/;
/** The connection does not wait for the disk otherwise. */
const DURABLE: Statement = {
  name: 'read-store-durable',
  text: `select set_config('synchronous_commit', 'on', true)`,
  values: [],
};
const DEFAULT_TIMEOUT_MS = 15_000;
const EMPTY = { name: '', text: '', values: [] };

/**
 * Read models in tables of schema `ledger`, written as role corebook_core through one pipelined connection. Making,
 * switching and dropping tables is the owner's work and goes through short connections of its own.
 */
export class PostgresReadStore implements ReadStore {
  readonly #connection: ProjectorConnection;
  readonly #owner: ReadStoreOwner;
  readonly #statements = new StatementBook();

  constructor(options: {
    readonly coreUrl: string;
    readonly ownerUrl: string;
    /** Views that stand on the tables and are made again with them. */
    readonly analystViews?: readonly ViewDefinition[];
    /** A statement that takes longer has lost its connection: the batch is tried again on another. Default: 15 s. */
    readonly timeoutMs?: number;
  }) {
    this.#connection = new ProjectorConnection(options.coreUrl, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#owner = new ReadStoreOwner(options.ownerUrl, options.analystViews ?? []);
  }

  prepare(projections: readonly ProjectionTables[]): Promise<void> {
    return this.#owner.prepare(projections);
  }

  async states(): Promise<readonly ProjectionState[]> {
    const rows = await this.#connection.rows({
      name: 'read-store-states',
      text: `select name, version, generation, checkpoint, status, parked_error
               from ledger.projections where status <> 'retired' order by name, generation`,
      values: [],
    });
    return rows.map(stateOf);
  }

  async load(target: Target, table: string, keys: readonly Row[]): Promise<readonly Row[]> {
    if (keys.length === 0) return [];
    const definition = definitionOf(target.projection, table);
    const rows = await this.#connection.rows(this.#statements.load(physicalName(table, target), definition, keys));
    return rows.map((row) => parseRow(definition, row));
  }

  async apply(
    target: Target,
    expected: string,
    next: string,
    changes: readonly TableChanges[],
  ): Promise<CheckpointResult> {
    const { name, durable } = target.projection;
    const first = durable === true ? [DURABLE] : [];
    const advance: Statement = {
      name: 'read-store-advance',
      text: 'select ledger.advance_projection($1, $2, $3, $4)',
      values: [name, String(target.generation), expected, next],
    };
    try {
      const statements = changes.flatMap((change) => this.#statementsOf(target, change));
      await this.#connection.transaction([...first, advance, ...statements]);
      return 'applied';
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
      if (code === STALE) return 'stale';
      if (REJECTED.test(code)) throw new ChangesRejected(`${name}: ${(error as Error).message}`, { cause: error });
      throw error;
    }
  }

  #statementsOf(target: Target, changes: TableChanges): Statement[] {
    const table = definitionOf(target.projection, changes.table);
    const physical = physicalName(table.name, target);
    const { inserts, puts, patches, additions } = changes;
    return [
      inserts.length === 0 ? EMPTY : this.#statements.insert(physical, table, inserts),
      puts.length === 0 ? EMPTY : this.#statements.put(physical, table, puts),
      ...patches.map(({ columns, rows }) => this.#statements.patch(physical, table, columns, rows)),
      additions.length === 0 ? EMPTY : this.#statements.add(physical, table, additions),
    ].filter((statement) => statement !== EMPTY);
  }

  async park(target: Target, error: string): Promise<void> {
    await this.#connection.rows({
      name: 'read-store-park',
      text: 'update ledger.projections set parked_error = $3 where name = $1 and generation = $2',
      values: [target.projection.name, String(target.generation), error.replaceAll('\0', '\ufffd')],
    });
  }

  async unpark(name: string): Promise<boolean> {
    const rows = await this.#connection.rows({
      name: 'read-store-unpark',
      text: `update ledger.projections set parked_error = null
              where name = $1 and status = 'live' and parked_error is not null returning name`,
      values: [name],
    });
    return rows.length > 0;
  }

  startRebuild(projection: ProjectionTables): Promise<ProjectionState> {
    return this.#owner.startRebuild(projection);
  }

  finishLoading(target: Target): Promise<void> {
    return this.#owner.finishLoading(target);
  }

  switchTo(target: Target, catchUp: (liveCheckpoint: string) => Promise<void>): Promise<void> {
    return this.#owner.switchTo(target, catchUp);
  }

  dropRetired(options: { readonly unfinished?: boolean } = {}): Promise<number> {
    return this.#owner.dropRetired(options);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

function stateOf(row: Record<string, string | null>): ProjectionState {
  const error = row['parked_error'] ?? null;
  return {
    name: row['name'] ?? '',
    version: Number.parseInt(row['version'] ?? '', 10),
    generation: Number.parseInt(row['generation'] ?? '', 10),
    checkpoint: row['checkpoint'] ?? '',
    status: row['status'] !== 'live' ? 'rebuilding' : error === null ? 'running' : 'parked',
    error,
  };
}

function definitionOf(projection: ProjectionTables, table: string): TableDefinition {
  const definition = projection.tables.find(({ name }) => name === table);
  if (definition === undefined) throw new ChangesRejected(`${projection.name} has no table ${table}`);
  return definition;
}
