/**
 * Jobs on PostgreSQL and, where redis-server is installed, on Redis: `node build/bench/jobs.js [jobs]`. Adds one by one
 * (32 callers) and in lists of 100, then how fast a worker gets through jobs that do nothing.
 */
import { once } from 'node:events';
import type { JobQueues } from '../application/ports/job-queue.js';
import { openJobQueues } from '../infrastructure/jobs/open-job-queues.js';
import { startRedis } from '../tests/support/redis-server.js';
import { median, openCore } from './support/open-core.js';

const CALLERS = 32;
const LIST = 100;
const ROUNDS = 3;
const LATER_MS = 3_600_000;
const jobs = Number(process.argv[2] ?? 6_000);

async function rate(count: number, run: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint();
  await run();
  return count / (Number(process.hrtime.bigint() - started) / 1e9);
}

async function callers(count: number, call: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function measure(home: string, queues: JobQueues): Promise<void> {
  const single: number[] = [];
  const listed: number[] = [];
  const worked: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const queue = queues.open<{ readonly n: number }>(`bench-${round}`, { attempts: 3, firstDelayMs: 1_000 });
    single.push(
      await rate(jobs, () => callers(jobs, (n) => queue.add({ id: `one-${n}`, delayMs: LATER_MS, data: { n } }))),
    );
    listed.push(
      await rate(jobs, async () => {
        for (let from = 0; from < jobs; from += LIST) {
          await queue.addAll(
            Array.from({ length: LIST }, (_, i) => ({ id: `list-${from + i}`, delayMs: LATER_MS, data: { n: i } })),
          );
        }
      }),
    );
    const due = queues.open<{ readonly n: number }>(`bench-due-${round}`, { attempts: 1, firstDelayMs: 0 });
    for (let from = 0; from < jobs; from += LIST) {
      await due.addAll(Array.from({ length: LIST }, (_, i) => ({ id: `due-${from + i}`, data: { n: i } })));
    }
    worked.push(
      await rate(jobs, async () => {
        const all = new EventTarget();
        const finished = once(all, 'all');
        let done = 0;
        await due.work(
          () => {
            done += 1;
            if (done === jobs) all.dispatchEvent(new Event('all'));
            return Promise.resolve();
          },
          { concurrency: 16 },
        );
        await finished;
      }),
    );
  }
  const per = (values: readonly number[]): string => Math.round(median(values)).toLocaleString('en');
  console.log(
    `${home.padEnd(10)}  adds ${per(single)}/s (${CALLERS} callers)  ${per(listed)}/s (lists of ${LIST})  work ${per(worked)}/s`,
  );
}

const observer = { connectionError: console.error, attemptFailed: console.error };
const core = await openCore();
const onPostgres = await openJobQueues({ databaseUrls: core.database.urls, observer });
await measure('PostgreSQL', onPostgres);
await onPostgres.close();
const redis = await startRedis();
if (redis === undefined) console.log('Redis       redis-server is not installed');
else {
  const onRedis = await openJobQueues({ redisUrl: redis.url, databaseUrls: core.database.urls, observer });
  await measure('Redis', onRedis);
  await onRedis.close();
  await redis.stop();
}
await core.close();
