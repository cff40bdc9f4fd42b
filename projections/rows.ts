import type { Page } from '../application/ports/read-models.js';
import type { QueryRow } from '../application/ports/queries.js';

/** Reading columns that came as text. A column that is missing is a defect of the query. */
export function text(row: QueryRow, column: string): string {
  const value = row[column];
  if (value === null || value === undefined) throw new TypeError(`column ${column} has no value`);
  return value;
}

export function optionalText(row: QueryRow, column: string): string | null {
  return row[column] ?? null;
}

export function minor(row: QueryRow, column: string): bigint {
  return BigInt(text(row, column));
}

export function optionalMinor(row: QueryRow, column: string): bigint | null {
  const value = row[column] ?? null;
  return value === null ? null : BigInt(value);
}

/** A count or a revision. */
export function count(row: QueryRow, column: string): number {
  return Number.parseInt(text(row, column), 10);
}

/** ISO 8601 in UTC with milliseconds, for SELECT lists. */
export function instant(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** Counting stops here: beyond it a list has "this many or more" elements, and the count stays cheap. */
export const MAX_COUNTED = 100_000;
/** Longest page. */
const MAX_PAGE_SIZE = 1_000;

export function limitOf({ size }: Page): number {
  return Math.min(Math.max(1, size), MAX_PAGE_SIZE);
}

export function offsetOf(page: Page): number {
  return (Math.max(1, page.page) - 1) * limitOf(page);
}
