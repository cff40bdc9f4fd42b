/**
 * Where projections keep their rows. A projection is pure: events in, changes out; the store writes all changes of a
 * batch and the checkpoint in one transaction, one multi-row statement per table and kind of change. Adapters:
 * postgres and memory (simulation), one contract suite (tests/contract/read-store.test.ts).
 */
export type ColumnType = 'uuid' | 'text' | 'bigint' | 'numeric' | 'int' | 'timestamptz' | 'date' | 'bool';

/**
 * Values by column as they are read: bigint for numeric, number for int and bigint (counts and revisions), ISO 8601
 * text for timestamptz and date. Decimal text may be given for numeric: it goes to the database as it is.
 */
export type Value = string | number | bigint | boolean | null;
export type Row = Readonly<Record<string, Value>>;

export interface TableDefinition {
  /** Base name; the table of version 2 of a projection is `<name>_v2`, and a view `<name>` points to the live one. */
  readonly name: string;
  readonly comment: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Primary key; `tenant_id` first, but in a directory. */
  readonly key: readonly string[];
  /** Further indexes. None on a column that changes often: its updates would touch every index. */
  readonly indexes?: ReadonlyArray<{ readonly columns: readonly string[]; readonly where?: string }>;
  /** Columns that may be null. */
  readonly nullable?: readonly string[];
  /** `tenant` (default): a row is seen by its tenant alone. `directory`: read before a tenant is known, by anyone. */
  readonly scope?: 'tenant' | 'directory';
  /** Rows are only ever inserted: a rebuild makes the key and the indexes after the bulk load. */
  readonly appendOnly?: boolean;
  /** Percent of a page that inserts fill; the rest is room for new versions of rows that change often. */
  readonly fillFactor?: number;
  /** How `add` joins a column with the row that is there; columns that are not named here keep their first value. */
  readonly merge?: Readonly<Record<string, 'sum' | 'min' | 'max'>>;
}

/** What a store must know of a projection. */
export interface ProjectionTables {
  readonly name: string;
  /** Raised when the tables or the meaning of their rows change: then the tables are built anew. */
  readonly version: number;
  readonly tables: readonly TableDefinition[];
  /**
   * Somebody lets go of what he has seen stored here (the processor, of aggregates): each batch is on disk before it is
   * seen. Others may lose their last batches in a crash of the database, checkpoint and all, and project them again.
   */
  readonly durable?: boolean;
}

/** One build of a projection's tables: each rebuild makes a new generation beside the live one. */
export interface Target {
  readonly projection: ProjectionTables;
  readonly generation: number;
}

/** Changes of one table, at most one per key. */
export interface TableChanges {
  readonly table: string;
  /** New rows; a key that is there already is an error. */
  readonly inserts: readonly Row[];
  /** Whole rows that are inserted or replace the row with their key. */
  readonly puts: readonly Row[];
  /** New values of some columns of rows that must exist, grouped by which columns; each row has its key too. */
  readonly patches: ReadonlyArray<{ readonly columns: readonly string[]; readonly rows: readonly Row[] }>;
  /** Rows that are inserted, or merged into the row with their key as the table's `merge` says. */
  readonly additions: readonly Row[];
}

export type CheckpointResult = 'applied' | 'stale';

export interface ProjectionState {
  readonly name: string;
  readonly version: number;
  readonly generation: number;
  /** Position up to which all events are in the tables; '' at the start. */
  readonly checkpoint: string;
  /** `rebuilding`: not the build that queries see. */
  readonly status: 'running' | 'rebuilding' | 'parked';
  readonly error: string | null;
}

/** The store refuses these changes for good (a row that must exist does not, a value that does not fit). */
export class ChangesRejected extends Error {
  override readonly name = 'ChangesRejected';
}

export interface ReadStore {
  /** Makes what is missing: tables and a live build of projections that have none. Never touches what is there. */
  prepare(projections: readonly ProjectionTables[]): Promise<void>;
  /** Live and unfinished builds of all projections. */
  states(): Promise<readonly ProjectionState[]>;
  /** Rows by their keys, in any order; keys without a row are left out. Sees what `apply` was asked to do before it. */
  load(target: Target, table: string, keys: readonly Row[]): Promise<readonly Row[]>;
  /**
   * Applies all changes and moves the checkpoint from `expected` to `next`, or, if it is not at `expected` (any more)
   * or this build is no longer used, changes nothing and answers 'stale'. Throws `ChangesRejected` when the changes
   * cannot be made; any other error leaves open whether they were.
   */
  apply(target: Target, expected: string, next: string, changes: readonly TableChanges[]): Promise<CheckpointResult>;
  /** Notes why a build does not advance. The next applied batch clears it. */
  park(target: Target, error: string): Promise<void>;
  /** Clears the note on the live build: projectors try again. False when it was not parked. */
  unpark(name: string): Promise<boolean>;
  /** Starts a build beside the live one, or answers the one of this version that was started and not finished. */
  startRebuild(projection: ProjectionTables): Promise<ProjectionState>;
  /** Makes the keys and indexes that were left out for the bulk load. */
  finishLoading(target: Target): Promise<void>;
  /**
   * Makes this build the live one: holds the live build's checkpoint still, lets `catchUp` bring this one to it, then
   * points the views here in one transaction. Readers see the old rows until then and the new ones after it.
   */
  switchTo(target: Target, catchUp: (liveCheckpoint: string) => Promise<void>): Promise<void>;
  /** Drops the tables of builds that are no longer used; `unfinished` too drops abandoned rebuilds. */
  dropRetired(options?: { readonly unfinished?: boolean }): Promise<number>;
  close(): Promise<void>;
}
