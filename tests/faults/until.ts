import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;

/** Polls until the condition holds and answers how long that took (ms); throws when it does not hold in time. */
export async function until(
  what: string,
  withinMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - startedMs;
    if (performance.now() - startedMs > withinMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await delay(POLL_MS);
  }
}
