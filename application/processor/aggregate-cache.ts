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

  /** Forgets everything; stored states are complete up to `checkpoint` (perhaps less than they were: a rebuild). */
  restart(checkpoint: number): void {
    this.#young.clear();
    this.#old.clear();
    this.#checkpoint = checkpoint;
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

  /** Puts in the state of an aggregate that is not here. */
  set(tag: Tag, state: unknown, touched: number): CachedState {
    const entry = { state, touched };
    this.#young.set(tag, entry);
    return entry;
  }

  /**
   * Makes room when the young generation is full. Answers false when more than twice the limit has to stay because
   * stored states lag behind: the caller then refuses work rather than grow without bound.
   */
  makeRoom(): boolean {
    if (this.#young.size >= this.limit / 2) this.#dropOld();
    // Still too many: what was used lately has to go as well, if it may.
    if (this.size > this.limit * 2) this.#dropOld();
    return this.size <= this.limit * 2;
  }

  #dropOld(): void {
    for (const [tag, entry] of this.#old) if (entry.touched > this.#checkpoint) this.#young.set(tag, entry);
    this.#old = this.#young;
    this.#young = new Map();
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

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
