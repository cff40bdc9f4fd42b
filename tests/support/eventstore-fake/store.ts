/**
 * What a fake EventStoreDB holds: streams and the log of all of them, in memory, shared by the nodes of a cluster and
 * kept while they are stopped. Its rules of expected revisions and idempotency are the server's own.
 */
import { randomUUID } from 'node:crypto';
import { Bell } from './bell.js';
import { Journal } from './journal.js';

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

export interface StoredEvent extends ProposedEvent {
  readonly stream: string;
  readonly revision: bigint;
  /** Commit and prepare position in one: the server gives both the same value for an event that was simply appended. */
  readonly position: bigint;
  /** In ticks of 100 ns since 1970, as text. */
  readonly created: string;
}

export type Expected = bigint | 'any' | 'no-stream' | 'stream-exists';

/** `current` and `revision` are -1 when there is no such stream. `position` is missing when nothing was written. */
export type Appended =
  | { readonly outcome: 'appended'; readonly revision: bigint; readonly position: bigint | undefined }
  | { readonly outcome: 'wrong-version'; readonly current: bigint }
  | { readonly outcome: 'deleted' };

const NO_STREAM = -1n;
const DELETED = 9223372036854775807n;
/** The log of a server does not begin with our events either. */
const FIRST_POSITION = 1_024n;
const RECORD_OVERHEAD = 96;
const TICKS_PER_MS = 10_000n;

export const metastreamOf = (stream: string): string => `$$${stream}`;

export class FakeStore {
  /** Rings at every append. */
  readonly bell = new Bell();
  readonly #log: StoredEvent[] = [];
  readonly #streams = new Map<string, StoredEvent[]>();
  readonly #byId = new Map<string, StoredEvent>();
  readonly #tombstoned = new Set<string>();
  readonly #journal: Journal | undefined;
  #nextPosition = FIRST_POSITION;

  /** `file`: keep everything there too, and begin with what it holds. */
  constructor(file?: string) {
    if (file === undefined) return;
    const { journal, appends } = Journal.open(file);
    this.#journal = journal;
    for (const events of appends) this.#keep(events);
  }

  /** Everything, as `$all` has it. */
  log(): readonly StoredEvent[] {
    return this.#log;
  }

