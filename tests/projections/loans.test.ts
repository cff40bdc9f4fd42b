/** Read models of lending: on PostgreSQL and in memory against a plain fold of the log, however the log was cut. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { test } from 'tap';
import { ARREARS_BUCKETS, LOAN_SORTS } from '../../application/ports/lending-read-models.js';
import type { EventLog } from '../../application/ports/event-log.js';
import type { LoanFilter, Page, Paged, ReadModels, RepaymentFilter } from '../../application/ports/read-models.js';
import { bookedToJson, receivables } from '../../domain/loan/booked.js';
import { checkEvent } from '../../domain/event-types.js';
import { nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresReadStore } from '../../infrastructure/postgres/read-store.js';
import { TenantConnections } from '../../infrastructure/postgres/tenant-connection.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { ANALYST_VIEWS } from '../../projections/analyst-views.js';
import { createProjection, createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import { openingApplicants } from '../../projections/loans/opened-applicants.js';
import { projectBatch } from '../../projections/project-batch.js';
import { createReadModels } from '../../projections/read-models.js';
import { rebuildProjection } from '../../projections/rebuild.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { openBook } from '../support/busy-book.js';
import { busyLoans } from '../support/busy-loans.js';
import { busyPeople } from '../support/busy-people.js';
import { FoldedReadModels } from '../support/folded-read-models.js';
import { given } from '../support/given-events.js';
import { PlainVault } from '../support/given-people.js';

const ALL: Page = { page: 1, size: 1_000 };
const ON = '2026-03-15';
const LENDING = ['loans', 'loan-products', 'withdrawals'];
const TABLES = ['loans', 'loan_applications', 'loan_instalments', 'loan_repayments', 'loan_products'];
const NOBODY = tenantIdOf('nobody');

test('read models of lending', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-loans-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  const { urls } = database;
  const log = new PostgresEventLog({ url: urls.core, readers: 2 });
  const storeOptions = { coreUrl: urls.core, ownerUrl: urls.owner, analystViews: ANALYST_VIEWS };
  const store = new PostgresReadStore(storeOptions);
  const vault = new PlainVault();
  const projections = createProjections();
  await store.prepare(projections);
  const feed = new EventFeed(log, systemClock);
  const runner = new ProjectionRunner({ projections, store, vault, feed, clock: systemClock });
  const connections = new TenantConnections({ url: urls.api });
  const db = openingApplicants(connections, vault);
  const models = createReadModels(db, runner);
  const folded = new FoldedReadModels(log, vault);
  const owner = new pg.Client({ connectionString: urls.owner });
  await owner.connect();
  t.teardown(async () => {
    await Promise.all([connections.close(), store.close(), log.close(), owner.end()]);
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  const catchUp = async (): Promise<void> => {
    while ((await runner.step()).moved);
    const parked = runner.status().filter(({ error }) => error !== null);
    if (parked.length > 0) throw new Error(JSON.stringify(parked));
  };

  const { tenantId, people, busy } = await lendingBook('lenders', log);
  const others = await lendingBook('others', log);
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
    t.strictSame(await pages(4, (page) => ask(models, page)), wanted.items, title);
    return [...wanted.items];
  };
  const same = async <T>(ask: (from: ReadModels) => Promise<T>, title: string): Promise<T> => {
    const wanted = await ask(folded);
    t.strictSame(await ask(models), wanted, title);
    return wanted;
  };

  await t.test('one by one', async (t) => {
    for (const { loan: id, sequence } of busy.loans) {
      const wanted = await same((from) => from.loan(tenantId, id), `loan ${sequence}`);
      t.ok(wanted);
      t.strictSame(await models.loan(tenantId, id.toUpperCase()), wanted);
      t.strictSame(await models.loan(tenantId, `l${sequence}k`), wanted, 'by its code');
      t.equal(await models.loan(others.tenantId, id), undefined, 'not there for another tenant');
    }
    for (const id of ['', 'x'.repeat(17), "' or 1=1 --", '%', NOBODY, 'NOCODE']) {
      t.equal(await models.loan(tenantId, id), undefined, JSON.stringify(id));
    }
    for (const customer of [...people.customers, NOBODY, 'nobody']) {
      await same((from) => from.loansOfCustomer(tenantId, customer), 'loans of a customer');
      await same((from) => from.loanTotals(tenantId, customer, ON), 'totals of a customer');
      t.strictSame(await models.loanTotals(others.tenantId, customer, ON), []);
      await asBoth((from, page) => from.instalmentsDue(tenantId, customer, page), 'instalments due');
      await asBoth((from, page) => from.withdrawals(tenantId, customer, page), 'withdrawals');
    }
    const [requested, refused] = busy.loans;
    t.match(await models.loan(tenantId, requested?.loan ?? ''), {
      ...{ status: 'REQUESTED', productName: 'Quick', requestedAmount: 1_300_000n, booked: null, terms: null },
      applicant: { firstName: 'Borrower1', bvn: '12345678901', answers: [{ questionId: 'q1' }] },
      history: [{ from: null, to: 'REQUESTED', by: null }],
    });
    t.match(await models.loan(tenantId, refused?.loan ?? ''), {
      ...{ status: 'REJECTED', risk: 'HIGH', assessment: { outcome: 'REJECTED', eligibility: [{ met: false }] } },
      history: [{}, { from: 'REQUESTED', to: 'REJECTED', by: 'SYSTEM', reason: 'an automated check was not passed' }],
    });
  });

  await t.test('a running loan is what its events come to', async (t) => {
    for (const told of busy.loans) {
      const view = await models.loan(tenantId, told.loan);
      if (view?.booked === null || view === undefined) continue;
      t.strictSame(
        view.operations.map(({ id }) => id),
        told.operations.map(({ id }) => id),
      );
      t.strictSame(view.terms, told.terms, 'terms go through the event unchanged');
      const last = told.events.findLast(({ data }) => 'booked' in (data as object));
      t.strictSame(bookedToJson(view.booked), (last?.data as { booked: object }).booked);
      t.match(view, { accruedTo: (last?.data as { upTo: string }).upTo, customerId: told.of.customer });
    }
    const paidOff = await models.loan(tenantId, busy.loans[15]?.loan ?? '');
    t.match(paidOff, { status: 'PAID_OFF', paidOffDate: '2026-03-01', productVersion: 1 });
    t.strictSame(
      paidOff?.history.map(({ to }) => to),
      ['REQUESTED', 'APPROVED', 'OFFER_SENT', 'ACCEPTED', 'DISBURSED', 'PAID_OFF'],
    );
    const writtenOff = await Promise.all([11, 12, 13].map((i) => models.loan(tenantId, busy.loans[i]?.loan ?? '')));
    t.strictSame(
      writtenOff.map((one) => one?.writtenOff),
      [true, true, false],
      'undone, it is not written off',
    );
  });

  await t.test('lists', async (t) => {
    const [quick = '', yen = '', retired = ''] = busy.products;
    const { lagos, kano } = people.agents;
    const customer = people.customers[0] ?? '';
    const filters: LoanFilter[] = [
      {},
      { status: 'REQUESTED' },
      { status: 'DISBURSED' },
      { status: ['DISBURSED', 'PAID_OFF'] },
      { status: [] },
      { customerId: customer },
      { customerId: customer, status: ['APPROVED', 'OFFER_SENT'] },
      { customerId: 'nobody' },
      { productId: yen },
      { productId: retired },
      { productId: quick, status: 'CANCELLED' },
      { agentIds: [lagos] },
      { agentIds: [lagos, kano], status: 'DISBURSED' },
      { agentIds: [] },
      { overdueOn: ON },
      { overdueOn: '2025-12-01' },
      { overdueOn: '2026-02-12', agentIds: [lagos] },
      { overdueOn: '2020-01-01' },
      { from: '2026-03-01', to: '2026-03-01' },
      { from: '2026-03-02' },
      { to: '2026-02-28' },
    ];
    for (const filter of filters) {
      const title = JSON.stringify(filter);
      const found = await asBoth((from, page) => from.loans(tenantId, filter, undefined, page), title);
      t.ok(found.every(({ loanId }) => busy.loans.some(({ loan }) => loan === loanId)));
    }
    for (const by of LOAN_SORTS) {
      for (const descending of [true, false]) {
        await asBoth((from, page) => from.loans(tenantId, {}, { by, descending }, page), `${by} ${descending}`);
      }
    }
    t.ok((await models.loans(tenantId, { overdueOn: ON }, undefined, ALL)).totalElements >= 4);
    t.equal((await models.loans(tenantId, { agentIds: [] }, undefined, ALL)).totalElements, 0, 'of no agent: none');
    t.equal((await models.loans(NOBODY, {}, undefined, ALL)).totalElements, 0);
    for (const filter of [{}, { status: 'ACTIVE' }, { status: 'INACTIVE' }, { currency: 'JPY' }] as const) {
      await asBoth((from, page) => from.loanProducts(tenantId, filter, page), `products ${JSON.stringify(filter)}`);
    }
    for (const product of [...busy.products, NOBODY, 'x']) {
      await same((from) => from.loanProduct(tenantId, product), 'product');
      for (const version of [0, 1, 2, 3]) {
        await same((from) => from.loanProductVersion(tenantId, product, version), `version ${version}`);
      }
      t.equal(await models.loanProduct(others.tenantId, product), undefined);
    }
    t.match(await models.loanProduct(tenantId, quick), { version: 2, status: 'ACTIVE', settings: { name: 'Quicker' } });
    t.match(await same((from) => from.loanConditions(tenantId), 'conditions'), { conditionsVersion: 2 });
    t.equal(await models.loanConditions(NOBODY), undefined);
  });

  await t.test('repayments and withdrawals', async (t) => {
    const customerId = people.customers[0] ?? '';
    const loanId = busy.loans[9]?.loan ?? '';
    const filters: RepaymentFilter[] = [
      {},
      { loanId },
      { loanId: 'x' },
      { customerId },
      { customerId, status: 'PENDING_VERIFICATION' },
      { status: 'VERIFIED' },
      { status: 'REJECTED' },
      { from: '2026-02-01', to: '2026-02-28' },
      { agentIds: [people.agents.kano] },
      { agentIds: [] },
    ];
    for (const filter of filters) {
      await asBoth((from, page) => from.repayments(tenantId, filter, page), JSON.stringify(filter));
    }
    const all = (await models.repayments(tenantId, {}, ALL)).items;
    for (const { repaymentId } of all) {
      await same((from) => from.repayment(tenantId, repaymentId), 'a repayment');
      t.equal(await models.repayment(others.tenantId, repaymentId), undefined);
    }
    for (const { status, portions, receivedAmount, overpaid, undone } of all) {
      t.equal(portions !== null, status === 'VERIFIED', 'only what is verified settles something');
      if (portions === null || undone) continue;
      const { principal, interest, fees, penalty } = portions;
      t.equal(principal + interest + fees + penalty + overpaid, receivedAmount, 'and all of it');
    }
    t.match(
      all.filter((one) => one.loanId === loanId).map(({ status, undone, reason }) => [status, undone, reason]),
      [
        ['REJECTED', false, 'no such payment'],
        ['VERIFIED', false, null],
        ['VERIFIED', true, null],
      ],
    );
    for (const id of [...busy.withdrawals, 'TXN-20260301-000002', 'txn-20260301-000001', 'x', NOBODY]) {
      await same((from) => from.withdrawal(tenantId, id), `withdrawal ${id}`);
      if (busy.withdrawals.includes(id)) t.equal(await models.withdrawal(others.tenantId, id), undefined);
    }
    t.strictSame(
      (await Promise.all(busy.withdrawals.map((id) => models.withdrawal(tenantId, id)))).map((one) => one?.status),
      ['PENDING', 'PROCESSING', 'FAILED', 'COMPLETED'],
    );
  });

  await t.test('the portfolio', async (t) => {
    for (const on of [ON, '2026-01-31', '2025-10-01', '2027-12-31']) {
      const arrears = await same((from) => from.arrears(tenantId, on), `arrears on ${on}`);
      await same((from) => from.vintages(tenantId, on), `vintages on ${on}`);
      const running = (await models.loans(tenantId, { status: 'DISBURSED' }, undefined, ALL)).items;
      t.equal(
        arrears.reduce((sum, { loans }) => sum + loans, 0),
        running.filter(({ writtenOff }) => !writtenOff).length,
        'every running loan is in one bucket',
      );
      const owed = running.filter(({ writtenOff }) => !writtenOff).map(({ booked }) => booked && receivables(booked));
      t.equal(
        arrears.reduce((sum, { outstanding }) => sum + outstanding.principal, 0n),
        owed.reduce((sum, one) => sum + (one?.principal ?? 0n), 0n),
        'what they owe is what is booked',
      );
      t.ok(arrears.every(({ bucket, overdue }) => (bucket === 'CURRENT') === (overdue === 0n)));
    }
    const buckets = new Set((await models.arrears(tenantId, ON)).map(({ bucket }) => bucket));
    t.ok(ARREARS_BUCKETS.filter((bucket) => buckets.has(bucket)).length >= 3, 'there are loans in several buckets');
    for (const [from, to] of [
      ['2026-01-01', '2027-12-31'],
      ['2026-03-15', '2026-04-14'],
      ['2026-03-15', '2026-03-14'],
    ] as const) {
      await same((models) => models.expectedCashFlow(tenantId, from, to), `cash flow ${from} to ${to}`);
    }
    t.strictSame(await models.arrears(NOBODY, ON), []);
    t.strictSame(await models.vintages(NOBODY, ON), []);
    t.strictSame(await models.expectedCashFlow(NOBODY, '2026-01-01', '2027-01-01'), []);
  });

  /** All that the tables hold, as text. */
  const everything = async (): Promise<Record<string, string[]>> => {
    const tables: Record<string, string[]> = {};
    for (const name of [...TABLES, 'loan_product_versions', 'loan_conditions', 'withdrawals']) {
      const { rows } = await owner.query<{ line: string }>(`select x::text as line from ledger.${name} x order by 1`);
      tables[name] = rows.map(({ line }) => line);
    }
    return tables;
  };

  await t.test('built anew they are the same', async (t) => {
    const before = await everything();
    const { rows: surplus } = await owner.query(`select from ledger.loan_instalments where surplus`);
    t.ok(surplus.length > 0, 'a shorter schedule leaves rows over, and no view shows them');
    for (const name of LENDING) {
      const projection = createProjection(name);
      if (projection === undefined) throw new Error(name);
      const own = new PostgresReadStore(storeOptions);
      await rebuildProjection({ projection, store: own, vault, log, batchEvents: 7 });
      await own.close();
    }
    t.strictSame(await everything(), before);
    await catchUp();
  });

  await t.test('what an erased person told is gone', async (t) => {
    const tables = await everything();
    const { loan_applications: sealed = [], ...open } = tables;
    t.notMatch(JSON.stringify(open), /Borrower|12345678901|Because|example\.com/, 'it stands nowhere but sealed');
    t.ok(
      sealed.some((line) => line.includes('Borrower1')),
      'there: the vault of this test does not really seal',
    );
    const customer = busy.loans[0]?.of.customer ?? '';
    t.match(await models.loansOfCustomer(tenantId, customer), [{ applicant: { lastName: 'Test' } }]);
    vault.erased.add(customer);
    const gone = await models.loansOfCustomer(tenantId, customer);
    t.ok(gone.length > 3 && gone.every(({ applicant }) => applicant === null));
    t.match(await models.loansOfCustomer(tenantId, people.customers[2] ?? ''), [{ applicant: { lastName: 'Test' } }]);
    vault.erased.delete(customer);
  });

  await t.test('analysts see amounts, and nobody', async (t) => {
    const { rows: roles } = await owner.query<{ n: string }>(`select count(*) as n from analytics.loans`);
    t.equal(roles[0]?.n, '0', 'without a tenant: nothing');
    await owner.query(`select set_config('app.tenant', '${tenantId}', false)`);
    const { rows } = await owner.query<Record<string, string>>(`select * from analytics.loans order by code`);
    t.equal(rows.length, busy.loans.length);
    for (const row of rows) {
      const loan = await models.loan(tenantId, row['loan_id'] ?? '');
      const owed = loan?.booked ? receivables(loan.booked) : undefined;
      t.equal(row['owed_principal'], String(owed?.principal ?? 0n));
      t.equal(row['owed_interest'], String(owed?.interest ?? 0n));
      t.equal(row['owed_fees'], String(owed?.fees ?? 0n));
      t.equal(row['owed_penalty'], String(owed?.penalty ?? 0n));
    }
    for (const view of ['loans', 'loan_instalments', 'loan_repayments']) {
      const { rows: lines } = await owner.query<{ line: string }>(`select x::text as line from analytics.${view} x`);
      t.ok(lines.length > 5);
      t.notMatch(JSON.stringify(lines), /Borrower|1234567890|Because|REF-/);
    }
    await owner.query(`select set_config('app.tenant', '', false)`);
  });

  await t.test('lists use their indexes', async (t) => {
    const asked: Array<{ name: string; text: string; values: readonly unknown[] }> = [];
    const spied = createReadModels({ query: (tenant, query) => (asked.push(query), db.query(tenant, query)) }, runner);
    await manyLoans(owner, tenantId, people.agents.kano);
    const first = { page: 1, size: 20 };
    const customer = nameBasedUuid(tenantId, 'customer of many');
    await spied.loan(tenantId, 'X77');
    await spied.loans(tenantId, {}, undefined, first);
    await spied.loans(tenantId, { status: 'ACCEPTED' }, undefined, first);
    await spied.loans(tenantId, { customerId: customer }, undefined, first);
    await spied.loans(tenantId, { agentIds: [people.agents.kano] }, undefined, first);
    await spied.loans(tenantId, { productId: busy.products[1] ?? '' }, undefined, first);
    await spied.loans(tenantId, { overdueOn: '2025-10-06' }, undefined, first);
    await spied.loansOfCustomer(tenantId, people.customers[0] ?? '');
    await spied.loanTotals(tenantId, people.customers[0] ?? '', ON);
    await spied.instalmentsDue(tenantId, people.customers[0] ?? '', first);
    await spied.repayments(tenantId, {}, first);
    await spied.repayments(tenantId, { loanId: busy.loans[7]?.loan ?? '' }, first);
    await spied.repayments(tenantId, { customerId: people.customers[0] ?? '' }, first);
    await spied.repayments(tenantId, { status: 'REJECTED' }, first);
    await spied.withdrawals(tenantId, people.customers[0] ?? '', first);
    await spied.withdrawal(tenantId, 'TXN-20260301-000001');
    await spied.expectedCashFlow(tenantId, '2026-03-01', '2026-03-02');
    const client = new pg.Client({ connectionString: urls.api });
    await client.connect();
    await client.query(
      `select set_config('app.tenant', '${tenantId}', false), set_config('plan_cache_mode', 'force_generic_plan', false)`,
    );
    for (const { name, text, values } of asked) {
      if (/^(?:loans|repayments)-count $/.test(name)) continue; // They look at all there are.
      const { rows } = await client.query<Record<string, string>>(`explain (analyze, costs off, timing off) ${text}`, [
        ...values,
      ]);
      const plan = rows.map((row) => Object.values(row)[0]).join('\n');
      const scanned = [...plan.matchAll(/Scan.*on (?:loan|withdrawal)\w*.*rows=(\d+)/g)].map(([, n]) => Number(n));
      t.ok(scanned.length > 0 && scanned.every((n) => n <= 1_001), `${name} looks at few rows`, { plan });
      t.notMatch(plan, /Seq Scan on (?:loan_inst|loan_repay|loans_|withdrawal)/, name, { plan });
    }
    await client.end();
  });
});

