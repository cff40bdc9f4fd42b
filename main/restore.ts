import type { Logger } from 'pino';
import { type AuditReport, auditAll } from '../application/audit/audit-all.js';
import { type ErasedAgain, eraseAgain } from '../application/people/erase-again.js';
import type { Erasure } from '../application/ports/erasure-register.js';
import type { BackupFile } from '../infrastructure/postgres/backup/backup-file.js';
import { Loader } from '../infrastructure/postgres/backup/load.js';
import type { StagingServer } from '../infrastructure/postgres/backup/staging.js';
import { PostgresBookQueries } from '../infrastructure/postgres/book-queries.js';
import { type DatabaseUrls, openDatabase } from '../infrastructure/postgres/database.js';
import { migrate } from '../infrastructure/postgres/migrate.js';
import { PostgresOutbox } from '../infrastructure/postgres/outbox.js';
import type { Config } from './config.js';
import { COMMAND_LINE, CORRELATION, type Core, openCore } from './core.js';
import { erasuresOf } from './erasures.js';
import { rebuildPeople, restoreReadModels } from './restored-read-models.js';

export interface RestoreOptions {
  readonly backup: BackupFile;
  readonly server: StagingServer;
  /** Of the installation that is restored. */
  readonly config: Config;
  readonly logger: Logger;
  readonly erasures: readonly Erasure[];
  readonly useReadModels: boolean;
  /** Where the log is at home afterwards. */
  readonly logHome: 'postgres' | 'eventstoredb';
  readonly progress: (phase: 'loading' | 'read models' | 'verifying', done: number, of: number) => void;
}

export interface Restored {
  readonly events: number;
  readonly tenants: number;
  readonly readModels: { readonly restored: readonly string[]; readonly rebuilt: readonly string[] };
  readonly erasures: ErasedAgain;
  readonly audit: AuditReport;
  /** Seconds of each part. */
  readonly took: { readonly loading: number; readonly readModels: number; readonly verifying: number };
}

/** Reactors look again at what happened shortly before: their jobs are not in the backup, and doing one again does nothing. */
const REACT_AGAIN_MS = 60 * 60_000;

/**
 * Fills the staging database and makes it ready to serve: rows, erasures that the backup does not know of, read models, and
 * an audit of all of it. The living database is not touched; the caller puts this one in its place, or drops it.
 */
export async function fillStaging(options: RestoreOptions): Promise<Restored> {
  const { backup, server, config, logger } = options;
  const { manifest } = backup;
  const log = (message: string, details?: object): void => logger.info(details ?? {}, message);
  const lap = stopWatch();
  await server.makeStaging();
  const url = server.stagingUrl;
  // First the schema that the backup is of, with its rows; then what this code made of that schema since.
  await migrate({ url, log, count: manifest.migrations.length });
  const loader = await Loader.open(url, backup, (done, of) => options.progress('loading', done, of));
  try {
    await loader.loadPlainTables();
    const { rolePasswords } = server;
    const { urls } = await openDatabase({ databaseUrl: url, dataDir: config.DATA_DIR, log, rolePasswords });
    await checkHeads(loader, backup);
    // As long as it is being restored it is a log on PostgreSQL, whatever it was and will be.
    await loader.query(`update ledger.log_head set home = 'postgres'`);
    const loading = lap();
    const report = await withStagedCore(options, urls, false, (core) => revive(options, core, loader));
    const readModels = lap();
    await reactAgain(loader, manifest.createdAt);
    const audit = await withStagedCore(options, urls, true, (core) => auditStaged(core, options));
    await settleHome(loader, options);
    const took = { loading, readModels, verifying: lap() };
    return { ...report, audit, took, events: audit.events, tenants: audit.tenants.length };
  } finally {
    await loader.close();
  }
}

/** Answers the seconds since it was asked last. */
function stopWatch(): () => number {
  let last = performance.now();
  return () => {
    const seconds = (performance.now() - last) / 1000;
    last += seconds * 1000;
    return seconds;
  };
}

async function withStagedCore<T>(
  { config, logger }: RestoreOptions,
  urls: DatabaseUrls,
  project: boolean,
  work: (core: Core) => Promise<T>,
): Promise<T> {
  const here = { ...config, DATABASE_URL: urls.owner, LOG_URL: undefined };
  const core = await openCore({ config: here, logger, project, urls, closeDatabase: () => Promise.resolve() });
  try {
    return await work(core);
  } finally {
    await core.close();
  }
}

/** Each tenant's log ends where it ended, with the same hash. That it is one chain up to there is the audit's to say. */
async function checkHeads(loader: Loader, { manifest }: BackupFile): Promise<void> {
  const { rows } = await loader.query(
    `select tenant_id as "tenantId", revision::int8::text, position::text, encode(hash, 'hex') as hash
       from ledger.log_tenants order by tenant_id`,
  );
  const found = rows.map((row) => JSON.stringify([row['tenantId'], row['revision'], row['position'], row['hash']]));
  const wanted = manifest.heads.map(({ tenantId, revision, position, hash }) =>
    JSON.stringify([tenantId, String(revision), position, hash]),
  );
  if (found.join() !== wanted.join()) throw new Error('the restored logs do not end where the backup says');
}

async function revive(options: RestoreOptions, core: Core, loader: Loader) {
  const { backup, useReadModels, logHome, erasures } = options;
  const { urls, log, identity } = core;
  const progress = (done: number, of: number): void => options.progress('read models', done, of);
  const ports = { urls, log, vault: identity.vault, progress };
  const inLog = await erasuresOf(urls.core);
  const outbox = new PostgresOutbox(core.pool, core.clock, core.ids);
  const mayAppend = logHome === 'postgres';
  const by = { actor: COMMAND_LINE, correlationId: CORRELATION };
  const readModels = await restoreReadModels({ ...ports, backup, loader, useBackup: useReadModels });
  const again = await eraseAgain({ ...identity, bus: core.bus, outbox }, erasures, { inLog, mayAppend, ...by });
  if (again.unstated > 0) await rebuildPeople(ports);
  return { readModels, erasures: again };
}

async function reactAgain(loader: Loader, createdAt: string): Promise<void> {
  const since = new Date(Date.parse(createdAt) - REACT_AGAIN_MS).toISOString();
  await loader.query(
    `with start as (select coalesce(min(position) - 1, (select position from ledger.log_head)) as position
                      from ledger.events where recorded_at >= $1)
     update ledger.reactor_checkpoints c
        set position = coalesce(nullif(least(nullif(c.position, '')::bigint, start.position), 0)::text, '')
       from start where c.position <> ''`,
    [since],
  );
}

async function auditStaged(core: Core, { progress }: RestoreOptions): Promise<AuditReport> {
  await core.caughtUp();
  const { log, readModels, clock, pool } = core;
  const book = new PostgresBookQueries(pool);
  const onProgress = ({ done, of }: { done: number; of: number }): void => progress('verifying', done, of);
  return auditAll({ log, readModels, book, census: book, clock }, { onProgress });
}

async function settleHome(loader: Loader, { logHome, backup }: RestoreOptions): Promise<void> {
  await loader.query('update ledger.log_head set home = $1', [logHome]);
  if (logHome === backup.manifest.logHome) return;
  // The event store that was followed is given up: another one has other positions.
  await loader.query('update ledger.log_follower set commit_position = null, prepare_position = null');
}
