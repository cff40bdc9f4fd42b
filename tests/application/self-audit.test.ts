import t, { type Test } from 'tap';
import { scannedEvents } from '../../application/audit/aggregate-events.js';
import { SelfAudit, type SelfAuditOptions } from '../../application/audit/self-audit.js';
import type { BalanceRow } from '../../application/ports/book-queries.js';
import type { EventLog, StoredEvent } from '../../application/ports/event-log.js';
import type { ChainCheckpoint, SelfAuditResult, SelfAuditStore } from '../../application/ports/self-audit-store.js';
import { SYSTEM_ACCOUNTS } from '../../domain/ledger/products.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { type Book, busyBook, openBook } from '../support/busy-book.js';
import { FoldedRows } from '../support/folded-rows.js';

class MemoryStore implements SelfAuditStore {
  readonly checkpoints = new Map<string, ChainCheckpoint>();
  result: SelfAuditResult | undefined;
  checkpoint = (tenantId: string) => Promise.resolve(this.checkpoints.get(tenantId));
  saveCheckpoint = (tenantId: string, checkpoint: ChainCheckpoint) => {
    this.checkpoints.set(tenantId, checkpoint);
    return Promise.resolve();
  };
  lastResult = () => Promise.resolve(this.result);
  saveResult = (result: SelfAuditResult) => {
    this.result = result;
    return Promise.resolve();
  };
}

/** A log that somebody writes to behind our back. */
function tamperedLog(log: EventLog, change: (event: StoredEvent) => StoredEvent): EventLog {
  return new Proxy(log, {
    get(target, name) {
      if (name !== 'read') return (target[name as keyof EventLog] as (...args: unknown[]) => unknown).bind(target);
      return async function* (...args: Parameters<EventLog['read']>) {
        for await (const event of target.read(...args)) yield change(event);
      };
    },
  });
}

interface Setting {
  readonly book: Book;
  readonly rows: FoldedRows;
  readonly store: MemoryStore;
  readonly verdicts: SelfAuditResult[];
  /** How far the read models are; they say so. */
  behind: boolean;
  log: EventLog;
  audit(options?: Partial<SelfAuditOptions>): SelfAudit;
}

async function setting(existing?: Book): Promise<Setting> {
  const book = existing ?? (await busyBook());
  const store = new MemoryStore();
  const rows = new FoldedRows(book.log);
  const verdicts: SelfAuditResult[] = [];
  const made: Setting = {
    book,
    rows,
    store,
    verdicts,
    behind: false,
    log: book.log,
    audit: (options) =>
      new SelfAudit(
        {
          log: made.log,
          readModels: { waitFor: () => Promise.resolve(!made.behind) },
          book: rows,
          events: scannedEvents(made.log),
          store,
          clock: systemClock,
          ids: createIdSource(),
          onVerdict: (result) => verdicts.push(result),
        },
        options,
      ),
  };
  return made;
}

t.test('before the first run nothing is said against the book', async (t) => {
  const { audit } = await setting();
  t.match(await audit().check(), { ok: true, detail: 'not run yet' });
  t.equal(audit().name, 'self-audit');
});

t.test('a sound book passes, and each run goes on where the last one ended', async (t) => {
  const { audit, book, store, verdicts } = await setting();
  const { revision, hash } = await book.log.head(book.tenantId);
  const first = await audit().run();
  t.match(first, { ok: true, suspects: [], suspectTenants: [] });
  t.match(first.detail, new RegExp(`^${revision + 1} events and 10 accounts checked$`));
  t.same(store.checkpoints.get(book.tenantId), { revision, hash });
  await book.transfer(0, 1, 5n);
  const second = await audit().run();
  t.match(second.detail, /^1 events and/);
  t.match(await audit().check(), { ok: true, detail: `${second.at}: ${second.detail}` });
  t.same(verdicts, [], 'no change of the verdict');
});

t.test('an account that differs turns it red until it agrees again, and is told once', async (t) => {
  const { audit, book, rows, store, verdicts } = await setting();
  const accountId = book.accounts[0] as string;
  rows.spoiled.set(accountId, { held: 12n });
  const found = await audit({ accountsPerTenant: 1_000 }).run();
  t.notOk(found.ok);
  t.match(found.detail, new RegExp(`account ${accountId} has held 12 in the read model and \\d+ in the log`));
  t.same(found.suspects, [{ tenantId: book.tenantId, accountId }]);
  t.notOk((await audit().check()).ok);
  // The sample may not meet it again: it is looked at because it is under suspicion.
  t.notOk((await audit({ accountsPerTenant: 0, tenantsPerRun: 0 }).run()).ok);
  t.equal(verdicts.length, 1);
  rows.spoiled.clear();
  t.ok((await audit({ accountsPerTenant: 0 }).run()).ok);
  t.match(verdicts, [{ ok: false }, { ok: true }]);
  t.same(store.result?.suspects, []);
});

t.test('an account under suspicion that is gone is still wrong', async (t) => {
  const { audit, book, rows } = await setting();
  const accountId = book.accounts[0] as string;
  rows.spoiled.set(accountId, { ledger: 1n });
  await audit({ accountsPerTenant: 1_000 }).run();
  rows.hidden.add(accountId);
  t.match((await audit({ accountsPerTenant: 0 }).run()).detail, /is missing in the read model/);
});

