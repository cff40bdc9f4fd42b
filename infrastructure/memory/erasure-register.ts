import type { Erasure, ErasureRegister } from '../../application/ports/erasure-register.js';

/** Erasures in memory. */
export class MemoryErasureRegister implements ErasureRegister {
  readonly recorded: Erasure[] = [];

  record(erasure: Erasure): Promise<void> {
    this.recorded.push(erasure);
    return Promise.resolve();
  }
}
