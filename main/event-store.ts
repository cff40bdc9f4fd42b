import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import { EventStoreEventLog } from '../infrastructure/eventstoredb/event-log.js';
import { LogUnavailable } from '../infrastructure/eventstoredb/failures.js';
import { LogFollower } from '../infrastructure/eventstoredb/follower.js';
import { type LogOptions, type OpenedLog, closingOnError } from './opened-log.js';

/** An event store that starts beside us is waited for this long. */
const START_PATIENCE_MS = 60_000;
const START_PAUSE_MS = 1_000;

/** The log in EventStoreDB, and who follows it into its copy. Throws as `openEventLog` does. */
export async function openEventStore(options: LogOptions & { readonly logUrl: string }): Promise<OpenedLog> {
  const { logUrl, streamPrefix, urls, ids, logger, follow } = options;
  const log = new EventStoreEventLog({ url: logUrl, copyUrl: urls.core, prefix: streamPrefix });
  await closingOnError(log, () => patiently(log, logger));
  const copied = new Counter({
    name: 'corebook_log_copied_late_total',
    help: 'Times the follower found events in the event store that their appender had not copied',
    registers: [],
  });
  const follower = new LogFollower({
    log,
    random: () => ids.random(),
    onError: (error) => logger.warn({ err: error }, 'following the event store failed, trying again'),
    onCopied: (tenantId) => {
      copied.inc();
      logger.info({ tenantId }, 'copied events that their appender had not copied');
    },
  });
  if (follow) follower.start();
  return {
    log,
    readiness: [
      { name: 'log', check: () => log.health() },
      ...(follow ? [{ name: 'log copy', check: () => Promise.resolve(follower.health()) }] : []),
    ],
    registerMetrics: (registry) => registry.registerMetric(copied),
    async close() {
      await follower.stop();
      await log.close();
    },
  };
}

/** Waits for a server that cannot be reached yet; what waiting does not mend is thrown at once. */
async function patiently(log: EventStoreEventLog, logger: Logger): Promise<void> {
  for (let waited = 0; ; waited += START_PAUSE_MS) {
    try {
      await log.open();
      return;
    } catch (error) {
      const mayCome = error instanceof LogUnavailable && error.reason !== 'unauthorised' && error.reason !== 'too-old';
      if (!mayCome || waited >= START_PATIENCE_MS) throw error;
      logger.warn({ detail: error.message }, 'waiting for the event store');
      await sleep(START_PAUSE_MS);
    }
  }
}
