import { PostgresEventLog } from '../infrastructure/postgres/event-log.js';
import { type LogOptions, type OpenedLog, closingOnError } from './opened-log.js';

/** Opens the log that LOG_URL names. Throws when it is at home elsewhere, refuses us, is too old, or does not come up. */
export async function openEventLog(options: LogOptions): Promise<OpenedLog> {
  const { logUrl, urls } = options;
  if (logUrl !== undefined) {
    // Its client is 200 files that a log in PostgreSQL never needs.
    const { openEventStore } = await import('./event-store.js');
    return openEventStore({ ...options, logUrl });
  }
  const log = new PostgresEventLog({ url: urls.core });
  await closingOnError(log, () => log.claim());
  return {
    log,
    readiness: [{ name: 'log', check: () => log.health() }],
    registerMetrics: () => undefined,
    close: () => log.close(),
  };
}
