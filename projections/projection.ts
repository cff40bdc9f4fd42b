import type { ScannedEvent } from '../application/ports/event-scan.js';
import type { ProjectionTables, Row, TableDefinition, Value } from '../application/ports/read-store.js';
import { keyText } from '../application/table-rows.js';
import type { Changes } from './changes.js';

/**
 * A read model: tables, and a pure function from events to changes of their rows. An instance belongs to one runner or
 * one rebuild: it may remember what it has projected to spare reads (see `forget`).
 */
export interface Projection extends ProjectionTables {
  /** The event types that change it; others only move its checkpoint. */
  readonly handles: readonly string[] | 'all';
  /** False for what no query reads (aggregate states): `waitFor` does not wait for it. */
  readonly answersQueries: boolean;
  /** It is shown the personal data of events (`event.opened`). Only a projection that forgets the erased may ask for it. */
  readonly opensPersons?: boolean;
  /**
   * Rows that `project` has to see. Asked again with what was loaded until it wants nothing new, so that a row can name
   * the next one (at most `MAX_LOAD_ROUNDS` times).
   */
  needs?(events: readonly ScannedEvent[], loaded: Loaded): readonly Need[];
  /** Throws when an event cannot be projected or breaks an invariant: that parks the projection. */
  project(events: readonly ScannedEvent[], loaded: Loaded): Changes;
  /** The last projected batch may not have been applied: whatever was remembered of it is void. */
  forget?(): void;
}

export const MAX_LOAD_ROUNDS = 4;

/** Keys of one table: each row has the key columns only. */
export interface Need {
  readonly table: TableDefinition;
  readonly keys: readonly Row[];
}

/** Rows that were read for a batch, with the knowledge of which keys have none. */
export class Loaded {
  readonly #rows = new Map<string, Map<string, Row | undefined>>();

  static readonly NONE = new Loaded();

  /** What of these needs is not here yet, each key once. */
  missing(needs: readonly Need[]): Need[] {
    const result: Need[] = [];
    for (const { table, keys } of needs) {
      const known = this.#rows.get(table.name);
      const wanted = new Map<string, Row>();
      for (const key of keys) {
        const text = keyText(table, key);
        if (known?.has(text) !== true) wanted.set(text, key);
      }
      if (wanted.size > 0) result.push({ table, keys: [...wanted.values()] });
    }
    return result;
  }

  add({ table, keys }: Need, rows: readonly Row[]): void {
    let known = this.#rows.get(table.name);
    if (known === undefined) this.#rows.set(table.name, (known = new Map()));
    for (const key of keys) known.set(keyText(table, key), undefined);
    for (const row of rows) known.set(keyText(table, row), row);
  }

  /** The row with this key, or undefined when there is none. */
  get(table: TableDefinition, key: Row): Row | undefined {
    return this.#rows.get(table.name)?.get(keyText(table, key));
  }
}

/** Thrown where the book's invariants do not hold in what is projected. The projection parks; nothing is skipped. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Text of a column that is never null. */
export function textOf(value: Value | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`a text was expected, not ${typeof value}`);
  return value;
}
