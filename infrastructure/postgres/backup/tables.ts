import type pg from 'pg';

/** A table of the database that is dumped. */
export interface DumpedTable {
  /** `ledger.events` */
  readonly name: string;
  readonly columns: string[];
  /** Row-level security: it is read as corebook_core, whose policies show every row, and not as the owner, who may see none. */
  readonly isGuarded: boolean;
  /** Bytes on disk, for the progress. */
  readonly size: number;
}

/** What must not come back from the past: who was logged in then is not now. Everybody logs in again. */
const FORGOTTEN = ['sessions', 'refresh_tokens', 'step_ups', 'one_time_passwords'];
/** The registry of read models and of views: made anew by the code that restores. */
const MADE_ANEW = ['projections', 'analyst_views'];

/** Tables of schema ledger that are rows of their own: all but read models (`ledger.projections` names those) and the above. */
export async function plainTables(client: pg.Client): Promise<DumpedTable[]> {
  const builds = await client.query<{ tables: string[] }>('select tables from ledger.projections');
  const others = [...FORGOTTEN, ...MADE_ANEW, ...builds.rows.flatMap(({ tables }) => tables)];
  return tablesWhere(client, 'not (c.relname = any($1::text[]))', others);
}

export async function namedTables(client: pg.Client, names: readonly string[]): Promise<DumpedTable[]> {
  const tables = await tablesWhere(client, 'c.relname = any($1::text[])', names);
  if (tables.length !== names.length) throw new Error(`not all of ${names.join(', ')} are there`);
  return tables;
}

/** `pg_get_…` and catalogs only: nothing is read of the tables themselves. */
async function tablesWhere(client: pg.Client, condition: string, names: readonly string[]): Promise<DumpedTable[]> {
  const { rows } = await client.query<{
    name: string;
    columns: string[];
    guarded: boolean;
    open: boolean;
    size: string;
  }>(
    `select format('ledger.%I', c.relname) as name, c.relrowsecurity as guarded,
            pg_catalog.pg_relation_size(c.oid) as size,
            (select array_agg(a.attname::text order by a.attnum) from pg_catalog.pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
            exists (select from pg_catalog.pg_policies p
                     where p.schemaname = 'ledger' and p.tablename = c.relname and p.permissive = 'PERMISSIVE'
                       and p.cmd in ('ALL', 'SELECT') and 'corebook_core' = any(p.roles) and p.qual = 'true')
            and not exists (select from pg_catalog.pg_policies p
                     where p.schemaname = 'ledger' and p.tablename = c.relname and p.permissive = 'RESTRICTIVE'
                       and p.cmd in ('ALL', 'SELECT')) as open
       from pg_catalog.pg_class c
      where c.relnamespace = 'ledger'::regnamespace and c.relkind = 'r' and ${condition}
      order by c.relname`,
    [names],
  );
  for (const { name, guarded, open } of rows) {
    // Row-level security leaves rows out silently: rather no backup than one that lacks rows.
    if (guarded && !open) throw new Error(`${name}: corebook_core may not see every row, so it cannot be backed up`);
  }
  return rows.map(({ name, columns, guarded, size }) => ({
    ...{ name, columns, isGuarded: guarded },
    size: Number.parseInt(size, 10),
  }));
}
