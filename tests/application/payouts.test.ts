/** Payouts of withdrawals: paid once and never lost, whatever breaks in between; then on the real thing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import t from 'tap';
import { indexedEvents } from '../../application/audit/aggregate-events.js';
import { type PayoutPorts, advancePayout } from '../../application/payouts/advance-payout.js';
import { Unavailable } from '../../application/commands.js';
import type { JobProcessor, JobQueue, NewJob } from '../../application/ports/job-queue.js';
import type { OpenWithdrawal } from '../../application/ports/open-withdrawals.js';
import type { PayoutAnswer, PayoutNews } from '../../application/ports/payout-partner.js';
import {
  type PayoutTask,
  type PayoutWorkPorts,
  payoutProcessor,
  payoutQueue,
  payoutReactor,
  startPayouts,
} from '../../application/reactors/payouts.js';
import { runReactor } from '../../application/reactors/run-reactor.js';
import { openJobQueues } from '../../infrastructure/jobs/open-job-queues.js';
import { MemoryKeyVault } from '../../infrastructure/memory/key-vault.js';
import { SimulatedPayoutPartner } from '../../infrastructure/partners/simulated-payout-partner.js';
import type { MemoryPayouts } from '../../infrastructure/partners/simulated-payouts.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresEventScan } from '../../infrastructure/postgres/event-scan.js';
import { PostgresOpenWithdrawals } from '../../infrastructure/postgres/open-withdrawals.js';
import { PostgresReactorCheckpoints } from '../../infrastructure/postgres/reactor-checkpoints.js';
import { PostgresSimulatedPayouts } from '../../infrastructure/postgres/simulated-payouts.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { openReadSide } from '../../main/read-side.js';
import { testSeal } from '../support/identity.js';
import { BEFORE, PayoutWorld } from '../support/payout-world.js';

const PAID = [BEFORE - 11_000n, 10_000n, 1_000n];
const BACK = [BEFORE, 0n, 0n];
const DONE = ['requested', 'submitted', 'completed'];
const REFUSED = ['requested', 'failed'];
const RETURNED = ['requested', 'submitted', 'failed'];
const step = (world: PayoutWorld, withdrawal: string) => ({
  ...{ tenantId: world.tenantId, withdrawal, correlation: withdrawal },
});

/** Advances until it is settled; what throws is tried again, as jobs are. The number of attempts. */
async function settle(ports: PayoutPorts, world: PayoutWorld, withdrawal: string): Promise<number> {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    try {
      if ((await advancePayout(ports, step(world, withdrawal))) === 'settled') return attempt;
    } catch {
      // Tried again.
    }
  }
  throw new Error('it is not settled after ten attempts');
}

t.test('what becomes of a payout, by the account', async (t) => {
  const cases = [
    ['0123456700', DONE, PAID, undefined],
    ['1111111111', DONE, PAID, undefined],
    ['2222222222', DONE, PAID, undefined],
    ['0123456712', REFUSED, BACK, 'INSUFFICIENT_PARTNER_BALANCE'],
    ['3333333333', REFUSED, BACK, 'INSUFFICIENT_PARTNER_BALANCE'],
    ['0123456713', REFUSED, BACK, 'INVALID_AMOUNT'],
    ['0123456723', RETURNED, BACK, 'ACCOUNT_NOT_FOUND'],
    ['4444444444', RETURNED, BACK, 'ACCOUNT_NOT_FOUND'],
    ['5555555555', DONE, PAID, undefined],
    ['6666666666', DONE, PAID, undefined],
  ] as const;
  for (const [number, types, balances, reason] of cases) {
    const world = await PayoutWorld.open('payouts');
    const withdrawal = await world.ask(number);
    const attempts = await settle(world.ports(), world, withdrawal);
    t.equal(attempts, number === '5555555555' ? 2 : 1, `${number}: attempts`);
    t.same(await world.types(withdrawal), types, number);
    t.same(await world.balances(), balances, number);
    const last = (await world.history(withdrawal)).at(-1);
    t.equal((last?.data as { reason?: string }).reason, reason, number);
    t.equal(last?.meta.actor, 'system:payouts');
    t.equal(await advancePayout(world.ports(), step(world, withdrawal)), 'settled', 'again: nothing happens');
    t.same(await world.types(withdrawal), types);
  }
});

