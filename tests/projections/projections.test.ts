/** Projections given events, one by one: what rows they make, how changes collapse, what they refuse. */
import { test } from 'tap';
import type { Row, TableDefinition } from '../../application/ports/read-store.js';
import { aggregateOf } from '../../domain/aggregates.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { MemoryStateStore } from '../../infrastructure/memory/state-store.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { ACCOUNTS, accountsProjection } from '../../projections/accounts/projection.js';
import { aggregateStatesProjection } from '../../projections/aggregate-states/projection.js';
import { createProjections } from '../../projections/catalogue.js';
import { Changes } from '../../projections/changes.js';
import { entriesProjection } from '../../projections/entries/projection.js';
import { EventFeed } from '../../projections/feed.js';
import { historyProjection } from '../../projections/history/projection.js';
import { holdsProjection } from '../../projections/holds/projection.js';
import { projectBatch } from '../../projections/project-batch.js';
import { Loaded, type Projection } from '../../projections/projection.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { tenantsProjection } from '../../projections/tenants/projection.js';
import { busyBook } from '../support/busy-book.js';
import { busyLoans } from '../support/busy-loans.js';
import { busyPeople } from '../support/busy-people.js';
import { type GivenEvent, TENANT, Teller, accountId, given, opened } from '../support/given-events.js';
import { PlainVault } from '../support/given-people.js';

/** A projection over a memory store; each call of the answer projects one more batch. */
async function over(projection: Projection) {
  const store = new MemoryReadStore();
  await store.prepare([projection]);
  const target = { projection, generation: 1 };
  let position = '';
  let count = 0;
  return {
    store,
    async project(...events: GivenEvent[]): Promise<void> {
      const batch = given(events, count);
      const next = batch.at(-1)?.position ?? position;
      const handled = batch.filter(({ type }) => projection.handles === 'all' || projection.handles.includes(type));
      const changes = await projectBatch(projection, { store }, target, handled);
      if ((await store.apply(target, position, next, changes)) !== 'applied') throw new Error('stale');
      position = next;
      count += events.length;
    },
  };
}

const pick = (row: Row | undefined, ...columns: string[]): Record<string, unknown> =>
  Object.fromEntries(columns.map((column) => [column, row?.[column]]));

test('changes', async (t) => {
  const table: TableDefinition = {
    name: 'things',
    comment: 'test',
    columns: { tenant_id: 'uuid', id: 'int', a: 'int', b: 'int', low: 'int', high: 'int' },
    key: ['tenant_id', 'id'],
    merge: { a: 'sum', low: 'min', high: 'max' },
  };
  const row = (id: number, more: Row = {}): Row => ({ tenant_id: TENANT, id, ...more });
  const of = (work: (changes: Changes) => void) => {
    const changes = new Changes();
    work(changes);
    return changes.collected()[0];
  };

  t.test('patches of one row become one, the last value of each column', async (t) => {
    const result = of((changes) => {
      for (let i = 0; i < 2_000; i += 1) changes.patch(table, row(1, { a: i }));
      changes.patch(table, row(1, { b: 7 }));
      changes.patch(table, row(2, { a: 5 }));
    });
    t.strictSame(result?.patches, [
      { columns: ['a', 'b'], rows: [row(1, { a: 1_999, b: 7 })] },
      { columns: ['a'], rows: [row(2, { a: 5 })] },
    ]);
  });
  t.test('a patch after an insert is part of the insert, after a put of the put', async (t) => {
    const result = of((changes) => {
      changes.insert(table, row(1, { a: 1, b: 1 }));
      changes.patch(table, row(1, { b: 2 }));
      changes.put(table, row(2, { a: 3, b: 3 }));
      changes.patch(table, row(2, { a: 4 }));
    });
    t.strictSame(result?.inserts, [row(1, { a: 1, b: 2 })]);
    t.strictSame(result?.puts, [row(2, { a: 4, b: 3 })]);
    t.strictSame(result?.patches, []);
  });
  t.test('a put replaces; after an insert the row is still new, after a patch it may be', async (t) => {
    const result = of((changes) => {
      changes.insert(table, row(1, { a: 1, b: 1 }));
      changes.put(table, row(1, { a: 2, b: 2 }));
      changes.patch(table, row(2, { a: 9 }));
      changes.put(table, row(2, { a: 3, b: 3 }));
    });
    t.strictSame(result?.inserts, [row(1, { a: 2, b: 2 })]);
    t.strictSame(result?.puts, [row(2, { a: 3, b: 3 })]);
    t.strictSame(result?.patches, []);
  });
  t.test('additions are merged column by column', async (t) => {
    const result = of((changes) => {
      changes.add(table, row(1, { a: 1, b: 1, low: 5, high: 5 }));
      changes.add(table, row(1, { a: 2, b: 2, low: 3, high: 3 }));
      changes.add(table, row(1, { a: 4, b: 4, low: 9, high: 9 }));
    });
    t.strictSame(result?.additions, [row(1, { a: 7, b: 1, low: 3, high: 9 })]);
  });
  t.test('what cannot be one change is refused', async (t) => {
    t.throws(() => of((c) => (c.insert(table, row(1)), c.insert(table, row(1)))), { message: /inserted twice/ });
    t.throws(() => of((c) => (c.add(table, row(1, { a: 1 })), c.patch(table, row(1)))), { message: /do not mix/ });
    t.throws(() => of((c) => (c.patch(table, row(1)), c.add(table, row(1, { a: 1 })))), { message: /do not mix/ });
    t.throws(() => of((c) => (c.add(table, row(1, { a: 1 })), c.put(table, row(1)))), { message: /do not mix/ });
  });
});

