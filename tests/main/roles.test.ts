/** Several processes of the product as one installation: who leads, taking over, rolling restart, workers, stopping. */
import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import tap, { test, type Test } from 'tap';
import type { StoredEvent } from '../../application/ports/event-log.js';
import type { DemoTenant } from '../../application/sandbox/seed.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { Fleet, type Member } from '../support/fleet.js';
import { booksOf } from '../support/oracle.js';
import { PostingCallers } from '../support/posting-callers.js';
import { startRedis } from '../support/redis-server.js';
import { RoundRobin } from '../support/round-robin.js';

/** Real processes, many starts; on two busy cores. */
tap.setTimeout(280_000);
const PATIENCE_MS = 20_000;
const CALLERS = 32;

interface Ready {
  readonly status: string;
  readonly checks: ReadonlyArray<{ readonly name: string; readonly ok: boolean; readonly detail?: string }>;
}

async function fleetOf(t: Test, environment: Record<string, string> = {}): Promise<Fleet> {
  const fleet = await Fleet.open(environment);
  t.teardown(() => fleet.close());
  return fleet;
}

async function ready({ url }: Member): Promise<Ready> {
  return (await (await fetch(`${url}/ready`)).json()) as Ready;
}

async function detailOf(member: Member, check: string): Promise<string> {
  return (await ready(member)).checks.find(({ name }) => name === check)?.detail ?? '';
}

async function metric({ url }: Member, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await delay(50);
  }
}

function demoOf(member: Member): DemoTenant {
  const demo = member.sandbox?.tenants[0];
  if (demo === undefined) throw new Error('no demo tenant');
  return demo;
}

