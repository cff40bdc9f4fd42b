/** Transfers to banks that are not settled, over all tenants: for the sweep that catches what lost jobs left behind. */
export interface OpenWithdrawal {
  readonly tenantId: string;
  readonly withdrawalId: string;
}

export interface OpenWithdrawals {
  /**
   * Pending and processing ones in which nothing has happened since this instant, by id from the one after `after` ('':
   * from the first), at most `limit`.
   */
  openWithdrawals(unchangedSince: string, after: string, limit: number): Promise<readonly OpenWithdrawal[]>;
}
