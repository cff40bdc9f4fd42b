import { createHash } from 'node:crypto';
import pg from 'pg';
import type { ProjectionState, ProjectionTables, Target } from '../../application/ports/read-store.js';
import {
  type ViewDefinition,
  analystViewQuery,
  createAnalystView,
  createTable,
  createView,
  finishTable,
  physicalName,
} from './read-store-ddl.js';

/** Any number, the same in every process: tables are made by one process after the other. */
const LOCK_ID = 7_301_958_205;
const LOCK_NOT_AVAILABLE = '55P03';
/** A view that names a column that is not there yet (of another projection's next version) is made when it is. */
const NO_SUCH_COLUMN = '42703';
/** `create or replace` cannot take columns away. */
const OTHER_COLUMNS = '42P16';
/** While a lock on a view is waited for, new readers wait behind it: rather give up soon and try again. */
const LOCK_TIMEOUT_MS = 1_000;
const LOCK_ATTEMPTS = 30;
const LOCK_PAUSE_MS = 200;

/** What needs the database owner: making, switching and dropping tables and views. One short connection each time. */
export class ReadStoreOwner {
  constructor(
    private readonly url: string,
    private readonly analystViews: readonly ViewDefinition[],
  ) {}

  async prepare(projections: readonly ProjectionTables[]): Promise<void> {
    // Without the lock first: a start must not wait for a rebuild in another process that makes its indexes.
    if (await this.#connected((client) => this.#isPrepared(client, projections))) return;
    await this.#transaction(async (client) => {
      for (const projection of projections) {
        const { rowCount } = await client.query('select from ledger.projections where name = $1 and status = $2', [
          projection.name,
          'live',
        ]);
        if (rowCount !== 0) continue;
        const target = { projection, generation: await nextGeneration(client, projection.name) };
        await createTables(client, target, false);
        await register(client, target, 'live');
        for (const table of projection.tables) await runAll(client, createView(table, target));
      }
      await this.#createAnalystViews(client);
    });
  }

  async #isPrepared(client: pg.Client, projections: readonly ProjectionTables[]): Promise<boolean> {
    const { rows } = await client.query<{ name: string }>(`select name from ledger.projections where status = 'live'`);
    const live = new Set(rows.map(({ name }) => name));
    return projections.every(({ name }) => live.has(name)) && (await this.#outdatedViews(client)).length === 0;
  }

  startRebuild(projection: ProjectionTables): Promise<ProjectionState> {
    const { name, version } = projection;
    return this.#transaction(async (client) => {
      const { rows } = await client.query<{ generation: number; checkpoint: string }>(
        `select generation, checkpoint from ledger.projections where name = $1 and version = $2 and status = 'building'`,
        [name, version],
      );
      const [unfinished] = rows;
      if (unfinished !== undefined) return { name, version, status: 'rebuilding', error: null, ...unfinished };
      const target = { projection, generation: await nextGeneration(client, name) };
      await createTables(client, target, true);
      await register(client, target, 'building');
      return { name, version, generation: target.generation, checkpoint: '', status: 'rebuilding', error: null };
    });
  }

  finishLoading(target: Target): Promise<void> {
    return this.#transaction(async (client) => {
      const identity = [target.projection.name, target.generation];
      const { rowCount } = await client.query(
        'update ledger.projections set loaded = true where name = $1 and generation = $2 and not loaded',
        identity,
      );
      if (rowCount === 0) return;
      await client.query(`select set_config('maintenance_work_mem', '256MB', true)`);
      for (const table of target.projection.tables) await runAll(client, finishTable(table, target));
    });
  }

  switchTo(target: Target, catchUp: (liveCheckpoint: string) => Promise<void>): Promise<void> {
    const { name, version, tables } = target.projection;
    return this.#transaction(async (client) => {
      // Projectors wait at this row from here on: the live checkpoint stands still until the views are switched.
      const { rows } = await client.query<{ checkpoint: string; version: number }>(
        `select checkpoint, version from ledger.projections where name = $1 and status = 'live' for update`,
        [name],
      );
      const [live] = rows;
      await catchUp(live?.checkpoint ?? '');
      await client.query(`update ledger.projections set status = 'retired' where name = $1 and status = 'live'`, [
        name,
      ]);
      const { rowCount } = await client.query(
        `update ledger.projections set status = 'live'
          where name = $1 and generation = $2 and status = 'building' and loaded`,
        [name, target.generation],
      );
      if (rowCount !== 1) throw new Error(`${name}: there is no such finished build`);
      if (live?.version !== version) {
        for (const table of tables) await client.query(`drop view if exists ledger.${table.name}`);
      }
      for (const table of tables) await runAll(client, createView(table, target));
      await this.#createAnalystViews(client);
    });
  }

  dropRetired(options: { readonly unfinished?: boolean }): Promise<number> {
    return this.#transaction(async (client) => {
      const { rows } = await client.query<{ tables: string[] }>(
        'delete from ledger.projections where status = any($1) returning tables',
        [options.unfinished === true ? ['retired', 'building'] : ['retired']],
      );
      for (const { tables } of rows) {
        for (const table of tables) await client.query(`drop table if exists ledger.${pg.escapeIdentifier(table)}`);
      }
      return rows.length;
    });
  }

  /** The analysts' views that are not yet as the code and the live tables would have them. */
  async #outdatedViews(client: pg.Client): Promise<OutdatedView[]> {
    const [live, { rows }] = [
      await liveTables(client),
      await client.query<{ name: string; digest: string }>('select name, digest from ledger.analyst_views'),
    ];
    return this.analystViews.flatMap((view) => {
      const query = analystViewQuery(view, live);
      if (query === undefined) return [];
      const statements = createAnalystView(view, query);
      const digest = createHash('sha256').update(statements.join('\n')).digest('hex');
      const current = rows.some((row) => row.name === view.name && row.digest === digest);
      return current ? [] : [{ view, statements, digest }];
    });
  }

  async #createAnalystViews(client: pg.Client): Promise<void> {
    for (const { view, statements, digest } of await this.#outdatedViews(client)) {
      await client.query('savepoint analyst_view');
      try {
        await this.#replaceView(client, view, statements);
      } catch (error) {
        if (codeOf(error) !== NO_SUCH_COLUMN) throw error;
        await client.query('rollback to savepoint analyst_view');
        continue;
      }
      await client.query(
        `insert into ledger.analyst_views (name, digest) values ($1, $2)
           on conflict (name) do update set digest = excluded.digest`,
        [view.name, digest],
      );
    }
  }

  async #replaceView(client: pg.Client, view: ViewDefinition, statements: readonly string[]): Promise<void> {
    try {
      await runAll(client, statements);
    } catch (error) {
      if (codeOf(error) !== OTHER_COLUMNS) throw error;
      await client.query('rollback to savepoint analyst_view');
      await runAll(client, [`drop view analytics.${view.name}`, ...statements]);
    }
  }

  /** Runs work in a transaction, again when a lock was not to be had. */
  async #transaction<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#connected(async (client) => {
          await client.query('begin');
          // First one maker of tables at a time, however long that one takes; then no lock is waited for long.
          await client.query('select pg_advisory_xact_lock($1)', [LOCK_ID]);
          await client.query(`select set_config('lock_timeout', $1, true)`, [`${LOCK_TIMEOUT_MS}ms`]);
          const result = await work(client);
          await client.query('commit');
          return result;
        });
      } catch (error) {
        if (codeOf(error) !== LOCK_NOT_AVAILABLE || attempt >= LOCK_ATTEMPTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
    }
  }

  /** A connection for this work; ending it takes back what was not committed. */
  async #connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'corebook read models' });
    // A lost connection fails the statement that runs.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

