/** Leases, and writers of several processes: in one process here, each with sessions, ports and a processor of its own. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import tap, { test, type Test } from 'tap';
import { Unavailable, type Command, type Outcome } from '../../application/commands.js';
import { POST_INSTRUCTION, keyOf } from '../../application/idempotency.js';
import { NotHanded, type Relay } from '../../application/ports/relay.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { PostgresLeases } from '../../infrastructure/postgres/leases.js';
import { PostgresTurns } from '../../infrastructure/postgres/turns.js';
import { FrameSender, readFrames } from '../../infrastructure/relay/frames.js';
import { LeasedRelay } from '../../infrastructure/relay/leased-relay.js';
import { textOf, valueOf } from '../../infrastructure/relay/values.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { type Book, openBook } from '../support/busy-book.js';
import { booksOf } from '../support/oracle.js';
import { openTestDatabase } from '../support/test-database.js';

const database = await openTestDatabase(tap);
const url = database.urls.core;
const KEY = randomBytes(32);
const NEVER = new AbortController().signal;
const noStates = { load: () => Promise.resolve({ revision: -1, states: new Map<never, never>() }) };

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > 20_000) throw new Error(`${what}: it does not happen`);
    await delay(10);
  }
  return performance.now() - startedMs;
}

function leasesOf(t: Test, self: string): PostgresLeases {
  const leases = new PostgresLeases({ url, self });
  t.teardown(() => leases.close());
  return leases;
}

/** Ends the session of these leases, as the death of their process would. */
async function cutOff(self: string): Promise<void> {
  const owner = new pg.Client({ connectionString: database.urls.owner });
  await owner.connect();
  const { rowCount } = await owner.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1',
    [`corebook leases of ${self}%`],
  );
  await owner.end();
  if (rowCount === 0) throw new Error(`${self} has no session`);
}

test('one holds a lease, the others stand by and take over', async (t) => {
  const [a, b] = [leasesOf(t, 'a'), leasesOf(t, 'b')];
  const held = a.enter('projection');
  await held.untilHeld(NEVER);
  const standby = b.enter('projection');
  const other = b.enter('reactor');
  await other.untilHeld(NEVER);
  await until('it sees who leads', () => standby.holder === 'a');
  t.equal(standby.held, false);
  t.same(
    [...(await b.holders(['projection', 'reactor', 'nobody']))],
    [
      ['projection', 'a'],
      ['reactor', 'b'],
    ],
  );
  t.throws(() => b.enter('reactor'), 'once a name');

  const stop = new AbortController();
  const waiting = standby.untilHeld(stop.signal);
  stop.abort(new Error('stopped'));
  await t.rejects(waiting, /stopped/);

  await cutOff('a');
  const ms = await until('the other takes over', () => standby.held);
  t.ok(ms < 2_000, `taken over within ${Math.round(ms)} ms`);
  await until('the first knows', () => !held.held);
  await until('and stands by', () => held.holder === 'b');
  await standby.leave();
  t.equal(standby.held, false);
  await until('it leads again', () => held.held);
  const third = leasesOf(t, 'c').enter('reactor');
  await b.close();
  await third.untilHeld(NEVER);
  t.pass('closed, everything is given back');
});

