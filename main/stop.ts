import type { Logger } from 'pino';

/** A repeated signal counts from here on: npm and the terminal may both deliver the first one. */
const IMPATIENT_AFTER_MS = 2_000;
/** From the end of the delay on. Everything that is waited for has a bound of its own; this one is for what was forgotten. */
const MUST_END_MS = 25_000;

/** Being told to stop: by the first SIGTERM or SIGINT. One more, some seconds later, ends the process at once. */
export class Stop {
  #toldAtMs: number | undefined;

  get isTold(): boolean {
    return this.#toldAtMs !== undefined;
  }

  /** Listens from here on. */
  async told(): Promise<void> {
    await new Promise<void>((resolve) => {
      const onSignal = (): void => {
        const nowMs = performance.now();
        if (this.#toldAtMs !== undefined && nowMs - this.#toldAtMs > IMPATIENT_AFTER_MS) process.exit(130);
        this.#toldAtMs ??= nowMs;
        resolve();
      };
      process.on('SIGINT', onSignal);
      process.on('SIGTERM', onSignal);
    });
  }

  /** Ends the process if it has not ended by itself in time: what was acknowledged is in the log. */
  mustEndSoon(logger: Logger): void {
    const timer = setTimeout(() => {
      logger.error('stopping took too long: what is open is left as it is');
      process.exit(1);
    }, MUST_END_MS);
    timer.unref();
  }
}
