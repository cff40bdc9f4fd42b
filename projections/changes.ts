import type { Row, TableChanges, TableDefinition, Value } from '../application/ports/read-store.js';
import { mergeInto } from '../application/table-rows.js';

type MutableRow = Record<string, Value>;

interface KeyedRow {
  kind: 'insert' | 'put' | 'patch' | 'addition';
  row: MutableRow;
}

/**
 * The changes of a batch, one per key: an account that is patched 2,000 times in a batch is one row in the end. A
 * change after another one of the same row is folded into it, so their order within the batch is kept. Rows are handed
 * over: nobody else changes them afterwards.
 */
export class Changes {
  readonly #tables = new Map<string, CollectedTable>();

  /** A row whose key is new. */
  insert(table: TableDefinition, row: Row): void {
    const collected = this.#of(table);
    if (table.appendOnly === true) {
      // Their keys differ by construction, and the database checks it.
      collected.appended.push(row);
    } else {
      const { found } = collected.at(row, 'insert');
      if (found) throw new Error(`${table.name}: a row is inserted twice`);
    }
  }

  /** A whole row, whether or not its key is there. */
  put(table: TableDefinition, row: Row): void {
    const { found, keyed } = this.#of(table).at(row, 'put');
    if (!found) return;
    if (keyed.kind === 'addition') throw mixed(table);
    keyed.row = row as MutableRow;
    // What was inserted in this batch is still new to the database.
    if (keyed.kind === 'patch') keyed.kind = 'put';
  }

  /** Some columns of a row that exists, in the database or earlier in this batch; `row` has its key too. */
  patch(table: TableDefinition, row: Row): void {
    const { found, keyed } = this.#of(table).at(row, 'patch');
    if (!found) return;
    if (keyed.kind === 'addition') throw mixed(table);
    Object.assign(keyed.row, row);
  }

  /** A row that is merged into the one with its key: see `merge` of the table. */
  add(table: TableDefinition, row: Row): void {
    const { found, keyed } = this.#of(table).at(row, 'addition');
    if (!found) return;
    if (keyed.kind !== 'addition') throw mixed(table);
    mergeInto(table, keyed.row, row);
  }

  /** The changes by table, patches grouped by the columns that they set. */
  collected(): TableChanges[] {
    return [...this.#tables.values()].map((collected) => collected.changes());
  }

  #of(table: TableDefinition): CollectedTable {
    let collected = this.#tables.get(table.name);
    if (collected === undefined) {
      collected = new CollectedTable(table);
      this.#tables.set(table.name, collected);
    }
    return collected;
  }
}

function mixed(table: TableDefinition): Error {
  return new Error(`${table.name}: additions do not mix with other changes`);
}

type Level = Map<Value, Level | KeyedRow>;

/** One table's rows by key: a map for each key column, because putting key texts together costs more than all the rest. */
class CollectedTable {
  readonly appended: Row[] = [];
  readonly #rows: KeyedRow[] = [];
  readonly #root: Level = new Map();
  /** First the tenant, then from the last column back: so dates, of which a batch has few, come before accounts. */
  readonly #path: readonly string[];

  constructor(private readonly table: TableDefinition) {
    const [first = '', ...rest] = table.key;
    this.#path = [first, ...rest.reverse()];
  }

  /** What there is for this row's key, or this row as `kind` if there was nothing. */
  at(row: Row, kind: KeyedRow['kind']): { found: boolean; keyed: KeyedRow } {
    let level = this.#root;
    const last = this.#path.length - 1;
    for (let i = 0; i < last; i += 1) {
      const value = row[this.#path[i] as string] as Value;
      let next = level.get(value) as Level | undefined;
      if (next === undefined) level.set(value, (next = new Map()));
      level = next;
    }
    const value = row[this.#path[last] as string] as Value;
    const known = level.get(value) as KeyedRow | undefined;
    if (known !== undefined) return { found: true, keyed: known };
    const keyed: KeyedRow = { kind, row: row as MutableRow };
    level.set(value, keyed);
    this.#rows.push(keyed);
    return { found: false, keyed };
  }

  changes(): TableChanges {
    const { table } = this;
    const inserts: Row[] = this.appended;
    const puts: Row[] = [];
    const additions: Row[] = [];
    const patches = new Map<string, { columns: string[]; rows: Row[] }>();
    for (const { kind, row } of this.#rows) {
      if (kind === 'insert') inserts.push(row);
      else if (kind === 'put') puts.push(row);
      else if (kind === 'addition') additions.push(row);
      else groupPatch(table, row, patches);
    }
    return { table: table.name, inserts, puts, additions, patches: [...patches.values()] };
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
