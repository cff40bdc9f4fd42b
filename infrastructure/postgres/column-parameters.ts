import type { ColumnType, Row, TableDefinition, Value } from '../../application/ports/read-store.js';
import { storableText } from '../../application/table-rows.js';

/**
 * How a column of many rows is sent. The driver is slow at escaping arrays and the server at reading the same text
 * again and again, so: one value if all rows have the same (most batches are of one tenant and one day), else one
 * text that the server splits, or an array when a text of the column holds the separator.
 */
export type ColumnForm = 'same' | 'joined' | 'array';
export type Parameter = string | (string | null)[];

export interface ColumnParameter {
  readonly form: ColumnForm;
  readonly value: Parameter;
}

const SEPARATOR = '\u001f';
const NULL_MARK = '\u001e';
/** Worth looking whether all rows agree: long to read, and often the same. */
const OFTEN_SAME: readonly ColumnType[] = ['uuid', 'date'];

/** A parameter for each column; at least one of them is a list, which says how many rows there are. */
export function columnParameters(
  table: TableDefinition,
  columns: readonly string[],
  rows: readonly Row[],
): ColumnParameter[] {
  return columns.map((column, i) => {
    const type = table.columns[column] as ColumnType;
    const mayBeSame = i < columns.length - 1 && OFTEN_SAME.includes(type);
    return (mayBeSame ? same(column, rows) : undefined) ?? list(column, type, rows);
  });
}

function same(column: string, rows: readonly Row[]): ColumnParameter | undefined {
  const value = rows[0]?.[column];
  if (typeof value !== 'string') return undefined;
  for (let i = 1; i < rows.length; i += 1) if ((rows[i] as Row)[column] !== value) return undefined;
  return { form: 'same', value };
}

function list(column: string, type: ColumnType, rows: readonly Row[]): ColumnParameter {
  const free = type === 'text';
  let joined = '';
  for (let i = 0; i < rows.length; i += 1) {
    const value = (rows[i] as Row)[column];
    if (i > 0) joined += SEPARATOR;
    if (typeof value === 'string') {
      if (free && !plain(value)) return array(column, rows);
      joined += value;
    } else {
      joined += value === null || value === undefined ? NULL_MARK : String(value);
    }
  }
  // One empty text and no text at all look the same.
  return joined === '' ? array(column, rows) : { form: 'joined', value: joined };
}

function array(column: string, rows: readonly Row[]): ColumnParameter {
  return { form: 'array', value: rows.map((row) => textOf(row[column])) };
}

function textOf(value: Value | undefined): string | null {
  return value === null || value === undefined ? null : storableText(String(value));
}

/** Three searches for a character are faster than one for a class of them. */
function plain(value: string): boolean {
  return value.indexOf(SEPARATOR) < 0 && value.indexOf(NULL_MARK) < 0 && value.indexOf('\0') < 0;
}

/** The rows that the parameters $1, $2 … of these forms make, as a FROM item `s` with these columns. */
export function rowSource(columns: readonly string[], types: readonly string[], forms: readonly ColumnForm[]): string {
  const constants: string[] = [];
  const lists: string[] = [];
  const listed: string[] = [];
  columns.forEach((column, i) => {
    const parameter = `$${i + 1}`;
    const type = types[i] as string;
    if (forms[i] === 'same') {
      constants.push(`${parameter}::${type} as ${column}`);
      return;
    }
    const split = `string_to_array(${parameter}, e'\\x1f', e'\\x1e')`;
    lists.push(`${forms[i] === 'array' ? parameter : split}::${type}[]`);
    listed.push(column);
  });
  const source = `unnest(${lists.join(', ')})`;
  if (constants.length === 0) return `${source} as s(${listed.join(', ')})`;
  // `offset 0` keeps the planner from seeing through: it would look for all rows of the tenant, then for those wanted.
  return `(select ${constants.join(', ')}, u.* from ${source} as u(${listed.join(', ')}) offset 0) s`;
}
