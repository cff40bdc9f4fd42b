export interface RunnerOptions {
  /** Most events of one batch. Bigger ones collapse more changes of the same row, and delay those who wait longer. */
  readonly maxBatch: number;
  /** How often the log is asked when nobody publishes here. */
  readonly pollMs: number;
  /** Least time from one batch to the next under light load: a batch has a price that does not depend on its size. */
  readonly paceMs: number;
  /** The same where more than `BUSY_EVENTS_PER_MS` arrive: fewer, bigger batches leave the processor to the commands. */
  readonly busyPaceMs: number;
  /** How long a projection that answers no queries lets less than a full batch wait: nobody misses it. */
  readonly unaskedPaceMs: number;
  /** How long a runner stands aside when another process was first, and how often it looks when somebody waits. */
  readonly asideMs: number;
  readonly asideWaitingMs: number;
  /** How often a parked or not yet live projection looks whether it may go on. */
  readonly recheckMs: number;
  /** Longest pause after errors of the store or the log. */
  readonly maxBackOffMs: number;
}

export const DEFAULT_RUNNER_OPTIONS: RunnerOptions = {
  maxBatch: 2_000,
  pollMs: 50,
  paceMs: 20,
  busyPaceMs: 100,
  unaskedPaceMs: 500,
  asideMs: 200,
  asideWaitingMs: 20,
  recheckMs: 2_000,
  maxBackOffMs: 5_000,
};

/** What the runner tells about itself: for metrics and the operator's log. */
export interface RunnerObserver {
  batch?(name: string, batch: { readonly events: number; readonly durationMs: number }): void;
  parked?(name: string, error: Error): void;
  stale?(name: string): void;
  /** An error that passes: the database or the log could not be reached. */
  failed?(error: unknown): void;
}
