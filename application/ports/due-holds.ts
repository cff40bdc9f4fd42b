/** Holds whose time has come, over all tenants: for the sweep that catches what lost jobs left behind. */
export interface DueHold {
  readonly tenantId: string;
  readonly holdId: string;
}

export interface DueHolds {
  /** Active holds that expire at or before this instant, the longest overdue first, at most `limit`. */
  dueHolds(now: string, limit: number): Promise<readonly DueHold[]>;
}
