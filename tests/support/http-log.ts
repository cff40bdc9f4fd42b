import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { EventLog } from '../../application/ports/event-log.js';
import { EventStoreEventLog } from '../../infrastructure/eventstoredb/event-log.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { joinDatabase } from '../../infrastructure/postgres/database.js';

/** Of the database server that run-on-eventstoredb.ts starts for the copies. */
export const TEST_ROLES = { core: 'core', api: 'api', analyst: 'analyst' } as const;

export interface HttpLog {
  readonly log: EventLog;
  close(): Promise<void>;
}

/** Copies' databases of worlds that were closed, emptied. Gone with the server. */
const free: URL[] = [];

/**
 * The log of a world: in memory; or, with LOG_URL=esdb://…, in streams of its own there, with its copy in a database that
 * no other open world has, on the server of TEST_DATABASE_URL, made after that migrated one.
 */
export async function openHttpLog(): Promise<HttpLog> {
  const { LOG_URL, TEST_DATABASE_URL } = process.env;
  if (LOG_URL === undefined) {
    const log = new MemoryEventLog();
    return { log, close: () => log.close() };
  }
  if (TEST_DATABASE_URL === undefined) throw new Error('LOG_URL is set: use npm run test:eventstoredb');
  const copy = free.pop() ?? (await createCopy(new URL(TEST_DATABASE_URL)));
  const urls = await joinDatabase({ databaseUrl: copy.href, dataDir: '', rolePasswords: TEST_ROLES });
  if (urls === undefined) throw new Error('no database');
  const prefix = `corebook_test-${randomUUID()}-`;
  const log = new EventStoreEventLog({ url: LOG_URL, copyUrl: urls.core, readers: 2, prefix });
  await log.open();
  return {
    log,
    async close() {
      await log.close();
      await sql(copy, EMPTY_THE_LOG);
      free.push(copy);
    },
  };
}

async function createCopy(template: URL): Promise<URL> {
  const name = `world_${randomUUID().replaceAll('-', '')}`;
  const server = new URL(template);
  server.pathname = '/postgres';
  await sql(server, `create database ${name} template ${template.pathname.slice(1)}`);
  const copy = new URL(template);
  copy.pathname = `/${name}`;
  return copy;
}

/** All that a world writes there; made anew, a database would take half a second. */
const EMPTY_THE_LOG = `begin;
  alter table ledger.events disable trigger events_append_only;
  truncate ledger.events, ledger.log_tenants;
  alter table ledger.events enable trigger events_append_only;
  update ledger.log_head set position = 0, home = default;
  commit;`;

async function sql(database: URL, statements: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.href });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}
