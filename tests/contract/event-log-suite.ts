/** What every event log must do, to the letter. Run against each adapter by event-log.test.ts. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import {
  AppendRejected,
  GENESIS_HASH,
  type AppendResult,
  type EventLog,
  type StoredEvent,
} from '../../application/ports/event-log.js';
import { isChained } from '../../application/processor/seal.js';
import {
  type ChainEnd,
  EMPTY,
  type EventSketch,
  appendAtEnd,
  collect,
  endOf,
  sealAfter,
  some,
} from '../support/sealing.js';

export interface LogUnderTest {
  /** One more process's log on the same storage. */
  connect(): EventLog;
  /** What to append so that the storage itself refuses it, not our own checks. */
  readonly unstorable: EventSketch;
}

const brief = (result: AppendResult): string =>
  result.status === 'appended'
    ? `appended ${result.lastRevision}`
    : result.status === 'conflict'
      ? `conflict ${result.revision}`
      : `keys-taken ${result.keyIds.length}`;

const ids = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);

async function chainIsSound(events: readonly StoredEvent[]): Promise<boolean> {
  let previous = GENESIS_HASH;
  for (const event of events) {
    if (!isChained(previous, event)) return false;
    previous = event.hash;
  }
  return true;
}

/** Reads a subscription until `enough` says so. */
async function follow(
  log: EventLog,
  after: string,
  enough: (events: readonly StoredEvent[], caughtUp: number) => boolean,
  batchSize = 500,
): Promise<{ events: StoredEvent[]; caughtUp: number; batches: number[] }> {
  const events: StoredEvent[] = [];
  const batches: number[] = [];
  let caughtUp = 0;
  const abort = new AbortController();
  for await (const batch of log.subscribe({ after, signal: abort.signal, batchSize })) {
    if (batch === 'caught-up') caughtUp += 1;
    else {
      batches.push(batch.length);
      events.push(...batch);
    }
    if (enough(events, caughtUp)) abort.abort();
  }
  return { events, caughtUp, batches };
}

