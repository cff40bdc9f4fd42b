import pg from 'pg';
import type { SealedEvent } from '../../application/ports/event-log.js';
import { SESSION_SETTINGS } from './session.js';

/**
 * Where the log of this database is kept: in `ledger.events`, or in EventStoreDB with its copy there, or nobody may append
 * but who moves it. An append by a process that thinks otherwise is refused.
 */
export type LogHome = 'postgres' | 'eventstoredb' | 'moving to postgres' | 'moving to eventstoredb';

export interface AppendRequest {
  readonly tenantId: string;
  readonly expectedRevision: number;
  readonly events: readonly SealedEvent[];
}

export interface AppendedRow {
  readonly status: 'appended' | 'conflict';
  readonly revision: number;
  /** Position of the first event; NaN for a conflict. */
  readonly firstPosition: number;
}

const APPEND = {
  name: 'append',
  text: 'select status, revision, first_position from ledger.append_batches($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)',
  rowMode: 'array' as const,
};
/** An append that takes longer has lost its connection: the outcome is open and the caller tries again. */
const APPEND_TIMEOUT_MS = 10_000;

/**
 * The one connection that appends, pipelined: the server works through the calls in the order they were sent while
 * the next ones are on their way. A connection that failed is replaced on the next call.
 */
export class AppendConnection {
  #connecting: Promise<pg.Client> | undefined;
  #closed = false;

  constructor(
    private readonly url: string,
    private readonly home: LogHome,
  ) {}

  async send(requests: readonly AppendRequest[]): Promise<AppendedRow[]> {
    const connecting = this.#connected();
    const client = await connecting;
    try {
      const result = await client.query<[string, string, string | null]>({
        ...APPEND,
        values: parameters(requests, this.home),
      });
      return result.rows.map(([status, revision, position]) => ({
        status: status as AppendedRow['status'],
        revision: Number(revision),
        firstPosition: position === null ? Number.NaN : Number(position),
      }));
    } catch (error) {
      // After anything but a plain refusal the connection's state is open (a time-out, or the server ends it: FATAL).
      if (!(error instanceof pg.DatabaseError) || error.severity === 'FATAL') this.#discard(connecting, client);
      throw error;
    }
  }

  /** Waits for what was sent. */
  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#connecting?.catch(() => undefined);
    this.#connecting = undefined;
    await client?.end();
  }

  #connected(): Promise<pg.Client> {
    if (this.#closed) return Promise.reject(new Error('the log is closed'));
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'corebook append',
      query_timeout: APPEND_TIMEOUT_MS,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      options: SESSION_SETTINGS,
    });
    const connecting = client.connect().then(
      () => {
        (client as pg.Client & { pipeline: boolean }).pipeline = true;
        return client;
      },
      (error: unknown) => {
        this.#discard(connecting, client);
        throw error;
      },
    );
    // A broken connection says so more than once, and perhaps after its successor was opened: let go of this one only.
    client.on('error', () => this.#discard(connecting, client));
    client.on('end', () => this.#discard(connecting, client));
    return connecting;
  }

  #discard(connecting: Promise<pg.Client>, client: pg.Client): void {
    if (this.#connecting === connecting) this.#connecting = undefined;
    void client.end().catch(() => undefined);
  }
}

/** Fourteen texts: lists joined by line feeds, which no element contains. And where the log should be at home. */
function parameters(requests: readonly AppendRequest[], home: LogHome): string[] {
  const [only] = requests;
  const events =
    requests.length === 1 && only !== undefined ? only.events : requests.flatMap((request) => request.events);
  let ids = '';
  let types = '';
  let versions = '';
  let recorded = '';
  let effective = '';
  let tags = '';
  let metas = '';
  let datas = '';
  let hashes = '';
  let keys = '';
  for (let i = 0; i < events.length; i += 1) {
    const event = events[i] as SealedEvent;
    const separator = i === 0 ? '' : '\n';
    ids += separator + event.id;
    types += separator + event.type;
    versions += separator + event.version;
    recorded += separator + event.recordedAt;
    effective += separator + event.effectiveAt;
    tags += separator + event.tags.join(' ');
    metas += separator + event.metaText;
    datas += separator + event.dataText;
    hashes += separator + event.hash;
    keys += separator + (event.keyId ?? '');
  }
  return [
    requests.map((request) => request.tenantId).join('\n'),
    requests.map((request) => request.expectedRevision).join('\n'),
    requests.map((request) => request.events[0]?.previousHash ?? '').join('\n'),
    requests.map((request) => request.events.length).join('\n'),
    ids,
    types,
    versions,
    recorded,
    effective,
    tags,
    metas,
    datas,
    hashes,
    keys,
    home,
  ];
}
