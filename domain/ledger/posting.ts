import type { Aggregate, Json } from '../shared/event.js';
import type { LedgerEvent } from './events.js';

/**
 * What happened to an entry after it was posted: the fold of events tagged `posting:<entry id>`. The entry itself
 * does not carry that tag (its id finds it), so that an entry nobody reverses costs no state.
 */
export interface PostingState {
  /** The entry that reversed it, or undefined. An entry is reversed at most once, wholly or in part. */
  readonly reversedBy: string | undefined;
}

export const postingAggregate: Aggregate<PostingState, LedgerEvent> = {
  kind: 'posting',
  stateVersion: 1,
  initial: () => ({ reversedBy: undefined }),
  evolve: (state, event, id) =>
    event.type === 'entry-posted' && event.data.reverses === id ? { reversedBy: event.id } : state,
  toJson: (state) => ({ reversedBy: state.reversedBy ?? null }),
  fromJson: (json: Json) => ({
    reversedBy: (json as { reversedBy: string | null }).reversedBy ?? undefined,
  }),
};
