import t, { type Test } from 'tap';
import { EventLogAuditService } from '../../application/audit/service.js';
import { compareTenant } from '../../application/audit/compare.js';
import { booksAt } from '../../application/audit/replay.js';
import { KeySet } from '../../application/audit/key-set.js';
import { verifyTenant } from '../../application/audit/verify.js';
import { keyOf } from '../../application/idempotency.js';
import type { BalanceRow, BookQueries } from '../../application/ports/book-queries.js';
import type { LogHead, StoredEvent } from '../../application/ports/event-log.js';
import { type EventRecord, readEvent } from '../../application/processor/read-event.js';
import { canonicalText, chainHash } from '../../application/processor/seal.js';
import { evolveTag, tagOf } from '../../domain/aggregates.js';
import { type AccountState, accountAggregate } from '../../domain/ledger/account.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { type Book, busyBook } from '../support/busy-book.js';
import { FoldedRows } from '../support/folded-rows.js';

/** The log of one tenant as a storage holds it, for changing what must not change. */
class Records {
  constructor(
    readonly records: EventRecord[],
    readonly logHead: LogHead,
  ) {}

  static async of(book: Book): Promise<Records> {
    const records: EventRecord[] = [];
    for await (const event of book.log.read(book.tenantId)) records.push(recordOf(event));
    return new Records(records, await book.log.head(book.tenantId));
  }

  /** Where the n-th event of this kind is. */
  find(wanted: (record: EventRecord) => boolean): number {
    const found = this.records.findIndex(wanted);
    if (found < 0) throw new Error('the busy book has no such event');
    return found;
  }

  /** Changes one event's data and nothing else. */
  edit(revision: number, change: (data: Data) => unknown): void {
    const record = this.records[revision] as EventRecord;
    const data = structuredClone(JSON.parse(record.dataText) as Data);
    this.set(revision, { dataText: JSON.stringify(change(data) ?? data) });
  }

  set(revision: number, change: Partial<EventRecord>): void {
    this.records[revision] = { ...(this.records[revision] as EventRecord), ...change };
  }

  /** What somebody does who can write to the table and knows how the chain is made. */
  reseal(from: number): void {
    for (let i = from; i < this.records.length; i += 1) {
      const record = this.records[i] as EventRecord;
      this.set(i, { hash: chainHash(this.records[i - 1]?.hash ?? '0'.repeat(64), canonicalText(record)) });
    }
  }

  /** Reads as a storage does: what cannot be parsed throws when it is reached. */
  async *read(_tenantId: string, range: { from?: number; to?: number } = {}): AsyncIterable<StoredEvent> {
    await Promise.resolve();
    for (const record of this.records) {
      if (record.revision >= (range.from ?? 0) && record.revision <= (range.to ?? Infinity)) yield readEvent(record);
    }
  }

  head(): Promise<LogHead> {
    return Promise.resolve(this.logHead);
  }

  resealedHead(): Records {
    const last = this.records.at(-1) as EventRecord;
    return new Records(this.records, { ...this.logHead, revision: last.revision, hash: last.hash });
  }

  eventsById(_tenantId: string, ids: readonly string[]): Promise<StoredEvent[]> {
    return Promise.resolve(this.records.filter(({ id }) => ids.includes(id)).map(readEvent));
  }

  eventsByKey(_tenantId: string, keys: readonly string[]): Promise<StoredEvent[]> {
    return Promise.resolve(
      this.records.filter(({ keyId }) => keyId !== undefined && keys.includes(keyId)).map(readEvent),
    );
  }
}

interface Data {
  lines: Array<Record<string, string | number>>;
  [member: string]: unknown;
}

function recordOf(event: StoredEvent): EventRecord {
  const { tenantId, revision, position, id, type, recordedAt, effectiveAt, tags, dataText, metaText, hash, keyId } =
    event;
  return {
    tenantId,
    revision,
    position,
    id,
    type,
    version: event.storedVersion,
    recordedAt,
    effectiveAt,
    tags,
    dataText,
    metaText,
    hash,
    keyId,
  };
}

const ofKind = (kind: string) => (record: EventRecord) =>
  record.type === 'entry-posted' && (JSON.parse(record.dataText) as { kind: string }).kind === kind;

