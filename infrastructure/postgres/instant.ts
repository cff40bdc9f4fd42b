/** A timestamptz column as the text that ports speak: ISO 8601 UTC with milliseconds. */
export function instant(column: string, name = column): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${name}`;
}
