import { setTimeout as delay } from 'node:timers/promises';
import type { Job as BullJob, Queue, Worker } from 'bullmq';
import {
  type FailedJob,
  type JobCounts,
  type JobProcessor,
  type JobQueue,
  MAX_JOBS_PER_CALL,
  type NewJob,
  type RetryPolicy,
} from '../../application/ports/job-queue.js';
import type { Json } from '../../domain/shared/event.js';

/** What one queue needs of BullMQ, whichever home its jobs have. */
export interface BullHome {
  queue(name: string): BullQueue;
  worker(name: string, run: BullProcessor, options: WorkerSettings): BullWorker;
}
export type BullQueue = Pick<
  Queue<Json, void, string>,
  | 'add'
  | 'addBulk'
  | 'upsertJobScheduler'
  | 'removeJobScheduler'
  | 'getJobScheduler'
  | 'getJobCounts'
  | 'getFailed'
  | 'close'
  | 'waitUntilReady'
> & { on(event: 'error', listener: (error: Error) => void): unknown };
export type BullWorker = Pick<Worker<Json, void, string>, 'close' | 'waitUntilReady'> & {
  getBackend(): { close(force: boolean): Promise<void> };
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: BullJob<Json> | undefined, error: Error) => void): unknown;
};
export type BullProcessor = (job: BullJob<Json>) => Promise<void>;
export interface WorkerSettings {
  readonly concurrency: number;
  /** A worker that has not renewed its lock for this long is taken for dead. */
  readonly lockDuration: number;
  readonly stalledInterval: number;
  readonly maxStalledCount: number;
  readonly runRetryDelay: number;
}

interface Schedule<Data extends Json> {
  readonly everyMs: number;
  readonly data: Data;
  readonly afterLoss?: Data;
}

/** What happens beside the jobs: for logs and metrics. */
export interface JobObserver {
  /** The home of the jobs could not be reached; the queue goes on trying by itself. */
  connectionError(queue: string, error: Error): void;
  /** `final`: it will not be tried again. */
  attemptFailed(queue: string, jobId: string, error: Error, final: boolean): void;
  /** The home of the jobs has forgotten this queue's schedule, and its jobs with it; what is due is found again. */
  jobsLost?(queue: string): void;
}

/**
 * Finished jobs are remembered for de-duplication, failed ones for people: so long (seconds). By age alone: a number to
 * keep has PostgreSQL look at all that are kept whenever a job ends.
 */
const REMEMBER_COMPLETED = { age: 3_600 };
const REMEMBER_FAILED = { age: 30 * 86_400 };
/** A job may lose this many workers (kill -9) before it counts as failed: it may be the one that kills them. */
const MAX_WORKERS_LOST = 5;
/** Pause after the database could not be asked for the next job. */
const RETRY_FETCH_MS = 1_000;
/** How long an aborted job may take to notice. */
const ABORT_GRACE_MS = 1_000;
const JOB_ID = /^(?!\d+$)[A-Za-z0-9_-]{1,128}$/;

/** One queue on BullMQ. Neither `moveToDelayed` nor `job.log` are used (docs/decisions/0005). */
export class BullJobQueue<Data extends Json> implements JobQueue<Data> {
  readonly #queue: BullQueue;
  #worker: BullWorker | undefined;
  #closing = false;
  readonly #schedules = new Map<string, Schedule<Data>>();
  #looking: NodeJS.Timeout | undefined;
  readonly #abort = new AbortController();

  constructor(
    readonly name: string,
    readonly retry: RetryPolicy,
    private readonly home: BullHome,
    private readonly observer: JobObserver,
    private readonly lockMs: number,
    private readonly lookForSchedulesMs: number,
  ) {
    this.#queue = home.queue(name);
    this.#queue.on('error', (error) => this.#connectionError(error));
  }

  async add(job: NewJob<Data>): Promise<void> {
    await this.#queue.add(this.name, job.data, this.#options(job));
  }

  async addAll(jobs: readonly NewJob<Data>[]): Promise<void> {
    if (jobs.length === 0) return;
    if (jobs.length > MAX_JOBS_PER_CALL) throw new RangeError(`at most ${MAX_JOBS_PER_CALL} jobs in one call`);
    await this.#queue.addBulk(jobs.map((job) => ({ name: this.name, data: job.data, opts: this.#options(job) })));
  }

  async schedule(id: string, everyMs: number, data: Data, options: { readonly afterLoss?: Data } = {}): Promise<void> {
    checkId(id);
    const schedule = { everyMs, data, ...options };
    await this.#upsert(id, schedule);
    this.#schedules.set(id, schedule);
    this.#looking ??= setInterval(() => void this.#lookForSchedules(), this.lookForSchedulesMs).unref();
  }

