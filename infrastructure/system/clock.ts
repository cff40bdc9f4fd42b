import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../application/ports/clock.js';

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, { ref: true, ...(signal === undefined ? {} : { signal }) }),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};
