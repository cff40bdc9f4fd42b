import type { Actor } from '../../domain/shared/decider.js';
import type { HoldPlaced } from '../../domain/ledger/events.js';
import type { CommandBus } from '../commands.js';
import type { Clock } from '../ports/clock.js';
import type { DueHolds } from '../ports/due-holds.js';
import type { ScannedEvent } from '../ports/event-scan.js';
import {
  type JobProcessor,
  type JobQueue,
  type JobQueues,
  MAX_JOBS_PER_CALL,
  type NewJob,
} from '../ports/job-queue.js';
import type { Reactor } from './run-reactor.js';

/** A type, not an interface: only types are Json by structure. */
export type HoldTask =
  | {
      readonly task: 'expire';
      readonly tenantId: string;
      readonly hold: string;
      readonly expiresAt: string;
      readonly correlation: string;
    }
  | { readonly task: 'sweep' };

export const HOLD_EXPIRY_ACTOR: Actor = { subject: 'system:hold-expiry', roles: [] };

/** Attempts are about twenty minutes together; after that the sweep is still there. */
const RETRY = { attempts: 10, firstDelayMs: 1_000 };
const CONCURRENCY = 8;
/** A worker whose clock is behind the producer's waits this long itself; beyond, the attempt fails and is tried again. */
const MAX_EARLY_MS = 5_000;
const SWEEP_PAGE = 500;
/** Most holds that one sweep expires: the next one goes on. */
const SWEEP_PAGES = 20;

export function holdExpiryQueue(queues: JobQueues): JobQueue<HoldTask> {
  return queues.open<HoldTask>('hold-expiry', RETRY);
}

/** For every hold that may expire, a job at its time; the job's id is made from the event's, so it is one job. */
export function holdExpiryReactor(queue: JobQueue<HoldTask>, clock: Clock): Reactor {
  return {
    name: 'hold-expiry',
    types: ['hold-placed'],
    async react(events) {
      const nowMs = clock.nowMs();
      const jobs = events.flatMap((event) => expiryJob(event, nowMs));
      for (let from = 0; from < jobs.length; from += MAX_JOBS_PER_CALL) {
        await queue.addAll(jobs.slice(from, from + MAX_JOBS_PER_CALL));
      }
    },
  };
}

function expiryJob(event: ScannedEvent, nowMs: number): Array<NewJob<HoldTask>> {
  if (event.type !== 'hold-placed') return [];
  const { hold, expiresAt } = (event as ScannedEvent & HoldPlaced).data;
  if (expiresAt === undefined) return [];
  const correlation = event.meta.correlation ?? event.id;
  return [
    {
      id: `expire-hold-${event.id}`,
      delayMs: Date.parse(expiresAt) - nowMs,
      data: { task: 'expire', tenantId: event.tenantId, hold, expiresAt, correlation },
    },
  ];
}

/** Expires holds by command: the decider leaves alone what is settled or not due, so a job may run any number of times. */
export function holdExpiryProcessor(ports: {
  bus: CommandBus;
  dueHolds: DueHolds;
  clock: Clock;
}): JobProcessor<HoldTask> {
  const { bus, clock } = ports;
  const expire = async (tenantId: string, hold: string, correlationId: string): Promise<boolean> => {
    const command = {
      name: 'expire-hold',
      tenantId,
      payload: { hold },
      actor: HOLD_EXPIRY_ACTOR,
      correlationId,
    } as const;
    const outcome = await bus.execute(command);
    if (outcome.status === 'refused') throw new Error(`expire-hold was refused: ${outcome.refusal.refused}`);
    return outcome.events.length > 0;
  };
  return async ({ data, signal }) => {
    if (data.task === 'sweep') {
      await sweep(ports, expire, signal);
      return;
    }
    await untilDue(data.expiresAt, clock, signal);
    await expire(data.tenantId, data.hold, data.correlation);
  };
}

/** The domain compares instants as text, so that is what must have come: `…00Z` is due when `…01.000Z` is there. */
async function untilDue(expiresAt: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const latestMs = clock.nowMs() + MAX_EARLY_MS;
  while (instantOf(clock.nowMs()) < expiresAt) {
    const leftMs = Math.max(Date.parse(expiresAt) - clock.nowMs(), 20);
    if (clock.nowMs() + leftMs > latestMs) throw new Error(`the job came ${leftMs} ms early`);
    await clock.sleep(leftMs, signal);
  }
}

/** What jobs that were lost have left behind, found in the read model. */
async function sweep(
  ports: { dueHolds: DueHolds; clock: Clock },
  expire: (tenantId: string, hold: string, correlationId: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const { dueHolds, clock } = ports;
  const tried = new Set<string>();
  for (let page = 0; page < SWEEP_PAGES && !signal.aborted; page += 1) {
    const due = await dueHolds.dueHolds(instantOf(clock.nowMs()), SWEEP_PAGE);
    // The read model may be behind and name the same holds again.
    const fresh = due.filter(({ holdId }) => !tried.has(holdId));
    if (fresh.length === 0) return;
    for (const { holdId } of fresh) tried.add(holdId);
    await Promise.all(fresh.map(({ tenantId, holdId }) => expire(tenantId, holdId, holdId)));
    if (due.length < SWEEP_PAGE) return;
  }
}

function instantOf(ms: number): string {
  return new Date(ms).toISOString();
}

export interface HoldExpiryOptions {
  readonly sweepEveryMs: number;
}

/** Works on the queue in this process and keeps the sweep scheduled; the reactor is run beside it by `runReactor`. */
export async function startHoldExpiry(
  queue: JobQueue<HoldTask>,
  ports: { bus: CommandBus; dueHolds: DueHolds; clock: Clock },
  options: HoldExpiryOptions = { sweepEveryMs: 60_000 },
): Promise<void> {
  await queue.work(holdExpiryProcessor(ports), { concurrency: CONCURRENCY });
  await queue.schedule('sweep', options.sweepEveryMs, { task: 'sweep' });
}
