import type { Json } from '../../domain/shared/event.js';

/**
 * Background work that outlives the process: run at least once, later or now, by any process that works on the queue.
 * The queue is never the state of record: what is due can be found from the log and added again, and every processor is
 * idempotent. Adapter: infrastructure/jobs (PostgreSQL or Redis), tests/contract/job-queue.test.ts.
 */
export interface Job<Data extends Json> {
  readonly id: string;
  readonly data: Data;
  /** From 1. */
  readonly attempt: number;
  /** Aborted when the process must stop before the job is done; another process will run it again. */
  readonly signal: AbortSignal;
}

/** Runs one job; a rejection is a failed attempt. */
export type JobProcessor<Data extends Json> = (job: Job<Data>) => Promise<void>;

export interface NewJob<Data extends Json> {
  readonly data: Data;
  /**
   * While a job with this id waits, runs or is remembered as finished, adding it again changes nothing. Letters, digits,
   * hyphens and underscores, not digits only, at most 128; derive it from the event that asks for the job.
   */
  readonly id?: string;
  /** Earliest start from now; default 0. */
  readonly delayMs?: number;
}

/** How a failed attempt is tried again: after `firstDelayMs`, then twice that, and so on. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly firstDelayMs: number;
}

export interface JobCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  /** Remembered only: old ones are forgotten. */
  readonly completed: number;
  readonly failed: number;
}

export interface FailedJob<Data extends Json> {
  readonly id: string;
  readonly data: Data;
  readonly attempts: number;
  readonly reason: string;
}

export interface JobQueue<Data extends Json> {
  readonly name: string;
  add(job: NewJob<Data>): Promise<void>;
  /** All of them in one round trip, at most `MAX_JOBS_PER_CALL`. */
  addAll(jobs: readonly NewJob<Data>[]): Promise<void>;
  /**
   * A job every `everyMs`, for all processes together however many call this; a call with another interval changes it.
   * Runs are skipped, not collected, while nobody works on the queue. A schedule that its home has lost is made again
   * within half a minute and runs at once; the jobs that were lost with it are found by `afterLoss`, which runs once then.
   */
  schedule(id: string, everyMs: number, data: Data, options?: { readonly afterLoss?: Data }): Promise<void>;
  /** To be called in every process that has scheduled it: the others make it again. */
  unschedule(id: string): Promise<void>;
  /** Starts working on the queue in this process, once; resolves when jobs can arrive. */
  work(processor: JobProcessor<Data>, options?: { readonly concurrency?: number }): Promise<void>;
  counts(): Promise<JobCounts>;
  /** Jobs whose last attempt failed, newest first. */
  failed(limit: number): Promise<readonly FailedJob<Data>[]>;
}

export const MAX_JOBS_PER_CALL = 1_000;

export interface JobQueues {
  /** The queue of this name: the same object however often it is asked for. */
  open<Data extends Json>(name: string, retry: RetryPolicy): JobQueue<Data>;
  /** Resolves when the home of the jobs answers. */
  probe(): Promise<void>;
  /**
   * Takes no more jobs, waits for the running ones, and disconnects. What still runs after `graceMs` gets its signal
   * aborted and is left to another process.
   */
  close(graceMs?: number): Promise<void>;
}
