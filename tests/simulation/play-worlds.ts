import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** What is left of a world when it has been played and checked. */
export type World =
  | { readonly seed: number; readonly failure: { readonly message: string; readonly stack: string } }
  | {
      readonly seed: number;
      readonly failure?: undefined;
      readonly counts: Readonly<Record<string, number>>;
      readonly weather: string;
      readonly fingerprint: string;
    };

const THREADS = 2;
const MAX_FAILURES = 3;

/**
 * Plays the worlds of these seeds and answers in their order; after three that failed the rest is not played. On threads of
 * their own: tap follows every promise of the test's thread, which costs a world as much again as it costs itself.
 */
export async function playWorlds(seeds: readonly number[]): Promise<World[]> {
  const worlds: World[] = [];
  let next = 0;
  let failures = 0;
  const thread = async (): Promise<void> => {
    const worker = new Worker(new URL('world-thread.js', import.meta.url), { execArgv: [] });
    try {
      for (let at = next++; at < seeds.length && failures < MAX_FAILURES; at = next++) {
        worker.postMessage(seeds[at]);
        const [world] = (await once(worker, 'message')) as [World];
        worlds[at] = world;
        if (world.failure !== undefined) failures += 1;
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(THREADS, seeds.length) }, thread));
  return worlds.filter((world) => world !== undefined);
}
