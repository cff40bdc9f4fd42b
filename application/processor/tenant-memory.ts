import { aggregateOf, evolveTag } from '../../domain/aggregates.js';
import type { KeyAnswer } from '../../domain/shared/decider.js';
import type { DomainEvent, Tag } from '../../domain/shared/event.js';
import { Overloaded, Unavailable } from '../commands.js';
import type { EventLog, LogHead, StoredEvent } from '../ports/event-log.js';
import type { StateStore } from '../ports/state-store.js';
import { AggregateCache, RecentMap } from './aggregate-cache.js';
import { answerOf } from './recall.js';

/** Events folded at once. */
const PAGE = 1_000;
/** A writer that is further behind than this starts from the stored states instead of folding its way up. */
const MAX_CATCH_UP = 10_000;

export interface MemoryOptions {
  readonly maxCachedAggregates: number;
  readonly maxRecentKeys: number;
  readonly maxOpenTail: number;
}

/**
 * What a tenant's writer knows: the states of aggregates, all of them as of the same revision, what keys answered, and
 * events that deciders asked for. An aggregate that is not here is complete in its stored row (see `AggregateCache`).
 */
export class TenantMemory {
  readonly states: AggregateCache;
  readonly keys: RecentMap<string, KeyAnswer>;
  /** Events that deciders asked for by id (originals of reversals); null: known to be absent for this batch. */
  readonly events = new Map<string, DomainEvent | null>();

  constructor(
    private readonly tenantId: string,
    private readonly ports: { readonly log: EventLog; readonly states: StateStore },
    private readonly options: MemoryOptions,
  ) {
    this.states = new AggregateCache(options.maxCachedAggregates);
    this.keys = new RecentMap(options.maxRecentKeys);
  }

  /** Begins anew: folds what stored states do not hold yet, so that a cold aggregate is one query away. */
  async open(): Promise<LogHead> {
    const head = await this.ports.log.head(this.tenantId);
    const { revision } = await this.ports.states.load(this.tenantId, []);
    this.states.restart(revision);
    this.keys.clear();
    this.events.clear();
    if (head.revision - revision > this.options.maxOpenTail) {
      throw new Unavailable(`stored states are ${head.revision - revision} events behind the log`);
    }
    await this.#foldTail(revision + 1, head.revision);
    return head;
  }

  /** Folds in what others appended after `known`; undefined when it is better, or needed, to open anew. */
  async catchUp(known: number): Promise<LogHead | undefined> {
    const head = await this.ports.log.head(this.tenantId);
    if (head.revision < known || head.revision - known > MAX_CATCH_UP) return undefined;
    await this.#foldTail(known + 1, head.revision);
    return head;
  }

  /** Folds in events that follow `known`; answers where the log ends with them. */
  async take(known: LogHead, news: readonly StoredEvent[]): Promise<LogHead> {
    const last = news.at(-1);
    if (last === undefined) return known;
    await this.#foldPage(news);
    return { revision: last.revision, hash: last.hash, recordedAt: last.recordedAt, position: last.position };
  }

  /** Loads states, all in one query. */
  async load(tags: readonly Tag[]): Promise<void> {
    const { revision, states } = await this.ports.states.load(this.tenantId, tags);
    const complete = this.states.checkpoint;
    for (const tag of tags) {
      const found = aggregateOf(tag);
      if (found === undefined) continue;
      const stored = states.get(tag);
      const state =
        stored === undefined ? found.aggregate.initial(found.id) : found.aggregate.fromJson(stored as never);
      this.states.set(tag, state, revision);
    }
    // Stored states went back (a rebuild, a lagging replica): what they held before is read from the log.
    if (revision < complete && tags.length > 0) {
      for await (const event of this.ports.log.read(this.tenantId, { from: revision + 1, to: complete, tags })) {
        this.#fold(event);
      }
    }
    this.states.advanceCheckpoint(revision);
  }

  async loadEvents(ids: readonly string[]): Promise<void> {
    const found = await this.ports.log.eventsById(this.tenantId, ids);
    for (const id of ids) this.events.set(id, null);
    for (const event of found) this.events.set(event.id, event);
  }

  /** Looks up in the log what these keys answered; answers whether any of them did. */
  async learn(keyIds: readonly string[]): Promise<boolean> {
    const found = await this.ports.log.eventsByKey(this.tenantId, keyIds);
    for (const event of found) if (event.keyId !== undefined) this.keys.set(event.keyId, answerOf(event));
    return found.length > 0;
  }

  /** Throws `Overloaded` when stored states lag so far behind that memory would grow without bound. */
  async makeRoom(): Promise<void> {
    if (this.states.makeRoom()) return;
    await this.load([]);
    if (!this.states.makeRoom()) throw new Overloaded(5);
  }

  async #foldTail(from: number, to: number): Promise<void> {
    if (to < from) return;
    const page: StoredEvent[] = [];
    for await (const event of this.ports.log.read(this.tenantId, { from, to })) {
      page.push(event);
      if (page.length >= PAGE) await this.#foldPage(page.splice(0));
    }
    await this.#foldPage(page);
  }

  async #foldPage(events: readonly StoredEvent[]): Promise<void> {
    const absent = new Set<Tag>();
    for (const event of events) {
      for (const tag of event.tags) if (!this.states.has(tag) && aggregateOf(tag) !== undefined) absent.add(tag);
    }
    if (absent.size > 0) await this.load([...absent]);
    for (const event of events) {
      this.#fold(event);
      if (event.keyId !== undefined) this.keys.set(event.keyId, answerOf(event));
    }
  }

  /** Takes an event into the states that are here, each once. */
  #fold(event: StoredEvent): void {
    for (const tag of event.tags) {
      const entry = this.states.get(tag);
      if (entry === undefined || event.revision <= entry.touched) continue;
      entry.state = evolveTag(tag, entry.state, event);
      entry.touched = event.revision;
    }
  }
}
