import type { ColumnType, TableDefinition, Target } from '../../application/ports/read-store.js';

/** A view for analysts, in schema analytics. */
export interface ViewDefinition {
  readonly name: string;
  readonly comment: string;
  /**
   * The SELECT, over the views of schema `ledger`, for which their tables are put in: a view with the rights of its
   * reader (as those are) asks for that reader's rights even behind one with its owner's, and analysts have none there.
   * It must restrict itself to the tenant in `app.tenant`.
   */
  readonly query: string;
}

/** Names and definitions come from code, never from data: they are put into statements as they are. */
const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  uuid: 'uuid',
  // Byte order: cheaper to compare, the same on every machine, and what keys need.
  text: 'text collate "C"',
  bigint: 'bigint',
  numeric: 'numeric(38,0)',
  int: 'integer',
  timestamptz: 'timestamptz(3)',
  date: 'date',
  bool: 'boolean',
};

export const TENANT_SETTING = `nullif(current_setting('app.tenant', true), '')::uuid`;

/** `accounts_v1`, and `accounts_v1_g3` for the build of the third generation. */
export function physicalName(table: string, { projection, generation }: Target): string {
  return `${table}_v${projection.version}${generation === 1 ? '' : `_g${generation}`}`;
}

/** Statements that make an empty table with its rights. Keys and indexes of an append-only one come later if `bulk`. */
export function createTable(table: TableDefinition, target: Target, bulk: boolean): string[] {
  const name = physicalName(table.name, target);
  const columns = Object.entries(table.columns).map(
    ([column, type]) => `${column} ${SQL_TYPES[type]}${table.nullable?.includes(column) === true ? '' : ' not null'}`,
  );
  const fill = table.fillFactor === undefined ? '' : ` with (fillfactor = ${table.fillFactor})`;
  const statements = [
    `create table ledger.${name} (${columns.join(', ')})${fill}`,
    `comment on table ledger.${name} is '${table.comment.replaceAll("'", "''")}'`,
    `alter table ledger.${name} enable row level security`,
    `alter table ledger.${name} force row level security`,
    `create policy core on ledger.${name} to corebook_core using (true) with check (true)`,
    `create policy owner on ledger.${name} to current_user using (true) with check (true)`,
    `create policy api on ledger.${name} for select to corebook_api using (${
      table.scope === 'directory' ? 'true' : `tenant_id = ${TENANT_SETTING}`
    })`,
    `grant select, insert, update on ledger.${name} to corebook_core`,
    `grant select on ledger.${name} to corebook_api`,
  ];
  if (bulk && table.appendOnly === true) return statements;
  statements.push(createKey(table, target));
  if (!bulk) statements.push(...createIndexes(table, target));
  return statements;
}

/** Statements for what a bulk load left out. */
export function finishTable(table: TableDefinition, target: Target): string[] {
  const key = table.appendOnly === true ? [createKey(table, target)] : [];
  return [...key, ...createIndexes(table, target), `analyze ledger.${physicalName(table.name, target)}`];
}

function createKey(table: TableDefinition, target: Target): string {
  const name = physicalName(table.name, target);
  return `alter table ledger.${name} add constraint ${name}_key primary key (${table.key.join(', ')})`;
}

function createIndexes(table: TableDefinition, target: Target): string[] {
  const name = physicalName(table.name, target);
  return (table.indexes ?? []).map(
    ({ columns, where }, i) =>
      `create index ${name}_${i + 1} on ledger.${name} (${columns.join(', ')})${where === undefined ? '' : ` where ${where}`}`,
  );
}

/** The view that queries use; the rights and row-level security of who asks hold behind it. */
export function createView(table: TableDefinition, target: Target): string[] {
  return [
    `create or replace view ledger.${table.name} with (security_invoker = true) as
       select ${Object.keys(table.columns).join(', ')} from ledger.${physicalName(table.name, target)}`,
    `comment on view ledger.${table.name} is '${table.comment.replaceAll("'", "''")}'`,
    `grant select on ledger.${table.name} to corebook_core, corebook_api`,
  ];
}

/** The analysts' view over the live tables (by base name); undefined when one of them is not there. */
export function analystViewQuery(view: ViewDefinition, live: ReadonlyMap<string, string>): string | undefined {
  let complete = true;
  const query = view.query.replace(/\bledger\.(\w+)/g, (name, table: string) => {
    if (table === 'events') return name;
    const physical = live.get(table);
    complete &&= physical !== undefined;
    return `ledger.${physical ?? table}`;
  });
  return complete ? query : undefined;
}

export function createAnalystView(view: ViewDefinition, query: string): string[] {
  return [
    `create or replace view analytics.${view.name} with (security_barrier = true) as ${query}`,
    `comment on view analytics.${view.name} is '${view.comment.replaceAll("'", "''")}'`,
    `grant select on analytics.${view.name} to corebook_analyst, corebook_api`,
  ];
}
