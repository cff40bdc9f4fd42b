// The daily accrual of loans: each once a day, whatever fails, is suspended, or is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import t from 'tap';
import type { Command, CommandBus, Outcome } from '../../application/commands.js';
import type { DueLoan } from '../../application/ports/due-loans.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import {
  LOAN_ACCRUAL_ACTOR,
  loanAccrualProcessor,
  loanAccrualQueue,
  startLoanAccrual,
} from '../../application/reactors/loan-accrual.js';
import { openJobQueues } from '../../infrastructure/jobs/open-job-queues.js';
import { MemoryKeyVault } from '../../infrastructure/memory/key-vault.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { PostgresDueLoans } from '../../infrastructure/postgres/due-loans.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { openReadSide } from '../../main/read-side.js';
import { openBook } from '../support/busy-book.js';
import { testSeal } from '../support/identity.js';
import { openLoans } from '../support/running-loans.js';

const NOW = Date.parse('2026-03-15T10:00:00.000Z');
const loansOf = (tenantId: string, count: number): DueLoan[] =>
  Array.from({ length: count }, (_, i) => ({ tenantId, loanId: `loan ${String(i).padStart(5, '0')}` }));
const ACCEPTED: Outcome = { status: 'accepted', events: [], revision: 0, position: '1', replayed: false };
const refusedWith = (refused: 'tenant-suspended' | 'account-frozen'): Outcome => ({
  status: 'refused',
  refusal: { refused, message: refused },
  replayed: false,
});

/** A sweep over made-up loans: what was asked of the bus, and how many at once. */
async function sweep(
  due: readonly DueLoan[],
  offers: readonly DueLoan[],
  answer: (command: Command, count: number) => Promise<Outcome> | Outcome,
) {
  const commands: Command[] = [];
  let [inFlight, most] = [0, 0];
  const stopping = new AbortController();
  const bus: CommandBus = {
    async execute(command) {
      const count = commands.push(command);
      inFlight += 1;
      most = Math.max(most, inFlight);
      await delay(0);
      const outcome = await answer(command, count);
      inFlight -= 1;
      return outcome;
    },
  };
  const isAfter = (loan: DueLoan, after: DueLoan | undefined): boolean =>
    after === undefined || `${loan.tenantId} ${loan.loanId}` > `${after.tenantId} ${after.loanId}`;
  const dueLoans = {
    dueLoans: (_day: string, after: DueLoan | undefined, limit: number) =>
      Promise.resolve(due.filter((loan) => isAfter(loan, after)).slice(0, limit)),
    expiredOffers: (_now: string, limit: number) => Promise.resolve(offers.slice(0, limit)),
  };
  const processor = loanAccrualProcessor({ bus, dueLoans, clock: { ...systemClock, nowMs: () => NOW } });
  const job = { id: 'sweep', data: { task: 'sweep' as const }, attempt: 1, signal: stopping.signal };
  const error = await processor(job).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  return { commands, most: () => most, error };
}

t.test('a sweep: every due loan and offer once, so many at once', async (t) => {
  const due = [...loansOf('a', 2_100), ...loansOf('b', 3)];
  const { commands, most, error } = await sweep(due, loansOf('c', 2), () => ACCEPTED);
  t.equal(error, undefined);
  t.equal(most(), 32);
  t.equal(commands.length, 2_105);
  const accrued = commands.filter(({ name }) => name === 'accrue-loan');
  t.equal(new Set(accrued.map(({ tenantId, payload }) => `${tenantId} ${JSON.stringify(payload)}`)).size, 2_103);
  t.match(commands[0], { payload: { loan: 'loan 00000', upTo: '2026-03-15' }, actor: LOAN_ACCRUAL_ACTOR });
  t.match(commands.at(-1), { name: 'expire-loan-offer', tenantId: 'c', payload: { loan: 'loan 00001' } });
  t.same((await sweep([], [], () => ACCEPTED)).commands, []);
});

t.test('what cannot be done holds up nothing else, and is told', async (t) => {
  const suspended = await sweep(loansOf('a', 5), [], () => refusedWith('tenant-suspended'));
  t.same([suspended.commands.length, suspended.error], [5, undefined], 'a suspended tenant is no failure');
  const one = await sweep(loansOf('a', 50), loansOf('b', 1), (_, count) => (count === 7 ? refusedWith('account-frozen') : ACCEPTED)); // prettier-ignore
  t.equal(one.commands.length, 51);
  t.match(one.error, { message: /1 loans/, cause: { message: /account-frozen/ } });
  const broken = await sweep(loansOf('a', 3_000), loansOf('b', 1), () => Promise.reject(new Error('no log')));
  t.ok(broken.commands.length < 60, `${broken.commands.length}: it does not go on for ever`);
  t.match(broken.error, { cause: { message: 'no log' } });
});

t.test('it stops when it is told to', async (t) => {
  const stopping = new AbortController();
  let count = 0;
  const bus: CommandBus = {
    execute: () => {
      count += 1;
      if (count === 10) stopping.abort();
      return Promise.resolve(ACCEPTED);
    },
  };
  const dueLoans = {
    dueLoans: () => Promise.resolve(loansOf('a', 1_000)),
    expiredOffers: () => Promise.resolve(loansOf('b', 5)),
  };
  const processor = loanAccrualProcessor({ bus, dueLoans, clock: systemClock });
  await processor({ id: 'sweep', data: { task: 'sweep' }, attempt: 1, signal: stopping.signal });
  t.ok(count < 50, `${count} loans`);
});

