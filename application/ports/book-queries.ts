/**
 * What an auditor asks of the read models, and nobody else: whole tables, cheaply, one consistent snapshot a call.
 * Adapters: postgres and (for tests) whatever has the same rows.
 */
export interface BalanceRow {
  readonly accountId: string;
  readonly status: 'ACTIVATED' | 'CLOSED';
  /** Minor units, credit-positive. */
  readonly ledger: bigint;
  readonly held: bigint;
  readonly liens: bigint;
  /** Lines posted so far. */
  readonly sequence: number;
}

export interface CurrencyTotal {
  readonly currency: string;
  /** Sum of all accounts' balances: zero in a sound book. */
  readonly balance: bigint;
  readonly accounts: number;
}

export interface BookQueries {
  /** Accounts whose id comes after `after` ('' = from the first), in the order of their ids. */
  balances(tenantId: string, after: string, limit: number): Promise<readonly BalanceRow[]>;
  balancesOf(tenantId: string, accountIds: readonly string[]): Promise<readonly BalanceRow[]>;
  totals(tenantId: string): Promise<readonly CurrencyTotal[]>;
}

/** How many events the log has over all tenants, as its storage counts them, in one snapshot. */
export interface LogCensus {
  census(): Promise<{
    readonly events: number;
    /** 0 for an empty log. */
    readonly firstPosition: number;
    readonly lastPosition: number;
    /** What the log itself remembers as its last position. */
    readonly headPosition: number;
    /** Events that the heads of all tenants add up to. */
    readonly eventsByTenants: number;
  }>;
}
