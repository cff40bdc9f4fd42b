import type pg from 'pg';
import type { BalanceRow, BookQueries, CurrencyTotal, LogCensus } from '../../application/ports/book-queries.js';
import type { DueHold, DueHolds } from '../../application/ports/due-holds.js';

interface AccountRow {
  readonly account_id: string;
  readonly status: BalanceRow['status'];
  readonly ledger: string;
  readonly held: string;
  readonly liens: string;
  readonly sequence: string;
}

const ACCOUNT = 'account_id, status, ledger, held, liens, sequence';
const NO_ID = '00000000-0000-0000-0000-000000000000';

/**
 * What auditor and timers ask of the read models over all rows (views `ledger.accounts`, `ledger.holds`), and of the
 * log's table as a whole. As role corebook_core: over all tenants.
 */
export class PostgresBookQueries implements BookQueries, DueHolds, LogCensus {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async balances(tenantId: string, after: string, limit: number): Promise<readonly BalanceRow[]> {
    const { rows } = await this.#pool.query<AccountRow>(
      `select ${ACCOUNT} from ledger.accounts where tenant_id = $1 and account_id > $2 order by account_id limit $3`,
      [tenantId, after === '' ? NO_ID : after, limit],
    );
    return rows.map(toBalance);
  }

  async balancesOf(tenantId: string, accountIds: readonly string[]): Promise<readonly BalanceRow[]> {
    if (accountIds.length === 0) return [];
    const { rows } = await this.#pool.query<AccountRow>(
      `select ${ACCOUNT} from ledger.accounts where tenant_id = $1 and account_id = any($2::uuid[])`,
      [tenantId, accountIds],
    );
    return rows.map(toBalance);
  }

  async totals(tenantId: string): Promise<readonly CurrencyTotal[]> {
    const { rows } = await this.#pool.query<{ currency: string; balance: string; accounts: string }>(
      `select currency, sum(ledger) as balance, count(*) as accounts
         from ledger.accounts where tenant_id = $1 group by currency order by currency`,
      [tenantId],
    );
    return rows.map(({ currency, balance, accounts }) => ({
      currency,
      balance: BigInt(balance),
      accounts: Number(accounts),
    }));
  }

  async dueHolds(now: string, limit: number): Promise<readonly DueHold[]> {
    const { rows } = await this.#pool.query<{ tenant_id: string; hold_id: string }>(
      `select tenant_id, hold_id from ledger.holds
        where status = 'ACTIVE' and expires_at <= $1 order by expires_at limit $2`,
      [now, limit],
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, holdId: row.hold_id }));
  }

  async census(): ReturnType<LogCensus['census']> {
    // One statement is one snapshot: appends may go on.
    const { rows } = await this.#pool.query<Record<'events' | 'first' | 'last' | 'head' | 'tenants', string>>(
      `select count(*) as events, coalesce(min(position), 0) as first, coalesce(max(position), 0) as last,
              (select position from ledger.log_head) as head,
              (select coalesce(sum(revision + 1), 0) from ledger.log_tenants) as tenants
         from ledger.events`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('the log could not be counted');
    return {
      events: Number(row.events),
      firstPosition: Number(row.first),
      lastPosition: Number(row.last),
      headPosition: Number(row.head),
      eventsByTenants: Number(row.tenants),
    };
  }
}

function toBalance(row: AccountRow): BalanceRow {
  return {
    accountId: row.account_id,
    status: row.status,
    ledger: BigInt(row.ledger),
    held: BigInt(row.held),
    liens: BigInt(row.liens),
    sequence: Number(row.sequence),
  };
}
