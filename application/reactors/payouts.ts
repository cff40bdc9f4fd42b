import type { WithdrawalRequested } from '../../domain/withdrawal/events.js';
import { type PayoutPorts, type PayoutStep, advancePayout } from '../payouts/advance-payout.js';
import type { Clock } from '../ports/clock.js';
import type { ScannedEvent } from '../ports/event-scan.js';
import {
  type JobProcessor,
  type JobQueue,
  type JobQueues,
  MAX_JOBS_PER_CALL,
  type NewJob,
} from '../ports/job-queue.js';
import type { OpenWithdrawals } from '../ports/open-withdrawals.js';
import type { Reactor } from './run-reactor.js';

/** A type, not an interface: only types are Json by structure. */
export type PayoutTask =
  | {
      readonly task: 'pay';
      readonly tenantId: string;
      readonly withdrawal: string;
      readonly correlation: string;
      /** How often the partner was asked and had not paid yet. */
      readonly round: number;
    }
  | { readonly task: 'sweep' }
  /** The jobs were lost: everything that is open gets one again. */
  | { readonly task: 'begin-again' };

/** Attempts are about seventeen minutes together; after that the sweep is still there. */
const RETRY = { attempts: 10, firstDelayMs: 2_000 };
const CONCURRENCY = 8;
const FIRST_POLL_MS = 2_000;
const LONGEST_POLL_MS = 10 * 60_000;
/** Together about two days; what is open then is the sweep's. */
const MAX_ROUNDS = 300;
const SWEEP_PAGE = 200;
const SWEEP_PAGES = 10;
const SWEEP_CONCURRENCY = 8;
/** Longer than the longest pause of a job that is alive. */
const FORGOTTEN_AFTER_MS = 30 * 60_000;

export function payoutQueue(queues: JobQueues): JobQueue<PayoutTask> {
  return queues.open<PayoutTask>('payouts', RETRY);
}

/** For every withdrawal a job; its id is made from the event's, so it is one job. */
export function payoutReactor(queue: JobQueue<PayoutTask>): Reactor {
  return {
    name: 'payouts',
    types: ['withdrawal-requested'],
    async react(events) {
      const jobs = events.flatMap(payJob);
      for (let from = 0; from < jobs.length; from += MAX_JOBS_PER_CALL) {
        await queue.addAll(jobs.slice(from, from + MAX_JOBS_PER_CALL));
      }
    },
  };
}

function payJob(event: ScannedEvent): Array<NewJob<PayoutTask>> {
  if (event.type !== 'withdrawal-requested') return [];
  const { withdrawal } = (event as ScannedEvent & WithdrawalRequested).data;
  const correlation = event.meta.correlation ?? event.id;
  const { tenantId } = event;
  return [{ id: `pay-${event.id}`, data: { task: 'pay', tenantId, withdrawal, correlation, round: 0 } }];
}

export interface PayoutWorkPorts extends PayoutPorts {
  readonly clock: Clock;
  readonly openWithdrawals: OpenWithdrawals;
  /** A withdrawal that the sweep could not bring on; it tries again by itself. */
  readonly onError: (withdrawal: string, error: unknown) => void;
}

/** One step of a payout; while the partner has not paid, another job asks him again later, ever more patiently. */
export function payoutProcessor(
  queue: Pick<JobQueue<PayoutTask>, 'add' | 'addAll'>,
  ports: PayoutWorkPorts,
): JobProcessor<PayoutTask> {
  return async ({ data, signal }) => {
    if (data.task === 'begin-again') {
      await beginAgain(queue, ports, signal);
      return;
    }
    if (data.task === 'sweep') {
      await sweep(ports, signal);
      return;
    }
    const { tenantId, withdrawal, correlation } = data;
    if ((await advancePayout(ports, { tenantId, withdrawal, correlation })) === 'settled') return;
    const round = data.round + 1;
    if (round > MAX_ROUNDS) return;
    const delayMs = Math.min(FIRST_POLL_MS * 2 ** Math.min(data.round, 20), LONGEST_POLL_MS);
    await queue.add({ id: `pay-${withdrawal}-${round}`, delayMs, data: { ...data, round } });
  };
}

/** What jobs that were lost or gave up have left behind, found in the read model. */
async function sweep(ports: PayoutWorkPorts, signal: AbortSignal): Promise<void> {
  const { openWithdrawals, clock, onError } = ports;
  const unchangedSince = new Date(clock.nowMs() - FORGOTTEN_AFTER_MS).toISOString();
  let after = '';
  for (let page = 0; page < SWEEP_PAGES && !signal.aborted; page += 1) {
    const open = await openWithdrawals.openWithdrawals(unchangedSince, after, SWEEP_PAGE);
    for (let from = 0; from < open.length && !signal.aborted; from += SWEEP_CONCURRENCY) {
      const steps = open.slice(from, from + SWEEP_CONCURRENCY);
      await Promise.all(
        steps.map(({ tenantId, withdrawalId: withdrawal }) =>
          tryStep(ports, { tenantId, withdrawal, correlation: withdrawal }, onError),
        ),
      );
    }
    after = open.at(-1)?.withdrawalId ?? '';
    if (open.length < SWEEP_PAGE) return;
  }
}

async function beginAgain(
  queue: Pick<JobQueue<PayoutTask>, 'addAll'>,
  { openWithdrawals, clock }: PayoutWorkPorts,
  signal: AbortSignal,
): Promise<void> {
  const now = new Date(clock.nowMs()).toISOString();
  let after = '';
  while (!signal.aborted) {
    const open = await openWithdrawals.openWithdrawals(now, after, SWEEP_PAGE);
    const task = { task: 'pay', round: 0 } as const;
    await queue.addAll(
      open.map(({ tenantId, withdrawalId: withdrawal }) => ({
        data: { ...task, tenantId, withdrawal, correlation: withdrawal },
      })),
    );
    if (open.length < SWEEP_PAGE) return;
    after = open.at(-1)?.withdrawalId ?? '';
  }
}

/** One that fails does not hold up the others. */
async function tryStep(ports: PayoutPorts, step: PayoutStep, onError: PayoutWorkPorts['onError']): Promise<void> {
  try {
    await advancePayout(ports, step);
  } catch (error) {
    onError(step.withdrawal, error);
  }
}

export interface PayoutOptions {
  readonly sweepEveryMs: number;
}

/**
 * Works on the queue in this process, asks at once where the partner has news, and keeps the sweep scheduled; the reactor
 * is run beside it by `runReactor`.
 */
export async function startPayouts(
  queue: JobQueue<PayoutTask>,
  ports: PayoutWorkPorts,
  options: PayoutOptions = { sweepEveryMs: 10 * 60_000 },
): Promise<void> {
  const { partner, onError } = ports;
  await queue.work(payoutProcessor(queue, ports), { concurrency: CONCURRENCY });
  partner.listen(({ tenantId, payoutId: withdrawal }) => {
    const data = { task: 'pay', tenantId, withdrawal, correlation: withdrawal, round: MAX_ROUNDS } as const;
    // News may come twice: one job. Its round is the last: who polls is another job's business.
    queue.add({ id: `told-${withdrawal}`, data }).catch((error: unknown) => onError(withdrawal, error));
  });
  await queue.schedule('sweep', options.sweepEveryMs, { task: 'sweep' }, { afterLoss: { task: 'begin-again' } });
}
