/**
 * Runs the tests that speak HTTP with the log in EventStoreDB and jobs on Redis: `npm run test:eventstoredb [part of a
 * path …]`. Against the FAKE of eventstore-fake/, or the real server of EVENTSTORE_URL. Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { startEmbeddedServer } from '../../infrastructure/postgres/embedded-server.js';
import { endWhenDone } from '../../main/end.js';
import { startEventStoreFake } from './eventstore-fake/fake.js';
import { TEST_ROLES } from './http-log.js';
import { startRedis } from './redis-server.js';
import { REDIS_DATABASES } from './server-environment.js';

const FILES = ['tests/http/', 'tests/main/product', 'tests/main/roles', 'tests/main/walks'];
const MAX_APPEND_SIZE = 16_767_216;
/** Nothing there outlives the run. */
const FAST_SERVER = { fsync: 'off', full_page_writes: 'off', shared_buffers: '256MB' };

const real = process.env['EVENTSTORE_URL'];
const fake = real === undefined ? await startEventStoreFake({ maxAppendSize: MAX_APPEND_SIZE }) : undefined;
const redis = await startRedis(['--databases', String(REDIS_DATABASES)]);
const dataDir = await mkdtemp(join(tmpdir(), 'corebook-copies-'));
await chmod(dataDir, 0o755); // The server runs as another user when we are root.
const server = await startEmbeddedServer({ dataDir, log: () => undefined, settings: FAST_SERVER });
const database = await openDatabase({ dataDir, log: () => undefined, rolePasswords: TEST_ROLES });
const databases = join(dataDir, 'redis-databases');
await writeFile(databases, '');

const where = real === undefined ? 'the fake of the tests' : 'the real server of EVENTSTORE_URL';
console.log(
  `log: EventStoreDB over gRPC, ${where}; jobs: ${redis === undefined ? 'PostgreSQL (no redis-server)' : 'Redis'}`,
);
const given = process.argv.slice(2);
const tests = spawn(process.execPath, ['tests/support/run-tests.mjs', ...(given.length === 0 ? FILES : given)], {
  env: {
    ...process.env,
    LOG_URL: real ?? fake?.url,
    TEST_DATABASE_URL: database.urls.owner,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url, TEST_REDIS_DATABASES: databases }),
  },
  stdio: 'inherit',
});
// What ends us ends the tests, and then what we started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
const [code] = (await once(tests, 'exit')) as [number | null];

await redis?.stop();
await fake?.stop();
await database.close();
await server.stop();
await deleteCluster(dataDir);
await rm(dataDir, { recursive: true, force: true });
endWhenDone();
process.exitCode = code ?? 1;
