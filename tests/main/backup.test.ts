import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import tap, { type Test } from 'tap';
import { booksAt } from '../../application/audit/replay.js';
import { readConfig } from '../../main/config.js';
import { checkFits } from '../../main/restore-checks.js';
import type { SandboxFile } from '../../main/sandbox.js';
import { BackupFile, BackupUnusable, BackupWriter } from '../../infrastructure/postgres/backup/backup-file.js';
import type { Manifest } from '../../infrastructure/postgres/backup/manifest.js';
import { PostgresBookQueries } from '../../infrastructure/postgres/book-queries.js';
import { type Database, type DatabaseUrls, openDatabase } from '../../infrastructure/postgres/database.js';
import { startEmbeddedServer } from '../../infrastructure/postgres/embedded-server.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { createPool } from '../../infrastructure/postgres/pool.js';
import { corebook } from '../support/command-line.js';
import { scratchDirectory } from '../support/erasable-person.js';
import { Fleet } from '../support/fleet.js';

/** Backups of the running product, restored beside it: the whole procedure of docs/reference/backup.md, by its commands. */
const REFUSED = 3;
const CALLERS = 4;
/** A command ends without waiting for this read model: nobody looks at it. */
const STATES = 'aggregate-states';
const POST = '/api/v6/services/gateway/post-account';

const DIGEST = '0'.repeat(64);
/** What a backup without anything says of itself. */
const EMPTY: Omit<Manifest, 'sections'> = {
  ...{ createdAt: '2026-11-22T00:00:00.000Z', corebook: '0', logHome: 'postgres', migrations: [], lastPosition: '0' },
  ...{ heads: [], secrets: { master: DIGEST, token: DIGEST }, readModels: [] },
};

tap.setTimeout(280_000);

type Demo = SandboxFile['tenants'][number];

function demoOf(sandbox: SandboxFile | undefined): Demo {
  const demo = sandbox?.tenants[0];
  if (demo === undefined) throw new Error('the sandbox has no tenant');
  return demo;
}

async function post(url: string, demo: Demo, key: string): Promise<{ status: number; text: string }> {
  const { wallets, cashAccountNumber, currency, tokens } = demo;
  const response = await fetch(url + POST, {
    method: 'POST',
    headers: { 'X-Auth-Token': tokens.MANAGER, 'Content-Type': 'application/json' },
    body: JSON.stringify([
      {
        ...{ primaryAccountNumber: cashAccountNumber, currencyCode: currency, instructionIdempotencykey: key },
        creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
        counterParties: [{ accountNumber: wallets[0]?.accountNumber, currencyCode: currency, amount: 0.25 }],
      },
    ]),
  });
  return { status: response.status, text: await response.text() };
}

