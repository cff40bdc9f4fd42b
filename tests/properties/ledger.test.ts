/**
 * Random commands by random actors through the real processor on the memory log: whatever is asked, in whatever order,
 * at once or one after another, the books stay right. A failure prints fast-check's seed and the shrunk commands.
 */
import fc from 'fast-check';
import tap, { test } from 'tap';
import { type Command, type Outcome, Overloaded } from '../../application/commands.js';
import { AppendRejected, type StoredEvent } from '../../application/ports/event-log.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { AccountState } from '../../domain/ledger/account.js';
import type { HoldState } from '../../domain/ledger/hold.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { type Attempt, checkAnswers } from '../support/answers.js';
import { foldAtEveryCut } from '../support/fold-cuts.js';
import { FoldingStateStore } from '../support/folding.js';
import { CommandMaker, INTENTS, type Intent, type IntentKind, foundTown } from '../support/intents.js';
import { booksOf } from '../support/oracle.js';
import { Random } from '../support/random.js';

tap.setTimeout(600_000); // The runner has a limit of its own.
const RUNS = Number(process.env['RUNS'] ?? 60);
const START_MS = Date.parse('2026-03-15T10:00:00.000Z');

const nat = fc.nat({ max: 1_000 });
const kind = fc.oneof(...INTENTS.map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as IntentKind) })));
const intent: fc.Arbitrary<Intent> = fc.record({
  kind, tenant: nat, a: nat, b: nat, c: nat, amount: nat, option: nat, actor: nat, keyed: fc.boolean(),
}); // prettier-ignore
/** What is sent together, then how far the stored states come before the next. */
const step = fc.record({
  together: fc.array(intent, { minLength: 1, maxLength: 7, size: 'max' }),
  waitMs: fc.constantFrom(0, 0, 1, 900, 30_000),
  project: fc.constantFrom(0, 0, 1, 5, 1_000),
  restart: fc.constantFrom('none', 'none', 'none', 'none', 'none', 'states', 'processor'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

let overloaded = 0;

interface Run {
  readonly attempts: Attempt[];
  readonly events: StoredEvent[];
}

async function play(steps: readonly Step[], seed: number): Promise<Run> {
  const log = new MemoryEventLog();
  const random = new Random(seed);
  let nowMs = START_MS;
  const clock = {
    nowMs: () => nowMs,
    sleep: () => Promise.resolve(),
    turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
  const ids = {
    eventId: () => {
      const time = nowMs.toString(16).padStart(12, '0');
      const tail = random.hex(16);
      return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}0000`;
    },
    random: () => random.fraction(),
  };
  const states = new FoldingStateStore(() => log.readAll({ after: '', limit: 1_000_000 }));
  // Small memories, so that everything has to be loaded, dropped and found in the log again and again.
  const start = () => new CommandProcessor({ log, states, clock, ids }, { maxCachedAggregates: 6, maxRecentKeys: 64 });
  let processor = start();
  const towns = [foundTown('first'), foundTown('second')];
  const maker = new CommandMaker();
  const attempts: Attempt[] = [];
  let moment = 0;
  const send = async (command: Command): Promise<void> => {
    const sent = (moment += 1);
    let outcome: Outcome | undefined;
    for (let tries = 0; outcome === undefined && tries < 5; tries += 1) {
      try {
        outcome = await processor.execute(command);
      } catch (error) {
        if (error instanceof AppendRejected) break;
        // Memory is full of what is not stored yet: nothing has happened, so anything may be sent again.
        if (!(error instanceof Overloaded)) throw error;
        overloaded += 1;
        await states.advance(1_000_000);
      }
    }
    attempts.push({ command, sent, answered: (moment += 1), ...(outcome === undefined ? {} : { outcome }) });
    if (outcome !== undefined) maker.learn(towns, command, outcome);
  };
  const sendAll = (commands: readonly Command[]): Promise<unknown> => {
    const unkeyed = new Set<string>();
    return Promise.all(
      commands.map((command) => {
        // A command without a key must not be sent twice by a careful caller.
        const again =
          command.idempotency === undefined && command.name !== 'post-entries' && unkeyed.has(command.correlationId);
        unkeyed.add(command.correlationId);
        return again ? Promise.resolve() : send(command);
      }),
    );
  };
  for (const town of towns) for (const group of maker.founding(town)) await sendAll(group);
  for (const { together, waitMs, project, restart } of steps) {
    nowMs += waitMs;
    await states.advance(project);
    if (restart === 'states') states.restart();
    if (restart === 'processor') {
      await processor.close();
      processor = start();
    }
    const now = new Date(nowMs).toISOString();
    await sendAll(together.map((one) => maker.make(one, towns, now)));
  }
  await processor.close();
  return { attempts, events: await log.readAll({ after: '', limit: 1_000_000 }) };
}

/** The aggregates' folds, at every cut through their stored form, against the oracle's books. */
function checkFolds(events: readonly StoredEvent[]): void {
  const books = booksOf(events);
  for (const [tenantId, book] of books) {
    const own = events.filter((event) => event.tenantId === tenantId);
    const whole = foldAtEveryCut(own);
    for (const [id, account] of book.accounts) {
      const state = whole.get(`account:${id}`) as AccountState;
      const same =
        state.ledger === account.balance &&
        state.held === account.held &&
        state.liens === account.liens &&
        state.sequence === account.lines &&
        (state.status === 'ACTIVATED') === account.open &&
        state.overdraftLimit === account.overdraft &&
        state.minimumBalance === account.minimum;
      if (!same) throw new Error(`account ${account.number} of the fold differs from the book`);
    }
    for (const [id, hold] of book.holds) {
      const state = whole.get(`hold:${id}`) as HoldState;
      const done = hold.captured + hold.released === hold.placed;
      const same =
        state.captured === hold.captured && state.released === hold.released && (state.status === 'ACTIVE') === !done;
      if (!same) throw new Error(`hold ${id} of the fold differs from the book`);
    }
  }
}

test('every invariant holds after any commands', async (t) => {
  const met = new Map<string, number>();
  const count = (name: string): void => void met.set(name, (met.get(name) ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(fc.noBias(fc.array(step, { maxLength: 60, size: 'max' })), fc.nat(), async (steps, seed) => {
      const { attempts, events } = await play(steps, seed);
      checkAnswers(attempts, events);
      checkFolds(events);
      for (const { command, outcome } of attempts)
        count(
          outcome === undefined
            ? 'rejected'
            : outcome.status === 'accepted'
              ? `${command.name}${outcome.replayed ? ' again' : ''}`
              : outcome.refusal.refused,
        );
      for (const { type, data } of events)
        count(type === 'entry-posted' ? `${type} ${(data as { kind: string }).kind}` : type);
    }),
    {
      numRuns: RUNS,
      interruptAfterTimeLimit: 150_000,
      markInterruptAsFailure: true,
      ...(process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) }),
    },
  );
  t.comment(
    [...met]
      .sort()
      .map(([name, times]) => `${name} ${times}`)
      .join(', '),
  );
  // A property that met nothing shows nothing.
  for (const name of [
    'entry-posted posting',
    'entry-posted journal',
    'entry-posted fx',
    'entry-posted capture',
    'entry-posted reversal',
    'hold-placed',
    'hold-released',
    'post-entries again',
    'reverse-entry again',
    'place-holds again',
    'insufficient-funds',
    'idempotency-key-reused',
    'already-reversed',
    'balance-above-maximum',
    'account-frozen',
    'account-permission-denied',
    'hold-not-active',
    'hold-amount-exceeded',
    'authority-required',
    'tenant-suspended',
    'account-not-found',
    'entry-not-found',
    'hold-not-found',
    'rejected',
    'command-refused',
    'account-closed',
    'account-limits-changed',
  ]) {
    t.ok((met.get(name) ?? 0) > 0, `met: ${name}`);
  }
  t.ok(overloaded > 0, 'met: overloaded');
});
