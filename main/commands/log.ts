import { createLogger } from '../../http/logging.js';
import { moveLog } from '../../infrastructure/eventstoredb/move-log.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { type Config, readConfig } from '../config.js';
import { EXIT, Failure, print, progressBar } from './run.js';

const HOMES: Readonly<Record<string, 'postgres' | 'eventstoredb'>> = {
  postgres: 'postgres',
  esdb: 'eventstoredb',
  eventstoredb: 'eventstoredb',
};

/** Moves the log between PostgreSQL and EventStoreDB; what was interrupted goes on. */
export async function copyLogCommand(given: {
  from: string;
  to: string;
  url?: string;
  force: boolean;
  repair: boolean;
  json: boolean;
}): Promise<void> {
  const [from, to] = [HOMES[given.from], HOMES[given.to]];
  if (from === undefined || to === undefined || from === to) {
    throw new Failure('--from and --to are postgres and esdb, one each', EXIT.usage);
  }
  const config = readConfig();
  const eventStoreUrl = given.url ?? config.LOG_URL;
  if (!eventStoreUrl?.startsWith('esdb')) {
    throw new Failure('which event store? Give --url esdb://… or set LOG_URL', EXIT.usage);
  }
  const bar = progressBar('moving', given.json);
  const database = await openDatabaseOf(config);
  try {
    const report = await moveLog({
      ...{ to, eventStoreUrl, urls: database.urls, force: given.force, repair: given.repair },
      prefix: config.LOG_STREAM_PREFIX,
      onProgress: ({ done, of }) => bar.update(done, of),
    });
    bar.stop();
    print({ ok: true, ...report }, given.json, textOf(report));
  } finally {
    bar.stop();
    await database.close();
  }
}

function openDatabaseOf(config: Config): ReturnType<typeof openDatabase> {
  const logger = createLogger({ level: 'warn', destination: process.stderr });
  return openDatabase({
    databaseUrl: config.DATABASE_URL,
    dataDir: config.DATA_DIR,
    log: (message, details) => logger.info(details ?? {}, message),
  });
}

function textOf({ outcome, home, tenants, written, verified }: Awaited<ReturnType<typeof moveLog>>): string {
  if (outcome === 'already there') return `the log is at home in ${home} already`;
  if (outcome === 'called off') return `the move is called off: the log is at home in ${home}`;
  return `the log is at home in ${home} now: ${tenants} tenants, ${written} events written, ${verified} verified. Start the application with ${
    home === 'eventstoredb' ? 'LOG_URL=esdb://…' : 'no LOG_URL'
  }; its read models go on as they are.`;
}
