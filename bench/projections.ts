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
const TICK_MS = 10;

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

/** CPU milliseconds of the projector's server process. */
async function serverCpuMs(): Promise<number> {
  const { rows } = await admin.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'corebook projector'",
  );
  let ticks = 0;
  for (const { pid } of rows) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_MS;
}

async function measure(title: string, work: () => Promise<void>): Promise<void> {
  const server = await serverCpuMs();
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const node = process.cpuUsage(cpu);
  const nodeUs = (node.user + node.system) / events;
  const serverUs = (((await serverCpuMs()) - server) * 1000) / events;
  console.log(
    `${title.padEnd(28)} ${String(Math.round(events / seconds)).padStart(7)} events/s   node ${nodeUs.toFixed(1)} µs, server ${serverUs.toFixed(1)} µs an event`,
  );
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
  const feed = new EventFeed(log, systemClock, { maxEvents: 1_000_000 });
  // As after `publish`: nothing is read from the log.
  for (let after = '', batch = await log.readAll({ after, limit: 20_000 }); batch.length > 0;) {
    feed.publish(batch);
    after = batch.at(-1)?.position ?? after;
    batch = await log.readAll({ after, limit: 20_000 });
  }
  const runner = new ProjectionRunner({ projections, store, feed, clock: systemClock });
  await measure(title, async () => {
    while ((await runner.step({ poll: false })).moved);
  });
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
  await measure(`rebuild ${projection.name}`, async () => {
    await rebuildProjection({ projection, store, log, scan });
  });
  await store.close();
}
await scan.close();
await admin.end();
await log.close();
await database.close();
await deleteCluster(dataDir);
await rm(dataDir, { recursive: true, force: true });