t.test('a crash before or after any call is caught up with: paid once, or back once', async (t) => {
  /** Fails the call with this number (of the log, the vault, the partner), before or after it took effect. */
  const breaking = (world: PayoutWorld, at: number, when: 'before' | 'after'): PayoutPorts => {
    const { bus, log, vault, partner } = world.ports();
    let calls = 0;
    const call = async <T>(effect: () => Promise<T>): Promise<T> => {
      calls += 1;
      const crashes = calls === at;
      if (crashes && when === 'before') throw new Unavailable('crash');
      const result = await effect();
      if (crashes) throw new Unavailable('crash');
      return result;
    };
    return world.ports({
      bus: { execute: (command) => call(() => bus.execute(command)) },
      log: { head: (tenantId) => call(() => log.head(tenantId)) },
      vault: { open: (items) => call(() => vault.open(items)) },
      partner: {
        name: partner.name,
        submit: (payout) => call(() => partner.submit(payout)),
        find: (payout) => call(() => partner.find(payout)),
        listen: () => undefined,
      },
    });
  };
  let met = 0;
  for (const [number, types, balances] of [
    ['0123456700', DONE, PAID],
    ['5555555555', DONE, PAID],
    ['3333333333', REFUSED, BACK],
    ['4444444444', RETURNED, BACK],
  ] as const) {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= 8; at += 1) {
        const world = await PayoutWorld.open('crashes');
        const withdrawal = await world.ask(number);
        const attempts = await settle(breaking(world, at, when), world, withdrawal);
        if (attempts > 1) met += 1;
        const title = `${number} ${when} call ${at}`;
        t.same(await world.types(withdrawal), types, title);
        t.same(await world.balances(), balances, title);
        t.ok((world.payouts as MemoryPayouts).all.size <= 1, title);
      }
    }
  }
  t.ok(met > 40, `${met} crashes were met`);
});

t.test('two workers at once', async (t) => {
  const world = await PayoutWorld.open('pair');
  const withdrawals = await Promise.all(Array.from({ length: 20 }, () => world.ask('0123456700')));
  const twice = [...withdrawals, ...withdrawals];
  await Promise.all(twice.map((withdrawal) => settle(world.ports(), world, withdrawal)));
  for (const withdrawal of withdrawals) t.same(await world.types(withdrawal), DONE);
  t.same(await world.balances(), [BEFORE - 220_000n, 200_000n, 20_000n]);
  t.equal((world.payouts as MemoryPayouts).all.size, 20);
  const references = await Promise.all(withdrawals.map((withdrawal) => world.history(withdrawal)));
  t.equal(new Set(references.map(([first]) => (first?.data as { reference: string }).reference)).size, 20);
});

t.test('where nobody knows, no money moves and none comes back', async (t) => {
  const world = await PayoutWorld.open('unknown');
  const withdrawal = await world.ask('0123456700');
  const silent = {
    ...world.partner,
    name: 'p',
    listen: () => undefined,
    find: () => Promise.reject(new Error('silent')),
  };
  const submitted: string[] = [];
  const submit = ({ payoutId }: PayoutNews): Promise<PayoutAnswer> => {
    submitted.push(payoutId);
    return Promise.resolve({ status: 'ACCEPTED', partnerReference: 'r' });
  };
  await t.rejects(advancePayout(world.ports({ partner: { ...silent, submit } }), step(world, withdrawal)), /silent/);
  t.same([submitted, await world.types(withdrawal)], [[], ['requested']], 'nothing is handed over unasked');
  const forgetful = { ...silent, find: () => Promise.resolve(undefined), submit };
  const ports = world.ports({ partner: forgetful });
  t.equal(await advancePayout(ports, step(world, withdrawal)), 'open');
  await t.rejects(advancePayout(ports, step(world, withdrawal)), /does not know transfer TXN-/);
  t.same(submitted, [withdrawal], 'what was accepted once is not handed over again');
  t.same(await world.types(withdrawal), ['requested', 'submitted']);
  const behind = world.ports({ readModels: { waitFor: () => Promise.resolve(false) } });
  await t.rejects(advancePayout(behind, step(world, withdrawal)), /behind/);
  await t.rejects(advancePayout(ports, step(world, world.ids.eventId())), /no withdrawal/);
});

