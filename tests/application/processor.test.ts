/** The command processor, step by step: batches, idempotency, contention, lost answers, limits. What is random is in simulation/. */
import { test } from 'tap';
import type { Command, CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import { Overloaded, Unavailable } from '../../application/commands.js';
import { keyOf } from '../../application/idempotency.js';
import {
  AppendRejected,
  type AppendResult,
  type EventLog,
  type SealedEvent,
  type StoredEvent,
} from '../../application/ports/event-log.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { ProcessorObserver, ProcessorOptions } from '../../application/processor/processor-ports.js';
import { accountNumberOf } from '../../domain/ledger/account-number.js';
import { MAX_NUMBER_SKIPS } from '../../domain/ledger/decide-accounts.js';
import type { Role } from '../../domain/shared/decider.js';
import { accountIdOf, nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { FoldingStateStore } from '../support/folding.js';
import { booksOf } from '../support/oracle.js';

const TENANT = tenantIdOf('acme');
const OWNER = nameBasedUuid(TENANT, 'owner');
const account = (number: string): string => accountIdOf(TENANT, number);

/** What becomes of an append: a promise in its place is waited for first. */
type Fate = 'well' | 'unanswered' | 'lost' | Promise<'well' | 'unanswered' | 'lost'>;

/** A log whose appends can be told what becomes of them, in the order in which they are issued. */
class ScriptedLog extends MemoryEventLog {
  readonly fates: Fate[] = [];
  readonly sizes: number[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  override append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): Promise<AppendResult> {
    this.sizes.push(events.length);
    const next = this.fates.shift() ?? 'well';
    const before = this.#turn;
    const appending = (async () => {
      await before.catch(() => undefined);
      const fate = await next;
      if (fate === 'lost') throw new Error('connection lost');
      const result = await super.append(tenantId, expectedRevision, events);
      if (fate === 'unanswered') throw new Error('connection lost');
      return result;
    })();
    this.#turn = appending;
    return appending;
  }
}

let count = 0;
const key = (name: CommandName, text: string, requestHash = 'h') => ({ id: keyOf(TENANT, name, text), requestHash });

function command<N extends CommandName>(
  name: N,
  payload: CommandPayloads[N],
  more: { key?: string; hash?: string; roles?: Role[]; tenantId?: string } = {},
): Command<N> {
  count += 1;
  return {
    name,
    tenantId: more.tenantId ?? TENANT,
    payload,
    actor: { subject: 'tester', roles: more.roles ?? ['MANAGER'] },
    correlationId: nameBasedUuid(TENANT, String(count)),
    ...(more.key === undefined ? {} : { idempotency: key(name, more.key, more.hash) }),
  };
}

const instruction = (from: string, to: string, amount: bigint, text: string, requestHash = 'h') => ({
  primaryNumber: from,
  currency: 'EUR',
  direction: 'debit-primary' as const,
  counterparties: [{ number: to, currency: 'EUR', amount }],
  key: { text, id: keyOf(TENANT, 'instruction', text), requestHash },
});
const transfer = (from: string, to: string, amount: bigint, text = `t${(count += 1)}`) =>
  command('post-entries', { instructions: [instruction(from, to, amount, text)] });
const journal = (from: string, to: string, amount: bigint) =>
  command('post-journal-entry', {
    lines: [
      { accountNumber: from, currency: 'EUR', side: 'debit', amount },
      { accountNumber: to, currency: 'EUR', side: 'credit', amount },
    ],
  });
const open = (number?: string, product = 'INTERNAL') =>
  command('open-account', {
    owner: OWNER,
    currency: 'EUR',
    product,
    name: 'n',
    ...(number === undefined ? {} : { number }),
  });
const SETTINGS = {
  name: 'Acme',
  baseCurrency: 'EUR',
  currencies: ['EUR'],
  domains: [],
  branding: {},
  emailTemplates: {},
};

interface Bench {
  readonly log: ScriptedLog;
  readonly states: FoldingStateStore;
  /** Another process on the same log, or this one after a restart. */
  start(options?: Partial<ProcessorOptions>, observer?: Partial<ProcessorObserver>, log?: EventLog): CommandProcessor;
  events(): Promise<StoredEvent[]>;
  sleeps: number[];
}

function bench(): Bench {
  const log = new ScriptedLog();
  const sleeps: number[] = [];
  const events = () => log.readAll({ after: '', limit: 1_000_000 });
  const states = new FoldingStateStore(events);
  const clock = {
    nowMs: () => Date.now(),
    sleep: (ms: number) => {
      sleeps.push(ms);
      return new Promise<void>((resolve) => setImmediate(resolve));
    },
    turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
  const quiet: ProcessorObserver = { batch: () => undefined, conflict: () => undefined, committed: () => undefined };
  return {
    log,
    states,
    sleeps,
    events,
    start: (options = {}, observer = {}, own = log) =>
      new CommandProcessor(
        { log: own, states, clock, ids: createIdSource(), observer: { ...quiet, ...observer } },
        { pipelineWorth: 1, ...options },
      ),
  };
}

/** A tenant with accounts A and B without floors, and W with one. */
async function founded(options: Partial<ProcessorOptions> = {}): Promise<Bench & { processor: CommandProcessor }> {
  const it = bench();
  const processor = it.start(options);
  await accepted(processor.execute(command('create-tenant', { slug: 'acme', settings: SETTINGS })));
  for (const one of [open('A'), open('B'), open('W', 'WALLET')]) await accepted(processor.execute(one));
  return { ...it, processor };
}

async function accepted(answer: Promise<Outcome>): Promise<Extract<Outcome, { status: 'accepted' }>> {
  const outcome = await answer;
  if (outcome.status !== 'accepted') throw new Error(`refused: ${outcome.refusal.message}`);
  return outcome;
}

const codeOf = (outcome: Outcome): string => (outcome.status === 'refused' ? outcome.refusal.refused : outcome.status);
const moment = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
/** A fate that is decided later. */
function later(): { fate: Fate; decide: (fate: 'well' | 'unanswered' | 'lost') => void } {
  let decide: (fate: 'well' | 'unanswered' | 'lost') => void = () => undefined;
  const fate = new Promise<'well' | 'unanswered' | 'lost'>((resolve) => {
    decide = resolve;
  });
  return { fate, decide };
}

test('callers of the same moment share an append; limits split it', async (t) => {
  const { processor, log, start } = await founded();
  log.sizes.length = 0;
  await Promise.all(Array.from({ length: 50 }, () => accepted(processor.execute(transfer('A', 'B', 1n)))));
  t.same(log.sizes, [50]);
  log.sizes.length = 0;
  const small = start({ maxBatchCommands: 20, maxBatchEvents: 8, pipelineWorth: 1_000 });
  await Promise.all(Array.from({ length: 20 }, () => accepted(small.execute(transfer('A', 'B', 1n)))));
  t.same(log.sizes, [8, 8, 4], 'events');
  log.sizes.length = 0;
  const few = start({ maxBatchCommands: 3, pipelineWorth: 1_000 });
  await Promise.all(Array.from({ length: 8 }, () => accepted(few.execute(transfer('A', 'B', 1n)))));
  t.same(log.sizes, [3, 3, 2], 'commands');
});

test('each command is decided on the state left by the one before', async (t) => {
  const { processor, events } = await founded();
  await accepted(processor.execute(transfer('A', 'W', 100n)));
  const outcomes = await Promise.all(
    [transfer('W', 'B', 60n), transfer('W', 'B', 60n), transfer('W', 'B', 40n)].map((one) => processor.execute(one)),
  );
  t.same(outcomes.map(codeOf), ['accepted', 'insufficient-funds', 'accepted']);
  const [first, , third] = outcomes as Array<Extract<Outcome, { status: 'accepted' }>>;
  t.match(first?.events, [{ type: 'entry-posted', data: { lines: [{ balance: '40', sequence: 2 }, {}] } }]);
  t.match(third?.events, [{ type: 'entry-posted', data: { lines: [{ balance: '0', sequence: 3 }, {}] } }]);
  t.equal(first?.position, third?.position, 'both know the position that holds them');
  t.same(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    100n,
  );
});

test('a full queue refuses at once, and takes commands again later', async (t) => {
  const { log, start } = await founded();
  const processor = start({ maxQueue: 5 });
  const blocked = later();
  log.fates.push(blocked.fate);
  const first = accepted(processor.execute(transfer('A', 'B', 1n)));
  await moment();
  const blockedToo = later();
  log.fates.push(blockedToo.fate, blockedToo.fate);
  const many = Array.from({ length: 30 }, () =>
    processor.execute(transfer('A', 'B', 1n)).then(codeOf, (error: unknown) => error),
  );
  await moment();
  blocked.decide('well');
  blockedToo.decide('well');
  await first;
  const results = await Promise.all(many);
  const overloaded = results.filter((one) => one instanceof Overloaded);
  t.equal(overloaded.length, 25);
  t.equal((overloaded[0] as Overloaded).retryAfterSeconds, 1);
  t.equal(codeOf(await processor.execute(transfer('A', 'B', 1n))), 'accepted');
  t.equal(processor.queueLength, 0);
});

test('a header key: first answer again, warm and after a restart; another request is refused', async (t) => {
  const { processor, start, events } = await founded();
  const once = command(
    'place-holds',
    {
      holds: [
        { account: account('A'), currency: 'EUR', amount: 5n, type: 'HOLD', reason: 'r' },
        { account: account('B'), currency: 'EUR', amount: 6n, type: 'LIEN', reason: 'r' },
      ],
    },
    { key: 'k' },
  );
  const first = await accepted(processor.execute(once));
  t.equal(first.events.length, 2);
  t.equal(first.replayed, false);
  const before = (await events()).length;
  for (const writer of [processor, start(), start()]) {
    const again = await accepted(writer.execute(once));
    t.equal(again.replayed, true);
    t.match(
      again.events,
      first.events.map(({ id, type, data, meta }) => ({ id, type, data, meta })),
    );
    t.equal(again.events.length, 2);
    t.equal(
      codeOf(await writer.execute({ ...once, idempotency: key('place-holds', 'k', 'other') })),
      'idempotency-key-reused',
    );
  }
  t.equal((await events()).length, before, 'nothing was added');
  const nothing = command(
    'change-account-permission',
    { account: account('A'), permission: 'FULL_ACCESS' },
    { key: 'n' },
  );
  for (const writer of [processor, processor, start()])
    t.same((await accepted(writer.execute(nothing))).events, [], 'an answer without events is an answer');
  t.equal((await events()).length, before + 1);
});

test('an array’s keys: what was answered before stands in its place', async (t) => {
  const { processor, start } = await founded();
  const [a, b, c] = ['a', 'b', 'c'].map((text) => instruction('A', 'B', 1n, text));
  if (a === undefined || b === undefined || c === undefined) throw new Error('no instruction');
  const old = await accepted(processor.execute(command('post-entries', { instructions: [b] })));
  const array = command('post-entries', { instructions: [a, b, c, a] }, { key: 'array' });
  const ids = async (writer: CommandProcessor, what: Command<'post-entries'>) => {
    const outcome = await accepted(writer.execute(what));
    return {
      ids: outcome.events.map(({ id }) => id),
      replayed: outcome.replayed,
      parts: outcome.events.map((event) => event.replayed === true),
    };
  };
  const first = await ids(processor, array);
  t.same([first.replayed, first.parts], [false, [false, true, false, true]]);
  t.equal(first.ids[1], old.events[0]?.id);
  t.equal(first.ids[3], first.ids[0], 'the same key twice in one array is one posting');
  for (const writer of [processor, start()]) {
    const again = await ids(writer, array);
    t.same([again.ids, again.replayed], [first.ids, true]);
    const bare = await ids(writer, { ...array, idempotency: undefined } as never);
    t.same([bare.ids, bare.replayed], [first.ids, true], 'by its inner keys alone');
    const otherHeader = await ids(writer, command('post-entries', { instructions: [c, a] }, { key: `other ${count}` }));
    t.same(otherHeader.ids, [first.ids[2], first.ids[0]]);
    t.equal(
      codeOf(
        await writer.execute(
          command('post-entries', { instructions: [{ ...c, key: { ...c.key, requestHash: 'x' } }] }),
        ),
      ),
      'idempotency-key-reused',
    );
  }
});

test('a refused money command stays refused; a refusal that is not recorded does not', async (t) => {
  const { processor, start, events } = await founded();
  const poor = transfer('W', 'B', 10n, 'poor');
  const before = (await events()).length;
  const first = await processor.execute(poor);
  t.same([codeOf(first), (await events()).length], ['insufficient-funds', before + 1]);
  await accepted(processor.execute(transfer('A', 'W', 100n)));
  for (const writer of [processor, start()]) t.strictSame(await writer.execute(poor), { ...first, replayed: true });
  const [x, y] = [instruction('A', 'B', 1n, 'x'), instruction('W', 'B', 1_000n, 'y')];
  const both = await processor.execute(command('post-entries', { instructions: [x, y] }, { key: 'xy' }));
  t.match(both, { status: 'refused', refusal: { refused: 'insufficient-funds', details: { instruction: '1' } } });
  for (const writer of [processor, start()]) {
    t.equal(
      codeOf(await writer.execute(command('post-entries', { instructions: [x] }))),
      'insufficient-funds',
      'all or none: neither will ever be posted',
    );
    t.match(await writer.execute(command('post-entries', { instructions: [x, y] }, { key: 'xy' })), {
      status: 'refused',
      replayed: true,
    });
  }
  t.equal(
    codeOf(
      await processor.execute(
        command(
          'post-entries',
          { instructions: [{ ...x, force: true, key: { ...x.key, id: keyOf(TENANT, 'i', 'f') } }] },
          { roles: ['AGENT'] },
        ),
      ),
    ),
    'authority-required',
  );
  await accepted(
    processor.execute(
      command('post-entries', {
        instructions: [{ ...x, force: true, key: { ...x.key, id: keyOf(TENANT, 'i', 'f') } }],
      }),
    ),
  );
  const twice = command('post-entries', {
    instructions: [instruction('W', 'B', 9_000n, 'dd'), instruction('W', 'B', 9_000n, 'dd')],
  });
  t.equal(codeOf(await processor.execute(twice)), 'insufficient-funds');
  await accepted(processor.execute(transfer('A', 'W', 90_000n)));
  t.match(
    await processor.execute(twice),
    { refusal: { refused: 'insufficient-funds' }, replayed: true },
    'recorded although its key is there twice',
  );
});

test('a key that memory has forgotten is looked up before a refusal is given', async (t) => {
  const { processor, start, states } = await founded();
  const close = command('close-account', { account: account('B') }, { key: 'close' });
  const first = await accepted(processor.execute(close));
  const posted = transfer('A', 'W', 1n, 'posted');
  const entry = await accepted(processor.execute(posted));
  await accepted(processor.execute(command('set-tenant-status', { status: 'SUSPENDED', reason: 'r' })));
  await states.advance(1_000);
  // The stored states are complete: a new process folds nothing, and knows no key.
  t.match(
    await start().execute(close),
    { status: 'accepted', replayed: true, events: [{ id: first.events[0]?.id }] },
    'not: account-closed',
  );
  t.match(
    await start().execute(posted),
    { status: 'accepted', replayed: true, events: [{ id: entry.events[0]?.id }] },
    'not: tenant-suspended',
  );
  t.equal(
    codeOf(await start().execute(command('close-account', { account: account('B') }, { key: 'other' }))),
    'account-closed',
  );
  t.equal(
    codeOf(await start().execute(command('close-account', { account: account('A') }, { key: 'close', hash: 'x' }))),
    'idempotency-key-reused',
  );
});

test('another process was first: both see what the other did', async (t) => {
  const { processor, start, events } = await founded();
  const other = start();
  await accepted(processor.execute(transfer('A', 'W', 100n)));
  const outcomes = await Promise.all([
    processor.execute(transfer('W', 'B', 60n)),
    other.execute(transfer('W', 'B', 60n)),
  ]);
  t.same(outcomes.map(codeOf).sort(), ['accepted', 'insufficient-funds']);
  for (let i = 0; i < 20; i += 1)
    await Promise.all([processor, other].map((writer) => accepted(writer.execute(transfer('A', 'B', 1n)))));
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    100n,
  );
});

test('a refusal is given only while the log ends where memory thinks it does', async (t) => {
  const { processor, start } = await founded();
  const other = start();
  t.equal(
    codeOf(await processor.execute(command('release-hold', { hold: nameBasedUuid(TENANT, 'h') }))),
    'hold-not-found',
  );
  t.equal(
    codeOf(await other.execute(command('freeze-account', { account: account('A'), scope: 'ALL', reason: 'r' }))),
    'accepted',
  );
  t.equal(
    codeOf(await processor.execute(command('freeze-account', { account: account('A'), scope: 'ALL', reason: 'r' }))),
    'invalid-state',
  );
  await accepted(other.execute(command('unfreeze-account', { account: account('A') })));
  t.equal(
    codeOf(await processor.execute(command('freeze-account', { account: account('A'), scope: 'ALL', reason: 'r' }))),
    'accepted',
    'not: frozen already',
  );
});

test('a batch behind one that lost is decided again, also when the revision fits by chance', async (t) => {
  const { processor, log, start, events } = await founded();
  const [first, second] = [later(), later()];
  log.fates.push(first.fate, second.fate);
  const one = accepted(processor.execute(transfer('A', 'B', 1n)));
  await moment();
  const two = accepted(processor.execute(transfer('A', 'B', 2n)));
  await moment();
  // Another process appends exactly as many events as the first batch has.
  await accepted(start({}, {}, new MemoryEventLog(log)).execute(transfer('A', 'B', 4n)));
  first.decide('well');
  second.decide('well');
  await Promise.all([one, two]);
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    7n,
  );
});

test('a lost answer is found; nothing is doubled', async (t) => {
  const { processor, log, events, sleeps } = await founded();
  for (const fates of [
    ['unanswered'],
    ['lost'],
    ['unanswered', 'unanswered', 'lost'],
    ['lost', 'unanswered'],
  ] as Fate[][]) {
    log.fates.push(...fates);
    await accepted(processor.execute(journal('A', 'B', 1n)));
  }
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    4n,
  );
  t.ok(sleeps.length >= 7 && sleeps.every((ms) => ms >= 20 && ms <= 3_000), 'retries wait, ever longer');
});

