import type { BalanceRow, BookQueries, CurrencyTotal } from '../../application/ports/book-queries.js';
import type { EventLog } from '../../application/ports/event-log.js';
import { evolveTag } from '../../domain/aggregates.js';
import { type AccountState, accountAggregate } from '../../domain/ledger/account.js';

/** Read models made by the domain's own fold, as far as `upTo`; rows can be spoiled and hidden. */
export class FoldedRows implements BookQueries {
  readonly spoiled = new Map<string, Partial<BalanceRow>>();
  readonly hidden = new Set<string>();

  constructor(
    private readonly log: Pick<EventLog, 'read'>,
    private readonly upTo: () => number = () => Number.MAX_SAFE_INTEGER,
  ) {}

  async balances(tenantId: string, after: string, limit: number): Promise<readonly BalanceRow[]> {
    return (await this.#rows(tenantId)).filter((row) => row.accountId > after).slice(0, limit);
  }

  async balancesOf(tenantId: string, ids: readonly string[]): Promise<readonly BalanceRow[]> {
    return (await this.#rows(tenantId)).filter((row) => ids.includes(row.accountId));
  }

  async totals(tenantId: string): Promise<readonly CurrencyTotal[]> {
    const totals = new Map<string, { balance: bigint; accounts: number }>();
    for (const { currency, ledger } of (await this.#states(tenantId)).values()) {
      const total = totals.get(currency) ?? { balance: 0n, accounts: 0 };
      totals.set(currency, { balance: total.balance + ledger, accounts: total.accounts + 1 });
    }
    return [...totals].map(([currency, total]) => ({ currency, ...total }));
  }

  async #rows(tenantId: string): Promise<BalanceRow[]> {
    return [...(await this.#states(tenantId))]
      .filter(([id]) => !this.hidden.has(id))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([accountId, { status, ledger, held, liens, sequence }]) => ({
        accountId,
        status: status as BalanceRow['status'],
        ledger,
        held,
        liens,
        sequence,
        ...this.spoiled.get(accountId),
      }));
  }

  async #states(tenantId: string): Promise<Map<string, AccountState>> {
    // A real read model is asked later than the log was: whoever writes comes first.
    await new Promise((resolve) => setImmediate(resolve));
    const states = new Map<string, AccountState>();
    for await (const event of this.log.read(tenantId, { to: this.upTo() })) {
      for (const tag of event.tags) {
        if (!tag.startsWith('account:')) continue;
        const id = tag.slice('account:'.length);
        states.set(id, evolveTag(tag, states.get(id) ?? accountAggregate.initial(id), event) as AccountState);
      }
    }
    return states;
  }
}