t.test('balances that do not sum to zero', async (t) => {
  const { audit, rows } = await setting();
  rows.totals = () => Promise.resolve([{ currency: 'KWD', balance: -3n, accounts: 4 }]);
  t.match(await audit().run(), { ok: false, detail: /balances in KWD sum to -3/ });
});

t.test('a broken tail stays broken', async (t) => {
  const made = await setting();
  const { book } = made;
  await made.audit().run();
  await book.transfer(0, 1, 5n);
  await book.transfer(1, 0, 5n);
  const { revision } = await book.log.head(book.tenantId);
  made.log = tamperedLog(book.log, (event) =>
    event.revision === revision - 1
      ? { ...event, dataText: event.dataText.replace('"amount":"5"', '"amount":"6"') }
      : event,
  );
  for (let run = 0; run < 2; run += 1) {
    t.match(await made.audit().run(), {
      ok: false,
      detail: new RegExp(`revision ${revision - 1}: the hash does not fit`),
    });
  }
  t.equal(made.verdicts.length, 1);
  made.log = book.log;
  t.ok((await made.audit().run()).ok);
});

t.test('a history that was rewritten before the checkpoint, even where it is far back', async (t) => {
  const made = await setting();
  const { book, store } = made;
  await made.audit().run();
  const checkpoint = store.checkpoints.get(book.tenantId) as ChainCheckpoint;
  store.checkpoints.set(book.tenantId, { ...checkpoint, hash: 'a'.repeat(64) });
  const rewritten = { ok: false, detail: /history was rewritten/ };
  t.match(await made.audit().run(), rewritten);
  for (let i = 0; i < 20; i += 1) await book.transfer(0, 1, 1n);
  t.match(await made.audit({ tailPerRun: 5 }).run(), rewritten);
  t.equal(store.checkpoints.get(book.tenantId)?.revision, checkpoint.revision, 'the checkpoint does not move on');
});

t.test('a log that became shorter than what was checked', async (t) => {
  const { audit, book, store } = await setting();
  store.checkpoints.set(book.tenantId, { revision: 10_000, hash: 'a'.repeat(64) });
  t.match(await audit().run(), { ok: false, detail: /the log ends before revision 10000/ });
});

t.test('more new events than one run may read: the newest are checked and the rest is said', async (t) => {
  const { audit, book, store } = await setting();
  await audit().run();
  for (let i = 0; i < 30; i += 1) await book.transfer(i % 2, (i + 1) % 2, 1n);
  const { ok, detail } = await audit({ tailPerRun: 8 }).run();
  t.ok(ok);
  t.match(detail, /^8 events and .*, 22 older events left to audit verify$/);
  t.equal(store.checkpoints.get(book.tenantId)?.revision, (await book.log.head(book.tenantId)).revision);
});

t.test('read models that lag are no false alarm, and clear nobody', async (t) => {
  const made = await setting();
  const { rows, book } = made;
  const accountId = book.accounts[0] as string;
  rows.spoiled.set(accountId, { ledger: 1n });
  made.behind = true;
  t.match(await made.audit().run(), { ok: true, detail: /read models of 1 tenants too far behind/ });
  made.behind = false;
  t.notOk((await made.audit({ accountsPerTenant: 1_000 }).run()).ok);
  made.behind = true;
  const still = await made.audit().run();
  t.match(still, { ok: false, detail: /not looked at again yet/, suspects: [{ accountId }] });
  made.behind = false;
  rows.spoiled.clear();
  t.ok((await made.audit({ accountsPerTenant: 0 }).run()).ok);
});

t.test('no false alarm while the book is written to', async (t) => {
  const { audit, book } = await setting();
  let writing = true;
  t.teardown(() => {
    writing = false;
  });
  const writer = (async () => {
    for (let i = 0; writing; i += 1) {
      await Promise.all([book.transfer(0, 1, 2n), book.transfer(1, 0, 1n), book.transfer(0, 1, 1n)]);
      if (i % 10 === 0) await book.open();
    }
  })();
  for (let run = 0; run < 5_000 && (await book.log.head(book.tenantId)).revision < 160; run += 1) {
    await systemClock.turn();
    const { ok, detail } = await audit({ accountsPerTenant: 8 }).run();
    if (!ok) t.fail(detail);
  }
  writing = false;
  await writer;
  t.ok((await audit().run()).ok);
});

t.test('a run that cannot look rejects, and the last verdict stands', async (t) => {
  const made = await setting();
  await made.audit().run();
  made.rows.totals = () => Promise.reject(new Error('no database'));
  await t.rejects(made.audit().run(), /no database/);
  t.ok((await made.audit().check()).ok);
});

t.test('tenants take turns, and samples reach every account in time', async (t: Test) => {
  const first = await busyBook('first');
  const second = await openBook('second', first.log);
  await second.open();
  const { audit, rows, store } = await setting(first);
  const looked = new Set<string>();
  const { balances } = rows;
  rows.balances = async (tenantId, after, limit): Promise<readonly BalanceRow[]> => {
    const found = await balances.call(rows, tenantId, after, limit);
    for (const row of found) looked.add(row.accountId);
    return found;
  };
  const all = 2 * 2 * SYSTEM_ACCOUNTS.length + 5;
  for (let run = 0; run < 1_000 && (looked.size < all || store.checkpoints.size < 2); run += 1) {
    const { ok, detail } = await audit({ tenantsPerRun: 1, accountsPerTenant: 10 }).run();
    if (!ok) t.fail(detail);
  }
  t.equal(store.checkpoints.size, 2);
  t.equal(looked.size, all);
});
