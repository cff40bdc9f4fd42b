import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type JobQueue, type JobQueues, MAX_JOBS_PER_CALL } from '../../application/ports/job-queue.js';
import { type JobQueuesOptions, openJobQueues } from '../../infrastructure/jobs/open-job-queues.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { startRedis } from '../support/redis-server.js';

/** Short, so that the test of a killed worker need not wait half a minute. */
const LOCK_MS = 1_000;
const ONCE = { attempts: 1, firstDelayMs: 0 };
const DOOMED = fileURLToPath(new URL('../support/doomed-worker.js', import.meta.url));

type Data = { readonly n: number };
interface Failure {
  readonly jobId: string;
  readonly message: string;
  readonly final: boolean;
}
interface Home {
  readonly options: Omit<JobQueuesOptions, 'observer'>;
  readonly failures: Failure[];
  /** Another process' view of the same queues: connections of its own. */
  open(): Promise<JobQueues>;
}

async function until(what: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (await what()) return true;
    await delay(10);
  }
  return false;
}

async function withHome(
  options: Omit<JobQueuesOptions, 'observer'>,
  run: (home: Home) => Promise<void>,
): Promise<void> {
  const failures: Failure[] = [];
  const opened: JobQueues[] = [];
  const observer = {
    connectionError: (): void => undefined,
    attemptFailed: (_queue: string, jobId: string, error: Error, final: boolean): void => {
      failures.push({ jobId, message: error.message, final });
    },
  };
  const open = async (): Promise<JobQueues> => {
    const queues = await openJobQueues({ ...options, observer });
    opened.push(queues);
    return queues;
  };
  try {
    await run({ options, failures, open });
  } finally {
    await Promise.all(opened.map((queues) => queues.close(1_000)));
  }
}

