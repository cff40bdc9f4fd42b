/** The embedded PostgreSQL, for real: started, stopped, killed, shared, migrated and logged in to. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { test } from 'tap';
import type { Test } from 'tap';
import { joinDatabase, openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { findRunningServer, startEmbeddedServer } from '../../infrastructure/postgres/embedded-server.js';
import { migrate } from '../../infrastructure/postgres/migrate.js';
import { runningPostmaster } from '../../infrastructure/postgres/postmaster.js';
import { ensureRolePasswords, roleUrl } from '../../infrastructure/postgres/roles.js';

const log = (): void => undefined;
const SERVER_MODULE = new URL('../../infrastructure/postgres/embedded-server.js', import.meta.url).href;

/** A folder that OS user `postgres` may enter, unless a mode says otherwise; removed with its cluster after the test. */
async function dataDirOf(t: Test, mode = 0o755): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'corebook-test-'));
  await chmod(parent, mode);
  const dataDir = join(parent, 'data');
  t.teardown(async () => {
    await deleteCluster(dataDir);
    await rm(parent, { recursive: true, force: true });
  });
  return dataDir;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that starts the server, says `{ adopted, port }`, and on a line of input stops it and ends. */
async function otherProcess(dataDir: string): Promise<{ child: ChildProcess; adopted: boolean; port: number }> {
  const code = `
    import { startEmbeddedServer } from ${JSON.stringify(SERVER_MODULE)};
    const server = await startEmbeddedServer({ dataDir: ${JSON.stringify(dataDir)}, log: () => undefined });
    console.log(JSON.stringify({ adopted: server.adopted, port: server.port }));
    process.stdin.once('data', async () => { await server.stop(); process.exit(0); });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { adopted: boolean; port: number }) };
}

async function dismiss(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.stdin?.write('stop\n');
  await ended;
}

test('data and port survive a restart', async (t) => {
  const dataDir = await dataDirOf(t);
  t.equal(await findRunningServer(dataDir), undefined, 'nothing runs before the first start');
  const first = await startEmbeddedServer({ dataDir, log });
  t.equal(first.adopted, false);
  await query(first.superuserUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const settings = await query(
    first.superuserUrl,
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync,
            current_setting('full_page_writes') AS pages, current_setting('data_checksums') AS checksums,
            current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS address,
            current_setting('unix_socket_directories') AS sockets, current_setting('password_encryption') AS passwords`,
  );
  t.same(settings, [
    {
      fsync: 'on',
      sync: 'on',
      pages: 'on',
      checksums: 'on',
      encoding: 'UTF8',
      address: '127.0.0.1',
      sockets: '',
      passwords: 'scram-sha-256',
    },
  ]);
  t.same(await findRunningServer(dataDir), { port: first.port, superuserUrl: first.superuserUrl });
  t.equal((await stat(join(dataDir, 'postgres.json'))).mode & 0o777, 0o600);
  await t.rejects(query(first.superuserUrl.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1'), { code: '28P01' });
  await first.stop();
  t.equal(await findRunningServer(dataDir), undefined, 'stopped');
  await first.stop();

  const second = await startEmbeddedServer({ dataDir, log, settings: { work_mem: '5MB' } });
  t.equal(second.adopted, false);
  t.equal(second.port, first.port);
  t.same(await query(second.superuserUrl, 'SELECT answer FROM kept'), [{ answer: 42 }]);
  t.same(await query(second.superuserUrl, 'SHOW work_mem'), [{ work_mem: '5MB' }]);
  await second.stop();

  const squatter = createServer().listen(first.port, '127.0.0.1');
  await once(squatter, 'listening');
  // A lock left by a machine that died, whose process number now belongs to somebody else: this test.
  const lock = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  await writeFile(
    lock,
    `${process.pid}\n${join(dataDir, 'postgres', 'data')}\n0\n${first.port}\n\n127.0.0.1\n0 0\nready\n`,
  );
  const third = await startEmbeddedServer({ dataDir, log });
  t.not(third.port, first.port, 'a busy port is left to its holder');
  t.equal(third.adopted, false, 'a stale lock is seen through');
  await third.stop();
  squatter.close();

  for (const left of ['', '\0'.repeat(64)]) {
    await writeFile(lock, left);
    const fourth = await startEmbeddedServer({ dataDir, log });
    t.same(await query(fourth.superuserUrl, 'SELECT answer FROM kept'), [{ answer: 42 }], 'a lock that names nobody');
    await fourth.stop();
  }
  // One that is empty because its server is just writing it is left to that server.
  await writeFile(lock, '');
  const [fifth] = await Promise.all([startEmbeddedServer({ dataDir, log }), sleep(700).then(() => rm(lock))]);
  await fifth.stop();

  await t.rejects(startEmbeddedServer({ dataDir, log, settings: { wal_level: 'sometimes' } }), /wal_level/);
  await rm(join(dataDir, 'postgres'), { recursive: true });
  await t.rejects(
    startEmbeddedServer({ dataDir, log }),
    /is not there. Restore it/,
    'lost data is not replaced by an empty book',
  );
  await rm(join(dataDir, 'postgres.json'));
});