interface OutdatedView {
  readonly view: ViewDefinition;
  readonly statements: readonly string[];
  readonly digest: string;
}

/** The tables of the live builds by their base names. */
async function liveTables(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ tables: string[] }>(
    `select tables from ledger.projections where status = 'live'`,
  );
  return new Map(rows.flatMap(({ tables }) => tables.map((table) => [table.replace(/_v\d+(?:_g\d+)?$/, ''), table])));
}

async function nextGeneration(client: pg.Client, name: string): Promise<number> {
  const { rows } = await client.query<{ next: number }>(
    'select coalesce(max(generation), 0) + 1 as next from ledger.projections where name = $1',
    [name],
  );
  return rows[0]?.next ?? 1;
}

async function createTables(client: pg.Client, target: Target, bulk: boolean): Promise<void> {
  for (const table of target.projection.tables) await runAll(client, createTable(table, target, bulk));
}

async function register(client: pg.Client, target: Target, status: 'live' | 'building'): Promise<void> {
  const { projection, generation } = target;
  await client.query(
    'insert into ledger.projections (name, version, generation, status, tables, loaded) values ($1, $2, $3, $4, $5, $6)',
    [
      projection.name,
      projection.version,
      generation,
      status,
      projection.tables.map((table) => physicalName(table.name, target)),
      status === 'live',
    ],
  );
}

async function runAll(client: pg.Client, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await client.query(statement);
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? '';
}