async function lendingBook(slug: string, log: EventLog) {
  const book = await openBook(slug, log);
  const { tenantId } = book;
  const people = await busyPeople(book, slug);
  return { tenantId, people, busy: await busyLoans(book, people) };
}

/** Twenty thousand loans with three instalments each, straight into the tables. */
async function manyLoans(owner: pg.Client, tenantId: string, agent: string): Promise<void> {
  const like = async (table: string, source: string, columns: Record<string, string>): Promise<void> => {
    const { rows } = await owner.query<{ column_name: string }>(
      `select column_name from information_schema.columns where table_schema = 'ledger' and table_name = '${table}'
        order by ordinal_position`,
    );
    const list = rows.map(({ column_name: name }) => columns[name] ?? `m.${name}`).join(', ');
    await owner.query(`insert into ledger.${table} select ${list} from (${source}) m, generate_series(1, 20000) i`);
  };
  const model = (table: string, more = ''): string =>
    `select * from ledger.${table} where tenant_id = '${tenantId}' ${more} limit 1`;
  const loan_id = `md5('loan ' || i)::uuid`;
  const customer_id = `md5('customer ' || i / 4)::uuid`;
  await like('loans', model('loans', `and status = 'DISBURSED' and oldest_open_date is not null`), {
    ...{ loan_id, customer_id, code: `'X' || i`, requested_revision: '1000000 + i' },
    agent_id: `case when i % 1000 = 0 then '${agent}'::uuid end`,
    oldest_open_date: `'2026-04-01'::date + i % 300`,
  });
  await like('loan_applications', model('loan_applications'), { loan_id });
  for (const month of [1, 2, 3]) {
    await like('loan_instalments', model('loan_instalments', 'and is_open'), {
      ...{ loan_id, customer_id, number: String(month), due_date: `'2026-04-01'::date + i % 300 + 30 * ${month}` },
    });
  }
  await like('loan_repayments', model('loan_repayments', `and status = 'VERIFIED'`), {
    ...{ loan_id, customer_id, repayment_id: `md5('repayment ' || i)::uuid`, reported_revision: '1000000 + i' },
  });
  await like('withdrawals', model('withdrawals'), {
    ...{ withdrawal_id: `md5('withdrawal ' || i)::uuid`, customer_id, reference: `'TXN-' || i` },
  });
  await owner.query('analyze');
}

