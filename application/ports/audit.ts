import type { Json } from '../../domain/shared/event.js';

/** The state of an aggregate as it was after an event of its tenant's log. */
export interface ReplayedState {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** Revision of the last event folded in, and when it was recorded. */
  readonly revision: number;
  readonly recordedAt: string;
  /** How many events made it. */
  readonly events: number;
  readonly state: Json;
}

export interface ChainReport {
  readonly ok: boolean;
  /** Revisions whose hashes were recomputed, both inclusive; -1 for an empty log. */
  readonly checkedFrom: number;
  readonly checkedTo: number;
  /** Hash of the last event checked. */
  readonly head: string;
  readonly firstBreak?: { readonly revision: number; readonly reason: string };
}

/** Questions to the log itself, not to read models. Each call reads a bounded part of one tenant's log. */
export interface AuditService {
  /**
   * The fold of the aggregate's events up to a revision (inclusive) or an instant (inclusive); default: all of them.
   * Undefined when no such aggregate kind exists or it had no event by then.
   */
  replay(
    tenantId: string,
    aggregateType: string,
    aggregateId: string,
    until: { readonly revision?: number; readonly at?: string },
  ): Promise<ReplayedState | undefined>;
  /** Recomputes the hash chain from a revision (default 0) to another (default: the end, or as far as the service's limit). */
  verifyChain(tenantId: string, range: { readonly from?: number; readonly to?: number }): Promise<ChainReport>;
}
