/** Brings a database to the schema of this code: runs the SQL files of `migrations/` that it has not seen. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import { Client } from 'pg';
import type { Log } from './embedded-binaries.js';

const SQL_FILES_ONLY = '(?!.*\\.sql$).*';
const ownMigrations = (): string => join(packageRoot(), 'infrastructure', 'postgres', 'migrations');

/**
 * Answers the names of the files that ran now, in order. Each runs in one transaction. Processes that start together
 * wait for each other. Throws an error that names the file and the line at fault; files before it stay applied.
 */
export async function migrate(options: {
  url: string;
  log: Log;
  directory?: string;
  /** Only the first so many files, for a database of an older version that is restored. */
  count?: number;
}): Promise<string[]> {
  const directory = options.directory ?? ownMigrations();
  const client = new Client({ connectionString: options.url, application_name: 'corebook-migrate' });
  client.on('error', () => undefined); // A lost connection fails the statement that runs.
  let current: string | undefined;
  const quiet = (): void => undefined;
  const info = (line: string): void => {
    current = /^### MIGRATION (.+) \(UP\) ###$/.exec(line)?.[1] ?? current;
  };
  await client.connect();
  try {
    const done = await runner({
      dbClient: client,
      dir: directory,
      ignorePattern: SQL_FILES_ONLY,
      direction: 'up',
      ...(options.count === undefined ? {} : { count: options.count }),
      migrationsSchema: 'public',
      migrationsTable: 'schema_migrations',
      advisoryLockMode: 'wait',
      logger: { info, warn: quiet, error: quiet },
    });
    const names = done.map(({ name }) => name);
    if (names.length > 0) options.log('Database migrated', { migrations: names });
    return names;
  } catch (error) {
    throw new Error(explain(error, directory, current), { cause: error });
  } finally {
    await client.end(); // Ends the transaction of a failed file and gives the lock back.
  }
}

/** Names of the migrations of this code, in order. */
export function knownMigrations(): string[] {
  return readdirSync(ownMigrations())
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

/** The compiled code runs in build/, the SQL files stay in the source tree: both hang below this folder. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string };
      if (name === 'corebook') return folder;
    }
    if (dirname(folder) === folder) throw new Error('The folder of package "corebook" was not found above this file.');
    folder = dirname(folder);
  }
}

function explain(error: unknown, directory: string, migration: string | undefined): string {
  const { message, hint, position } = error as { message: string; hint?: string; position?: string };
  const advice = hint === undefined ? '' : ` ${hint}`;
  if (migration === undefined) return `The database could not be migrated: ${message}${advice}`;
  const file = join(directory, `${migration}.sql`);
  const line =
    position === undefined ? '' : `:${readFileSync(file, 'utf8').slice(0, Number(position)).split('\n').length}`;
  return `Migration ${file}${line} failed: ${message}${advice}`;
}