t.test('a sound log', async (t) => {
  const book = await busyBook();
  const { log, tenantId } = book;
  const head = await log.head(tenantId);

  await t.test('verifies from end to end', async (t) => {
    const steps: Array<[number, number]> = [];
    const { report, checks } = await verifyTenant(log, tenantId, {
      onProgress: (revision, to) => steps.push([revision, to]),
      pause: () => systemClock.turn(),
    });
    t.match(report, { ok: true, checkedFrom: 0, checkedTo: head.revision, head: head.hash, firstBreak: undefined });
    t.equal(report.eventsChecked, head.revision + 1);
    t.same(steps.at(-1), [head.revision, head.revision]);
    t.ok(checks.totals.size >= 2, 'in both currencies');
    t.ok([...checks.totals.values()].every((total) => total === 0n));
  });

  await t.test('verifies from every revision and to every revision', async (t) => {
    for (let cut = 0; cut <= head.revision; cut += 1) {
      const upper = await verifyTenant(log, tenantId, { from: cut });
      const lower = await verifyTenant(log, tenantId, { to: cut });
      if (!upper.report.ok || !lower.report.ok)
        t.fail(`cut at ${cut}: ${JSON.stringify([upper.report, lower.report])}`);
    }
    t.pass(`${head.revision + 1} cuts`);
  });

  await t.test('an empty log and a range beyond the end have nothing to check', async (t) => {
    const none = await verifyTenant(log, '00000000-0000-4000-8000-000000000000');
    t.match(none.report, { ok: true, checkedFrom: -1, checkedTo: -1, eventsChecked: 0 });
    const beyond = await verifyTenant(log, tenantId, { from: head.revision + 1 });
    t.match(beyond.report, { ok: true, eventsChecked: 0, head: head.hash });
  });

  await t.test('a chain that was rewritten is not the one that was checked before', async (t) => {
    const records = await Records.of(book);
    const anchorHash = records.records[9]?.hash as string;
    t.ok((await verifyTenant(records, tenantId, { from: 10, anchorHash })).report.ok);
    records.set(5, { metaText: '{"actor":"somebody else","correlation":"x"}' });
    records.reseal(5);
    const rewritten = records.resealedHead();
    t.ok((await verifyTenant(rewritten, tenantId)).report.ok, 'it is a sound chain by itself');
    const { report } = await verifyTenant(rewritten, tenantId, { from: 10, anchorHash });
    t.match(report.firstBreak, { revision: 9, reason: /history was rewritten/ });
  });
});

