/**
 * Tenants are kept apart below the API: what the roles behind it can do on PostgreSQL with SQL written by hand. Relations
 * are found in the catalogue, so that a new table without row-level security, or with a right too many, fails here.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { test } from 'tap';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresReadStore } from '../../infrastructure/postgres/read-store.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { ANALYST_VIEWS } from '../../projections/analyst-views.js';
import { createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { busyBook } from '../support/busy-book.js';
import { busyLoans } from '../support/busy-loans.js';
import { busyPeople } from '../support/busy-people.js';
import { PlainVault } from '../support/given-people.js';

/** What is read before a tenant is known. Whatever is added here can be read by everyone. */
const DIRECTORIES = ['tenant_domains', 'tenants'];
/** Tables about no tenant that queries may read. */
const ABOUT_NO_TENANT = ['projections'];
const ROLES = ['corebook_api', 'corebook_analyst'] as const;
const DENIED = '42501';

interface Relation {
  readonly name: string;
  readonly isTable: boolean;
  readonly hasTenant: boolean;
  readonly secured: boolean;
  readonly column: string;
  /** Which of the roles have any right on it. */
  readonly open: readonly string[];
}

type Row = Record<string, string | null>;

/** What a statement does: its rows, or the SQLSTATE that it fails with. It never lasts. */
async function attempt(client: pg.Client, text: string): Promise<{ rows: Row[]; code: string }> {
  await client.query('begin');
  try {
    const { rows } = await client.query<Row>(text);
    return { rows, code: '' };
  } catch (error) {
    return { rows: [], code: (error as { code?: string }).code ?? String(error) };
  } finally {
    await client.query('rollback');
  }
}

