import pg from 'pg';
import { RAW_TYPES } from './raw-rows.js';
import type { Statement } from './read-store-sql.js';
import { SESSION_SETTINGS } from './session.js';

/**
 * Rows and checkpoint are in one transaction, so a commit that a crash takes back is projected again: commits do not wait
 * for the disk (unless the projection is `durable`). Plans are made once: the statements find rows by key, however small the table was then.
 */
const SETTINGS = [
  'synchronous_commit=off',
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
]
  .map((setting) => `-c ${setting}`)
  .concat(SESSION_SETTINGS)
  .join(' ');

type Row = Record<string, string | null>;

/** The connection that writes read models, pipelined: a batch's transaction is one round trip. Replaced when it breaks. */
export class ProjectorConnection {
  #client: Promise<pg.Client> | undefined;
  #closed = false;

  constructor(
    private readonly url: string,
    private readonly timeoutMs: number,
  ) {}

  /** Runs statements one after another in a transaction; throws the error of the first that failed. */
  async transaction(statements: readonly Statement[]): Promise<void> {
    const client = await this.#connected();
    const settled = await Promise.allSettled([
      client.query('BEGIN'),
      ...statements.map((statement) => client.query(asQuery(statement))),
      client.query('COMMIT'),
    ]);
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    if (!(failed.reason instanceof pg.DatabaseError)) this.#drop();
    throw failed.reason;
  }

  async rows(statement: Statement): Promise<Row[]> {
    const client = await this.#connected();
    try {
      return (await client.query<Row>({ ...asQuery(statement), types: RAW_TYPES })).rows;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) this.#drop();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end();
  }

  #connected(): Promise<pg.Client> {
    if (this.#closed) return Promise.reject(new Error('the read store is closed'));
    if (this.#client === undefined) {
      const own: Promise<pg.Client> = this.#connect(() => {
        if (this.#client === own) this.#client = undefined;
      });
      this.#client = own;
    }
    return this.#client;
  }

  async #connect(forget: () => void): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'corebook projector',
      options: SETTINGS,
      query_timeout: this.timeoutMs,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('error', forget);
    client.on('end', forget);
    try {
      await client.connect();
    } catch (error) {
      forget();
      throw error;
    }
    (client as pg.Client & { pipeline: boolean }).pipeline = true;
    return client;
  }

  /** A connection whose state is open is not used again. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    void client?.then((connected) => connected.end()).catch(() => undefined);
  }
}

function asQuery({ name, text, values }: Statement): pg.QueryConfig {
  return { name, text, values: [...values] };
}
