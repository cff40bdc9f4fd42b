/**
 * Does the write path stay as fast when the log is long? `node build/bench/scale.js [accounts] [events] [seconds]`.
 * Measures over 1,000 accounts on a fresh log, fills the log, builds the stored states from it (its rate is shown too),
 * and measures again with a fresh processor whose accounts are all cold: each is loaded from the stored states.
 */
import { CommandProcessor } from '../application/processor/command-processor.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { PostgresStateStore } from '../infrastructure/postgres/state-store.js';
import { systemClock } from '../infrastructure/system/clock.js';
import { createIdSource } from '../infrastructure/system/ids.js';
import { createReadStore } from '../main/read-side.js';
import { AGGREGATE_STATES_VERSION } from '../projections/aggregate-states/projection.js';
import { createProjection, createProjections } from '../projections/catalogue.js';
import { rebuildProjection } from '../projections/rebuild.js';
import { createTenant, openAccounts, transfers } from './support/load.js';
import { openCore, runner } from './support/open-core.js';

const CALLERS = 32;
const accounts = Number(process.argv[2] ?? 1_000_000);
const events = Number(process.argv[3] ?? 5_000_000);
const seconds = Number(process.argv[4] ?? 10);

const core = await openCore();
const store = createReadStore(core.database.urls);
await store.prepare(createProjections());
await createTenant(core.run);
await openAccounts(core.run, 1_000);
const small = { single: await rate(core.run, 1_000, 1), arrays: await rate(core.run, 1_000, 100) };
show('1,000 accounts', small);

let started = performance.now();
await openAccounts(core.run, accounts - 1_000);
console.log(`${accounts} accounts after ${since(started)}`);
started = performance.now();
const { revision } = await core.log.head((await core.log.tenants())[0] as string);
const callers = Array.from({ length: CALLERS }, async () => {
  for (let i = 0; i < (events - revision) / CALLERS / 500; i += 1)
    await core.run('post-entries', transfers(500, accounts));
});
await Promise.all(callers);
console.log(`${await core.log.lastPosition()} events after ${since(started)}`);

// Before another processor appends: this one has no stored states to begin anew from.
const warm = { single: await rate(core.run, accounts, 1), arrays: await rate(core.run, accounts, 100) };
show(`${accounts} accounts, in memory`, warm);

for (const name of ['aggregate-states', 'accounts', 'entries', 'history']) {
  const projection = createProjection(name);
  if (projection === undefined) throw new Error(`no projection ${name}`);
  const scan = new PostgresEventScan({ url: core.database.urls.core });
  started = performance.now();
  const result = await rebuildProjection({ projection, store, log: core.log, scan });
  const elapsed = (performance.now() - started) / 1000;
  console.log(`rebuild of ${name}: ${Math.round(result.events / elapsed)} events/s (${elapsed.toFixed(1)} s)`);
  await scan.close();
}

const states = new PostgresStateStore({ url: core.database.urls.core, version: AGGREGATE_STATES_VERSION });
const cold = new CommandProcessor({ log: core.log, states, clock: systemClock, ids: createIdSource() });
const coldRun = runner(cold);
const large = { single: await rate(coldRun, accounts, 1), arrays: await rate(coldRun, accounts, 100) };
show(`${accounts} accounts, cold`, large);
await cold.close();
await states.close();
await store.close();
await core.close();

async function rate(run: typeof core.run, among: number, size: number): Promise<number> {
  const from = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (performance.now() - from < seconds * 1000) {
        const outcome = await run('post-entries', transfers(size, among));
        if (outcome.status !== 'accepted') throw new Error(outcome.refusal.message);
        done += size;
      }
    }),
  );
  return done / ((performance.now() - from) / 1000);
}

function show(title: string, rates: { single: number; arrays: number }): void {
  console.log(`${title}: single ${Math.round(rates.single)}/s, arrays of 100 ${Math.round(rates.arrays)}/s`);
}

function since(ms: number): string {
  return `${((performance.now() - ms) / 1000).toFixed(1)} s`;
}
