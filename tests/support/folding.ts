import type { StoredEvent } from '../../application/ports/event-log.js';
import type { LoadedStates, StateStore } from '../../application/ports/state-store.js';
import { aggregateOf, evolveTag } from '../../domain/aggregates.js';
import type { Json, Tag } from '../../domain/shared/event.js';

/** States of all aggregates of one tenant up to a revision, as they are stored: JSON text. */
export class Fold {
  readonly texts = new Map<Tag, string>();
  revision = -1;

  /** Each step goes through the stored form, as a projection's does after a restart. */
  take(event: StoredEvent): void {
    for (const tag of new Set(event.tags)) {
      const found = aggregateOf(tag);
      if (found === undefined) continue;
      const { aggregate, id } = found;
      const text = this.texts.get(tag);
      const before = text === undefined ? aggregate.initial(id) : aggregate.fromJson(JSON.parse(text) as Json);
      this.texts.set(tag, JSON.stringify(aggregate.toJson(evolveTag(tag, before, event))));
    }
    this.revision = event.revision;
  }
}

/** Stored states made by folding the log, as far as the test lets them: slow, restarted or gone back. */
export class FoldingStateStore implements StateStore {
  #folds = new Map<string, Fold>();
  #next = 0;
  loads = 0;

  constructor(private readonly events: () => Promise<readonly StoredEvent[]>) {}

  async advance(count: number): Promise<void> {
    const all = await this.events();
    for (const event of all.slice(this.#next, this.#next + count)) {
      const fold = this.#folds.get(event.tenantId) ?? new Fold();
      this.#folds.set(event.tenantId, fold);
      fold.take(event);
    }
    this.#next = Math.min(all.length, this.#next + count);
  }

  /** As when the projection is built anew in place. */
  restart(): void {
    this.#folds = new Map();
    this.#next = 0;
  }

  load(tenantId: string, tags: readonly Tag[]): Promise<LoadedStates> {
    this.loads += 1;
    const fold = this.#folds.get(tenantId);
    const states = new Map<Tag, unknown>();
    for (const tag of tags) {
      const text = fold?.texts.get(tag);
      if (text !== undefined) states.set(tag, JSON.parse(text) as unknown);
    }
    return Promise.resolve({ revision: fold?.revision ?? -1, states });
  }
}
