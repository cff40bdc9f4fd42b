import type { Clock, IdSource } from '../ports/clock.js';
import type { EventLog, StoredEvent } from '../ports/event-log.js';
import type { Relay } from '../ports/relay.js';
import type { StateStore } from '../ports/state-store.js';
import type { Turns } from '../ports/turns.js';

export interface ProcessorOptions {
  /** Commands that may wait for one tenant; one more is refused with `Overloaded`. */
  readonly maxQueue: number;
  /** Commands and events of one append. */
  readonly maxBatchCommands: number;
  readonly maxBatchEvents: number;
  /** Aggregates kept in memory per tenant. */
  readonly maxCachedAggregates: number;
  /** Keys remembered per tenant; older ones are found in the log. */
  readonly maxRecentKeys: number;
  /** Rounds of conflict before the callers get `Unavailable`. */
  readonly maxConflictRounds: number;
  /** Times the same append is tried again after an error that leaves its outcome open. */
  readonly maxAppendRetries: number;
  /** No further try after this long: callers are told sooner than they lose patience. */
  readonly maxAppendRetryMs: number;
  /** Events after the stored states' checkpoint that are folded when a tenant is opened. */
  readonly maxOpenTail: number;
  /** With an append under way the next batch is sent beside it only if it has this many commands or instructions. */
  readonly pipelineWorth: number;
}

export const DEFAULT_PROCESSOR_OPTIONS: ProcessorOptions = {
  maxQueue: 10_000,
  maxBatchCommands: 512,
  maxBatchEvents: 1_024,
  maxCachedAggregates: 200_000,
  maxRecentKeys: 200_000,
  maxConflictRounds: 30,
  maxAppendRetries: 6,
  maxAppendRetryMs: 10_000,
  maxOpenTail: 500_000,
  pipelineWorth: 64,
};

/** What the processor tells about itself: for metrics. All members are called on the hot path: keep them cheap. */
export interface ProcessorObserver {
  batch(commands: number, events: number): void;
  conflict(): void;
  committed(events: readonly StoredEvent[]): void;
  /** The log could not be written, or did not say so. */
  appendFailed?(): void;
}

export interface ProcessorPorts {
  readonly log: EventLog;
  readonly states: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly observer?: ProcessorObserver;
  /** How processes that write to the same tenant share it (see `Sharing`); unset: they meet in conflicts. */
  readonly relay?: Relay;
  readonly turns?: Turns;
}
