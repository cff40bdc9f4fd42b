import type { ColumnType, Row, TableDefinition, Value } from './ports/read-store.js';

/** Rules of rows that hold in a batch, in the memory store and, as SQL, in the database. */
type MutableRow = Record<string, Value>;

/** The values of a row's key, joined; control characters do not occur in keys. */
export function keyText(table: TableDefinition, row: Row): string {
  const { key } = table;
  let text = String(row[key[0] as string]);
  for (let i = 1; i < key.length; i += 1) text += `\u001f${String(row[key[i] as string])}`;
  return text;
}

/** Adds an addition to the row that it meets: the same rule in the batch, in memory and (as SQL) in the database. */
export function mergeInto(table: TableDefinition, row: MutableRow, addition: Row): void {
  for (const column in table.merge) {
    const a = row[column];
    const b = addition[column];
    if (!isQuantity(a) || !isQuantity(b)) throw new TypeError(`${table.name}.${column} is not a number to merge`);
    row[column] = merged(table.merge[column] as 'sum' | 'min' | 'max', a, b);
  }
}

function merged(how: 'sum' | 'min' | 'max', a: bigint | number, b: bigint | number): bigint | number {
  if (how === 'min') return a < b ? a : b;
  if (how === 'max') return a > b ? a : b;
  return typeof a === 'bigint' && typeof b === 'bigint' ? a + b : (a as number) + (b as number);
}

function isQuantity(value: Value | undefined): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

/** The value as it would be read back from a column of this type. */
export function normalValue(type: ColumnType, value: Value): Value {
  if (value === null) return null;
  if (type === 'numeric') return typeof value === 'bigint' ? value : BigInt(value as string | number);
  if (type === 'text') return storableText(value as string);
  return value;
}

/** The database holds any character but U+0000, which stands for nothing that a person wrote. */
export function storableText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}
