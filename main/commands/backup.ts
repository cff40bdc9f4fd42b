import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createLogger } from '../../http/logging.js';
import { BackupFile, BackupUnusable, BackupWriter } from '../../infrastructure/postgres/backup/backup-file.js';
import { dumpDatabase } from '../../infrastructure/postgres/backup/dump.js';
import { StagingServer } from '../../infrastructure/postgres/backup/staging.js';
import { type DatabaseUrls, joinDatabase, openDatabase } from '../../infrastructure/postgres/database.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { type Config, erasureRegisterOf, readConfig } from '../config.js';
import { completeRegister, writableRegister } from '../erasures.js';
import { checkFits, erasuresToRepeat, secretDigests } from '../restore-checks.js';
import { type Restored, fillStaging } from '../restore.js';
import { VERSION } from '../version.js';
import { EXIT, Failure, print, progressBar } from './run.js';

/** Writes the database, as it is at this moment, to a file; a server that runs goes on. */
export async function createBackupCommand(given: { file: string; readModels: boolean; json: boolean }): Promise<void> {
  const config = readConfig();
  const path = await pathOf(given.file);
  const secrets = await secretDigests(config);
  if (secrets === undefined)
    throw new Failure('there is nothing to back up: no server was started here yet', EXIT.refused);
  const started = performance.now();
  const bar = progressBar('backing up', given.json);
  const writer = await usable(() => BackupWriter.create(path));
  try {
    const { size, manifest } = await withDatabase(config, async (urls) => {
      const erasures = await completeRegister(config, urls, secrets.master);
      // After the register was begun: it goes back to before every backup.
      const createdAt = now();
      return await usable(() =>
        dumpDatabase({
          ...{ urls, writer, withReadModels: given.readModels, onBytes: bar.update },
          erasures: erasures.map((erasure) => JSON.stringify(erasure)),
          about: { createdAt, corebook: VERSION, secrets },
        }),
      );
    });
    bar.stop();
    const seconds = secondsSince(started);
    const events = manifest.heads.reduce((sum, { revision }) => sum + revision + 1, 0);
    const { createdAt } = manifest;
    print(
      { ok: true, file: path, bytes: size, events, tenants: manifest.heads.length, createdAt, seconds },
      given.json,
      `${path}: ${events} events of ${manifest.heads.length} tenants, ${size} bytes in ${seconds.toFixed(1)} s`,
    );
  } catch (error) {
    bar.stop();
    await writer.abandon();
    throw error;
  }
}

/** Reads a backup from end to end and says what it is. Needs no database. */
export async function verifyBackupCommand(given: { file: string; json: boolean }): Promise<void> {
  const { manifest, size } = await openBackup(given.file, given.json);
  const { createdAt, logHome, lastPosition, heads } = manifest;
  const events = heads.reduce((sum, { revision }) => sum + revision + 1, 0);
  const readModels = manifest.readModels.map(({ name }) => name);
  print(
    { ok: true, file: given.file, bytes: size, createdAt, logHome, lastPosition, events, heads, readModels },
    given.json,
    `${given.file} is whole: made ${createdAt}, ${events} events of ${heads.length} tenants up to position ${lastPosition}, ` +
      `${readModels.length === 0 ? 'without read models' : `${readModels.length} read models`}`,
  );
}

export interface RestoreGiven {
  readonly file: string;
  readonly into?: string;
  readonly erasures?: readonly string[];
  readonly acceptMissingErasures: boolean;
  readonly acceptOtherSecrets: boolean;
  readonly replace: boolean;
  readonly readModels: boolean;
  readonly logHome?: string;
  readonly json: boolean;
}

/** Restores into a database beside the living one, proves it, and only then puts it in its place. */
export async function restoreBackupCommand(given: RestoreGiven): Promise<void> {
  if (given.logHome !== undefined && given.logHome !== 'postgres')
    throw new Failure('--log-home is postgres', EXIT.usage);
  const own = readConfig();
  const config = targetOf(own, given.into);
  const started = performance.now();
  const backup = await openBackup(given.file, given.json);
  await checkFits(backup, config, given);
  const logger = quietLogger();
  const log = (message: string, details?: object): void => logger.info(details ?? {}, message);
  const server = await StagingServer.open({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR, log });
  try {
    await checkTarget(server, given);
    const registers = [own, config].map(erasureRegisterOf);
    const { erasures, beginnings } = await erasuresToRepeat({ backup, server, given, registers });
    const restored = await fill(given, { backup, server, config, logger, erasures });
    // Who was erased again is in the register of the restored installation by now; so it goes back as far as the others.
    const register = await writableRegister(config);
    for (const beginning of beginnings) await register?.begin(beginning);
    const replaced = await server.switch(stampOf(now()));
    // A database that was never written to is nothing to keep.
    if (replaced !== undefined && restored.wasEmpty) await server.drop(replaced);
    report(given, backup, restored, restored.wasEmpty ? undefined : replaced, secondsSince(started));
  } finally {
    await server.close();
  }
}

type Fill = Omit<Parameters<typeof fillStaging>[0], 'useReadModels' | 'logHome' | 'progress'>;

