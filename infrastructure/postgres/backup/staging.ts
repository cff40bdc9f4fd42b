/**
 * A restore fills a database of its own beside the living one, and the two change names in one transaction when it is
 * found whole. What is interrupted leaves the living one as it was, and a database that the next restore drops.
 */
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../embedded-binaries.js';
import { DATABASE, keptPasswords } from '../database.js';
import { startEmbeddedServer } from '../embedded-server.js';
import type { RolePasswords } from '../roles.js';
import type { LogEnd } from './manifest.js';

const RESTORING = '_restoring';
const REPLACED = '_replaced_';
const LOCK = 4_172_233_902;
/** Connections that have just been closed here are gone for the server a little later. */
const QUIET_TRIES = 50;
/** So long before it is said that somebody is there. */
const LOOKS = 10;
const QUIET_PAUSE_MS = 100;

/** The server of a database that is to be restored, seen from its database `postgres`. */
export class StagingServer {
  private constructor(
    private readonly admin: pg.Client,
    private readonly ownerUrl: string,
    /** Of the living database. */
    readonly name: string,
    readonly rolePasswords: RolePasswords | undefined,
    private readonly stop: () => Promise<void>,
  ) {}

  /** Connects; starts the embedded server, making its cluster when there is none. One restore at a time. */
  static async open(options: {
    readonly databaseUrl: string | undefined;
    readonly dataDir: string;
    readonly log: Log;
  }): Promise<StagingServer> {
    const { databaseUrl, dataDir, log } = options;
    const embedded = databaseUrl === undefined ? await startEmbeddedServer({ dataDir, log }) : undefined;
    const stop = (): Promise<void> => embedded?.stop() ?? Promise.resolve();
    try {
      const url = databaseUrl ?? embedded?.superuserUrl ?? '';
      const name = databaseUrl === undefined ? DATABASE : decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
      const passwords = databaseUrl === undefined ? await keptPasswords(dataDir) : undefined;
      const admin = new pg.Client({
        connectionString: onDatabase(url, 'postgres'),
        application_name: 'corebook restore',
      });
      admin.on('error', () => undefined); // A lost connection fails the statement that runs.
      await admin.connect();
      const server = new StagingServer(admin, url, name, passwords, stop);
      const { rows } = await admin.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [LOCK]);
      if (rows[0]?.locked === true) return server;
      await admin.end();
      throw new Error('another restore is under way on this server');
    } catch (error) {
      await stop();
      throw error;
    }
  }

  get livingUrl(): string {
    return onDatabase(this.ownerUrl, this.name);
  }

  get stagingUrl(): string {
    return onDatabase(this.ownerUrl, this.name + RESTORING);
  }

  /** `empty`: there is none, or nothing was ever written to its log. */
  async living(): Promise<'empty' | 'used'> {
    if (!(await this.#exists(this.name))) return 'empty';
    const client = new pg.Client({ connectionString: this.livingUrl, application_name: 'corebook restore' });
    await client.connect();
    try {
      const { rows } = await client.query<{ there: boolean }>(
        `select to_regclass('ledger.log_head') is not null as there`,
      );
      if (rows[0]?.there !== true) return 'empty';
      const { rowCount } = await client.query('select from ledger.log_head where position > 0');
      return rowCount === 0 ? 'empty' : 'used';
    } finally {
      await client.end();
    }
  }

  /** The logs of the living database go on from these ends: it is what the backup was made of, or comes from it. */
  async continues(heads: readonly LogEnd[]): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.livingUrl, application_name: 'corebook restore' });
    await client.connect();
    try {
      const { rowCount } = await client.query(
        `select from unnest($1::uuid[], $2::bigint[], $3::text[]) as h (tenant_id, revision, hash)
           join ledger.events e on e.tenant_id = h.tenant_id and e.revision = h.revision and encode(e.hash, 'hex') = h.hash`,
        [heads.map((head) => head.tenantId), heads.map((head) => head.revision), heads.map((head) => head.hash)],
      );
      return heads.length > 0 && rowCount === heads.length;
    } finally {
      await client.end();
    }
  }

  /** Names of those who have the living database open. */
  async users(): Promise<string[]> {
    return this.#usersOf(this.name, LOOKS);
  }

  /** An empty database for the restore, whatever an earlier one left. */
  async makeStaging(): Promise<void> {
    await this.dropStaging();
    await this.#explained(() =>
      this.admin.query(`create database ${quoted(this.name + RESTORING)} template template0`),
    );
  }

  async dropStaging(): Promise<void> {
    await this.#usersOf(this.name + RESTORING, QUIET_TRIES);
    await this.admin.query(`drop database if exists ${quoted(this.name + RESTORING)} with (force)`);
  }

  /** Puts the staging database in the place of the living one; answers the name that this one has now, if there was one. */
  async switch(stamp: string): Promise<string | undefined> {
    for (const name of [this.name, this.name + RESTORING]) {
      const users = await this.#usersOf(name, QUIET_TRIES);
      if (users.length > 0) throw new Error(`the database ${name} was opened meanwhile by ${users.join(', ')}`);
    }
    const replaced = (await this.#exists(this.name)) ? this.name + REPLACED + stamp : undefined;
    await this.admin.query('begin');
    try {
      if (replaced !== undefined)
        await this.admin.query(`alter database ${quoted(this.name)} rename to ${quoted(replaced)}`);
      await this.admin.query(`alter database ${quoted(this.name + RESTORING)} rename to ${quoted(this.name)}`);
      await this.admin.query('commit');
    } catch (error) {
      await this.admin.query('rollback').catch(() => undefined);
      throw error;
    }
    return replaced;
  }

  async drop(name: string): Promise<void> {
    await this.admin.query(`drop database ${quoted(name)} with (force)`);
  }

  /** What restores have left: databases that were replaced, and one that was not finished. */
  async leftovers(): Promise<string[]> {
    const { rows } = await this.admin.query<{ datname: string }>(
      'select datname from pg_database where datname = $1 or starts_with(datname, $2) order by datname',
      [this.name + RESTORING, this.name + REPLACED],
    );
    return rows.map(({ datname }) => datname);
  }

  async close(): Promise<void> {
    await this.admin.end();
    await this.stop();
  }

  async #exists(name: string): Promise<boolean> {
    const { rowCount } = await this.admin.query('select from pg_database where datname = $1', [name]);
    return rowCount !== 0;
  }

  async #usersOf(name: string, tries: number): Promise<string[]> {
    for (let left = tries; ; left -= 1) {
      const { rows } = await this.admin.query<{ names: string[] | null }>(
        `select array_agg(distinct coalesce(nullif(application_name, ''), 'somebody')) as names from pg_stat_activity
          where datname = $1 and backend_type is distinct from 'autovacuum worker'`,
        [name],
      );
      const names = rows[0]?.names ?? [];
      if (names.length === 0 || left <= 1) return names;
      await sleep(QUIET_PAUSE_MS);
    }
  }

  async #explained(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if ((error as { code?: string }).code !== '42501') throw error;
      const user = quoted(decodeURIComponent(new URL(this.ownerUrl).username));
      throw new Error(
        `a restore needs a database beside ${this.name}: run as administrator ALTER ROLE ${user} CREATEDB;`,
        {
          cause: error,
        },
      );
    }
  }
}

function onDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.href;
}

const quoted = (name: string): string => pg.escapeIdentifier(name);
