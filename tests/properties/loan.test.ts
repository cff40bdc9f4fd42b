/**
 * Random commands about loans through the real processor on the memory log, several at once, over months, with operations
 * in the past and undone ones: what is owed by bucket is what the loan's accounts hold, after every commit; the same
 * operations give the same loan; and paying off at the quote leaves nothing.
 */
import fc from 'fast-check';
import tap, { test } from 'tap';
import type { Command } from '../../application/commands.js';
import type { StoredEvent } from '../../application/ports/event-log.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import { bookedToJson, totalsOf } from '../../domain/loan/booked.js';
import { computeLoan } from '../../domain/loan/compute.js';
import type { BookedJson, LoanEvent } from '../../domain/loan/events.js';
import { type LoanState, loanAggregate } from '../../domain/loan/loan.js';
import { operationFromJson } from '../../domain/loan/operations-json.js';
import { BUCKETS, type Bucket } from '../../domain/loan/terms.js';
import { termsFromJson } from '../../domain/loan/terms-json.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { type Attempt, checkAnswers } from '../support/answers.js';
import { foldAtEveryCut } from '../support/fold-cuts.js';
import { FoldingStateStore } from '../support/folding.js';
import {
  LENDER,
  LOANS,
  LOAN_INTENTS,
  LoanCommandMaker,
  type LoanIntentKind,
  PRODUCTS,
} from '../support/loan-intents.js';
import { Oracle } from '../support/oracle.js';
import { Random } from '../support/random.js';

tap.setTimeout(300_000);
const RUNS = Number(process.env['RUNS'] ?? 150);
const DAY_MS = 86_400_000;

