import type { IdSource } from '../ports/clock.js';
import type { BalanceRow, BookQueries } from '../ports/book-queries.js';
import type { EventLog, LogHead } from '../ports/event-log.js';
import type { AccountBook } from './account-book.js';
import { type AppliedToAccount, applyToAccount } from './account-fold.js';
import type { AggregateEvents } from './aggregate-events.js';
import { compareRows } from './compare.js';
import type { AuditedLog } from './verify.js';

export interface SamplePorts {
  readonly log: AuditedLog & Pick<EventLog, 'read'>;
  readonly book: BookQueries;
  readonly events: AggregateEvents;
  readonly ids: IdSource;
}

export interface SampledAccounts {
  readonly compared: number;
  readonly differences: ReadonlyArray<{ readonly accountId: string; readonly what: string }>;
}

export interface SampleOptions {
  /** How many accounts, beside those that are looked at again. */
  readonly accounts: number;
  /** Newest events of an account that are summed up at least. */
  readonly eventsPerAccount: number;
  /** Events that may be read on top of that to find out what is on hold; counted down. */
  readonly budget: { left: number };
}

/** Where the newest events do not say what is on hold, this many times as many are looked at. */
const DEEPER = 8;

/**
 * Some accounts of the read model, chosen at random, against a fold of their newest events from the log. The read model
 * must have seen `head`. `again`: accounts to look at in any case.
 */
export async function sampleAccounts(
  ports: SamplePorts,
  what: { readonly tenantId: string; readonly head: LogHead; readonly again: readonly string[] },
  options: SampleOptions,
): Promise<SampledAccounts> {
  const { tenantId, head, again } = what;
  const rows = new Map<string, BalanceRow>();
  const random = await randomAccounts(ports, tenantId, options.accounts);
  for (const row of [...random, ...(await ports.book.balancesOf(tenantId, again))]) rows.set(row.accountId, row);
  const differences = again
    .filter((accountId) => !rows.has(accountId))
    .map((accountId) => ({ accountId, what: 'is missing in the read model' }));
  const accounts = new Map<string, AccountBook>();
  for (const accountId of rows.keys()) {
    // Nobody is cleared by a part of the truth.
    const eventsPerAccount = again.includes(accountId) ? Number.MAX_SAFE_INTEGER : options.eventsPerAccount;
    const { book, problem } = await foldNewest(ports, tenantId, accountId, head.revision, {
      ...options,
      eventsPerAccount,
    });
    if (book !== undefined) accounts.set(accountId, book);
    if (problem !== undefined) {
      differences.push({ accountId, what: `does not add up in the log: ${problem}` });
      rows.delete(accountId);
    }
  }
  const folded = { tenantId, head, checks: { accounts } };
  for (const { accountId, field, readModel, log } of await compareRows(ports, folded, [...rows.values()])) {
    differences.push({ accountId, what: `has ${field} ${readModel} in the read model and ${log} in the log` });
  }
  return { compared: rows.size, differences };
}

/** An account taken up some events before `to`: as far back as it takes to know all of it, within the budget. */
async function foldNewest(
  ports: SamplePorts,
  tenantId: string,
  accountId: string,
  to: number,
  { eventsPerAccount, budget }: SampleOptions,
): Promise<AppliedToAccount> {
  for (let last = eventsPerAccount; ; last *= DEEPER) {
    let folded: AppliedToAccount = { book: undefined };
    let events = 0;
    for await (const event of ports.events.events(tenantId, `account:${accountId}`, to, last)) {
      folded = applyToAccount(folded.book, event, accountId);
      if (folded.problem !== undefined) return folded;
      events += 1;
    }
    budget.left -= events;
    // Fewer than asked for are all there are.
    if (folded.book?.held !== undefined || events < last || budget.left <= 0) return folded;
  }
}

/** Ids are digests, so the accounts after a random one are a random choice, and the primary key finds them. */
async function randomAccounts(ports: SamplePorts, tenantId: string, count: number): Promise<readonly BalanceRow[]> {
  const start = randomUuid(ports.ids);
  const rows = await ports.book.balances(tenantId, start, count);
  if (rows.length === count) return rows;
  const wrapped = await ports.book.balances(tenantId, '', count - rows.length);
  return [...rows, ...wrapped.filter((row) => row.accountId <= start)];
}

function randomUuid(ids: IdSource): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(ids.random() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
