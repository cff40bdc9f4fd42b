import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Logger } from 'pino';
import type { Clock, IdSource } from '../application/ports/clock.js';
import type { EventLog, StoredEvent } from '../application/ports/event-log.js';
import type { ReadModels } from '../application/ports/read-models.js';
import type { KeyVault } from '../application/ports/key-vault.js';
import type { StateStore } from '../application/ports/state-store.js';
import type { ReadinessCheck } from '../http/deps.js';
import type { DatabaseUrls } from '../infrastructure/postgres/database.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { PostgresReadStore } from '../infrastructure/postgres/read-store.js';
import { PostgresStateStore } from '../infrastructure/postgres/state-store.js';
import { TenantConnections } from '../infrastructure/postgres/tenant-connection.js';
import { AGGREGATE_STATES_VERSION } from '../projections/aggregate-states/projection.js';
import { openingNames } from '../projections/accounts/opened-names.js';
import { ANALYST_VIEWS } from '../projections/analyst-views.js';
import { createProjection, createProjections } from '../projections/catalogue.js';
import { EventFeed } from '../projections/feed.js';
import { openingApplicants } from '../projections/loans/opened-applicants.js';
import { PollingPositions } from '../projections/polling-positions.js';
import { createReadModels } from '../projections/read-models.js';
import { rebuildProjection } from '../projections/rebuild.js';
import { ProjectionRunner } from '../projections/runner.js';

/** Read models, who keeps them up to date, and what is told about it. */
export interface ReadSide {
  readonly readModels: ReadModels;
  readonly states: StateStore;
  readonly readiness: readonly ReadinessCheck[];
  /** Events this process has just appended. */
  publish(events: readonly StoredEvent[]): void;
  registerMetrics(registry: Registry): void;
  close(): Promise<void>;
}

/** A projection further behind than this turns readiness red. */
const MAX_LAG_SECONDS = 30;
/** The batches of a rebuild are big. */
export const REBUILD_TIMEOUT_MS = 120_000;

/** `timeoutMs`: of one statement. */
export function createReadStore(urls: DatabaseUrls, timeoutMs?: number): PostgresReadStore {
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  return new PostgresReadStore({ coreUrl: urls.core, ownerUrl: urls.owner, analystViews: ANALYST_VIEWS, ...options });
}

export async function openReadSide(ports: {
  readonly log: EventLog;
  readonly urls: DatabaseUrls;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Opens what is sealed for people, for read models that show it. */
  readonly vault: KeyVault;
  /** Run the projections in this process. */
  readonly project: boolean;
}): Promise<ReadSide> {
  const { log, urls, clock, logger, vault } = ports;
  const store = createReadStore(urls);
  const projections = createProjections();
  await store.prepare(projections);
  const states = new PostgresStateStore({ url: urls.core, version: AGGREGATE_STATES_VERSION });
  const connections = new TenantConnections({ url: urls.api });
  const queries = openingApplicants(openingNames(connections, vault), vault);
  const stopping = new AbortController();

  if (!ports.project) {
    const positions = new PollingPositions({ projections, store, log, clock });
    return {
      readModels: createReadModels(queries, positions),
      states,
      readiness: [],
      publish: () => undefined,
      registerMetrics: () => undefined,
      async close() {
        await Promise.all([connections.close(), states.close(), store.close()]);
      },
    };
  }

  const metrics = projectionMetrics();
  const runner = new ProjectionRunner({
    projections,
    store,
    vault,
    feed: new EventFeed(log, clock),
    clock,
    observer: {
      batch: (name, { events, durationMs }) => metrics.batch(name, events, durationMs),
      parked: (name, error) => logger.error({ err: error, projection: name }, 'a projection is parked'),
      failed: (error) => logger.warn({ err: error }, 'projections could not be brought up to date, trying again'),
    },
  });
  const running = runner.run(stopping.signal);
  const upgrading = rebuildOutdated({ ...ports, signal: stopping.signal }, await store.states());
  return {
    readModels: createReadModels(queries, runner),
    states,
    readiness: projections.map(({ name }) => ({
      name: `projection ${name}`,
      check: () => Promise.resolve(readinessOf(runner, name)),
    })),
    publish: (events) => runner.publish(events),
    registerMetrics: (registry) => metrics.register(registry, runner),
    async close() {
      stopping.abort();
      await running;
      await upgrading;
      await Promise.all([connections.close(), states.close(), store.close()]);
    },
  };
}