test('when the log cannot be reached the callers are told, and nothing is decided again', async (t) => {
  const { processor, log, events } = await founded({ maxAppendRetries: 1 });
  const gate = later();
  // Both batches take effect; no answer comes, nor to the retry.
  log.fates.push(gate.fate, 'unanswered', 'unanswered');
  const one = processor.execute(journal('A', 'B', 1n)).then(codeOf, (error: unknown) => error);
  await moment();
  const two = processor.execute(journal('A', 'B', 10n)).then(codeOf, (error: unknown) => error);
  await moment();
  gate.decide('unanswered');
  const [first, second] = await Promise.all([one, two]);
  t.type(first, Unavailable);
  t.type(second, Unavailable, 'it may have taken effect: it must not be decided again');
  await accepted(processor.execute(journal('A', 'B', 100n)));
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    111n,
  );
});

test('a batch whose own answer came is answered, though the one before it stayed open', async (t) => {
  const { processor, log, events } = await founded({ maxAppendRetries: 1 });
  const gate = later();
  log.fates.push(gate.fate, 'well', 'unanswered');
  const one = processor.execute(journal('A', 'B', 1n)).then(codeOf, (error: unknown) => error);
  await moment();
  const two = processor.execute(journal('A', 'B', 10n)).then(codeOf, (error: unknown) => error);
  await moment();
  gate.decide('unanswered');
  const [first, second] = await Promise.all([one, two]);
  t.type(first, Unavailable);
  t.equal(second, 'accepted');
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    11n,
  );
});

