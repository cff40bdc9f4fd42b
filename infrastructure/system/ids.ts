import { randomFillSync } from 'node:crypto';
import type { IdSource } from '../../application/ports/clock.js';

const POOL_BYTES = 8_192;
const RANDOM_BYTES = 8;

/**
 * Event ids: 48 bits of milliseconds, 64 random bits, 16 zero bits (they number the lines of an entry): a ULID in
 * UUID notation. Random bytes come from the system in pools; ids of one process rise with time.
 */
export function createIdSource(nowMs: () => number = Date.now): IdSource {
  const pool = Buffer.alloc(POOL_BYTES);
  let at = POOL_BYTES;
  let lastMs = -1;
  let prefix = '';
  return {
    eventId() {
      const ms = nowMs();
      if (ms !== lastMs) {
        lastMs = ms;
        const hex = ms.toString(16).padStart(12, '0');
        prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-`;
      }
      if (at + RANDOM_BYTES > POOL_BYTES) {
        randomFillSync(pool);
        at = 0;
      }
      const random = pool.toString('hex', at, at + RANDOM_BYTES);
      at += RANDOM_BYTES;
      return `${prefix}${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(8, 16)}0000`;
    },
    random: () => Math.random(),
  };
}
