import {
  type AppendResult,
  type EventLog,
  GENESIS_HASH,
  type LogHead,
  type ReadRange,
  type SealedEvent,
  type StoredEvent,
  type SubscribeOptions,
} from '../../application/ports/event-log.js';
import { type EventRecord, readEvent } from '../../application/processor/read-event.js';

const DEFAULT_BATCH = 500;
const PAGE = 1_000;

/** The log in arrays: for unit, property and simulation tests. Behaves as the others do, to the contract suite's letter. */
export class MemoryEventLog implements EventLog {
  readonly pipelineDepth = 2;
  readonly #all: EventRecord[] = [];
  readonly #byTenant = new Map<string, EventRecord[]>();
  readonly #byId = new Map<string, EventRecord>();
  readonly #byKey = new Map<string, EventRecord>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

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
    const log = this.#byTenant.get(tenantId) ?? [];
    const last = log.length - 1;
    if (last !== expectedRevision) {
      const same = events.every((event, i) => log[expectedRevision + 1 + i]?.id === event.id);
      return same ? this.#appended(log, expectedRevision, events.length) : { status: 'conflict', revision: last };
    }
    const keyIds = events.flatMap((event) => (event.keyId === undefined ? [] : [event.keyId]));
    const taken = keyIds.filter((keyId, i) => this.#byKey.has(keyId) || keyIds.indexOf(keyId) !== i);
    if (taken.length > 0) return { status: 'keys-taken', keyIds: taken };
    for (const event of events) if (this.#byId.has(event.id)) throw new Error(`event ${event.id} is in the log already`);
    for (const event of events) {
      const record: EventRecord = {
        ...event,
        keyId: event.keyId,
        tenantId,
        revision: log.length,
        position: String(this.#all.length + 1),
      };
      log.push(record);
      this.#all.push(record);
      this.#byId.set(record.id, record);
      if (record.keyId !== undefined) this.#byKey.set(record.keyId, record);
    }
    this.#byTenant.set(tenantId, log);
    for (const wake of this.#waiting) wake();
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
    const last = this.#byTenant.get(tenantId)?.at(-1);
    return Promise.resolve(
      last === undefined
        ? { revision: -1, hash: GENESIS_HASH, recordedAt: '', position: '' }
        : { revision: last.revision, hash: last.hash, recordedAt: last.recordedAt, position: last.position },
    );
  }

  async *read(tenantId: string, range: ReadRange = {}): AsyncIterable<StoredEvent> {
    const log = this.#byTenant.get(tenantId) ?? [];
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
    return Promise.resolve(this.#all.slice(start, start + limit).map(readEvent));
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
    if (this.comparePositions(String(this.#all.length), after === '' ? '0' : after) > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  eventsById(tenantId: string, ids: readonly string[]): Promise<StoredEvent[]> {
    return Promise.resolve(this.#find(tenantId, ids, this.#byId));
  }

  eventsByKey(tenantId: string, keyIds: readonly string[]): Promise<StoredEvent[]> {
    return Promise.resolve(this.#find(tenantId, keyIds, this.#byKey));
  }

  #find(tenantId: string, names: readonly string[], index: ReadonlyMap<string, EventRecord>): StoredEvent[] {
    return [...new Set(names)].flatMap((name) => {
      const record = index.get(name);
      return record === undefined || record.tenantId !== tenantId ? [] : [readEvent(record)];
    });
  }

  lastPosition(): Promise<string> {
    return Promise.resolve(this.#all.length === 0 ? '' : String(this.#all.length));
  }

  comparePositions(a: string, b: string): number {
    return Number(a === '' ? 0 : a) - Number(b === '' ? 0 : b);
  }

  distance(a: string, b: string): number {
    return this.comparePositions(b, a);
  }

  tenants(): Promise<string[]> {
    return Promise.resolve([...this.#byTenant.keys()]);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
    return Promise.resolve();
  }
}
