import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Database, openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';

/** A migrated database of its own, gone with the test. */
export async function openTestDatabase(t: Pick<Test, 'teardown'>): Promise<Database> {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-log-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  t.teardown(async () => {
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  return database;
}
