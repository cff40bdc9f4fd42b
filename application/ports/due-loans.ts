/** Loans that a day's work waits for, over all tenants: found in the read model, which may be behind. */
export interface DueLoan {
  readonly tenantId: string;
  readonly loanId: string;
}

export interface DueLoans {
  /** Running loans that are not accrued up to `day` (YYYY-MM-DD), by tenant and loan, after the given one, at most `limit`. */
  dueLoans(day: string, after: DueLoan | undefined, limit: number): Promise<readonly DueLoan[]>;
  /** Offers that nobody answered and that expire at or before this instant, the longest overdue first, at most `limit`. */
  expiredOffers(now: string, limit: number): Promise<readonly DueLoan[]>;
}
