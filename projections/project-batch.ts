import type { ScannedEvent } from '../application/ports/event-scan.js';
import { type KeyVault, SealBroken } from '../application/ports/key-vault.js';
import type { ReadStore, TableChanges, Target } from '../application/ports/read-store.js';
import { sealedPersonOf } from '../domain/shared/person.js';
import { Loaded, MAX_LOAD_ROUNDS, type Projection } from './projection.js';

/** Carries an error of a projection's own code past the errors of its ports. */
export class ProjectionFault extends Error {
  constructor(readonly fault: Error) {
    super(fault.message, { cause: fault });
  }
}

/** What a projection is fed from and written to. */
export interface BatchPorts {
  readonly store: ReadStore;
  /** Opens what is sealed for people, for projections that ask for it; a log without sealed events needs none. */
  readonly vault?: Pick<KeyVault, 'open'> | undefined;
}

/** The changes that events (of handled types only) make, with the rows they need read from the store first. */
export async function projectBatch(
  projection: Projection,
  ports: BatchPorts,
  target: Target,
  events: readonly ScannedEvent[],
): Promise<readonly TableChanges[]> {
  if (events.length === 0) return [];
  const seen = projection.opensPersons === true ? await opened(events, ports.vault) : events;
  const loaded = projection.needs === undefined ? Loaded.NONE : await load(projection, ports.store, target, seen);
  return guarded(() => projection.project(seen, loaded).collected());
}

/** The events with what is sealed in them opened: one question for all of them. */
async function opened(events: readonly ScannedEvent[], vault: BatchPorts['vault']): Promise<readonly ScannedEvent[]> {
  const sealed = events.flatMap((event) => {
    const person = sealedPersonOf(event.data);
    return person === undefined ? [] : [{ event, tenantId: event.tenantId, person }];
  });
  if (sealed.length === 0) return events;
  if (vault === undefined) throw new Error('events are sealed for people, and there is no vault to open them');
  const plain = await vault.open(sealed).catch((error: unknown) => {
    throw error instanceof SealBroken ? new ProjectionFault(error) : error;
  });
  const byEvent = new Map(sealed.map(({ event }, index) => [event, plain[index]]));
  return events.map((event) => (byEvent.has(event) ? { ...event, opened: byEvent.get(event) } : event));
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
