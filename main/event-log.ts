import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from 'pino';
import type { EventLog } from '../application/ports/event-log.js';
import type { IdSource } from '../application/ports/clock.js';
import type { ReadinessCheck } from '../http/deps.js';
import { EventStoreEventLog } from '../infrastructure/eventstoredb/event-log.js';
import { LogUnavailable } from '../infrastructure/eventstoredb/failures.js';
import { LogFollower } from '../infrastructure/eventstoredb/follower.js';
import type { DatabaseUrls } from '../infrastructure/postgres/database.js';
import { PostgresEventLog } from '../infrastructure/postgres/event-log.js';

/** The log, and who follows it where it has a copy. */
export interface OpenedLog {
  readonly log: EventLog;
  readonly readiness: readonly ReadinessCheck[];
  registerMetrics(registry: Registry): void;
  close(): Promise<void>;
}

/** An event store that starts beside us is waited for this long. */
const START_PATIENCE_MS = 60_000;
const START_PAUSE_MS = 1_000;

/** Opens the log that LOG_URL names. Throws when it is at home elsewhere, refuses us, is too old, or does not come up. */
export async function openEventLog(options: {
  readonly logUrl: string | undefined;
  readonly streamPrefix: string;
  readonly urls: DatabaseUrls;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Keep the copy of a log in EventStoreDB complete from here. */
  readonly follow: boolean;
}): Promise<OpenedLog> {
  const { logUrl, urls } = options;
  if (logUrl !== undefined) return openEventStore({ ...options, logUrl });
  const log = new PostgresEventLog({ url: urls.core });
  await closingOnError(log, () => log.claim());
  return {
    log,
    readiness: [{ name: 'log', check: () => log.health() }],
    registerMetrics: () => undefined,
    close: () => log.close(),
  };
}

async function openEventStore(options: Parameters<typeof openEventLog>[0] & { logUrl: string }): Promise<OpenedLog> {
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

async function closingOnError(log: EventLog, open: () => Promise<void>): Promise<void> {
  try {
    await open();
  } catch (error) {
    await log.close();
    throw error;
  }
}