t.test('a log that was tampered with is found out, at the right revision', async (t) => {
  const book = await busyBook();
  const { tenantId } = book;
  const expectBreak = async (
    t: Test,
    tamper: (records: Records) => { revision: number; reason: RegExp; records?: Records },
  ): Promise<void> => {
    const records = await Records.of(book);
    const expected = tamper(records);
    const { report } = await verifyTenant(expected.records ?? records, tenantId);
    t.notOk(report.ok);
    t.equal(report.firstBreak?.revision, expected.revision, report.firstBreak?.reason ?? 'no break');
    t.match(report.firstBreak?.reason, expected.reason);
    t.equal(report.checkedTo, expected.revision === 0 ? -1 : expected.revision - 1, 'everything before it is sound');
  };
  /** As one who also makes the chain fit again: only the book itself betrays him. */
  const forged = (records: Records, revision: number, reason: RegExp) => {
    records.reseal(revision);
    return { revision, reason, records: records.resealedHead() };
  };
  const cases: Record<string, (records: Records) => { revision: number; reason: RegExp; records?: Records }> = {
    'a changed byte of data': (records) => {
      const at = records.find(ofKind('posting'));
      const { dataText } = records.records[at] as EventRecord;
      records.set(at, { dataText: dataText.replace(/"amount":"1/, '"amount":"9') });
      return { revision: at, reason: /hash does not fit/ };
    },
    'a changed byte of meta': (records) => {
      records.set(3, { metaText: '{"actor":"nobody"}' });
      return { revision: 3, reason: /hash does not fit/ };
    },
    'a changed time': (records) => {
      records.set(4, { recordedAt: '2030-01-01T00:00:00.000Z' });
      return { revision: 4, reason: /hash does not fit/ };
    },
    'a changed tag': (records) => {
      records.set(6, { tags: ['account:00000000-0000-4000-8000-000000000000'] });
      return { revision: 6, reason: /hash does not fit/ };
    },
    'a changed hash': (records) => {
      records.set(7, { hash: 'f'.repeat(64) });
      return { revision: 7, reason: /hash does not fit/ };
    },
    'the first event changed': (records) => {
      records.set(0, { effectiveAt: '2001-01-01' });
      return { revision: 0, reason: /hash does not fit/ };
    },
    'two events swapped': (records) => {
      const [a, b] = [records.records[10], records.records[11]] as [EventRecord, EventRecord];
      records.records[10] = { ...b, revision: 10, position: a.position };
      records.records[11] = { ...a, revision: 11, position: b.position };
      return { revision: 10, reason: /hash does not fit/ };
    },
    'an event dropped': (records) => {
      records.records.splice(12, 1);
      return { revision: 12, reason: /missing/ };
    },
    'an event dropped and the others moved up': (records) => {
      records.records.splice(12, 1);
      records.records.forEach((record, i) => records.set(i, { revision: i, position: record.position }));
      return { revision: 12, reason: /hash does not fit/ };
    },
    'the end cut off': (records) => {
      records.records.length -= 2;
      return { revision: records.records.length, reason: /missing/ };
    },
    'the last event replaced, chain and all': (records) => {
      const at = records.records.length - 1;
      const { metaText } = records.records[at] as EventRecord;
      records.set(at, { metaText: metaText.replace('tester', 'nobody') });
      records.reseal(at);
      // The head still remembers the old hash; everything read is sound by itself.
      return { revision: at, reason: /another last event/ };
    },
    'data that is no JSON': (records) => {
      records.set(8, { dataText: '{"account":' });
      return { revision: 8, reason: /cannot be read/ };
    },
    'an event type that nobody knows': (records) => {
      records.set(8, { type: 'account-gilded' });
      return { revision: 8, reason: /cannot be read/ };
    },
    'a member that the schema does not have, chain and all': (records) => {
      const at = records.find(ofKind('posting'));
      records.edit(at, (data) => ({ ...data, bonus: '1' }));
      return forged(records, at, /entry-posted v1/);
    },
    'a forged balance, chain and all': (records) => {
      const at = records.find(ofKind('posting'));
      records.edit(at, (data) => {
        (data.lines[1] as Record<string, string>).balance = '999999';
      });
      return forged(records, at, /should have the balance/);
    },
    'forged amounts that balance, chain and all': (records) => {
      const at = records.find(ofKind('posting'));
      records.edit(at, (data) => {
        for (const line of data.lines) line.amount = '777777';
      });
      return forged(records, at, /should have the balance/);
    },
    'an unbalanced entry, chain and all': (records) => {
      const at = records.find(ofKind('journal'));
      records.edit(at, (data) => {
        const line = data.lines[0] as Record<string, string>;
        const more = BigInt(line.amount as string) + 1n;
        line.balance = (BigInt(line.balance as string) + (line.side === 'credit' ? 1n : -1n)).toString();
        line.amount = more.toString();
      });
      return forged(records, at, /debits and credits in EUR differ by 1/);
    },
    'a gap in an account’s lines, chain and all': (records) => {
      const at = records.find(ofKind('posting'));
      records.edit(at, (data) => {
        const line = data.lines[0] as Record<string, number>;
        line.sequence = (line.sequence as number) + 1;
      });
      return forged(records, at, /should have line \d+ next/);
    },
    'a line to an account that was never opened, chain and all': (records) => {
      const at = records.find(ofKind('posting'));
      records.edit(at, (data) => {
        (data.lines[0] as Record<string, string>).account = '00000000-0000-4000-8000-000000000001';
      });
      return forged(records, at, /never opened/);
    },
    'a line in another currency than its account’s, chain and all': (records) => {
      const at = records.find(ofKind('posting'));
      records.edit(at, (data) => {
        for (const line of data.lines) line.currency = 'JPY';
      });
      return forged(records, at, /which is in EUR/);
    },
    'an account taken out of the tags, chain and all': (records) => {
      const at = records.find(ofKind('posting'));
      records.set(at, { tags: (records.records[at] as EventRecord).tags.slice(1) });
      return forged(records, at, /does not carry the tag account:/);
    },
    'a posting to a closed account, chain and all': (records) => {
      const closed = records.find((record) => record.type === 'account-closed');
      const { account } = JSON.parse((records.records[closed] as EventRecord).dataText) as { account: string };
      const at = records.records.findIndex((record, i) => i > closed && ofKind('posting')(record));
      records.edit(at, (data) => {
        (data.lines[0] as Record<string, string>).account = account;
      });
      return forged(records, at, /is closed/);
    },
    'an answered key answered again, chain and all': (records) => {
      const keyed = records.records.flatMap((record, i) => (record.keyId === undefined ? [] : [i]));
      const [first = 0, second = 0] = keyed;
      records.set(second, { keyId: records.records[first]?.keyId });
      return forged(records, second, /key was answered before/);
    },
    'an idempotency key taken away': (records) => {
      const at = records.find((record) => record.keyId !== undefined);
      records.set(at, { keyId: undefined });
      return { revision: at, reason: /idempotency key is gone/ };
    },
    'an idempotency key added': (records) => {
      const at = records.find((record) => record.type === 'account-frozen');
      records.set(at, { keyId: keyOf(tenantId, 'freeze-account', 'mine') });
      return { revision: at, reason: /key that it never answered/ };
    },
    'more released than was held, chain and all': (records) => {
      const at = records.find((record) => record.type === 'hold-released');
      records.edit(at, (data) => ({ ...data, amount: '99999999' }));
      return forged(records, at, /more is captured or released/);
    },
    'a capture that does not debit the account, chain and all': (records) => {
      const at = records.find(ofKind('capture'));
      records.edit(at, (data) => {
        (data.capture as Record<string, string>).amount = '1';
      });
      return forged(records, at, /does not debit its account by that amount/);
    },
    'a hold that forgets what is left, chain and all': (records) => {
      const at = records.find(ofKind('capture'));
      records.edit(at, (data) => {
        const capture = data.capture as Record<string, string>;
        capture.remaining = (BigInt(capture.remaining as string) + 5n).toString();
      });
      return forged(records, at, /should have \d+ left/);
    },
    'an account that has less on hold than it should, chain and all': (records) => {
      const at = records.find((record) => record.type === 'hold-placed');
      records.edit(at, (data) => ({ ...data, held: '1' }));
      return forged(records, at, /on hold/);
    },
    'an entry reversed twice, chain and all': (records) => {
      const at = records.find(ofKind('reversal'));
      const { reverses } = JSON.parse((records.records[at] as EventRecord).dataText) as { reverses: string };
      const again = records.records.findIndex((record, i) => i > at && ofKind('reversal')(record));
      records.edit(again, (data) => ({ ...data, reverses }));
      records.set(again, {
        tags: (records.records[again] as EventRecord).tags.map((tag) =>
          tag.startsWith('posting:') ? tagOf('posting', reverses) : tag,
        ),
      });
      return forged(records, again, /reversed a second time/);
    },
    'a reversal of something that never was, chain and all': (records) => {
      const at = records.find(ofKind('reversal'));
      const nothing = '00000000-0000-4000-8000-000000000002';
      records.edit(at, (data) => ({ ...data, reverses: nothing }));
      records.set(at, {
        tags: (records.records[at] as EventRecord).tags.map((tag) =>
          tag.startsWith('posting:') ? tagOf('posting', nothing) : tag,
        ),
      });
      return forged(records, at, /no earlier entry/);
    },
    'a time before the one before it, chain and all': (records) => {
      records.set(9, { recordedAt: '1999-01-01T00:00:00.000Z' });
      return forged(records, 9, /before the event before it/);
    },
    'an account opened twice, chain and all': (records) => {
      const opened = records.records.flatMap((record, i) => (record.type === 'account-opened' ? [i] : []));
      const [first = 0, second = 0] = opened;
      const { dataText, tags } = records.records[first] as EventRecord;
      records.set(second, { dataText, tags });
      return forged(records, second, /opened twice/);
    },
  };
  for (const [name, tamper] of Object.entries(cases)) {
    await t.test(name, (child) => expectBreak(child, tamper));
  }
});

t.test('what an aggregate was', async (t) => {
  const book = await busyBook();
  const { log, tenantId } = book;
  const service = new EventLogAuditService(log, { clock: systemClock });

  await t.test('at every revision it is the fold so far, by revision and by time', async (t) => {
    const id = book.accounts[0] as string;
    const tag = tagOf('account', id);
    let state: unknown = accountAggregate.initial(id);
    let events = 0;
    let compared = 0;
    for await (const event of log.read(tenantId)) {
      if (event.tags.includes(tag)) {
        state = evolveTag(tag, state, event);
        events += 1;
      }
      const replayed = await service.replay(tenantId, 'account', id, { revision: event.revision });
      if (events === 0) {
        if (replayed !== undefined) t.fail(`there was none at revision ${event.revision}`);
        continue;
      }
      t.same(replayed?.state, accountAggregate.toJson(state as AccountState), `revision ${event.revision}`);
      if (replayed?.events !== events) t.fail(`${replayed?.events} events instead of ${events}`);
      const byTime = await service.replay(tenantId, 'account', id, { at: event.recordedAt });
      if ((byTime?.revision ?? -1) < (replayed?.revision ?? 0)) t.fail(`by time: ${JSON.stringify(byTime)}`);
      compared += 1;
    }
    t.ok(compared > 20 && events > 5);
  });

  await t.test('holds, tokens and tenants as well; unknown kinds and ids are nothing', async (t) => {
    t.match(await service.replay(tenantId, 'hold', book.holds[0] as string, {}), { aggregateType: 'hold', events: 3 });
    t.match(await service.replay(tenantId, 'tenant', tenantId, {}), { state: { slug: 'busy', status: 'ACTIVE' } });
    t.equal(await service.replay(tenantId, 'dragon', tenantId, {}), undefined);
    t.equal(await service.replay(tenantId, 'toString', tenantId, {}), undefined);
    t.equal(await service.replay(tenantId, 'account', '00000000-0000-4000-8000-000000000000', {}), undefined);
    t.equal(await service.replay(tenantId, 'tenant', tenantId, { at: '1999-01-01T00:00:00Z' }), undefined);
    await t.rejects(service.replay(tenantId, 'tenant', tenantId, { at: 'yesterday' }), RangeError);
  });

  await t.test('the books at a revision, from the log alone, always balance', async (t) => {
    const head = await log.head(tenantId);
    for (let revision = 0; revision <= head.revision; revision += 1) {
      const books = await booksAt(log, tenantId, { revision });
      if (books.revision !== revision) t.fail(`${books.revision} instead of ${revision}`);
      if (books.totals.some(({ balance }) => balance !== 0n)) t.fail(`revision ${revision} does not balance`);
    }
    const all = await booksAt(log, tenantId, {});
    const { checks } = await verifyTenant(log, tenantId);
    t.equal(all.rows.length, checks.accounts.size);
    for (const row of all.rows) {
      if (row.balance !== checks.accounts.get(row.accountId)?.ledger) t.fail(`account ${row.number}`);
    }
    t.ok(all.rows.some((row) => row.balance !== 0n));
    t.match(await booksAt(log, tenantId, { at: '1999-01-01T00:00:00Z' }), {
      revision: -1,
      recordedAt: '',
      rows: [],
      totals: [],
    });
    const middle = await booksAt(log, tenantId, { at: book.instants[5] as string });
    t.ok(middle.revision > 0 && middle.recordedAt <= (book.instants[5] as string));
  });

  await t.test('a chain is verified in bounded calls that say how far they came', async (t) => {
    const bounded = new EventLogAuditService(log, { mostEventsPerCall: 10 });
    const head = await log.head(tenantId);
    let from = 0;
    let calls = 0;
    while (from <= head.revision) {
      const report = await bounded.verifyChain(tenantId, { from });
      t.ok(report.ok && report.checkedFrom === from && report.checkedTo < from + 10);
      from = report.checkedTo + 1;
      calls += 1;
    }
    t.equal(calls, Math.ceil((head.revision + 1) / 10));
    t.match(await bounded.verifyChain(tenantId, { from: 3, to: 5 }), { ok: true, checkedFrom: 3, checkedTo: 5 });
  });
});

t.test('read models against the log', async (t) => {
  const book = await busyBook();
  const { log, tenantId } = book;
  const seen = { waitFor: () => Promise.resolve(true) };
  const { checks, report } = await verifyTenant(log, tenantId);
  const folded = { tenantId, checks, head: report.logHead };
  const compare = (rows: BookQueries) =>
    compareTenant({ log, readModels: seen, book: rows, clock: systemClock }, folded);

  await t.test('agree', async (t) => {
    t.match(await compare(new FoldedRows(book.log)), {
      ok: true,
      behind: false,
      accountsCompared: checks.accounts.size,
      differences: [],
    });
  });

  await t.test('every field that differs is found', async (t) => {
    const id = book.accounts[0] as string;
    const spoilt: Array<Partial<BalanceRow>> = [
      { ledger: 1n },
      { held: 1n },
      { liens: 1n },
      { sequence: 999 },
      { status: 'CLOSED' },
    ];
    for (const change of spoilt) {
      const rows = new FoldedRows(book.log);
      rows.spoiled.set(id, change);
      const [field] = Object.keys(change);
      const { ok, differences } = await compare(rows);
      t.match({ ok, differences }, { ok: false, differences: [{ accountId: id, field }] });
      t.equal(differences.length, 1);
    }
  });

  await t.test('an account that is missing, and one that should not be there', async (t) => {
    const id = book.accounts[1] as string;
    const rows = new FoldedRows(book.log);
    rows.hidden.add(id);
    t.match((await compare(rows)).differences, [{ accountId: id, readModel: 'missing' }]);
    const strange = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
    const more = new FoldedRows(book.log);
    const { balances } = more;
    more.balances = async (...args) => {
      const found = await balances.apply(more, args);
      const row: BalanceRow = { accountId: strange, status: 'ACTIVATED', ledger: 0n, held: 0n, liens: 0n, sequence: 0 };
      return [...found, row];
    };
    t.match((await compare(more)).differences, [{ accountId: strange, log: 'never opened' }]);
  });

  await t.test('a sum that is not zero', async (t) => {
    const rows = new FoldedRows(book.log);
    rows.totals = () => Promise.resolve([{ currency: 'EUR', balance: 5n, accounts: 9 }]);
    t.match(await compare(rows), { ok: false, unbalanced: [{ currency: 'EUR', balance: '5' }] });
  });

  await t.test('read models that do not catch up are behind, not wrong', async (t) => {
    const waitFor = (): Promise<boolean> => Promise.resolve(false);
    const result = await compareTenant(
      { log, readModels: { waitFor }, book: new FoldedRows(book.log), clock: systemClock },
      folded,
    );
    t.match(result, { ok: false, behind: true, differences: [] });
  });

  await t.test('writing goes on meanwhile: read models ahead of the fold are right too', async (t) => {
    for (let i = 0; i < 5; i += 1) await book.transfer(0, 1, 10n);
    const opened = await book.open();
    await book.transfer(0, book.accounts.indexOf(opened), 3n);
    const { revision } = await log.head(tenantId);
    for (let at = report.checkedTo; at <= revision; at += 1) {
      const { ok, differences } = await compare(new FoldedRows(book.log, () => at));
      t.ok(ok, `read model at ${at}: ${JSON.stringify(differences)}`);
    }
    const wrong = new FoldedRows(book.log, () => revision - 1);
    wrong.spoiled.set(book.accounts[0] as string, { ledger: 123_456n });
    t.notOk((await compare(wrong)).ok);
  });
});

t.test('a key set tells keys apart and grows', (t) => {
  const keys = new KeySet();
  const texts = Array.from({ length: 50_000 }, (_, i) => keyOf('tenant', 'operation', `key ${i}`));
  t.ok(texts.every((text) => keys.add(text)));
  t.notOk(texts.some((text) => keys.add(text)));
  t.equal(keys.size, 50_000);
  t.end();
});
