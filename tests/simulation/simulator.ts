/**
 * A small world in one thread: several processes with processor and projections on one log and one read store, clients
 * that retry, and everything that can go wrong, all drawn from one seed. Time is virtual; between two events of the
 * world everything that can run has run, so a seed is one history, byte for byte.
 */
import { createHash } from 'node:crypto';
import { type Command, type Outcome, Overloaded, Unavailable } from '../../application/commands.js';
import type { Clock, IdSource } from '../../application/ports/clock.js';
import {
  AppendRejected,
  type EventLog,
  type SealedEvent,
  type StoredEvent,
} from '../../application/ports/event-log.js';
import type { ProjectionTables, ReadStore, Row, TableChanges, Target } from '../../application/ports/read-store.js';
import type { StateStore } from '../../application/ports/state-store.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { Tag } from '../../domain/shared/event.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { MemoryStateStore } from '../../infrastructure/memory/state-store.js';
import { createProjection, createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import { rebuildProjection } from '../../projections/rebuild.js';
import { ProjectionRunner } from '../../projections/runner.js';
import type { Attempt } from '../support/answers.js';
import { CommandMaker, INTENTS, type Intent, type IntentKind, type Town, foundTown } from '../support/intents.js';
import { Random } from '../support/random.js';

const START_MS = Date.parse('2026-03-15T10:00:00.000Z');
/** A world that needs more steps than this is going in circles. */
const MAX_STEPS = 400_000;

/** Virtual time. What is due next is the earliest; of what is due together, the seed says which. */
class Scheduler {
  nowMs = 0;
  steps = 0;
  #tasks: Array<{ readonly at: number; readonly tie: number; readonly run: () => void }> = [];

  constructor(private readonly random: Random) {}

  after(ms: number, run: () => void): void {
    const task = { at: this.nowMs + ms, tie: this.random.uint32(), run };
    // A binary heap by time, then by lot.
    const tasks = this.#tasks;
    let at = tasks.push(task) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(task, tasks[parent] as typeof task)) break;
      tasks[at] = tasks[parent] as typeof task;
      at = parent;
    }
    tasks[at] = task;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets the world go on until `done`. */
  async runUntil(done: () => boolean, what: string): Promise<void> {
    while (!done()) {
      const task = this.#pop();
      if (task === undefined) throw new Error(`the world stands still before ${what}`);
      if ((this.steps += 1) > MAX_STEPS) throw new Error(`the world goes in circles before ${what}`);
      this.nowMs = Math.max(this.nowMs, task.at);
      task.run();
      // Everything that follows from it without waiting.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #pop() {
    const tasks = this.#tasks;
    const first = tasks[0];
    const last = tasks.pop();
    if (first === undefined || last === undefined || tasks.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= tasks.length) break;
      const right = tasks[child + 1];
      if (right !== undefined && before(right, tasks[child] as typeof right)) child += 1;
      if (!before(tasks[child] as typeof last, last)) break;
      tasks[at] = tasks[child] as typeof last;
      at = child;
    }
    tasks[at] = last;
    return first;
  }
}

function before(a: { at: number; tie: number }, b: { at: number; tie: number }): boolean {
  return a.at === b.at ? a.tie < b.tie : a.at < b.at;
}

/** How bad things are, drawn once for a world: some are calm and crowded, some are stormy. */
export interface Weather {
  readonly processes: number;
  readonly clients: number;
  readonly commandsEach: number;
  /** How often a client goes where everybody goes. */
  readonly crowding: number;
  /** Commands that a client sends at once. */
  readonly burst: number;
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly lateEffect: number;
  readonly readError: number;
  readonly storeError: number;
  readonly logLatencyMs: number;
  readonly storeLatencyMs: number;
  readonly thinkMs: number;
  readonly crashEveryMs: number;
  readonly outageEveryMs: number;
  readonly rebuildEveryMs: number;
  readonly duplicate: number;
  readonly patienceMs: number;
  readonly cachedAggregates: number;
  readonly batchCommands: number;
  readonly projectionBatch: number;
  readonly projectionPollMs: number;
  readonly skewMs: number;
}

