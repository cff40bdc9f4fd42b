/** Opens Corebook's database: the embedded server or one of the operator's, migrated, with an address for each role. */
import { randomBytes, scryptSync } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Log } from './embedded-binaries.js';
import { findRunningServer, startEmbeddedServer } from './embedded-server.js';
import type { EmbeddedServer } from './embedded-server.js';
import { migrate } from './migrate.js';
import { ROLES, ensureRolePasswords, roleUrl } from './roles.js';
import type { RoleName, RolePasswords } from './roles.js';

/** The embedded server's database. */
export const DATABASE = 'corebook';
const DUPLICATE: readonly string[] = ['42P04', '23505'];

/** Addresses of one database. `owner` is for migrations only: it stands above every rule the others obey. */
export type DatabaseUrls = Readonly<Record<'owner' | RoleName, string>>;

export interface Database {
  readonly urls: DatabaseUrls;
  /** Undefined when DATABASE_URL names a server of the operator's. */
  readonly embedded: EmbeddedServer | undefined;
  /** Stops the embedded server unless another process uses it. Close every pool first. */
  close(): Promise<void>;
}

export async function openDatabase(options: {
  /** Unset: the embedded server. */
  databaseUrl?: string | undefined;
  dataDir: string;
  log: Log;
  /** For operators who set the roles' passwords themselves. */
  rolePasswords?: RolePasswords | undefined;
}): Promise<Database> {
  const { databaseUrl, dataDir, log } = options;
  if (databaseUrl !== undefined) {
    const passwords = options.rolePasswords ?? derivedPasswords(databaseUrl);
    return { urls: await prepare(databaseUrl, passwords, log), embedded: undefined, close: async () => undefined };
  }
  const embedded = await startEmbeddedServer({ dataDir, log, lookAfter: true });
  try {
    const owner = await ensureDatabase(embedded.superuserUrl);
    const passwords = options.rolePasswords ?? (await keptPasswords(dataDir));
    return { urls: await prepare(owner, passwords, log), embedded, close: () => embedded.stop() };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

/**
 * Addresses for the command line, which joins a database that is open already: nothing is started, migrated or
 * changed. Undefined when no process of ours runs the embedded server of `dataDir`.
 */
export async function joinDatabase(options: {
  databaseUrl?: string | undefined;
  dataDir: string;
  rolePasswords?: RolePasswords | undefined;
}): Promise<DatabaseUrls | undefined> {
  const { databaseUrl, dataDir, rolePasswords } = options;
  if (databaseUrl !== undefined) return urlsOf(databaseUrl, rolePasswords ?? derivedPasswords(databaseUrl));
  const running = await findRunningServer(dataDir);
  if (running === undefined) return undefined;
  return urlsOf(onDatabase(running.superuserUrl), rolePasswords ?? (await keptPasswords(dataDir)));
}

async function prepare(owner: string, passwords: RolePasswords, log: Log): Promise<DatabaseUrls> {
  await migrate({ url: owner, log });
  await ensureRolePasswords({ url: owner, passwords });
  return urlsOf(owner, passwords);
}

function urlsOf(owner: string, passwords: RolePasswords): DatabaseUrls {
  const of = (role: RoleName): string => roleUrl(owner, ROLES[role], passwords[role]);
  return { owner, core: of('core'), api: of('api'), analyst: of('analyst') };
}

function onDatabase(superuserUrl: string): string {
  const url = new URL(superuserUrl);
  url.pathname = `/${DATABASE}`;
  return url.href;
}

async function ensureDatabase(superuserUrl: string): Promise<string> {
  const client = new Client({ connectionString: superuserUrl });
  client.on('error', () => undefined); // A lost connection fails the statement that runs.
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } catch (error) {
    // Another process of ours, starting at the same moment, made it.
    if (!DUPLICATE.includes((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await client.end();
  }
  return onDatabase(superuserUrl);
}

/** The roles' passwords on the embedded server: made once for this DATA_DIR and kept in a file that only we can read. */
export async function keptPasswords(dataDir: string): Promise<RolePasswords> {
  const file = join(dataDir, 'role-passwords.json');
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  const fresh = { core: newPassword(), api: newPassword(), analyst: newPassword() };
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RolePasswords;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  try {
    await writeFile(draft, JSON.stringify(fresh), { mode: 0o600 });
    await link(draft, file); // Whole or not at all, and the first of two processes wins.
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await keptPasswords(dataDir);
  } finally {
    await rm(draft, { force: true });
  }
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * Every node that knows DATABASE_URL comes to the same passwords without sharing anything else. Not reversible: a
 * role's password does not reveal the owner's, provided that one cannot be guessed.
 */
function derivedPasswords(databaseUrl: string): RolePasswords {
  const secret = decodeURIComponent(new URL(databaseUrl).password);
  if (secret === '') {
    throw new Error(
      'DATABASE_URL has no password, so none can be derived for the database roles: set theirs in the configuration.',
    );
  }
  const of = (role: RoleName): string => scryptSync(secret, ROLES[role], 24).toString('base64url');
  return { core: of('core'), api: of('api'), analyst: of('analyst') };
}
