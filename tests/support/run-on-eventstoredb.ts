/**
 * Runs the tests that speak HTTP with the log in EventStoreDB and jobs on Redis: `npm run test:eventstoredb [part of a
 * path …]`. Against the FAKE of eventstore-fake/, or the real server of EVENTSTORE_URL. Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { startEventStoreFake } from './eventstore-fake/fake.js';
import { TEST_ROLES } from './http-log.js';
import { startRedis } from './redis-server.js';
import { REDIS_DATABASES } from './server-environment.js';

const FILES = ['tests/http/', 'tests/main/product', 'tests/main/roles'];
const MAX_APPEND_SIZE = 16_767_216;

const real = process.env['EVENTSTORE_URL'];
const fake = real === undefined ? await startEventStoreFake({ maxAppendSize: MAX_APPEND_SIZE }) : undefined;
const redis = await startRedis(['--databases', String(REDIS_DATABASES)]);
const dataDir = await mkdtemp(join(tmpdir(), 'corebook-copies-'));
await chmod(dataDir, 0o755); // The server runs as another user when we are root.
const database = await openDatabase({ dataDir, log: () => undefined, rolePasswords: TEST_ROLES });

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
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  },
  stdio: 'inherit',
});
const [code] = (await once(tests, 'exit')) as [number | null];

await redis?.stop();
await fake?.stop();
await database.close();
await deleteCluster(dataDir);
await rm(dataDir, { recursive: true, force: true });
process.exitCode = code ?? 1;