test('what certainly did not happen is decided again: behind a lost request', async (t) => {
  const { processor, log, events } = await founded({ maxAppendRetries: 1 });
  const gate = later();
  log.fates.push(gate.fate, 'well', 'lost');
  const one = processor.execute(journal('A', 'B', 1n)).then(codeOf, (error: unknown) => error);
  await moment();
  const two = accepted(processor.execute(journal('A', 'B', 10n)));
  await moment();
  gate.decide('lost');
  t.type(await one, Unavailable);
  await two;
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    10n,
  );
});

test('contention is bounded: for commands, for refusals and for taken keys', async (t) => {
  const { log, start, sleeps } = await founded();
  const never = new MemoryEventLog(log);
  let head = 0;
  never.append = () => Promise.resolve({ status: 'conflict', revision: 0 });
  const loser = start({ maxConflictRounds: 7 }, {}, never);
  await t.rejects(loser.execute(transfer('A', 'B', 1n)), Unavailable);
  const restless = new MemoryEventLog(log);
  restless.head = async (tenantId) => ({ ...(await log.head(tenantId)), hash: `${(head += 1)}` });
  await t.rejects(
    start({ maxConflictRounds: 7 }, {}, restless).execute(command('release-hold', { hold: TENANT })),
    Unavailable,
  );
  const forgetful = new MemoryEventLog(log);
  forgetful.append = (_, __, events) =>
    Promise.resolve({ status: 'keys-taken', keyIds: events.flatMap(({ keyId = '' }) => keyId) });
  await t.rejects(start({ maxConflictRounds: 7 }, {}, forgetful).execute(transfer('A', 'B', 1n)), Unavailable);
  t.ok(sleeps.length >= 12 && sleeps.every((ms) => ms <= 50), 'with pauses');
});

