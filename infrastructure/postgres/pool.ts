import pg from 'pg';

/** A small pool for the tables beside the log (tokens, checkpoints); an idle connection that breaks is replaced. */
export function createPool(options: {
  readonly url: string;
  readonly name: string;
  readonly connections: number;
  readonly onError: (error: Error) => void;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    application_name: `corebook ${options.name}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  pool.on('error', options.onError);
  return pool;
}

export type Pool = pg.Pool;