test('values as text and back are what a structured clone makes of them', (t) => {
  const sent = fc.anything({
    ...{ withBigInt: true, withMap: true, withSet: true, withTypedArray: true },
    ...{ withNullPrototype: true, withBoxedValues: true, maxDepth: 4 },
    // Marks, and what looks like one once it is JSON.
    values: [
      ...[fc.string(), fc.string({ unit: 'binary' }), fc.double(), fc.bigInt(), fc.boolean()],
      // Not invalid ones: to Node's deepStrictEqual no two of them are equal. See below.
      fc.date({ noInvalidDate: true }),
      fc.constantFrom<unknown>(
        null,
        undefined,
        -0,
        '',
        '\u0001',
        '\u0001n1',
        '\u0001v',
        '\\u0001s',
        '\ud800',
        '__proto__',
      ),
    ],
  });
  fc.assert(
    fc.property(sent, (value) => {
      const before = structuredClone(value);
      const text = textOf(value);
      assert.deepStrictEqual(valueOf(text), before);
      assert.deepStrictEqual(structuredClone(value), before, 'what was sent has not changed');
    }),
    { numRuns: 2_000 },
  );
  t.equal(String(valueOf(textOf(new Date(NaN)))), 'Invalid Date');
  t.throws(() => textOf([() => 1]), /a function cannot be sent/);
  t.throws(() => textOf({ at: Symbol('x') }), /a symbol cannot be sent/);
  t.throws(() => valueOf(JSON.stringify(['\u0001x'])), /without a meaning/);
  t.throws(() => valueOf('[1'), SyntaxError);
  t.end();
});

test('frames: values of one moment together, in pieces of any size, none too large', async (t) => {
  const read = (): { stream: PassThrough; values: unknown[] } => {
    const [stream, values]: [PassThrough, unknown[]] = [new PassThrough(), []];
    readFrames(stream, (value) => values.push(value));
    return { stream, values };
  };
  const wire = new PassThrough();
  const sent: Buffer[] = [];
  wire.on('data', (piece: Buffer) => sent.push(piece));
  const sender = new FrameSender(wire);
  const few = [{ amount: 100n, at: undefined }, ['a', { b: null }], 'ü'];
  for (const value of few) sender.send(value);
  await until('the frame is there', () => sent.length > 0);
  const bytes = Buffer.concat(sent.splice(0));
  t.equal(bytes.readUInt32BE(), bytes.length - 4, 'one frame');
  for (const size of [1, 3, 7, bytes.length - 1, bytes.length]) {
    const { stream, values } = read();
    const twice = Buffer.concat([bytes, bytes]);
    for (let at = 0; at < twice.length; at += size) stream.write(twice.subarray(at, at + size));
    await until('all is read', () => values.length === 2 * few.length);
    t.same(values, [...few, ...few], `in pieces of ${size} bytes`);
  }

  const large = Array.from({ length: 5 }, (_, i) => ({ i, text: 'x'.repeat(12_000_000) }));
  const { stream, values } = read();
  for (const value of large) sender.send(value);
  wire.pipe(stream);
  await until('all is read', () => values.length === large.length);
  t.same(
    values.map((value) => (value as { i: number }).i),
    [0, 1, 2, 3, 4],
  );
  t.ok(sent.length > 1, 'more than one frame holds');

  for (const wrong of [Buffer.from([255, 255, 255, 255, 0]), Buffer.from([0, 0, 0, 2, 1, 2])]) {
    const strange = read();
    const failed = once(strange.stream, 'error');
    strange.stream.write(wrong);
    t.match(await failed, [Error], 'it is no frame');
    t.ok(strange.stream.destroyed);
  }
});

interface Process {
  readonly name: string;
  readonly processor: CommandProcessor;
  readonly relay: LeasedRelay;
  conflicts: number;
  handed: number;
  /** What is done with commands that others hand over. */
  take: (command: Command) => Promise<Outcome>;
}

function processOf(t: Test, name: string, options: { key?: Buffer; version?: string } = {}): Process {
  const leases = leasesOf(t, name);
  const log = new PostgresEventLog({ url });
  const turns = new PostgresTurns({ url });
  const { key = KEY, version = '1' } = options;
  const relay = new LeasedRelay({
    leases,
    credentials: { key, version },
    execute: (command) => {
      member.handed += 1;
      return member.take(command);
    },
    invited: (tenantId) => processor.invited(tenantId),
  });
  const processor: CommandProcessor = new CommandProcessor({
    ...{ log, turns, relay, states: noStates, clock: systemClock, ids: createIdSource() },
    observer: { batch: () => undefined, committed: () => undefined, conflict: () => (member.conflicts += 1) },
  });
  const take = (command: Command): Promise<Outcome> => processor.executeHanded(command);
  const member: Process = { name, processor, relay, conflicts: 0, handed: 0, take };
  t.teardown(async () => {
    await processor.close();
    await relay.close();
    await turns.close();
    await log.close();
  });
  return member;
}