test('one poisoned command does not hurt its neighbours', async (t) => {
  const { processor, events } = await founded();
  const poison = command('post-entries', {
    instructions: [{ ...instruction('A', 'B', 1n, 'p'), narration: '\u0000' }],
  });
  const commands = [
    ...Array.from({ length: 6 }, () => journal('A', 'B', 1n)),
    poison,
    ...Array.from({ length: 6 }, () => journal('A', 'B', 1n)),
    poison,
  ];
  const results = await Promise.allSettled(commands.map((one) => processor.execute(one)));
  for (const [i, result] of results.entries()) {
    if (commands[i] === poison) t.match(result, { status: 'rejected', reason: AppendRejected });
    else t.match(result, { status: 'fulfilled', value: { status: 'accepted' } });
  }
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    12n,
  );
  await t.rejects(processor.execute(poison), AppendRejected);
});

test('a defect of one command is its own', async (t) => {
  const { processor } = await founded();
  const broken = command('post-journal-entry', { lines: null as never });
  const [one, bad, two] = await Promise.allSettled(
    [journal('A', 'B', 1n), broken, journal('A', 'B', 1n)].map((each) => processor.execute(each)),
  );
  t.match([one?.status, bad?.status, two?.status], ['fulfilled', 'rejected', 'fulfilled']);
  await t.rejects(processor.execute(broken), TypeError);
});

