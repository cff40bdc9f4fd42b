/** The documented walks, word for word, on the running product; and what its jobs are to do about them. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import tap, { test } from 'tap';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { EventStoreConnection } from '../../infrastructure/eventstoredb/connection.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { Fleet } from '../support/fleet.js';
import { serverEnvironment } from '../support/server-environment.js';
import { walk } from '../support/walk.js';

tap.setTimeout(280_000);
const PATIENCE_MS = 30_000;

test('a loan is lent, paid out to a bank by a job, and paid off; a customer comes on board', async (t) => {
  const fleet = await Fleet.open();
  t.teardown(() => fleet.close());
  const { url, sandbox } = await fleet.start('api,projector,worker');
  const lender = sandbox?.tenants.find(({ tenant }) => tenant === 'finlend');
  if (lender === undefined) throw new Error('no tenant that lends');
  const { CUSTOMER, MANAGER } = lender.tokens;

  const lent = await walk('lending-walk.sh', { URL: url, CUSTOMER, OFFICER: MANAGER });
  t.equal(lent.code, 0, `walked to its end ${lent.stderr}`);
  const reference = /(TXN-\d{8}-\d{6}) is \w+/.exec(lent.stdout)?.[1] ?? '';
  t.not(reference, '', 'something was withdrawn');
  const status = async (): Promise<string> => {
    const answer = await fetch(`${url}/api/v1/services/user/check-transfer-status/${reference}`, {
      headers: { 'X-Auth-Token': CUSTOMER },
    });
    return ((await answer.json()) as { data: { transferStatus: string } }).data.transferStatus;
  };
  const endMs = performance.now() + PATIENCE_MS;
  while ((await status()) !== 'COMPLETED' && performance.now() < endMs) await delay(100);
  t.equal(await status(), 'COMPLETED', 'paid out');

  const onBoard = await walk('onboarding.sh', { URL: url, TENANT: 'remitjunction' });
  t.equal(onBoard.code, 0, `walked to its end ${onBoard.stderr}`);
  t.match(onBoard.stdout, /onboarded \w+/);

  const ready = (await (await fetch(`${url}/ready`)).json()) as { checks: Array<{ name: string; ok: boolean }> };
  t.same(
    ready.checks.filter(({ ok }) => !ok),
    [],
  );

  // In the run on an event store (support/run-on-eventstoredb.ts): it is there, and the jobs are on Redis.
  const { LOG_URL, LOG_STREAM_PREFIX, REDIS_URL } = serverEnvironment(fleet.dataDir);
  if (REDIS_URL !== undefined) {
    const redis = new Redis(REDIS_URL);
    const queues = new Set((await redis.keys('corebook:*')).map((key) => key.split(':')[1]));
    await redis.quit();
    for (const queue of ['payouts', 'loan-accrual']) t.ok(queues.has(queue), `queue ${queue} is on Redis`);
  }
  if (LOG_URL !== undefined) {
    const copy = new PostgresEventLog({ url: (await fleet.database()).core });
    const { revision } = await copy.head(tenantIdOf('finlend'));
    await copy.close();
    const store = new EventStoreConnection(LOG_URL);
    const last = await store.last(`${LOG_STREAM_PREFIX}${tenantIdOf('finlend')}`);
    await store.close();
    t.ok(revision > 10);
    t.equal(Number(last?.revision), revision, 'the stream of the tenant ends where its copy ends');
  }
});