function posting(book: Book, text: string): Command<'post-entries'> {
  const [from = '', to = ''] = book.numbers;
  const counterparties = [{ number: to, currency: 'EUR', amount: 100n }];
  const key = { text, id: keyOf(book.tenantId, POST_INSTRUCTION, text), requestHash: 'f'.repeat(32) };
  const instruction = {
    primaryNumber: from,
    currency: 'EUR',
    direction: 'debit-primary',
    counterparties,
    key,
  } as const;
  return {
    ...{ name: 'post-entries', tenantId: book.tenantId, payload: { instructions: [instruction] } },
    actor: { subject: 'tester', roles: ['MANAGER'] },
    correlationId: '00000000-0000-4000-8000-000000000000',
  };
}

async function bookOf(slug: string): Promise<Book> {
  const log = new PostgresEventLog({ url });
  const book = await openBook(slug, log);
  for (let i = 0; i < 2; i += 1)
    await book.run('open-account', {
      owner: book.tenantId,
      currency: 'EUR',
      product: 'INTERNAL',
      name: `${i}`,
      number: `${slug}${i}`,
    });
  book.numbers.splice(0, book.numbers.length, `${slug}0`, `${slug}1`);
  await book.processor.close();
  await log.close();
  return book;
}

/** Everybody posts for this long, each posting under its own key but for every fifth, which all share. */
async function crowd(book: Book, members: readonly Process[], name: string, ms = 1_500): Promise<Set<string>> {
  const keys = new Set<string>();
  const endMs = performance.now() + ms;
  await Promise.all(
    members.flatMap(({ processor }, m) =>
      Array.from({ length: 6 }, async (_, caller) => {
        for (let i = 0; performance.now() < endMs; i += 1) {
          const key = i % 5 === 0 ? `${name}-all-${i}` : `${name}-${m}-${caller}-${i}`;
          keys.add(key);
          const outcome = await processor.execute(posting(book, key));
          if (outcome.status !== 'accepted') throw new Error(outcome.refusal.message);
        }
      }),
    ),
  );
  return keys;
}

async function postings(book: Book): Promise<string[]> {
  const log = new PostgresEventLog({ url });
  const events = [];
  for await (const event of log.read(book.tenantId)) events.push(event);
  await log.close();
  booksOf(events.map((event, i) => ({ ...event, position: String(i + 1) })));
  return events.flatMap(({ type, data }) =>
    type === 'entry-posted' ? [(data as { instructionKey?: string }).instructionKey ?? ''] : [],
  );
}

test('writers that meet hand their commands to one of them', async (t) => {
  const book = await bookOf('handing');
  const members = [processOf(t, 'p1'), processOf(t, 'p2'), processOf(t, 'p3')];
  const keys = await crowd(book, members, 'first');
  const leaders = members.filter(({ handed }) => handed > 0);
  t.equal(leaders.length, 1, 'one leads');
  const early = members.reduce((sum, { conflicts }) => sum + conflicts, 0);
  for (const key of await crowd(book, members, 'second')) keys.add(key);
  const late = members.reduce((sum, { conflicts }) => sum + conflicts, 0);
  t.ok(late - early < 5, `then there are hardly any conflicts: ${early}, ${late - early} more`);

  // The leader stops: it takes no more, and the others find another one.
  const [leader] = leaders;
  const rest = members.filter((member) => member !== leader);
  const going = crowd(book, rest, 'third');
  await delay(300);
  await leader?.processor.close();
  for (const key of await going) keys.add(key);
  for (const key of await crowd(book, rest, 'fourth')) keys.add(key);
  t.equal(rest.filter(({ handed }) => handed > 0).length, 1, 'another one leads');
  t.same((await postings(book)).sort(), [...keys].sort(), 'each key was posted once');

  const refused = members.find(({ handed }) => handed === 0)?.processor.execute(posting(book, 'first-all-0'));
  t.match(await refused, { status: 'accepted', replayed: true });
});

