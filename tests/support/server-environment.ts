/**
 * What the environment of the tests means for the servers that they start: with LOG_URL=esdb://… or REDIS_URL each data
 * directory has streams and a Redis database of its own there.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';

/** run-on-eventstoredb.ts starts its Redis with as many. */
export const REDIS_DATABASES = 1_024;

export function serverEnvironment(dataDir: string): Record<string, string> {
  const { LOG_URL, REDIS_URL, TEST_REDIS_DATABASES } = process.env;
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  return {
    ...(LOG_URL === undefined ? {} : { LOG_URL, LOG_STREAM_PREFIX: `corebook_test-${name}-` }),
    ...(REDIS_URL === undefined || TEST_REDIS_DATABASES === undefined
      ? {}
      : { REDIS_URL: `${REDIS_URL}/${String(redisDatabase(TEST_REDIS_DATABASES, name))}` }),
  };
}

/** Its place in the list of those who asked; test files that run at the same time share the list. */
function redisDatabase(list: string, name: string): number {
  appendFileSync(list, `${name}\n`);
  const place = [...new Set(readFileSync(list, 'utf8').split('\n'))].indexOf(name);
  if (place >= REDIS_DATABASES) throw new Error('more data directories than Redis databases');
  return place;
}
