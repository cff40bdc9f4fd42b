import type { Clock } from '../application/ports/clock.js';
import type { EventLog } from '../application/ports/event-log.js';
import type { ReadStore } from '../application/ports/read-store.js';
import type { Projection } from './projection.js';
import type { Positions } from './read-models.js';

const POLL_MS = 20;

/** For processes without a runner (role api alone): asks the store how far the live builds have come. */
export class PollingPositions implements Positions {
  #reached = '';

  constructor(
    private readonly ports: {
      readonly projections: readonly Projection[];
      readonly store: Pick<ReadStore, 'states'>;
      readonly log: Pick<EventLog, 'comparePositions'>;
      readonly clock: Clock;
    },
  ) {}

  async waitFor(position: string, timeoutMs: number): Promise<boolean> {
    const { clock, log } = this.ports;
    const endMs = clock.nowMs() + timeoutMs;
    for (;;) {
      if (log.comparePositions(this.#reached, position) >= 0) return true;
      const parked = await this.#look();
      if (log.comparePositions(this.#reached, position) >= 0) return true;
      if (parked || clock.nowMs() >= endMs) return false;
      await clock.sleep(Math.min(POLL_MS, Math.max(1, endMs - clock.nowMs())));
    }
  }

  /** Answers whether a projection is parked: then nobody gets further. */
  async #look(): Promise<boolean> {
    const { projections, store, log } = this.ports;
    const states = await store.states();
    let least: string | undefined;
    let parked = false;
    for (const { name, answersQueries } of projections) {
      if (!answersQueries) continue;
      const live = states.find((state) => state.name === name && state.status !== 'rebuilding');
      const checkpoint = live?.checkpoint ?? '';
      parked ||= live?.status === 'parked';
      if (least === undefined || log.comparePositions(checkpoint, least) < 0) least = checkpoint;
    }
    this.#reached = least ?? '';
    return parked;
  }
}
