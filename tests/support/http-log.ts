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

/**
 * The log of a world: in memory; or, with LOG_URL=esdb://…, in streams of its own there, with its copy in a database of
 * its own on the server of TEST_DATABASE_URL, made after that migrated one.
 */
export async function openHttpLog(): Promise<HttpLog> {
  const { LOG_URL, TEST_DATABASE_URL } = process.env;
  if (LOG_URL === undefined) {
    const log = new MemoryEventLog();
    return { log, close: () => log.close() };
  }
  if (TEST_DATABASE_URL === undefined) throw new Error('LOG_URL is set: use npm run test:eventstoredb');
  const name = `world_${randomUUID().replaceAll('-', '')}`;
  const template = new URL(TEST_DATABASE_URL);
  await onServer(template, `create database ${name} template ${template.pathname.slice(1)}`);
  const own = new URL(template);
  own.pathname = `/${name}`;
  const urls = await joinDatabase({ databaseUrl: own.href, dataDir: '', rolePasswords: TEST_ROLES });
  if (urls === undefined) throw new Error('no database');
  const prefix = `corebook_test-${randomUUID()}-`;
  const log = new EventStoreEventLog({ url: LOG_URL, copyUrl: urls.core, readers: 2, prefix });
  await log.open();
  return {
    log,
    async close() {
      await log.close();
      await onServer(template, `drop database ${name} with (force)`);
    },
  };
}

async function onServer(template: URL, statement: string): Promise<void> {
  const server = new URL(template);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
