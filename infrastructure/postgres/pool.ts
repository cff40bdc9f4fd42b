import pg from 'pg';
import { SESSION_SETTINGS } from './session.js';

/** A small pool; an idle connection that breaks is replaced. */
export function createPool(options: {
  readonly url: string;
  readonly name: string;
  readonly connections: number;
  /** Default 15 s. */
  readonly queryTimeoutMs?: number;
  readonly onError: (error: Error) => void;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    application_name: `corebook ${options.name}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: options.queryTimeoutMs ?? 15_000,
    options: SESSION_SETTINGS,
  });
  pool.on('error', options.onError);
  bearBrokenClients(pool);
  return pool;
}

/**
 * For pools whose clients are taken out: the pool hears their errors only while they are idle, and a client that breaks
 * in somebody's hands would end the process. Whoever holds it is told by his query.
 */
export function bearBrokenClients(pool: pg.Pool): void {
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
}

export type Pool = pg.Pool;