test('accounts', async (t) => {
  const teller = new Teller();
  const account = accountId(1);
  const at = (store: MemoryReadStore, n = 1): Row | undefined => store.row('accounts', TENANT, accountId(n));

  t.test('an account and everything that happens to it', async (t) => {
    const { store, project } = await over(accountsProjection());
    await project(opened(1, { minimumBalance: '0', systemRole: 'cash' }), opened(2));
    t.match(at(store), {
      number: 'N1',
      ledger: 0n,
      status: 'ACTIVATED',
      minimum_balance: 0n,
      maximum_balance: null,
      system_role: 'cash',
      opened_revision: 0,
      opened_at: '2026-03-01T12:00:00.000Z',
    });
    await project(teller.entry(1, 2, 250n), teller.entry(2, 1, 100n));
    t.strictSame(pick(at(store), 'ledger', 'sequence'), { ledger: -150n, sequence: 2 });
    t.strictSame(pick(at(store, 2), 'ledger', 'sequence'), { ledger: 150n, sequence: 2 });
    await project({ type: 'hold-placed', data: { hold: accountId(9), account, held: '30', liens: '4' } });
    t.strictSame(pick(at(store), 'held', 'liens'), { held: 30n, liens: 4n });
    await project({ type: 'hold-released', data: { hold: accountId(9), account, held: '0', liens: '4' } });
    t.strictSame(pick(at(store), 'held', 'liens'), { held: 0n, liens: 4n });
    await project(
      { type: 'account-frozen', data: { account, scope: 'ALL', reason: 'r' } },
      { type: 'account-permission-changed', data: { account, from: 'FULL_ACCESS', to: 'READ_ONLY', byStaff: true } },
      { type: 'account-limits-changed', data: { account, overdraftLimit: '500', maximumBalance: '900' } },
    );
    t.match(at(store), {
      frozen: 'ALL',
      permission: 'READ_ONLY',
      overdraft_limit: 500n,
      minimum_balance: null,
      maximum_balance: 900n,
    });
    await project({ type: 'account-unfrozen', data: { account } }, { type: 'account-closed', data: { account } });
    t.match(at(store), { frozen: null, status: 'CLOSED', closed_at: '2026-03-01T12:00:10.000Z' });
  });
  t.test('a capture sets what is held after it, in the same row as its lines', async (t) => {
    const { store, project } = await over(accountsProjection());
    const capture = { hold: accountId(9), account, amount: '10', held: '40', liens: '1', remaining: '5' };
    await project(opened(1), opened(2), new Teller().entry(1, 2, 10n, { kind: 'capture', capture }));
    t.strictSame(pick(at(store), 'ledger', 'held', 'liens'), { ledger: -10n, held: 40n, liens: 1n });
  });
  t.test('a hot account is one row a batch', async (t) => {
    const teller = new Teller();
    const events = given(Array.from({ length: 2_000 }, (_, i) => teller.entry(1, 2 + (i % 3), 1n)));
    const [changes] = accountsProjection().project(events, Loaded.NONE).collected();
    t.equal(changes?.table, ACCOUNTS.name);
    t.strictSame(
      changes?.patches.map(({ columns, rows }) => [columns, rows.length]),
      [[['ledger', 'sequence'], 4]],
    );
    t.strictSame(pick(changes?.patches[0]?.rows[0], 'ledger', 'sequence'), { ledger: '-2000', sequence: 2_000 });
  });
});

