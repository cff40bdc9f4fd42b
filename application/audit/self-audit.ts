import type { Clock, IdSource } from '../ports/clock.js';
import type { BookQueries } from '../ports/book-queries.js';
import type { EventLog } from '../ports/event-log.js';
import type { JobQueue, JobQueues } from '../ports/job-queue.js';
import type { ReadModels } from '../ports/read-models.js';
import type { SelfAuditResult, SelfAuditStore, Suspect } from '../ports/self-audit-store.js';
import type { AggregateEvents } from './aggregate-events.js';
import { sampleAccounts } from './sample.js';
import { type VerifyReport, verifyTenant } from './verify.js';

export interface SelfAuditPorts {
  readonly log: EventLog;
  readonly readModels: Pick<ReadModels, 'waitFor'>;
  readonly book: BookQueries;
  readonly events: AggregateEvents;
  readonly store: SelfAuditStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Called when the verdict changes, either way: for the operator's log. */
  readonly onVerdict: (result: SelfAuditResult) => void;
}

export interface SelfAuditOptions {
  /** Tenants looked at in one run, beside those under suspicion; others take their turn. */
  readonly tenantsPerRun: number;
  /** Accounts compared per tenant and run. */
  readonly accountsPerTenant: number;
  /** Newest events whose chain is checked in one run, all tenants together: where more were added, the older of them are left to `audit verify`. */
  readonly tailPerRun: number;
  /** Newest events of an account that are summed up again (up to twice as many). */
  readonly eventsPerAccount: number;
  /** Older ones read in one run for accounts whose newest events do not say what is on hold. */
  readonly olderEventsPerRun: number;
  /** How long the read models may take to see the log's end before comparing is put off. */
  readonly waitMs: number;
}

export const DEFAULT_SELF_AUDIT: SelfAuditOptions = {
  tenantsPerRun: 20,
  accountsPerTenant: 10,
  // About a second of CPU.
  tailPerRun: 30_000,
  eventsPerAccount: 100,
  olderEventsPerRun: 20_000,
  waitMs: 10_000,
};

interface Findings {
  readonly problems: string[];
  readonly suspects: Suspect[];
  readonly suspectTenants: string[];
  events: number;
  accounts: number;
  /** Tenants whose read models were too far behind to be compared. */
  behind: number;
  skipped: number;
  /** Older events that may still be read. */
  readonly budget: { left: number };
}

const MOST_PROBLEMS_TOLD = 5;
/** Accounts that are looked at again; where more differ, some are enough to stay red. */
const MOST_SUSPECTS = 20;

/**
 * A little of `audit verify` in every run, on a book that is being written: each currency sums to zero, a sample of
 * accounts in the read model is what the log says, the newest part of each chain is unbroken. It is a readiness check:
 * red from a run that found something until one that looked at the same places again finds nothing.
 */
export class SelfAudit {
  readonly name = 'self-audit';
  readonly #options: SelfAuditOptions;

  constructor(
    private readonly ports: SelfAuditPorts,
    options: Partial<SelfAuditOptions> = {},
  ) {
    this.#options = { ...DEFAULT_SELF_AUDIT, ...options };
  }

  /** The last run's verdict, by whichever process it was, and when. */
  async check(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    const last = await this.ports.store.lastResult();
    return last === undefined
      ? { ok: true, detail: 'not run yet' }
      : { ok: last.ok, detail: `${last.at}: ${last.detail}` };
  }

