/** What the self-audit remembers between runs and processes: how far each chain was checked, and how the last run went. */
export interface ChainCheckpoint {
  readonly revision: number;
  /** What that event's hash was: kept outside the log, so that rewriting the whole chain does not go unnoticed. */
  readonly hash: string;
}

/** An account that differed: looked at again in every run until it agrees. */
export interface Suspect {
  readonly tenantId: string;
  readonly accountId: string;
}

export interface SelfAuditResult {
  readonly ok: boolean;
  /** One line for people. */
  readonly detail: string;
  /** Instant of the run. */
  readonly at: string;
  readonly suspects: readonly Suspect[];
  /** Tenants whose chain or trial balance was broken: looked at again in every run. */
  readonly suspectTenants: readonly string[];
}

export interface SelfAuditStore {
  checkpoint(tenantId: string): Promise<ChainCheckpoint | undefined>;
  /** Never moves back. */
  saveCheckpoint(tenantId: string, checkpoint: ChainCheckpoint): Promise<void>;
  lastResult(): Promise<SelfAuditResult | undefined>;
  saveResult(result: SelfAuditResult): Promise<void>;
}
