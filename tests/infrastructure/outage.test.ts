/** What is told as "come again" instead of "we are broken": errors of servers that are away, as the drivers throw them. */
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type Test, test } from 'tap';
import { isJobOutage } from '../../infrastructure/jobs/outage.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { isDatabaseOutage } from '../../infrastructure/postgres/outage.js';
import { createPool } from '../../infrastructure/postgres/pool.js';
import { TenantConnections } from '../../infrastructure/postgres/tenant-connection.js';
import { AppendHealth } from '../../main/append-health.js';
import { FaultProxy } from '../support/fault-proxy.js';

/** A port at which connections meet this fate; nobody listens without one. */
async function portWhere(t: Test, fate?: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    fate?.(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  if (fate === undefined) close();
  else t.teardown(close);
  return port;
}

async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a PostgreSQL that is away', async (t) => {
  const fates: ReadonlyArray<readonly [string, ((socket: Socket) => void) | undefined]> = [
    ['refuses', undefined],
    ['resets', (socket) => void socket.resetAndDestroy()],
    ['hangs up', (socket) => void socket.end()],
    ['is silent', () => undefined],
  ];
  for (const [what, fate] of fates) {
    const port = await portWhere(t, fate);
    const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'u', connectionTimeoutMillis: 300, query_timeout: 300 });
    const error = await errorOf(() => pool.query('select 1'));
    t.ok(isDatabaseOutage(error), `${what}: ${String(error)}`);
    t.ok(isDatabaseOutage(new Error('wrapped', { cause: error })), 'as a cause too');
    await pool.end();
  }
  for (const code of ['57P01', '57P03', '53100', '53300', '08006', '57014', '25006']) {
    t.ok(isDatabaseOutage(Object.assign(new Error('x'), { code })), code);
  }
  t.ok(isDatabaseOutage(new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })])));
});

test('a connection that breaks in the middle of what somebody asked fails that, and not the process', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-outage-'));
  await chmod(dataDir, 0o755);
  const database = await openDatabase({ dataDir, log: () => undefined });
  const proxy = await FaultProxy.start(database.embedded?.port ?? 0);
  const proxied = (url: string): string => Object.assign(new URL(url), { port: String(proxy.port) }).href;
  const owner = new pg.Client({ connectionString: database.urls.owner });
  await owner.connect();
  const breakIt = async (name: string): Promise<void> => {
    const asleep = `select 1 from pg_stat_activity where application_name = $1 and query ~ 'pg_sleep'`;
    while ((await owner.query(asleep, [name])).rowCount === 0);
    await proxy.strike({ kind: 'reset' });
    await proxy.heal();
  };
  const look = new TenantConnections({ url: proxied(database.urls.api) });
  const looking = errorOf(() => look.query(null, { name: 'sleep', text: 'select pg_sleep(60)', values: [] }));
  await breakIt('corebook queries');
  t.ok(isDatabaseOutage(await looking), 'a look-up');
  const pool = createPool({ url: proxied(database.urls.core), name: 'held', connections: 1, onError: () => undefined });
  const held = await pool.connect();
  const holding = errorOf(() => held.query('select pg_sleep(60)'));
  await breakIt('corebook held');
  t.ok(isDatabaseOutage(await holding), 'a client that somebody holds');
  held.release(true);
  t.equal(
    (await look.query(null, { name: 'one', text: 'select 1 as one', values: [] }))[0]?.['one'],
    '1',
    'others work on',
  );
  await Promise.all([look.close(), pool.end(), owner.end()]);
  await proxy.close();
  await database.close();
  await deleteCluster(dataDir);
  await rm(dataDir, { recursive: true, force: true });
});

test('what is no outage stays a defect', (t) => {
  for (const code of ['42P01', '23505', '22P02', '28P01', 'ENOENT', 'ERR_INVALID_ARG_TYPE']) {
    t.notOk(isDatabaseOutage(Object.assign(new Error('x'), { code })), code);
  }
  t.notOk(isDatabaseOutage(new TypeError('Cannot read properties of undefined')));
  t.notOk(isDatabaseOutage('no error'));
  const endless = new Error('turns in a circle');
  endless.cause = endless;
  t.notOk(isDatabaseOutage(endless));
  t.notOk(isJobOutage(new Error('jobs')));
  t.end();
});

test('a Redis that is away', async (t) => {
  const port = await portWhere(t);
  const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => undefined);
  const error = await errorOf(() => redis.get('x'));
  t.ok(isJobOutage(error), String(error));
  t.ok(isJobOutage(await errorOf(() => redis.get('x'))), 'closed');
  redis.disconnect();
});

test('appends: red from one that failed to the next that succeeds, or until nobody knows any more', async (t) => {
  let nowMs = 1_000_000;
  const health = new AppendHealth({ nowMs: () => nowMs });
  t.same(await health.check(), { ok: true });
  health.failed();
  t.match(await health.check(), { ok: false, detail: /failed/ });
  nowMs += 14_000;
  t.match(await health.check(), { ok: false });
  health.succeeded();
  t.same(await health.check(), { ok: true });
  health.failed();
  nowMs += 15_000;
  t.same(await health.check(), { ok: true }, 'somebody must try');
  health.failed();
  nowMs -= 86_400_000;
  t.same(await health.check(), { ok: true }, 'not red for a day because the clock was set back');
});
