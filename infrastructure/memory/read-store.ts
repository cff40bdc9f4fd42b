import {
  ChangesRejected,
  type CheckpointResult,
  type ProjectionState,
  type ProjectionTables,
  type ReadStore,
  type Row,
  type TableChanges,
  type TableDefinition,
  type Target,
  type Value,
} from '../../application/ports/read-store.js';
import { keyText, mergeInto, normalValue } from '../../application/table-rows.js';

interface Build {
  readonly projection: ProjectionTables;
  readonly generation: number;
  readonly tables: ReadonlyMap<string, Map<string, Row>>;
  status: 'live' | 'building' | 'retired';
  checkpoint: string;
  error: string | null;
  /** Set while a switch holds the checkpoint still. */
  held: Promise<void> | undefined;
}

/** Read models in maps: for unit tests and the simulator. Refuses what the database would refuse. */
export class MemoryReadStore implements ReadStore {
  #builds: Build[] = [];

  prepare(projections: readonly ProjectionTables[]): Promise<void> {
    for (const projection of projections) {
      if (!this.#builds.some((build) => build.projection.name === projection.name && build.status === 'live')) {
        this.#builds.push(newBuild(projection, 1, 'live'));
      }
    }
    return Promise.resolve();
  }

  /** Rows of the live build of a table, in the order of their keys: for tests and in-memory readers. */
  rows(table: string): Row[] {
    const live = this.#builds.find((build) => build.status === 'live' && build.tables.has(table));
    const rows = live?.tables.get(table);
    if (rows === undefined) return [];
    return [...rows].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row);
  }

  /** One row of the live build by its key values. */
  row(table: string, ...key: readonly Value[]): Row | undefined {
    const live = this.#builds.find((build) => build.status === 'live' && build.tables.has(table));
    return live?.tables.get(table)?.get(key.map(String).join('\u001f'));
  }

  states(): Promise<readonly ProjectionState[]> {
    return Promise.resolve(this.#builds.filter((build) => build.status !== 'retired').map(stateOf));
  }

  load(target: Target, table: string, keys: readonly Row[]): Promise<readonly Row[]> {
    const definition = definitionOf(target.projection, table);
    const rows = this.#find(target)?.tables.get(table);
    return Promise.resolve(
      keys.flatMap((key) => {
        const row = rows?.get(keyText(definition, key));
        return row === undefined ? [] : [row];
      }),
    );
  }

  async apply(
    target: Target,
    expected: string,
    next: string,
    changes: readonly TableChanges[],
  ): Promise<CheckpointResult> {
    const build = this.#find(target);
    while (build?.held !== undefined) await build.held;
    if (build === undefined || build.status === 'retired' || build.checkpoint !== expected) return 'stale';
    // All or nothing: what is refused is found before anything is written.
    const writes = changes.flatMap((change) => writesOf(build, definitionOf(build.projection, change.table), change));
    for (const { rows, key, row } of writes) rows.set(key, row);
    build.checkpoint = next;
    build.error = null;
    return 'applied';
  }

  park(target: Target, error: string): Promise<void> {
    const build = this.#find(target);
    if (build !== undefined) build.error = error;
    return Promise.resolve();
  }

  unpark(name: string): Promise<boolean> {
    const live = this.#live(name);
    const parked = live !== undefined && live.error !== null;
    if (live !== undefined) live.error = null;
    return Promise.resolve(parked);
  }

  startRebuild(projection: ProjectionTables): Promise<ProjectionState> {
    const own = this.#builds.filter((build) => build.projection.name === projection.name);
    let build = own.find((other) => other.status === 'building' && other.projection.version === projection.version);
    if (build === undefined) {
      const generation = Math.max(0, ...own.map((other) => other.generation)) + 1;
      build = newBuild(projection, generation, 'building');
      this.#builds.push(build);
    }
    return Promise.resolve(stateOf(build));
  }

  finishLoading(): Promise<void> {
    return Promise.resolve();
  }

  async switchTo(target: Target, catchUp: (liveCheckpoint: string) => Promise<void>): Promise<void> {
    const build = this.#find(target);
    if (build?.status !== 'building') throw new Error(`${target.projection.name}: there is no such unfinished build`);
    const live = this.#live(target.projection.name);
    let release = (): void => undefined;
    if (live !== undefined) live.held = new Promise((resolve) => (release = resolve));
    try {
      await catchUp(live?.checkpoint ?? '');
      if (live !== undefined) live.status = 'retired';
      build.status = 'live';
    } finally {
      if (live !== undefined) live.held = undefined;
      release();
    }
  }

  dropRetired(options: { readonly unfinished?: boolean } = {}): Promise<number> {
    const before = this.#builds.length;
    this.#builds = this.#builds.filter(
      ({ status }) => status === 'live' || (status === 'building' && options.unfinished !== true),
    );
    return Promise.resolve(before - this.#builds.length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #live(name: string): Build | undefined {
    return this.#builds.find((build) => build.projection.name === name && build.status === 'live');
  }

  #find({ projection: { name, version }, generation }: Target): Build | undefined {
    return this.#builds.find(
      (build) =>
        build.projection.name === name && build.projection.version === version && build.generation === generation,
    );
  }
}