function drawWeather(random: Random): Weather {
  const calm = random.chance(0.25);
  const clients = random.pick([3, 6, 12, 24]);
  const rate = (most: number): number => (calm || random.chance(0.3) ? 0 : random.fraction() * most);
  return {
    processes: 2 + random.below(2),
    clients,
    commandsEach: Math.ceil((50 + random.below(60)) / clients),
    crowding: random.pick([0, 0.5, 0.9]),
    burst: random.pick([1, 4, 12]),
    lostRequest: rate(0.15),
    lostAnswer: rate(0.2),
    lateEffect: rate(0.1),
    readError: rate(0.03),
    storeError: rate(0.1),
    logLatencyMs: random.pick([1, 10, 60]),
    storeLatencyMs: random.pick([1, 10, 200]),
    thinkMs: random.pick([0, 0, 5, 100]),
    crashEveryMs: calm ? 0 : random.pick([0, 300, 2_000, 10_000]),
    outageEveryMs: calm ? 0 : random.pick([0, 100, 500, 3_000]),
    rebuildEveryMs: random.pick([0, 0, 2_000]),
    duplicate: random.pick([0, 0.1, 0.5]),
    patienceMs: random.pick([200, 5_000, 60_000]),
    cachedAggregates: random.pick([8, 100, 10_000]),
    batchCommands: random.pick([1, 3, 512]),
    projectionBatch: random.pick([1, 7, 2_000]),
    projectionPollMs: random.pick([20, 300, 5_000]),
    skewMs: random.pick([0, 0, 3_000]),
  };
}

export interface Tally {
  conflicts: number;
  lostAnswers: number;
  lateEffects: number;
  keysTaken: number;
  crashes: number;
  outages: number;
  rebuilds: number;
  retries: number;
  duplicates: number;
  overloaded: number;
  unavailable: number;
  poisoned: number;
  replayed: number;
  readYourWrites: number;
  stale: number;
  pipelined: number;
  loads: number;
}

export interface History {
  readonly seed: number;
  readonly weather: Weather;
  readonly attempts: readonly Attempt[];
  readonly events: readonly StoredEvent[];
  readonly store: MemoryReadStore;
  readonly tally: Tally;
  readonly steps: number;
  /** Everything that was written and answered, as one hash. */
  readonly fingerprint: string;
}

/** An attempt as the world keeps it: its answer comes later or never. */
type OpenAttempt = { -readonly [K in keyof Attempt]: Attempt[K] } & { readonly process: Process };

/** What lies between a process and the shared storage: delay, loss, and the end of the process. */
class Wire {
  constructor(
    readonly world: World,
    readonly process: Process,
  ) {}

  /** Does `work` after a while; fails with `errorRate` before it or after it, as it comes. */
  call<T>(latencyMs: number, errorRate: number, work: () => Promise<T>): Promise<T> {
    const { scheduler, random } = this.world;
    return new Promise((resolve, reject) => {
      const storm = this.world.stormy(errorRate) || this.process.outage !== undefined;
      const fate = storm ? (random.chance(0.5) ? 'before' : 'after') : 'well';
      scheduler.after(random.fraction() * latencyMs, () => {
        // Of a dead process's requests some are under way still.
        if (!this.process.alive && random.chance(0.5)) return;
        if (fate === 'before') {
          this.answer(() => reject(new Error('connection lost')));
          return;
        }
        work().then(
          (result) => this.answer(() => (fate === 'after' ? reject(new Error('connection lost')) : resolve(result))),
          (error: unknown) => this.answer(() => reject(error as Error)),
        );
      });
    });
  }

  answer(tell: () => void): void {
    const { scheduler, random, weather } = this.world;
    scheduler.after((random.fraction() * weather.logLatencyMs) / 2, () => {
      if (this.process.alive) tell();
    });
  }
}

/** The shared log, as one process sees it. */
class FaultyLog implements EventLog {
  readonly pipelineDepth = 2;
  /** Appends of a tenant take effect in the order in which they were issued. */
  readonly #lastEffect = new Map<string, number>();
  readonly #pending = new Map<string, number>();