test('invariants of the book', async (t) => {
  type Lines = Array<Record<string, unknown>>;
  const spoil = (change: (lines: Lines) => void): GivenEvent[] => {
    const teller = new Teller();
    const events = [teller.entry(1, 2, 10n), teller.entry(1, 2, 5n)];
    change((events[1]?.data as { lines: Lines }).lines);
    return events;
  };
  const spoiled: Array<[string, RegExp, (lines: Lines) => void]> = [
    [
      'an entry that does not balance',
      /does not balance in EUR/,
      (lines) => Object.assign(lines[1] as object, { amount: '6', balance: '16' }),
    ],
    [
      'two halves that do not balance each',
      /does not balance in EUR/,
      (lines) => Object.assign(lines[1] as object, { currency: 'USD' }),
    ],
    ['a line that is left out', /line 3 follows line 1/, (lines) => Object.assign(lines[0] as object, { sequence: 3 })],
    [
      'a line that is there twice',
      /line 1 follows line 1/,
      (lines) => Object.assign(lines[0] as object, { sequence: 1 }),
    ],
    [
      'a balance that does not follow',
      /the balance after line 2 does not follow/,
      (lines) => Object.assign(lines[1] as object, { balance: '14' }),
    ],
  ];
  for (const create of [accountsProjection, entriesProjection]) {
    const { name } = create();
    for (const [what, message, change] of spoiled) {
      const projection = create();
      t.throws(
        () => projection.project(given(spoil(change)), Loaded.NONE),
        { name: 'InvariantViolation', message },
        `${name}: ${what}`,
      );
      // Also where the line before it is in an earlier batch.
      const [first = [], second = []] = given(spoil(change)).map((event) => [event]);
      const inTwo = create();
      inTwo.project(first, Loaded.NONE);
      t.throws(() => inTwo.project(second, Loaded.NONE), { message }, `${name}: ${what}, in two batches`);
      inTwo.forget?.();
    }
    const projection = create();
    t.doesNotThrow(() => projection.project(given(spoil(() => undefined)), Loaded.NONE), `${name}: a sound one`);
    t.throws(
      () => projection.project(given(spoil(() => undefined)), Loaded.NONE),
      { message: /line 1 follows line 2/ },
      'the same again',
    );
    projection.forget?.();
    t.doesNotThrow(
      () => projection.project(given(spoil(() => undefined)), Loaded.NONE),
      'unless the first time did not count',
    );
    projection.forget?.();
    const first = given([new Teller().entry(1, 2, 10n)]);
    (first[0]?.data as { lines: Lines }).lines[0] = {
      ...(first[0]?.data as { lines: Lines }).lines[0],
      balance: '-11',
    };
    t.throws(() => projection.project(first, Loaded.NONE), { message: /first balance is not its first amount/ });
  }
});