async function fill(given: RestoreGiven, parts: Fill): Promise<Restored & { wasEmpty: boolean }> {
  const bars = new Map<string, ReturnType<typeof progressBar>>();
  const progress = (phase: string, done: number, of: number): void => {
    if (!bars.has(phase)) bars.forEach((bar) => bar.stop());
    const bar = bars.get(phase) ?? progressBar(phase, given.json);
    bars.set(phase, bar);
    bar.update(done, of);
  };
  const wasEmpty = (await parts.server.living()) === 'empty';
  try {
    const logHome = given.logHome === 'postgres' ? 'postgres' : parts.backup.manifest.logHome;
    const restored = await fillStaging({ ...parts, useReadModels: given.readModels, logHome, progress });
    bars.forEach((bar) => bar.stop());
    if (restored.audit.ok) return { ...restored, wasEmpty };
    const broken = restored.audit.tenants.filter(({ log }) => !log.ok).length;
    const advice = broken > 0 ? `the log of ${broken} tenants is broken` : 'try again with --no-read-models';
    throw new Failure(`what was restored does not pass the audit, so nothing was changed: ${advice}`, EXIT.findings);
  } catch (error) {
    bars.forEach((bar) => bar.stop());
    await parts.server.dropStaging().catch(() => undefined);
    throw error;
  }
}

async function checkTarget(server: StagingServer, { replace }: RestoreGiven): Promise<void> {
  const users = await server.users();
  if (users.length > 0)
    throw new Failure(
      `stop every process of Corebook first: the database is open for ${users.join(', ')}`,
      EXIT.refused,
    );
  if ((await server.living()) === 'used' && !replace)
    throw new Failure(`the database ${server.name} has events: --replace puts the backup in its place`, EXIT.refused);
}

function report(
  given: RestoreGiven,
  { manifest }: BackupFile,
  { events, tenants, readModels, erasures, took }: Restored,
  replaced: string | undefined,
  seconds: number,
): void {
  const kept =
    replaced === undefined ? [] : [`the replaced database is kept as ${replaced}: corebook backup clean drops it`];
  const text = [
    `restored the backup of ${manifest.createdAt}: ${events} events of ${tenants} tenants, every chain unbroken, in ${seconds.toFixed(1)} s`,
    `read models: ${readModels.restored.length} restored, ${readModels.rebuilt.length} built from the log`,
    `erasures: ${erasures.known} in the log, ${erasures.stated + erasures.unstated} carried out again`,
    ...kept,
    'everybody logs in again; passwords and API tokens are those of the backup',
  ];
  const { createdAt } = manifest;
  print(
    { ok: true, createdAt, events, tenants, readModels, erasures, replaced: replaced ?? null, seconds, took },
    given.json,
    text.join('\n'),
  );
}

/** Drops what restores have left beside the living database. */
export async function cleanBackupCommand(given: { into?: string; json: boolean }): Promise<void> {
  const config = targetOf(readConfig(), given.into);
  const server = await StagingServer.open({
    ...{ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR },
    log: () => undefined,
  });
  try {
    const dropped = await server.leftovers();
    for (const name of dropped) await server.drop(name);
    print(
      { ok: true, dropped },
      given.json,
      dropped.length === 0 ? 'nothing to drop' : `dropped ${dropped.join(', ')}`,
    );
  } finally {
    await server.close();
  }
}

/** A server that runs is joined; otherwise its database is opened for as long as this takes. */
async function withDatabase<T>(config: Config, work: (urls: DatabaseUrls) => Promise<T>): Promise<T> {
  const { DATABASE_URL: databaseUrl, DATA_DIR: dataDir } = config;
  const joined = await joinDatabase({ databaseUrl, dataDir });
  if (joined !== undefined) return await work(joined);
  const database = await openDatabase({ databaseUrl, dataDir, log: () => undefined });
  try {
    return await work(database.urls);
  } finally {
    await database.close();
  }
}

function targetOf(config: Config, into: string | undefined): Config {
  if (into === undefined) return config;
  if (/^postgres(ql)?:\/\//.test(into)) return { ...config, DATABASE_URL: into, LOG_URL: undefined };
  return { ...config, DATA_DIR: into, DATABASE_URL: undefined, LOG_URL: undefined };
}

async function openBackup(file: string, json: boolean): Promise<BackupFile> {
  const bar = progressBar('checking', json);
  try {
    return await usable(() => BackupFile.open(file, bar.update));
  } finally {
    bar.stop();
  }
}

async function usable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupUnusable) throw new Failure(error.message, EXIT.refused);
    throw error;
  }
}

async function pathOf(file: string): Promise<string> {
  const isDirectory = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isDirectory ? join(file, `corebook-${stampOf(now())}.backup`) : file;
}

/** `20261122t220423z`: good in names of files and databases. */
function stampOf(instant: string): string {
  return instant
    .replace(/\.\d+Z$/, 'z')
    .replace(/[-:]/g, '')
    .toLowerCase();
}

function now(): string {
  return new Date(systemClock.nowMs()).toISOString();
}

function quietLogger(): Logger {
  return createLogger({ level: 'warn', destination: process.stderr });
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