  /** One run. Rejects when it could not look (no database); the last verdict stands then. */
  async run(): Promise<SelfAuditResult> {
    const { store, clock, onVerdict } = this.ports;
    const last = await store.lastResult();
    const found: Findings = {
      problems: [],
      suspects: [],
      suspectTenants: [],
      events: 0,
      accounts: 0,
      behind: 0,
      skipped: 0,
      budget: { left: this.#options.olderEventsPerRun },
    };
    for (const tenantId of await this.#chosenTenants(last)) {
      const before = found.problems.length;
      await this.#chain(tenantId, found);
      await this.#balances(tenantId, last, found);
      if (found.problems.length > before) found.suspectTenants.push(tenantId);
    }
    const result: SelfAuditResult = {
      ok: found.problems.length === 0,
      detail: detailOf(found),
      at: new Date(clock.nowMs()).toISOString(),
      suspects: found.suspects.slice(0, MOST_SUSPECTS),
      suspectTenants: found.suspectTenants,
    };
    await store.saveResult(result);
    if (result.ok !== (last?.ok ?? true)) onVerdict(result);
    return result;
  }

  async #chosenTenants(last: SelfAuditResult | undefined): Promise<Set<string>> {
    const { log, ids } = this.ports;
    const all = await log.tenants();
    const chosen = new Set(last?.suspectTenants ?? []);
    const start = Math.floor(ids.random() * all.length);
    for (let i = 0; i < Math.min(all.length, this.#options.tenantsPerRun); i += 1) {
      chosen.add(all[(start + i) % all.length] as string);
    }
    return chosen;
  }

  /** From where the last run came to, or the newest part when that is too far back. */
  async #chain(tenantId: string, found: Findings): Promise<void> {
    const { log, store } = this.ports;
    const checkpoint = await store.checkpoint(tenantId);
    const head = await log.head(tenantId);
    const next = (checkpoint?.revision ?? -1) + 1;
    const budget = Math.max(0, this.#options.tailPerRun - found.events);
    const from = Math.max(next, head.revision + 1 - budget);
    if (from > next && checkpoint !== undefined) {
      // The event at the checkpoint is looked at even when what follows it is skipped.
      found.skipped += from - next;
      if ((await this.#verify(tenantId, next, next - 1, checkpoint.hash, found)) === undefined) return;
    }
    const anchor = from === next ? checkpoint?.hash : undefined;
    const report = await this.#verify(tenantId, from, head.revision, anchor, found);
    if (report === undefined || report.eventsChecked === 0) return;
    await store.saveCheckpoint(tenantId, { revision: report.checkedTo, hash: report.head });
  }

  /** Undefined when something is broken. */
  async #verify(
    tenantId: string,
    from: number,
    to: number,
    anchorHash: string | undefined,
    found: Findings,
  ): Promise<VerifyReport | undefined> {
    const { log, clock } = this.ports;
    const pause = (): Promise<void> => clock.turn();
    const anchor = anchorHash === undefined ? {} : { anchorHash };
    const { report } = await verifyTenant(log, tenantId, { from, to, pause, ...anchor });
    found.events += report.eventsChecked;
    if (report.firstBreak === undefined) return report;
    found.problems.push(`${tenantId} revision ${report.firstBreak.revision}: ${report.firstBreak.reason}`);
    return undefined;
  }

  async #balances(tenantId: string, last: SelfAuditResult | undefined, found: Findings): Promise<void> {
    const { book, log, readModels } = this.ports;
    const suspects = (last?.suspects ?? []).filter((suspect) => suspect.tenantId === tenantId);
    const head = await log.head(tenantId);
    if (!(await readModels.waitFor(head.position, this.#options.waitMs))) {
      found.behind += 1;
      if (last?.suspectTenants.includes(tenantId) !== true) return;
      // What was under suspicion stays so: nothing has cleared it.
      found.suspects.push(...suspects);
      found.problems.push(`${tenantId}: found broken before, and not looked at again yet`);
      return;
    }
    for (const { currency, balance } of await book.totals(tenantId)) {
      if (balance !== 0n)
        found.problems.push(`${tenantId}: the balances in ${currency} sum to ${balance}, not to zero`);
    }
    const again = suspects.map(({ accountId }) => accountId);
    const { accountsPerTenant: accounts, eventsPerAccount } = this.#options;
    const options = { accounts, eventsPerAccount, budget: found.budget };
    const sample = await sampleAccounts(this.ports, { tenantId, head, again }, options);
    found.accounts += sample.compared;
    for (const { accountId, what } of sample.differences) {
      found.problems.push(`${tenantId}: account ${accountId} ${what}`);
      found.suspects.push({ tenantId, accountId });
    }
  }
}

function detailOf(found: Findings): string {
  const { problems, events, accounts, behind, skipped } = found;
  const done = [`${events} events and ${accounts} accounts checked`];
  if (skipped > 0) done.push(`${skipped} older events left to audit verify`);
  if (behind > 0) done.push(`read models of ${behind} tenants too far behind to compare`);
  const told = problems.slice(0, MOST_PROBLEMS_TOLD);
  if (problems.length > told.length) told.push(`and ${problems.length - told.length} more`);
  return [...told, done.join(', ')].join('; ');
}

/** A type, not an interface: only types are Json by structure. */
export type SelfAuditTask = { readonly task: 'self-audit' };

export function selfAuditQueue(queues: JobQueues): JobQueue<SelfAuditTask> {
  // Not tried again: the next run is soon.
  return queues.open<SelfAuditTask>('self-audit', { attempts: 1, firstDelayMs: 0 });
}

/** One run every `everyMs` over all processes, one at a time in each. */
export async function startSelfAudit(queue: JobQueue<SelfAuditTask>, audit: SelfAudit, everyMs: number): Promise<void> {
  await queue.work(async () => {
    await audit.run();
  });
  await queue.schedule('self-audit', everyMs, { task: 'self-audit' });
}
