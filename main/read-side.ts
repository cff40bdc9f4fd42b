import type { Registry } from 'prom-client';
import type { Logger } from 'pino';
import type { Clock, IdSource } from '../application/ports/clock.js';
import { indexedEvents } from '../application/audit/aggregate-events.js';
import type { EventLog, StoredEvent } from '../application/ports/event-log.js';
import type { Lease, Leases } from '../application/ports/leases.js';
import type { ReadModels } from '../application/ports/read-models.js';
import type { KeyVault } from '../application/ports/key-vault.js';
import type { StateStore } from '../application/ports/state-store.js';
import { StatesByEvents } from '../application/processor/states-by-events.js';
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
import type { Projection } from '../projections/projection.js';
import { rebuildProjection } from '../projections/rebuild.js';
import { ProjectionRunner } from '../projections/runner.js';
import { projectionMetrics } from './projection-metrics.js';

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

/** By version: while a new one is rolled out, processes of the old code go on with the old one's tables. */
function leaseOf({ name, version }: Projection): string {
  return `projection ${name} v${version}`;
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
  /** With other processes that run them: each is led by one of them, the others stand by. Unset: there are no others. */
  readonly leases?: Leases | undefined;
}): Promise<ReadSide> {
  const { log, urls, clock, logger, vault, leases } = ports;
  const store = createReadStore(urls);
  const projections = createProjections();
  await store.prepare(projections);
  const stored = new PostgresStateStore({ url: urls.core, version: AGGREGATE_STATES_VERSION });
  const statesBy = (readModels: ReadModels): StateStore =>
    new StatesByEvents(stored, {
      log,
      events: indexedEvents(log, readModels),
      waitFor: (position, timeoutMs) => readModels.waitFor(position, timeoutMs),
    });
  const connections = new TenantConnections({ url: urls.api });
  const queries = openingApplicants(openingNames(connections, vault), vault);
  const stopping = new AbortController();

  if (!ports.project) {
    const positions = new PollingPositions({ projections, store, log, clock });
    const readModels = createReadModels(queries, positions);
    return {
      readModels,
      states: statesBy(readModels),
      readiness: [{ name: 'read models', check: () => readModelsHealth(positions, projections, leases) }],
      publish: () => undefined,
      registerMetrics: () => undefined,
      async close() {
        await Promise.all([connections.close(), stored.close(), store.close()]);
      },
    };
  }

  const metrics = projectionMetrics();
  const leading = new Map(projections.map((projection) => [projection.name, leases?.enter(leaseOf(projection))]));
  const runner = new ProjectionRunner({
    projections,
    store,
    vault,
    feed: new EventFeed(log, clock),
    clock,
    leads: ({ name }) => leading.get(name)?.held !== false,
    observer: {
      batch: (name, { events, durationMs }) => metrics.batch(name, events, durationMs),
      parked: (name, error) => logger.error({ err: error, projection: name }, 'a projection is parked'),
      failed: (error) => logger.warn({ err: error }, 'projections could not be brought up to date, trying again'),
    },
  });
  const running = runner.run(stopping.signal);
  const upgrading = upgrade({ ...ports, store, signal: stopping.signal });
  const readModels = createReadModels(queries, runner);
  return {
    readModels,
    states: statesBy(readModels),
    readiness: projections.map(({ name }) => ({
      name: `projection ${name}`,
      check: () => Promise.resolve(readinessOf(runner, name, leading.get(name))),
    })),
    publish: (events) => runner.publish(events),
    registerMetrics: (registry) => metrics.register(registry, runner),
    async close() {
      stopping.abort();
      await running;
      // Nothing is projected here any more: who stands by need not wait until everything is closed.
      for (const lease of leading.values()) await lease?.leave();
      await upgrading;
      await Promise.all([connections.close(), stored.close(), store.close()]);
    },
  };
}

interface UpgradePorts {
  readonly log: EventLog;
  readonly urls: DatabaseUrls;
  readonly logger: Logger;
  readonly vault: KeyVault;
  readonly leases?: Leases | undefined;
  readonly store: PostgresReadStore;
  readonly signal: AbortSignal;
}

/** Projections whose live build is of another version than this code are built anew, by one process for all. */
async function upgrade(ports: UpgradePorts): Promise<void> {
  const { leases, logger, signal } = ports;
  try {
    if ((await outdated(ports)).length === 0) return;
    const lease = leases?.enter('rebuild of read models');
    await lease?.untilHeld(signal);
    await rebuildAll(await outdated(ports), ports);
    await lease?.leave();
  } catch (error) {
    if (!signal.aborted) logger.error({ err: error }, 'new versions of read models could not be looked for');
  }
}

async function outdated({ store }: UpgradePorts): Promise<readonly Projection[]> {
  const states = await store.states();
  return createProjections().filter(
    ({ name, version }) =>
      !states.some((state) => state.name === name && state.version === version && state.status !== 'rebuilding'),
  );
}

/** One after another, each beside the one that is live. */
async function rebuildAll(projections: readonly Projection[], ports: UpgradePorts): Promise<void> {
  const { log, urls, logger, vault, signal } = ports;
  for (const { name } of projections) {
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

function readinessOf(runner: ProjectionRunner, name: string, lease: Lease | undefined): ReadinessAnswer {
  const status = runner.status().find((one) => one.name === name);
  if (status === undefined || status.generation === 0) return { ok: false, detail: 'not started yet' };
  if (status.status === 'parked') return { ok: false, detail: `parked: ${status.error ?? ''}` };
  if (status.status === 'rebuilding') return { ok: false, detail: 'waits for the rebuild of this version' };
  const standby = lease?.held === false ? `standby, led by ${lease.holder ?? 'nobody yet'}: ` : '';
  const lag = `${status.lagEvents} events, ${status.lagSeconds.toFixed(1)} s behind`;
  return { ok: status.lagSeconds <= MAX_LAG_SECONDS, detail: standby + lag };
}

/** For a process that projects nothing itself: how far those are that do, and who they are. */
async function readModelsHealth(
  positions: PollingPositions,
  projections: readonly Projection[],
  leases: Leases | undefined,
): Promise<ReadinessAnswer> {
  const { parked, lagEvents, lagSeconds } = await positions.lag();
  if (parked !== undefined) return { ok: false, detail: `${parked} is parked` };
  const holders = new Set((await leases?.holders(projections.map(leaseOf)))?.values());
  const led = holders.size === 0 ? 'led by nobody' : `led by ${[...holders].join(', ')}`;
  const detail = `${led}: ${lagEvents} events, ${lagSeconds.toFixed(1)} s behind`;
  return { ok: lagSeconds <= MAX_LAG_SECONDS, detail };
}

type ReadinessAnswer = Awaited<ReturnType<ReadinessCheck['check']>>;
