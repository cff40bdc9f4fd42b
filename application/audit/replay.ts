import { AGGREGATES, type AggregateKind, evolveTag, tagOf } from '../../domain/aggregates.js';
import type { AccountOpened, EntryPosted } from '../../domain/ledger/events.js';
import type { Aggregate } from '../../domain/shared/event.js';
import type { ReplayedState } from '../ports/audit.js';
import type { EventLog, StoredEvent } from '../ports/event-log.js';
import type { TrialBalanceRow } from '../ports/read-models.js';
import type { AggregateEvents } from './aggregate-events.js';

/** Up to and including a revision, an instant (ISO 8601), or both; neither: everything. */
export interface Until {
  readonly revision?: number;
  readonly at?: string;
}

/** The fold of one aggregate's events as it stood; undefined for an unknown kind or when it had no event by then. */
export async function replayAggregate(
  source: AggregateEvents,
  tenantId: string,
  kind: string,
  id: string,
  until: Until,
): Promise<ReplayedState | undefined> {
  if (!isAggregateKind(kind)) return undefined;
  const aggregate: Aggregate<unknown> = AGGREGATES[kind] as unknown as Aggregate<unknown>;
  const tag = tagOf(kind, id);
  const isPast = pastOf(until);
  let state = aggregate.initial(id);
  let last: StoredEvent | undefined;
  let events = 0;
  for await (const event of source.events(tenantId, tag, until.revision ?? Number.MAX_SAFE_INTEGER)) {
    if (isPast(event)) break;
    state = evolveTag(tag, state, event);
    last = event;
    events += 1;
  }
  if (last === undefined) return undefined;
  return {
    aggregateType: kind,
    aggregateId: id,
    revision: last.revision,
    recordedAt: last.recordedAt,
    events,
    state: aggregate.toJson(state),
  };
}

/** The books as they were, made from the log alone. */
export interface BooksAt {
  readonly tenantId: string;
  /** Last event that is in it; -1 and '' when there was none by then. */
  readonly revision: number;
  readonly recordedAt: string;
  /** Accounts that were open or had been, in the order of their opening. */
  readonly rows: readonly TrialBalanceRow[];
  /** Sum of the balances by currency: zero in a sound book. */
  readonly totals: ReadonlyArray<{ readonly currency: string; readonly balance: bigint }>;
}

const PROGRESS_EVERY = 1_000;

/** `onProgress` gets the revision reached and the last one of the log. Memory: one row per account. */
export async function booksAt(
  log: Pick<EventLog, 'read' | 'head'>,
  tenantId: string,
  until: Until,
  onProgress?: (revision: number, to: number) => void,
): Promise<BooksAt> {
  const head = await log.head(tenantId);
  const to = Math.min(until.revision ?? head.revision, head.revision);
  const isPast = pastOf(until);
  const rows = new Map<string, { -readonly [K in keyof TrialBalanceRow]: TrialBalanceRow[K] }>();
  let revision = -1;
  let recordedAt = '';
  for await (const event of log.read(tenantId, { to })) {
    if (isPast(event)) break;
    ({ revision, recordedAt } = event);
    if (event.type === 'account-opened') {
      const { account, number, name, kind, currency } = (event as AccountOpened & StoredEvent).data;
      // A name that is sealed for the owner is not shown here.
      const shown = { accountId: account, number, name: name ?? '', kind, currency };
      rows.set(account, { ...shown, debits: 0n, credits: 0n, balance: 0n });
    } else if (event.type === 'entry-posted') {
      for (const line of (event as EntryPosted & StoredEvent).data.lines) {
        const row = rows.get(line.account);
        if (row === undefined)
          throw new Error(`revision ${revision} posts to account ${line.account}, which was never opened`);
        if (line.side === 'debit') row.debits += BigInt(line.amount);
        else row.credits += BigInt(line.amount);
        row.balance = row.credits - row.debits;
      }
    }
    if (revision % PROGRESS_EVERY === 0) onProgress?.(revision, to);
  }
  onProgress?.(to, to);
  const totals = new Map<string, bigint>();
  for (const { currency, balance } of rows.values()) totals.set(currency, (totals.get(currency) ?? 0n) + balance);
  return {
    tenantId,
    revision,
    recordedAt,
    rows: [...rows.values()],
    totals: [...totals].map(([currency, balance]) => ({ currency, balance })),
  };
}

function isAggregateKind(kind: string): kind is AggregateKind {
  return Object.hasOwn(AGGREGATES, kind);
}

/** Whether an event lies behind the point asked for. Throws `RangeError` for an instant that is none. */
function pastOf({ revision, at }: Until): (event: StoredEvent) => boolean {
  if (at !== undefined && Number.isNaN(Date.parse(at))) throw new RangeError(`${at} is not an instant`);
  const instant = at === undefined ? undefined : new Date(Date.parse(at)).toISOString();
  return (event) =>
    (revision !== undefined && event.revision > revision) || (instant !== undefined && event.recordedAt > instant);
}
