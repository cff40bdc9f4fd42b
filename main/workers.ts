import { Counter, type Registry } from 'prom-client';
import { indexedEvents } from '../application/audit/aggregate-events.js';
import { SelfAudit, selfAuditQueue, startSelfAudit } from '../application/audit/self-audit.js';
import type { Identity } from '../application/access/identity.js';
import { purgeQueue, startPurge } from '../application/access/purge-expired.js';
import { mailTasks, startMail } from '../application/mail/mail-queue.js';
import type { JobQueues } from '../application/ports/job-queue.js';
import type { Lease } from '../application/ports/leases.js';
import type { Mailer } from '../application/ports/mailer.js';
import { identityQueue, identityReactor, startIdentityRepair } from '../application/reactors/identity.js';
import { holdExpiryQueue, holdExpiryReactor, startHoldExpiry } from '../application/reactors/hold-expiry.js';
import { loanAccrualQueue, startLoanAccrual } from '../application/reactors/loan-accrual.js';
import { payoutQueue, payoutReactor, startPayouts } from '../application/reactors/payouts.js';
import { type Reactor, type RunningReactor, runReactor } from '../application/reactors/run-reactor.js';
import type { ReadinessCheck } from '../http/deps.js';
import { openJobQueues } from '../infrastructure/jobs/open-job-queues.js';
import { PostgresBookQueries } from '../infrastructure/postgres/book-queries.js';
import { PostgresDueLoans } from '../infrastructure/postgres/due-loans.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { PostgresOpenWithdrawals } from '../infrastructure/postgres/open-withdrawals.js';
import { PostgresReactorCheckpoints } from '../infrastructure/postgres/reactor-checkpoints.js';
import { PostgresSelfAuditStore } from '../infrastructure/postgres/self-audit-store.js';
import type { Core } from './core.js';
import type { Partners } from './partners.js';

/** Background work of this process: hold expiry, accrual of loans, payouts, mail, repairs of identity, the self-audit. */
export interface Workers {
  readonly readiness: readonly ReadinessCheck[];
  /** Stops the reactors and takes no more jobs; those that run are waited for as long as `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** Where jobs queue: on PostgreSQL, or on Redis where configured. */
export async function openQueues({ config, logger, urls }: Core, metrics: Registry): Promise<JobQueues> {
  const failures = new Counter({
    name: 'corebook_job_attempts_failed_total',
    help: 'Failed attempts of background jobs',
    labelNames: ['queue'],
    registers: [metrics],
  });
  return await openJobQueues({
    redisUrl: config.REDIS_URL,
    databaseUrls: urls,
    observer: {
      jobsLost: (queue) => logger.error({ queue }, 'jobs were lost by their home; what is due is found again'),
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
}

interface WorkerParts {
  readonly identity: Identity;
  readonly mailer: Mailer;
  /** Undefined: nothing is paid out. What was asked for meanwhile is, once there is a partner. */
  readonly partners: Partners | undefined;
}

/** Starts the background work of this process; the queues stay the caller's to close, before what runs on them. */
export async function startWorkers(
  core: Core,
  queues: JobQueues,
  { identity, mailer, partners }: WorkerParts,
): Promise<Workers> {
  const { config, logger, clock, ids, bus, leases, log, pool, readModels, urls } = core;
  const book = new PostgresBookQueries(pool);
  const scan = new PostgresEventScan({ url: urls.core });
  const expiry = holdExpiryQueue(queues);
  await startHoldExpiry(expiry, { bus, dueHolds: book, clock });
  await startLoanAccrual(loanAccrualQueue(queues), { bus, dueLoans: new PostgresDueLoans(pool), clock });
  const repairs = identityQueue(queues);
  await startIdentityRepair(repairs, identity);
  await startMail(mailTasks(queues), mailer, identity.master);
  await startPurge(purgeQueue(queues), identity);
  const checkpoints = new PostgresReactorCheckpoints(pool);
  const onError = (name: string, error: unknown): void =>
    logger.error({ err: error, reactor: name }, 'a reactor is held up');
  const payouts = await startPayoutWork(core, queues, partners);
  const reactors = [holdExpiryReactor(expiry, clock), identityReactor(repairs), ...payouts].map((reactor) => {
    const lease = leases.enter(`reactor ${reactor.name}`);
    return {
      name: reactor.name,
      lease,
      running: runReactor(reactor, { scan, checkpoints, clock, lease, onError }),
    };
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
      { name: 'jobs', check: () => queues.probe().then(() => ({ ok: true })) },
      ...reactors.map(({ name, running, lease }) => ({
        name: `reactor ${name}`,
        check: () => Promise.resolve(reactorReadiness(running, lease)),
      })),
    ],
    async close(graceMs) {
      await Promise.all(
        reactors.map(async ({ running, lease }) => {
          await running.stop();
          await lease.leave();
        }),
      );
      await queues.close(graceMs);
      await scan.close();
    },
  };
}

function reactorReadiness(running: RunningReactor, lease: Lease): { ok: boolean; detail?: string } {
  if (running.error !== undefined) return { ok: false, detail: 'held up by an error: see the log' };
  return lease.held ? { ok: true } : { ok: true, detail: `standby, led by ${lease.holder ?? 'nobody yet'}` };
}

/** Payouts need a partner: without one their events wait in the log, behind the checkpoint of their reactor. */
async function startPayoutWork(core: Core, queues: JobQueues, partners: Partners | undefined): Promise<Reactor[]> {
  if (partners === undefined) return [];
  const { bus, clock, identity, log, logger, pool, readModels } = core;
  const queue = payoutQueue(queues);
  await startPayouts(queue, {
    ...{ bus, clock, log, readModels, vault: identity.vault, partner: partners.payouts },
    events: indexedEvents(log, readModels),
    openWithdrawals: new PostgresOpenWithdrawals(pool),
    onError: (withdrawal, error) => logger.error({ err: error, withdrawal }, 'a payout is not brought on'),
  });
  return [payoutReactor(queue)];
}
