import type { JobProcessor, JobQueue, JobQueues } from '../ports/job-queue.js';
import { nowOf } from './as-user.js';
import type { Identity } from './identity.js';

type Purged = Pick<Identity, 'sessions' | 'otps' | 'attempts' | 'replays' | 'clock'>;

/** Takes away sessions, codes, counters and replay marks that no longer mean anything; answers how many. */
export async function purgeExpired(identity: Purged): Promise<number> {
  const now = nowOf(identity);
  const { sessions, otps, attempts, replays } = identity;
  const counts = await Promise.all([sessions.purge(now), otps.purge(now), attempts.purge(now), replays.purge(now)]);
  return counts.reduce((sum, count) => sum + count, 0);
}

export type PurgeTask = { readonly task: 'purge' };

const EVERY_MS = 10 * 60_000;
/** A run that fails is made up for by the next. */
const RETRY = { attempts: 1, firstDelayMs: 1_000 };

export function purgeQueue(queues: JobQueues): JobQueue<PurgeTask> {
  return queues.open<PurgeTask>('identity-purge', RETRY);
}

/** Works on the queue in this process and keeps the run scheduled, for all processes together. */
export async function startPurge(queue: JobQueue<PurgeTask>, identity: Purged, everyMs = EVERY_MS): Promise<void> {
  const processor: JobProcessor<PurgeTask> = async () => {
    await purgeExpired(identity);
  };
  await queue.work(processor);
  await queue.schedule('purge', everyMs, { task: 'purge' });
}