const nat = fc.nat({ max: 1_000 });
const kind = fc.oneof(
  ...LOAN_INTENTS.map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as LoanIntentKind) })),
);
const ago = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 75 }) });
const intent = fc.record({ kind, loan: fc.nat({ max: 3 }), a: nat, b: nat, ago, keyed: fc.boolean() });
const step = fc.record({
  together: fc.array(intent, { minLength: 1, maxLength: 5, size: 'max' }),
  days: fc.oneof(fc.constant(0), fc.nat({ max: 40 })),
  project: fc.constantFrom(0, 1_000),
  restart: fc.constantFrom(false, false, false, true),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly log = new MemoryEventLog();
  readonly maker = new LoanCommandMaker();
  readonly attempts: Attempt[] = [];
  readonly #states = new FoldingStateStore(() => this.events());
  readonly #random: Random;
  #nowMs = Date.parse('2026-01-31T10:00:00.000Z');
  #moment = 0;
  #processor: CommandProcessor;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#processor = this.#start();
  }

  get today(): string {
    return new Date(this.#nowMs).toISOString().slice(0, 10);
  }

  events(): Promise<StoredEvent[]> {
    return this.log.readAll({ after: '', limit: 1_000_000 });
  }

  async pass(days: number, project: number, restart: boolean): Promise<void> {
    this.#nowMs += days * DAY_MS + 700;
    await this.#states.advance(project);
    if (!restart) return;
    await this.#processor.close();
    this.#processor = this.#start();
  }

  async send(command: Command) {
    const sent = (this.#moment += 1);
    const outcome = await this.#processor.execute(command);
    this.attempts.push({ command, sent, answered: (this.#moment += 1), outcome });
    return outcome;
  }

  async close(): Promise<void> {
    await this.#processor.close();
  }

  #start(): CommandProcessor {
    const clock = {
      nowMs: () => this.#nowMs,
      sleep: () => Promise.resolve(),
      turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
    };
    const ids = {
      eventId: () => {
        const time = this.#nowMs.toString(16).padStart(12, '0');
        const tail = this.#random.hex(16);
        return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}0000`;
      },
      random: () => this.#random.fraction(),
    };
    return new CommandProcessor({ log: this.log, states: this.#states, clock, ids });
  }
}

async function play(steps: readonly Step[], products: readonly number[], seed: number): Promise<World> {
  const world = new World(seed);
  for (const command of world.maker.founding(products)) {
    const outcome = await world.send(command);
    if (outcome.status === 'refused') throw new Error(`${command.name}: ${outcome.refusal.message}`);
  }
  for (const { together, days, project, restart } of steps) {
    await world.pass(days, project, restart);
    await Promise.all(together.map((one) => world.send(world.maker.make(one, world.today))));
  }
  return world;
}

/** Every running loan is accrued, twice, and paid off at the quote. */
async function settle(world: World, met: (name: string) => void): Promise<void> {
  for (const at of LOANS.keys()) {
    const loan = stateOf(await world.events(), at);
    if (loan.status !== 'DISBURSED' || loan.writtenOff) continue;
    await world.send(world.maker.accruing(at, world.today));
    const again = await world.send(world.maker.accruing(at, world.today));
    if (again.status !== 'accepted' || again.events.length > 0) throw new Error('accrued twice');
    const [payOff, verify] = world.maker.settling(at);
    const quoted = await world.send(payOff);
    if (quoted.status === 'refused') {
      // Nothing is owed today, though something will be; or somebody filled up what waits.
      if (!/nothing is owed|at most/.test(quoted.refusal.message)) throw new Error(quoted.refusal.message);
      met(`final ${quoted.refusal.refused}`);
      continue;
    }
    const paid = await world.send(verify);
    if (paid.status === 'refused') throw new Error(`${paid.refusal.refused}: ${paid.refusal.message}`);
    const after = stateOf(await world.events(), at);
    if (after.status !== 'PAID_OFF') throw new Error(`paid off at the quote, and ${after.status}`);
    met('settled at the quote');
  }
}

function stateOf(events: readonly StoredEvent[], at: number): LoanState {
  const tag = `loan:${LOANS[at] ?? ''}` as const;
  return events
    .filter(({ tags }) => tags.includes(tag))
    .reduce(
      (state, event) => loanAggregate.evolve(state, event as StoredEvent & LoanEvent, ''),
      loanAggregate.initial(''),
    );
}

/** By bucket, what a loan's accounts must hold. */
function owedOf({ disbursed, chargedBack, earned, paid, waived, writtenOff }: BookedJson): Record<Bucket, bigint> {
  const n = BigInt;
  const earnings = ['interest', 'fees', 'penalty'] as const;
  const rest = earnings.map((b) => [b, n(earned[b]) - n(paid[b]) - n(waived[b]) - n(writtenOff[b])] as const);
  const principal = n(disbursed) + n(chargedBack) - n(paid.principal) - n(writtenOff.principal);
  return { principal, ...(Object.fromEntries(rest) as Record<(typeof earnings)[number], bigint>) };
}

/** The book against the loans, after every commit; the ledger's own rules are the oracle's. */
function checkBook(events: readonly StoredEvent[]): void {
  const oracle = new Oracle(LENDER);
  const loans = new Map<string, { accounts: Record<Bucket, string>; booked: BookedJson }>();
  for (const [i, event] of events.entries()) {
    oracle.take(event);
    const { type, data } = event as StoredEvent & LoanEvent;
    if (type === 'loan-disbursed') loans.set(data.loan, { accounts: data.accounts, booked: data.booked });
    const loan = 'loan' in data ? loans.get(data.loan) : undefined;
    if (loan !== undefined && (type === 'loan-operated' || type === 'loan-accrued')) loan.booked = data.booked;
    if (events[i + 1]?.meta['correlation'] === event.meta['correlation']) continue;
    for (const [id, { accounts, booked }] of loans) {
      const owed = owedOf(booked);
      for (const bucket of BUCKETS) {
        const held = -(oracle.accounts.get(accounts[bucket])?.balance ?? 0n);
        if (held === owed[bucket] && held >= 0n) continue;
        throw new Error(`${bucket} of ${id} is ${owed[bucket]}, its account holds ${held} at ${event.revision}`);
      }
    }
  }
}

/** The same terms and operations give what is booked, however often, also after they were stored. */
function checkReplay(events: readonly StoredEvent[], today: string): void {
  foldAtEveryCut(events);
  for (const at of LOANS.keys()) {
    const { terms, operations, booked, accruedTo } = stateOf(events, at);
    if (terms === undefined || booked === undefined || accruedTo === undefined) continue;
    const again = () => {
      const list = operations.map(operationFromJson);
      const position = computeLoan(termsFromJson(terms), list, accruedTo);
      return { booked: bookedToJson(totalsOf(termsFromJson(terms), list, position)), position };
    };
    const text = (value: unknown) => JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v));
    const [first, second] = [again(), again()];
    if (text(first.booked) !== text(booked)) throw new Error(`loan ${at} is booked otherwise than it is computed`);
    if (text(first.position) !== text(second.position)) throw new Error(`loan ${at} is computed in two ways`);
    const { instalments, scheduled } = first.position;
    for (const { due } of instalments) if (BUCKETS.some((b) => due[b] < 0n)) throw new Error('a due amount below zero');
    if (BUCKETS.some((b) => scheduled[b] < 0n) || today < accruedTo) throw new Error('a schedule below zero');
  }
}

test('loans and their book stay one, whatever is done', async (t) => {
  const met = new Map<string, number>();
  const count = (name: string): void => void met.set(name, (met.get(name) ?? 0) + 1);
  const products = fc.array(fc.nat({ max: PRODUCTS.length - 1 }), { minLength: 4, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      fc.noBias(fc.array(step, { maxLength: 40, size: 'max' })),
      products,
      fc.nat(),
      async (steps, of, seed) => {
        const world = await play(steps, of, seed);
        await settle(world, count);
        await world.close();
        const events = await world.events();
        checkBook(events);
        checkAnswers(world.attempts, events);
        checkReplay(events, world.today);
        for (const { command, outcome } of world.attempts)
          count(
            outcome?.status === 'refused'
              ? outcome.refusal.refused
              : `${command.name}${outcome?.replayed === true ? ' again' : ''}`,
          );
        for (const event of events) {
          const { type, data } = event as StoredEvent & LoanEvent;
          count(type === 'loan-operated' ? data.operation.kind : type);
        }
      },
    ),
    {
      numRuns: RUNS,
      interruptAfterTimeLimit: 100_000,
      markInterruptAsFailure: true,
      ...(process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) }),
    },
  );
  t.comment([...met].sort().map(([name, times]) => `${name} ${times}`).join(', ')); // prettier-ignore
  // A property that met nothing shows nothing.
  for (const name of [
    'REPAID', 'CREDITED', 'CHARGED_BACK', 'CHARGED', 'WAIVED', 'RATE_CHANGED', 'PREPAYMENT_RULE_SET', 'REAMORTISED', 'REAGED', 'RESCHEDULED',
    'WRITTEN_OFF', 'RECOVERED', 'UNDONE', 'loan-accrued', 'loan-paid-off', 'loan-reopened', 'repayment-reported', 'repayment-verified',
    'repayment-rejected', 'settled at the quote', 'insufficient-funds', 'account-frozen', 'invalid-state', 'amount-out-of-range',
    'repayment-not-found', 'value-date-out-of-range', 'operate-loan again', 'verify-repayment again',
  ]) t.ok((met.get(name) ?? 0) > 0, `met: ${name}`); // prettier-ignore
});