/** Projections whose live build is of another version than this code are built anew, one after another, beside it. */
async function rebuildOutdated(
  ports: { log: EventLog; urls: DatabaseUrls; logger: Logger; vault: KeyVault; signal: AbortSignal },
  states: Awaited<ReturnType<PostgresReadStore['states']>>,
): Promise<void> {
  const { log, urls, logger, vault, signal } = ports;
  const outdated = createProjections().filter(
    ({ name, version }) =>
      !states.some((state) => state.name === name && state.version === version && state.status !== 'rebuilding'),
  );
  for (const { name } of outdated) {
    const projection = createProjection(name);
    if (projection === undefined || signal.aborted) return;
    const store = createReadStore(urls, REBUILD_TIMEOUT_MS);
    const scan = new PostgresEventScan({ url: urls.core, timeoutMs: REBUILD_TIMEOUT_MS });
    try {
      logger.info({ projection: name }, 'a new version of a read model is being built beside the old one');
      const { events } = await rebuildProjection({ projection, store, log, scan, vault, signal });
      logger.info({ projection: name, events }, 'the new version of a read model is live');
    } catch (error) {
      if (!signal.aborted)
        logger.error({ err: error, projection: name }, 'the new version of a read model could not be built');
    } finally {
      await scan.close();
      await store.close();
    }
  }
}

function readinessOf(runner: ProjectionRunner, name: string): { ok: boolean; detail: string } {
  const status = runner.status().find((one) => one.name === name);
  if (status === undefined || status.generation === 0) return { ok: false, detail: 'not started yet' };
  if (status.status === 'parked') return { ok: false, detail: `parked: ${status.error ?? ''}` };
  if (status.status === 'rebuilding') return { ok: false, detail: 'waits for the rebuild of this version' };
  const lag = `${status.lagEvents} events, ${status.lagSeconds.toFixed(1)} s behind`;
  return { ok: status.lagSeconds <= MAX_LAG_SECONDS, detail: lag };
}

function projectionMetrics() {
  const labelNames = ['projection'];
  const events = new Counter({
    name: 'corebook_projection_events_total',
    help: 'Events projected',
    labelNames,
    registers: [],
  });
  const durations = new Histogram({
    name: 'corebook_projection_batch_seconds',
    help: 'Time of one batch, reading to commit',
    labelNames,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 1, 5],
    registers: [],
  });
  return {
    batch(projection: string, count: number, durationMs: number): void {
      events.inc({ projection }, count);
      durations.observe({ projection }, durationMs / 1000);
    },
    register(registry: Registry, runner: ProjectionRunner): void {
      registry.registerMetric(events);
      registry.registerMetric(durations);
      const gauge = (
        name: string,
        help: string,
        value: (status: ReturnType<ProjectionRunner['status']>[number]) => number,
      ): void => {
        new Gauge({
          name,
          help,
          labelNames,
          registers: [registry],
          collect() {
            for (const status of runner.status()) this.set({ projection: status.name }, value(status));
          },
        });
      };
      gauge(
        'corebook_projection_lag_events',
        'Events of the log that are not in the read model yet',
        (status) => status.lagEvents,
      );
      gauge(
        'corebook_projection_lag_seconds',
        'Age of the oldest event that is not in the read model',
        (status) => status.lagSeconds,
      );
      gauge('corebook_projection_parked', '1 while the projection is parked', (status) =>
        status.status === 'parked' ? 1 : 0,
      );
    },
  };
}
