import type { Row, TableChanges, TableDefinition, Value } from '../application/ports/read-store.js';
import { keyText, mergeInto } from '../application/table-rows.js';

type MutableRow = Record<string, Value>;

interface KeyedRow {
  kind: 'insert' | 'put' | 'patch' | 'addition';
  row: MutableRow;
}

interface Collected {
  readonly table: TableDefinition;
  readonly keyed: Map<string, KeyedRow>;
  /** Rows of append-only tables: their keys differ by construction, and the database checks it. */
  readonly appended: Row[];
}

/**
 * The changes of a batch, one per key: an account that is patched 2,000 times in a batch is one row in the end. A
 * change after another one of the same row is folded into it, so their order within the batch is kept.
 */
export class Changes {
  readonly #tables = new Map<string, Collected>();

  /** A row whose key is new. */
  insert(table: TableDefinition, row: Row): void {
    const collected = this.#of(table);
    if (table.appendOnly === true) {
      collected.appended.push(row);
      return;
    }
    const key = keyText(table, row);
    if (collected.keyed.has(key)) throw new Error(`${table.name}: a row is inserted twice`);
    collected.keyed.set(key, { kind: 'insert', row: { ...row } });
  }

  /** A whole row, whether or not its key is there. */
  put(table: TableDefinition, row: Row): void {
    const { keyed } = this.#of(table);
    const key = keyText(table, row);
    const before = keyed.get(key);
    if (before?.kind === 'addition') throw new Error(`${table.name}: additions do not mix with other changes`);
    // What was inserted in this batch is still new to the database.
    keyed.set(key, { kind: before?.kind === 'insert' ? 'insert' : 'put', row: { ...row } });
  }

  /** Some columns of a row that exists, in the database or earlier in this batch; `row` has its key too. */
  patch(table: TableDefinition, row: Row): void {
    const { keyed } = this.#of(table);
    const key = keyText(table, row);
    const before = keyed.get(key);
    if (before === undefined) keyed.set(key, { kind: 'patch', row: { ...row } });
    else if (before.kind === 'addition') throw new Error(`${table.name}: additions do not mix with other changes`);
    else Object.assign(before.row, row);
  }

  /** A row that is merged into the one with its key: see `merge` of the table. */
  add(table: TableDefinition, row: Row): void {
    const { keyed } = this.#of(table);
    const key = keyText(table, row);
    const before = keyed.get(key);
    if (before === undefined) keyed.set(key, { kind: 'addition', row: { ...row } });
    else if (before.kind !== 'addition') throw new Error(`${table.name}: additions do not mix with other changes`);
    else mergeInto(table, before.row, row);
  }

  /** The changes by table, patches grouped by the columns that they set. */
  collected(): TableChanges[] {
    return [...this.#tables.values()].map(({ table, keyed, appended }) => {
      const inserts: Row[] = appended;
      const puts: Row[] = [];
      const additions: Row[] = [];
      const patches = new Map<string, { columns: string[]; rows: Row[] }>();
      for (const { kind, row } of keyed.values()) {
        if (kind === 'insert') inserts.push(row);
        else if (kind === 'put') puts.push(row);
        else if (kind === 'addition') additions.push(row);
        else groupPatch(table, row, patches);
      }
      return { table: table.name, inserts, puts, additions, patches: [...patches.values()] };
    });
  }

  #of(table: TableDefinition): Collected {
    let collected = this.#tables.get(table.name);
    if (collected === undefined) {
      collected = { table, keyed: new Map(), appended: [] };
      this.#tables.set(table.name, collected);
    }
    return collected;
  }
}

function groupPatch(table: TableDefinition, row: Row, groups: Map<string, { columns: string[]; rows: Row[] }>): void {
  let signature = '';
  for (const column in row) signature += `${column},`;
  let group = groups.get(signature);
  if (group === undefined) {
    group = { columns: Object.keys(row).filter((column) => !table.key.includes(column)), rows: [] };
    groups.set(signature, group);
  }
  group.rows.push(row);
}
