import { aggregateOf, evolveTag } from '../../domain/aggregates.js';
import type { Tag } from '../../domain/shared/event.js';
import type { AggregateEvents } from '../audit/aggregate-events.js';
import { Unavailable } from '../commands.js';
import type { EventLog } from '../ports/event-log.js';
import type { LoadedStates, StateStore } from '../ports/state-store.js';

/** A shorter log is folded as a whole when its tenant is opened: that is soon done, and done once. */
const SHORT_LOG_EVENTS = 20_000;
/** Most events that one load folds; an aggregate with more waits for the stored states. */
const MOST_EVENTS = 1_000_000;
/** How long the index of tags may take to have seen the end of the log. */
const INDEX_WAIT_MS = 5_000;

interface Ports {
  readonly log: Pick<EventLog, 'head'>;
  readonly events: AggregateEvents;
  /** False when the index of tags does not get there in time. */
  readonly waitFor: (position: string, timeoutMs: number) => Promise<boolean>;
}

/**
 * Stored states, and while there are none of this code's version, the same from the events of each aggregate, found by the
 * index of tags. So a process of a new version serves while the states of that version are built beside the old ones, and
 * one of the old version serves on after they have been switched; only what is asked for is folded.
 */
export class StatesByEvents implements StateStore {
  constructor(
    private readonly stored: StateStore,
    private readonly ports: Ports,
    private readonly shortLogEvents = SHORT_LOG_EVENTS,
  ) {}

  async load(tenantId: string, tags: readonly Tag[]): Promise<LoadedStates> {
    const stored = await this.stored.load(tenantId, tags);
    if (stored.missing === undefined) return stored;
    const { revision, position } = await this.ports.log.head(tenantId);
    if (revision < this.shortLogEvents) return stored;
    if (!(await this.ports.waitFor(position, INDEX_WAIT_MS))) {
      throw new Unavailable('there are no stored states of this version yet, and the index of tags is behind the log');
    }
    const states = new Map<Tag, unknown>();
    let left = MOST_EVENTS;
    for (const tag of tags) {
      const found = aggregateOf(tag);
      if (found === undefined) continue;
      let state: unknown;
      for await (const event of this.ports.events.events(tenantId, tag, revision)) {
        left -= 1;
        if (left < 0) throw new Unavailable('there are no stored states of this version yet, and too many events');
        state = evolveTag(tag, state ?? found.aggregate.initial(found.id), event);
      }
      if (state !== undefined) states.set(tag, found.aggregate.toJson(state as never));
    }
    return { revision, states };
  }
}