test('after a batch that could not even be sealed the writer starts from the log', async (t) => {
  const { processor, events } = await founded();
  const opening = { owner: OWNER, currency: 'EUR', product: 'INTERNAL', name: 'n', number: 'Z' };
  const unsealable = command('open-account', { ...opening, name: 1n as never }, { key: 'z' });
  await t.rejects(processor.execute(unsealable), Unavailable);
  const good = await accepted(processor.execute(command('open-account', opening, { key: 'z' })));
  t.equal(good.replayed, false, 'neither its key nor its account is remembered');
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.has(account('Z')),
    true,
  );
});

test('an observer that throws stops nobody', async (t) => {
  const { start, events } = await founded();
  const bad = (): never => {
    throw new Error('metrics are down');
  };
  for (const observer of [{ committed: bad }, { batch: bad }, { conflict: bad }]) {
    const processor = start({}, observer);
    const answers = await Promise.allSettled([1, 2, 3].map(() => processor.execute(transfer('A', 'B', 1n))));
    t.equal(answers.length, 3, 'everyone is answered');
    await Promise.allSettled([processor.execute(transfer('A', 'B', 1n))]);
    await processor.close();
  }
  booksOf(await events());
});

test('running numbers step over chosen ones, in however many rounds of loading', async (t) => {
  const { start, events, states } = await founded();
  const opener = start();
  const chosen = Array.from({ length: 300 }, (_, i) => open(accountNumberOf(i + 1)));
  for (let i = 0; i < chosen.length; i += 50)
    await Promise.all(chosen.slice(i, i + 50).map((one) => accepted(opener.execute(one))));
  await states.advance(10_000);
  const cold = start();
  const outcomes = await Promise.all([open(), journal('A', 'B', 1n), open()].map((one) => cold.execute(one)));
  t.same(outcomes.map(codeOf), ['accepted', 'accepted', 'accepted']);
  t.match((outcomes[0] as Extract<Outcome, { status: 'accepted' }>).events, [
    { data: { number: accountNumberOf(301), numberSequence: 301 } },
  ]);
  t.match((outcomes[2] as Extract<Outcome, { status: 'accepted' }>).events, [
    { data: { number: accountNumberOf(302) } },
  ]);
  t.ok(MAX_NUMBER_SKIPS > 300);
  booksOf(await events());
});

