import type { Clock } from '../application/ports/clock.js';

interface Waiter {
  readonly position: string;
  readonly done: (reached: boolean) => void;
}

/** Those who wait for the read models to reach a position (read your own writes), told when it happens. */
export class PositionWaiters {
  #waiting = new Set<Waiter>();

  constructor(
    private readonly clock: Clock,
    private readonly compare: (a: string, b: string) => number,
  ) {}

  get size(): number {
    return this.#waiting.size;
  }

  async add(position: string, timeoutMs: number): Promise<boolean> {
    const timer = new AbortController();
    return await new Promise<boolean>((resolve, reject) => {
      const waiter: Waiter = {
        position,
        done: (reached) => {
          this.#waiting.delete(waiter);
          timer.abort();
          resolve(reached);
        },
      };
      this.#waiting.add(waiter);
      this.clock.sleep(timeoutMs, timer.signal).then(
        () => waiter.done(false),
        (error: unknown) => {
          if (!timer.signal.aborted) reject(error as Error);
        },
      );
    });
  }

  advanced(reached: string | undefined): void {
    if (reached === undefined || this.#waiting.size === 0) return;
    for (const waiter of this.#waiting) if (this.compare(reached, waiter.position) >= 0) waiter.done(true);
  }
}
