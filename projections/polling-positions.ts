import type { Clock } from '../application/ports/clock.js';
import { hasPassed } from '../application/elapsed.js';
import type { EventLog } from '../application/ports/event-log.js';
import type { ReadStore } from '../application/ports/read-store.js';
import type { Projection } from './projection.js';
import type { Positions } from './read-models.js';

const POLL_MS = 20;

/** How far the read models are that others keep, as `PollingPositions.lag` tells it. */
export interface PolledLag {
  /** A projection that is parked, if any is. */
  readonly parked: string | undefined;
  readonly lagEvents: number;
  /** For how long something has been missing, as far as it was looked at. */
  readonly lagSeconds: number;
}

/** For processes without a runner (role api alone): asks the store how far the live builds have come. */
export class PollingPositions implements Positions {
  #reached = '';
  #parked: string | undefined;
  /** One look at a time, for all who wait. */
  #looking: Promise<void> | undefined;
  /** An end of the log that was not reached when it was seen first. */
  #awaited: { readonly position: string; readonly sinceMs: number } | undefined;

  constructor(
    private readonly ports: {
      readonly projections: readonly Projection[];
      readonly store: Pick<ReadStore, 'states'>;
      readonly log: Pick<EventLog, 'comparePositions' | 'distance' | 'lastPosition'>;
      readonly clock: Clock;
    },
  ) {}

  async waitFor(position: string, timeoutMs: number): Promise<boolean> {
    const { clock } = this.ports;
    const startedMs = clock.nowMs();
    for (;;) {
      if (this.#has(position)) return true;
      await this.#look();
      if (this.#has(position)) return true;
      const nowMs = clock.nowMs();
      if (this.#parked !== undefined || hasPassed(timeoutMs, startedMs, nowMs)) return false;
      await clock.sleep(Math.min(POLL_MS, Math.max(1, startedMs + timeoutMs - nowMs)));
    }
  }

  async lag(): Promise<PolledLag> {
    const { clock, log } = this.ports;
    const end = await log.lastPosition();
    await this.#look();
    if (this.#has(end)) this.#awaited = undefined;
    else if (this.#awaited === undefined || this.#has(this.#awaited.position))
      this.#awaited = { position: end, sinceMs: clock.nowMs() };
    const lagSeconds = this.#awaited === undefined ? 0 : Math.max(0, clock.nowMs() - this.#awaited.sinceMs) / 1000;
    return { parked: this.#parked, lagEvents: Math.max(0, log.distance(this.#reached, end)), lagSeconds };
  }

  #has(position: string): boolean {
    return this.ports.log.comparePositions(this.#reached, position) >= 0;
  }

  #look(): Promise<void> {
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #ask(): Promise<void> {
    const { projections, store, log } = this.ports;
    const states = await store.states();
    let least: string | undefined;
    let parked: string | undefined;
    for (const { name, answersQueries } of projections) {
      if (!answersQueries) continue;
      const live = states.find((state) => state.name === name && state.status !== 'rebuilding');
      const checkpoint = live?.checkpoint ?? '';
      if (live?.status === 'parked') parked = name;
      if (least === undefined || log.comparePositions(checkpoint, least) < 0) least = checkpoint;
    }
    this.#reached = least ?? '';
    this.#parked = parked;
  }
}
