/**
 * What the environment of the tests means for the servers that they start: with LOG_URL=esdb://… or REDIS_URL each data
 * directory has streams and a Redis database of its own there.
 */
import { createHash } from 'node:crypto';

/** run-on-eventstoredb.ts starts its Redis with as many. */
export const REDIS_DATABASES = 4_096;

export function serverEnvironment(dataDir: string): Record<string, string> {
  const { LOG_URL, REDIS_URL } = process.env;
  const digest = createHash('sha256').update(dataDir).digest();
  return {
    ...(LOG_URL === undefined ? {} : { LOG_URL, LOG_STREAM_PREFIX: `corebook_test-${digest.toString('hex', 0, 8)}-` }),
    ...(REDIS_URL === undefined ? {} : { REDIS_URL: `${REDIS_URL}/${digest.readUInt32BE(0) % REDIS_DATABASES}` }),
  };
}
