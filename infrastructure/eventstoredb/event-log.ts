import {
  AppendRejected,
  type AppendResult,
  type EventLog,
  type LogHead,
  type LogHealth,
  type ReadRange,
  type SealedEvent,
  type StoredEvent,
  type SubscribeOptions,
} from '../../application/ports/event-log.js';
import type { LogHome } from '../postgres/append-connection.js';
import { PostgresEventLog, createLogPool } from '../postgres/event-log.js';
import { EventStoreConnection } from './connection.js';
import { fromRecorded, hashOf, toEventData } from './event-body.js';
import { LogDiverged, LogUnavailable } from './failures.js';
import { LogCopy, type Standing } from './log-copy.js';
import { checkCopyable } from './storable.js';

/** Is never written: reading it asks the server whether it answers us. */
const HEALTH_STREAM = 'corebook_health';
const PAGE = 500;

export interface EventStoreLogOptions {
  /** `esdb://…`. */
  readonly url: string;
  /** The PostgreSQL that holds the copy, as the role that appends. */
  readonly copyUrl: string;
  readonly readers?: number;
  /** Before the tenants' ids in the names of streams: an installation's own corner of a shared server. */
  readonly prefix: string;
  /** Who moves the log back copies what is missing; nobody can append then. */
  readonly home?: LogHome;
}

/**
 * The log in EventStoreDB, one stream a tenant, with its copy in `ledger.events` (ADR 0017). EventStoreDB decides whether
 * an append takes place; the copy gives positions and answers every other question. An append is acknowledged when both
 * have it. What a crash leaves out of the copy is copied by whoever asks for that tenant's end next, or by the follower.
 */
export class EventStoreEventLog implements EventLog {
  readonly pipelineDepth = 2;
  readonly connection: EventStoreConnection;
  readonly copy: LogCopy;
  readonly prefix: string;
  readonly #events: PostgresEventLog;
  /** Last revisions of tenants' logs when this process last knew; events up to there are in the copy. */
  readonly #ends = new Map<string, number>();
  /** The last append of each tenant that is under way: appends of one tenant take their turns. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #closed = false;

  constructor(options: EventStoreLogOptions) {
    const { url, copyUrl, readers } = options;
    this.prefix = options.prefix;
    this.connection = new EventStoreConnection(url);
    const pool = createLogPool(copyUrl, readers);
    this.copy = new LogCopy(pool);
    this.#events = new PostgresEventLog({ url: copyUrl, home: options.home ?? 'eventstoredb', pool });
  }

  /** Throws when the database's log is at home elsewhere, `LogUnavailable` when the server does not serve us. */
  async open(): Promise<void> {
    await this.#events.claim();
    await this.connection.check(this.prefix + HEALTH_STREAM);
  }