t.test('who was erased meanwhile gets his money back into his wallet, unless it is on its way', async (t) => {
  const world = await PayoutWorld.open('erased', undefined, undefined, undefined, undefined, {
    settleMs: 1e9,
    delayMs: 0,
  });
  t.teardown(() => world.partner.close());
  const waiting = await world.ask('0123456700');
  const onItsWay = await world.ask('2222222222');
  await world.partner.submit({
    ...{ tenantId: world.tenantId, payoutId: onItsWay, reference: 'r', currency: 'NGN', amount: 10_000n },
    destination: { accountNumber: '2222222222', accountName: '', bankCode: '', bankName: '' },
  });
  await world.vault.destroy(world.tenantId, world.customer);
  await settle(world.ports(), world, waiting);
  await settle(world.ports(), world, onItsWay);
  t.same(await world.types(waiting), REFUSED);
  t.match((await world.history(waiting)).at(-1)?.data, { reason: 'DESTINATION_ERASED' });
  t.same(await world.types(onItsWay), DONE);
});

class Jobs implements Pick<JobQueue<PayoutTask>, 'add' | 'addAll' | 'work' | 'schedule'> {
  readonly added: Array<NewJob<PayoutTask>> = [];
  processor: JobProcessor<PayoutTask> | undefined;
  readonly scheduled: string[] = [];
  add(job: NewJob<PayoutTask>): Promise<void> {
    if (this.added.every(({ id }) => id !== job.id)) this.added.push(job);
    return Promise.resolve();
  }
  async addAll(jobs: ReadonlyArray<NewJob<PayoutTask>>): Promise<void> {
    for (const job of jobs) await this.add(job);
  }
  work(processor: JobProcessor<PayoutTask>): Promise<void> {
    this.processor = processor;
    return Promise.resolve();
  }
  schedule(id: string): Promise<void> {
    this.scheduled.push(id);
    return Promise.resolve();
  }
}

const signal = new AbortController().signal;
const noneOpen = { openWithdrawals: () => Promise.resolve([]) };
const workPorts = (world: PayoutWorld, more: Partial<PayoutWorkPorts> = {}): PayoutWorkPorts => ({
  ...world.ports(),
  ...{ clock: world.clock, openWithdrawals: noneOpen, onError: () => undefined, ...more },
});

t.test('everything open gets a job again where the jobs were lost', async (t) => {
  const world = await PayoutWorld.open('begin-again');
  t.teardown(() => world.partner.close());
  const jobs = new Jobs();
  const ids = Array.from({ length: 250 }, (_, i) => `w${String(i).padStart(3, '0')}`);
  const openWithdrawals = {
    openWithdrawals: (_: string, after: string, limit: number) =>
      Promise.resolve(
        ids
          .filter((id) => id > after)
          .slice(0, limit)
          .map((withdrawalId) => ({ tenantId: 'tenant', withdrawalId })),
      ),
  };
  const added: string[] = [];
  const queue = {
    add: (job: NewJob<PayoutTask>) => jobs.add(job),
    addAll: (many: ReadonlyArray<NewJob<PayoutTask>>) => {
      for (const { data, id } of many) {
        t.equal(id, undefined, 'a job that is remembered as done must not stand in the way');
        if (data.task === 'pay') added.push(data.withdrawal);
      }
      return Promise.resolve();
    },
  };
  const processor = payoutProcessor(queue, workPorts(world, { openWithdrawals }));
  await processor({ id: 'lost', data: { task: 'begin-again' }, attempt: 1, signal });
  t.same(added, ids);
});

