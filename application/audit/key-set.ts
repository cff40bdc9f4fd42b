const FIRST_CAPACITY = 1 << 14;

/**
 * Idempotency keys seen so far, as the first 64 bits of each digest: 16 bytes a key, so that a log of many millions is
 * checked in one pass. Two keys may share 64 bits (one chance in 400,000 over ten million keys): ask the log then.
 */
export class KeySet {
  /** Pairs; 0, 0 is a free place. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a key (UUID text of random bits); false when it was there. */
  add(key: string): boolean {
    const high = Number.parseInt(key.slice(0, 8), 16);
    const low = Number.parseInt(key.slice(9, 13) + key.slice(14, 18), 16) | 1; // Never the free place.
    if (!place(this.#slots, high, low >>> 0)) return false;
    this.#size += 1;
    if (this.#size * 4 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const wider = new Uint32Array(this.#slots.length * 2);
    for (let i = 0; i < this.#slots.length; i += 2) {
      const low = this.#slots[i + 1] ?? 0;
      if (low !== 0) place(wider, this.#slots[i] ?? 0, low);
    }
    this.#slots = wider;
  }
}

/** Open addressing, at most half full. */
function place(slots: Uint32Array, high: number, low: number): boolean {
  const mask = slots.length / 2 - 1;
  for (let at = (high ^ low) & mask; ; at = (at + 1) & mask) {
    const found = slots[at * 2 + 1] ?? 0;
    if (found === 0) {
      slots[at * 2] = high;
      slots[at * 2 + 1] = low;
      return true;
    }
    if (found === low && slots[at * 2] === high) return false;
  }
}