  constructor(
    private readonly wire: Wire,
    private readonly log: MemoryEventLog,
  ) {}

  append(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]) {
    const { world } = this.wire;
    const { scheduler, random, weather, tally } = world;
    const pending = (this.#pending.get(tenantId) ?? 0) + 1;
    this.#pending.set(tenantId, pending);
    if (pending > 1) tally.pipelined += 1;
    const fate = this.wire.process.outage ?? this.#fate();
    return new Promise<Awaited<ReturnType<EventLog['append']>>>((resolve, reject) => {
      const at = Math.max(
        scheduler.nowMs + random.fraction() * weather.logLatencyMs,
        this.#lastEffect.get(tenantId) ?? 0,
      );
      this.#lastEffect.set(tenantId, at);
      scheduler.after(at - scheduler.nowMs, () => {
        this.#pending.set(tenantId, (this.#pending.get(tenantId) ?? 1) - 1);
        if (!this.wire.process.alive && random.chance(0.5)) return;
        const lost = (): void => this.wire.answer(() => reject(new Error('connection lost')));
        if (fate === 'lost') return lost();
        if (fate === 'late') {
          // The caller has given up; the request has not.
          tally.lateEffects += 1;
          scheduler.after(
            random.fraction() * 3_000,
            () => void this.log.append(tenantId, expectedRevision, events).catch(() => undefined),
          );
          return lost();
        }
        this.log.append(tenantId, expectedRevision, events).then(
          (result) => {
            if (result.status === 'conflict') tally.conflicts += 1;
            if (result.status === 'keys-taken') tally.keysTaken += 1;
            if (fate === 'unanswered') {
              tally.lostAnswers += 1;
              lost();
            } else this.wire.answer(() => resolve(result));
          },
          (error: unknown) => this.wire.answer(() => reject(error as Error)),
        );
        return undefined;
      });
    });
  }

  #fate(): 'lost' | 'unanswered' | 'late' | 'well' {
    const { world } = this.wire;
    if (world.stormy(world.weather.lostRequest)) return 'lost';
    if (world.stormy(world.weather.lostAnswer)) return 'unanswered';
    return world.stormy(world.weather.lateEffect) ? 'late' : 'well';
  }

  #read<T>(work: () => Promise<T>): Promise<T> {
    const { weather } = this.wire.world;
    return this.wire.call(weather.logLatencyMs, weather.readError, work);
  }

  async *read(tenantId: string, range: Parameters<EventLog['read']>[1] = {}): AsyncIterable<StoredEvent> {
    const { random } = this.wire.world;
    const to = range.to ?? (await this.head(tenantId)).revision;
    for (let from = range.from ?? 0; from <= to;) {
      const last = Math.min(to, from + random.below(40));
      const start = from;
      const page = await this.#read(async () => {
        const events: StoredEvent[] = [];
        for await (const event of this.log.read(tenantId, { ...range, from: start, to: last })) events.push(event);
        return events;
      });
      yield* page;
      from = last + 1;
    }
  }

  readonly head = (tenantId: string) => this.#read(() => this.log.head(tenantId));
  readonly readAll = (options: { after: string; limit: number }) => this.#read(() => this.log.readAll(options));
  readonly eventsById = (tenantId: string, ids: readonly string[]) =>
    this.#read(() => this.log.eventsById(tenantId, ids));
  readonly eventsByKey = (tenantId: string, keys: readonly string[]) =>
    this.#read(() => this.log.eventsByKey(tenantId, keys));
  readonly lastPosition = () => this.#read(() => this.log.lastPosition());
  readonly tenants = () => this.#read(() => this.log.tenants());
  readonly health = () => this.#read(() => this.log.health());
  readonly comparePositions = (a: string, b: string) => this.log.comparePositions(a, b);
  readonly distance = (a: string, b: string) => this.log.distance(a, b);
  readonly close = () => Promise.resolve();
  subscribe(): never {
    throw new Error('nobody subscribes here: projections have their feed');
  }
}

/** The shared read store, as one process sees it. */
class FaultyReadStore implements ReadStore {
  constructor(
    private readonly wire: Wire,
    private readonly store: MemoryReadStore,
  ) {}