const WORKER = fileURLToPath(new URL('../support/accruing-worker.js', import.meta.url));
const LOANS = 120;

async function until(what: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (await what()) return true;
    await delay(20);
  }
  return false;
}

t.test('on PostgreSQL: killed in the middle, gone on with, and never done twice', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-accrual-'));
  const database = await openDatabase({ dataDir, log: () => undefined });
  const { urls } = database;
  const log = new PostgresEventLog({ url: urls.core });
  const ids = createIdSource();
  const readSide = await openReadSide({
    ...{ log, urls, clock: systemClock, ids, logger: pino({ level: 'silent' }) },
    vault: new MemoryKeyVault(testSeal(), systemClock),
    project: true,
  });
  const pool = new pg.Pool({ connectionString: urls.core, max: 2 });
  // An idle connection may hear of the server's end before the pool is closed.
  pool.on('error', () => undefined);
  const dueLoans = new PostgresDueLoans(pool);
  t.teardown(async () => {
    await readSide.close();
    await pool.end();
    await log.close();
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  let nowMs = NOW;
  const clock = { ...systemClock, nowMs: () => nowMs };
  const book = await openBook('lender', log, () => nowMs);
  const { tenantId } = book;
  const loans = await openLoans(book.run, tenantId, { count: LOANS, date: '2026-03-15' });
  const due = (day: string) => dueLoans.dueLoans(day, undefined, 1_000);
  nowMs += 86_400_000;
  t.ok(await until(async () => (await due('2026-03-16')).length === LOANS), 'all are due the next day');
  t.same(await due('2026-03-15'), []);
  const [first] = await due('2026-03-16');
  t.equal((await dueLoans.dueLoans('2026-03-16', first, 1_000)).length, LOANS - 1, 'by pages');
  t.equal((await dueLoans.dueLoans('2026-03-16', undefined, 7)).length, 7);
  await book.processor.close();

  /** Loans by how often they were accrued for the day, and entries of it. */
  const accrued = async () => {
    const times = new Map<string, number>();
    let entries = 0;
    for await (const { type, data } of log.read(tenantId)) {
      const { loan, narration } = data as { loan: string; narration?: string };
      if (type === 'loan-accrued') times.set(loan, (times.get(loan) ?? 0) + 1);
      if (type === 'entry-posted' && narration === 'Loan accrual') entries += 1;
    }
    return { times, entries };
  };

  /** A process that sweeps once, by the clock as it is now, when it is told to begin. */
  const sweeping = async () => {
    const child = spawn(process.execPath, [WORKER, JSON.stringify({ url: urls.core, nowMs })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    return { child, lines, exited, begin: () => void child.stdin.write('\n') };
  };
  const killed = await sweeping();
  let said = 0;
  killed.lines.on('line', (line) => {
    said += line === 'accrue-loan' ? 1 : 0;
    if (said === 20) killed.child.kill('SIGKILL');
  });
  killed.begin();
  await killed.exited;
  const half = await accrued();
  t.ok(half.times.size >= 20 && half.times.size < LOANS, `killed when ${half.times.size} of ${LOANS} were done`);

  const states = { load: () => Promise.resolve({ revision: -1, states: new Map() }) };
  const next = new CommandProcessor({ log, states, clock, ids });
  const queues = await openJobQueues({
    databaseUrls: urls,
    lockMs: 1_000,
    observer: { connectionError: () => undefined, attemptFailed: (_queue, _job, error) => t.error(error) },
  });
  const queue = loanAccrualQueue(queues);
  await startLoanAccrual(queue, { bus: next, dueLoans, clock }, { sweepEveryMs: 300 });
  t.ok(await until(async () => (await accrued()).times.size === LOANS), 'the rest is done by the next sweep');
  t.ok(await until(async () => (await due('2026-03-16')).length === 0), 'the read model knows');
  const { completed } = await queue.counts();
  t.ok(await until(async () => (await queue.counts()).completed > completed + 1), 'and further sweeps');
  const whole = await accrued();
  t.same([...new Set(whole.times.values())], [1], 'each once');
  t.equal(whole.entries, LOANS);
  t.same([...whole.times.keys()].sort(), [...loans].sort());

  nowMs += 3 * 86_400_000;
  t.ok(
    await until(async () => (await accrued()).entries === 2 * LOANS),
    'days that were missed are made up for at once',
  );
  await queues.close();
  await next.close();

  nowMs += 86_400_000;
  t.ok(await until(async () => (await due('2026-03-20')).length === LOANS), 'due again');
  const before = await accrued();
  const order: number[] = [];
  const two = await Promise.all([sweeping(), sweeping()]);
  for (const [index, { lines, begin }] of two.entries()) {
    lines.on('line', (line) => line === 'accrue-loan' && order.push(index));
    begin();
  }
  const codes = await Promise.all(two.map(({ exited }) => exited));
  t.same(codes, [0, 0], 'two processes that sweep at once');
  t.same(
    [0, 1].map((index) => order.filter((who) => who === index).length),
    [LOANS, LOANS],
    'each asks for every loan',
  );
  t.ok(order.indexOf(1) < order.lastIndexOf(0) && order.indexOf(0) < order.lastIndexOf(1), 'one beside the other');
  const both = await accrued();
  t.equal(both.entries, 3 * LOANS);
  const more = [...both.times].map(([loan, times]) => times - (before.times.get(loan) ?? 0));
  t.same([more.length, ...new Set(more)], [LOANS, 1], 'and each is done once');
});
