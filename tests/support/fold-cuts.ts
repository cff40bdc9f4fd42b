import type { StoredEvent } from '../../application/ports/event-log.js';
import { aggregateOf, evolveTag } from '../../domain/aggregates.js';
import type { Json, Tag } from '../../domain/shared/event.js';

/** The states of all aggregates of one tenant, which must be the same however often they were stored in between. */
export function foldAtEveryCut(own: readonly StoredEvent[]): Map<Tag, unknown> {
  const whole = new Map<Tag, unknown>();
  for (const [at, event] of own.entries()) {
    foldFrom(whole, [event]);
    // What changed is the same after it was stored and read back: so the fold of any tail upon it is too.
    for (const tag of event.tags) {
      const state = whole.get(tag);
      if (state === undefined) continue;
      if (textOf(throughText(tag, state)) !== textOf(state))
        throw new Error(`${tag} changes when it is stored after revision ${at}`);
    }
  }
  for (const cut of [0, own.length >> 1, own.length - 1, own.length]) {
    const stored = new Map<Tag, unknown>();
    for (const [tag, state] of foldFrom(new Map(), own.slice(0, cut))) stored.set(tag, throughText(tag, state));
    const rejoined = foldFrom(stored, own.slice(cut));
    for (const [tag, state] of whole) {
      if (textOf(rejoined.get(tag)) !== textOf(state))
        throw new Error(`${tag}: fold(all) differs from fold(${cut} stored + tail)`);
    }
  }
  return whole;
}

function foldFrom(states: Map<Tag, unknown>, events: readonly StoredEvent[]): Map<Tag, unknown> {
  for (const event of events) {
    for (const tag of event.tags) {
      const found = aggregateOf(tag);
      if (found === undefined) continue;
      states.set(tag, evolveTag(tag, states.get(tag) ?? found.aggregate.initial(found.id), event));
    }
  }
  return states;
}

function throughText(tag: Tag, state: unknown): unknown {
  const aggregate = aggregateOf(tag)?.aggregate;
  return aggregate?.fromJson(JSON.parse(JSON.stringify(aggregate.toJson(state))) as Json);
}

function textOf(state: unknown): string {
  return JSON.stringify(state, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}
