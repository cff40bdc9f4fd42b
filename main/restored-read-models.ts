import type { EventLog } from '../application/ports/event-log.js';
import type { EventScan } from '../application/ports/event-scan.js';
import type { KeyVault } from '../application/ports/key-vault.js';
import type { BackupFile } from '../infrastructure/postgres/backup/backup-file.js';
import type { Loader } from '../infrastructure/postgres/backup/load.js';
import type { Manifest } from '../infrastructure/postgres/backup/manifest.js';
import type { DatabaseUrls } from '../infrastructure/postgres/database.js';
import { PostgresEventScan } from '../infrastructure/postgres/event-scan.js';
import { physicalName } from '../infrastructure/postgres/read-store-ddl.js';
import type { PostgresReadStore } from '../infrastructure/postgres/read-store.js';
import { createProjections } from '../projections/catalogue.js';
import type { Projection } from '../projections/projection.js';
import { rebuildProjection } from '../projections/rebuild.js';
import { createReadStore } from './read-side.js';

interface Ports {
  readonly urls: DatabaseUrls;
  readonly log: EventLog;
  readonly vault: KeyVault;
  readonly progress: (done: number, of: number) => void;
}

/**
 * Read models of a restored database: the rows of the backup where they are of the version of this code, and built from the
 * log otherwise. Answers the names of both kinds.
 */
export async function restoreReadModels(
  ports: Ports & { readonly backup: BackupFile; readonly loader: Loader; readonly useBackup: boolean },
): Promise<{ restored: string[]; rebuilt: string[] }> {
  const { backup, loader, useBackup } = ports;
  const restored: string[] = [];
  const rebuilt: string[] = [];
  await withStore(ports.urls, async (store, scan) => {
    await store.prepare(createProjections());
    for (const projection of createProjections()) {
      const kept = useBackup ? keptModel(projection, backup) : undefined;
      if (kept === undefined) {
        await rebuildProjection({ ...ports, projection, store, scan });
        rebuilt.push(projection.name);
      } else {
        await loadModel(projection, kept, store, loader);
        restored.push(projection.name);
      }
    }
    await store.dropRetired();
  });
  return { restored, rebuilt };
}

/** Builds those anew that show people: keys were destroyed of which the log does not speak yet. */
export async function rebuildPeople(ports: Ports): Promise<void> {
  await withStore(ports.urls, async (store, scan) => {
    for (const projection of createProjections().filter(({ opensPersons }) => opensPersons === true)) {
      await rebuildProjection({ ...ports, projection, store, scan });
    }
  });
}

async function withStore(
  urls: DatabaseUrls,
  work: (store: PostgresReadStore, scan: EventScan) => Promise<void>,
): Promise<void> {
  const store = createReadStore(urls);
  const scan = new PostgresEventScan({ url: urls.core });
  try {
    await work(store, scan);
  } finally {
    await scan.close();
    await store.close();
  }
}

/** What the backup has of a projection, if it is what this code would have made: same version, tables and columns. */
function keptModel(projection: Projection, backup: BackupFile): Manifest['readModels'][number] | undefined {
  const { name, version, tables } = projection;
  const model = backup.manifest.readModels.find((one) => one.name === name && one.version === version);
  if (model === undefined || Object.keys(model.tables).length !== tables.length) return undefined;
  const fits = tables.every((table) => {
    const section = model.tables[table.name];
    return section !== undefined && sorted(backup.section(section).columns) === sorted(Object.keys(table.columns));
  });
  return fits ? model : undefined;
}

const sorted = (names: readonly string[]): string => [...names].sort().join(' ');

/** As a rebuild does it, with the rows of the backup in place of those made from events. */
async function loadModel(
  projection: Projection,
  { tables, checkpoint }: Manifest['readModels'][number],
  store: PostgresReadStore,
  loader: Loader,
): Promise<void> {
  const { generation } = await store.startRebuild(projection);
  const target = { projection, generation };
  for (const { name } of projection.tables) {
    await loader.load(tables[name] ?? '', `ledger.${physicalName(name, target)}`);
  }
  await loader.query('update ledger.projections set checkpoint = $3 where name = $1 and generation = $2', [
    projection.name,
    generation,
    checkpoint,
  ]);
  await store.finishLoading(target);
  await store.switchTo(target, () => Promise.resolve());
}
