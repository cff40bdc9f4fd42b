/** Read models of people, agents and settings: on PostgreSQL against a plain fold of the log, and what a search finds. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { test } from 'tap';
import type { CustomerFilter, Page, Paged, ReadModels } from '../../application/ports/read-models.js';
import { nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';
import type { PersonalData } from '../../domain/shared/person.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresReadStore } from '../../infrastructure/postgres/read-store.js';
import { TenantConnections } from '../../infrastructure/postgres/tenant-connection.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createProjection, createProjections } from '../../projections/catalogue.js';
import { customersProjection } from '../../projections/customers/projection.js';
import { MAX_TERMS, searchTermsOf, searchedTermsOf } from '../../projections/customers/search-terms.js';
import { employeesProjection } from '../../projections/employees/projection.js';
import { EventFeed } from '../../projections/feed.js';
import { projectBatch } from '../../projections/project-batch.js';
import { createReadModels } from '../../projections/read-models.js';
import { rebuildProjection } from '../../projections/rebuild.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { openBook } from '../support/busy-book.js';
import { busyPeople } from '../support/busy-people.js';
import { FoldedReadModels } from '../support/folded-read-models.js';
import { given } from '../support/given-events.js';
import { ADA, PlainVault, plainlySealed } from '../support/given-people.js';

const ALL: Page = { page: 1, size: 1_000 };
const PERSONAL_TABLES = ['customers', 'customer_terms', 'customer_bank_details', 'employees', 'agents'];

test('search terms', (t) => {
  const terms = (more: Partial<PersonalData>) => searchTermsOf({ ...ADA, phone: '', ...more });
  t.strictSame(terms({}), ['ada', 'obi', 'ada@example.com']);
  t.strictSame(terms({ firstName: 'Zoë', lastName: "O'Brien-Núñez" }).slice(0, 4), ['zoe', 'o', 'brien', 'nunez']);
  t.strictSame(terms({ firstName: 'Łukasz', lastName: 'Groß ΑΣ' }).slice(0, 3), ['lukasz', 'gross', 'ασ']);
  t.strictSame(terms({ phone: '+4479001' }).slice(3), ['4479001', '479001', '79001', '9001']);
  t.strictSame(terms({ email: 'a.b+news@x.org' }).slice(2), ['a.b+news@x.org', 'a', 'b', 'news']);
  t.strictSame(terms({ dynamicFields: { companyName: '24-7 Ltd', other: 'no' } }).slice(0, 4), [
    'ada',
    'obi',
    '247',
    'ltd',
  ]);
  const endless = terms({
    firstName: Array.from({ length: 500 }, (_, i) => `n${i}`).join(' '),
    lastName: '\u{1d400}'.repeat(1_000),
    email: `${'x.'.repeat(500)}@example.com`,
    phone: '9'.repeat(500),
  });
  t.ok(endless.length <= MAX_TERMS);
  t.ok(endless.every((term) => [...term].length <= 64 && !/\p{Surrogate}/u.test(term)));
  t.strictSame(terms({ firstName: '\u0000%', lastName: '\ud800_', email: '@' }), ['@']);

  t.strictSame(searchedTermsOf(['+44', '(0)7911', '123-456']), ['44', '7911', '123456']);
  t.strictSame(searchedTermsOf(['Ada@EX', "O'B"]), ['ada@ex', 'o', 'b']);
  t.strictSame(searchedTermsOf(['%', '_', '\\', '', '   ', '@', '\u0000']), []);
  t.equal(searchedTermsOf(Array.from({ length: 100 }, (_, i) => `word${i}`)).length, 8);
  t.end();
});

test('read models of people', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-people-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  const { urls } = database;
  const log = new PostgresEventLog({ url: urls.core, readers: 2 });
  const store = new PostgresReadStore({ coreUrl: urls.core, ownerUrl: urls.owner });
  const vault = new PlainVault();
  const projections = createProjections();
  await store.prepare(projections);
  const feed = new EventFeed(log, systemClock);
  const runner = new ProjectionRunner({ projections, store, vault, feed, clock: systemClock });
  const db = new TenantConnections({ url: urls.api });
  const models = createReadModels(db, runner);
  const folded = new FoldedReadModels(log, vault);
  const owner = new pg.Client({ connectionString: urls.owner });
  await owner.connect();
  t.teardown(async () => {
    await Promise.all([db.close(), store.close(), log.close(), owner.end()]);
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  const catchUp = async (): Promise<void> => {
    while ((await runner.step()).moved);
    const parked = runner.status().filter(({ error }) => error !== null);
    if (parked.length > 0) throw new Error(JSON.stringify(parked));
  };

  const book = await openBook('people', log);
  const people = await busyPeople(book);
  const others = await openBook('others', log);
  const strangers = await busyPeople(others, 'strangers');
  const { tenantId } = book;
  const { lagos, ikeja, kano } = people.agents;
  const [ada = '', adaeze = '', zoe = ''] = people.customers;
  await catchUp();

  const pages = async <T>(size: number, ask: (page: Page) => Promise<Paged<T>>): Promise<T[]> => {
    const items: T[] = [];
    for (let page = 1; ; page += 1) {
      const answer = await ask({ page, size });
      if (answer.items.length === 0) {
        t.equal(answer.totalElements, items.length, 'the total is the number of all');
        return items;
      }
      items.push(...answer.items);
    }
  };
  /** The same question to both; page by page to the one. */
  const asBoth = async <T>(ask: (from: ReadModels, page: Page) => Promise<Paged<T>>, title: string): Promise<T[]> => {
    const wanted = await ask(folded, ALL);
    t.strictSame(await pages(3, (page) => ask(models, page)), wanted.items, title);
    return [...wanted.items];
  };

  await t.test('one by one', async (t) => {
    for (const id of people.customers) {
      const wanted = await folded.customer(tenantId, id);
      t.ok(wanted);
      t.strictSame(await models.customer(tenantId, id), wanted);
      t.strictSame(await models.customer(tenantId, id.toUpperCase()), wanted);
      t.strictSame(await models.customer(tenantId, (wanted?.code ?? '').toLowerCase()), wanted);
      t.strictSame(await models.bankDetailsOf(tenantId, id), await folded.bankDetailsOf(tenantId, id));
      t.equal(await models.customer(others.tenantId, id), undefined, 'not there for another tenant');
      t.strictSame(await models.bankDetailsOf(others.tenantId, id), []);
    }
    for (const id of people.employees) {
      t.strictSame(await models.employee(tenantId, id), await folded.employee(tenantId, id));
      t.equal(await models.employee(others.tenantId, id), undefined);
    }
    for (const id of Object.values(people.agents)) {
      t.strictSame(await models.agent(tenantId, id), await folded.agent(tenantId, id));
      t.equal(await models.agent(others.tenantId, id), undefined);
    }
    for (const id of people.bankDetails) {
      t.strictSame(await models.bankDetail(tenantId, id), await folded.bankDetail(tenantId, id));
      t.equal(await models.bankDetail(others.tenantId, id), undefined);
    }
    for (const nobody of ['', 'x'.repeat(17), "' or 1=1 --", '\u0000', '%', tenantIdOf('nobody'), '000000']) {
      t.equal(await models.customer(tenantId, nobody), undefined, JSON.stringify(nobody));
    }
    t.match(await models.customer(tenantId, ada), {
      status: 'ACTIVE',
      complianceStatus: 'APPROVED',
      hasLoginPin: true,
      hasTransactionPin: true,
      lockedUntil: null,
      person: { firstName: 'Ada', email: 'Ada.Obi@Example.com' },
    });
    t.match(await models.employee(tenantId, people.employees[0] as string), {
      roles: ['CASHIER', 'AUDITOR'],
      branchId: null,
      lockedUntil: '2026-01-05T12:00:00.000Z',
      person: { lastName: 'Obi-Ade' },
    });
    t.match(
      (await models.bankDetailsOf(tenantId, ada)).map(({ details }) => details),
      [{ iban: 'GB00 0', holder: 'Ada Obi\u0000' }, { iban: 'GB00 2' }],
    );
    t.equal((await models.customer(tenantId, people.customers[8] as string))?.person?.lastName, '\ud800 \u{10ffff}');
  });

  await t.test('lists', async (t) => {
    const day = (await folded.customer(tenantId, ada))?.registeredAt.slice(0, 10) ?? '';
    const filters: CustomerFilter[] = [
      {},
      { status: 'PENDING_VERIFICATION' },
      { status: 'ACTIVE' },
      { status: 'ERASED' },
      { customerType: 'COMPANY' },
      { customerType: 'COMPANY', status: 'ACTIVE' },
      { fromDate: day, toDate: day },
      { fromDate: '2030-01-01' },
      { toDate: '2020-01-01' },
      { agentIds: [lagos] },
      { agentIds: [lagos, ikeja] },
      { agentIds: [kano], status: 'PENDING_VERIFICATION', toDate: '2030-01-01' },
      { agentIds: [] },
      { agentIds: [tenantIdOf('nobody')] },
    ];
    for (const filter of filters) {
      await asBoth((from, page) => from.customers(tenantId, filter, page), JSON.stringify(filter));
    }
    t.equal(
      (await models.customers(tenantId, { fromDate: day, toDate: day }, ALL)).totalElements,
      people.customers.length - 1,
    );
    t.equal((await models.customers(tenantId, { agentIds: [] }, ALL)).totalElements, 0, 'of no agent: nobody');
    t.equal((await models.customers(tenantIdOf('nobody'), {}, ALL)).totalElements, 0);
    for (const filter of [
      {},
      { role: 'CASHIER' },
      { role: 'MANAGER' },
      { status: 'INACTIVE' },
      { role: 'AGENT', status: 'ACTIVE' },
    ] as const) {
      await asBoth((from, page) => from.employees(tenantId, filter, page), JSON.stringify(filter));
    }
    for (const filter of [
      {},
      { under: lagos },
      { under: ikeja },
      { status: 'SUSPENDED' },
      { under: kano, status: 'ACTIVE' },
    ] as const) {
      await asBoth((from, page) => from.agents(tenantId, filter, page), JSON.stringify(filter));
    }
    for (const agent of [lagos, ikeja, kano, tenantIdOf('nobody')]) {
      t.strictSame(await models.agentIdsUnder(tenantId, agent), await folded.agentIdsUnder(tenantId, agent));
    }
    t.strictSame(await models.agentIdsUnder(tenantId, lagos), [lagos, ikeja]);
    t.strictSame(await models.agentIdsUnder(others.tenantId, lagos), []);
    for (const agentIds of [[lagos], [lagos, ikeja], [kano], []]) {
      const found = await asBoth(
        (from, page) => from.accounts(tenantId, { agentIds }, page),
        `accounts of ${agentIds.length}`,
      );
      t.ok(found.every(({ owner: of }) => people.customers.includes(of)));
    }
    t.equal((await models.accounts(tenantId, { agentIds: [lagos, ikeja], currency: 'JPY' }, ALL)).totalElements, 1);
    t.ok((await models.accounts(tenantId, {}, ALL)).totalElements > 20, 'without agents: all accounts');
  });

  const found = async (words: readonly string[], agentIds?: readonly string[]): Promise<number[]> => {
    const filter = agentIds === undefined ? {} : { agentIds };
    const items = await asBoth(
      (from, page) => from.findCustomers(tenantId, words, filter, page),
      `search ${JSON.stringify(words)}`,
    );
    return items.map(({ customerId }) => people.customers.indexOf(customerId));
  };

  await t.test('search', async (t) => {
    const cases: ReadonlyArray<readonly [words: readonly string[], found: readonly number[]]> = [
      [['ada'], [9, 0]],
      [['ADA', 'o'], [0]],
      [['obi', 'ada'], [0]],
      [['adaeze'], []],
      [['zoe'], [2]],
      [['ZOË', 'li'], [2]],
      [['nunez'], []],
      [['obrien'], []],
      [["O'Brien"], [3]],
      [['sean', 'padraig'], [3]],
      [['lukasz', 'zolc'], [4]],
      [['grosse'], [4]],
      [['GRÖSSE'], [4]],
      [['24-7'], [4]],
      [['αστρος'], [5]],
      [['παπαδοπουλος'], [5]],
      [['小'], [6]],
      [['ada@example.com'], []],
      [['ada.obi@'], [0]],
      [['Ada.Obi@EXAMPLE.com'], [0]],
      [['person9@'], [9]],
      [['07911', '123456'], [0]],
      [['+447911123456'], [0]],
      [['0044', '7911'], [0]],
      [['123456'], [9, 0]],
      [['3456'], [9, 0]],
      [['0612345678'], [9]],
      [['861239999'], [3]],
      [['861234567'], []],
      [['ада', 'елкина'], [10]],
      [['phone'], [11]],
      [['hone'], []],
      [['100'], [7]],
      [['%'], []],
      [['_'], []],
      [['\\'], []],
      [[''], []],
      [[], []],
      [['\u0000', "'; drop table ledger.events --"], []],
      [['x'.repeat(5_000)], []],
      [['\ud800'], []],
      [['ada', 'nobody'], []],
    ];
    for (const [words, wanted] of cases) {
      t.strictSame(await found(words), wanted, JSON.stringify(words).slice(0, 80));
    }
    t.strictSame(await found(['a%']), await found(['a']), 'a sign is no wildcard');
    t.strictSame(await found(['ada'], [lagos]), [9]);
    t.strictSame(await found(['ada'], [kano]), []);
    t.strictSame(await found(['ada'], []), []);
    const ofOthers = await models.findCustomers(others.tenantId, ['ada'], {}, ALL);
    t.ok(ofOthers.items.every(({ customerId }) => strangers.customers.includes(customerId)));
    t.equal(ofOthers.totalElements, 2);
  });

  await t.test('the directory and settings', async (t) => {
    for (const domain of [
      'lagos.people.example',
      'new.people.example',
      'NEW.People.example',
      'new.strangers.example',
    ]) {
      t.strictSame(await models.domainOwner(domain), await folded.domainOwner(domain), domain);
    }
    t.strictSame(await models.domainOwner('New.people.example'), { tenantId, agentId: lagos });
    t.equal(await models.domainOwner('lagos.people.example'), undefined, 'given up');
    for (const id of [tenantId, others.tenantId, tenantIdOf('nobody')]) {
      t.strictSame(await models.tenantSettings(id), await folded.tenantSettings(id));
    }
    t.match(await models.tenantSettings(tenantId), {
      preferences: [
        { key: 'SUPPORT_EMAIL', scope: { agent: lagos, country: 'NGA' }, value: 'help@lagos.example' },
        { key: 'OTP_LENGTH', scope: {}, value: 7 },
      ],
      countries: { NGA: { active: true, sending: true, receiving: false }, GBR: { active: true } },
    });
    t.strictSame(await models.tenantSettings(tenantIdOf('nobody')), { preferences: [], countries: {} });
  });

  /** All that the tables hold, as text. */
  const everything = async (): Promise<Record<string, string[]>> => {
    const tables: Record<string, string[]> = {};
    for (const name of PERSONAL_TABLES) {
      const { rows } = await owner.query<{ line: string }>(`select x::text as line from ledger.${name} x order by 1`);
      tables[name] = rows.map(({ line }) => line);
    }
    return tables;
  };

  await t.test('nothing is left of those who were erased', async (t) => {
    const tables = await everything();
    for (const id of people.erased) {
      const lines = Object.values(tables)
        .flat()
        .filter((line) => line.includes(id));
      t.ok(lines.length > 0, 'rows stay');
      for (const line of lines) t.notMatch(line, /adaeze|okafor|2348031|person1@|GB00|face|zoe|person2@/i);
    }
    t.match(await models.customer(tenantId, adaeze), {
      ...{ status: 'ERASED', person: null, pictureId: null, lockedUntil: null },
      ...{ hasLoginPin: false, hasTransactionPin: false },
    });
    t.match(await models.bankDetailsOf(tenantId, adaeze), [{ details: null }, { details: null }]);
    t.match(await models.employee(tenantId, people.employees[2] as string), { status: 'ERASED', person: null });
    t.ok(JSON.stringify(tables).includes('Obi'), 'the others are there');
    t.notMatch(JSON.stringify(tables), /Núñez/, 'what a profile said before is gone');
  });

  await t.test('built anew they are the same, also without the keys of the erased', async (t) => {
    const before = await everything();
    for (const id of people.erased) vault.erased.add(id);
    for (const name of ['customers', 'employees', 'agents']) {
      const projection = createProjection(name);
      if (projection === undefined) throw new Error(name);
      const own = new PostgresReadStore({ coreUrl: urls.core, ownerUrl: urls.owner });
      await rebuildProjection({ projection, store: own, vault, log, batchEvents: 7 });
      await own.close();
    }
    const slots = (lines: readonly string[] = []) => lines.filter((line) => !line.includes(people.erased[0] as string));
    const after = await everything();
    t.strictSame(slots(after['customer_terms']), slots(before['customer_terms']));
    for (const name of PERSONAL_TABLES) {
      // How many empty slots an erased customer has depends on whether his terms were ever known.
      if (name === 'customer_terms') continue;
      const comparable = (lines: readonly string[] = []) => lines.map((line) => line.replace(/,\d+,("?)[^,]*\)$/, ''));
      t.strictSame(comparable(after[name]), comparable(before[name]), name);
    }
    await catchUp();
    t.strictSame(await models.customer(tenantId, zoe), await folded.customer(tenantId, zoe));
  });

  await t.test('searches and lists use their indexes', async (t) => {
    const asked: Array<{ name: string; text: string; values: readonly unknown[] }> = [];
    const spied = createReadModels({ query: (tenant, query) => (asked.push(query), db.query(tenant, query)) }, runner);
    const many = 20_000;
    await owner.query(
      `insert into ledger.customers select '${tenantId}', md5(i::text)::uuid, 'X' || i, 'INDIVIDUAL', 'ACTIVE', 'INCOMPLETE', 'GBR',
              case when i % 1000 = 0 then '${kano}'::uuid end, null, '{}', 'name ' || i, false, false, null, 1000000 + i,
              '2026-02-01'::timestamptz + i * interval '1 second', now(), 2, '' from generate_series(1, ${many}) i`,
    );
    await owner.query(
      `insert into ledger.customer_terms select '${tenantId}', md5(i::text)::uuid, s, case s when 0 then 'n' || md5(i::text) else 'common' end
         from generate_series(1, ${many}) i, generate_series(0, 1) s`,
    );
    await owner.query('analyze');
    await spied.findCustomers(tenantId, ['lukasz', 'zolc'], {}, ALL);
    t.equal((await spied.findCustomers(tenantId, ['common', 'nc4ca'], {}, ALL)).totalElements, 1);
    await spied.customers(tenantId, {}, { page: 1, size: 20 });
    await spied.customers(tenantId, { agentIds: [kano] }, { page: 1, size: 20 });
    await spied.customers(tenantId, { fromDate: '2026-02-01', toDate: '2026-02-01' }, { page: 1, size: 20 });
    await spied.customer(tenantId, 'X77');
    await spied.accounts(tenantId, { agentIds: [lagos] }, ALL);
    const client = new pg.Client({ connectionString: urls.api });
    await client.connect();
    await client.query(
      `select set_config('app.tenant', '${tenantId}', false), set_config('plan_cache_mode', 'force_generic_plan', false)`,
    );
    for (const { name, text, values } of asked) {
      if (/^(?:customers|accounts)-count$/.test(name)) continue; // They look at all there are.
      const { rows } = await client.query<Record<string, string>>(`explain (analyze, costs off, timing off) ${text}`, [
        ...values,
      ]);
      const plan = rows.map((row) => Object.values(row)[0]).join('\n');
      const scanned = [...plan.matchAll(/Scan.*on customer\w*.*rows=(\d+)/g)].map(([, n]) => Number(n));
      t.ok(scanned.length > 0 && scanned.every((n) => n <= 1_001), `${name} looks at few rows`, { plan });
      t.notMatch(plan, /Seq Scan on customer/, name, { plan });
    }
    await client.end();
  });
});

test('what cannot be projected parks', async (t) => {
  const batch = async (
    projection: ReturnType<typeof customersProjection>,
    type: string,
    data: object,
  ): Promise<void> => {
    const store = new MemoryReadStore();
    await store.prepare([projection]);
    const target = { projection, generation: 1 };
    const events = given([{ type, data }]);
    await store.apply(
      target,
      '',
      '1',
      await projectBatch(projection, { store, vault: new PlainVault() }, target, events),
    );
  };
  const customer = nameBasedUuid(tenantIdOf('x'), 'nobody');
  const person = plainlySealed(customer, ADA);
  const user = { kind: 'customer', id: customer };
  for (const [type, data] of [
    ['customer-profile-changed', { customer, changed: ['phone'], country: 'GBR', person }],
    ['customer-status-set', { customer, from: 'ACTIVE', to: 'INACTIVE' }],
    ['customer-erased', { customer, legalBasis: 'x' }],
    ['bank-details-added', { customer, bankDetail: customer, currency: 'GBP', country: 'GBR', person }],
    ['bank-details-removed', { customer, bankDetail: customer }],
    ['secret-set', { user, secret: 'LOGIN_PIN', how: 'CREATED' }],
  ] as const) {
    await t.rejects(batch(customersProjection(), type, data), type);
  }
  await t.resolves(
    batch(customersProjection(), 'secret-set', { user: { kind: 'employee', id: customer }, secret: 'LOGIN_PIN' }),
  );
  await t.resolves(batch(employeesProjection(), 'secret-set', { user, secret: 'LOGIN_PIN' }));
  await t.rejects(batch(employeesProjection(), 'employee-status-set', { employee: customer, to: 'ACTIVE' }));
});
