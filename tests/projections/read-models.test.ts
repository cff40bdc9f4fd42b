/** Every question to the read models, on PostgreSQL, against the answer counted out from the log. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { keyOf } from '../../application/idempotency.js';
import type { EventLog, StoredEvent } from '../../application/ports/event-log.js';
import type { EntryLineView, Page, Paged } from '../../application/ports/read-models.js';
import type { AccountOpened, EntryPosted } from '../../domain/ledger/events.js';
import { type AccountState, accountAggregate } from '../../domain/ledger/account.js';
import { lineIdOf, tenantIdOf } from '../../domain/shared/ids.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresReadStore } from '../../infrastructure/postgres/read-store.js';
import { TenantConnections } from '../../infrastructure/postgres/tenant-connection.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import { createReadModels } from '../../projections/read-models.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { busyBook } from '../support/busy-book.js';
import { TENANT, Teller, accountId, append, opened } from '../support/given-events.js';

const ALL: Page = { page: 1, size: 1_000 };
const NOBODY = tenantIdOf('nobody');

/** What the log says, read in the plainest way. */
class Plain {
  readonly events: StoredEvent[] = [];
  readonly lines: EntryLineView[] = [];

  static async of(log: EventLog, tenantId: string): Promise<Plain> {
    const plain = new Plain();
    for await (const event of log.read(tenantId)) plain.events.push(event);
    const entries = plain.events.filter(({ type }) => type === 'entry-posted') as Array<StoredEvent & EntryPosted>;
    for (const event of entries) {
      event.data.lines.forEach((line, lineIndex) => {
        const amount = BigInt(line.amount);
        const balanceAfter = BigInt(line.balance);
        plain.lines.push({
          lineId: lineIdOf(event.id, lineIndex),
          entryId: event.id,
          revision: event.revision,
          lineIndex,
          accountId: line.account,
          currency: line.currency,
          side: line.side,
          amount,
          balanceBefore: line.side === 'credit' ? balanceAfter - amount : balanceAfter + amount,
          balanceAfter,
          sequence: line.sequence,
          valueDate: event.data.valueDate,
          recordedAt: event.recordedAt,
          kind: event.data.kind,
          narration: line.narration ?? event.data.narration ?? null,
          reference: event.data.reference ?? null,
          instructionKey: event.data.instructionKey ?? null,
          correlationId: event.meta['correlation'] ?? '',
          actor: event.meta['actor'] ?? '',
          reverses: event.data.reverses ?? null,
          reversedBy: entries.find(({ data }) => data.reverses === event.id)?.id ?? null,
        });
      });
    }
    return plain;
  }

  of(account: string): EntryLineView[] {
    return this.lines.filter((line) => line.accountId === account);
  }

  accounts(): Map<string, { opened: StoredEvent & AccountOpened; state: AccountState }> {
    const result = new Map<string, { opened: StoredEvent & AccountOpened; state: AccountState }>();
    for (const event of this.events) {
      if (event.type === 'account-opened') {
        const openedEvent = event as StoredEvent & AccountOpened;
        result.set(openedEvent.data.account, { opened: openedEvent, state: accountAggregate.initial('') });
      }
      for (const [id, account] of result) {
        if (event.tags.includes(`account:${id}`))
          account.state = accountAggregate.evolve(account.state, event as never, id);
      }
    }
    return result;
  }
}

const sum = (lines: readonly EntryLineView[]): bigint =>
  lines.reduce((total, { side, amount }) => (side === 'credit' ? total + amount : total - amount), 0n);
const newestFirst = (lines: readonly EntryLineView[]): EntryLineView[] =>
  [...lines].sort((x, y) => y.sequence - x.sequence);
const ids = (lines: readonly EntryLineView[]): string[] => lines.map(({ lineId }) => lineId);

