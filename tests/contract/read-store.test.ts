/** The contract suite of the read store against its adapters, and what only PostgreSQL can be asked. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { type Test, test } from 'tap';
import { scanOf } from '../../application/ports/event-scan.js';
import type { StoredEvent } from '../../application/ports/event-log.js';
import { keyText } from '../../application/table-rows.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { MemoryStateStore } from '../../infrastructure/memory/state-store.js';
import { type Database, openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresEventScan } from '../../infrastructure/postgres/event-scan.js';
import { PostgresReadStore } from '../../infrastructure/postgres/read-store.js';
import { PostgresStateStore } from '../../infrastructure/postgres/state-store.js';
import { TenantConnections } from '../../infrastructure/postgres/tenant-connection.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { AGGREGATE_STATES_VERSION } from '../../projections/aggregate-states/projection.js';
import { ANALYST_VIEWS } from '../../projections/analyst-views.js';
import { createProjection, createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import type { Projection } from '../../projections/projection.js';
import { rebuildProjection } from '../../projections/rebuild.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { type Book, busyBook, openBook } from '../support/busy-book.js';
import { busyLoans } from '../support/busy-loans.js';
import { busyPeople } from '../support/busy-people.js';
import { PlainVault } from '../support/given-people.js';
import { readStoreSuite } from './read-store-suite.js';

test('memory', async (t) => {
  await readStoreSuite(t, new MemoryReadStore());
});

async function openTestDatabase(t: Test): Promise<Database> {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-read-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  t.teardown(async () => {
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  return database;
}

test('postgres', async (t) => {
  const { urls } = await openTestDatabase(t);
  const closing: Array<{ close(): Promise<void> }> = [];
  t.teardown(() => Promise.all(closing.map((one) => one.close())));
  const opened = <C extends { close(): Promise<void> }>(one: C): C => {
    closing.push(one);
    return one;
  };
  const newStore = (): PostgresReadStore =>
    opened(new PostgresReadStore({ coreUrl: urls.core, ownerUrl: urls.owner, analystViews: ANALYST_VIEWS }));
  const sql = async (url: string, ...statements: string[]): Promise<Array<Record<string, unknown>>> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      let rows: Array<Record<string, unknown>> = [];
      for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
      return rows;
    } finally {
      await client.end();
    }
  };

  await t.test('contract', (t) => readStoreSuite(t, newStore()));

  const log = opened(new PostgresEventLog({ url: urls.core, readers: 4 }));
  const store = newStore();
  const vault = new PlainVault();
  const projections = createProjections();
  await store.prepare(projections);
  const runner = new ProjectionRunner({
    projections,
    store,
    vault,
    feed: new EventFeed(log, systemClock),
    clock: systemClock,
  });
  const stopping = new AbortController();
  const failures: unknown[] = [];
  const running = runner.run(stopping.signal);
  closing.unshift({
    close: async () => {
      stopping.abort();
      await running;
    },
  });

  const a = await busyBook('tenant-a', log);
  const b = await busyBook('tenant-b', log);
  for (const book of [a, b]) {
    await busyLoans(book, await busyPeople(book));
  }
  const caughtUp = async (): Promise<void> => {
    if (await runner.waitFor(await log.lastPosition(), 30_000)) return;
    throw new Error(`not caught up: ${JSON.stringify(runner.status())}`);
  };
  await caughtUp();

  /** The rows of every table, as memory would have them and as they are. */
  const sameAsMemory = async (t: Test): Promise<void> => {
    await caughtUp();
    const memory = new MemoryReadStore();
    const fresh = createProjections();
    await memory.prepare(fresh);
    const reference = new ProjectionRunner({
      projections: fresh,
      store: memory,
      vault,
      feed: new EventFeed(log, systemClock),
      clock: systemClock,
    });
    while ((await reference.step()).moved);
    for (;;) {
      const { lagEvents } = runner.status().find(({ name }) => name === 'aggregate-states') ?? { lagEvents: 0 };
      if (lagEvents === 0) break;
      await systemClock.sleep(20);
    }
    const states = await store.states();
    for (const projection of fresh) {
      const live = states.find((state) => state.name === projection.name && state.status === 'running');
      for (const table of projection.tables) {
        const expected = memory.rows(table.name);
        const target = { projection, generation: live?.generation ?? 0 };
        const rows = await store.load(target, table.name, expected);
        const sorted = [...rows].sort((x, y) => (keyText(table, x) < keyText(table, y) ? -1 : 1));
        t.strictSame(sorted, expected, `${table.name}: ${expected.length} rows`);
        const [counted] = await sql(urls.core, `select count(*)::int as n from ledger.${table.name}`);
        t.equal(counted?.['n'], expected.length, `${table.name}: and no others`);
      }
    }
  };

  await t.test('rows are those that memory has', sameAsMemory);

  await t.test('stored states: one snapshot, of this version only', async (t) => {
    const memory = new MemoryReadStore();
    const states = createProjections().filter(({ name }) => name === 'aggregate-states');
    await memory.prepare(states);
    const reference = new ProjectionRunner({
      projections: states,
      store: memory,
      vault,
      feed: new EventFeed(log, systemClock),
      clock: systemClock,
    });
    while ((await reference.step()).moved);
    const tags = [
      ...a.accounts.map((id) => `account:${id}` as const),
      `tenant:${a.tenantId}` as const,
      'account:none' as const,
    ];
    const stored = opened(new PostgresStateStore({ url: urls.core, version: AGGREGATE_STATES_VERSION }));
    const loaded = await stored.load(a.tenantId, tags);
    t.strictSame(loaded, await new MemoryStateStore(memory).load(a.tenantId, tags));
    t.equal(loaded.states.size, a.accounts.length + 1);
    t.equal(loaded.revision, (await log.head(a.tenantId)).revision);
    t.equal((await stored.load(a.tenantId, [])).revision, loaded.revision);
    t.equal((await stored.load(tenantIdOf('nobody'), [])).revision, -1);
    const other = opened(new PostgresStateStore({ url: urls.core, version: AGGREGATE_STATES_VERSION + 1 }));
    t.strictSame(await other.load(a.tenantId, tags), { revision: -1, states: new Map(), missing: true });
  });

  await t.test('a scan reads what readAll reads', async (t) => {
    const scan = opened(new PostgresEventScan({ url: urls.core }));
    const lean = ({ hash: _h, dataText: _d, metaText: _m, storedVersion: _v, keyId: _k, ...event }: StoredEvent) =>
      event;
    const whole: unknown[] = [];
    let after = '';
    for (;;) {
      const page = await scan.scan({ after, limit: 7, types: 'all' });
      whole.push(...page.events);
      if (page.next === after) break;
      after = page.next;
    }
    const all = await log.readAll({ after: '', limit: 10_000 });
    t.strictSame(whole, all.map(lean));
    t.ok(whole.length > 100);
    const types = ['hold-placed', 'account-closed'];
    const some = await scan.scan({ after: '5', limit: 10_000, types });
    const slow = await scanOf(log).scan({ after: '5', limit: 10_000, types });
    t.strictSame(some, { events: slow.events.map((event) => lean(event as StoredEvent)), next: slow.next });
    t.ok(some.events.length > 3);
    t.strictSame(await scan.scan({ after: some.next, limit: 10, types: 'all' }), { events: [], next: some.next });
  });

  await t.test('rebuild under load: readers never see less than they saw', async (t) => {
    const queries = opened(new TenantConnections({ url: urls.api }));
    const reading = new AbortController();
    const looks: Record<string, number> = {};
    const reader = async (table: string): Promise<void> => {
      let least = 1;
      while (!reading.signal.aborted) {
        const [row] = await queries.query(a.tenantId, {
          name: `n ${table}`,
          text: `select count(*) as n from ledger.${table}`,
          values: [],
        });
        const n = Number(row?.['n']);
        if (n < least) throw new Error(`${table}: ${n} rows after ${least}`);
        least = n;
        looks[table] = (looks[table] ?? 0) + 1;
      }
    };
    const tables = ['accounts', 'entries', 'account_days', 'holds', 'event_tags'];
    const readers = Promise.all(tables.map(reader));
    let writing = true;
    let written = 0;
    const writer = (async (): Promise<void> => {
      while (writing) {
        await Promise.all([a.transfer(0, 1, 1n), a.transfer(1, 0, 1n), b.transfer(0, 1, 1n)]);
        written += 3;
      }
    })();
    const scan = opened(new PostgresEventScan({ url: urls.core }));
    const own = newStore();
    for (const { name, tables: definitions } of createProjections()) {
      const result = await rebuildProjection({
        projection: createProjection(name) as Projection,
        store: own,
        vault,
        log,
        scan,
        batchEvents: 50,
      });
      t.match(result, { name, generation: 2 });
      t.ok(definitions.length > 0 && result.events > 0);
    }
    writing = false;
    await writer;
    reading.abort();
    await readers;
    t.ok(written > 10, `${written} postings meanwhile`);
    for (const table of tables) t.ok((looks[table] ?? 0) > 5, `${looks[table] ?? 0} looks at ${table}`);
    await sameAsMemory(t);
    t.ok(runner.status().every(({ generation, status }) => generation === 2 && status === 'running'));
    const left = await sql(urls.owner, `select relname from pg_class where relname ~ '^(accounts|entries|holds)_v1$'`);
    t.strictSame(left, [], 'the old tables are gone');
    t.strictSame(failures, []);
  });

  await t.test('a new version with other columns replaces view and analysts’ views', async (t) => {
    const [accounts] = createProjections().filter(({ name }) => name === 'accounts');
    const [table] = accounts?.tables ?? [];
    if (accounts === undefined || table === undefined) throw new Error('no accounts');
    const { held, ...others } = table.columns;
    const changed = {
      ...table,
      columns: { extra: 'text' as const, ...others, held: held ?? 'numeric' },
      nullable: [...(table.nullable ?? []), 'extra'],
    };
    const projection: Projection = {
      ...accounts,
      version: accounts.version + 1,
      tables: [changed],
      project: (events, loaded) => {
        const changes = createProjection('accounts')?.project(events, loaded);
        if (changes === undefined) throw new Error('no accounts');
        return changes;
      },
    };
    const own = newStore();
    await rebuildProjection({ projection, store: own, vault, log, batchEvents: 100_000 });
    const columns = await sql(
      urls.owner,
      `select column_name from information_schema.columns where table_schema = 'ledger' and table_name = 'accounts' order by ordinal_position limit 1`,
    );
    t.strictSame(columns, [{ column_name: 'extra' }]);
    const [balance] = await sql(
      urls.analyst,
      `select set_config('app.tenant', '${a.tenantId}', false)`,
      'select sum(ledger)::text as sum, count(*)::int as n from analytics.balances',
    );
    t.match(balance, { sum: '0' });
    t.ok((balance?.['n'] as number) > 20);
    await rebuildProjection({ projection: createProjection('accounts') as Projection, store: own, log });
    await caughtUpWith(runner, log);
    await sameAsMemory(t);
  });

  await t.test('row-level security', async (t) => {
    const tenantTables = createProjections().flatMap(({ tables }) =>
      tables.filter(({ scope }) => scope !== 'directory').map(({ name }) => name),
    );
    t.ok(tenantTables.length >= 7);
    const as = (tenant: string, statement: string) =>
      sql(urls.api, `select set_config('app.tenant', '${tenant}', false)`, statement);
    for (const table of [...tenantTables, 'events']) {
      const [own] = await as(a.tenantId, `select count(*)::int as n from ledger.${table}`);
      const [foreign] = await as(
        a.tenantId,
        `select count(*)::int as n from ledger.${table} where tenant_id = '${b.tenantId}'`,
      );
      const [owned] = await as(
        b.tenantId,
        `select count(*)::int as n from ledger.${table} where tenant_id = '${b.tenantId}'`,
      );
      const none = await sql(urls.api, `select count(*)::int as n from ledger.${table}`);
      t.ok((own?.['n'] as number) > 0 && (owned?.['n'] as number) > 0, `${table}: each has rows`);
      t.equal(foreign?.['n'], 0, `${table}: another tenant's rows are not there`);
      t.strictSame(none, [{ n: 0 }], `${table}: without a tenant none are`);
    }
    for (const { relname } of await sql(
      urls.owner,
      `select relname from pg_class where relname ~ '_v[0-9]+(_g[0-9]+)?$' and relkind = 'r' and relnamespace = 'ledger'::regnamespace`,
    )) {
      const name = String(relname);
      await t.rejects(
        as(a.tenantId, `insert into ledger.${name} select * from ledger.${name}`),
        { code: '42501' },
        `${name}: the API may not write`,
      );
      await t.rejects(as(a.tenantId, `update ledger.${name} set tenant_id = tenant_id`), { code: '42501' });
      await t.rejects(sql(urls.core, `delete from ledger.${name}`), { code: '42501' }, `${name}: nobody deletes`);
      await t.rejects(sql(urls.analyst, `select * from ledger.${name}`), { code: '42501' });
    }
    const directory = await sql(urls.api, 'select slug from ledger.tenants order by slug');
    t.strictSame(directory, [{ slug: 'tenant-a' }, { slug: 'tenant-b' }], 'the directory is for all');
    await t.rejects(sql(urls.analyst, 'select * from ledger.tenants'), { code: '42501' });
    await t.rejects(sql(urls.analyst, 'select * from ledger.events'), { code: '42501' });
    await t.rejects(sql(urls.api, 'update ledger.projections set checkpoint = checkpoint'), { code: '42501' });
  });

  await t.test('a connection is set to the tenant that asks', async (t) => {
    const queries = opened(new TenantConnections({ url: urls.api, connections: 2 }));
    const tenants = [a.tenantId, b.tenantId, null, tenantIdOf('nobody')];
    const seen = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const tenant = tenants[i % tenants.length] as string | null;
        const rows = await queries.query(tenant, {
          name: 'mine',
          text: 'select distinct tenant_id from ledger.accounts',
          values: [],
        });
        return rows.every((row) => row['tenant_id'] === tenant) && rows.length === (i % tenants.length < 2 ? 1 : 0);
      }),
    );
    t.strictSame(
      seen.filter((right) => !right),
      [],
    );
    await t.rejects(
      queries.query('not a uuid', { name: 'mine', text: 'select distinct tenant_id from ledger.accounts', values: [] }),
    );
    await t.rejects(queries.query(a.tenantId, { name: 'wrong', text: 'select nothing', values: [] }), {
      code: '42703',
    });
    t.equal((await queries.query(a.tenantId, { name: 'after', text: 'select 1 as one', values: [] }))[0]?.['one'], '1');
  });

  await t.test('analysts', async (t) => {
    const as = (tenant: string, statement: string) =>
      sql(urls.analyst, `select set_config('app.tenant', '${tenant}', false)`, statement);
    const page = readFileSync('docs/reference/analyst-views.md', 'utf8');
    for (const { name } of ANALYST_VIEWS) {
      const [own] = await as(a.tenantId, `select count(*)::int as n from analytics.${name}`);
      t.ok((own?.['n'] as number) > 0, name);
      t.strictSame(await as(tenantIdOf('nobody'), `select count(*)::int as n from analytics.${name}`), [{ n: 0 }]);
      t.strictSame(await sql(urls.analyst, `select count(*)::int as n from analytics.${name}`), [{ n: 0 }]);
      const section = page.split(`## \`analytics.${name}\``)[1]?.split('\n## ')[0] ?? '';
      for (const { column_name } of await sql(
        urls.owner,
        `select column_name from information_schema.columns where table_schema = 'analytics' and table_name = '${name}'`,
      )) {
        t.ok(section.includes(`\`${String(column_name)}\``), `${name}.${String(column_name)} is described`);
      }
    }
    t.match(await as(a.tenantId, `select narration, kind from analytics.entries where narration is not null limit 1`), [
      { narration: 'paid in', kind: 'journal' },
    ]);
    t.strictSame(
      await as(
        a.tenantId,
        'select currency, sum(signed_amount)::text as sum from analytics.entries group by currency order by currency',
      ),
      [
        { currency: 'EUR', sum: '0' },
        { currency: 'JPY', sum: '0' },
      ],
    );
    t.strictSame(
      await as(
        b.tenantId,
        'select currency, sum(net)::text as sum from analytics.trial_balance group by currency order by currency',
      ),
      [
        { currency: 'EUR', sum: '0' },
        { currency: 'JPY', sum: '0' },
      ],
    );
  });

  const odd: Book = await openBook('odd', log);
  await t.test('texts that a database cannot hold do not stop it', async (t) => {
    const payload = {
      owner: odd.tenantId,
      currency: 'EUR',
      product: 'CURRENT',
      name: 'nul \u0000 and \u001f \u001e \ud800',
    };
    const outcome = await odd.run('open-account', payload).catch((error: Error) => error);
    await caughtUp();
    t.ok(
      runner.status().every(({ status }) => status === 'running'),
      JSON.stringify(runner.status().map(({ error }) => error)),
    );
    if (outcome instanceof Error) t.comment(`refused earlier: ${outcome.message}`);
    else
      t.match(
        await sql(
          urls.core,
          `select name from ledger.accounts where tenant_id = '${odd.tenantId}' and product = 'CURRENT'`,
        ),
        [{ name: 'nul \ufffd and \u001f \u001e \ufffd' }],
      );
  });
});

/** A version switched away and back: the runner finds it at its next look. */
async function caughtUpWith(runner: ProjectionRunner, log: PostgresEventLog): Promise<void> {
  const position = await log.lastPosition();
  for (let i = 0; i < 100; i += 1) {
    if (await runner.waitFor(position, 200)) return;
  }
  throw new Error('the runner did not find its version again');
}
