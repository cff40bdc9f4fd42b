import type { ColumnType, Row, TableDefinition, Value } from '../../application/ports/read-store.js';
import { type Parameter, columnParameters, rowSource } from './column-parameters.js';

/** A statement with all the rows of a batch: each column is one parameter. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly Parameter[];
}

/**
 * Writes multi-row statements. Texts are kept so that every statement of a shape is prepared once per connection: the
 * names count up and are never used for another text.
 */
export class StatementBook {
  readonly #texts = new Map<string, { readonly name: string; readonly text: string }>();

  insert(physical: string, table: TableDefinition, rows: readonly Row[]): Statement {
    return this.#statement('insert', physical, table, Object.keys(table.columns), rows, (source, columns) => {
      const list = columns.join(', ');
      return `insert into ledger.${physical} (${list}) select ${list} from ${source}`;
    });
  }

  put(physical: string, table: TableDefinition, rows: readonly Row[]): Statement {
    return this.#statement('put', physical, table, Object.keys(table.columns), rows, (source, columns) => {
      const list = columns.join(', ');
      const set = columns
        .filter((column) => !table.key.includes(column))
        .map((column) => `${column} = excluded.${column}`);
      return `insert into ledger.${physical} (${list}) select ${list} from ${source}
        on conflict (${table.key.join(', ')}) do ${set.length === 0 ? 'nothing' : `update set ${set.join(', ')}`}`;
    });
  }

  patch(physical: string, table: TableDefinition, columns: readonly string[], rows: readonly Row[]): Statement {
    const all = [...table.key, ...columns];
    const statement = this.#statement(`patch ${columns.join(' ')}`, physical, table, all, rows, (source) => {
      const set = columns.map((column) => `${column} = s.${column}`).join(', ');
      const same = table.key.map((column) => `t.${column} = s.${column}`).join(' and ');
      return `with changed as (update ledger.${physical} t set ${set} from ${source} where ${same} returning 1)
        select ledger.expect_rows((select count(*) from changed), $${all.length + 1})`;
    });
    return { ...statement, values: [...statement.values, String(rows.length)] };
  }

  add(physical: string, table: TableDefinition, rows: readonly Row[]): Statement {
    return this.#statement('add', physical, table, Object.keys(table.columns), rows, (source, columns) => {
      const list = columns.join(', ');
      const set = Object.entries(table.merge ?? {}).map(([column, how]) => {
        const [old, added] = [`t.${column}`, `excluded.${column}`];
        if (how === 'sum') return `${column} = ${old} + ${added}`;
        return `${column} = ${how === 'min' ? 'least' : 'greatest'}(${old}, ${added})`;
      });
      return `insert into ledger.${physical} as t (${list}) select ${list} from ${source}
        on conflict (${table.key.join(', ')}) do update set ${set.join(', ')}`;
    });
  }

  load(physical: string, table: TableDefinition, keys: readonly Row[]): Statement {
    return this.#statement('load', physical, table, table.key, keys, (source) => {
      const same = table.key.map((column) => `t.${column} = s.${column}`).join(' and ');
      return `select ${Object.entries(table.columns)
        .map(([column, type]) => `${readable(`t.${column}`, type)} as ${column}`)
        .join(', ')} from ${source} join ledger.${physical} t on ${same}`;
    });
  }

  #statement(
    shape: string,
    physical: string,
    table: TableDefinition,
    columns: readonly string[],
    rows: readonly Row[],
    write: (source: string, columns: readonly string[]) => string,
  ): Statement {
    const parameters = columnParameters(table, columns, rows);
    const forms = parameters.map(({ form }) => form);
    const key = `${physical} ${shape} ${forms.join(' ')}`;
    let known = this.#texts.get(key);
    if (known === undefined) {
      const types = columns.map((column) => table.columns[column] as ColumnType);
      known = { name: `read-store-${this.#texts.size + 1}`, text: write(rowSource(columns, types, forms), columns) };
      this.#texts.set(key, known);
    }
    return { ...known, values: parameters.map(({ value }) => value) };
  }
}

/** A column as text that `parseRow` understands. */
export function readable(column: string, type: ColumnType): string {
  return type === 'timestamptz' ? instant(column) : column;
}

/** ISO 8601 in UTC with milliseconds: the form in which the log writes it. */
export function instant(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** A row read as raw texts, with the values of its column types. */
export function parseRow(table: TableDefinition, row: Readonly<Record<string, string | null>>): Row {
  const result: Record<string, Value> = {};
  for (const [column, type] of Object.entries(table.columns)) {
    const text = row[column] ?? null;
    result[column] = text === null ? null : parseValue(type, text);
  }
  return result;
}

function parseValue(type: ColumnType, text: string): Value {
  switch (type) {
    case 'numeric':
      return BigInt(text);
    case 'bigint':
    case 'int':
      return Number.parseInt(text, 10);
    case 'bool':
      return text === 't';
    case 'uuid':
    case 'text':
    case 'timestamptz':
    case 'date':
      return text;
  }
}