/** Callers who post until they are told to stop; what was acknowledged is written down. */
class Load {
  readonly acknowledged: string[] = [];
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(url: string, demo: Demo) {
    this.#running = Promise.all(
      Array.from({ length: CALLERS }, async (_, caller) => {
        for (let count = 0; !this.#stopped; count += 1) {
          const key = `load-${caller}-${count}`;
          if ((await post(url, demo, key)).status === 200) this.acknowledged.push(key);
        }
      }),
    );
  }

  async reaches(count: number): Promise<void> {
    for (let waited = 0; this.acknowledged.length < count; waited += 20) {
      if (waited > 20_000) throw new Error('the load does not get through');
      await delay(20);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

async function query<T extends pg.QueryResultRow>(url: string, text: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

async function withDatabase<T>(dataDir: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase({ dataDir, log: () => undefined });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Rights, policies, keys, indexes, triggers, views and functions: all that a table is beside its rows. */
async function shapeOf(url: string): Promise<string[]> {
  const rows = await query<{ line: string }>(
    url,
    `select format('grant %s %s %s %s', table_schema, table_name, grantee, privilege_type) as line
       from information_schema.role_table_grants where table_schema in ('ledger', 'analytics')
     union all select format('column grant %s %s %s %s', table_name, column_name, grantee, privilege_type)
       from information_schema.column_privileges where table_schema = 'ledger' and grantee like 'corebook_a%'
     union all select format('policy %s %s %s %s %s %s', tablename, policyname, roles, cmd, qual, with_check)
       from pg_policies where schemaname = 'ledger'
     union all select format('table %s %s %s %s', c.relname, relrowsecurity, relforcerowsecurity, reloptions)
       from pg_class c where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'v')
     union all select format('index %s', indexdef) from pg_indexes where schemaname = 'ledger'
     union all select format('constraint %s %s', conname, pg_get_constraintdef(oid))
       from pg_constraint where connamespace = 'ledger'::regnamespace and contype <> 'n'
     union all select format('trigger %s', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
     union all select format('view %s %s', viewname, definition) from pg_views where schemaname in ('ledger', 'analytics')
     union all select format('function %s %s', oid::regprocedure, proacl) from pg_proc where pronamespace = 'ledger'::regnamespace
     union all select format('connect %s', datacl) from pg_database where datname = current_database()`,
  );
  // A read model that was restored is another build of it.
  return rows.map(({ line }) => line.replace(/_g\d+/g, '')).sort();
}

/** Every row of every table of the live read models, as one text. */
async function readModelRows(url: string, but = ''): Promise<string> {
  const models = await query<{ name: string; tables: string[] }>(
    url,
    `select name, tables from ledger.projections where status = 'live' and name <> $1 order by name`,
    [but],
  );
  const lines: string[] = [];
  for (const table of models.flatMap(({ tables }) => tables)) {
    const rows = await query<{ line: string }>(url, `select t::text as line from ledger.${table} t order by 1`);
    lines.push(table.replace(/_g\d+$/, ''), ...rows.map(({ line }) => line));
  }
  return lines.join('\n');
}

interface Head {
  readonly tenantId: string;
  readonly revision: number;
  readonly hash: string;
}

/** Accounts of the restored read model and of the original log, at the revision where the backup ends. */
async function compareBooks(
  t: Test,
  original: DatabaseUrls,
  restored: DatabaseUrls,
  heads: readonly Head[],
): Promise<void> {
  const log = new PostgresEventLog({ url: original.core });
  const pool = createPool({ url: restored.core, name: 'test', connections: 1, onError: () => undefined });
  const queries = new PostgresBookQueries(pool);
  for (const { tenantId, revision, hash } of heads) {
    const [last] = await query<{ hash: string }>(
      original.owner,
      `select encode(hash, 'hex') as hash from ledger.events where tenant_id = $1 and revision = $2`,
      [tenantId, revision],
    );
    t.equal(last?.hash, hash, `the backup of ${tenantId} ends with an event of the original`);
    const folded = await booksAt(log, tenantId, { revision }, () => undefined);
    const rows = await queries.balances(tenantId, '', 1_000);
    t.ok(rows.length > 0);
    t.same(
      rows.map(({ accountId, ledger }) => [accountId, ledger]),
      folded.rows.map((row) => [row.accountId, row.balance] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
      `${rows.length} balances of ${tenantId} are those of that moment`,
    );
  }
  await log.close();
  await pool.end();
}

tap.test('a backup of the running product', async (t) => {
  const dataDir = await scratchDirectory(t);
  const target = await scratchDirectory(t);
  const fleet = await Fleet.open();
  t.teardown(() => fleet.close());
  const here = { DATA_DIR: fleet.dataDir };
  const member = await fleet.start('api,projector,worker');
  const demo = demoOf(member.sandbox);
  const file = join(dataDir, 'one.backup');
  const load = new Load(member.url, demo);
  await load.reaches(50);
  const before = [...load.acknowledged];
  const created = await corebook(here, 'backup', 'create', file).done;
  t.equal(created.code, 0, created.errors);
  const between = load.acknowledged.length;
  await load.reaches(between + 50);
  t.ok(between > before.length, 'callers were served meanwhile');
  t.equal((await stat(file)).mode & 0o777, 0o600);
  await t.rejects(BackupWriter.create(file), /exists already/, 'no file is written over');
  await load.stop();
  const smaller = await corebook(here, 'backup', 'create', dataDir, '--no-read-models').done;
  t.equal(smaller.code, 0, smaller.errors);
  const logOnly = String(smaller.json['file']);
  t.match(logOnly, /corebook-\d{8}t\d{6}z\.backup$/, 'in a directory it gets a name by its time');
  t.same((await BackupFile.open(logOnly)).manifest.readModels, []);
  const backup = await BackupFile.open(file);
  const { heads } = backup.manifest;
  t.equal(heads.length, 3, 'three tenants of the sandbox');

  const restoring = ['backup', 'restore', file, '--into', target];
  const register = ['--erasures', join(fleet.dataDir, 'erasures.jsonl')];

  await t.test('is refused where it does not fit', async (t) => {
    const refused = async (pattern: RegExp, ...parameters: string[]): Promise<void> => {
      const { code, errors } = await corebook({ DATA_DIR: target }, ...parameters).done;
      t.equal(code, REFUSED, errors);
      t.match(errors, pattern);
    };
    const strict = { acceptOtherSecrets: false };
    const config = readConfig({ DATA_DIR: target });
    await t.rejects(checkFits(backup, config, strict), /MASTER_SECRET .*TOKEN_SECRET .*missing/);
    await writeFile(join(target, 'master-secret'), 'x'.repeat(40));
    await copyFile(join(fleet.dataDir, 'token-secret'), join(target, 'token-secret'));
    await t.rejects(checkFits(backup, config, strict), /MASTER_SECRET .*: not the one of the backup/);
    await copyFile(join(fleet.dataDir, 'master-secret'), join(target, 'master-secret'));
    const { manifest } = backup;
    const newer = { manifest: { ...manifest, migrations: [...manifest.migrations, '99_of-tomorrow'] } };
    await t.rejects(checkFits(newer, config, strict), /newer Corebook: migration 99_of-tomorrow/);
    const whole = await readFile(file);
    await writeFile(join(dataDir, 'half'), whole.subarray(0, whole.length / 2));
    await refused(/cut off/, 'backup', 'restore', join(dataDir, 'half'), '--into', target, ...register);
    t.notOk(existsSync(join(target, 'postgres.json')), 'nothing was made or changed');
    await refused(/who was erased since the backup/, ...restoring);
    await refused(/stop every process of Corebook first/, ...restoring.slice(0, -1), fleet.dataDir, '--replace');
  });

  await t.test('is restored elsewhere as it was at its moment', async (t) => {
    const { code, errors, json } = await corebook({ DATA_DIR: target }, ...restoring, ...register).done;
    t.equal(code, 0, errors);
    t.match(json, { ok: true, tenants: 3, replaced: null, erasures: { stated: 0, unstated: 0 } });
    const { restored, rebuilt } = json['readModels'] as { restored: string[]; rebuilt: string[] };
    t.equal(rebuilt.length, 0, 'the read models are the backup’s');
    t.ok(restored.length >= 12);
    await withDatabase(target, async (database) => {
      const original = await fleet.database();
      await compareBooks(t, original, database.urls, heads);
      t.same(await shapeOf(database.urls.owner), await shapeOf(original.owner), 'rights and keys are the same');
      for (const { tenantId } of heads.slice(0, 2)) {
        const asTenant = `${database.urls.api}?options=${encodeURIComponent(`-c app.tenant=${tenantId}`)}`;
        for (const table of ['events', 'accounts', 'entries']) {
          const rows = await query(asTenant, `select distinct tenant_id as "tenantId" from ledger.${table}`);
          t.same(rows, [{ tenantId }], `a tenant sees his own ${table} and no others`);
        }
      }
      await t.rejects(query(database.urls.analyst, 'select from ledger.events'), /permission denied/);
      await t.rejects(query(database.urls.core, 'delete from ledger.events'), /permission denied/);
      await t.rejects(query(database.urls.owner, 'delete from ledger.events'), /append-only/);
    });
  });

  await t.test('and goes on from there', async (t) => {
    await copyFile(join(fleet.dataDir, 'sandbox.json'), join(target, 'sandbox.json'));
    const second = await Fleet.open();
    t.teardown(() => second.close());
    const revived = await second.start('api,projector,worker', { env: { DATA_DIR: target } });
    t.equal((await fetch(`${revived.url}/ready`)).status, 200, 'ready');
    for (const key of before.slice(-3)) {
      const [again, first] = [await post(revived.url, demo, key), await post(member.url, demo, key)];
      t.equal(again.status, 200);
      const group = /"postingGroupId":"([^"]+)"/;
      t.equal(group.exec(again.text)?.[1], group.exec(first.text)?.[1], 'what was acknowledged before is known');
    }
    t.equal((await post(revived.url, demo, 'after-the-restore')).status, 200, 'appends go on');
    revived.signal('SIGTERM');
    await revived.exited;
    const audit = await corebook({ DATA_DIR: target }, 'audit', 'verify').done;
    t.equal(audit.code, 0, audit.errors);
  });

  await t.test('is refused over a used database, and leaves it when it is killed', async (t) => {
    const env = { DATA_DIR: target };
    const bare = await corebook(env, ...restoring, ...register).done;
    t.equal(bare.code, REFUSED, 'not without --replace');
    t.match(bare.errors, /has events/);
    await withDatabase(target, async (database) => {
      const [end] = await query(database.urls.owner, 'select position from ledger.log_head');
      const running = corebook(env, ...restoring, ...register, '--replace');
      const staging = database.urls.owner.replace(/\/corebook$/, '/corebook_restoring');
      let rows = 0;
      for (let waited = 0; rows === 0 && waited < 20_000; waited += 5) {
        await delay(5);
        rows = (await query(staging, 'select from ledger.events limit 1').catch(() => [])).length;
      }
      running.process.kill('SIGKILL');
      t.equal((await running.done).code, null, 'killed when its rows were half there');
      t.same(await query(database.urls.owner, 'select position from ledger.log_head'), [end]);
      const left = await query<{ datname: string }>(
        database.urls.owner,
        `select datname from pg_database where datname like 'corebook%'`,
      );
      t.same(left.map(({ datname }) => datname).sort(), ['corebook', 'corebook_restoring']);
    });
  });

  await t.test('without read models, in the place of a used database', async (t) => {
    const env = { DATA_DIR: target };
    const { code, errors, json } = await corebook(env, 'backup', 'restore', logOnly, '--replace', ...register).done;
    t.equal(code, 0, errors);
    t.match(json, { readModels: { restored: [] }, replaced: /^corebook_replaced_/ });
    await withDatabase(target, async (database) => {
      const original = await fleet.database();
      t.equal(
        await readModelRows(database.urls.owner),
        await readModelRows(original.owner),
        'built from the log, row by row',
      );
    });
    const cleaned = await corebook(env, 'backup', 'clean').done;
    t.same(cleaned.json['dropped'], [json['replaced']], 'what was replaced is kept until it is dropped');
  });
});

tap.test('on a server of the operator’s, whose user is no superuser', async (t) => {
  const dataDir = await scratchDirectory(t);
  const server = await startEmbeddedServer({ dataDir, log: () => undefined });
  t.teardown(() => server.stop());
  const admin = server.superuserUrl;
  await query(admin, `create role books_owner login password 'Owner-0f-books' createdb createrole`);
  await query(admin, 'create database books owner books_owner');
  const url = new URL(admin);
  [url.username, url.password, url.pathname] = ['books_owner', 'Owner-0f-books', '/books'];
  const env = { DATA_DIR: dataDir, DATABASE_URL: url.href };
  const imported = await corebook(env, 'import-journal', 'docs/examples/household.csv').done;
  t.equal(imported.code, 0, imported.errors);
  const file = join(dataDir, 'books.backup');
  const created = await corebook(env, 'backup', 'create', file).done;
  t.equal(created.code, 0, created.errors);
  const { sections } = (await BackupFile.open(file)).manifest;
  t.equal(sections.find(({ name }) => name === 'ledger.events')?.rows, 775, 'row-level security left nothing out');
  const shape = await shapeOf(url.href);
  const rows = await readModelRows(url.href, STATES);
  url.pathname = '/second';
  const into = url.href;
  const restored = await corebook(env, 'backup', 'restore', file, '--into', into).done;
  t.equal(restored.code, 0, restored.errors);
  t.same(await shapeOf(into), shape);
  t.equal(await readModelRows(into, STATES), rows);
  await query(admin, 'alter role books_owner nocreatedb');
  const refused = await corebook(env, 'backup', 'restore', file, '--into', into, '--replace').done;
  t.equal(refused.code, 1);
  t.match(refused.errors, /ALTER ROLE .*books_owner.* CREATEDB/, 'what is missing is said');
  t.same(await shapeOf(into), shape, 'and nothing was changed');
});

tap.test('of two backups that are written to one name at once one is whole, and the other says so', async (t) => {
  const path = join(await scratchDirectory(t), 'twice');
  await writeFile(`${path}.part`, 'left by one that was killed');
  const first = await BackupWriter.create(path);
  const second = await BackupWriter.create(path);
  await t.rejects(first.finish(EMPTY), /another backup is being written/);
  await first.abandon();
  const third = await BackupWriter.create(path.replace('twice', 'thrice'));
  await second.finish(EMPTY);
  t.equal((await BackupFile.open(path)).manifest.corebook, '0');
  await writeFile(path.replace('twice', 'thrice'), 'somebody else');
  await t.rejects(third.finish(EMPTY), /exists already/);
  await third.abandon();
  await second.abandon();
  t.same((await readdir(join(path, '..'))).sort(), ['thrice', 'twice'], 'nothing is left behind');
});

tap.test('a file that is not whole is no backup', async (t) => {
  const dataDir = await scratchDirectory(t);
  const path = join(dataDir, 'small');
  const writer = await BackupWriter.create(path);
  const rows = Array.from({ length: 500 }, (_, i) => `${i}\t${createHash('sha256').update(String(i)).digest('hex')}\n`);
  const about = { kind: 'table' as const, name: 'ledger.some', columns: ['a', 'b'] };
  await writer.add(about, Readable.from(rows.map((row) => Buffer.from(row))), () => rows.length);
  await writer.finish(EMPTY);
  const whole = await readFile(path);
  const broken = join(dataDir, 'broken');
  const opened = async (bytes: Buffer): Promise<unknown> => {
    await writeFile(broken, bytes);
    return BackupFile.open(broken).catch((error: unknown) => error);
  };
  const good = await opened(whole);
  t.ok(good instanceof BackupFile && (await good.text(good.section('ledger.some'), 1e6)) === rows.join(''));
  const step = Math.floor(whole.length / 60);
  const cuts = [...Array.from({ length: 61 }, (_, i) => i * step).filter((at) => at < whole.length), whole.length - 1];
  for (const length of cuts)
    t.ok((await opened(whole.subarray(0, length))) instanceof BackupUnusable, `cut off after ${length} bytes`);
  for (const at of [...cuts, ...Array.from({ length: 60 }, (_, i) => whole.length - 1 - i)]) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    t.ok((await opened(flipped)) instanceof BackupUnusable, `a bit of byte ${at} flipped`);
  }
  const newer = Buffer.from(whole);
  newer.write('2', 'COREBOOK-BACKUP '.length);
  t.match(await opened(newer), { message: /has format 2, and this Corebook reads format 1 only/ });
  t.match(await opened(Buffer.from('SQLite format 3\n')), { message: /is no backup of Corebook/ });
});