test('every fact of these tests passes its schema', async (t) => {
  const log = new MemoryEventLog();
  await lendingBook('lenders', log);
  for (const event of await log.readAll({ after: '', limit: 100_000 }))
    t.equal(checkEvent(event), undefined, event.type);
});

test('what cannot be projected parks', async (t) => {
  const batch = async (name: string, ...facts: Array<readonly [type: string, data: object]>): Promise<void> => {
    const projection = createProjection(name);
    if (projection === undefined) throw new Error(name);
    const store = new MemoryReadStore();
    await store.prepare([projection]);
    const target = { projection, generation: 1 };
    const events = given(facts.map(([type, data]) => ({ type, data })));
    await store.apply(target, '', '1', await projectBatch(projection, { store }, target, events));
  };
  const id = NOBODY;
  for (const [type, data] of [
    ['loan-assessed', { loan: id, risk: 'LOW' }],
    ['loan-approved', { loan: id, amount: '1', fees: [] }],
    ['loan-offer-accepted', { loan: id }],
    ['loan-ended', { loan: id, to: 'REJECTED', by: 'STAFF' }],
    ['loan-paid-off', { loan: id, date: '2026-01-01' }],
    ['repayment-reported', { loan: id, repayment: id }],
    ['repayment-rejected', { loan: id, repayment: id, reason: 'x' }],
  ] as const) {
    await t.rejects(batch('loans', [type, data]), type);
  }
  await t.rejects(batch('loan-products', ['loan-product-status-set', { product: id, to: 'ACTIVE' }]));
  await t.rejects(batch('withdrawals', ['withdrawal-completed', { withdrawal: id }]));
});
