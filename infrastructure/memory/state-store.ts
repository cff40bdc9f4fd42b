import type { LoadedStates, StateStore } from '../../application/ports/state-store.js';
import type { Tag } from '../../domain/shared/event.js';
import type { MemoryReadStore } from './read-store.js';

/** Stored aggregate states in a memory read store that the projection `aggregate-states` writes. */
export class MemoryStateStore implements StateStore {
  constructor(private readonly store: MemoryReadStore) {}

  load(tenantId: string, tags: readonly Tag[]): Promise<LoadedStates> {
    const revision = this.store.row('aggregate_checkpoints', tenantId)?.['revision'];
    const states = new Map<Tag, unknown>();
    for (const tag of tags) {
      const state = this.store.row('aggregate_states', tenantId, tag)?.['state'];
      if (typeof state === 'string') states.set(tag, JSON.parse(state) as unknown);
    }
    return Promise.resolve({ revision: typeof revision === 'number' ? revision : -1, states });
  }
}