test('entries', async (t) => {
  const { store, project } = await over(entriesProjection());
  const teller = new Teller();
  await project(teller.entry(1, 2, 10n), teller.entry(2, 1, 4n, { valueDate: '2026-02-27' }));
  await project({ ...teller.entry(1, 2, 1n, { kind: 'reversal', reverses: accountId(77) }), id: accountId(78) });
  await project(teller.entry(1, 2, 2n));

  t.strictSame(
    store
      .rows('entries')
      .map((row) =>
        pick(row, 'account_id', 'sequence', 'revision', 'line_index', 'value_date', 'amount', 'balance_after'),
      ),
    [
      [1, 1, 0, 0, '2026-03-01', -10n, -10n],
      [1, 2, 1, 1, '2026-02-27', 4n, -6n],
      [1, 3, 2, 0, '2026-03-01', -1n, -7n],
      [1, 4, 3, 0, '2026-03-01', -2n, -9n],
      [2, 1, 0, 1, '2026-03-01', 10n, 10n],
      [2, 2, 1, 0, '2026-02-27', -4n, 6n],
      [2, 3, 2, 1, '2026-03-01', 1n, 7n],
      [2, 4, 3, 1, '2026-03-01', 2n, 9n],
    ].map(([account, sequence, revision, line_index, value_date, amount, balance_after]) => ({
      account_id: accountId(account as number),
      sequence,
      revision,
      line_index,
      value_date,
      amount,
      balance_after,
    })),
  );
  t.strictSame(
    store
      .rows('account_days')
      .map((row) =>
        pick(row, 'account_id', 'value_date', 'lines', 'debits', 'credits', 'first_sequence', 'last_sequence'),
      ),
    [
      [1, '2026-02-27', 1, 0n, 4n, 2, 2],
      [1, '2026-03-01', 3, 13n, 0n, 1, 4],
      [2, '2026-02-27', 1, 4n, 0n, 2, 2],
      [2, '2026-03-01', 3, 0n, 13n, 1, 4],
    ].map(([account, value_date, lines, debits, credits, first_sequence, last_sequence]) => ({
      account_id: accountId(account as number),
      value_date,
      lines,
      debits,
      credits,
      first_sequence,
      last_sequence,
    })),
  );
  t.strictSame(store.rows('reversals'), [
    { tenant_id: TENANT, entry_id: accountId(77), reversed_by: accountId(78), revision: 2 },
  ]);
});

test('holds', async (t) => {
  const { store, project } = await over(holdsProjection());
  const hold = accountId(50);
  const placed = {
    type: 'hold-placed',
    data: {
      hold,
      account: accountId(1),
      currency: 'EUR',
      amount: '100',
      type: 'HOLD',
      reason: 'card',
      expiresAt: '2027-01-01T00:00:00.000Z',
      held: '100',
      liens: '0',
    },
  };
  const capture = (amount: string, remaining: string): GivenEvent =>
    new Teller().entry(1, 2, BigInt(amount), {
      capture: { hold, account: accountId(1), amount, held: remaining, liens: '0', remaining },
    });
  const release = (amount: string, cause = 'released'): GivenEvent => ({
    type: 'hold-released',
    data: { hold, account: accountId(1), amount, cause, remaining: '0', held: '0', liens: '0' },
  });
  const row = (): Record<string, unknown> => pick(store.rows('holds')[0], 'status', 'placed', 'captured', 'released');

  await project(placed);
  t.strictSame(row(), { status: 'ACTIVE', placed: 100n, captured: 0n, released: 0n });
  t.match(store.rows('holds')[0], {
    expires_at: '2027-01-01T00:00:00.000Z',
    group_id: null,
    placed_at: '2026-03-01T12:00:00.000Z',
  });
  await project(capture('30', '70'), new Teller().entry(3, 4, 1n));
  t.strictSame(row(), { status: 'ACTIVE', placed: 100n, captured: 30n, released: 0n });
  await project(release('70'));
  t.strictSame(row(), { status: 'CAPTURED', placed: 100n, captured: 30n, released: 70n });
  t.match(store.rows('holds')[0], { placed_revision: 0, placed_at: '2026-03-01T12:00:00.000Z' });

  await t.rejects(project(release('1')), { message: /more than was placed/ });
  const other = await over(holdsProjection());
  await t.rejects(other.project(release('1')), { message: /hold-released without a row/ });
  await other.project(placed, release('100', 'expired'));
  t.equal(other.store.rows('holds')[0]?.['status'], 'EXPIRED');
  await t.rejects(other.project(placed, placed), { message: /hold-placed on a row/ });
});

