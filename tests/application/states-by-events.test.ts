/** A version of the stored states that is not built yet: commands go on, each aggregate from its own events. */
import { pino } from 'pino';
import { test } from 'tap';
import { type AggregateEvents, indexedEvents } from '../../application/audit/aggregate-events.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import { StatesByEvents } from '../../application/processor/states-by-events.js';
import { MemoryKeyVault } from '../../infrastructure/memory/key-vault.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresStateStore } from '../../infrastructure/postgres/state-store.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { openReadSide } from '../../main/read-side.js';
import { AGGREGATE_STATES_VERSION } from '../../projections/aggregate-states/projection.js';
import { busyBook } from '../support/busy-book.js';
import { testSeal } from '../support/identity.js';
import { openTestDatabase } from '../support/test-database.js';

test('states by events are the stored states, and commands are decided on them', async (t) => {
  const { urls } = await openTestDatabase(t);
  const log = new PostgresEventLog({ url: urls.core });
  const readSide = await openReadSide({
    ...{ log, urls, clock: systemClock, ids: createIdSource(), project: true },
    logger: pino({ level: 'silent' }),
    vault: new MemoryKeyVault(testSeal(), systemClock),
  });
  const stored = new PostgresStateStore({ url: urls.core, version: AGGREGATE_STATES_VERSION });
  const next = new PostgresStateStore({ url: urls.core, version: AGGREGATE_STATES_VERSION + 1 });
  t.teardown(async () => {
    await readSide.close();
    await Promise.all([stored.close(), next.close(), log.close()]);
  });
  const book = await busyBook('upgraded', log);
  const { tenantId } = book;
  const head = await log.head(tenantId);
  t.ok(await readSide.readModels.waitFor(head.position, 20_000));
  while ((await stored.load(tenantId, [])).revision < head.revision) await systemClock.sleep(20);

  const read: string[] = [];
  const index = indexedEvents(log, readSide.readModels);
  const events: AggregateEvents = {
    events(tenant, tag, to) {
      read.push(tag);
      return index.events(tenant, tag, to);
    },
  };
  const ports = { log, events, waitFor: readSide.readModels.waitFor.bind(readSide.readModels) };
  const tags = [
    ...book.accounts.map((id) => `account:${id}` as const),
    ...book.holds.map((id) => `hold:${id}` as const),
    `tenant:${tenantId}` as const,
    'account:none' as const,
  ];
  const built = await stored.load(tenantId, tags);
  t.ok(built.states.size > book.accounts.length);

  const current = new StatesByEvents(stored, ports, 0);
  t.strictSame(await current.load(tenantId, tags), built, 'what is stored is not folded');
  t.same(read, []);
  const upgraded = new StatesByEvents(next, ports, 0);
  t.strictSame(await upgraded.load(tenantId, tags), built, 'what is not stored is the same from its events');
  t.equal((await new StatesByEvents(next, ports, 1_000_000).load(tenantId, tags)).revision, -1, 'a short log is not');
  const late = new StatesByEvents(next, { ...ports, waitFor: () => Promise.resolve(false) }, 0);
  await t.rejects(late.load(tenantId, tags), { name: 'Unavailable' });

  // A process of the next version: the account it asks for is loaded, the others are not.
  read.length = 0;
  const processor = new CommandProcessor({ log, states: upgraded, clock: systemClock, ids: createIdSource() });
  const [from = '', to = ''] = book.numbers;
  const post = (side: 'debit' | 'credit', accountNumber: string) => ({
    ...{ accountNumber, side, currency: 'EUR', amount: 1n },
  });
  for (let i = 0; i < 3; i += 1) {
    const outcome = await processor.execute({
      name: 'post-journal-entry',
      tenantId,
      payload: { lines: [post('credit', from), post('debit', to)] },
      actor: { subject: 'tester', roles: ['MANAGER'] },
      correlationId: '00000000-0000-4000-8000-000000000000',
    });
    t.equal(outcome.status, 'accepted');
  }
  await processor.close();
  t.ok(read.length < 10, `${read.length} aggregates of ${tags.length} were folded`);
  t.equal(new Set(read).size, read.length, 'each once');
  const last = await log.head(tenantId);
  t.equal(last.revision, head.revision + 3);
  t.ok(await readSide.readModels.waitFor(last.position, 20_000));
  t.strictSame(
    (await upgraded.load(tenantId, tags)).states,
    await (async () => {
      while ((await stored.load(tenantId, [])).revision < last.revision) await systemClock.sleep(20);
      return (await stored.load(tenantId, tags)).states;
    })(),
    'what was decided on them is right',
  );
});