test('tenants are apart below the API', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-rls-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  const { urls } = database;
  const log = new PostgresEventLog({ url: urls.core, readers: 1 });
  const store = new PostgresReadStore({ coreUrl: urls.core, ownerUrl: urls.owner, analystViews: ANALYST_VIEWS });
  const clients: pg.Client[] = [];
  t.teardown(async () => {
    await Promise.all([log.close(), store.close(), ...clients.map((client) => client.end())]);
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  const connect = async (url: string, tenant?: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    clients.push(client);
    if (tenant !== undefined) await client.query(`select set_config('app.tenant', $1, false)`, [tenant]);
    return client;
  };

  const projections = createProjections();
  await store.prepare(projections);
  const vault = new PlainVault();
  const feed = new EventFeed(log, systemClock);
  const runner = new ProjectionRunner({ projections, store, vault, feed, clock: systemClock });
  const a = await busyBook('tenant-a', log);
  const b = await busyBook('tenant-b', log);
  const own = await busyPeople(a);
  const foreign = await busyPeople(b);
  await busyLoans(a, own);
  await busyLoans(b, foreign);
  while ((await runner.step()).moved);

  const owner = await connect(urls.owner);
  await owner.query('analyze');
  const api = await connect(urls.api, a.tenantId);
  const analyst = await connect(urls.analyst, a.tenantId);
  const asRole = { corebook_api: api, corebook_analyst: analyst };
  const { rows: relations } = await owner.query<Relation>(
    `select format('%I.%I', n.nspname, c.relname) as name, c.relkind in ('r', 'p') as "isTable",
            exists (select from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id' and t.attnum > 0) as "hasTenant",
            c.relrowsecurity and c.relforcerowsecurity as secured,
            (select quote_ident(t.attname) from pg_attribute t where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
              order by t.attnum limit 1) as column,
            array(select role from unnest($1::text[]) role
                   where has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                      or has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')) as open
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('ledger', 'analytics') and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1`,
    [[...ROLES]],
  );
  const tables = relations.filter(({ isTable }) => isTable);
  const countOf = async (name: string, tenant: string): Promise<number> => {
    const { rows } = await owner.query<{ n: number }>(
      `select count(*)::int as n from ${name} where tenant_id = '${tenant}'`,
    );
    return rows[0]?.n ?? 0;
  };
  const isDirectory = (name: string): boolean =>
    DIRECTORIES.some((directory) => new RegExp(`^ledger\\.${directory}(?:_v\\d+(?:_g\\d+)?)?$`).test(name));

  await t.test('which tables there are to read, and that all of them are secured', (t) => {
    t.strictSame(
      projections
        .flatMap(({ tables: all }) => all.filter(({ scope }) => scope === 'directory').map(({ name }) => name))
        .sort(),
      DIRECTORIES,
    );
    const readModels = projections.flatMap(({ tables: all, version }) =>
      all.map(({ name }) => `ledger.${name}_v${version}`),
    );
    const readable = tables.filter(({ open }) => open.length > 0);
    t.strictSame(
      readable
        .filter(({ hasTenant }) => hasTenant)
        .map(({ name }) => name)
        .sort(),
      [...readModels, 'ledger.events'].sort(),
      'read models and the log: no table of secrets',
    );
    t.strictSame(
      readable.filter(({ hasTenant }) => !hasTenant).map(({ name }) => name),
      ABOUT_NO_TENANT.map((name) => `ledger.${name}`),
    );
    for (const { name, secured, hasTenant } of readable)
      if (hasTenant) t.ok(secured, `${name} is secured, for its owner too`);
    t.strictSame(
      readable.filter(({ open }) => open.includes('corebook_analyst')),
      [],
      'analysts read views only',
    );
    const secrets = tables.filter(({ name, open }) => open.length === 0 && name !== 'ledger.events');
    for (const name of [
      'api_tokens',
      'subject_keys',
      'tenant_keys',
      'credentials',
      'sessions',
      'one_time_passwords',
      'stored_files',
    ]) {
      t.ok(
        secrets.some((table) => table.name === `ledger.${name}`),
        `${name} is for nobody`,
      );
    }
    t.end();
  });

  for (const role of ROLES) {
    const client = asRole[role];
    await t.test(`${role} reads no row of another tenant`, async (t) => {
      let read = 0;
      for (const { name } of relations.filter(({ hasTenant }) => hasTenant)) {
        const all = await attempt(
          client,
          `select count(*) as n from ${name} where tenant_id is distinct from '${a.tenantId}'`,
        );
        const one = await attempt(client, `select count(*) as n from ${name} where tenant_id = '${b.tenantId}'`);
        if (all.code !== '' || one.code !== '') {
          t.strictSame([all.code, one.code], [DENIED, DENIED], `${name} is closed`);
        } else if (!isDirectory(name)) {
          read += 1;
          t.strictSame([all.rows, one.rows], [[{ n: '0' }], [{ n: '0' }]], `${name}: none is there`);
          t.ok(
            (await countOf(name, a.tenantId)) > 0 && (await countOf(name, b.tenantId)) > 0,
            `${name}: both have some`,
          );
        }
      }
      t.equal(read > 20, role === 'corebook_api', `${read} relations with rows`);
    });

    await t.test(`${role} writes nothing, its own neither`, async (t) => {
      let tried = 0;
      for (const { name, isTable, column } of relations) {
        const statements = [
          `insert into ${name} select * from ${name} limit 1`,
          `insert into ${name} default values`,
          `update ${name} set ${column} = ${column}`,
          `delete from ${name}`,
          `select 1 from ${name} limit 1 for update`,
          ...(isTable
            ? [
                `truncate ${name}`,
                `lock table ${name} in row exclusive mode`,
                `alter table ${name} disable row level security`,
              ]
            : [`drop view ${name}`]),
        ];
        for (const statement of statements) {
          tried += 1;
          const { code } = await attempt(client, statement);
          // A view of several tables cannot be written through at all: that is said before rights are looked at.
          const ok = code === DENIED || (!isTable && (code === '55000' || code === '0A000'));
          if (!ok) t.fail(`${statement}: ${code === '' ? 'done' : code}`);
        }
      }
      t.ok(tried > 200, `${tried} statements`);
      const { rows } = await owner.query<Row>(
        `select c.relname from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege($1, c.oid, 'SELECT WITH GRANT OPTION')`,
        [role],
      );
      t.strictSame(rows, [], 'and hands on no right');
    });

    await t.test(`${role} does not become somebody else`, async (t) => {
      const superuser = (await owner.query<{ u: string }>('select current_user as u')).rows[0]?.u ?? '';
      const physical = tables.find(({ name }) => name.startsWith('ledger.customers_v'))?.name ?? '';
      for (const statement of [
        ...[`corebook_core`, superuser, ...ROLES.filter((other) => other !== role)].flatMap((other) => [
          `set role "${other}"`,
          `set session authorization "${other}"`,
          `grant "${other}" to ${role}`,
        ]),
        `alter role ${role} bypassrls`,
        `alter role ${role} superuser`,
        `create role another`,
        `create table ledger.mine (x int)`,
        `create view ledger.mine as select 1`,
        `create function ledger.mine() returns int language sql as 'select 1'`,
        `create schema mine`,
        `create policy mine on ${physical} using (true)`,
        `create trigger mine before insert on ${physical} execute function suppress_redundant_updates_trigger()`,
        `alter default privileges for role corebook_core grant all on tables to public`,
        `select * from pg_authid`,
        `select pg_read_file('/etc/passwd')`,
        `copy (select 1) to program 'true'`,
        `set row_security = off; select count(*) from ${physical}`,
      ]) {
        t.equal((await attempt(client, statement)).code, DENIED, statement);
      }
      const { rows } = await owner.query<Record<string, boolean>>(
        `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit, rolreplication,
                exists (select from pg_auth_members m where m.member = r.oid) as member,
                exists (select from pg_class c where c.relowner = r.oid) as owns
           from pg_roles r where rolname = $1`,
        [role],
      );
      t.strictSame(
        Object.entries(rows[0] ?? { none: true }).filter(([, is]) => is),
        [],
        'nothing special about it',
      );
      const { rows: definers } = await owner.query(
        `select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
          where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema') and has_function_privilege($1, p.oid, 'EXECUTE')`,
        [role],
      );
      t.strictSame(definers, [], 'no function lends it rights');
    });
  }

  /** What only tenant B has: ids, and words of his people. */
  const marks = [...foreign.customers, ...foreign.employees, ...foreign.bankDetails, ...b.accounts, b.tenantId];
  const told = (texts: readonly string[]): string[] =>
    marks.filter((mark) => texts.some((text) => text.includes(mark)));

  await t.test('functions and errors do not tell what the rows would', async (t) => {
    for (const [client, from] of [
      [api, relations.filter(({ name, isTable }) => !isTable && name.startsWith('ledger.')).map(({ name }) => name)],
      [analyst, ANALYST_VIEWS.map(({ name }) => `analytics.${name}`)],
    ] as const) {
      const notices: string[] = [];
      client.on('notice', ({ message = '' }) => notices.push(message));
      await client.query(
        `create function pg_temp.leak(row_text text) returns bool language plpgsql cost 0.0000001
           as $$ begin raise notice '%', row_text; return true; end $$`,
      );
      let rows = 0;
      for (const name of from.filter((one) => !isDirectory(one))) {
        const result = await client.query(`select 1 from ${name} x where pg_temp.leak(x::text)`);
        rows += result.rowCount ?? 0;
        const divided = await attempt(
          client,
          `select 1 from ${name} x where 1 / (strpos(x::text, '${foreign.customers[0]}') - 1) < 2 and 1 / (strpos(x::text, '${b.accounts[0]}') - 1) < 2`,
        );
        t.equal(divided.code, '', `${name}: no error tells of a row`);
      }
      t.ok(rows > 100 && notices.length >= rows, `${notices.length} notices`);
      t.strictSame(told(notices), []);
    }
    const physical = tables
      .filter(({ open, name }) => open.includes('corebook_api') && !isDirectory(name))
      .map(({ name }) => name);
    for (const name of physical.filter((one) => one !== 'ledger.projections')) {
      const { rows } = await api.query<Row>(
        `select x::text as line from ${name} x tablesample system (100) union all select (select x::text from ${name} x where x.tenant_id = '${b.tenantId}' limit 1)`,
      );
      t.strictSame(told(rows.map(({ line }) => line ?? '')), [], name);
    }
  });

  await t.test('statistics do not either', async (t) => {
    const stats = `select count(*)::int as n from pg_stats where schemaname in ('ledger', 'analytics') and tablename <> all ('{${ABOUT_NO_TENANT.join(',')}}')
       and tablename !~ '^(${DIRECTORIES.join('|')})_v'`;
    t.ok(((await owner.query<{ n: number }>(stats)).rows[0]?.n ?? 0) > 100, 'there are some');
    for (const role of ROLES) {
      const { rows } = await asRole[role].query<{ n: number }>(
        `${stats} and (schemaname, tablename) not in (select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relname ~ '^(${DIRECTORIES.join('|')})_v')`,
      );
      t.strictSame(rows, [{ n: 0 }], role);
      t.equal((await attempt(asRole[role], 'select * from pg_statistic')).code, DENIED);
    }
  });

  await t.test('analysts’ views show the tenant that was named, and none unless one was', async (t) => {
    const lines = async (client: pg.Client, name: string): Promise<string[]> =>
      (await client.query<Row>(`select x::text as line from analytics.${name} x`)).rows.map(({ line }) => line ?? '');
    const other = await connect(urls.analyst, b.tenantId);
    const nobody = await connect(urls.analyst);
    for (const { name } of ANALYST_VIEWS) {
      const mine = await lines(analyst, name);
      t.ok(mine.length > 0, name);
      t.strictSame(told(mine), [], name);
      t.ok(told(await lines(other, name)).length > 0, `${name}: the other one does have such rows`);
      t.strictSame(await lines(nobody, name), []);
    }
    const people = await lines(analyst, 'customers');
    t.equal(people.length, own.customers.length);
    t.notMatch(people.join('\n'), /obi|example\.|44791|gb00/i, 'and nobody’s name');
  });

  await t.test('a setting that is no tenant shows nothing', async (t) => {
    for (const [setting, code] of [
      ['', ''],
      ['00000000-0000-4000-8000-000000000000', ''],
      [`${b.tenantId}' or 'a'='a`, '22P02'],
      ['%', '22P02'],
    ] as const) {
      const client = await connect(urls.api, setting);
      for (const name of ['ledger.events', 'ledger.customers', 'ledger.accounts', 'ledger.customer_terms']) {
        const answer = await attempt(client, `select * from ${name}`);
        t.strictSame([answer.code, answer.rows], [code, []], `${name} for ${JSON.stringify(setting)}`);
      }
    }
  });
});
