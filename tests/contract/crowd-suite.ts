/**
 * Several processors in front of one log, clients that repeat themselves, and whatever the log under test can be made to
 * suffer: the simulation's conflicts (tests/simulation), against the real adapter and in real time. What must hold after:
 * nothing acknowledged is lost or doubled, every key took effect once, and the books are right.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { type Command, type Outcome, Overloaded, Unavailable } from '../../application/commands.js';
import { AppendRejected, type EventLog } from '../../application/ports/event-log.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import { isChained } from '../../application/processor/seal.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { MemoryStateStore } from '../../infrastructure/memory/state-store.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { type Attempt, checkAnswers } from '../support/answers.js';
import { CommandMaker, INTENTS, type IntentKind, type Town, foundTown } from '../support/intents.js';
import { Oracle } from '../support/oracle.js';
import { Random } from '../support/random.js';
import { EMPTY, collect } from '../support/sealing.js';

export interface CrowdUnderTest {
  /** One more process's log on the same storage. */
  connect(): EventLog;
  /** Breaks something, now and then; it mends by itself. */
  readonly strike?: (random: Random) => void;
}

const PROCESSES = 3;
const CLIENTS = 12;
const COMMANDS_EACH = 20;
const TRIES = 60;

type OpenAttempt = { -readonly [K in keyof Attempt]: Attempt[K] };

export async function crowdSuite(t: Test, under: CrowdUnderTest): Promise<void> {
  for (const seed of [1, 2, 3]) {
    await t.test(`a crowd in front of one log, seed ${seed}`, (t) => new Crowd(seed, under).live(t));
  }
}

class Crowd {
  readonly #random: Random;
  readonly #maker = new CommandMaker();
  readonly #town: Town;
  readonly #attempts: OpenAttempt[] = [];
  readonly #processors: CommandProcessor[];
  readonly #logs: EventLog[];
  #conflicts = 0;
  #moment = 0;

  constructor(
    seed: number,
    private readonly under: CrowdUnderTest,
  ) {
    this.#random = new Random(seed);
    this.#town = foundTown(`crowd-${Date.now()}-${seed}`);
    this.#logs = Array.from({ length: PROCESSES }, () => under.connect());
    this.#processors = this.#logs.map(
      (log) =>
        new CommandProcessor({
          log,
          states: new MemoryStateStore(new MemoryReadStore()),
          clock: systemClock,
          ids: createIdSource(),
          observer: {
            batch: () => undefined,
            conflict: () => void (this.#conflicts += 1),
            committed: () => undefined,
          },
        }),
    );
  }

  async live(t: Test): Promise<void> {
    for (const group of this.#maker.founding(this.#town)) {
      await Promise.all(group.map((command) => this.#deliver(command)));
    }
    const clients = Array.from({ length: CLIENTS }, () => this.#client());
    await Promise.all(clients);
    for (const processor of this.#processors) await processor.close();

    const [first] = this.#logs as [EventLog];
    const events = await collect(first.read(this.#town.id));
    for (const log of this.#logs) t.same(await log.head(this.#town.id), await first.head(this.#town.id));
    for (const log of this.#logs) await log.close();
    t.ok(
      events.every((event, i) => event.revision === i && isChained(events[i - 1]?.hash ?? EMPTY.hash, event)),
      'one chain without gaps',
    );
    const keys = events.flatMap(({ keyId }) => (keyId === undefined ? [] : [keyId]));
    t.equal(new Set(keys).size, keys.length, 'every key once');
    t.doesNotThrow(() => checkAnswers(this.#attempts, events), 'what callers were told is what the log says');
    const book = new Oracle(this.#town.id);
    t.doesNotThrow(() => events.forEach((event) => book.take(event)), 'the books are right');
    t.ok(this.#conflicts > 0, `they were in each other's way: ${this.#conflicts} conflicts`);
    t.comment(`${events.length} events, ${this.#attempts.length} deliveries, ${this.#conflicts} conflicts`);
  }

  async #client(): Promise<void> {
    const random = this.#random;
    for (let sent = 0; sent < COMMANDS_EACH; sent += 1) {
      await sleep(random.below(4));
      if (random.chance(0.1)) this.under.strike?.(random);
      const command = this.#maker.make(this.#intent(), [this.#town], new Date().toISOString());
      if (!isKeyed(command) && this.#attempts.some((attempt) => attempt.command === command)) continue;
      const twice = isKeyed(command) && random.chance(0.3);
      await Promise.all([this.#deliver(command), ...(twice ? [this.#deliver(command)] : [])]);
    }
  }

  #intent() {
    const random = this.#random;
    const total = INTENTS.reduce((sum, [, weight]) => sum + weight, 0);
    let lot = random.below(total);
    const kind = INTENTS.find(([, weight]) => (lot -= weight) < 0)?.[0] as IntentKind;
    const n = (): number => random.below(1_001);
    const numbers = { tenant: n(), a: n(), b: n(), c: n(), amount: n(), option: n(), actor: n() };
    return { kind, ...numbers, keyed: random.chance(0.7) };
  }

  /** To any process; again to any if it has a key and nobody knows what became of it. */
  async #deliver(command: Command): Promise<void> {
    for (let attempt = 0; attempt < (isKeyed(command) ? TRIES : 1); attempt += 1) {
      const outcome = await this.#attempt(command);
      if (outcome !== 'unknown') return;
      await sleep(20 + this.#random.below(50));
    }
    if (isKeyed(command)) throw new Error(`never answered: ${command.name} ${command.correlationId}`);
  }

  async #attempt(command: Command): Promise<Outcome | 'unknown' | 'never'> {
    const attempt: OpenAttempt = { command, sent: (this.#moment += 1) };
    this.#attempts.push(attempt);
    try {
      const outcome = await this.#random.pick(this.#processors).execute(command);
      attempt.outcome = outcome;
      this.#maker.learn([this.#town], command, outcome);
      return outcome;
    } catch (error) {
      if (error instanceof AppendRejected) return 'never';
      if (error instanceof Unavailable || error instanceof Overloaded) return 'unknown';
      throw error;
    } finally {
      attempt.answered = this.#moment += 1;
    }
  }
}

function isKeyed(command: Command): boolean {
  return command.idempotency !== undefined || command.name === 'post-entries';
}
