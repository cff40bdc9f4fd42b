import type { Actor } from '../../domain/shared/decider.js';
import type { CommandBus } from '../commands.js';
import type { Clock } from '../ports/clock.js';
import type { DueLoan, DueLoans } from '../ports/due-loans.js';
import type { JobProcessor, JobQueue, JobQueues } from '../ports/job-queue.js';

/** A type, not an interface: only types are Json by structure. */
export type LoanTask = { readonly task: 'sweep' };

export const LOAN_ACCRUAL_ACTOR: Actor = { subject: 'system:loan-accrual', roles: [] };

/** The next sweep does what this one could not. */
const RETRY = { attempts: 3, firstDelayMs: 5_000 };
/** Loans in work at once: as many share a batch of the processor, which others' commands wait for. */
const IN_FLIGHT = 32;
const PAGE = 1_000;
/** Most offers that one sweep expires: the next one goes on. */
const MAX_OFFERS = 1_000;
/** After so many loans that could not be accrued something else is wrong, and the sweep ends. */
const MAX_FAILURES = 20;
/** Nothing is done for a tenant that is suspended; when it is not any more, the days are made up for. */
const EXPECTED: ReadonlySet<string> = new Set(['tenant-suspended', 'tenant-not-found']);

export function loanAccrualQueue(queues: JobQueues): JobQueue<LoanTask> {
  return queues.open<LoanTask>('loan-accrual', RETRY);
}

export interface LoanAccrualPorts {
  readonly bus: CommandBus;
  readonly dueLoans: DueLoans;
  readonly clock: Clock;
}

/**
 * Books the interest and penalties of every running loan up to today, and expires offers. A sweep finds in the read model
 * what is left to do, so the first one of a day does the day, the others next to nothing, and one that was killed is
 * gone on with by the next: per loan and day the decider books once.
 */
export function loanAccrualProcessor(ports: LoanAccrualPorts): JobProcessor<LoanTask> {
  return async ({ signal }) => {
    const now = new Date(ports.clock.nowMs()).toISOString();
    const failures = new Failures();
    await accrueAll(now.slice(0, 10), ports, failures, signal);
    await expireOffers(now, ports, failures, signal);
    failures.report();
  };
}

/** Loans that could not be done do not hold up the others; they are told of at the end. */
class Failures {
  #count = 0;
  #first: unknown;

  get isTooMany(): boolean {
    return this.#count >= MAX_FAILURES;
  }

  add(error: unknown): void {
    if (this.#count === 0) this.#first = error;
    this.#count += 1;
  }

  report(): void {
    if (this.#count > 0) throw new Error(`${this.#count} loans could not be done`, { cause: this.#first });
  }
}

async function accrueAll(
  upTo: string,
  ports: LoanAccrualPorts,
  failures: Failures,
  signal: AbortSignal,
): Promise<void> {
  let after: DueLoan | undefined;
  for (;;) {
    // By id onwards: the read model may be behind and show what is done already.
    const page: readonly DueLoan[] = await ports.dueLoans.dueLoans(upTo, after, PAGE);
    const accrue = ({ tenantId, loanId: loan }: DueLoan): Promise<void> =>
      run({ name: 'accrue-loan', tenantId, payload: { loan, upTo } }, upTo, ports.bus);
    await eachOf(page, accrue, failures, signal);
    if (page.length < PAGE || failures.isTooMany || signal.aborted) return;
    after = page.at(-1);
  }
}

async function expireOffers(
  now: string,
  ports: LoanAccrualPorts,
  failures: Failures,
  signal: AbortSignal,
): Promise<void> {
  if (failures.isTooMany || signal.aborted) return;
  const expire = ({ tenantId, loanId: loan }: DueLoan): Promise<void> =>
    run({ name: 'expire-loan-offer', tenantId, payload: { loan } }, now, ports.bus);
  await eachOf(await ports.dueLoans.expiredOffers(now, MAX_OFFERS), expire, failures, signal);
}

async function run(
  command:
    | { readonly name: 'accrue-loan'; readonly tenantId: string; readonly payload: { loan: string; upTo: string } }
    | { readonly name: 'expire-loan-offer'; readonly tenantId: string; readonly payload: { loan: string } },
  time: string,
  bus: CommandBus,
): Promise<void> {
  const outcome = await bus.execute({ ...command, actor: LOAN_ACCRUAL_ACTOR, correlationId: `loan-accrual-${time}` });
  if (outcome.status === 'refused' && !EXPECTED.has(outcome.refusal.refused)) {
    throw new Error(`${command.name} was refused: ${outcome.refusal.refused}`);
  }
}

/** `IN_FLIGHT` at once, until all are done, too many failed, or it is time to stop. */
async function eachOf(
  loans: readonly DueLoan[],
  work: (loan: DueLoan) => Promise<void>,
  failures: Failures,
  signal: AbortSignal,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (!signal.aborted && !failures.isTooMany) {
      const loan = loans[next];
      next += 1;
      if (loan === undefined) return;
      await work(loan).catch((error: unknown) => failures.add(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, loans.length) }, worker));
}

/** Works on the queue in this process and keeps the sweep scheduled, once for all processes together. */
export async function startLoanAccrual(
  queue: JobQueue<LoanTask>,
  ports: LoanAccrualPorts,
  options: { readonly sweepEveryMs: number } = { sweepEveryMs: 300_000 },
): Promise<void> {
  await queue.work(loanAccrualProcessor(ports), { concurrency: 1 });
  await queue.schedule('sweep', options.sweepEveryMs, { task: 'sweep' });
}
