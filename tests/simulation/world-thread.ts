/** A thread that plays the worlds it is sent the seeds of (see `playWorlds`). */
import { parentPort } from 'node:worker_threads';
import { checkWorld } from './check-world.js';
import type { World } from './play-worlds.js';
import { simulate } from './simulator.js';

async function played(seed: number): Promise<World> {
  try {
    const history = await simulate(seed);
    await checkWorld(history);
    const { tally, events, attempts, steps, weather, fingerprint } = history;
    const counts = { ...tally, events: events.length, attempts: attempts.length, steps };
    return { seed, counts, weather: JSON.stringify(weather), fingerprint };
  } catch (error) {
    const { message, cause, stack } = error as Error;
    const causedBy = cause instanceof Error ? (cause.stack ?? '') : '';
    return { seed, failure: { message, stack: `${stack ?? ''}\n${causedBy}` } };
  }
}

parentPort?.on('message', (seed: number) => {
  void played(seed).then((world) => parentPort?.postMessage(world));
});
