import type { Tag } from '../../domain/shared/event.js';

/** Stored aggregate states (`aggregate_states`, written by a projection): where the processor loads cold aggregates from. */
export interface LoadedStates {
  /** All events of the tenant up to and including this revision are in the states (-1: none is). */
  readonly revision: number;
  /** The state (the aggregate's `toJson`) of each tag that has one in the present state version. */
  readonly states: ReadonlyMap<Tag, unknown>;
  /** There are no states of the present version, of any tenant: they are being built, or another version is live. */
  readonly missing?: true;
}

export interface StateStore {
  /** One consistent read: the tenant's checkpoint and the states of these tags. */
  load(tenantId: string, tags: readonly Tag[]): Promise<LoadedStates>;
}
