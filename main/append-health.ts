import { hasPassed } from '../application/elapsed.js';
import type { Clock } from '../application/ports/clock.js';

/** After so long without a command nobody knows: somebody must try. */
const FORGOTTEN_AFTER_MS = 15_000;

/**
 * Whether appends get through, as the commands of this process see it: a log that can be read is not always one that can
 * be written (a full disk, a cluster without a leader). Not ready from a failed append until the next that succeeds.
 */
export class AppendHealth {
  readonly name = 'appends';
  #failedMs: number | undefined;

  constructor(private readonly clock: Pick<Clock, 'nowMs'>) {}

  failed(): void {
    this.#failedMs = this.clock.nowMs();
  }

  succeeded(): void {
    this.#failedMs = undefined;
  }

  check(): Promise<{ readonly ok: boolean; readonly detail?: string }> {
    if (this.#failedMs === undefined || hasPassed(FORGOTTEN_AFTER_MS, this.#failedMs, this.clock.nowMs()))
      return Promise.resolve({ ok: true });
    return Promise.resolve({ ok: false, detail: 'the last append failed' });
  }
}