t.test('jobs', async (t) => {
  const times = { settleMs: 3_600_000, delayMs: 0 };
  const world = await PayoutWorld.open('jobs', undefined, undefined, undefined, undefined, times);
  t.teardown(() => world.partner.close());
  const withdrawal = await world.ask('0123456700');
  const [event] = await world.history(withdrawal);
  if (event === undefined) throw new Error('no event');

  await t.test('one for each withdrawal, however often its event comes', async (t) => {
    const jobs = new Jobs();
    const reactor = payoutReactor(jobs as unknown as JobQueue<PayoutTask>);
    t.same(reactor.types, ['withdrawal-requested']);
    await reactor.react([event, event]);
    await reactor.react([event]);
    t.match(jobs.added, [{ id: `pay-${event.id}`, data: { task: 'pay', withdrawal, round: 0 } }]);
    t.equal(jobs.added.length, 1);
  });

  await t.test('a partner that has not paid yet is asked again, ever more patiently, for days', async (t) => {
    const jobs = new Jobs();
    const processor = payoutProcessor(jobs, workPorts(world));
    const run = (round: number) => {
      const data = { task: 'pay', tenantId: world.tenantId, withdrawal, correlation: 'c', round } as const;
      return processor({ id: 'j', attempt: 1, signal, data });
    };
    for (const round of [0, 1, 2, 3, 12, 298, 299, 300]) await run(round);
    t.same(
      jobs.added.map(({ delayMs }) => delayMs),
      [2_000, 4_000, 8_000, 16_000, 600_000, 600_000, 600_000],
    );
    t.equal(new Set(jobs.added.map(({ id }) => id)).size, 7);
    t.same(await world.types(withdrawal), ['requested', 'submitted']);
  });

  await t.test('news make one job, though they come twice', async (t) => {
    const instant = await PayoutWorld.open('news');
    const jobs = new Jobs();
    await startPayouts(jobs as unknown as JobQueue<PayoutTask>, workPorts(instant));
    t.same(jobs.scheduled, ['sweep']);
    const told = await instant.ask('6666666666');
    await advancePayout(instant.ports(), step(instant, told));
    await delay(20);
    t.match(jobs.added, [{ id: `told-${told}`, data: { withdrawal: told } }]);
    t.equal(jobs.added.length, 1);
    const data = jobs.added[0]?.data as PayoutTask;
    for (let i = 0; i < 2; i += 1) await jobs.processor?.({ id: 'j', attempt: 1, signal, data });
    t.same([await instant.types(told), await instant.balances()], [DONE, PAID]);
    t.equal(jobs.added.length, 1, 'settled: no more jobs');
  });

  await t.test('a sweep brings on what is open, page by page, and one that fails holds up none', async (t) => {
    const open: OpenWithdrawal[] = [];
    const swept = await PayoutWorld.open('swept');
    for (let n = 0; n < 205; n += 1)
      open.push({ tenantId: swept.tenantId, withdrawalId: await swept.ask('0123456700') });
    open.sort((a, b) => (a.withdrawalId < b.withdrawalId ? -1 : 1));
    const lost = { tenantId: swept.tenantId, withdrawalId: '00000000-0000-4000-8000-000000000000' };
    const failed: string[] = [];
    const pages: string[] = [];
    const openWithdrawals = (_since: string, after: string, limit: number) => {
      pages.push(after);
      return Promise.resolve([lost, ...open].filter(({ withdrawalId }) => withdrawalId > after).slice(0, limit));
    };
    const more = { openWithdrawals: { openWithdrawals }, onError: (id: string) => failed.push(id) };
    const processor = payoutProcessor(new Jobs(), workPorts(swept, more));
    await processor({ id: 'sweep', attempt: 1, signal, data: { task: 'sweep' } });
    t.same(failed, [lost.withdrawalId]);
    t.equal(pages.length, 2);
    t.same(await swept.balances(), [BEFORE - 205n * 11_000n, 2_050_000n, 205_000n]);
  });
});