  async unschedule(id: string): Promise<void> {
    this.#schedules.delete(id);
    await this.#queue.removeJobScheduler(id);
  }

  async #upsert(id: string, { everyMs, data }: Schedule<Data>): Promise<void> {
    await this.#queue.upsertJobScheduler(id, { every: everyMs }, { name: this.name, data, opts: this.#defaults() });
  }

  async #lookForSchedules(): Promise<void> {
    try {
      for (const [id, schedule] of this.#schedules) {
        const found = await this.#queue.getJobScheduler(id);
        if (!this.#schedules.has(id)) continue;
        if (found === undefined) {
          this.observer.jobsLost?.(this.name);
          if (schedule.afterLoss !== undefined) await this.add({ data: schedule.afterLoss });
        } else if ((found.next ?? 0) > Date.now() + 2 * schedule.everyMs) {
          // The clock was set back: the next run would be as far away.
          await this.#queue.removeJobScheduler(id);
        } else continue;
        await this.#upsert(id, schedule);
      }
    } catch (error) {
      this.#connectionError(error as Error); // The next look is soon.
    }
  }

  async work(processor: JobProcessor<Data>, options: { readonly concurrency?: number } = {}): Promise<void> {
    if (this.#worker !== undefined) throw new Error(`this process works on queue ${this.name} already`);
    const { signal } = this.#abort;
    this.#worker = this.home.worker(
      this.name,
      (job) => processor({ id: job.id ?? '', data: job.data as Data, attempt: job.attemptsMade + 1, signal }),
      {
        concurrency: options.concurrency ?? 1,
        lockDuration: this.lockMs,
        stalledInterval: this.lockMs,
        maxStalledCount: MAX_WORKERS_LOST,
        runRetryDelay: RETRY_FETCH_MS,
      },
    );
    this.#worker.on('error', (error) => this.#connectionError(error));
    this.#worker.on('failed', (job, error) => {
      const final = job === undefined || job.attemptsMade >= (job.opts.attempts ?? 1);
      this.observer.attemptFailed(this.name, job?.id ?? '', error, final);
    });
    await this.#worker.waitUntilReady();
  }

  async counts(): Promise<JobCounts> {
    const counts = await this.#queue.getJobCounts('waiting', 'delayed', 'active', 'completed', 'failed');
    const { waiting = 0, delayed = 0, active = 0, completed = 0, failed = 0 } = counts;
    return { waiting, delayed, active, completed, failed };
  }

  async failed(limit: number): Promise<readonly FailedJob<Data>[]> {
    const jobs = await this.#queue.getFailed(0, limit - 1);
    return jobs.map((job) => ({
      id: job.id ?? '',
      data: job.data as Data,
      attempts: job.attemptsMade,
      reason: job.failedReason,
    }));
  }

  /** Takes no more jobs and waits for the running ones; those that last longer than `graceMs` keep their lock. */
  async drain(graceMs: number): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#closing = true;
    const timer = new AbortController();
    const drained = worker.close().then(() => true);
    const late = delay(graceMs, false, { signal: timer.signal }).catch(() => true);
    const inTime = await Promise.race([drained, late]);
    timer.abort();
    if (inTime) return;
    // Cut off first: what the aborted processor answers must not count as a failed attempt.
    await worker.getBackend().close(true);
    this.#abort.abort(new Error('the process stops'));
    await Promise.race([drained, delay(ABORT_GRACE_MS)]);
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#looking);
    await this.#queue.close();
  }

  #connectionError(error: Error): void {
    if (!this.#closing) this.observer.connectionError(this.name, error);
  }

  #options(job: NewJob<Data>) {
    if (job.id !== undefined) checkId(job.id);
    return {
      ...this.#defaults(),
      ...(job.id === undefined ? {} : { jobId: job.id }),
      ...(job.delayMs === undefined || job.delayMs <= 0 ? {} : { delay: Math.ceil(job.delayMs) }),
    };
  }

  #defaults() {
    return {
      attempts: this.retry.attempts,
      backoff: { type: 'exponential', delay: this.retry.firstDelayMs },
      removeOnComplete: REMEMBER_COMPLETED,
      removeOnFail: REMEMBER_FAILED,
    };
  }
}

function checkId(id: string): void {
  if (!JOB_ID.test(id)) throw new RangeError(`${JSON.stringify(id)} is not a job id`);
}