  /** Where in the log the first event at or after the position is; the length of the log when there is none. */
  indexAt(position: bigint): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle]?.position ?? 0n) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** All events ever appended to the stream, also those a delete hides. */
  events(stream: string): readonly StoredEvent[] {
    return this.#streams.get(stream) ?? [];
  }

  /** The revision of the last event, -1 without one. */
  revision(stream: string): bigint {
    return this.events(stream).at(-1)?.revision ?? NO_STREAM;
  }

  isTombstoned(stream: string): boolean {
    return this.#tombstoned.has(stream);
  }

  isSoftDeleted(stream: string): boolean {
    return this.truncatedBefore(stream) === DELETED;
  }

  /** Events before this revision are hidden from readers of the stream ($tb of its metadata). */
  truncatedBefore(stream: string): bigint {
    const metadata = this.events(metastreamOf(stream)).at(-1)?.data.toString('utf8');
    const [, digits = '0'] = /"\$tb"\s*:\s*(\d+)/.exec(metadata ?? '') ?? [];
    return BigInt(digits);
  }

  append(stream: string, expected: Expected, events: readonly ProposedEvent[]): Appended {
    const decision = this.#check(stream, expected, events);
    if (decision !== 'ok') return decision;
    const current = this.revision(stream);
    if (events.length === 0) return { outcome: 'appended', revision: current, position: undefined };
    const revived = this.isSoftDeleted(stream) ? [this.#truncation(stream, current + 1n)] : [];
    const written = events.map((event, index) => this.#record(stream, current + 1n + BigInt(index), event));
    this.#write([...revived, ...written]);
    const last = written.at(-1);
    return { outcome: 'appended', revision: current + BigInt(events.length), position: last?.position };
  }

  /** Hides the events of the stream; it goes on with the next revision when somebody appends again. */
  softDelete(stream: string, expected: Expected): Appended {
    const decision = this.#check(stream, expected, []);
    if (decision !== 'ok') return decision;
    const deletion = this.#truncation(stream, DELETED);
    this.#write([deletion]);
    return { outcome: 'appended', revision: this.revision(stream), position: deletion.position };
  }

  /** Ends the stream for good. */
  tombstone(stream: string, expected: Expected): Appended {
    const decision = this.#check(stream, expected, []);
    if (decision !== 'ok') return decision;
    const tombstone = this.#record(stream, DELETED, systemEvent('$streamDeleted', ''));
    this.#write([tombstone]);
    return { outcome: 'appended', revision: DELETED, position: tombstone.position };
  }

  close(): void {
    this.#journal?.close();
  }

  #check(stream: string, expected: Expected, events: readonly ProposedEvent[]): Appended | 'ok' {
    if (this.#tombstoned.has(stream)) return { outcome: 'deleted' };
    const current = this.revision(stream);
    const wrong = { outcome: 'wrong-version', current } as const;
    if (expected === 'stream-exists') {
      if (this.isSoftDeleted(stream)) return { outcome: 'deleted' };
      if (current < 0n && this.revision(metastreamOf(stream)) < 0n) return wrong;
    }
    if (expected === 'any' || expected === 'stream-exists') return this.#checkAny(stream, events, wrong);
    const revision = expected === 'no-stream' ? NO_STREAM : expected;
    if (revision > current) return wrong;
    if (revision === current) return 'ok';
    return this.#checkRepeated(stream, revision, events, wrong);
  }

  /** Without a revision an append is a repetition when its ids are in the stream, wherever; half of them is an error. */
  #checkAny(stream: string, events: readonly ProposedEvent[], wrong: Appended): Appended | 'ok' {
    let repeated: StoredEvent | undefined;
    for (const [index, { id }] of events.entries()) {
      const known = this.#byId.get(id);
      if (known?.stream !== stream) return index === 0 ? 'ok' : wrong;
      repeated = known;
    }
    return repeated === undefined ? 'ok' : answered(repeated);
  }

  /** An append behind the end is a repetition when exactly its ids follow the expected revision. */
  #checkRepeated(stream: string, expected: bigint, events: readonly ProposedEvent[], wrong: Appended): Appended | 'ok' {
    const existing = this.events(stream);
    let repeated: StoredEvent | undefined;
    for (const [index, { id }] of events.entries()) {
      const known = existing[Number(expected) + 1 + index];
      if (known?.id !== id) {
        return index === 0 && expected === NO_STREAM && this.isSoftDeleted(stream) ? 'ok' : wrong;
      }
      repeated = known;
    }
    if (repeated !== undefined) return answered(repeated);
    return expected === NO_STREAM && this.isSoftDeleted(stream) ? 'ok' : wrong;
  }

  #truncation(stream: string, before: bigint): StoredEvent {
    const metastream = metastreamOf(stream);
    const event = systemEvent('$metadata', `{"$tb":${before}}`);
    return this.#record(metastream, this.revision(metastream) + 1n, event);
  }

  #record(stream: string, revision: bigint, event: ProposedEvent): StoredEvent {
    const position = this.#nextPosition;
    this.#nextPosition += BigInt(RECORD_OVERHEAD + event.data.length + event.metadata.length);
    const created = `${BigInt(Date.now()) * TICKS_PER_MS}`;
    return { ...event, stream, revision, position, created };
  }

  #write(events: readonly StoredEvent[]): void {
    this.#journal?.write(events);
    this.#keep(events);
    this.bell.ring();
  }

  #keep(events: readonly StoredEvent[]): void {
    for (const event of events) {
      this.#log.push(event);
      this.#nextPosition = event.position + BigInt(RECORD_OVERHEAD + event.data.length + event.metadata.length);
      if (event.revision === DELETED) {
        this.#tombstoned.add(event.stream);
        continue;
      }
      this.#byId.set(event.id, event);
      const stream = this.#streams.get(event.stream);
      if (stream === undefined) this.#streams.set(event.stream, [event]);
      else stream.push(event);
    }
  }
}

const answered = ({ revision, position }: StoredEvent): Appended => ({ outcome: 'appended', revision, position });

function systemEvent(type: string, json: string): ProposedEvent {
  const contentType = 'application/json';
  return { id: randomUUID(), type, contentType, data: Buffer.from(json), metadata: Buffer.alloc(0) };
}
