import type { StoredEvent } from './event-log.js';

/**
 * Turns of processes that write to one tenant's log at the same time. A hint, no lock: who appends without one is right
 * or wrong by the expected revision as ever, turns only spare the work of batches that would have been conflicts.
 * Adapter: postgres, whichever log there is.
 */
export interface Turns {
  /**
   * Resolves when it is this process's turn, first come, first served; or with undefined when none was to be had (it took
   * too long, the database is away): then one goes on without. Never rejects.
   */
  take(tenantId: string, knownRevision: number): Promise<Turn | undefined>;
}

export interface Turn {
  /**
   * What others have appended after the known revision, so that nobody has to ask for it: all of it or its beginning.
   * Undefined: it was not found out.
   */
  readonly news: readonly StoredEvent[] | undefined;
  /** Lets the next one have his. A process that dies gives up its turns by that. */
  end(): void;
}
