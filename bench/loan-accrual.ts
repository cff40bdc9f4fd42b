/**
 * The daily accrual on the real log, with the read models beside it as in the product:
 * `node build/bench/loan-accrual.js [loans] [instalments]`. Opens that many running loans, then accrues them all by the
 * job's own processor: cold (a fresh process, states from storage), once more (nothing is left to do), and the next day warm.
 */
import pg from 'pg';
import { pino } from 'pino';
import { CommandProcessor } from '../application/processor/command-processor.js';
import { loanAccrualProcessor } from '../application/reactors/loan-accrual.js';
import { MemoryKeyVault } from '../infrastructure/memory/key-vault.js';
import { PostgresDueLoans } from '../infrastructure/postgres/due-loans.js';
import { systemClock } from '../infrastructure/system/clock.js';
import { createIdSource } from '../infrastructure/system/ids.js';
import { openReadSide } from '../main/read-side.js';
import { testSeal } from '../tests/support/identity.js';
import { openLoans } from '../tests/support/running-loans.js';
import { createTenant } from './support/load.js';
import { TENANT, openCore, runner } from './support/open-core.js';

const count = Number(process.argv[2] ?? 10_000);
const instalments = Number(process.argv[3] ?? 24);
const DAY_MS = 86_400_000;

const core = await openCore();
const { log, database } = core;
await core.processor.close();
const ids = createIdSource();
const logger = pino({ level: 'silent' });
const vault = new MemoryKeyVault(testSeal(), systemClock);
const readSide = await openReadSide({
  log,
  urls: database.urls,
  clock: systemClock,
  ids,
  logger,
  vault,
  project: true,
});
const pool = new pg.Pool({ connectionString: database.urls.core, max: 2 });
const dueLoans = new PostgresDueLoans(pool);
let aheadMs = 0;
const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
const today = (): string => new Date(clock.nowMs()).toISOString().slice(0, 10);
const observer = {
  batch: () => undefined,
  conflict: () => undefined,
  committed: (events: Parameters<typeof readSide.publish>[0]) => readSide.publish(events),
};
const start = () => new CommandProcessor({ log, states: readSide.states, clock, ids, observer });

async function caughtUp(left: number): Promise<void> {
  for (;;) {
    if ((await dueLoans.dueLoans(today(), undefined, count + 1)).length === left) return;
    await clock.sleep(50);
  }
}

async function sweep(title: string, processor: CommandProcessor): Promise<void> {
  const cpu = process.cpuUsage();
  const before = (await log.head(TENANT)).revision;
  const started = performance.now();
  const job = { id: 'sweep', data: { task: 'sweep' as const }, attempt: 1, signal: new AbortController().signal };
  await loanAccrualProcessor({ bus: processor, dueLoans, clock })(job);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const events = (await log.head(TENANT)).revision - before;
  await caughtUp(0);
  const behind = (performance.now() - started) / 1000;
  console.log(
    `${title}: ${seconds.toFixed(2)} s, ${events} events, node ${((user + system) / 1e6).toFixed(2)} s; read models after ${behind.toFixed(2)} s`,
  );
}

let processor = start();
const run = runner(processor);
await createTenant(run);
const made = performance.now();
await openLoans(
  async (name, payload) => {
    const outcome = await run(name, payload);
    if (outcome.status === 'refused') throw new Error(`${name}: ${outcome.refusal.message}`);
  },
  TENANT,
  { count, date: today(), settings: { minInstalments: 1, maxInstalments: instalments } },
);
console.log(
  `${count} loans of ${instalments} instalments opened in ${((performance.now() - made) / 1000).toFixed(1)} s`,
);
await processor.close();

aheadMs += DAY_MS;
await caughtUp(count);
processor = start();
await sweep('cold', processor);
await sweep('again', processor);
aheadMs += DAY_MS;
await caughtUp(count);
await sweep('warm', processor);

await processor.close();
await readSide.close();
await pool.end();
await core.close();
