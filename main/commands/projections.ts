import { createProjection, createProjections } from '../../projections/catalogue.js';
import { rebuildProjection } from '../../projections/rebuild.js';
import { PostgresEventScan } from '../../infrastructure/postgres/event-scan.js';
import { withCore } from '../core.js';
import { REBUILD_TIMEOUT_MS, createReadStore } from '../read-side.js';
import { EXIT, Failure, print, progressBar } from './run.js';

/** Builds a read model anew beside the live one and switches; a server that runs goes on serving and takes over. */
export async function rebuildProjectionCommand(given: { name: string; json: boolean }): Promise<void> {
  const projection = createProjection(given.name);
  if (projection === undefined) {
    const names = createProjections().map(({ name }) => name);
    throw new Failure(`there is no projection ${given.name}; there are ${names.join(', ')}`, EXIT.usage);
  }
  const bar = progressBar('rebuilding', given.json);
  await withCore(async ({ log, urls, identity }) => {
    const store = createReadStore(urls, REBUILD_TIMEOUT_MS);
    const scan = new PostgresEventScan({ url: urls.core, timeoutMs: REBUILD_TIMEOUT_MS });
    const started = performance.now();
    try {
      const result = await rebuildProjection({
        ...{ projection, store, log, scan },
        vault: identity.vault,
        progress: bar.update,
      });
      bar.stop();
      const seconds = (performance.now() - started) / 1000;
      const rate = Math.round(result.events / Math.max(seconds, 0.001));
      print(
        { ok: true, ...result, seconds, eventsPerSecond: rate },
        given.json,
        `${given.name}: generation ${result.generation} is live, ${result.events} events in ${seconds.toFixed(1)} s (${rate}/s)`,
      );
    } finally {
      bar.stop();
      await scan.close();
      await store.close();
    }
  });
}
