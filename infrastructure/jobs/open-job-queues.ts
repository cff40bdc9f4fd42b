import { createPostgresBackend, createRedisBackend, runMigrations, withBackend } from 'bullmq';
import { Client } from 'pg';
import type { JobQueue, JobQueues, RetryPolicy } from '../../application/ports/job-queue.js';
import type { Json } from '../../domain/shared/event.js';
import {
  type BullHome,
  BullJobQueue,
  type BullProcessor,
  type JobObserver,
  type WorkerSettings,
} from './bullmq-queue.js';

const SCHEMA = 'jobs';
/** Connections to PostgreSQL for each queue: for adding, and for working on it (one more waits for notifications). */
const ADDING_CONNECTIONS = 3;
const WORKING_CONNECTIONS = 3;
const DEFAULT_LOCK_MS = 30_000;
const DEFAULT_LOOK_MS = 20_000;
/** A connection on which an answer is missing for so long is given up. BullMQ's longest wait on purpose is 10 s. */
const SILENCE_MS = 20_000;
const DEFAULT_GRACE_MS = 20_000;

export interface JobQueuesOptions {
  /** Jobs live in Redis; unset: in schema `jobs` of the database. */
  readonly redisUrl?: string | undefined;
  /** `owner` brings the schema up to date, `core` uses it. */
  readonly databaseUrls: { readonly owner: string; readonly core: string };
  readonly observer: JobObserver;
  /** After how long a worker that does not answer is taken for dead and its job given to another. */
  readonly lockMs?: number;
  /** How often schedules are looked for: a home without a disk, or one that was emptied, has none any more. */
  readonly lookForSchedulesMs?: number;
}

/** Opens the home of the jobs and checks that it can be reached. */
export async function openJobQueues(options: JobQueuesOptions): Promise<JobQueues> {
  const { redisUrl, databaseUrls, observer } = options;
  const { lockMs = DEFAULT_LOCK_MS, lookForSchedulesMs = DEFAULT_LOOK_MS } = options;
  const times = { lockMs, lookForSchedulesMs };
  if (redisUrl !== undefined) return new BullJobQueues(redisHome(redisUrl), observer, times);
  await migrateJobs(databaseUrls.owner);
  return new BullJobQueues(postgresHome(databaseUrls.core), observer, times);
}

/**
 * BullMQ's own migrations: idempotent, one process after the other. As the owner, because they ask for the right to
 * create schemas even where there is nothing to create; that is why the connections below do not say `migrate: true`.
 */
async function migrateJobs(ownerUrl: string): Promise<void> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'corebook jobs migration' });
  client.on('error', () => undefined); // A lost connection fails the statement that runs.
  await client.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end();
  }
}

function postgresHome(url: string): BullHome {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const connection = (max: number) => ({
    connectionString: url,
    schema: SCHEMA,
    max,
    application_name: 'corebook jobs',
    // A job need not wait for the disk: a reactor's checkpoint, which does, is written after its jobs and takes them to
    // the disk with it, and a job whose end was lost runs again.
    options: '-c synchronous_commit=off',
    connectionTimeoutMillis: 5_000,
    query_timeout: SILENCE_MS,
    keepAlive: true,
  });
  return {
    queue: (name) => new Queue<Json, void>(name, { connection: connection(ADDING_CONNECTIONS) }),
    worker: (name: string, run: BullProcessor, settings: WorkerSettings) =>
      new Worker<Json, void>(name, run, { connection: connection(WORKING_CONNECTIONS), ...settings }),
  };
}

function redisHome(url: string): BullHome {
  const { Queue, Worker } = withBackend(createRedisBackend);
  const prefix = 'corebook';
  // Adding fails soon when Redis is away, so that its caller can try again; a worker waits for it as long as it takes.
  const silence = { socketTimeout: SILENCE_MS };
  return {
    queue: (name) => new Queue<Json, void>(name, { prefix, connection: { url, maxRetriesPerRequest: 3, ...silence } }),
    worker: (name, run, settings) =>
      new Worker<Json, void>(name, run, {
        ...{ prefix, connection: { url, maxRetriesPerRequest: null, ...silence } },
        ...settings,
      }),
  };
}

class BullJobQueues implements JobQueues {
  readonly #queues = new Map<string, BullJobQueue<Json>>();
  #probing: Promise<void> | undefined;

  constructor(
    private readonly home: BullHome,
    private readonly observer: JobObserver,
    private readonly times: { readonly lockMs: number; readonly lookForSchedulesMs: number },
  ) {}

  open<Data extends Json>(name: string, retry: RetryPolicy): JobQueue<Data> {
    const { lockMs, lookForSchedulesMs } = this.times;
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new BullJobQueue<Json>(name, retry, this.home, this.observer, lockMs, lookForSchedulesMs);
      this.#queues.set(name, queue);
    }
    return queue as unknown as JobQueue<Data>;
  }

  probe(): Promise<void> {
    // One question at a time, however often it is asked while there is no answer.
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async #probe(): Promise<void> {
    const [queue] = this.#queues.values();
    await queue?.counts();
  }

  async close(graceMs = DEFAULT_GRACE_MS): Promise<void> {
    const queues = [...this.#queues.values()];
    await Promise.all(queues.map((queue) => queue.drain(graceMs)));
    await Promise.all(queues.map((queue) => queue.close()));
  }
}
