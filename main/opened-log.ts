import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { EventLog } from '../application/ports/event-log.js';
import type { IdSource } from '../application/ports/clock.js';
import type { ReadinessCheck } from '../http/deps.js';
import type { DatabaseUrls } from '../infrastructure/postgres/database.js';

/** The log, and who follows it where it has a copy. */
export interface OpenedLog {
  readonly log: EventLog;
  readonly readiness: readonly ReadinessCheck[];
  registerMetrics(registry: Registry): void;
  close(): Promise<void>;
}

export interface LogOptions {
  readonly logUrl: string | undefined;
  readonly streamPrefix: string;
  readonly urls: DatabaseUrls;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Keep the copy of a log in EventStoreDB complete from here. */
  readonly follow: boolean;
}

/** Opens the log, and closes it again where that fails. */
export async function closingOnError(log: EventLog, open: () => Promise<void>): Promise<void> {
  try {
    await open();
  } catch (error) {
    await log.close();
    throw error;
  }
}
