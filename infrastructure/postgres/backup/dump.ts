import { Readable } from 'node:stream';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { LogHome } from '../append-connection.js';
import type { DatabaseUrls } from '../database.js';
import type { BackupWriter, OnBytes } from './backup-file.js';
import type { LogEnd, Manifest } from './manifest.js';
import { type DumpedTable, namedTables, plainTables } from './tables.js';

export interface DumpOptions {
  readonly urls: Pick<DatabaseUrls, 'owner' | 'core'>;
  readonly writer: BackupWriter;
  /** Without them they are built from the log when it is restored. */
  readonly withReadModels: boolean;
  readonly about: Pick<Manifest, 'createdAt' | 'corebook' | 'secrets'>;
  /** One JSON object a line. */
  readonly erasures: readonly string[];
  readonly onBytes: OnBytes;
}

/** Texts mean the same in every session that writes or reads them. */
export const SESSION =
  '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex';
const NAME = 'corebook backup';
/** A table that was listed and is gone when it is locked (a rebuild has just ended): listed again, so many times. */
const ATTEMPTS = 5;
const NO_SUCH_TABLE = '42P01';

/** Writes the database as one moment saw it while others go on working. Answers the size of the file and the manifest. */
export async function dumpDatabase(
  options: DumpOptions,
): Promise<{ size: number; manifest: Omit<Manifest, 'sections'> }> {
  for (let attempt = 1; ; attempt += 1) {
    const owner = await connected(options.urls.owner);
    const core = await connected(options.urls.core);
    try {
      return await inSnapshot(owner, core, options);
    } catch (error) {
      const isRace = (error as { code?: string }).code === NO_SUCH_TABLE && options.writer.sections.length === 0;
      if (!isRace || attempt >= ATTEMPTS) throw error;
    } finally {
      await Promise.allSettled([owner.end(), core.end()]);
    }
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: NAME, options: SESSION });
  client.on('error', () => undefined); // A lost connection fails the statement that runs.
  await client.connect();
  return client;
}

async function inSnapshot(owner: pg.Client, core: pg.Client, options: DumpOptions) {
  await owner.query('begin isolation level repeatable read read only');
  const { rows } = await owner.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot');
  await core.query('begin isolation level repeatable read read only');
  await core.query(`set transaction snapshot ${pg.escapeLiteral(rows[0]?.snapshot ?? '')}`);
  const logHome = await homeOf(owner);
  const models = options.withReadModels ? await liveReadModels(owner) : [];
  const tables = [...(await plainTables(owner)), ...(await namedTables(owner, models.flatMap(physicalTables)))];
  // Until the end nobody drops or alters them; reading and writing go on.
  await owner.query(`lock table ${tables.map(({ name }) => name).join(', ')} in access share mode`);

  const of = tables.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const onBytes = (bytes: number): void => options.onBytes(Math.min((done += bytes), of), of);
  for (const table of tables) await dumpTable(table.isGuarded ? core : owner, table, options.writer, onBytes);
  const lines = options.erasures.map((line) => `${line}\n`);
  await options.writer.add(
    { kind: 'erasures', name: 'erasures', columns: [] },
    Readable.from(lines.map((line) => Buffer.from(line))),
    () => lines.length,
  );
  const manifest = {
    ...options.about,
    logHome,
    migrations: await namesOf(owner, 'select name from public.schema_migrations order by run_on, id'),
    lastPosition: (await namesOf(owner, 'select position::text as name from ledger.log_head'))[0] ?? '0',
    heads: await headsOf(core),
    readModels: models,
  };
  return { size: await options.writer.finish(manifest), manifest };
}

async function dumpTable(
  client: pg.Client,
  table: DumpedTable,
  writer: BackupWriter,
  onBytes: (bytes: number) => void,
) {
  const columns = table.columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const rows = client.query(copyTo(`copy ${table.name} (${columns}) to stdout`));
  const about = { kind: 'table', name: table.name, columns: table.columns } as const;
  await writer.add(about, rows, () => rows.rowCount, onBytes);
}

async function homeOf(owner: pg.Client): Promise<'postgres' | 'eventstoredb'> {
  const { rows } = await owner.query<{ home: LogHome }>('select home from ledger.log_head');
  const home = rows[0]?.home;
  if (home === 'postgres' || home === 'eventstoredb') return home;
  throw new Error(`the log is ${home}: a backup is made before or after the move`);
}

async function liveReadModels(owner: pg.Client): Promise<Manifest['readModels']> {
  const { rows } = await owner.query<{ name: string; version: number; checkpoint: string; tables: string[] }>(
    `select name, version, checkpoint, tables from ledger.projections where status = 'live' order by name`,
  );
  return rows.map(({ tables, ...model }) => ({
    ...model,
    tables: Object.fromEntries(tables.map((table) => [table.replace(/_v\d+(?:_g\d+)?$/, ''), `ledger.${table}`])),
  }));
}

function physicalTables({ tables }: Manifest['readModels'][number]): string[] {
  return Object.values(tables).map((table) => table.slice('ledger.'.length));
}

/** Where each tenant's log ends. */
export async function headsOf(client: pg.Client): Promise<LogEnd[]> {
  const { rows } = await client.query<{ tenant_id: string; revision: string; position: string; hash: string }>(
    `select tenant_id, revision, position, encode(hash, 'hex') as hash from ledger.log_tenants order by tenant_id`,
  );
  return rows.map(({ tenant_id: tenantId, revision, position, hash }) => ({
    ...{ tenantId, position, hash },
    revision: Number.parseInt(revision, 10),
  }));
}

async function namesOf(client: pg.Client, text: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(text);
  return rows.map(({ name }) => name);
}
