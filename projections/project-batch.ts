import type { ScannedEvent } from '../application/ports/event-scan.js';
import type { ReadStore, TableChanges, Target } from '../application/ports/read-store.js';
import { Loaded, MAX_LOAD_ROUNDS, type Projection } from './projection.js';

/** Carries an error of a projection's own code past the errors of its ports. */
export class ProjectionFault extends Error {
  constructor(readonly fault: Error) {
    super(fault.message, { cause: fault });
  }
}

/** The changes that events (of handled types only) make, with the rows they need read from the store first. */
export async function projectBatch(
  projection: Projection,
  store: ReadStore,
  target: Target,
  events: readonly ScannedEvent[],
): Promise<readonly TableChanges[]> {
  if (events.length === 0) return [];
  const loaded = projection.needs === undefined ? Loaded.NONE : await load(projection, store, target, events);
  return guarded(() => projection.project(events, loaded).collected());
}

async function load(
  projection: Projection,
  store: ReadStore,
  target: Target,
  events: readonly ScannedEvent[],
): Promise<Loaded> {
  const loaded = new Loaded();
  for (let round = 0; round <= MAX_LOAD_ROUNDS; round += 1) {
    const missing = loaded.missing(guarded(() => projection.needs?.(events, loaded) ?? []));
    if (missing.length === 0) return loaded;
    for (const need of missing) loaded.add(need, await store.load(target, need.table.name, need.keys));
  }
  throw new ProjectionFault(new Error(`${projection.name} needs more than ${MAX_LOAD_ROUNDS} rounds of loading`));
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new ProjectionFault(error instanceof Error ? error : new Error(String(error)));
  }
}
