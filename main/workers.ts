import { Counter, type Registry } from 'prom-client';
import { indexedEvents } from '../application/audit/aggregate-events.js';
import { SelfAudit, selfAuditQueue, startSelfAudit } from '../application/audit/self-audit.js';
import { holdExpiryQueue, holdExpiryReactor, startHoldExpiry } from '../application/reactors/hold-expiry.js';
import { runReactor } from '../application/reactors/run-reactor.js';
import type { ReadinessCheck } from '../http/deps.js';
import { openJobQueues } from '../infrastructure/jobs/open-job-queues.js';
import { PostgresBookQueries } from '../infrastructure/postgres/book-queries.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { PostgresReactorCheckpoints } from '../infrastructure/postgres/reactor-checkpoints.js';
import { PostgresSelfAuditStore } from '../infrastructure/postgres/self-audit-store.js';
import type { Core } from './core.js';

/** Background work of this process: hold expiry and the self-audit, on BullMQ (PostgreSQL, or Redis where configured). */
export interface Workers {
  readonly readiness: readonly ReadinessCheck[];
  close(): Promise<void>;
}

export async function startWorkers(core: Core, metrics: Registry): Promise<Workers> {
  const { config, logger, clock, ids, bus, log, pool, readModels, urls } = core;
  const failures = new Counter({
    name: 'corebook_job_attempts_failed_total',
    help: 'Failed attempts of background jobs',
    labelNames: ['queue'],
    registers: [metrics],
  });
  const queues = await openJobQueues({
    redisUrl: config.REDIS_URL,
    databaseUrls: urls,
    observer: {
      connectionError: (queue, error) => logger.warn({ err: error, queue }, 'the jobs’ home cannot be reached'),
      attemptFailed(queue, jobId, error, final) {
        failures.inc({ queue });
        logger[final ? 'error' : 'warn'](
          { err: error, queue, jobId },
          final ? 'a job failed for good' : 'a job failed, it is tried again',
        );
      },
    },
  });

  const book = new PostgresBookQueries(pool);
  const scan = new PostgresEventScan({ url: urls.core });
  const expiry = holdExpiryQueue(queues);
  await startHoldExpiry(expiry, { bus, dueHolds: book, clock });
  const reactor = runReactor(holdExpiryReactor(expiry, clock), {
    scan,
    checkpoints: new PostgresReactorCheckpoints(pool),
    clock,
    onError: (name, error) => logger.error({ err: error, reactor: name }, 'a reactor is held up'),
  });

  const audit = new SelfAudit({
    log,
    readModels,
    book,
    events: indexedEvents(log, readModels),
    store: new PostgresSelfAuditStore(pool),
    clock,
    ids,
    onVerdict: (result) =>
      logger[result.ok ? 'info' : 'error'](
        { detail: result.detail },
        result.ok ? 'the self-audit passes again' : 'the self-audit found something',
      ),
  });
  await startSelfAudit(selfAuditQueue(queues), audit, config.SELF_AUDIT_SECONDS * 1000);

  return {
    readiness: [
      { name: audit.name, check: () => audit.check() },
      {
        name: 'reactor hold-expiry',
        check: () =>
          Promise.resolve(
            reactor.error === undefined ? { ok: true } : { ok: false, detail: 'held up by an error: see the log' },
          ),
      },
    ],
    async close() {
      await reactor.stop();
      await queues.close();
      await scan.close();
    },
  };
}
