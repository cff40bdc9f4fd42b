/**
 * How fast a log is verified and what the self-audit costs: `node build/bench/audit.js [events]`. Postings of two lines
 * over 10,000 accounts, on PostgreSQL.
 */
import { scannedEvents } from '../application/audit/aggregate-events.js';
import { booksAt } from '../application/audit/replay.js';
import { SelfAudit } from '../application/audit/self-audit.js';
import { verifyTenant } from '../application/audit/verify.js';
import { PostgresBookQueries } from '../infrastructure/postgres/book-queries.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { createPool } from '../infrastructure/postgres/pool.js';
import { systemClock } from '../infrastructure/system/clock.js';
import { createIdSource } from '../infrastructure/system/ids.js';
import { createTenant, openAccounts, transfers } from './support/load.js';
import { openCore } from './support/open-core.js';

const ACCOUNTS = 10_000;
const CALLERS = 8;
const LIST = 100;
const events = Number(process.argv[2] ?? 200_000);
const core = await openCore();
await createTenant(core.run);
await openAccounts(core.run, ACCOUNTS);
const fill = async (): Promise<void> => {
  for (let i = 0; i < events / CALLERS / LIST; i += 1) await core.run('post-entries', transfers(LIST, ACCOUNTS));
};
await Promise.all(Array.from({ length: CALLERS }, fill));
const [tenant = ''] = await core.log.tenants();

async function timed(what: string, run: () => Promise<number>): Promise<void> {
  const cpu = process.cpuUsage();
  const started = process.hrtime.bigint();
  const count = await run();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round(count / seconds).toLocaleString('en');
  console.log(
    `${what.padEnd(34)} ${rate.padStart(9)} events/s  (${count} in ${seconds.toFixed(1)} s, Node ${((user + system) / 1e6).toFixed(1)} s)`,
  );
}

const { log } = core;
const verify = async (checks: 'chain' | 'all'): Promise<number> => {
  const { report } = await verifyTenant(log, tenant, { checks });
  if (!report.ok) throw new Error(JSON.stringify(report.firstBreak));
  return report.eventsChecked;
};
await timed('verify: chain only', () => verify('chain'));
await timed('verify: chain and book', () => verify('all'));
await timed('books as they were', async () => (await booksAt(log, tenant, {})).revision + 1);
const pool = createPool({ url: core.database.urls.core, name: 'bench', connections: 2, onError: console.error });
const census = new PostgresBookQueries(pool);
await timed('positions counted', async () => (await census.census()).events);
const scan = new PostgresEventScan({ url: core.database.urls.core });
await timed('a reactor looking for holds', async () => {
  let after = '';
  for (;;) {
    const { next: reached } = await scan.scan({ after, limit: 2_000, types: ['hold-placed'] });
    if (reached === after) return Number(after);
    after = reached;
  }
});
// The read models are not run here: the chain's tail is what a run of the self-audit costs.
const audit = new SelfAudit({
  log,
  readModels: { waitFor: () => Promise.resolve(false) },
  book: census,
  events: scannedEvents(log),
  store: {
    checkpoint: () => Promise.resolve(undefined),
    saveCheckpoint: () => Promise.resolve(),
    lastResult: () => Promise.resolve(undefined),
    saveResult: () => Promise.resolve(),
  },
  clock: systemClock,
  ids: createIdSource(),
  onVerdict: console.error,
});
await timed('one run of the self-audit', async () => Number.parseInt((await audit.run()).detail, 10));
await scan.close();
await pool.end();
await core.close();