  #call<T>(work: () => Promise<T>): Promise<T> {
    const { weather } = this.wire.world;
    return this.wire.call(weather.storeLatencyMs, weather.storeError, work);
  }

  readonly prepare = (projections: readonly ProjectionTables[]) => this.#call(() => this.store.prepare(projections));
  readonly states = () => this.#call(() => this.store.states());
  readonly load = (target: Target, table: string, keys: readonly Row[]) =>
    this.#call(() => this.store.load(target, table, keys));
  readonly apply = (target: Target, expected: string, next: string, changes: readonly TableChanges[]) =>
    this.#call(() => this.store.apply(target, expected, next, changes));
  readonly park = (target: Target, error: string) => this.#call(() => this.store.park(target, error));
  readonly unpark = (name: string) => this.#call(() => this.store.unpark(name));
  readonly startRebuild = (projection: ProjectionTables) => this.#call(() => this.store.startRebuild(projection));
  readonly finishLoading = () => this.#call(() => this.store.finishLoading());
  readonly dropRetired = (options?: { readonly unfinished?: boolean }) =>
    this.#call(() => this.store.dropRetired(options));
  readonly close = () => Promise.resolve();

  /** A process that ends lets go of what it held, as a broken connection does. */
  switchTo(target: Target, catchUp: (liveCheckpoint: string) => Promise<void>): Promise<void> {
    return this.#call(() =>
      this.store.switchTo(target, (live) => Promise.race([catchUp(live), this.wire.process.death])),
    );
  }
}

/** One process: a processor, and projections, until it is killed. */
class Process {
  alive = true;
  /** Nothing comes through to the storage, or nothing comes back from it. */
  outage: 'lost' | 'unanswered' | undefined;
  readonly processor: CommandProcessor;
  readonly runner: ProjectionRunner;
  readonly store: ReadStore;
  readonly log: EventLog;
  readonly clock: Clock;
  /** Rejects when the process is killed. */
  readonly death: Promise<never>;
  readonly #stop = new AbortController();
  #die: (error: Error) => void = () => undefined;

