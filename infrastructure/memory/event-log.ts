import {
  AppendRejected,
  type AppendResult,
  type EventLog,
  GENESIS_HASH,
  type LogHead,
  type LogHealth,
  type ReadRange,
  type SealedEvent,
  type StoredEvent,
  type SubscribeOptions,
} from '../../application/ports/event-log.js';
import { type EventRecord, readEvent } from '../../application/processor/read-event.js';
import { checkStorable } from '../../application/processor/storable.js';

const DEFAULT_BATCH = 500;
const PAGE = 1_000;

interface Storage {
  readonly all: EventRecord[];
  readonly byTenant: Map<string, EventRecord[]>;
  readonly byId: Map<string, EventRecord>;
  readonly byKey: Map<string, EventRecord>;
  /** Subscriptions of all processes that wait for more. */
  readonly waiting: Set<() => void>;
}

/**
 * The log in arrays: for unit, property and simulation tests. Behaves as the others do, to the contract suite's letter.
 * Made from another one it is a second process's log on the same storage.
 */
export class MemoryEventLog implements EventLog {
  readonly pipelineDepth = 2;
  readonly #storage: Storage;
  #closed = false;

  constructor(shared?: MemoryEventLog) {
    this.#storage =
      shared === undefined
        ? { all: [], byTenant: new Map(), byId: new Map(), byKey: new Map(), waiting: new Set() }
        : shared.#storage;
  }

  append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): Promise<AppendResult> {
    try {
      return Promise.resolve(this.#append(tenantId, expectedRevision, events));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): AppendResult {
    if (this.#closed) throw new Error('the log is closed');
    if (events.length === 0) throw new RangeError('an append has at least one event');
    const log = this.#storage.byTenant.get(tenantId) ?? [];
    checkStorable(events);
    const last = log.length - 1;
    const head = log[last]?.hash ?? GENESIS_HASH;
    if (last !== expectedRevision || head !== events[0]?.previousHash) {
      const same = events.every((event, i) => log[expectedRevision + 1 + i]?.id === event.id);
      return same ? this.#appended(log, expectedRevision, events.length) : { status: 'conflict', revision: last };
    }
    const keyIds = events.flatMap((event) => (event.keyId === undefined ? [] : [event.keyId]));
    const taken = keyIds.filter((keyId, i) => this.#storage.byKey.has(keyId) || keyIds.indexOf(keyId) !== i);
    if (taken.length > 0) return { status: 'keys-taken', keyIds: taken };
    const ids = new Set(events.map((event) => event.id));
    if (ids.size !== events.length || events.some((event) => this.#storage.byId.has(event.id))) {
      throw new AppendRejected('an event id is in the log already');
    }
    for (const { previousHash: _, ...event } of events) {
      const record: EventRecord = {
        ...event,
        keyId: event.keyId,
        tenantId,
        revision: log.length,
        position: String(this.#storage.all.length + 1),
      };
      log.push(record);
      this.#storage.all.push(record);
      this.#storage.byId.set(record.id, record);
      if (record.keyId !== undefined) this.#storage.byKey.set(record.keyId, record);
    }
    this.#storage.byTenant.set(tenantId, log);
    for (const wake of this.#storage.waiting) wake();
    return this.#appended(log, expectedRevision, events.length);
  }

  #appended(log: readonly EventRecord[], expectedRevision: number, count: number): AppendResult {
    const positionAt = (index: number): string => log[expectedRevision + 1 + index]?.position ?? '';
    return {
      status: 'appended',
      lastRevision: expectedRevision + count,
      lastPosition: positionAt(count - 1),
      positionAt,
    };
  }

  head(tenantId: string): Promise<LogHead> {
    const last = this.#storage.byTenant.get(tenantId)?.at(-1);
    return Promise.resolve(
      last === undefined
        ? { revision: -1, hash: GENESIS_HASH, recordedAt: '', position: '' }
        : { revision: last.revision, hash: last.hash, recordedAt: last.recordedAt, position: last.position },
    );
  }

  async *read(tenantId: string, range: ReadRange = {}): AsyncIterable<StoredEvent> {
    const log = this.#storage.byTenant.get(tenantId) ?? [];
    const to = Math.min(range.to ?? log.length - 1, log.length - 1);
    const { tags } = range;
    for (let revision = range.from ?? 0; revision <= to; revision += 1) {
      const record = log[revision];
      if (record === undefined) continue;
      if (tags !== undefined && !record.tags.some((tag) => tags.includes(tag))) continue;
      if (revision % PAGE === 0) await Promise.resolve();
      yield readEvent(record);
    }
  }

  readAll({ after, limit }: { after: string; limit: number }): Promise<StoredEvent[]> {
    const start = after === '' ? 0 : Number(after);
    return Promise.resolve(this.#storage.all.slice(start, start + limit).map(readEvent));
  }

  async *subscribe(options: SubscribeOptions): AsyncIterable<readonly StoredEvent[] | 'caught-up'> {
    let { after } = options;
    const { signal } = options;
    const limit = options.batchSize ?? DEFAULT_BATCH;
    let caughtUp = false;
    while (!signal.aborted && !this.#closed) {
      const batch = await this.readAll({ after, limit });
      const last = batch.at(-1);
      if (last !== undefined) {
        after = last.position;
        caughtUp = false;
        yield batch;
      } else if (!caughtUp) {
        caughtUp = true;
        yield 'caught-up';
      } else {
        await this.#more(signal, after);
      }
    }
  }

  #more(signal: AbortSignal, after: string): Promise<void> {
    if (this.comparePositions(String(this.#storage.all.length), after === '' ? '0' : after) > 0)
      return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#storage.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#storage.waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  eventsById(tenantId: string, ids: readonly string[]): Promise<StoredEvent[]> {
    return Promise.resolve(this.#find(tenantId, ids, this.#storage.byId));
  }

  eventsByKey(tenantId: string, keyIds: readonly string[]): Promise<StoredEvent[]> {
    return Promise.resolve(this.#find(tenantId, keyIds, this.#storage.byKey));
  }

  #find(tenantId: string, names: readonly string[], index: ReadonlyMap<string, EventRecord>): StoredEvent[] {
    return [...new Set(names)].flatMap((name) => {
      const record = index.get(name);
      return record === undefined || record.tenantId !== tenantId ? [] : [readEvent(record)];
    });
  }

  lastPosition(): Promise<string> {
    return Promise.resolve(this.#storage.all.length === 0 ? '' : String(this.#storage.all.length));
  }

  comparePositions(a: string, b: string): number {
    return Number(a === '' ? 0 : a) - Number(b === '' ? 0 : b);
  }

  distance(a: string, b: string): number {
    return this.comparePositions(b, a);
  }

  tenants(): Promise<string[]> {
    return Promise.resolve([...this.#storage.byTenant.keys()]);
  }

  health(): Promise<LogHealth> {
    return Promise.resolve(this.#closed ? { ok: false, detail: 'the log is closed' } : { ok: true });
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#storage.waiting) wake();
    return Promise.resolve();
  }
}