interface Write {
  readonly rows: Map<string, Row>;
  readonly key: string;
  readonly row: Row;
}

function writesOf(build: Build, table: TableDefinition, changes: TableChanges): Write[] {
  const rows = build.tables.get(table.name) as Map<string, Row>;
  const writes = new Map<string, Write>();
  const write = (row: Row, change: Row): void => {
    const key = keyText(table, change);
    if (writes.has(key)) throw new ChangesRejected(`${table.name}: one batch changes a row twice`);
    writes.set(key, { rows, key, row: checked(table, row) });
  };
  const present = (change: Row): Row | undefined => rows.get(keyText(table, change));
  for (const row of changes.inserts) {
    if (present(row) !== undefined) throw new ChangesRejected(`${table.name}: the key of a new row is there already`);
    write(row, row);
  }
  for (const row of changes.puts) write(row, row);
  for (const { rows: patched } of changes.patches) {
    for (const patch of patched) {
      const before = present(patch);
      if (before === undefined) throw new ChangesRejected(`${table.name}: a row to change is not there`);
      write({ ...before, ...patch }, patch);
    }
  }
  for (const addition of changes.additions) {
    const before = present(addition);
    const row = { ...(before ?? addition) };
    if (before !== undefined) mergeInto(table, row, addition);
    write(row, addition);
  }
  return [...writes.values()];
}

/** The row with every column of its table, as it would be read back. */
function checked(table: TableDefinition, row: Row): Row {
  const result: Record<string, Value> = {};
  for (const [column, type] of Object.entries(table.columns)) {
    const value = row[column];
    if (value === undefined || (value === null && table.nullable?.includes(column) !== true)) {
      throw new ChangesRejected(`${table.name}.${column} has no value`);
    }
    result[column] = normalValue(type, value);
  }
  return result;
}

function newBuild(projection: ProjectionTables, generation: number, status: Build['status']): Build {
  const tables = new Map(projection.tables.map(({ name }) => [name, new Map<string, Row>()]));
  return { projection, generation, tables, status, checkpoint: '', error: null, held: undefined };
}

function stateOf({ projection: { name, version }, generation, status, checkpoint, error }: Build): ProjectionState {
  const running = status === 'live' ? (error === null ? 'running' : 'parked') : 'rebuilding';
  return { name, version, generation, checkpoint, status: running, error };
}

function definitionOf(projection: ProjectionTables, table: string): TableDefinition {
  const definition = projection.tables.find(({ name }) => name === table);
  if (definition === undefined) throw new ChangesRejected(`${projection.name} has no table ${table}`);
  return definition;
}