test('history', async (t) => {
  const { store, project } = await over(historyProjection());
  const entry = { ...new Teller().entry(1, 2, 5n), correlation: 'c2' };
  const tags = [...(entry.tags ?? []), `posting:${accountId(5)}`, `posting:${accountId(5)}`];
  await project({ ...opened(1), correlation: 'c1' }, { ...entry, tags });
  t.strictSame(
    store.rows('event_tags').map((row) => [row['tag'], row['revision']]),
    [
      [`account:${accountId(1)}`, 0],
      ['correlation:c1', 0],
      ['correlation:c2', 1],
      [`posting:${accountId(5)}`, 1],
      [`tenant:${TENANT}`, 0],
      ['type:account-opened', 0],
    ],
  );
});

test('tenants', async (t) => {
  const { store, project } = await over(tenantsProjection());
  const settings = (domains: string[], more = {}) => ({
    name: 'A',
    baseCurrency: 'EUR',
    currencies: ['EUR'],
    domains,
    branding: { logo: 'x' },
    emailTemplates: {},
    ...more,
  });
  const create = (slug: string, domains: string[]): GivenEvent => ({
    type: 'tenant-created',
    tenantId: tenantIdOf(slug),
    data: { slug, ...settings(domains) },
  });
  const update = (slug: string, domains: string[], more = {}): GivenEvent => ({
    type: 'tenant-updated',
    tenantId: tenantIdOf(slug),
    data: settings(domains, more),
  });
  const owner = (domain: string): unknown => store.row('tenant_domains', domain)?.['tenant_id'];

  await project(create('a', ['One.example', 'two.example']), create('b', ['one.example', 'three.example']));
  t.equal(owner('one.example'), tenantIdOf('a'), 'the first to name a domain has it');
  t.equal(owner('three.example'), tenantIdOf('b'));
  t.match(store.row('tenants', tenantIdOf('a')), {
    slug: 'a',
    status: 'ACTIVE',
    currencies: '["EUR"]',
    sms_sender_id: null,
  });
  await project(update('b', ['two.example']));
  t.equal(owner('two.example'), tenantIdOf('a'), 'a second one does not take it');
  t.equal(owner('three.example'), null, 'a domain no longer named is given up');
  await project(update('a', ['one.example'], { smsSenderId: 'A' }), update('b', ['two.example', 'three.example']));
  t.equal(owner('two.example'), tenantIdOf('b'), 'and then somebody else may have it, in the same batch too');
  t.equal(owner('three.example'), tenantIdOf('b'));
  await project({
    type: 'tenant-status-set',
    tenantId: tenantIdOf('a'),
    data: { from: 'ACTIVE', to: 'SUSPENDED', reason: 'r' },
  });
  t.match(store.row('tenants', tenantIdOf('a')), {
    slug: 'a',
    status: 'SUSPENDED',
    sms_sender_id: 'A',
    created_at: '2026-03-01T12:00:00.000Z',
  });
  t.equal(owner('one.example'), tenantIdOf('a'));
  await t.rejects(project(update('nobody', [])), { message: /was not created/ });
});

test('hosts of agents', async (t) => {
  const { store, project } = await over(tenantsProjection());
  const [acme, rival] = [tenantIdOf('acme'), tenantIdOf('rival')];
  const tenant = (tenantId: string, type: string, domains: string[]): GivenEvent => ({
    type,
    tenantId,
    data: { slug: 's', name: 'T', baseCurrency: 'EUR', currencies: ['EUR'], domains, branding: {}, emailTemplates: {} },
  });
  const agent = (tenantId: string, n: number, type: string, domains: string[]): GivenEvent => ({
    type,
    tenantId,
    data: { agent: accountId(n), slug: `a${n}`, name: 'A', domains, branding: {}, emailTemplates: {} },
  });
  const owner = (domain: string) => pick(store.row('tenant_domains', domain), 'tenant_id', 'agent_id');
  const NOBODY = { tenant_id: null, agent_id: null };
  const of = (tenant_id: string, n?: number) => ({ tenant_id, agent_id: n === undefined ? null : accountId(n) });

  await project(
    tenant(acme, 'tenant-created', ['acme.example']),
    tenant(rival, 'tenant-created', ['rival.example']),
    agent(acme, 1, 'agent-created', ['One.example', 'acme.example', 'rival.example']),
    agent(acme, 2, 'agent-created', ['two.example', 'one.example']),
    agent(rival, 3, 'agent-created', ['one.example', 'three.example']),
  );
  t.strictSame(owner('one.example'), of(acme, 1), 'the first to name it has it');
  t.strictSame(owner('acme.example'), of(acme), 'an agent takes no host from its tenant');
  t.strictSame(owner('rival.example'), of(rival), 'nor from another tenant');
  t.strictSame(owner('two.example'), of(acme, 2));
  t.strictSame(owner('three.example'), of(rival, 3));
  // Giving up and taking over, in one batch and over two.
  await project(agent(acme, 1, 'agent-updated', []), agent(rival, 3, 'agent-updated', ['one.example']));
  t.strictSame(owner('one.example'), of(rival, 3));
  t.strictSame(owner('three.example'), NOBODY);
  t.strictSame(owner('acme.example'), of(acme), 'what an agent never had is not given up');
  await project(agent(rival, 3, 'agent-updated', []));
  t.strictSame(owner('one.example'), NOBODY);
  await project(agent(acme, 2, 'agent-updated', ['one.example']), tenant(acme, 'tenant-updated', []));
  t.strictSame([owner('one.example'), owner('acme.example')], [of(acme, 2), NOBODY]);
});