test('read models', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-queries-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  const { urls } = database;
  const log = new PostgresEventLog({ url: urls.core, readers: 2 });
  const store = new PostgresReadStore({ coreUrl: urls.core, ownerUrl: urls.owner });
  const projections = createProjections();
  await store.prepare(projections);
  const runner = new ProjectionRunner({
    projections,
    store,
    feed: new EventFeed(log, systemClock),
    clock: systemClock,
  });
  const db = new TenantConnections({ url: urls.api });
  const models = createReadModels(db, runner);
  t.teardown(async () => {
    await Promise.all([db.close(), store.close(), log.close()]);
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  const catchUp = async (): Promise<void> => {
    while ((await runner.step()).moved);
  };

  const book = await busyBook('asked', log);
  await book.run('update-tenant', {
    settings: { domains: ['Asked.example'], smsSenderId: 'ASK', branding: { colour: 'red' } },
  });
  const others = await busyBook('others', log);
  await catchUp();
  const { tenantId } = book;
  const plain = await Plain.of(log, tenantId);
  const [first = '', second = ''] = book.accounts;
  /** Every page of a list, one after another, and the whole must be the list. */
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

  await t.test('accounts', async (t) => {
    const expected = plain.accounts();
    t.ok(expected.size > 20);
    for (const [id, { opened: event, state }] of expected) {
      t.match(await models.account(tenantId, id), {
        accountId: id,
        number: state.number,
        name: state.name,
        owner: state.owner,
        currency: state.currency,
        kind: state.kind,
        product: state.product,
        systemRole: state.systemRole ?? null,
        status: state.status,
        permission: state.permission,
        frozen: state.frozen ?? null,
        ledger: state.ledger,
        held: state.held,
        liens: state.liens,
        overdraftLimit: state.overdraftLimit,
        minimumBalance: state.minimumBalance ?? null,
        maximumBalance: state.maximumBalance ?? null,
        sequence: state.sequence,
        openedAt: event.recordedAt,
      });
    }
    t.match((await models.account(tenantId, book.accounts[3] as string))?.closedAt, /^2026-01-05T/);
    t.match(await models.accountByNumber(tenantId, book.numbers[0] as string), { accountId: first });
    t.equal(await models.accountByNumber(tenantId, 'none'), undefined);
    t.strictSame(
      (await models.accountsOfOwner(tenantId, '11111111-1111-4111-8111-111111111111')).map(({ accountId: id }) => id),
      book.accounts,
    );
    const order = [...expected.keys()];
    t.strictSame(
      (await pages(7, (page) => models.accounts(tenantId, {}, page))).map(({ accountId: id }) => id),
      order,
    );
    t.strictSame(
      (await models.accounts(tenantId, { product: 'CURRENT' }, ALL)).items.map(({ accountId: id }) => id),
      book.accounts,
    );
    t.equal((await models.accounts(tenantId, { product: 'SYSTEM', currency: 'JPY' }, ALL)).totalElements, 13);
    t.equal(await models.account(others.tenantId, first), undefined, 'another tenant does not find it');
    t.equal(await models.account(NOBODY, first), undefined);
  });

  await t.test('entries of an account', async (t) => {
    for (const account of [...book.accounts, ...[...plain.accounts().keys()].slice(0, 4)]) {
      const expected = newestFirst(plain.of(account));
      t.strictSame(await pages(3, (page) => models.entriesOfAccount(tenantId, account, {}, page)), expected);
      for (const side of ['debit', 'credit'] as const) {
        t.strictSame(
          await pages(2, (page) => models.entriesOfAccount(tenantId, account, { side }, page)),
          expected.filter((line) => line.side === side),
        );
      }
      const dated = expected.filter(({ valueDate }) => valueDate >= '2026-01-01' && valueDate <= '2026-01-05');
      t.strictSame(
        await pages(2, (page) =>
          models.entriesOfAccount(tenantId, account, { fromDate: '2026-01-01', toDate: '2026-01-05' }, page),
        ),
        dated,
      );
    }
    t.ok(plain.of(first).length > 6 && plain.of(first).some(({ reversedBy }) => reversedBy !== null));
    t.strictSame(await models.entriesOfAccount(tenantId, first, { toDate: '2020-01-01' }, ALL), {
      items: [],
      totalElements: 0,
    });
    t.strictSame(await models.entriesOfAccount(NOBODY, first, {}, ALL), { items: [], totalElements: 0 });
  });

  await t.test('whole entries', async (t) => {
    for (const id of new Set(plain.lines.map(({ entryId }) => entryId))) {
      t.strictSame(
        await models.entry(tenantId, id),
        plain.lines.filter(({ entryId }) => entryId === id),
      );
      t.strictSame(await models.entry(others.tenantId, id), []);
    }
    t.strictSame(await models.entry(tenantId, plain.events[0]?.id as string), [], 'what is no entry has no lines');
    t.strictSame(await models.entriesByCorrelation(tenantId, '00000000-0000-4000-8000-0000000000aa'), plain.lines);
    t.strictSame(await models.entriesByCorrelation(tenantId, 'none'), []);
  });

  await t.test('entries by the keys they answered', async (t) => {
    const keyed = plain.events.filter(({ keyId, type }) => keyId !== undefined && type === 'entry-posted');
    t.ok(keyed.length > 5);
    for (const event of keyed) {
      t.strictSame(
        await models.entriesByKeys(tenantId, [event.keyId as string]),
        plain.lines.filter(({ entryId }) => entryId === event.id),
      );
    }
    const both = [keyOf(tenantId, 'post-journal-entry', 'fund 0'), keyOf(tenantId, 'post-journal-entry', 'fund 2')];
    const funded = await models.entriesByKeys(tenantId, both);
    t.equal(funded.length, 6);
    t.ok(funded.every(({ narration }) => narration === 'paid in'));
    t.strictSame(await models.entriesByKeys(others.tenantId, both), []);
    t.strictSame(await models.entriesByKeys(tenantId, []), []);

    // A keyed command of several parts: its key stands on an event before them, and a part may be an answer from before.
    const part = (text: string) => ({
      primaryNumber: book.numbers[0] as string,
      currency: 'EUR',
      direction: 'debit-primary' as const,
      counterparties: [{ number: book.numbers[1] as string, currency: 'EUR', amount: 3n }],
      key: { text, id: keyOf(tenantId, 'part', text), requestHash: '1'.repeat(32) },
    });
    const early = await book.run('post-entries', { instructions: [part('early')] });
    const outcome = await book.run(
      'post-entries',
      { instructions: [part('early'), part('one'), part('two')] },
      'all three',
    );
    await catchUp();
    const lines = await models.entriesByKeys(tenantId, [keyOf(tenantId, 'post-entries', 'all three')]);
    const expected = [early, outcome].flatMap(({ events }) =>
      events.filter(({ type }) => type === 'entry-posted').map(({ id }) => id),
    );
    t.strictSame([...new Set(lines.map(({ entryId }) => entryId))].sort(), [...new Set(expected)].sort());
    t.equal(lines.length, 6);
  });

  const now = await Plain.of(log, tenantId);

  await t.test('why is this balance: at every moment and value date', async (t) => {
    const dates = ['2025-12-30', '2025-12-31', '2026-01-05', '2027-01-01'];
    const moments = [undefined, '2026-01-05T00:00:00.000Z', ...book.instants.filter((_, i) => i % 5 === 0)];
    let asked = 0;
    for (const account of [first, second, ...[...now.accounts().keys()].slice(0, 2)]) {
      for (const recordedAt of moments) {
        for (const valueDate of [undefined, ...dates]) {
          const counted = now
            .of(account)
            .filter(
              (line) =>
                (recordedAt === undefined || line.recordedAt <= recordedAt) &&
                (valueDate === undefined || line.valueDate <= valueDate),
            );
          const at = {
            ...(recordedAt === undefined ? {} : { recordedAt }),
            ...(valueDate === undefined ? {} : { valueDate }),
          };
          const answer = await models.balanceAt(tenantId, account, at, 4);
          asked += 1;
          if (
            answer.ledger === sum(counted) &&
            answer.lineCount === counted.length &&
            String(ids(answer.lines)) === String(ids(newestFirst(counted).slice(0, 4)))
          )
            continue;
          t.fail(`${account} at ${String(recordedAt)}, ${String(valueDate)}`, {
            answer: answer.ledger,
            counted: sum(counted),
            lines: answer.lineCount,
            of: counted.length,
          });
        }
      }
    }
    t.ok(asked > 150, `${asked} questions`);
    t.strictSame(await models.balanceAt(NOBODY, first, {}, 4), { ledger: 0n, lines: [], lineCount: 0 });
  });

  await t.test('statement', async (t) => {
    for (const [fromDate, toDate] of [
      ['2026-01-01', '2026-12-31'],
      ['2025-01-01', '2025-12-31'],
      ['2026-01-05', '2026-01-05'],
      ['2027-01-01', '2027-02-01'],
    ] as const) {
      for (const account of [first, second, [...now.accounts().keys()][0] as string]) {
        const before = now.of(account).filter(({ valueDate }) => valueDate < fromDate);
        const within = now.of(account).filter(({ valueDate }) => valueDate >= fromDate && valueDate <= toDate);
        const answer = await models.statement(tenantId, account, { fromDate, toDate }, 1_000);
        t.match(answer, {
          openingBalance: sum(before),
          closingBalance: sum(before) + sum(within),
          truncated: false,
          fromDate,
          toDate,
        });
        t.equal((answer?.totalCredits ?? 0n) - (answer?.totalDebits ?? 0n), sum(within));
        const inOrder = [...within].sort((x, y) =>
          x.valueDate === y.valueDate ? x.sequence - y.sequence : x.valueDate < y.valueDate ? -1 : 1,
        );
        t.strictSame(answer?.lines, inOrder);
      }
    }
    const short = await models.statement(tenantId, first, { fromDate: '2026-01-01', toDate: '2026-12-31' }, 2);
    t.match(short, { truncated: true, lines: { length: 2 } });
    t.equal(await models.statement(tenantId, NOBODY, { fromDate: '2026-01-01', toDate: '2026-12-31' }, 2), undefined);
  });

  await t.test('trial balance', async (t) => {
    for (const asOf of [undefined, '2025-12-31', '2026-01-05']) {
      const rows = await models.trialBalance(tenantId, asOf === undefined ? {} : { asOf });
      const counted = now.lines.filter(({ valueDate }) => asOf === undefined || valueDate <= asOf);
      t.strictSame(
        rows.map(({ accountId: id }) => id).sort(),
        [...new Set(counted.map(({ accountId: id }) => id))].sort(),
      );
      for (const row of rows) {
        const own = counted.filter(({ accountId: id }) => id === row.accountId);
        t.match(row, {
          debits: -sum(own.filter(({ side }) => side === 'debit')),
          credits: sum(own.filter(({ side }) => side === 'credit')),
          balance: sum(own),
        });
      }
      for (const currency of ['EUR', 'JPY']) {
        t.equal(
          rows.filter((row) => row.currency === currency).reduce((total, { balance }) => total + balance, 0n),
          0n,
          `${currency} balances`,
        );
      }
    }
    const yen = await models.trialBalance(tenantId, { currency: 'JPY' });
    t.ok(yen.length >= 2 && yen.every(({ currency }) => currency === 'JPY'));
    t.strictSame(await models.trialBalance(NOBODY, {}), []);
  });

  await t.test('holds', async (t) => {
    t.equal(book.holds.length, 3);
    const all = await pages(2, (page) => models.holds(tenantId, {}, page));
    t.strictSame(all.map(({ holdId }) => holdId).sort(), [...book.holds].sort());
    for (const hold of all) {
      t.strictSame(await models.hold(tenantId, hold.holdId), hold);
      t.equal(await models.hold(others.tenantId, hold.holdId), undefined);
    }
    t.match(await models.hold(tenantId, book.holds[0] as string), {
      status: 'CAPTURED',
      placed: 500n,
      captured: 200n,
      released: 300n,
      type: 'HOLD',
      reason: 'card',
    });
    t.match(await models.hold(tenantId, book.holds[1] as string), {
      type: 'LIEN',
      placed: 500n,
      captured: 100n,
      released: 400n,
    });
    t.match(await models.hold(tenantId, book.holds[2] as string), {
      status: 'ACTIVE',
      expiresAt: '2027-01-01T00:00:00.000Z',
      accountId: second,
    });
    for (const status of ['ACTIVE', 'CAPTURED', 'RELEASED', 'EXPIRED'] as const) {
      for (const accountId of [undefined, first, second]) {
        const answer = await models.holds(tenantId, { status, ...(accountId === undefined ? {} : { accountId }) }, ALL);
        const expected = all.filter(
          (hold) => hold.status === status && (accountId === undefined || hold.accountId === accountId),
        );
        t.strictSame(answer, { items: expected, totalElements: expected.length });
      }
    }
    const grouped = all.filter(({ groupId }) => groupId !== null);
    for (const { groupId } of grouped) {
      const inGroup = all
        .filter((hold) => hold.groupId === groupId)
        .map(({ holdId }) => holdId)
        .sort();
      t.strictSame(
        (await models.holdsOfGroup(tenantId, groupId as string)).map(({ holdId }) => holdId).sort(),
        inGroup,
      );
      t.equal((await models.holds(tenantId, { groupId: groupId as string }, ALL)).totalElements, inGroup.length);
    }
    t.strictSame(await models.holdsOfGroup(tenantId, NOBODY), []);
  });

  await t.test('tenants', async (t) => {
    const view = {
      tenantId,
      slug: 'asked',
      status: 'ACTIVE',
      domains: ['Asked.example'],
      baseCurrency: 'EUR',
      currencies: ['EUR', 'JPY'],
      smsSenderId: 'ASK',
      branding: { colour: 'red' },
    };
    t.match(await models.tenant(tenantId), view);
    t.strictSame(await models.domainOwner('ASKED.example'), { tenantId, agentId: null });
    t.equal(await models.domainOwner('other.example'), undefined);
    t.equal(await models.tenant(NOBODY), undefined);
    t.strictSame(
      (await pages(1, (page) => models.tenants(page))).map(({ slug }) => slug),
      ['asked', 'others'],
    );
  });

  await t.test('audit events', async (t) => {
    const expected = now.events
      .map(({ revision, id, type, hash, recordedAt }, i) => ({
        revision,
        id,
        type,
        hash,
        recordedAt,
        previousHash: now.events[i - 1]?.hash ?? '0'.repeat(64),
      }))
      .reverse();
    const shown = (events: readonly object[]) =>
      events.map((event) =>
        Object.fromEntries(
          Object.keys(expected[0] as object).map((key) => [key, (event as Record<string, unknown>)[key]]),
        ),
      );
    t.strictSame(shown(await pages(11, (page) => models.auditEvents(tenantId, {}, page))), expected);
    for (const type of ['entry-posted', 'hold-placed', 'account-opened', 'tenant-created', 'nothing']) {
      t.strictSame(
        shown(await pages(4, (page) => models.auditEvents(tenantId, { type }, page))),
        expected.filter((event) => event.type === type),
        type,
      );
    }
    const from = book.instants[5] as string;
    const to = book.instants[15] as string;
    for (const filter of [
      { from },
      { to },
      { from, to },
      { from, to, type: 'entry-posted' },
      { from, to, type: 'account-opened' },
      { from: '2030-01-01T00:00:00Z' },
      { to: '2020-01-01T00:00:00Z' },
    ]) {
      const { type } = filter as { type?: string };
      const within = expected.filter(
        ({ recordedAt, type: own }) =>
          (filter.from === undefined || recordedAt >= filter.from) &&
          (filter.to === undefined || recordedAt <= filter.to) &&
          (type === undefined || type === own),
      );
      t.strictSame(
        shown(await pages(3, (page) => models.auditEvents(tenantId, filter, page))),
        within,
        JSON.stringify(filter),
      );
    }
    t.equal((await models.auditEvents(tenantId, { actor: 'tester' }, ALL)).totalElements, expected.length);
    t.equal((await models.auditEvents(tenantId, { actor: 'test' }, ALL)).totalElements, 0);
    t.equal((await models.auditEvents(NOBODY, {}, ALL)).totalElements, 0);
    const [newest] = (await models.auditEvents(tenantId, {}, { page: 1, size: 1 })).items;
    const last = now.events.at(-1);
    t.match(newest, {
      data: last?.data as object,
      tags: last?.tags as string[],
      version: 1,
      effectiveAt: last?.effectiveAt as string,
      actor: 'tester',
    });
    const tags = new Set(now.events.flatMap(({ tags: own }) => own));
    for (const tag of tags) {
      const tagged = now.events.filter((event) => event.tags.includes(tag)).map(({ revision }) => revision);
      t.strictSame(
        (await pages(5, (page) => models.auditEventsByTag(tenantId, tag, page))).map(({ revision }) => revision),
        tagged,
        tag,
      );
    }
    t.ok(tags.size > 30);
    t.equal((await models.auditEventsByTag(others.tenantId, `account:${first}`, ALL)).totalElements, 0);
    t.equal((await models.auditEventsByTag(tenantId, 'nothing:at-all', ALL)).totalElements, 0);
  });

  await t.test('texts come back as they were sent', async (t) => {
    const events = [
      opened(1),
      opened(2),
      new Teller().entry(1, 2, 5n, { narration: 'a "quoted" \\ line\n\t\u001f é 漢 🎉', reference: '\\u0000' }),
    ];
    await append(log, events);
    await catchUp();
    const [line] = (await models.entriesOfAccount(TENANT, accountId(1), {}, ALL)).items;
    t.match(line, { narration: 'a "quoted" \\ line\n\t\u001f é 漢 🎉', reference: '\\u0000', kind: 'posting' });
  });
});
