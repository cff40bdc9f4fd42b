/**
 * The read side by itself: `node build/bench/projections.js [postings] [accounts]`. Writes that many postings to a log,
 * then measures each projection from an empty table, all of them together as the runner drives them (batches of 2,000
 * from memory), and the rebuild of each. CPU is of this process and, by /proc, of the server's connection.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { tenantIdOf } from '../domain/shared/ids.js';
import { openDatabase } from '../infrastructure/postgres/database.js';
import { deleteCluster } from '../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../infrastructure/postgres/event-log.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { PostgresReadStore } from '../infrastructure/postgres/read-store.js';
import { systemClock } from '../infrastructure/system/clock.js';
import { createProjections } from '../projections/catalogue.js';
import { EventFeed } from '../projections/feed.js';
import type { Projection } from '../projections/projection.js';
import { rebuildProjection } from '../projections/rebuild.js';
import { ProjectionRunner } from '../projections/runner.js';
import { PostingWriter } from './support/postings.js';

const postings = Number(process.argv[2] ?? 200_000);
const accounts = Number(process.argv[3] ?? 10_000);
const BATCH = 2_000;

const dataDir = await mkdtemp(join(tmpdir(), 'corebook-bench-'));
const database = await openDatabase({ dataDir, log: () => undefined });
const log = new PostgresEventLog({ url: database.urls.core });
const writer = new PostingWriter(log, tenantIdOf('bench'));
await writer.openAccounts(accounts);
for (let done = 0; done < postings; done += 1_000)
  await writer.append(writer.postings(Math.min(1_000, postings - done)));
const last = await log.lastPosition();
const events = log.distance('', last);
console.log(`${events} events, ${accounts} accounts`);
const admin = new pg.Client({ connectionString: database.urls.owner });
await admin.connect();

/** CPU microseconds of the projector's server process. */
async function serverCpuUs(): Promise<number> {
  const { rows } = await admin.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'corebook projector'",
  );
  return rows.reduce(
    (sum, { pid }) => sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000,
    0,
  );
}

/** Time and CPU of the parts of a run that are between `start` and `stop`. */
class Meter {
  seconds = 0;
  nodeUs = 0;
  serverUs = 0;
  #started = 0;
  #cpu = process.cpuUsage();
  #server = 0;

  async start(): Promise<void> {
    this.#server = await serverCpuUs();
    this.#cpu = process.cpuUsage();
    this.#started = performance.now();
  }

  async stop(): Promise<void> {
    this.seconds += (performance.now() - this.#started) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.nodeUs += user + system;
    this.serverUs += (await serverCpuUs()) - this.#server;
  }

  report(title: string): void {
    const each = (us: number): string => `${(us / events).toFixed(1).padStart(5)} µs`;
    console.log(
      `${title.padEnd(28)} ${String(Math.round(events / this.seconds)).padStart(7)} events/s   CPU of an event: node ${each(this.nodeUs)}, server ${each(this.serverUs)}`,
    );
  }
}

async function fresh(projections: readonly Projection[]): Promise<PostgresReadStore> {
  for (const { rows } of [await admin.query<{ tables: string[] }>('delete from ledger.projections returning tables')]) {
    for (const { tables } of rows) for (const table of tables) await admin.query(`drop table ledger.${table} cascade`);
  }
  const store = new PostgresReadStore({ coreUrl: database.urls.core, ownerUrl: database.urls.owner });
  await store.prepare(projections);
  await store.states();
  return store;
}

async function runAll(title: string, projections: readonly Projection[]): Promise<void> {
  const store = await fresh(projections);
  const feed = new EventFeed(log, systemClock);
  const runner = new ProjectionRunner({ projections, store, feed, clock: systemClock }, { maxBatch: BATCH });
  const meter = new Meter();
  let after = '';
  for (;;) {
    const batch = await log.readAll({ after, limit: BATCH });
    if (batch.length === 0) break;
    after = batch.at(-1)?.position ?? after;
    await meter.start();
    feed.publish(batch);
    await runner.step({ poll: false });
    await meter.stop();
  }
  meter.report(title);
  for (const status of runner.status()) {
    if (status.checkpoint !== last)
      throw new Error(`${status.name} ended at ${status.checkpoint}: ${status.error ?? ''}`);
  }
  await store.close();
}

const only = process.argv[4];
for (const projection of createProjections()) {
  if (only === undefined || only === projection.name) await runAll(projection.name, [projection]);
}
if (only === undefined || only === 'all') await runAll('all together', createProjections());

const scan = new PostgresEventScan({ url: database.urls.core });
for (const projection of createProjections()) {
  if (only !== undefined && only !== projection.name) continue;
  const store = await fresh([projection]);
  const meter = new Meter();
  await meter.start();
  await rebuildProjection({ projection, store, log, scan });
  await meter.stop();
  meter.report(`rebuild ${projection.name}`);
  await store.close();
}
await scan.close();
await admin.end();
await log.close();
await database.close();
await deleteCluster(dataDir);
await rm(dataDir, { recursive: true, force: true });