async function call(member: Member, path: string, options: { body?: unknown; position?: string } = {}) {
  const { body, position } = options;
  const response = await fetch(`${member.url}/api/v6/services/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'X-Auth-Token': demoOf(member).tokens.MANAGER,
      'Content-Type': 'application/json',
      ...(position === undefined ? {} : { 'X-Min-Position': position }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { data: Record<string, unknown> };
  return { status: response.status, position: response.headers.get('x-position') ?? '', data: answer.data };
}

async function events(fleet: Fleet): Promise<StoredEvent[]> {
  const log = new PostgresEventLog({ url: (await fleet.database()).core });
  try {
    const all: StoredEvent[] = [];
    for (;;) {
      const page = await log.readAll({ after: all.at(-1)?.position ?? '', limit: 5_000 });
      if (page.length === 0) return all;
      all.push(...page);
    }
  } finally {
    await log.close();
  }
}

const LEASE = 'corebook_lease_held{lease="projection accounts';

test('API processes share a tenant; one projects, the other takes over; restarts under load lose nothing', async (t) => {
  const fleet = await fleetOf(t, { SHUTDOWN_DELAY_SECONDS: '1' });
  const leader = await fleet.start('projector,worker');
  const first = await fleet.start('api');
  const [second, standby] = await Promise.all([fleet.start('api'), fleet.start('projector,worker')]);
  const demo = demoOf(first);

  // Who leads.
  await until('one stands by', async () => (await metric(standby, LEASE)) === 0);
  t.equal(await metric(leader, LEASE), 1);
  t.match(await detailOf(standby, 'projection accounts'), new RegExp(`^standby, led by .*:${leader.pid}: `));
  t.match(await detailOf(standby, 'reactor hold-expiry'), new RegExp(`^standby, led by .*:${leader.pid}$`));
  t.notMatch(await detailOf(leader, 'projection accounts'), /standby/);
  t.match(await detailOf(first, 'read models'), new RegExp(`led by .*:${leader.pid}: `));

  // What was done by one is seen by the other, from the position that was answered.
  const opened = await call(first, 'account-maintenance/open-account', {
    body: { ownerId: demo.customerId, currencyCode: demo.currency, productCode: 'WALLET', accountName: 'Across' },
  });
  t.equal(opened.status, 201);
  const seen = await call(second, `ledger/account-balance/${String(opened.data['accountId'])}`, opened);
  t.equal(seen.status, 200, 'a query of the other process waits for the position');

  // One key, both processes, at once: one posting.
  const both = [first, second];
  const same = new PostingCallers('same', (n) => both[n % 2]?.url ?? '', demo);
  await Promise.all(Array.from({ length: 20 }, (_, i) => same.post(`same-${i >> 2}`, i)));
  t.equal(same.told.size, 5);

  // The leader is killed under load.
  const load = new PostingCallers('load', (n) => both[n % 2]?.url ?? '', demo);
  load.start(CALLERS);
  await until('load', () => Promise.resolve(load.told.size > 200));
  const killedMs = performance.now();
  leader.signal('SIGKILL');
  await until('the standby leads', async () => (await metric(standby, LEASE)) === 1);
  const { position } = [...load.told.values()].at(-1) ?? { position: '' };
  await until('read models go on', async () => {
    const answer = await call(second, `ledger/account-balance/${demo.wallets[1]?.accountId}`, { position });
    return answer.status === 200;
  });
  const takenMs = performance.now() - killedMs;
  t.ok(takenMs < 10_000, `taken over within ${Math.round(takenMs)} ms`);
  await until('it leads reactors', async () => !(await detailOf(standby, 'reactor hold-expiry')).includes('standby'));
  await load.stop();
  t.same([...load.wrong, ...same.wrong], []);

  // One API process after the other is restarted, behind a balancer.
  const balancer = new RoundRobin(both.map(({ url }) => url));
  const url = await balancer.listen();
  const rolling = new PostingCallers('rolling', () => url, demo);
  rolling.start(CALLERS);
  for (const [i, member] of both.entries()) {
    const before = rolling.told.size;
    await until('load goes on', () => Promise.resolve(rolling.told.size > before + 100));
    member.signal('SIGTERM');
    await until('it says so', () =>
      ready(member).then(
        ({ status }) => status === 'NOT_READY',
        () => true,
      ),
    );
    t.equal(await member.exited, 0, `process ${i} stops cleanly`);
    both[i] = await fleet.start('api', { port: Number(new URL(member.url).port) });
  }
  const restarted = rolling.told.size;
  await until('load goes on', () => Promise.resolve(rolling.told.size > restarted + 100));
  await rolling.stop();
  await balancer.close();
  t.comment(`${rolling.told.size} postings, asked again: ${JSON.stringify([...rolling.retried])}`);

  const log = await events(fleet);
  booksOf(log); // Σ = 0, balances line by line, keys once, hash chain: throws where any is wrong.
  const posted = rolling.check(log) + load.check(log) + same.check(log);
  t.same([...rolling.wrong, ...load.wrong, ...same.wrong], [], 'nothing lost, nothing doubled, nothing refused');
  t.equal(posted, rolling.told.size + load.told.size + same.told.size, 'every posting was told of in the end');
  const last = await call(both[0] as Member, `ledger/account-balance/${demo.wallets[1]?.accountId}`, {
    position: log.at(-1)?.position ?? '',
  });
  const balance = [
    ...(booksOf(log)
      .get(log.at(-1)?.tenantId ?? '')
      ?.accounts.values() ?? []),
  ].find(({ number }) => number === demo.wallets[1]?.accountNumber)?.balance;
  t.match(JSON.stringify(last.data), (Number(balance) / 100).toFixed(2).replace(/\.?0+$/, ''), 'read models agree');
});

for (const home of ['PostgreSQL', 'Redis'] as const) {
  test(`two workers with jobs on ${home}: each hold expires once, and one goes on when the other is killed`, async (t) => {
    const redis = home === 'Redis' ? await startRedis() : undefined;
    if (home === 'Redis' && redis === undefined) {
      t.pass('redis-server is not installed', { skip: true });
      return;
    }
    if (redis !== undefined) t.teardown(() => redis.stop());
    if (home === 'PostgreSQL' && process.env['REDIS_URL'] !== undefined) {
      t.pass('jobs are on Redis in this run (support/run-on-eventstoredb.ts)', { skip: true });
      return;
    }
    const fleet = await fleetOf(t, redis === undefined ? {} : { REDIS_URL: redis.url });
    const api = await fleet.start('api,projector');
    const workers = await Promise.all([fleet.start('worker'), fleet.start('worker')] as const);
    const demo = demoOf(api);
    const place = async (count: number, name: string): Promise<void> => {
      const expiresAt = new Date(Date.now() + 1_500).toISOString();
      const placed = await Promise.all(
        Array.from({ length: count }, () =>
          call(api, 'ledger/holds', {
            body: {
              ...{ accountId: demo.wallets[0]?.accountId, amount: 0.01, currencyCode: demo.currency },
              ...{ type: 'HOLD', reason: name, expiresAt },
            },
          }),
        ),
      );
      for (const { status } of placed) if (status !== 201) throw new Error(`a hold was answered ${status}`);
    };
    const expired = async (): Promise<number> =>
      (await events(fleet)).filter(
        ({ type, data }) => type === 'hold-released' && (data as { cause: string }).cause === 'expired',
      ).length;

    await place(100, 'first');
    await until('all have expired', async () => (await expired()) === 100);
    const shares = await Promise.all(workers.map((worker) => metric(worker, 'corebook_commands_appended_total')));
    t.ok(
      shares.every((share) => share > 0),
      `both worked: ${shares.join(', ')}`,
    );

    // The one that leads the reactor is killed: the other follows the log from its checkpoint.
    const standing = await Promise.all(workers.map((worker) => detailOf(worker, 'reactor hold-expiry')));
    const [one, other] = workers;
    const [killed, left] = standing[0]?.includes('standby') === true ? [other, one] : [one, other];
    killed.signal('SIGKILL');
    await place(50, 'second');
    await until('the other one expires them', async () => (await expired()) === 150);
    t.notMatch(await detailOf(left, 'reactor hold-expiry'), /standby/);
    const log = await events(fleet);
    booksOf(log); // A hold that was released twice would be more than was placed.
    t.equal(log.filter(({ type }) => type === 'hold-placed').length, 150);
  });
}

test('told to stop: ready no more, connections end with their answers, a second signal ends it at once', async (t) => {
  const fleet = await fleetOf(t, { SHUTDOWN_DELAY_SECONDS: '2' });
  const server = await fleet.start('api,projector');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (path: string): Promise<{ status: number; connection: string | undefined }> =>
    new Promise((done, failed) => {
      get(`${server.url}${path}`, { agent }, (response) => {
        response.resume();
        response.on('end', () => done({ status: response.statusCode ?? 0, connection: response.headers.connection }));
      }).on('error', failed);
    });
  t.match(await ask('/ready'), { status: 200, connection: 'keep-alive' });
  const load = new PostingCallers('stop', () => server.url, demoOf(server));
  load.start(8);
  await until('load', () => Promise.resolve(load.told.size > 20));
  server.signal('SIGTERM');
  const toldMs = performance.now();
  await until('not ready', async () => (await ask('/ready')).status === 503);
  t.match(await ask('/health'), { status: 200, connection: 'close' }, 'still serves, and ends the connection');
  const sofar = load.told.size;
  await until('commands are still taken', () => Promise.resolve(load.told.size > sofar));
  t.equal(await server.exited, 0);
  const tookMs = performance.now() - toldMs;
  t.ok(tookMs > 1_900 && tookMs < 15_000, `gone after ${Math.round(tookMs)} ms`);
  const port = Number(new URL(server.url).port);
  const again = await fleet.start('api,projector', { port, env: { SHUTDOWN_DELAY_SECONDS: '60' } });
  await load.stop();
  load.check(await events(fleet));
  t.same(load.wrong, [], 'what was open was answered by the next process');
  t.ok((load.retried.get('ECONNREFUSED') ?? 0) > 0, 'there was a time without a server');
  again.signal('SIGTERM');
  await until('not ready', async () => (await ready(again)).status === 'NOT_READY');
  await delay(2_100);
  again.signal('SIGTERM');
  t.equal(await again.exited, 130);
});
