import type { Tag } from '../../domain/shared/event.js';

export interface CachedState {
  state: unknown;
  /** The state holds every event up to this revision: of the last event folded in, or of the storage it came from. */
  touched: number;
}

/**
 * States of one tenant's aggregates in two generations: what is used moves to the young one; when that is full, the
 * old one is dropped. A state touched after `checkpoint` (the revision that stored states are complete to) is never
 * dropped, so a state that is not here can be loaded from storage alone.
 */
export class AggregateCache {
  #young = new Map<Tag, CachedState>();
  #old = new Map<Tag, CachedState>();
  #checkpoint = -1;

  constructor(readonly limit: number) {}

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get checkpoint(): number {
    return this.#checkpoint;
  }

  /** Stored states are complete up to this revision. */
  advanceCheckpoint(revision: number): void {
    if (revision > this.#checkpoint) this.#checkpoint = revision;
  }

  get(tag: Tag): CachedState | undefined {
    const young = this.#young.get(tag);
    if (young !== undefined) return young;
    const old = this.#old.get(tag);
    if (old !== undefined) {
      this.#old.delete(tag);
      this.#young.set(tag, old);
    }
    return old;
  }

  has(tag: Tag): boolean {
    return this.#young.has(tag) || this.#old.has(tag);
  }

  set(tag: Tag, state: unknown, touched: number): void {
    this.#young.set(tag, { state, touched });
  }

  delete(tag: Tag): void {
    this.#young.delete(tag);
    this.#old.delete(tag);
  }

  /**
   * Makes room when the young generation is full. Answers false when more than twice the limit would have to stay
   * because stored states lag behind: the caller then refuses work rather than grow without bound.
   */
  makeRoom(): boolean {
    if (this.#young.size < this.limit / 2) return true;
    for (const [tag, entry] of this.#old) if (entry.touched > this.#checkpoint) this.#young.set(tag, entry);
    const kept = this.#young.size;
    this.#old = this.#young;
    this.#young = new Map();
    return kept <= this.limit * 2;
  }
}

/** Most recently used keys and what they answered; the log's unique index has the last word on the rest. */
export class RecentMap<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  constructor(readonly limit: number) {}

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: K, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size > this.limit / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