  append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): Promise<AppendResult> {
    const work = async (): Promise<AppendResult> => {
      if (this.#closed) throw new Error('the log is closed');
      if (events.length === 0) throw new RangeError('an append has at least one event');
      checkCopyable(events);
      return this.#append(tenantId, expectedRevision, events);
    };
    const before = this.#turns.get(tenantId);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#turns.set(tenantId, turn);
    const done = (): void => {
      if (this.#turns.get(tenantId) === turn) this.#turns.delete(tenantId);
    };
    turn.then(done, done);
    return turn;
  }

  async #append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): Promise<AppendResult> {
    let standing = await this.copy.standing(tenantId, expectedRevision, events);
    if (!standing.reaches) {
      const end = await this.#catchUp(tenantId);
      standing = await this.copy.standing(tenantId, expectedRevision, events);
      if (!standing.reaches) return this.#late(tenantId, end, expectedRevision, events);
    }
    // If EventStoreDB's stream ends where the copy was just seen to reach, no other key or id can be taken.
    const taken = takenKeys(standing, events);
    const stream = this.prefix + tenantId;
    if (taken.length > 0 || standing.ids.length > 0) {
      const end = await this.#catchUp(tenantId);
      if (end.revision !== expectedRevision) return this.#late(tenantId, end, expectedRevision, events);
      if (taken.length > 0) return { status: 'keys-taken', keyIds: taken };
      throw new AppendRejected('an event id is in the log already');
    }
    const sent = await this.connection.append(stream, expectedRevision, events.map(toEventData));
    if (sent === 'too-large') {
      throw new AppendRejected('the append is larger than the event store takes (MaxAppendSize)');
    }
    if (sent === 'conflict') {
      const end = await this.#catchUp(tenantId);
      // It contradicts itself, and an earlier try of this very batch may still be on its way: no conflict is certain
      // before another event stands there, and what is not certain is tried again, not decided again.
      if (end.revision === expectedRevision && end.hash === events[0]?.previousHash) {
        throw new LogUnavailable(
          'no-leader',
          `EventStoreDB refuses revision ${expectedRevision}@${stream}, where it ends`,
        );
      }
      return this.#late(tenantId, end, expectedRevision, events);
    }
    const result = await this.#events.append(tenantId, expectedRevision, events);
    if (result.status !== 'appended') throw new LogDiverged(`the copy refuses what is in ${stream}: ${result.status}`);
    this.#ends.set(tenantId, result.lastRevision);
    return result;
  }

  /** The log does not end where the batch was sealed: a conflict, or exactly its events stand there already. */
  async #late(
    tenantId: string,
    end: LogHead,
    expectedRevision: number,
    events: readonly SealedEvent[],
  ): Promise<AppendResult> {
    // Never asked to append at its very end: what the event store has refused, the copy must not take.
    if (end.revision <= expectedRevision) return { status: 'conflict', revision: end.revision };
    return this.#events.append(tenantId, expectedRevision, events);
  }

  /** Copies what the tenant's stream has and the copy has not; answers where both end. */
  async catchUp(tenantId: string): Promise<void> {
    await this.#catchUp(tenantId);
  }

  async #catchUp(tenantId: string): Promise<LogHead> {
    const stream = this.prefix + tenantId;
    // In this order: the copy may grow in between, the stream is then longer still.
    let end = await this.#events.head(tenantId);
    const last = await this.connection.last(stream);
    const lastRevision = last === undefined ? -1 : Number(last.revision);
    if (lastRevision < end.revision) {
      throw new LogDiverged(`${stream} ends at ${lastRevision}, its copy at ${end.revision}`);
    }
    if (last !== undefined && lastRevision === end.revision && hashOf(last) !== end.hash) {
      throw new LogDiverged(`another event stands at ${lastRevision}@${stream} than in its copy`);
    }
    while (end.revision < lastRevision) end = await this.#copyPage(tenantId, end);
    this.#ends.set(tenantId, end.revision);
    return end;
  }

  /** Copies the events after `end`; answers the copy's end then, which others may have moved on. */
  async #copyPage(tenantId: string, end: LogHead): Promise<LogHead> {
    let { hash } = end;
    const page = (await this.connection.page(this.prefix + tenantId, end.revision + 1, PAGE)).map((recorded) => {
      const event = fromRecorded(tenantId, hash, recorded);
      ({ hash } = event);
      return event;
    });
    if (page.length === 0) throw new LogDiverged(`${this.prefix}${tenantId} became shorter than ${end.revision}`);
    const result = await this.#events.append(tenantId, end.revision, page);
    const now = await this.#events.head(tenantId);
    if (result.status === 'keys-taken' || now.revision <= end.revision) {
      throw new LogDiverged(
        `the copy refuses what follows ${end.revision}@${this.prefix}${tenantId}: ${result.status}`,
      );
    }
    return now;
  }

  head(tenantId: string): Promise<LogHead> {
    return this.#catchUp(tenantId);
  }

  async *read(tenantId: string, range: ReadRange = {}): AsyncIterable<StoredEvent> {
    const known = this.#ends.get(tenantId) ?? -1;
    if (range.to === undefined || range.to > known) await this.#catchUp(tenantId);
    yield* this.#events.read(tenantId, range);
  }

  readAll(options: { after: string; limit: number }): Promise<StoredEvent[]> {
    return this.#events.readAll(options);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly StoredEvent[] | 'caught-up'> {
    return this.#events.subscribe(options);
  }

  eventsById(tenantId: string, ids: readonly string[]): Promise<StoredEvent[]> {
    return this.#events.eventsById(tenantId, ids);
  }

  eventsByKey(tenantId: string, keyIds: readonly string[]): Promise<StoredEvent[]> {
    return this.#events.eventsByKey(tenantId, keyIds);
  }

  lastPosition(): Promise<string> {
    return this.#events.lastPosition();
  }

  comparePositions(a: string, b: string): number {
    return this.#events.comparePositions(a, b);
  }

  distance(a: string, b: string): number {
    return this.#events.distance(a, b);
  }

  tenants(): Promise<string[]> {
    return this.#events.tenants();
  }

  async health(): Promise<LogHealth> {
    const copy = await this.#events.health();
    if (!copy.ok) return copy;
    try {
      await this.connection.check(this.prefix + HEALTH_STREAM);
      return { ok: true };
    } catch (error) {
      if (error instanceof LogUnavailable) return { ok: false, detail: error.message };
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#turns.values());
    await this.connection.close();
    await this.#events.close();
  }
}

function takenKeys(standing: Standing, events: readonly SealedEvent[]): string[] {
  const keyIds = events.flatMap((event) => (event.keyId === undefined ? [] : [event.keyId]));
  const doubled = keyIds.filter((keyId, i) => keyIds.indexOf(keyId) !== i);
  return [...new Set([...standing.keyIds, ...doubled])];
}
