/**
 * Where projections keep their rows. A projection is pure: events in, `Changes` out; the store writes all changes of
 * a batch and the checkpoint in one transaction, one multi-row statement per table and kind of change. Adapters:
 * postgres and memory (simulation), one contract suite.
 */
export type ColumnType = 'uuid' | 'text' | 'bigint' | 'numeric' | 'int' | 'timestamptz' | 'date' | 'jsonb' | 'bool';

/** Values by column: bigint for numeric, number for int/bigint, text for the rest; null where nullable. */
export type Value = string | number | bigint | boolean | null;
export type Row = Readonly<Record<string, Value>>;

export interface TableDefinition {
  /** Base name; the table of version 2 of a projection is `<name>_v2`, and a view `<name>` points to the live one. */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Primary key; `tenant_id` first. */
  readonly key: readonly string[];
  /** Further indexes, as lists of columns (tenant first). */
  readonly indexes?: ReadonlyArray<{ readonly columns: readonly string[]; readonly where?: string }>;
  /** Columns that may be null. */
  readonly nullable?: readonly string[];
}

export type CheckpointResult = 'applied' | 'stale';

export interface ProjectionState {
  readonly name: string;
  readonly version: number;
  /** Position up to which all events are in the tables; '' at the start. */
  readonly checkpoint: string;
  readonly status: 'running' | 'rebuilding' | 'parked';
  readonly error: string | null;
}
