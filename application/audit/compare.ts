import type { Clock } from '../ports/clock.js';
import type { BalanceRow, BookQueries } from '../ports/book-queries.js';
import type { LogHead } from '../ports/event-log.js';
import type { ReadModels } from '../ports/read-models.js';
import type { AccountBook } from './account-book.js';
import { applyToAccount } from './account-fold.js';
import type { LedgerChecks } from './ledger-checks.js';
import type { AuditedLog } from './verify.js';

export interface Difference {
  readonly accountId: string;
  readonly field: keyof BalanceRow | 'account';
  readonly readModel: string;
  readonly log: string;
}

export interface CompareReport {
  readonly tenantId: string;
  readonly ok: boolean;
  /** The read models had not seen the log's end in time: nothing was compared. */
  readonly behind: boolean;
  readonly accountsCompared: number;
  /** The first hundred. */
  readonly differences: readonly Difference[];
  /** Currencies in which the read model's balances do not sum to zero. */
  readonly unbalanced: ReadonlyArray<{ readonly currency: string; readonly balance: string }>;
}

export interface ComparePorts {
  readonly log: AuditedLog;
  readonly readModels: Pick<ReadModels, 'waitFor'>;
  readonly book: BookQueries;
  readonly clock: Clock;
}

const PAGE = 1_000;
const MOST_DIFFERENCES = 100;
const WAIT_MS = 30_000;

/** The book as summed up from the log, up to `head`: see `verifyTenant`, run from revision 0. */
export interface FoldedBook {
  readonly tenantId: string;
  readonly checks: Pick<LedgerChecks, 'accounts'>;
  readonly head: LogHead;
}

/**
 * Every account of the read model against the log. Writing may go on meanwhile: the read model is at least where the
 * fold ended, so each of its rows must be what the account was there or after one of its later events.
 */
export async function compareTenant(
  ports: ComparePorts,
  folded: FoldedBook,
  options: { readonly waitMs?: number; readonly onProgress?: (accounts: number, of: number) => void } = {},
): Promise<CompareReport> {
  const { book, readModels, clock } = ports;
  const { tenantId, head, checks } = folded;
  const nothing = { tenantId, accountsCompared: 0, differences: [], unbalanced: [] };
  if (head.revision < 0) return { ...nothing, ok: true, behind: false };
  if (!(await readModels.waitFor(head.position, options.waitMs ?? WAIT_MS)))
    return { ...nothing, ok: false, behind: true };
  const differences: Difference[] = [];
  let compared = 0;
  let after = '';
  const unseen = new Set(checks.accounts.keys());
  for (;;) {
    const rows = await book.balances(tenantId, after, PAGE);
    for (const row of rows) unseen.delete(row.accountId);
    differences.push(...(await compareRows(ports, folded, rows)));
    compared += rows.length;
    options.onProgress?.(compared, checks.accounts.size);
    after = rows.at(-1)?.accountId ?? after;
    if (rows.length < PAGE) break;
    await clock.turn();
  }
  for (const accountId of unseen)
    differences.push({ accountId, field: 'account', readModel: 'missing', log: 'opened' });
  const unbalanced = (await book.totals(tenantId))
    .filter(({ balance }) => balance !== 0n)
    .map(({ currency, balance }) => ({ currency, balance: balance.toString() }));
  return {
    tenantId,
    ok: differences.length === 0 && unbalanced.length === 0,
    behind: false,
    accountsCompared: compared,
    differences: differences.slice(0, MOST_DIFFERENCES),
    unbalanced,
  };
}

/** Rows that were read after the read model had seen `folded.head`, against the fold and what followed it. */
export async function compareRows(
  ports: Pick<ComparePorts, 'log'>,
  folded: FoldedBook,
  rows: readonly BalanceRow[],
): Promise<Difference[]> {
  const open = new Map<string, { row: BalanceRow; first: Difference }>();
  const later = new Map<string, AccountBook>();
  for (const row of rows) {
    const known = folded.checks.accounts.get(row.accountId);
    const first = differenceOf(row, known);
    if (first === undefined) continue;
    open.set(row.accountId, { row, first });
    if (known !== undefined) later.set(row.accountId, known.copy());
  }
  if (open.size === 0) return [];
  // Not what it was at the head: is it what it became since?
  const { tenantId, head } = folded;
  const tags = [...open.keys()].map((id) => `account:${id}` as const);
  for await (const event of ports.log.read(tenantId, { from: head.revision + 1, tags })) {
    for (const [id, { row }] of open) {
      const before = later.get(id);
      const after = applyToAccount(before, event, id).book;
      if (after === undefined) continue;
      later.set(id, after);
      if (differenceOf(row, after) === undefined) open.delete(id);
    }
  }
  return [...open.values()].map(({ first }) => first);
}

function differenceOf(row: BalanceRow, book: AccountBook | undefined): Difference | undefined {
  const { accountId } = row;
  if (book === undefined) return { accountId, field: 'account', readModel: 'present', log: 'never opened' };
  for (const field of ['ledger', 'sequence', 'held', 'liens', 'status'] as const) {
    const expected = book[field];
    if (expected !== undefined && expected !== row[field]) {
      return { accountId, field, readModel: String(row[field]), log: String(expected) };
    }
  }
  return undefined;
}
