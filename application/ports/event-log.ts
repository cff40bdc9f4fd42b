import type { DomainEvent, Tag } from '../../domain/shared/event.js';

/**
 * The log: per tenant an ordered, append-only, hash-chained list of events. Adapters: memory, postgres
 * and eventstoredb; all pass tests/contract/event-log.test.ts.
 */

/** An event ready to append: its texts are what is stored and hashed, byte for byte. Made by `seal`. */
export interface SealedEvent {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  /** ISO 8601 UTC with milliseconds; never earlier than the event before it in the tenant. */
  readonly recordedAt: string;
  /** Value date YYYY-MM-DD. */
  readonly effectiveAt: string;
  readonly tags: readonly Tag[];
  readonly dataText: string;
  readonly metaText: string;
  /** SHA-256 (hex) of the previous hash and this event's canonical text. */
  readonly hash: string;
  /** Hash of the event it was sealed upon; 64 zeros for the first. Not stored: the event before it has it. */
  readonly previousHash: string;
  /** Digest (UUID text) of tenant, operation and idempotency key, when this event answers one. */
  readonly keyId?: string;
}

/** Text to text: `actor`, `correlation`, `requestHash`, `commit` … Never personal data. */
export type EventMeta = Readonly<Record<string, string>>;

/** An event as read back, in its newest version, with `data` and `meta` parsed. */
export interface StoredEvent extends DomainEvent {
  readonly tenantId: string;
  /** From 0, without gaps, in this tenant. */
  readonly revision: number;
  /** Order over all tenants; opaque text, compared with `comparePositions` of the same log only. */
  readonly position: string;
  readonly recordedAt: string;
  readonly effectiveAt: string;
  readonly meta: EventMeta;
  readonly hash: string;
  readonly keyId?: string;
  /** The texts that were hashed, for `verify`. */
  readonly dataText: string;
  readonly metaText: string;
  /** Version as stored, before upcasting: the one that was hashed. */
  readonly storedVersion: number;
}

export type AppendResult =
  | {
      readonly status: 'appended';
      readonly lastRevision: number;
      readonly lastPosition: string;
      /** Position of the event at this index of the batch. */
      readonly positionAt: (index: number) => string;
    }
  /**
   * The stream does not end where the batch was sealed. `revision` is where it ends now: the expected one, when another
   * event than the one the batch was decided upon stands there.
   */
  | { readonly status: 'conflict'; readonly revision: number }
  /** Some of the batch's idempotency keys were answered before; nothing was appended. */
  | { readonly status: 'keys-taken'; readonly keyIds: readonly string[] };

/**
 * The log refused this batch for good: nothing was appended and nothing of it ever will be as it stands (a value the
 * storage cannot hold). Any other error of `append` leaves open whether the events were appended.
 */
export class AppendRejected extends Error {
  override readonly name = 'AppendRejected';
}

export interface LogHead {
  /** -1 for an empty log. */
  readonly revision: number;
  /** Hash of the last event; 64 zeros for an empty log. */
  readonly hash: string;
  /** recordedAt of the last event, or '' for an empty log. */
  readonly recordedAt: string;
  /** Position of the last event of this tenant; '' for an empty log. */
  readonly position: string;
}

/** Whether the log can be read and appended to now; `detail` says what is wrong, in words for an operator. */
export interface LogHealth {
  readonly ok: boolean;
  readonly detail?: string;
}

export const GENESIS_HASH = '0'.repeat(64);

export interface ReadRange {
  /** First revision, inclusive; default 0. */
  readonly from?: number;
  /** Last revision, inclusive; default: the end. */
  readonly to?: number;
  /** Only events that carry at least one of these tags. */
  readonly tags?: readonly Tag[];
}

export interface SubscribeOptions {
  /** Start after this position; '' from the beginning. */
  readonly after: string;
  readonly signal: AbortSignal;
  /** Most events in one batch. */
  readonly batchSize?: number;
}

export interface EventLog {
  /**
   * How many appends of one tenant may be under way at once: more than 1 only where appends issued one after another
   * take effect in that order and `previousHash` is checked, so that the one behind a failed one is a conflict even
   * when another writer's events have brought the log to the revision that it expects.
   */
  readonly pipelineDepth: number;
  /**
   * Appends all events or none, durably, if the tenant's log ends at `expectedRevision` (-1: is empty) with the event
   * that the first one was sealed upon. Idempotent by event id: if exactly these events already stand right after
   * `expectedRevision`, answers 'appended' again. Throws `AppendRejected` for what can never be stored, anything else
   * on I/O errors; then it is not known whether the events were appended.
   */
  append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): Promise<AppendResult>;
  head(tenantId: string): Promise<LogHead>;
  /** Events of one tenant in order, fetched in pages: memory stays bounded however long the log. */
  read(tenantId: string, range?: ReadRange): AsyncIterable<StoredEvent>;
  /** Events of all tenants by position, strictly after `after` ('' = from the beginning), at most `limit`. */
  readAll(options: { after: string; limit: number }): Promise<StoredEvent[]>;
  /** Batches in order from `after`, then 'caught-up' each time the end is reached; waits for more. Ends on abort. */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly StoredEvent[] | 'caught-up'>;
  /** Events of this tenant by id, in any order; unknown ids are left out. */
  eventsById(tenantId: string, ids: readonly string[]): Promise<StoredEvent[]>;
  /** Events of this tenant that answered these keys; unknown keys are left out. */
  eventsByKey(tenantId: string, keyIds: readonly string[]): Promise<StoredEvent[]>;
  /** Position of the last event over all tenants; '' when there is none. */
  lastPosition(): Promise<string>;
  /** <0, 0, >0 as a is before, at, after b; '' is before all. */
  comparePositions(a: string, b: string): number;
  /** How many events lie between two positions, for lag; an estimate where positions are not dense. */
  distance(a: string, b: string): number;
  /** Ids of all tenants that have a log. */
  tenants(): Promise<string[]>;
  /** May throw instead of answering `ok: false`, when what is wrong is not known in other words. */
  health(): Promise<LogHealth>;
  close(): Promise<void>;
}