/** Every case has queues of its own and mostly waits: several run at a time. */
function contract(t: Test, options: Omit<JobQueuesOptions, 'observer'>): void {
  t.jobs = 4;
  const test = (name: string, run: (t: Test, home: Home) => Promise<void>): Promise<unknown> =>
    t.test(name, { buffered: true }, (child) => withHome(options, (home) => run(child, home)));
  const record = async (queue: JobQueue<Data>, concurrency = 1): Promise<number[]> => {
    const seen: number[] = [];
    await queue.work(
      (job) => {
        seen.push(job.data.n);
        return Promise.resolve();
      },
      { concurrency },
    );
    return seen;
  };

  void test('a job runs once, with its data and id', async (t, home) => {
    const queue = (await home.open()).open<Data>('once', ONCE);
    const seen: Array<{ id: string; n: number; attempt: number }> = [];
    await queue.work((job) => {
      seen.push({ id: job.id, n: job.data.n, attempt: job.attempt });
      return Promise.resolve();
    });
    await queue.add({ id: 'first-1', data: { n: 7 } });
    await queue.add({ data: { n: 8 } });
    t.ok(await until(() => seen.length === 2));
    await delay(300);
    t.equal(seen.length, 2, 'and not again');
    t.match(seen[0], { id: 'first-1', n: 7, attempt: 1 });
    t.ok(await until(async () => (await queue.counts()).completed === 2));
    t.match(await queue.counts(), { waiting: 0, delayed: 0, active: 0, failed: 0 });
  });

  void test('a queue is the same object however often it is asked for, and is worked on once a process', async (t, home) => {
    const queues = await home.open();
    const queue = queues.open<Data>('same', ONCE);
    t.equal(queues.open('same', ONCE), queue);
    await queue.work(() => Promise.resolve());
    await t.rejects(
      queue.work(() => Promise.resolve()),
      /works on queue same already/,
    );
  });

  void test('the same id is one job: while it waits, and after it ran', async (t, home) => {
    const queue = (await home.open()).open<Data>('dedupe', ONCE);
    await queue.add({ id: 'job-1', data: { n: 1 } });
    await queue.add({ id: 'job-1', data: { n: 2 } });
    await queue.addAll([
      { id: 'job-1', data: { n: 3 } },
      { id: 'job-2', data: { n: 4 } },
      { id: 'job-2', data: { n: 5 } },
    ]);
    t.equal((await queue.counts()).waiting, 2);
    const seen = await record(queue);
    t.ok(await until(async () => (await queue.counts()).completed === 2));
    await queue.add({ id: 'job-1', data: { n: 6 } });
    await queue.addAll([{ id: 'job-2', data: { n: 7 } }]);
    await delay(300);
    t.same(seen, [1, 4]);
  });

  void test('ids that a home could misread are refused, and lists beyond the limit', async (t, home) => {
    const queue = (await home.open()).open<Data>('ids', ONCE);
    for (const id of ['', '17', 'a:b', 'a b', 'x'.repeat(129)]) {
      await t.rejects(queue.add({ id, data: { n: 1 } }), /is not a job id/, JSON.stringify(id));
    }
    await t.rejects(
      queue.addAll(Array.from({ length: MAX_JOBS_PER_CALL + 1 }, (_, n) => ({ data: { n } }))),
      /at most/,
    );
    await queue.addAll([]);
    t.equal((await queue.counts()).waiting, 0);
  });

  void test('many jobs are added in one call and all run', async (t, home) => {
    const queue = (await home.open()).open<Data>('many', ONCE);
    await queue.addAll(Array.from({ length: MAX_JOBS_PER_CALL }, (_, n) => ({ id: `many-${n}`, data: { n } })));
    const seen = await record(queue, 20);
    t.ok(await until(() => seen.length >= MAX_JOBS_PER_CALL));
    t.equal(new Set(seen).size, MAX_JOBS_PER_CALL);
  });

  void test('a schedule that its home has lost is made again, and told of', async (t, home) => {
    const lost: string[] = [];
    const observer = { connectionError: () => undefined, attemptFailed: () => undefined };
    const queues = await openJobQueues({
      ...{ ...home.options, lookForSchedulesMs: 200 },
      observer: { ...observer, jobsLost: (queue) => void lost.push(queue) },
    });
    t.teardown(() => queues.close(1_000));
    const queue = queues.open<Data>('lost', ONCE);
    const seen = await record(queue);
    await queue.schedule('every', 600_000, { n: 1 }, { afterLoss: { n: 2 } });
    t.ok(await until(() => seen.length === 1), 'the first run is at once');
    await delay(500);
    t.same(seen, [1], 'what is there is left alone');
    await (await home.open()).open<Data>('lost', ONCE).unschedule('every');
    t.ok(await until(() => seen.length === 3));
    t.same([...seen].sort(), [1, 1, 2]);
    t.same(lost, ['lost']);
    await queue.unschedule('every');
    await delay(500);
    t.equal(seen.length, 3, 'what was taken away by this process stays away');
    await queues.probe();
  });

  void test('a delayed job starts at its time, not before', async (t, home) => {
    const queue = (await home.open()).open<Data>('delay', ONCE);
    const at: number[] = [];
    await queue.work(() => {
      at.push(Date.now());
      return Promise.resolve();
    });
    const added = Date.now();
    await queue.add({ id: 'later', data: { n: 1 }, delayMs: 700 });
    await queue.addAll([{ id: 'later-too', data: { n: 2 }, delayMs: 900 }]);
    t.equal((await queue.counts()).delayed, 2);
    t.ok(await until(() => at.length === 2));
    t.ok((at[0] ?? 0) - added >= 695, `the first after ${(at[0] ?? 0) - added} ms`);
    t.ok((at[1] ?? 0) - added >= 895, `the second after ${(at[1] ?? 0) - added} ms`);
    t.ok((at[1] ?? 0) - added < 2_500, 'and not much later');
  });

  void test('a failed attempt is tried again, later each time, and in the end the job has failed', async (t, home) => {
    const queue = (await home.open()).open<Data>('retry', { attempts: 3, firstDelayMs: 150 });
    const at: number[] = [];
    await queue.work((job) => {
      at.push(Date.now());
      return Promise.reject(new Error(`attempt ${job.attempt}`));
    });
    await queue.add({ id: 'bad-1', data: { n: 1 } });
    t.ok(await until(async () => (await queue.counts()).failed === 1));
    const [first = 0, second = 0, third = 0] = at;
    t.equal(at.length, 3);
    t.ok(second - first >= 145, `${second - first} ms to the second attempt`);
    t.ok(third - second >= 295, `${third - second} ms to the third attempt`);
    t.ok(await until(() => home.failures.length === 3));
    t.same(
      home.failures.map(({ message, final }) => ({ message, final })),
      [
        { message: 'attempt 1', final: false },
        { message: 'attempt 2', final: false },
        { message: 'attempt 3', final: true },
      ],
    );
    t.match(await queue.failed(10), [{ id: 'bad-1', data: { n: 1 }, attempts: 3, reason: 'attempt 3' }]);
    await queue.add({ id: 'bad-1', data: { n: 1 } });
    t.equal((await queue.counts()).waiting, 0, 'a failed job is not added again');
  });

  void test('a job that fails once and then succeeds is done', async (t, home) => {
    const queue = (await home.open()).open<Data>('recover', { attempts: 3, firstDelayMs: 20 });
    await queue.work((job) => (job.attempt < 2 ? Promise.reject(new Error('not yet')) : Promise.resolve()));
    await queue.add({ data: { n: 1 } });
    t.ok(await until(async () => (await queue.counts()).completed === 1));
    t.equal((await queue.counts()).failed, 0);
  });

  void test('a schedule runs again and again, once for all processes, until it is taken away', async (t, home) => {
    const first = (await home.open()).open<Data>('schedule', ONCE);
    const second = (await home.open()).open<Data>('schedule', ONCE);
    const at: number[] = [];
    const processor = (): Promise<void> => {
      at.push(Date.now());
      return Promise.resolve();
    };
    await first.work(processor);
    await second.work(processor);
    await first.schedule('tick', 400, { n: 1 });
    await second.schedule('tick', 400, { n: 1 });
    t.ok(await until(() => at.length >= 4));
    const elapsed = (at[3] ?? 0) - (at[0] ?? 0);
    t.ok(elapsed >= 650, `four runs took ${elapsed} ms: not one for each process`);
    await first.unschedule('tick');
    await delay(500);
    const after = at.length;
    await delay(900);
    t.equal(at.length, after, 'no run after it was taken away');
  });

  void test('a scheduled run that fails does not end the schedule', async (t, home) => {
    const queue = (await home.open()).open<Data>('schedule-fails', ONCE);
    let runs = 0;
    await queue.work(() => {
      runs += 1;
      return Promise.reject(new Error('always'));
    });
    await queue.schedule('tick', 200, { n: 1 });
    t.ok(await until(() => runs >= 3));
  });

  void test('two workers share the work', async (t, home) => {
    const first = (await home.open()).open<Data>('share', ONCE);
    const second = (await home.open()).open<Data>('share', ONCE);
    const done: Array<{ worker: string; n: number }> = [];
    const worker = (name: string) => async (job: { data: Data }) => {
      await delay(20);
      done.push({ worker: name, n: job.data.n });
    };
    await first.work(worker('first'));
    await second.work(worker('second'));
    await first.addAll(Array.from({ length: 40 }, (_, n) => ({ data: { n } })));
    t.ok(await until(() => done.length >= 40));
    await delay(200);
    t.equal(new Set(done.map(({ n }) => n)).size, 40);
    t.equal(done.length, 40, 'each by one of them');
    t.ok(done.some(({ worker }) => worker === 'first') && done.some(({ worker }) => worker === 'second'));
  });

  void test('the job of a killed worker is given to another', async (t, home) => {
    const queue = (await home.open()).open<Data>('killed', ONCE);
    await queue.add({ id: 'orphan', data: { n: 5 } });
    const child = spawn(process.execPath, [DOOMED, JSON.stringify({ ...home.options, queue: 'killed' })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    t.equal(line.toString().trim(), 'orphan', 'the other process has it');
    t.equal((await queue.counts()).active, 1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const seen = await record(queue);
    t.ok(await until(() => seen.length === 1), 'and it runs here');
    t.same(seen, [5]);
    t.equal((await queue.counts()).failed, 0);
  });

  void test('a close waits for the running job and starts no other', async (t, home) => {
    const queues = await home.open();
    const queue = queues.open<Data>('close', ONCE);
    const done: number[] = [];
    let started = false;
    await queue.work(async (job) => {
      started = true;
      await delay(500);
      done.push(job.data.n);
    });
    await queue.addAll([{ data: { n: 1 } }, { data: { n: 2 } }]);
    t.ok(await until(() => started));
    await queues.close();
    t.same(done, [1]);
    const again = (await home.open()).open<Data>('close', ONCE);
    t.match(await again.counts(), { completed: 1, waiting: 1, active: 0 });
  });

  void test('a close does not wait for ever: the job is told, and runs again elsewhere', async (t, home) => {
    const queues = await home.open();
    const queue = queues.open<Data>('impatient', ONCE);
    let told = false;
    let started = false;
    await queue.work(
      (job) =>
        new Promise((_resolve, reject) => {
          started = true;
          job.signal.addEventListener('abort', () => {
            told = true;
            reject(new Error('stopped'));
          });
        }),
    );
    await queue.add({ id: 'long', data: { n: 3 } });
    t.ok(await until(() => started));
    const before = Date.now();
    await queues.close(200);
    t.ok(Date.now() - before < 2_000);
    t.ok(told);
    const seen = await record((await home.open()).open<Data>('impatient', ONCE));
    t.ok(await until(() => seen.length === 1), 'it was not counted as a failed attempt');
  });
}

t.test('on PostgreSQL', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-jobs-'));
  const database = await openDatabase({ dataDir, log: () => undefined });
  t.teardown(async () => {
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  contract(t, { databaseUrls: database.urls, lockMs: LOCK_MS });
});

t.test('on Redis', async (t) => {
  const redis = await startRedis();
  if (redis === undefined) {
    t.not(process.env.CI_REQUIRE_REDIS, '1', 'redis-server must be installed here');
    t.comment('redis-server is not installed: the contract was not run on Redis');
    return;
  }
  t.teardown(() => redis.stop());
  const none = { owner: 'postgres://localhost:1/none', core: 'postgres://localhost:1/none' };
  contract(t, { redisUrl: redis.url, databaseUrls: none, lockMs: LOCK_MS });
});
