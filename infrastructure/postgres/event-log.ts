import pg from 'pg';
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
import { checkStorable } from '../../application/processor/storable.js';
import { type Pool, createPool } from './pool.js';
import { AppendConnection, type AppendRequest, type AppendedRow, type LogHome } from './append-connection.js';
import { EVENT_COLUMNS, type EventRow, toEvent } from './event-rows.js';

const PAGE = 1_000;
const DEFAULT_BATCH = 500;
const POLL_MS = 50;
const IN_RANGE = `select ${EVENT_COLUMNS} from ledger.events where tenant_id = $1 and revision between $2 and $3`;
/** Planned once: every repeated command reads its first answer this way. */
const READ = { name: 'log-read', text: `${IN_RANGE} order by revision` };
/** Planned each time: what is best depends on the tags. */
const READ_TAGS = { text: `${IN_RANGE} and string_to_array(tags, ' ') && $4::text[] order by revision` };
/** Calls on the wire at once: one being committed, one on its way. */
const CALLS_IN_FLIGHT = 2;
/** Waiting batches of several tenants share a transaction up to this many events. */
const MAX_EVENTS_PER_CALL = 2_000;

interface Pending extends AppendRequest {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The log in table `ledger.events`. Appends go through one pipelined connection, reads through a small pool. The same
 * table holds the copy of a log that is at home in EventStoreDB.
 */
export class PostgresEventLog implements EventLog {
  readonly pipelineDepth = 2;
  readonly #connection: AppendConnection;
  readonly #pool: Pool;
  readonly #home: LogHome;
  #waiting: Pending[] = [];
  #inFlight = 0;
  #closed = false;

  /** With `pool`, reads go through that one, which is closed with the log. */
  constructor(options: { url: string; readers?: number; home?: LogHome; pool?: Pool }) {
    this.#home = options.home ?? 'postgres';
    this.#connection = new AppendConnection(options.url, this.#home);
    // An idle connection that breaks is replaced by the pool; the next query tells when the database is gone.
    this.#pool = options.pool ?? createLogPool(options.url, options.readers);
  }