test('stored states that went back are made up from the log', async (t) => {
  const { processor: founder, start, states, events } = await founded();
  await accepted(founder.execute(transfer('A', 'W', 100n)));
  await states.advance(10_000);
  const processor = start({ maxCachedAggregates: 4 });
  const freeze = (scope: 'ALL' | 'DEBIT') =>
    processor.execute(command('freeze-account', { account: account('B'), scope, reason: 'r' }));
  await accepted(processor.execute(transfer('W', 'A', 1n)));
  await states.advance(10_000);
  // W is stored, and other things have pushed it out of memory …
  for (const number of ['C', 'D', 'E', 'F']) {
    await accepted(processor.execute(open(number)));
    await states.advance(10_000);
    await accepted(freeze('ALL'));
    await accepted(freeze('DEBIT'));
    await states.advance(10_000);
  }
  // … when the projection begins anew.
  for (const progress of [0, 5, 1]) {
    states.restart();
    await states.advance(progress);
    t.equal(
      codeOf(
        await processor.execute(
          command('post-entries', { instructions: [instruction('W', 'A', 100n, `w ${progress}`)] }),
        ),
      ),
      'insufficient-funds',
    );
    t.match(await processor.execute(transfer('W', 'A', 1n)), {
      status: 'accepted',
      events: [{ data: { lines: [{ account: account('W') }, {}] } }],
    });
  }
  booksOf(await events());
});