test('processes of other code or another installation take turns', async (t) => {
  const book = await bookOf('turns');
  const members = [
    processOf(t, 'q1'),
    processOf(t, 'q2', { version: '2' }),
    processOf(t, 'q3', { key: randomBytes(32) }),
  ];
  const keys = await crowd(book, members, 'q');
  t.equal(
    members.reduce((sum, { handed }) => sum + handed, 0),
    0,
    'nothing is handed over',
  );
  const posted = await postings(book);
  t.same(posted.sort(), [...keys].sort());
  const shares = members.map((_, m) => posted.filter((key) => key.startsWith(`q-${m}-`)).length);
  t.ok(Math.min(...shares) > Math.max(...shares) / 5, `nobody is left behind: ${shares.join(', ')}`);
});

test('what a lost leader was handed is asked again if it may be, and open if not', async (t) => {
  const book = await bookOf('lost');
  const [leader, follower] = [processOf(t, 'r1'), processOf(t, 'r2')];
  const standing = await leader.relay.stand(book.tenantId);
  t.equal(standing.status, 'leads');
  const following = await follower.relay.stand(book.tenantId);
  if (following.status !== 'follows') throw new Error(following.status);

  leader.take = () => Promise.reject(new NotHanded('closing'));
  await t.rejects(following.hand(posting(book, 'r')), NotHanded);
  leader.take = () => Promise.reject(new Unavailable('the log is away'));
  await t.rejects(following.hand(posting(book, 'r')), Unavailable);
  leader.take = () => new Promise(() => undefined);
  const open = following.hand(posting(book, 'r'));
  await until('it was taken', () => leader.handed === 3);
  await leader.relay.close();
  await t.rejects(open, /lost/);
  await t.rejects(following.hand(posting(book, 'r')), NotHanded, 'nobody is there any more');

  // The same for a writer: what has a key is done by itself in the end, what has none is told to be open.
  const lost: Relay = {
    invite: () => undefined,
    stand: () =>
      Promise.resolve({ status: 'follows', hand: () => Promise.reject(new Error('the leading process was lost')) }),
  };
  const alone = processOf(t, 'r3');
  const log = new PostgresEventLog({ url });
  const racing = new CommandProcessor({
    log,
    relay: lost,
    states: noStates,
    clock: systemClock,
    ids: createIdSource(),
  });
  t.teardown(async () => {
    await racing.close();
    await log.close();
  });
  const keys = new Set<string>();
  let unknown = 0;
  const { instructions } = posting(book, '').payload;
  const keyless: Command<'post-journal-entry'> = {
    ...posting(book, ''),
    name: 'post-journal-entry',
    payload: {
      lines: [
        { accountNumber: instructions[0]?.primaryNumber ?? '', currency: 'EUR', side: 'debit', amount: 1n },
        { accountNumber: book.numbers[1] ?? '', currency: 'EUR', side: 'credit', amount: 1n },
      ],
    },
  };
  for (let i = 0; unknown === 0 && i < 2_000; i += 1) {
    keys.add(`x-${i}`).add(`y-${i}`);
    const [, , third] = await Promise.allSettled([
      alone.processor.execute(posting(book, `x-${i}`)),
      racing.execute(posting(book, `y-${i}`)).then(({ status }) => t.equal(status, 'accepted')),
      racing.execute(keyless),
    ]);
    if (third.status === 'rejected') unknown += third.reason instanceof Unavailable ? 1 : 0;
  }
  t.equal(unknown, 1, 'the command without a key is open');
  const posted = (await postings(book)).filter((key) => key !== '');
  t.same(posted.sort(), [...keys].sort(), 'those with a key were posted once');
});