export async function eventLogSuite(t: Test, given: LogUnderTest): Promise<void> {
  const log = given.connect();
  const others: EventLog[] = [];
  const under: LogUnderTest = {
    ...given,
    connect() {
      const other = given.connect();
      others.push(other);
      return other;
    },
  };
  t.afterEach(() => Promise.all(others.splice(0).map((other) => other.close())));

  await t.test('an unknown tenant has an empty log', async (t) => {
    const tenant = randomUUID();
    t.same(await log.head(tenant), { revision: -1, hash: GENESIS_HASH, recordedAt: '', position: '' });
    t.same(await collect(log.read(tenant)), []);
    t.same(await log.eventsById(tenant, [randomUUID()]), []);
    t.same(await log.eventsByKey(tenant, [randomUUID()]), []);
    t.notOk((await log.tenants()).includes(tenant));
  });

  await t.test('appends follow one another, and the head follows them', async (t) => {
    const tenant = randomUUID();
    const first = sealAfter(tenant, EMPTY, some(3));
    t.equal(brief(await log.append(tenant, -1, first)), 'appended 2');
    const second = sealAfter(tenant, endOf(EMPTY, first), [{ recordedAt: '2026-03-01T12:00:00.123Z' }]);
    const result = await log.append(tenant, 2, second);
    if (result.status !== 'appended') return t.fail(result.status);
    t.same(await log.head(tenant), {
      revision: 3,
      hash: second[0]?.hash,
      recordedAt: '2026-03-01T12:00:00.123Z',
      position: result.lastPosition,
    });
    t.same(ids(await collect(log.read(tenant))), ids([...first, ...second]));
    return t.ok((await log.tenants()).includes(tenant));
  });

  await t.test('an append of nothing is a mistake', async (t) => {
    await t.rejects(log.append(randomUUID(), -1, []), RangeError);
  });

  await t.test('conflict: the log is longer than expected', async (t) => {
    const tenant = randomUUID();
    await appendAtEnd(log, tenant, some(3));
    t.equal(brief(await log.append(tenant, -1, sealAfter(tenant, EMPTY, some(2)))), 'conflict 2');
    t.equal((await log.head(tenant)).revision, 2, 'nothing was appended');
  });

  await t.test('conflict: the log is shorter than expected', async (t) => {
    const tenant = randomUUID();
    const there = await appendAtEnd(log, tenant, some(1));
    const far = { revision: 5, hash: there[0]?.hash ?? '' };
    t.equal(brief(await log.append(tenant, 5, sealAfter(tenant, far, some(1)))), 'conflict 0');
    const empty = randomUUID();
    t.equal(brief(await log.append(empty, 0, sealAfter(empty, { ...far, revision: 0 }, some(1)))), 'conflict -1');
    t.same([(await log.head(tenant)).revision, (await log.head(empty)).revision], [0, -1]);
  });

  await t.test('conflict: the expected revision, but another event stands there', async (t) => {
    const tenant = randomUUID();
    await appendAtEnd(log, tenant, some(2));
    const onOther = sealAfter(tenant, { revision: 1, hash: 'ab'.repeat(32) }, some(1));
    t.equal(brief(await log.append(tenant, 1, onOther)), 'conflict 1');
    const onNothing = randomUUID();
    const lost = sealAfter(onNothing, { revision: -1, hash: 'ab'.repeat(32) }, some(1));
    t.equal(brief(await log.append(onNothing, -1, lost)), 'conflict -1');
    t.equal((await log.head(tenant)).revision, 1);
    t.ok(await chainIsSound(await collect(log.read(tenant))));
  });

  await t.test('the same batch again is appended once', async (t) => {
    const tenant = randomUUID();
    const batch = sealAfter(tenant, EMPTY, [{ keyId: randomUUID() }, {}, {}]);
    const [once, again] = [await log.append(tenant, -1, batch), await log.append(tenant, -1, batch)];
    if (once.status !== 'appended' || again.status !== 'appended') return t.fail(`${once.status}, ${again.status}`);
    t.same(
      [again.lastRevision, again.lastPosition, again.positionAt(0), again.positionAt(2)],
      [once.lastRevision, once.lastPosition, once.positionAt(0), once.positionAt(2)],
    );
    return t.equal((await log.head(tenant)).revision, 2);
  });

  await t.test('the same batch again after others appended is still found', async (t) => {
    const tenant = randomUUID();
    const batch = sealAfter(tenant, EMPTY, [{ keyId: randomUUID() }, {}]);
    const once = await log.append(tenant, -1, batch);
    await appendAtEnd(under.connect(), tenant, some(4));
    const again = await log.append(tenant, -1, batch);
    if (once.status !== 'appended' || again.status !== 'appended') return t.fail(`${once.status}, ${again.status}`);
    t.equal(again.lastRevision, 1);
    t.equal(again.lastPosition, once.lastPosition);
    return t.equal((await log.head(tenant)).revision, 5, 'nothing was added');
  });

  await t.test('a batch of which only a part stands there is a conflict', async (t) => {
    const tenant = randomUUID();
    const [a, b] = sealAfter(tenant, EMPTY, some(2)) as [never, never];
    await log.append(tenant, -1, [a, b]);
    const more = sealAfter(tenant, EMPTY, some(1))[0] as never;
    t.equal(brief(await log.append(tenant, -1, [a, b, more])), 'conflict 1', 'one more');
    t.equal(brief(await log.append(tenant, -1, [b, a])), 'conflict 1', 'another order');
    t.equal(brief(await log.append(tenant, -1, [a, more])), 'conflict 1', 'another event');
    t.equal(brief(await log.append(tenant, 0, [b, more])), 'conflict 1', 'from the middle');
    t.equal((await log.head(tenant)).revision, 1);
  });

  await t.test('an event id stands in the log once', async (t) => {
    const tenant = randomUUID();
    const other = randomUUID();
    const [first] = await appendAtEnd(log, tenant, some(1));
    const id = first?.id ?? '';
    const copy = sealAfter(other, EMPTY, [{}, { id }]);
    await t.rejects(log.append(other, -1, copy), AppendRejected, 'in another log');
    const twice = randomUUID();
    await t.rejects(log.append(other, -1, sealAfter(other, EMPTY, [{ id: twice }, { id: twice }])), AppendRejected);
    t.equal((await log.head(other)).revision, -1, 'nothing was appended');
  });

  await t.test('of appends from several processes to one tenant one wins', async (t) => {
    const tenant = randomUUID();
    let expected = EMPTY;
    for (let round = 0; round < 5; round += 1) {
      const logs = Array.from({ length: 6 }, () => under.connect());
      const batches = logs.map(() => sealAfter(tenant, expected, some(1 + (round % 3))));
      const results = await Promise.all(
        logs.map((one, i) => one.append(tenant, expected.revision, batches[i] as never)),
      );
      const winners = batches.filter((_, i) => results[i]?.status === 'appended');
      t.same([winners.length, results.filter((one) => one.status === 'conflict').length], [1, 5], `round ${round}`);
      expected = endOf(expected, winners[0] ?? []);
    }
    const events = await collect(log.read(tenant));
    t.equal(events.length, expected.revision + 1);
    t.ok(await chainIsSound(events));
  });

  await t.test('appends from several processes to several tenants do not disturb one another', async (t) => {
    const before = await log.lastPosition();
    const tenants = Array.from({ length: 4 }, () => randomUUID());
    const results = await Promise.all(
      tenants.map(async (tenant) => {
        const own = under.connect();
        const all: string[] = [];
        for (let i = 0; i < 10; i += 1) all.push(...ids(await appendAtEnd(own, tenant, some(3))));
        return all;
      }),
    );
    for (const [i, tenant] of tenants.entries()) t.same(ids(await collect(log.read(tenant))), results[i]);
    const all = await log.readAll({ after: before, limit: 1_000 });
    t.equal(all.length, 120);
    t.equal(log.distance(before, await log.lastPosition()), 120, 'positions have no gaps');
  });

  await t.test('writers that lose read on and try again: every event is there once, in a chain', async (t) => {
    const tenant = randomUUID();
    const appended: string[] = [];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const own = under.connect();
        for (let i = 0; i < 15; i += 1) {
          for (;;) {
            const head = await own.head(tenant);
            const batch = sealAfter(tenant, head, some(2));
            if ((await own.append(tenant, head.revision, batch)).status !== 'appended') continue;
            appended.push(...ids(batch));
            break;
          }
        }
      }),
    );
    const events = await collect(log.read(tenant));
    t.same(ids(events).sort(), appended.sort());
    t.same(
      events.map(({ revision }) => revision),
      Array.from({ length: 120 }, (_, i) => i),
    );
    t.ok(await chainIsSound(events));
  });

  await t.test('a key that stands twice in one batch is taken', async (t) => {
    const tenant = randomUUID();
    const keyId = randomUUID();
    const result = await log.append(tenant, -1, sealAfter(tenant, EMPTY, [{ keyId }, {}, { keyId }]));
    t.same(result, { status: 'keys-taken', keyIds: [keyId] });
    t.equal((await log.head(tenant)).revision, -1);
    t.same(await log.eventsByKey(tenant, [keyId]), []);
  });

  await t.test('a key that an earlier event answered is taken, and nothing of the batch is appended', async (t) => {
    const tenant = randomUUID();
    const [old, fresh] = [randomUUID(), randomUUID()];
    await appendAtEnd(log, tenant, [{}, { keyId: old }]);
    const head = await log.head(tenant);
    const batch = sealAfter(tenant, head, [{ keyId: fresh }, { keyId: old }, {}]);
    t.same(await log.append(tenant, head.revision, batch), { status: 'keys-taken', keyIds: [old] });
    t.same(await log.head(tenant), head);
    t.same(await log.eventsByKey(tenant, [fresh]), []);
    t.equal(brief(await log.append(tenant, head.revision, sealAfter(tenant, head, [{ keyId: fresh }]))), 'appended 2');
  });

  await t.test(
    'of processes that use one key at once one gets it, and a key is answered to its own tenant only',
    async (t) => {
      const keyId = randomUUID();
      const tenant = randomUUID();
      // Each tries again behind whoever was first, as writers do.
      const race = async (): Promise<AppendResult> => {
        const own = under.connect();
        let end: ChainEnd = EMPTY;
        for (;;) {
          const result = await own.append(tenant, end.revision, sealAfter(tenant, end, [{}, { keyId }]));
          if (result.status !== 'conflict') return result;
          end = await own.head(tenant);
        }
      };
      const results = await Promise.all([race(), race(), race()]);
      t.same(results.map(({ status }) => status).sort(), ['appended', 'keys-taken', 'keys-taken']);
      t.equal((await log.head(tenant)).revision, 1);
      t.equal((await log.eventsByKey(tenant, [keyId])).length, 1);
      t.equal((await log.eventsByKey(randomUUID(), [keyId])).length, 0);
      // Ids of keys are digests of the tenant too; should they meet all the same, the second is refused.
      const other = randomUUID();
      t.match(await log.append(other, -1, sealAfter(other, EMPTY, [{ keyId }])), { status: 'keys-taken' });
      t.equal((await log.head(other)).revision, -1);
    },
  );

  await t.test('positions are the order of appends over all tenants, without gaps', async (t) => {
    const before = await log.lastPosition();
    const tenants = [randomUUID(), randomUUID()];
    const expected: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      const tenant = tenants[i % 2] ?? '';
      expected.push(...ids(await appendAtEnd(log, tenant, some(1 + (i % 3)))));
      await log.append(tenant, -1, sealAfter(tenant, EMPTY, some(1))); // A conflict uses no position.
    }
    const events = await log.readAll({ after: before, limit: 1_000 });
    t.same(ids(events), expected);
    const steps = events.map((event, i) => log.distance(events[i - 1]?.position ?? before, event.position));
    t.ok(steps.every((step) => step === 1));
    t.ok(events.every((event, i) => log.comparePositions(events[i - 1]?.position ?? '', event.position) < 0));
  });

  await t.test('an append tells each event’s position', async (t) => {
    const tenant = randomUUID();
    const batch = sealAfter(tenant, EMPTY, some(4));
    const result = await log.append(tenant, -1, batch);
    if (result.status !== 'appended') return t.fail(result.status);
    const read = await collect(log.read(tenant));
    t.same(
      read.map(({ position }) => position),
      [0, 1, 2, 3].map(result.positionAt),
    );
    return t.equal(result.lastPosition, read[3]?.position);
  });

  await t.test('appends issued without waiting take effect in their order', async (t) => {
    const tenant = randomUUID();
    let after = EMPTY;
    const batches = Array.from({ length: 20 }, (_, i) => {
      const batch = sealAfter(tenant, after, some(1 + (i % 7)));
      const expected = after.revision;
      after = endOf(after, batch);
      return { expected, batch };
    });
    const results = await Promise.all(batches.map(({ expected, batch }) => log.append(tenant, expected, batch)));
    t.ok(results.every(({ status }) => status === 'appended'));
    t.same(ids(await collect(log.read(tenant))), ids(batches.flatMap(({ batch }) => batch)));
  });

  await t.test('what is issued behind a conflict is a conflict', async (t) => {
    const tenant = randomUUID();
    await appendAtEnd(log, tenant, some(1));
    const first = sealAfter(tenant, EMPTY, some(3));
    const second = sealAfter(tenant, endOf(EMPTY, first), some(2));
    const results = await Promise.all([log.append(tenant, -1, first), log.append(tenant, 2, second)]);
    t.same(results.map(brief), ['conflict 0', 'conflict 0']);
  });

  await t.test('also when the other writer’s events bring the log to just the expected revision', async (t) => {
    const tenant = randomUUID();
    const first = sealAfter(tenant, EMPTY, some(3));
    const second = sealAfter(tenant, endOf(EMPTY, first), some(2));
    const others = await appendAtEnd(under.connect(), tenant, some(3));
    const results = await Promise.all([log.append(tenant, -1, first), log.append(tenant, 2, second)]);
    t.same(results.map(brief), ['conflict 2', 'conflict 2']);
    const events = await collect(log.read(tenant));
    t.same(ids(events), ids(others));
    t.ok(await chainIsSound(events));
  });

  await t.test('what is issued behind a taken key or a rejected batch is a conflict', async (t) => {
    const tenant = randomUUID();
    const keyId = randomUUID();
    const there = endOf(EMPTY, await appendAtEnd(log, tenant, [{ keyId }]));
    for (const bad of [{ keyId }, under.unstorable]) {
      const first = sealAfter(tenant, there, [{}, bad]);
      const second = sealAfter(tenant, endOf(there, first), some(1));
      const [one, two] = await Promise.allSettled([log.append(tenant, 0, first), log.append(tenant, 2, second)]);
      if (bad === under.unstorable) t.match(one, { status: 'rejected', reason: AppendRejected });
      else t.match(one, { status: 'fulfilled', value: { status: 'keys-taken' } });
      t.match(two, { status: 'fulfilled', value: { status: 'conflict', revision: 0 } });
    }
    t.equal((await log.head(tenant)).revision, 0);
  });

  await t.test('reading all tenants resumes at every position', async (t) => {
    const before = await log.lastPosition();
    const tenants = [randomUUID(), randomUUID(), randomUUID()];
    for (let i = 0; i < 9; i += 1) await appendAtEnd(log, tenants[i % 3] ?? '', some(2));
    const all = await log.readAll({ after: before, limit: 100 });
    t.equal(all.length, 18);
    const starts = [before, ...all.map(({ position }) => position)];
    for (const limit of [1, 5, 100]) {
      const read = await Promise.all(starts.map((after) => log.readAll({ after, limit })));
      t.same(
        read.map(ids),
        starts.map((_, i) => ids(all.slice(i, i + limit))),
        `${limit} at a time`,
      );
    }
  });

  await t.test('reading all from the beginning starts with the first event of all', async (t) => {
    const [first] = await log.readAll({ after: '', limit: 1 });
    t.equal(log.distance('', first?.position ?? ''), 1);
  });

  await t.test('a subscription resumes at every position', async (t) => {
    const before = await log.lastPosition();
    const tenants = [randomUUID(), randomUUID()];
    for (let i = 0; i < 6; i += 1) await appendAtEnd(log, tenants[i % 2] ?? '', some(2));
    const all = await log.readAll({ after: before, limit: 100 });
    for (const [i, after] of [before, ...all.map(({ position }) => position)].entries()) {
      const { events } = await follow(log, after, (_, caughtUp) => caughtUp === 1, 5);
      t.same(ids(events), ids(all.slice(i)), `after event ${i}`);
    }
  });

  await t.test('2,000 events in one append, and 1 MB in one event', async (t) => {
    const tenant = randomUUID();
    const big = 'ü'.repeat(512 * 1024);
    const many = await appendAtEnd(
      log,
      tenant,
      Array.from({ length: 2_000 }, (_, i) => ({ data: { i, pad: 'x'.repeat(i % 400) } })),
    );
    const one = await appendAtEnd(log, tenant, [{ data: { big } }]);
    const read = await collect(log.read(tenant));
    t.same(
      read.map(({ dataText }) => dataText),
      [...many, ...one].map(({ dataText }) => dataText),
    );
    t.equal(read.at(-1)?.revision, 2_000);
    t.ok(await chainIsSound(read));
    const { batches } = await follow(log, read[0]?.position ?? '', (events) => events.length === 2_000, 300);
    t.ok(batches.every((size) => size <= 300));
  });

  await t.test('texts come back byte for byte', async (t) => {
    const tenant = randomUUID();
    const texts = [
      '', ' ', '\t', 'a\tb\nc\rd', '\'', '"', '\\', '\\\\"', '\\n', '\\N', 'NULL', '{}', '{"a":"}', '$1', '%s', '; drop table events; --',
      '\u0001\u001f\u007f\u0080', 'Ümläut ß', 'İstanbul', '日本語', '😀👨‍👩‍👧‍👦', 'e\u0301', '\u2028\u2029\ufeff\ufffd', '\u202eabc', '\\u0000', '\\ud800', 'a'.repeat(5_000),
    ]; // prettier-ignore
    const data = { texts, nested: { ['kéy "\\']: [null, true, 0, -1, 12345678901234] }, empty: {}, list: [] };
    const after = await log.lastPosition();
    const [sent] = await appendAtEnd(log, tenant, [{ data, meta: { actor: '😀"\\', correlation: '' } }]);
    const [read] = await collect(log.read(tenant));
    t.equal(read?.dataText, sent?.dataText);
    t.equal(read?.metaText, sent?.metaText);
    t.strictSame(read?.data, data);
    t.strictSame(read?.meta, { actor: '😀"\\', correlation: '' });
    t.equal(read?.hash, sent?.hash);
    t.ok(read !== undefined && isChained(GENESIS_HASH, read));
    t.strictSame(await log.readAll({ after, limit: 10 }), [read]);
    t.strictSame(await log.eventsById(tenant, [sent?.id ?? '']), [read]);
  });

  await t.test('times and dates come back as they were', async (t) => {
    const tenant = randomUUID();
    const times: Array<[string, string]> = [
      ['2026-01-31T23:59:59.999Z', '1900-01-01'], ['2026-03-29T01:30:00.000Z', '2024-02-29'], ['2026-12-31T00:00:00.001Z', '2027-12-31'],
    ]; // prettier-ignore
    await appendAtEnd(
      log,
      tenant,
      times.map(([recordedAt, effectiveAt]) => ({ recordedAt, effectiveAt })),
    );
    const read = await collect(log.read(tenant));
    t.same(
      read.map(({ recordedAt, effectiveAt }) => [recordedAt, effectiveAt]),
      times,
    );
    t.equal((await log.head(tenant)).recordedAt, '2026-12-31T00:00:00.001Z');
  });

  await t.test('tags come back, and reading by tags finds any of them, in order', async (t) => {
    const tenant = randomUUID();
    const tags = [
      ['account:1'],
      ['account:2', 'hold:1'],
      [],
      ['account:12'],
      ['account:1', 'account:2'],
      ['hold:%'],
      ["it's:{a,b}"],
    ];
    await appendAtEnd(
      log,
      tenant,
      tags.map((one) => ({ tags: one })),
    );
    const read = await collect(log.read(tenant));
    t.same(
      read.map((event) => event.tags),
      tags,
    );
    const by = async (...wanted: string[]): Promise<number[]> =>
      (await collect(log.read(tenant, { tags: wanted as never }))).map(({ revision }) => revision);
    t.same(await by('account:1'), [0, 4]);
    t.same(await by('hold:1', 'account:1'), [0, 1, 4]);
    t.same(await by('account'), []);
    t.same(await by("it's:{a,b}"), [6]);
    t.same(await by('hold:%'), [5]);
    t.same(await by(), [], 'none of no tags');
  });

  await t.test('reading a range, over pages', async (t) => {
    const tenant = randomUUID();
    const all = ids(await appendAtEnd(log, tenant, some(2_500)));
    const range = async (from?: number, to?: number): Promise<string[]> =>
      ids(
        await collect(
          log.read(tenant, { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }),
        ),
      );
    t.same(await range(), all);
    t.same(await range(2_499), all.slice(2_499));
    t.same(await range(999, 1_000), all.slice(999, 1_001));
    t.same(await range(undefined, 0), all.slice(0, 1));
    t.same(await range(100, 2_350), all.slice(100, 2_351));
    t.same(await range(2_400, 9_999), all.slice(2_400));
    t.same(await range(2_500), []);
    t.same(await range(5, 4), []);
  });

  await t.test('events by id: of this tenant, known ones, each once', async (t) => {
    const [mine, theirs] = [randomUUID(), randomUUID()];
    const own = ids(await appendAtEnd(log, mine, some(3)));
    const foreign = ids(await appendAtEnd(log, theirs, some(1)));
    const asked = [own[2], own[0], own[0], foreign[0], randomUUID()] as string[];
    t.same(ids(await log.eventsById(mine, asked)).sort(), [own[0], own[2]].sort());
    t.same(ids(await log.eventsById(theirs, asked)), foreign);
    t.same(await log.eventsById(mine, []), []);
  });

  await t.test('events by key: of this tenant, known ones, with their key', async (t) => {
    const [mine, theirs] = [randomUUID(), randomUUID()];
    const keys = [randomUUID(), randomUUID(), randomUUID()] as const;
    await appendAtEnd(log, mine, [{ keyId: keys[0] }, {}, { keyId: keys[1] }]);
    await appendAtEnd(log, theirs, [{ keyId: keys[2] }]);
    const found = await log.eventsByKey(mine, [...keys, keys[0], randomUUID()]);
    t.same(found.map(({ revision, keyId }) => [revision, keyId]).sort(), [
      [0, keys[0]],
      [2, keys[1]],
    ]);
    t.same(await log.eventsByKey(mine, []), []);
    t.notOk('keyId' in ((await collect(log.read(mine, { from: 1, to: 1 })))[0] ?? { keyId: '' }), 'no key, no member');
  });

  await t.test('every way of reading gives the same event', async (t) => {
    const tenant = randomUUID();
    const before = await log.lastPosition();
    const keyId = randomUUID();
    const [sent] = await appendAtEnd(log, tenant, [
      { keyId, tags: ['account:1', 'hold:2'], effectiveAt: '2020-02-02' },
    ]);
    const [read] = await collect(log.read(tenant));
    const { previousHash: _, ...stored } = sent ?? ({} as never);
    const meta = JSON.parse(stored.metaText) as unknown;
    const data = JSON.parse(stored.dataText) as unknown;
    t.strictSame(read, {
      ...stored,
      data,
      meta,
      tenantId: tenant,
      revision: 0,
      position: await log.lastPosition(),
      storedVersion: 1,
    });
    t.strictSame(await log.readAll({ after: before, limit: 10 }), [read]);
    t.strictSame(await log.eventsById(tenant, [read?.id ?? '']), [read]);
    t.strictSame(await log.eventsByKey(tenant, [keyId]), [read]);
    t.strictSame((await follow(log, before, (_, caughtUp) => caughtUp > 0)).events, [read]);
  });

  await t.test('the hash chain verifies from what is read, and shows a change of any field', async (t) => {
    const tenant = randomUUID();
    await appendAtEnd(log, tenant, [
      { tags: ['account:1'] },
      { effectiveAt: '2026-01-01' },
      { data: { amount: '100' } },
    ]);
    const events = await collect(log.read(tenant));
    t.ok(await chainIsSound(events));
    const changes: Array<Partial<StoredEvent>> = [
      { dataText: '{"amount":"101"}' }, { metaText: '{}' }, { tags: [] }, { effectiveAt: '2026-01-02' }, { recordedAt: '2026-03-01T12:00:00.001Z' },
      { id: randomUUID() }, { type: 'command-refused' }, { storedVersion: 2 }, { revision: 7 }, { tenantId: randomUUID() },
    ]; // prettier-ignore
    for (const change of changes) {
      for (const at of [0, 1, 2]) {
        const forged = events.map((event, i) => (i === at ? { ...event, ...change } : event));
        const same = JSON.stringify(forged) === JSON.stringify(events);
        t.equal(await chainIsSound(forged), same, JSON.stringify(change));
      }
    }
    t.notOk(await chainIsSound(events.slice(1)), 'a missing event');
  });

  await t.test('a subscription tells the end each time it is reached, and what comes after it', async (t) => {
    const tenant = randomUUID();
    const after = await log.lastPosition();
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const batch of log.subscribe({ after, signal: abort.signal })) {
      seen.push(batch === 'caught-up' ? batch : String(batch.length));
      if (batch !== 'caught-up') continue;
      if (seen.length > 4) abort.abort();
      else await appendAtEnd(under.connect(), tenant, some(seen.length));
    }
    t.same(seen, ['caught-up', '1', 'caught-up', '3', 'caught-up']);
  });

  await t.test('a subscription that waits sees what another process appends', async (t) => {
    const tenant = randomUUID();
    const after = await log.lastPosition();
    const following = follow(log, after, (events) => events.length === 10);
    const other = under.connect();
    const sent: string[] = [];
    for (let i = 0; i < 10; i += 1) {
      sent.push(...ids(await appendAtEnd(other, tenant, some(1))));
      if (i % 3 === 0) await sleep(15);
    }
    t.same(ids((await following).events), sent);
  });

  await t.test('a slow consumer gets everything once, in order, and nothing is read ahead of it', async (t) => {
    const tenant = randomUUID();
    const spied = under.connect();
    let reads = 0;
    const readAll = spied.readAll.bind(spied);
    spied.readAll = (options) => {
      reads += 1;
      return readAll(options);
    };
    const after = await log.lastPosition();
    const sent = ids(await appendAtEnd(log, tenant, some(20)));
    const got: string[] = [];
    const abort = new AbortController();
    for await (const batch of spied.subscribe({ after, signal: abort.signal, batchSize: 20 })) {
      if (batch === 'caught-up') break;
      got.push(...ids(batch));
      t.ok(batch.length <= 20);
      const before = reads;
      if (got.length < 200) sent.push(...ids(await appendAtEnd(log, tenant, some(40))));
      await sleep(5);
      t.equal(reads, before, 'no read while the consumer works');
    }
    t.ok(got.length >= 200);
    t.same(got, sent);
  });

  await t.test('abort ends a subscription: before it starts, in the middle, while it waits', async (t) => {
    const after = await log.lastPosition();
    const aborted = AbortSignal.abort();
    t.same(await collect(log.subscribe({ after: '', signal: aborted })), []);
    await appendAtEnd(log, randomUUID(), some(10));
    const middle = new AbortController();
    const seen: unknown[] = [];
    for await (const batch of log.subscribe({ after, signal: middle.signal, batchSize: 4 })) {
      seen.push(batch);
      middle.abort();
    }
    t.equal(seen.length, 1);
    const waiting = new AbortController();
    const rest = collect(log.subscribe({ after: await log.lastPosition(), signal: waiting.signal }));
    await sleep(20);
    const since = performance.now();
    waiting.abort();
    t.same(await rest, ['caught-up']);
    t.ok(performance.now() - since < 1_000);
  });

  await t.test('what can never be stored is rejected, and nothing of its batch is appended', async (t) => {
    const tenant = randomUUID();
    const bad: Array<[string, EventSketch]> = [
      ['NUL in data', { data: { text: 'a\u0000b' } }],
      ['NUL in a member’s name', { data: { 'a\u0000': 1 } }],
      ['NUL behind a backslash', { data: { text: '\\\u0000' } }],
      ['NUL in meta', { meta: { actor: '\u0000' } }],
      ['NUL in a tag', { tags: ['account:\u0000'] }],
      ['half a character', { data: { text: '\ud83d' } }],
      ['the other half', { data: { text: '\ude00\ud83d' } }],
      ['a space in a tag', { tags: ['account:1 account:2'] }],
      ['a line feed in a tag', { tags: ['account:1\naccount:2'] }],
      ['refused by the storage', under.unstorable],
    ];
    for (const [name, sketch] of bad) {
      const batch = sealAfter(tenant, EMPTY, [{}, sketch, {}]);
      await t.rejects(log.append(tenant, -1, batch), AppendRejected, name);
    }
    t.equal((await log.head(tenant)).revision, -1);
    t.equal(
      brief(await log.append(tenant, -1, sealAfter(tenant, EMPTY, [{ data: { text: '\\u0000 \\\\ud83d 😀' } }]))),
      'appended 0',
    );
  });

  await t.test('a rejected batch or a taken key does not hurt what is appended beside it', async (t) => {
    const keyId = randomUUID();
    await appendAtEnd(log, randomUUID(), [{ keyId }]);
    const neighbours = Array.from({ length: 6 }, () => randomUUID());
    const [poisoned, taken] = [randomUUID(), randomUUID()];
    const good = (tenant: string) => log.append(tenant, -1, sealAfter(tenant, EMPTY, some(3)));
    const results = await Promise.allSettled([
      ...neighbours.slice(0, 2).map(good),
      log.append(poisoned, -1, sealAfter(poisoned, EMPTY, [{}, under.unstorable])),
      ...neighbours.slice(2, 4).map(good),
      log.append(taken, -1, sealAfter(taken, EMPTY, [{}, { keyId }])),
      ...neighbours.slice(4).map(good),
    ]);
    t.match(results[2], { status: 'rejected', reason: AppendRejected });
    t.match(results[5], { status: 'fulfilled', value: { status: 'keys-taken', keyIds: [keyId] } });
    for (const tenant of neighbours) t.equal((await log.head(tenant)).revision, 2);
    t.same([(await log.head(poisoned)).revision, (await log.head(taken)).revision], [-1, -1]);
  });

  await t.test('positions are compared and counted', async (t) => {
    const first = await log.lastPosition();
    await appendAtEnd(log, randomUUID(), some(12));
    const last = await log.lastPosition();
    t.ok(log.comparePositions('', first) < 0 && log.comparePositions(first, last) < 0);
    t.ok(log.comparePositions(last, first) > 0);
    t.equal(log.comparePositions(last, last), 0);
    t.equal(log.comparePositions('', ''), 0);
    t.ok(log.comparePositions('9', '10') < 0, 'not as text');
    t.equal(log.distance(first, last), 12);
    t.equal(log.distance('', last), log.distance('', first) + 12);
  });

  await t.test('after close nothing is appended and subscriptions end', async (t) => {
    const own = under.connect();
    const tenant = randomUUID();
    await appendAtEnd(own, tenant, some(1));
    await own.close();
    await own.close();
    await t.rejects(own.append(tenant, 0, sealAfter(tenant, EMPTY, some(1))));
  });

  await t.test('over everything this suite appended: positions count the events, revisions have no gaps', async (t) => {
    const next = new Map<string, number>();
    let after = '';
    let count = 0;
    for (;;) {
      const page = await log.readAll({ after, limit: 2_000 });
      const last = page.at(-1);
      if (last === undefined) break;
      for (const event of page) {
        if (event.revision !== (next.get(event.tenantId) ?? 0))
          t.fail(`revision ${event.revision} of ${event.tenantId}`);
        next.set(event.tenantId, event.revision + 1);
      }
      count += page.length;
      after = last.position;
    }
    t.equal(log.distance('', await log.lastPosition()), count);
    t.same([...next.keys()].sort(), (await log.tenants()).sort());
  });
}
