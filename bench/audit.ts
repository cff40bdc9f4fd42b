/**
 * How fast a log is verified and what the self-audit costs: `node build/bench/audit.js [events]`. Postings of two lines
 * over 10,000 accounts, on PostgreSQL.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { accountNumberOf } from '../domain/ledger/account-number.js';
import { scannedEvents } from '../application/audit/aggregate-events.js';
import { booksAt } from '../application/audit/replay.js';
import { SelfAudit } from '../application/audit/self-audit.js';
import { verifyTenant } from '../application/audit/verify.js';
import { PostgresBookQueries } from '../infrastructure/postgres/book-queries.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { TENANT, openCore } from './support/open-core.js';

const ACCOUNTS = 10_000;
const events = Number(process.argv[2] ?? 200_000);
const core = await openCore();
await core.run('create-tenant', {
  slug: 'bench',
  settings: { name: 'Bench', baseCurrency: 'EUR', currencies: ['EUR'], domains: [], branding: {}, emailTemplates: {} },
});
for (let i = 0; i < ACCOUNTS; i += 500) {
  await Promise.all(
    Array.from({ length: 500 }, () =>
      core.run('open-account', {
        owner: '11111111-1111-4111-8111-111111111111',
        currency: 'EUR',
        product: 'INTERNAL',
        name: 'bench',
      }),
    ),
  );
}
const pick = (): string => accountNumberOf(1 + Math.floor(Math.random() * ACCOUNTS));
let next = 0;
const instruction = () => {
  const id = createHash('sha256').update(`k${next++}`).digest('hex');
  const [primaryNumber, number] = [pick(), pick()];
  return {
    primaryNumber,
    currency: 'EUR',
    direction: 'debit-primary' as const,
    counterparties: [{ number: number === primaryNumber ? accountNumberOf(1) : number, currency: 'EUR', amount: 5n }],
    key: {
      text: `k${next}`,
      id: `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20, 32)}`,
      requestHash: id.slice(32),
    },
  };
};
while (next < events) {
  await Promise.all(
    Array.from({ length: 8 }, () =>
      core.run('post-entries', { instructions: Array.from({ length: 100 }, instruction) }),
    ),
  );
}

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
  const { report } = await verifyTenant(log, TENANT, { checks });
  if (!report.ok) throw new Error(JSON.stringify(report.firstBreak));
  return report.eventsChecked;
};
await timed('verify: chain only', () => verify('chain'));
await timed('verify: chain and book', () => verify('all'));
await timed('books as they were', async () => (await booksAt(log, TENANT, {})).revision + 1);
const pool = new pg.Pool({ connectionString: core.database.urls.core, max: 2 });
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
  clock: {
    nowMs: Date.now,
    sleep: () => Promise.resolve(),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  },
  ids: { eventId: () => '', random: Math.random },
  onVerdict: console.error,
});
await timed('one run of the self-audit', async () => Number.parseInt((await audit.run()).detail, 10));
await scan.close();
await pool.end();
await core.close();
