import pg from 'pg';
import type { StoredEvent } from '../../application/ports/event-log.js';
import type { Turn, Turns } from '../../application/ports/turns.js';
import { bearBrokenClients } from './pool.js';
import { EVENT_COLUMNS, type EventRow, toEvent } from './event-rows.js';

/** Tenants that this process takes turns for at once; with more, some go on without. */
const CONNECTIONS = 8;
/** Longest wait for a turn: far more than a batch of every other process takes. */
const PATIENCE_MS = 500;
/** Who holds a turn and says nothing for so long has stopped: the server ends its session, and the turn with it. */
const SILENCE_MS = 5_000;
const SETTINGS = `-c lock_timeout=${PATIENCE_MS} -c idle_session_timeout=${SILENCE_MS}`;

/** A lock of the session each: first come, first served, and gone with the process that held it. */
const TAKE = { name: 'turn-take', text: `select pg_advisory_lock(hashtextextended('writer of ' || $1, 0))` };
const END = { name: 'turn-end', text: `select pg_advisory_unlock(hashtextextended('writer of ' || $1, 0))` };
/** On the way behind the lock, so that it is answered as soon as that is there: in a snapshot of its own. */
const NEWS = {
  name: 'turn-news',
  text: `select ${EVENT_COLUMNS} from ledger.events where tenant_id = $1 and revision > $2 order by revision limit $3`,
  rowMode: 'array' as const,
};
const MOST_NEWS = 1_000;

/** Turns of writers as advisory locks of PostgreSQL. Connects when the first turn is taken. */
export class PostgresTurns implements Turns {
  readonly #pool: pg.Pool;
  #out = 0;

  constructor(options: { readonly url: string }) {
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: CONNECTIONS,
      application_name: 'corebook turns',
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: 2 * PATIENCE_MS,
      // Sooner than the server would end them.
      idleTimeoutMillis: SILENCE_MS / 2,
      options: SETTINGS,
    });
    // An idle connection that breaks is replaced by the pool.
    this.#pool.on('error', () => undefined);
    bearBrokenClients(this.#pool);
    this.#pool.on('connect', (client) => {
      (client as pg.PoolClient & { pipeline: boolean }).pipeline = true;
    });
  }

  async take(tenantId: string, knownRevision: number): Promise<Turn | undefined> {
    if (this.#out >= CONNECTIONS) return undefined;
    this.#out += 1;
    let client: pg.PoolClient | undefined;
    try {
      client = await this.#pool.connect();
      const taken = client.query({ ...TAKE, values: [tenantId] });
      const told = client.query<EventRow>({ ...NEWS, values: [tenantId, knownRevision, MOST_NEWS] });
      const [lock, news] = await Promise.allSettled([taken, told]);
      if (lock.status === 'rejected') throw lock.reason;
      return this.#turnOn(
        client,
        tenantId,
        news.status === 'fulfilled' && news.value.rows.length < MOST_NEWS ? news.value.rows.map(toEvent) : undefined,
      );
    } catch {
      // The session may have got it after all: it must not keep it.
      this.#done(client, true);
      return undefined;
    }
  }

  #turnOn(client: pg.PoolClient, tenantId: string, news: readonly StoredEvent[] | undefined): Turn {
    return {
      news,
      end: () => {
        client.query({ ...END, values: [tenantId] }).then(
          () => this.#done(client, false),
          () => this.#done(client, true),
        );
      },
    };
  }

  #done(client: pg.PoolClient | undefined, broken: boolean): void {
    this.#out -= 1;
    client?.release(broken);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