t.test('on PostgreSQL: workers come and go, each withdrawal is paid once or comes back', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-payouts-'));
  const database = await openDatabase({ dataDir, log: () => undefined });
  const { urls } = database;
  const log = new PostgresEventLog({ url: urls.core });
  const vault = new MemoryKeyVault(testSeal(), systemClock);
  const readSide = await openReadSide({
    ...{
      log,
      urls,
      clock: systemClock,
      ids: createIdSource(),
      logger: pino({ level: 'silent' }),
      vault,
      project: true,
    },
  });
  const pool = new pg.Pool({ connectionString: urls.core, max: 6 });
  // An idle connection may hear of the server's end before the pool is closed.
  pool.on('error', () => undefined);
  t.teardown(async () => {
    await readSide.close();
    await pool.end();
    await log.close();
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  const payouts = new PostgresSimulatedPayouts(pool);
  const times = { settleMs: 300, delayMs: 1_500 };
  const world = await PayoutWorld.open('real', log, systemClock, vault, payouts, times);
  const { readModels } = readSide;
  const openWithdrawals = new PostgresOpenWithdrawals(pool);

  /** What a process of role `worker` runs for payouts: with a partner of its own, that knows what its table says. */
  const startWorker = async () => {
    const errors: unknown[] = [];
    const queues = await openJobQueues({
      ...{ databaseUrls: urls, lockMs: 1_000 },
      observer: { connectionError: () => undefined, attemptFailed: (_queue, _job, error) => errors.push(error) },
    });
    const scan = new PostgresEventScan({ url: urls.core });
    const partner = new SimulatedPayoutPartner(payouts, systemClock, times);
    const queue = payoutQueue(queues);
    await startPayouts(queue, {
      ...world.ports({ partner, readModels, events: indexedEvents(log, readModels) }),
      ...{ clock: systemClock, openWithdrawals, onError: (_id, error) => errors.push(error) },
    });
    const onError = (_name: string, error: unknown) => errors.push(error);
    const checkpoints = new PostgresReactorCheckpoints(pool);
    const reactor = runReactor(payoutReactor(queue), { scan, checkpoints, clock: systemClock, onError });
    return {
      errors,
      async stop() {
        await reactor.stop();
        partner.close();
        await queues.close(100);
        await scan.close();
      },
    };
  };
  const numbers = ['0123456700', '2222222222', '3333333333', '4444444444', '5555555555', '6666666666'];
  const asked: Array<readonly [string, string]> = [];
  for (let n = 0; n < 18; n += 1) {
    const number = numbers[n % numbers.length] ?? '';
    asked.push([number, await world.ask(number)]);
  }
  const settled = async () => {
    const position = (await log.head(world.tenantId)).position;
    await readModels.waitFor(position, 5_000);
    const page = await readModels.withdrawals(world.tenantId, world.customer, { page: 1, size: 100 });
    return page.items.filter(({ status }) => status === 'COMPLETED' || status === 'FAILED').length;
  };
  t.equal(await settled(), 0);
  t.equal((await openWithdrawals.openWithdrawals('2999-01-01T00:00:00.000Z', '', 100)).length, asked.length);
  t.same(await openWithdrawals.openWithdrawals('2020-01-01T00:00:00.000Z', '', 100), [], 'all were touched since');

  const first = await startWorker();
  await delay(400);
  await first.stop();
  const early = await settled();
  t.ok(early < asked.length, `${early} were settled when the first worker stopped`);
  const second = await startWorker();
  const deadline = Date.now() + 40_000;
  while ((await settled()) < asked.length && Date.now() < deadline) await delay(50);
  await second.stop();

  for (const [number, withdrawal] of asked) {
    const types = number === '3333333333' ? REFUSED : number === '4444444444' ? RETURNED : DONE;
    t.same(await world.types(withdrawal), types, number);
    const view = await readModels.withdrawal(world.tenantId, withdrawal);
    t.equal(view?.status, types === DONE ? 'COMPLETED' : 'FAILED', number);
  }
  t.same(await world.balances(), [BEFORE - 12n * 11_000n, 120_000n, 12_000n]);
  const { rows } = await pool.query<{ count: string }>('select count(*) from ledger.simulated_payouts');
  t.equal(rows[0]?.count, '15', 'three were refused, the others are there once');
  t.same(await openWithdrawals.openWithdrawals('2999-01-01T00:00:00.000Z', '', 100), []);
  const strange = [...first.errors, ...second.errors].filter((error) => !/no answer/.test(String(error)));
  t.same(strange, [], 'nothing but the lost answers failed');
});