test('nothing committed is lost when the server is killed', async (t) => {
  const dataDir = await dataDirOf(t);
  const first = await startEmbeddedServer({ dataDir, log });
  await query(first.superuserUrl, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
  const busy = query(first.superuserUrl, 'SELECT count(*) FROM generate_series(1, 1000000000)');
  busy.catch(() => undefined); // A process that computes does not notice that its server died; the start must end it.
  await sleep(300);
  const postmaster = await runningPostmaster(first.dataDirectory);
  process.kill(postmaster?.pid ?? 0, 'SIGKILL');
  const second = await startEmbeddedServer({ dataDir, log });
  t.equal(second.adopted, false);
  await t.rejects(busy);
  t.same(await query(second.superuserUrl, 'SELECT count(*)::int AS n FROM kept'), [{ n: 1000 }]);
  await second.stop();
  await first.stop();
  t.equal(await runningPostmaster(first.dataDirectory), undefined);
});

test('the server outlives a killed process and is adopted', async (t) => {
  const dataDir = await dataDirOf(t);
  const other = await otherProcess(dataDir);
  t.equal(other.adopted, false);
  const ended = once(other.child, 'exit');
  process.kill(-(other.child.pid ?? 0), 'SIGKILL'); // The whole group, as a terminal would signal it.
  await ended;
  const server = await startEmbeddedServer({ dataDir, log });
  t.equal(server.adopted, true);
  t.equal(server.port, other.port);
  await server.stop();
  t.equal(await runningPostmaster(server.dataDirectory), undefined, 'the adopter owns it, so it stops it');
});

test('processes that start together share one server, and the last one stops it', async (t) => {
  const dataDir = await dataDirOf(t);
  const [one, two, three] = await Promise.all([
    otherProcess(dataDir),
    otherProcess(dataDir),
    startEmbeddedServer({ dataDir, log }),
  ]);
  t.equal([one, two, three].filter(({ adopted }) => !adopted).length, 1, 'one started it');
  t.equal(new Set([one.port, two.port, three.port]).size, 1);
  await dismiss(one.child);
  await three.stop();
  t.ok(await findRunningServer(dataDir), 'still used by the other process');
  await dismiss(two.child);
  t.equal(await findRunningServer(dataDir), undefined);
});

test('a DATA_DIR that OS user postgres cannot enter', { skip: process.getuid?.() !== 0 }, async (t) => {
  const dataDir = await dataDirOf(t, 0o700);
  const said: string[] = [];
  const first = await startEmbeddedServer({ dataDir, log: (message) => said.push(message) });
  t.match(first.dataDirectory, /^\/var\/lib\/corebook\/clusters\/[0-9a-f]{16}\/data$/);
  t.equal(said.filter((message) => message.includes('lives elsewhere')).length, 1);
  await query(first.superuserUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  const second = await startEmbeddedServer({ dataDir, log });
  t.equal(second.dataDirectory, first.dataDirectory);
  t.same(await query(second.superuserUrl, 'SELECT answer FROM kept'), [{ answer: 42 }]);
  await second.stop();
  await deleteCluster(dataDir);
  await t.rejects(stat(first.dataDirectory), { code: 'ENOENT' });
});

test('the database: migrations and roles', async (t) => {
  const dataDir = await dataDirOf(t);
  t.equal(await joinDatabase({ dataDir }), undefined);
  const [database, again] = await Promise.all([openDatabase({ dataDir, log }), openDatabase({ dataDir, log })]);
  t.teardown(() => database.close());
  const { urls } = database;
  t.same(again.urls, urls);
  t.same(await joinDatabase({ dataDir }), urls);
  await again.close();

  await t.test('migrating again is a no-op', async (t) => {
    t.same(await migrate({ url: urls.owner, log }), []);
    const [first] = await query(urls.owner, 'SELECT name FROM schema_migrations ORDER BY id LIMIT 1');
    t.same(first, { name: '01_roles-and-schemas' });
  });

  await t.test('a failing migration says where, and leaves nothing behind', async (t) => {
    await query(urls.owner, 'CREATE DATABASE scratch');
    const url = urls.owner.replace(/\/corebook$/, '/scratch');
    const directory = join(dataDir, 'migrations');
    await mkdir(directory);
    await writeFile(join(directory, 'README.md'), 'not SQL');
    await writeFile(join(directory, '01_good.sql'), 'CREATE TABLE good (n int);\n');
    await writeFile(join(directory, '02_bad.sql'), 'CREATE TABLE half (n int);\nSELECT 1\nFROM nowhere;\n');
    await t.rejects(migrate({ url, directory, log }), /02_bad\.sql:3 failed: relation "nowhere" does not exist/);
    t.same(await query(url, `SELECT to_regclass('good')::text AS good, to_regclass('half') AS half`), [
      { good: 'good', half: null },
    ]);
    await writeFile(join(directory, '02_bad.sql'), 'CREATE TABLE half (n int);\n');
    const runs = await Promise.all([1, 2, 3].map(() => migrate({ url, directory, log })));
    t.same(runs.flat(), ['02_bad'], 'processes that migrate together run each file once');
  });

  await t.test('roles may do what they are for, and nothing else', async (t) => {
    const denied = { code: '42501' };
    for (const role of ['core', 'api', 'analyst'] as const) {
      t.same(await query(urls[role], 'SELECT current_user::text AS who'), [{ who: `corebook_${role}` }]);
      await t.rejects(query(urls[role], 'CREATE TABLE ledger.mine (n int)'), denied, `${role} makes no tables`);
      await t.rejects(query(urls[role], 'CREATE TABLE public.mine (n int)'), denied);
      await t.rejects(query(urls[role], 'CREATE TABLE analytics.mine (n int)'), denied);
      await t.rejects(query(urls[role], 'CREATE SCHEMA mine'), denied);
      await t.rejects(query(urls[role], 'CREATE ROLE mine'), denied);
      await t.rejects(query(urls[role], 'SET ROLE corebook_admin'), denied);
      await t.rejects(query(urls[role], 'SELECT * FROM public.schema_migrations'), denied);
      t.same(
        await query(
          urls.owner,
          `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'corebook_${role}'`,
        ),
        [{ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false }],
      );
    }
    await query(urls.owner, 'CREATE TABLE ledger.secret (n int); GRANT SELECT ON ledger.secret TO corebook_analyst');
    await t.rejects(
      query(urls.analyst, 'SELECT * FROM ledger.secret'),
      denied,
      'an analyst does not reach into the ledger',
    );
    await t.rejects(query(roleUrl(urls.owner, 'corebook_core', 'guess'), 'SELECT 1'), { code: '28P01' });
  });

  await t.test('passwords of any kind, changed when they change', async (t) => {
    const passwords = { core: `a'b"c\\d%41@/:?#é`, api: 'plain', analyst: `E'x';--` };
    await ensureRolePasswords({ url: urls.owner, passwords });
    await ensureRolePasswords({ url: urls.owner, passwords });
    t.same(await query(roleUrl(urls.owner, 'corebook_core', passwords.core), 'SELECT 1 AS ok'), [{ ok: 1 }]);
    await t.rejects(query(urls.core, 'SELECT 1'), { code: '28P01' });
  });

  await t.test("an operator's server whose user may not manage roles", async (t) => {
    await query(urls.owner, `CREATE ROLE landlord LOGIN PASSWORD 'pw'`);
    await query(urls.owner, 'CREATE DATABASE theirs OWNER landlord');
    const databaseUrl = roleUrl(urls.owner, 'landlord', 'pw').replace(/\/corebook$/, '/theirs');
    const refusal = /ALTER ROLE "landlord" CREATEROLE; GRANT corebook_core, .* TO "landlord" WITH ADMIN OPTION;/;
    const advice = await openDatabase({ databaseUrl, dataDir, log }).then(
      () => '',
      (error: Error) => refusal.exec(error.message)?.[0] ?? error.message,
    );
    t.match(advice, refusal);
    await query(urls.owner, advice);
    const [theirs, same] = [
      await openDatabase({ databaseUrl, dataDir, log }),
      await openDatabase({ databaseUrl, dataDir, log }),
    ];
    t.same(theirs.urls, same.urls, 'every node derives the same passwords');
    t.equal(theirs.embedded, undefined);
    t.same(await query(theirs.urls.api, 'SELECT current_database()::text AS name'), [{ name: 'theirs' }]);
    await theirs.close();
    await t.rejects(openDatabase({ databaseUrl: databaseUrl.replace(':pw@', '@'), dataDir, log }), /has no password/);
    await query(urls.owner, `DROP DATABASE theirs; `);
  });

  t.match(await readFile(join(dataDir, 'postgres', 'server.log'), 'utf8'), /ready to accept connections/);
});
