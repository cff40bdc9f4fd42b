import type { Row, TableDefinition } from '../../application/ports/read-store.js';
import { keyText } from '../../application/table-rows.js';
import type { Loaded } from '../projection.js';

/** Rows as the batch has made them so far, else as they were read. */
export class RowsSoFar {
  readonly #rows = new Map<string, Row>();

  constructor(private readonly loaded: Loaded) {}

  get(table: TableDefinition, key: Row): Row | undefined {
    return this.#rows.get(nameOf(table, key)) ?? this.loaded.get(table, key);
  }

  set(table: TableDefinition, row: Row): void {
    this.#rows.set(nameOf(table, row), row);
  }
}

const nameOf = (table: TableDefinition, row: Row): string => `${table.name} ${keyText(table, row)}`;