test('memory is bounded: when stored states lag, work is refused until they have caught up', async (t) => {
  const { start, states, events } = await founded();
  const processor = start({ maxCachedAggregates: 10 });
  let refused = 0;
  for (let i = 0; i < 60 && refused === 0; i += 1) {
    await processor.execute(open()).catch((error: unknown) => {
      if (!(error instanceof Overloaded)) throw error;
      refused += 1;
      t.equal(error.retryAfterSeconds, 5);
    });
  }
  t.equal(refused, 1, 'not for ever more');
  await t.rejects(processor.execute(open()), Overloaded, 'and not just once');
  await states.advance(10_000);
  for (let i = 0; i < 5; i += 1) await accepted(processor.execute(open()));
  booksOf(await events());
});

test('a tenant whose stored states are too far behind is not opened', async (t) => {
  const { start, states, events } = await founded();
  await t.rejects(start({ maxOpenTail: 5 }).execute(journal('A', 'B', 1n)), Unavailable);
  await states.advance((await events()).length - 5);
  t.equal(codeOf(await start({ maxOpenTail: 5 }).execute(journal('A', 'B', 1n))), 'accepted');
});

test('a writer that another one left far behind opens anew instead of folding its way up', async (t) => {
  const { processor, start, states, events } = await founded();
  const other = start();
  for (let i = 0; i < 11; i += 1) {
    const instructions = Array.from({ length: 1_000 }, (_, n) => instruction('A', 'B', 1n, `far ${i} ${n}`));
    await accepted(other.execute(command('post-entries', { instructions })));
  }
  await states.advance(100_000);
  const before = states.loads;
  await accepted(processor.execute(journal('A', 'B', 1n)));
  t.ok(states.loads > before, 'it asked for stored states');
  t.equal(
    booksOf(await events())
      .get(TENANT)
      ?.accounts.get(account('B'))?.balance,
    11_001n,
  );
});