test('aggregate states are the fold of the log, whatever is remembered between batches', async (t) => {
  const book = await busyBook('states');
  await busyLoans(book, await busyPeople(book));
  for (const cachedStates of [2, 60_000]) {
    const store = new MemoryReadStore();
    const projection = aggregateStatesProjection({ cachedStates });
    await store.prepare([projection]);
    const feed = new EventFeed(book.log, systemClock);
    const runner = new ProjectionRunner(
      { projections: [projection], store, feed, clock: systemClock },
      { maxBatch: 7 },
    );
    while ((await runner.step()).moved);
    const folded = new Map<string, { state: unknown; id: string }>();
    for await (const event of book.log.read(book.tenantId)) {
      for (const tag of event.tags) {
        const found = aggregateOf(tag);
        if (found === undefined) continue;
        const before = folded.get(tag) ?? { state: found.aggregate.initial(found.id), id: found.id };
        folded.set(tag, { ...before, state: found.aggregate.evolve(before.state, event, found.id) });
      }
    }
    const head = await book.log.head(book.tenantId);
    const loaded = await new MemoryStateStore(store).load(book.tenantId, [...folded.keys(), 'account:none'] as never);
    t.equal(loaded.revision, head.revision);
    t.strictSame(
      [...loaded.states].sort(),
      [...folded].map(([tag, { state }]) => [tag, aggregateOf(tag)?.aggregate.toJson(state)]).sort(),
      `${folded.size} states, ${cachedStates} remembered`,
    );
    t.ok(folded.size > 30, `${folded.size} aggregates`);
  }
  t.equal((await new MemoryStateStore(new MemoryReadStore()).load(TENANT, [])).revision, -1);
});

test('any split into batches gives the same rows', async (t) => {
  const book = await busyBook('splits');
  await busyLoans(book, await busyPeople(book));
  const rowsAfter = async (maxBatch: number): Promise<unknown> => {
    const projections = createProjections();
    const store = new MemoryReadStore();
    await store.prepare(projections);
    const runner = new ProjectionRunner(
      { projections, store, vault: new PlainVault(), feed: new EventFeed(book.log, systemClock), clock: systemClock },
      { maxBatch },
    );
    while ((await runner.step()).moved);
    for (const { status, error } of runner.status()) t.equal(status, 'running', error ?? '');
    return projections.flatMap(({ tables }) => tables.map(({ name }) => [name, store.rows(name)]));
  };
  const whole = await rowsAfter(10_000);
  for (const size of [1, 2, 7, 33]) t.strictSame(await rowsAfter(size), whole, `batches of ${size}`);
  for (const [name, rows] of whole as Array<[string, Row[]]>) t.ok(rows.length > 0, name);
});

test('an empty log makes no rows', async (t) => {
  const projections = createProjections();
  const store = new MemoryReadStore();
  await store.prepare(projections);
  const runner = new ProjectionRunner({
    projections,
    store,
    feed: new EventFeed(new MemoryEventLog(), systemClock),
    clock: systemClock,
  });
  t.strictSame(await runner.step(), { applied: 0, moved: false, full: false });
  t.equal(await runner.waitFor('', 0), true);
});