  append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): Promise<AppendResult> {
    if (events.length === 0) return Promise.reject(new RangeError('an append has at least one event'));
    return new Promise((resolve, reject) => {
      checkStorable(events);
      this.#waiting.push({ tenantId, expectedRevision, events, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#inFlight < CALLS_IN_FLIGHT) {
      let count = 0;
      let weight = 0;
      for (const pending of this.#waiting) {
        if (count > 0 && weight + pending.events.length > MAX_EVENTS_PER_CALL) break;
        weight += pending.events.length;
        count += 1;
      }
      const group = this.#waiting.slice(0, count);
      this.#waiting = this.#waiting.slice(count);
      this.#inFlight += 1;
      void this.#send(group).finally(() => {
        this.#inFlight -= 1;
        this.#pump();
      });
    }
  }

  async #send(group: readonly Pending[]): Promise<void> {
    try {
      const rows = await this.#connection.send(group);
      group.forEach((pending, i) => pending.resolve(resultOf(rows[i] as AppendedRow, pending)));
    } catch (error) {
      if (group.length > 1 && isDatabaseError(error)) {
        // One batch spoiled the transaction: each by itself.
        for (const pending of group) await this.#send([pending]);
        return;
      }
      for (const pending of group) await this.#refused(pending, error);
    }
  }

  async #refused(pending: Pending, error: unknown): Promise<void> {
    try {
      if (isDatabaseError(error) && error.code === '23505' && error.constraint === 'events_key') {
        pending.resolve({ status: 'keys-taken', keyIds: await this.#takenKeys(pending.events) });
      } else if (isDatabaseError(error) && PERMANENT.test(error.code ?? '')) {
        pending.reject(new AppendRejected(error.message, { cause: error }));
      } else {
        pending.reject(error);
      }
    } catch (second) {
      pending.reject(second);
    }
  }

  async #takenKeys(events: readonly SealedEvent[]): Promise<string[]> {
    const keyIds = events.flatMap((event) => (event.keyId === undefined ? [] : [event.keyId]));
    const doubled = keyIds.filter((keyId, i) => keyIds.indexOf(keyId) !== i);
    const { rows } = await this.#pool.query<{ key_id: string }>(
      'select key_id from ledger.events where key_id = any($1::uuid[])',
      [keyIds],
    );
    return [...new Set([...rows.map((row) => row.key_id), ...doubled])];
  }

  async head(tenantId: string): Promise<LogHead> {
    const { rows } = await this.#pool.query<[string, string, string, string]>({
      name: 'log-head',
      text: `select revision, position, encode(hash, 'hex'),
                    to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
               from ledger.log_tenants where tenant_id = $1`,
      values: [tenantId],
      rowMode: 'array',
    });
    const [row] = rows;
    if (row === undefined) return { revision: -1, hash: GENESIS_HASH, recordedAt: '', position: '' };
    const [revision, position, hash, recordedAt] = row;
    return { revision: Number(revision), position, hash, recordedAt };
  }

  async *read(tenantId: string, range: ReadRange = {}): AsyncIterable<StoredEvent> {
    let from = range.from ?? 0;
    const to = range.to ?? (await this.head(tenantId)).revision;
    while (from <= to) {
      const last = Math.min(to, from + PAGE - 1);
      const { rows } = await this.#pool.query<EventRow>({
        ...(range.tags === undefined ? READ : READ_TAGS),
        values: [tenantId, from, last, ...(range.tags === undefined ? [] : [range.tags])],
        rowMode: 'array',
      });
      for (const row of rows) yield toEvent(row);
      from = last + 1;
    }
  }

  async readAll({ after, limit }: { after: string; limit: number }): Promise<StoredEvent[]> {
    const { rows } = await this.#pool.query<EventRow>({
      name: 'log-read-all',
      text: `select ${EVENT_COLUMNS} from ledger.events where position > $1 order by position limit $2`,
      values: [after === '' ? '0' : after, limit],
      rowMode: 'array',
    });
    return rows.map(toEvent);
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
        await pause(POLL_MS, signal);
      }
    }
  }

  async eventsById(tenantId: string, ids: readonly string[]): Promise<StoredEvent[]> {
    const { rows } = await this.#pool.query<EventRow>({
      name: 'log-by-id',
      text: `select ${EVENT_COLUMNS} from ledger.events where id = any($2::uuid[]) and tenant_id = $1`,
      values: [tenantId, ids],
      rowMode: 'array',
    });
    return rows.map(toEvent);
  }

  async eventsByKey(tenantId: string, keyIds: readonly string[]): Promise<StoredEvent[]> {
    const { rows } = await this.#pool.query<EventRow>({
      name: 'log-by-key',
      text: `select ${EVENT_COLUMNS} from ledger.events where key_id = any($2::uuid[]) and tenant_id = $1`,
      values: [tenantId, keyIds],
      rowMode: 'array',
    });
    return rows.map(toEvent);
  }

  async lastPosition(): Promise<string> {
    const { rows } = await this.#pool.query<[string]>({
      name: 'log-last-position',
      text: 'select position from ledger.log_head',
      rowMode: 'array',
    });
    const position = rows[0]?.[0] ?? '0';
    return position === '0' ? '' : position;
  }

  comparePositions(a: string, b: string): number {
    return Number(a === '' ? 0 : a) - Number(b === '' ? 0 : b);
  }

  distance(a: string, b: string): number {
    return this.comparePositions(b, a);
  }

  async tenants(): Promise<string[]> {
    const { rows } = await this.#pool.query<{ tenant_id: string }>(
      'select tenant_id from ledger.log_tenants order by tenant_id',
    );
    return rows.map((row) => row.tenant_id);
  }

  async health(): Promise<LogHealth> {
    const { rows } = await this.#pool.query<[LogHome]>({
      name: 'log-home',
      text: 'select home from ledger.log_head',
      rowMode: 'array',
    });
    const home = rows[0]?.[0];
    return home === this.#home ? { ok: true } : { ok: false, detail: elsewhere(String(home), this.#home) };
  }

  /**
   * Makes this the home of a log in which nothing was written yet. Throws when the log is at home elsewhere: this process
   * has the wrong LOG_URL, or the log is being moved.
   */
  async claim(): Promise<void> {
    const { rows } = await this.#pool.query<[LogHome]>({
      text: 'select ledger.claim_log_home($1)',
      values: [this.#home],
      rowMode: 'array',
    });
    const home = rows[0]?.[0];
    if (home !== this.#home) throw new Error(elsewhere(String(home), this.#home));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#connection.close();
    await this.#pool.end();
  }
}

export function createLogPool(url: string, readers = 6): Pool {
  return createPool({ url, name: 'log', connections: readers, queryTimeoutMs: 10_000, onError: () => undefined });
}

function elsewhere(home: string, wanted: LogHome): string {
  return home.startsWith('moving')
    ? `the log of this database is ${home} now (corebook log copy)`
    : `the log of this database is kept in ${home}, not in ${wanted}: LOG_URL is wrong, or the log was to be moved (corebook log copy)`;
}

/** SQLSTATE classes that say: this data, never. 22 data exception, 23 integrity, 54 limit exceeded. */
const PERMANENT = /^(?:22|23|54)/;

function isDatabaseError(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError;
}

function resultOf(row: AppendedRow, request: AppendRequest): AppendResult {
  if (row.status === 'conflict') return { status: 'conflict', revision: row.revision };
  const { firstPosition } = row;
  return {
    status: 'appended',
    lastRevision: row.revision,
    lastPosition: String(firstPosition + request.events.length - 1),
    positionAt: (index) => String(firstPosition + index),
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