test('close answers everyone first, replays too, and takes nothing more', async (t) => {
  const { processor, log } = await founded();
  const posted = transfer('A', 'B', 1n, 'closing');
  await accepted(processor.execute(posted));
  const slow = log.read.bind(log);
  log.read = async function* (tenantId, range) {
    await moment();
    yield* slow(tenantId, range);
  };
  const answers: string[] = [];
  const asked = [journal('A', 'B', 1n), posted, posted].map((one) =>
    processor.execute(one).then((outcome) => answers.push(codeOf(outcome))),
  );
  await processor.close();
  t.same(answers, ['accepted', 'accepted', 'accepted']);
  await Promise.all(asked);
  await t.rejects(processor.execute(journal('A', 'B', 1n)), Unavailable);
});

test('the observer sees events as they can be read back', async (t) => {
  const it = bench();
  const seen: StoredEvent[] = [];
  const processor = it.start({}, { committed: (events) => void seen.push(...events) });
  await accepted(processor.execute(command('create-tenant', { slug: 'acme', settings: SETTINGS }, { key: 'k' })));
  await Promise.all([open('A'), open('B')].map((one) => accepted(processor.execute(one))));
  await accepted(processor.execute(transfer('A', 'B', 1n)));
  const plain = (events: readonly StoredEvent[]): unknown =>
    events.map((event) =>
      Object.fromEntries(
        Object.entries(event)
          .filter(([, value]) => value !== undefined)
          .sort(),
      ),
    );
  t.strictSame(plain(seen), plain(await it.events()));
});

test('idle tenants’ writers are let go, and found again', async (t) => {
  const it = bench();
  const processor = it.start();
  const slugs = Array.from({ length: 1_010 }, (_, i) => `t${i}`);
  for (const slug of slugs) {
    await accepted(
      processor.execute(command('create-tenant', { slug, settings: SETTINGS }, { tenantId: tenantIdOf(slug) })),
    );
  }
  for (const slug of ['t0', 't1009']) {
    const again = await processor.execute(
      command('create-tenant', { slug, settings: SETTINGS }, { tenantId: tenantIdOf(slug) }),
    );
    t.equal(codeOf(again), 'tenant-exists');
  }
});