  constructor(readonly world: World) {
    const { random, weather, scheduler, tally } = world;
    const wire = new Wire(world, this);
    const skewMs = Math.floor(random.fraction() * weather.skewMs);
    this.death = new Promise<never>((_, reject) => {
      this.#die = reject;
    });
    this.death.catch(() => undefined);
    this.clock = {
      nowMs: () => START_MS + Math.floor(scheduler.nowMs) + skewMs,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const abort = (): void => reject(signal?.reason as Error);
          if (signal?.aborted === true) return abort();
          signal?.addEventListener('abort', abort);
          scheduler.after(ms, () => {
            signal?.removeEventListener('abort', abort);
            if (this.alive) resolve();
          });
          return undefined;
        }),
      turn: () =>
        new Promise((resolve) => {
          scheduler.after(random.fraction() * 0.1, () => {
            if (this.alive) resolve();
          });
        }),
    };
    const ids: IdSource = {
      eventId: () => {
        const time = this.clock.nowMs().toString(16).padStart(12, '0');
        const tail = random.hex(16);
        return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}0000`;
      },
      random: () => random.fraction(),
    };
    this.log = new FaultyLog(wire, world.log);
    this.store = new FaultyReadStore(wire, world.store);
    const stored = new MemoryStateStore(world.store);
    const states: StateStore = {
      load: (tenantId: string, tags: readonly Tag[]) => {
        tally.loads += 1;
        return wire.call(weather.storeLatencyMs / 10, weather.readError, () => stored.load(tenantId, tags));
      },
    };
    this.runner = new ProjectionRunner(
      {
        projections: createProjections(),
        store: this.store,
        feed: new EventFeed(this.log, this.clock, { maxEvents: 50, maxAhead: 20 }),
        clock: this.clock,
        observer: {
          parked: (name, error) => world.problems.push(new Error(`${name} is parked`, { cause: error })),
          stale: () => void (tally.stale += 1),
        },
      },
      { maxBatch: weather.projectionBatch, pollMs: weather.projectionPollMs },
    );
    this.processor = new CommandProcessor(
      {
        log: this.log,
        states,
        clock: this.clock,
        ids,
        observer: {
          batch: () => undefined,
          conflict: () => undefined,
          committed: (events) => this.runner.publish(events),
        },
      },
      {
        maxCachedAggregates: weather.cachedAggregates,
        maxBatchCommands: weather.batchCommands,
        maxRecentKeys: random.pick([128, 10_000]),
        maxQueue: random.pick([8, 10_000, 10_000]),
        maxAppendRetries: random.pick([1, 6]),
        pipelineWorth: random.pick([1, 1, 2, 64]),
      },
    );
    void this.runner.run(this.#stop.signal).catch((error: unknown) => world.problems.push(error as Error));
  }

  kill(): void {
    this.alive = false;
    this.#die(new Error('the process was killed'));
  }

  stop(): void {
    this.#stop.abort();
  }
}

class World {
  readonly random: Random;
  readonly weather: Weather;
  readonly scheduler: Scheduler;
  readonly log = new MemoryEventLog();
  readonly store = new MemoryReadStore();
  readonly problems: Error[] = [];
  readonly attempts: OpenAttempt[] = [];
  readonly towns: Town[] = [foundTown('first'), foundTown('second')];
  readonly tally: Tally = {
    conflicts: 0,
    lostAnswers: 0,
    lateEffects: 0,
    keysTaken: 0,
    crashes: 0,
    outages: 0,
    rebuilds: 0,
    retries: 0,
    duplicates: 0,
    overloaded: 0,
    unavailable: 0,
    poisoned: 0,
    replayed: 0,
    readYourWrites: 0,
    stale: 0,
    pipelined: 0,
    loads: 0,
  };
  /** False towards the end: nothing fails any more, so that everything can be answered. */
  bad = true;
  readonly #maker = new CommandMaker();
  #processes: Process[] = [];
  /** Keyed commands that nobody has an answer for yet. */
  readonly #unanswered = new Set<Command>();
  #moment = 0;
  #busy = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.weather = drawWeather(this.random);
    this.scheduler = new Scheduler(this.random);
  }

  stormy(rate: number): boolean {
    return this.bad && this.random.chance(rate);
  }

  async live(): Promise<void> {
    const { scheduler, weather } = this;
    await this.store.prepare(createProjections());
    for (let i = 0; i < weather.processes; i += 1) this.#processes.push(new Process(this));
    this.#go(this.#found());
    await this.#until(() => this.#busy === 0, 'the towns are founded');
    for (let i = 0; i < weather.clients; i += 1) this.#go(this.#client());
    this.#haunt(weather.crashEveryMs, () => this.#crash());
    this.#haunt(weather.outageEveryMs, () => this.#cutOff());
    this.#haunt(weather.rebuildEveryMs, () => this.#rebuild());
    await this.#until(() => this.#busy === 0, 'the clients are done');
    this.bad = false;
    for (const process of this.#processes) process.outage = undefined;
    this.#go(this.#settle());
    await this.#until(() => this.#busy === 0, 'every keyed command is answered');
    // Requests of the dead arrive, and whoever lives answers everyone.
    const rest = scheduler.nowMs + 10_000;
    await this.#until(() => scheduler.nowMs >= rest, 'the dust settles');
    await this.#until(
      () => this.attempts.every(({ process, answered }) => !process.alive || answered !== undefined),
      'every caller is answered',
    );
    const last = await this.log.lastPosition();
    const states = async (): Promise<boolean> =>
      (await this.store.states()).every(({ checkpoint, status }) => status === 'rebuilding' || checkpoint === last);
    let projected = false;
    const look = (): void => void states().then((yes) => ((projected = yes), scheduler.after(50, look)));
    look();
    await this.#until(() => projected, 'the projections have seen everything');
    for (const process of this.#processes) process.stop();
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    await this.scheduler.runUntil(() => done() || this.problems.length > 0, what);
    const [problem] = this.problems;
    if (problem !== undefined) throw problem;
  }

  #go(work: Promise<void>): void {
    this.#busy += 1;
    work.then(
      () => (this.#busy -= 1),
      (error: unknown) => this.problems.push(error as Error),
    );
  }

  async #found(): Promise<void> {
    for (const town of this.towns) {
      for (const group of this.#maker.founding(town)) {
        await Promise.all(group.map((command) => this.#deliver(command, 40)));
      }
    }
  }

  async #client(): Promise<void> {
    const { random, scheduler, weather } = this;
    for (let sent = 0; sent < weather.commandsEach;) {
      await scheduler.sleep(random.fraction() * weather.thinkMs);
      const burst = 1 + random.below(weather.burst);
      await Promise.all(Array.from({ length: burst }, () => this.#sendOne()));
      sent += burst;
    }
  }

  async #sendOne(): Promise<void> {
    const { random, scheduler, weather } = this;
    // Within a burst one comes while the other is on its way to the log.
    await scheduler.sleep(random.fraction() * weather.logLatencyMs);
    const now = new Date(START_MS + Math.floor(scheduler.nowMs)).toISOString();
    const command = this.#maker.make(this.#intent(), this.towns, now);
    const keyed = isKeyed(command);
    // A command without a key cannot be delivered again without harm: clients do not.
    if (!keyed && this.attempts.some((attempt) => attempt.command === command)) return;
    if (keyed && random.chance(weather.duplicate)) {
      this.tally.duplicates += 1;
      await Promise.all([this.#deliver(command, 3), this.#deliver(command, 3)]);
    } else await this.#deliver(command, keyed ? 3 : 1);
  }

  #intent(): Intent {
    const { random } = this;
    const total = INTENTS.reduce((sum, [, weight]) => sum + weight, 0);
    let lot = random.below(total);
    const kind = INTENTS.find(([, weight]) => (lot -= weight) < 0)?.[0] as IntentKind;
    const n = (): number => random.below(1_001);
    return {
      kind,
      tenant: n(),
      a: n(),
      b: n(),
      c: n(),
      amount: n(),
      option: n(),
      actor: n(),
      keyed: random.chance(0.5),
    };
  }

  /** Sends a command, again if it has a key and nothing came back. */
  async #deliver(command: Command, tries: number): Promise<void> {
    const { random, scheduler, weather } = this;
    if (isKeyed(command)) this.#unanswered.add(command);
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (attempt > 0) this.tally.retries += 1;
      const outcome = await this.#attempt(command);
      if (outcome !== undefined) {
        this.#unanswered.delete(command);
        this.#maker.learn(this.towns, command, outcome);
        return;
      }
      // Answered by another delivery, or poisoned: it need not be asked again.
      if (isKeyed(command) && !this.#unanswered.has(command)) return;
      // At the end there is time: memory may be full until the projections have caught up.
      await scheduler.sleep(random.fraction() * (this.bad ? weather.patienceMs / 4 : 5_000));
    }
  }

  /** One delivery to any living process; undefined when nobody knows what became of it. */
  async #attempt(command: Command): Promise<Outcome | undefined> {
    const { scheduler, random, tally } = this;
    let living = this.#processes.filter(({ alive }) => alive);
    while (living.length === 0) {
      await scheduler.sleep(50);
      living = this.#processes.filter(({ alive }) => alive);
    }
    const process = random.chance(this.weather.crowding) ? (living[0] as Process) : random.pick(living);
    const attempt: OpenAttempt = { command, sent: (this.#moment += 1), process };
    this.attempts.push(attempt);
    const answering = process.processor.execute(command).then(
      (outcome) => {
        attempt.outcome = outcome;
        if (outcome.status === 'accepted' && outcome.replayed) tally.replayed += 1;
        return outcome;
      },
      (error: unknown) => {
        if (error instanceof AppendRejected) tally.poisoned += 1;
        else if (error instanceof Overloaded) tally.overloaded += 1;
        else if (error instanceof Unavailable) tally.unavailable += 1;
        else this.problems.push(error as Error);
        // A poisoned command is answered: never.
        if (error instanceof AppendRejected) this.#unanswered.delete(command);
        return undefined;
      },
    );
    const answered = answering.then((outcome) => {
      attempt.answered = this.#moment += 1;
      return outcome;
    });
    const patience = this.bad ? this.weather.patienceMs : 600_000;
    const outcome = await Promise.race([
      answered,
      process.death.catch(() => undefined),
      scheduler.sleep(patience).then(() => undefined),
    ]);
    if (outcome?.status === 'accepted' && process.alive && random.chance(0.15))
      await this.#readYourWrite(process, outcome);
    return outcome;
  }

  /** Whoever waits for a position finds what was written there. */
  async #readYourWrite(process: Process, outcome: Extract<Outcome, { status: 'accepted' }>): Promise<void> {
    const seen = await Promise.race([
      process.runner.waitFor(outcome.position, 2_000),
      process.death.catch(() => false),
    ]);
    if (!seen) return;
    this.tally.readYourWrites += 1;
    for (const { type, data, id } of outcome.events) {
      if (type !== 'entry-posted') continue;
      for (const line of (data as { lines: Array<{ account: string; sequence: number; balance: string }> }).lines) {
        const tenant = this.towns.find(
          (town) => this.store.row('entries', town.id, line.account, line.sequence) !== undefined,
        );
        const row =
          tenant === undefined ? undefined : this.store.row('entries', tenant.id, line.account, line.sequence);
        if (String(row?.['balance_after']) !== line.balance)
          this.problems.push(new Error(`entry ${id} is not there after waiting for it`));
      }
    }
  }

  /** Everything that has a key is asked again until it is answered. */
  async #settle(): Promise<void> {
    await Promise.all([...this.#unanswered].map((command) => this.#deliver(command, 500)));
    const [forgotten] = this.#unanswered;
    if (forgotten !== undefined) throw new Error(`never answered: ${forgotten.name} ${forgotten.correlationId}`);
  }

  /** Something that happens now and then while things are bad. */
  #haunt(everyMs: number, visit: () => void): void {
    if (everyMs === 0) return;
    this.scheduler.after(this.random.fraction() * 2 * everyMs, () => {
      if (!this.bad) return;
      visit();
      this.#haunt(everyMs, visit);
    });
  }

  #crash(): void {
    const { random, scheduler, tally } = this;
    const process = random.pick(this.#processes);
    if (!process.alive) return;
    tally.crashes += 1;
    process.kill();
    scheduler.after(random.fraction() * 500, () => {
      this.#processes = this.#processes.map((one) => (one === process ? new Process(this) : one));
    });
  }

  #cutOff(): void {
    const { random, scheduler, tally } = this;
    const process = random.pick(this.#processes);
    tally.outages += 1;
    process.outage = random.chance(0.3) ? 'lost' : 'unanswered';
    scheduler.after(random.fraction() * random.pick([100, 1_000, 5_000]), () => {
      process.outage = undefined;
    });
  }

  #rebuild(): void {
    const process = this.random.pick(this.#processes);
    const projection = createProjection(this.random.pick(['aggregate-states', 'accounts', 'entries', 'holds']));
    if (!process.alive || projection === undefined) return;
    const { store, log } = process;
    void rebuildProjection({ projection, store, log, batchEvents: 40 }).then(
      () => (this.tally.rebuilds += 1),
      () => undefined, // Another rebuild was first, or the storm: the next one goes on.
    );
  }
}

function isKeyed(command: Command): boolean {
  return command.idempotency !== undefined || command.name === 'post-entries';
}

/** Plays the world of a seed to its end. Throws where it stands still, goes in circles, or something was parked. */
export async function simulate(seed: number): Promise<History> {
  const world = new World(seed);
  await world.live();
  const { weather, attempts, store, tally, scheduler } = world;
  const events = await world.log.readAll({ after: '', limit: 1_000_000 });
  const hash = createHash('sha256');
  for (const event of events)
    hash.update(
      `${event.position} ${event.tenantId} ${event.revision} ${event.hash} ${event.metaText} ${event.dataText} ${event.keyId ?? ''}\n`,
    );
  for (const { sent, answered, outcome } of attempts) hash.update(JSON.stringify([sent, answered, outcome]));
  return { seed, weather, attempts, events, store, tally, steps: scheduler.steps, fingerprint: hash.digest('hex') };
}
