import { hasPassed } from '../elapsed.js';
import { type Command, type Outcome, Overloaded, Unavailable } from '../commands.js';
import { AppendRejected, type LogHead, type SealedEvent } from '../ports/event-log.js';
import { NotHanded, type Standing } from '../ports/relay.js';
import { Answering } from './answering.js';
import {
  type Batch,
  type Decided,
  type Failed,
  type Sent,
  type Waiting,
  isOpen,
  isRepeatable,
  unreachable,
  waitingOf,
  weightOf,
} from './batch.js';
import { BatchDecider, sealBatch } from './batch-decider.js';
import type { ProcessorOptions, ProcessorPorts } from './processor-ports.js';
import { Sharing } from './sharing.js';
import { TenantMemory } from './tenant-memory.js';

/**
 * The single writer of one tenant in this process: collects commands, decides them in memory one after another,
 * appends all their events at once, and answers. While a batch is made durable the next one is decided. Another
 * process may write too: then the append is a conflict, the new tail is folded in and the batch is decided again.
 */
export class TenantWriter {
  readonly #queue: Waiting[] = [];
  readonly #memory: TenantMemory;
  readonly #decider: BatchDecider;
  readonly #answering: Answering;
  /** Where the log will end when everything under way has been appended. Undefined: memory must be opened anew. */
  #head: LogHead | undefined;
  #running = false;
  #wake: (() => void) | undefined;
  /** Of the commands that wait beside an append under way, up to `pipelineWorth`. */
  #queuedWeight = 0;
  /** Batches under way, oldest first. */
  readonly #inFlight: Batch[] = [];
  /** Commands at the front of the queue that are decided one by one because a batch with them was rejected. */
  #alone = 0;
  readonly #sharing: Sharing;
  /** Commands that the leading process has been handed and has not answered. */
  #handing = 0;

  constructor(
    readonly tenantId: string,
    private readonly ports: ProcessorPorts,
    private readonly options: ProcessorOptions,
  ) {
    this.#memory = new TenantMemory(tenantId, ports, options);
    this.#decider = new BatchDecider(tenantId, this.#memory, ports);
    this.#answering = new Answering(tenantId, ports);
    this.#sharing = new Sharing(tenantId, ports.clock, ports);
  }

  get idle(): boolean {
    return !this.#running && this.#queue.length === 0 && this.#answering.idle && this.#handing === 0;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  execute(command: Command, isHanded = false): Promise<Outcome> {
    if (this.#queue.length + this.#handing >= this.options.maxQueue) return Promise.reject(new Overloaded());
    if (isHanded) this.#sharing.met();
    return new Promise((resolve, reject) => {
      const waiting = { command, resolve, reject, isHanded, rounds: 0 };
      const leader = isHanded ? undefined : this.#sharing.knownLeader();
      if (leader === undefined) this.#enqueue(waiting);
      else void this.#hand(waiting, leader);
    });
  }

  /** Another process writes to this tenant and was second. */
  invited(): void {
    this.#sharing.invited();
  }

  /** Leads no more, if it did: other processes see to the tenant. */
  leave(): void {
    this.#sharing.leave();
  }

  #enqueue(waiting: Waiting): void {
    this.#queue.push(waiting);
    this.#queuedWeight += weightOf(waiting.command);
    if (this.#queuedWeight >= this.options.pipelineWorth || this.#sharing.mayHandOver) this.#wake?.();
    if (!this.#running) {
      this.#running = true;
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 || this.#inFlight.length > 0) {
      try {
        await this.ports.clock.turn();
        if (this.#inFlight[0]?.done === true) {
          while (this.#inFlight[0]?.done === true) await this.#finishOldest();
          // Those who follow get their answers first, and what they hand over meanwhile joins the next batch.
          if (this.#sharing.leads) await this.ports.clock.turn();
        }
        if (this.#inFlight.length === 0) this.#sharing.endTurn();
        await this.#handOver();
        if (this.#worthDeciding()) await this.#next();
        else await this.#somethingHappens();
      } catch (defect) {
        this.#broken(defect);
      }
    }
    this.#sharing.endTurn();
    this.#running = false;
  }

  /** Where another process leads, what waits here is for it to decide. */
  async #handOver(): Promise<void> {
    if (this.#queue.every(({ isHanded }) => isHanded)) return;
    const leader = await this.#sharing.leader();
    if (leader === undefined) return;
    const handed = this.#queue.filter(({ isHanded }) => !isHanded);
    this.#queue.splice(0, this.#queue.length, ...this.#queue.filter(({ isHanded }) => isHanded));
    for (const waiting of handed) void this.#hand(waiting, leader);
  }

  async #hand(waiting: Waiting, leader: Extract<Standing, { status: 'follows' }>): Promise<void> {
    this.#handing += 1;
    try {
      waiting.resolve(await leader.hand(waiting.command));
      this.#sharing.met();
    } catch (error) {
      if (error instanceof Overloaded || error instanceof Unavailable) waiting.reject(error);
      else if (error instanceof NotHanded || isRepeatable(waiting.command)) {
        this.#sharing.lostLeader();
        this.#enqueue(waiting);
      } else waiting.reject(new Unavailable('the leading process was lost', { cause: error }));
    } finally {
      this.#handing -= 1;
    }
  }

  /** With appends under way a small batch waits for company: every append costs a commit. */
  #worthDeciding(): boolean {
    this.#queuedWeight = 0;
    if (this.#queue.length === 0) return false;
    if (this.#inFlight.length === 0) return true;
    if (this.#sharing.isTurnOver) return false;
    for (const { command } of this.#queue) {
      this.#queuedWeight += weightOf(command);
      if (this.#queuedWeight >= this.options.pipelineWorth) return true;
    }
    return false;
  }

  /** The oldest append comes back, or what has arrived is worth looking at before: a wake-up for each costs more. */
  async #somethingHappens(): Promise<void> {
    const [oldest] = this.#inFlight;
    if (oldest === undefined) return;
    const arrival = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([oldest.result, arrival]);
    this.#wake = undefined;
  }

  /** Takes, decides and sends one batch. */
  async #next(): Promise<void> {
    // First, so that what comes while it waits is in the batch.
    if (this.#inFlight.length === 0 && this.#sharing.isTurnDue) await this.#takeTurn();
    const taken = this.#take();
    try {
      this.#head ??= await this.#opened();
      const decided = await this.#decider.decide(taken, this.#head);
      if (decided.work.decided.length === 0) {
        await this.#answerWithoutEvents(decided);
        return;
      }
      while (this.#inFlight.length >= this.ports.log.pipelineDepth) {
        if (!(await this.#finishOldest(decided))) return;
      }
      this.#send(decided, this.#head);
    } catch (error) {
      await this.#failed(taken, error);
    }
  }

  /** Waits for its turn and folds in what others have appended in theirs. */
  async #takeTurn(): Promise<void> {
    const turn = await this.#sharing.takeTurn(this.#head?.revision ?? -1);
    const known = this.#head;
    if (turn === undefined || known === undefined) return;
    try {
      const isNext = turn.news?.[0] === undefined || turn.news[0].revision === known.revision + 1;
      this.#head =
        turn.news !== undefined && isNext
          ? await this.#memory.take(known, turn.news)
          : await this.#memory.catchUp(known.revision);
    } catch {
      // Opened anew before the batch, which tells its callers if that fails too.
      this.#head = undefined;
    }
    if (this.#head?.hash !== known.hash) this.#sharing.metInTurn();
  }

  /** Where the log ends, with memory opened. If that fails, nobody who waits now can be served: all are told. */
  async #opened(): Promise<LogHead> {
    try {
      return await this.#memory.open();
    } catch (error) {
      this.#reject([...this.#queue], new Unavailable('the log could not be reached', { cause: error }));
      throw error;
    }
  }

  #take(): Waiting[] {
    const limit = this.#alone > 0 ? 1 : this.options.maxBatchCommands;
    if (this.#alone > 0) this.#alone -= 1;
    let weight = 0;
    let count = 0;
    for (const { command } of this.#queue) {
      if (count >= limit || (count > 0 && weight >= this.options.maxBatchEvents)) break;
      weight += weightOf(command);
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  #send(decided: Decided, head: LogHead): void {
    const sealed = sealBatch(this.tenantId, decided.work, head);
    const result: Promise<Sent> = this.ports.log
      .append(this.tenantId, head.revision, sealed)
      .catch((error: unknown) => this.#appendFailed(error))
      .finally(() => {
        batch.done = true;
        // At once: the others need not wait until our callers have been told.
        if (this.#inFlight.every(({ done }) => done)) this.#sharing.endTurn();
      });
    const batch: Batch = { ...decided, sealed, expectedRevision: head.revision, result, done: false };
    this.#inFlight.push(batch);
    const { hash, recordedAt } = sealed[sealed.length - 1] as SealedEvent;
    this.#head = { revision: head.revision + sealed.length, hash, recordedAt, position: '' };
    this.ports.observer?.batch(batch.settled.length, sealed.length);
  }

  /**
   * Waits for the oldest batch under way and answers it. If it failed, everything that was decided on top of it is
   * undone and waits again, `pending` (decided, not sent) too, and the answer is false.
   */
  async #finishOldest(pending?: Decided): Promise<boolean> {
    const [batch] = this.#inFlight;
    if (batch === undefined) return true;
    let result = await batch.result;
    if (isOpen(result)) result = await this.#retryAppend(batch);
    if (result.status === 'appended') {
      this.#inFlight.shift();
      this.#answering.answer(batch, result);
      return true;
    }
    const behind = this.#inFlight.slice(1);
    const again: Decided[] = [];
    for (const other of behind) if (await this.#fellToo(other, result)) again.push(other);
    if (pending !== undefined) again.push(pending);
    for (const undone of [batch, ...behind, ...(pending === undefined ? [] : [pending])].reverse())
      undone.work.undoAll();
    this.#inFlight.length = 0;
    this.#queue.unshift(...waitingOf(again));
    await this.#recover(batch, result);
    return false;
  }

  /**
   * Whether a batch behind one that failed was certainly not appended, so that it may be decided again. One that may
   * have been must not: a command without a key would take effect twice. Its callers are told.
   */
  async #fellToo(behind: Batch, first: Failed): Promise<boolean> {
    const result = await behind.result;
    if (!isOpen(first)) {
      if (result.status === 'appended') throw new Error('a batch was appended behind one that was not');
      return true;
    }
    if (result.status === 'appended') this.#answering.answer(behind, result);
    else if (isOpen(result)) this.#reject(waitingOf([behind]), unreachable(result));
    else return true;
    return false;
  }

  #appendFailed(error: unknown): Sent {
    if (!(error instanceof AppendRejected)) this.ports.observer?.appendFailed?.();
    return { status: 'failed', error };
  }

  /** The same append again: it is idempotent by event id, so a lost answer is found and nothing is doubled. */
  async #retryAppend(batch: Batch): Promise<Sent> {
    const { log, clock, ids } = this.ports;
    const { maxAppendRetries, maxAppendRetryMs } = this.options;
    const startedMs = clock.nowMs();
    let error: unknown;
    for (let attempt = 1; attempt <= maxAppendRetries; attempt += 1) {
      await clock.sleep(Math.min(2_000, 20 * 2 ** attempt) * (0.5 + ids.random()));
      try {
        return await log.append(this.tenantId, batch.expectedRevision, batch.sealed);
      } catch (caught) {
        error = caught;
        this.#appendFailed(caught);
        if (caught instanceof AppendRejected || hasPassed(maxAppendRetryMs, startedMs, clock.nowMs())) break;
      }
    }
    return { status: 'failed', error };
  }

  /** Brings memory, from which the failed batch was taken away, to where the log ends; its commands go first again. */
  async #recover(batch: Batch, result: Failed): Promise<void> {
    const waiting = waitingOf([batch]);
    this.#head = undefined;
    if (isOpen(result)) {
      this.#reject(waiting, unreachable(result));
      return;
    }
    this.#queue.unshift(...waiting);
    try {
      if (result.status === 'conflict') {
        this.ports.observer?.conflict();
        this.#sharing.conflict();
        await this.#lostRound(waiting);
      } else if (result.status === 'keys-taken') {
        await this.#lostRound(waiting);
        await this.#memory.learn(result.keyIds);
      } else if (waiting.length === 1) {
        this.#reject(waiting, result.error);
      } else {
        this.#alone = waiting.length;
      }
      this.#head = await this.#memory.catchUp(batch.expectedRevision);
    } catch {
      // Opened anew before the next batch, which tells its callers if that fails too.
    }
  }

  /** Counts a round against commands; those that lost too often are told so. Waits a moment with jitter. */
  async #lostRound(waiting: readonly Waiting[]): Promise<void> {
    let most = 0;
    for (const one of waiting) most = Math.max(most, (one.rounds += 1));
    const lost = waiting.filter((one) => one.rounds > this.options.maxConflictRounds);
    this.#reject(lost, new Unavailable('other writers were first too often'));
    if (most > 2) await this.ports.clock.sleep(this.ports.ids.random() * Math.min(50, most * 2));
  }

  #reject(waiting: readonly Waiting[], error: unknown): void {
    for (const one of waiting) {
      const at = this.#queue.indexOf(one);
      if (at >= 0) this.#queue.splice(at, 1);
      one.reject(error);
    }
  }

  /** Something outside an append failed, before anything of `taken` was sent: its callers are told. */
  async #failed(taken: readonly Waiting[], error: unknown): Promise<void> {
    try {
      while (this.#inFlight.length > 0) await this.#finishOldest();
    } catch (defect) {
      this.#broken(defect);
    }
    if (!(error instanceof Overloaded)) this.#head = undefined;
    const known = error instanceof Overloaded || error instanceof Unavailable;
    this.#reject(taken, known ? error : new Unavailable('the log could not be reached', { cause: error }));
  }

  /** A defect: nothing is known about what is under way. The writer goes on from what is in the log. */
  #broken(defect: unknown): void {
    this.#head = undefined;
    this.#reject(waitingOf(this.#inFlight.splice(0)), new Unavailable('the writer failed', { cause: defect }));
  }

  /** Refusals and replays rest on memory: they are given only if the log still ends where memory thinks it does. */
  async #answerWithoutEvents(decided: Decided): Promise<void> {
    while (this.#inFlight.length > 0) if (!(await this.#finishOldest(decided))) return;
    const known = this.#head as LogHead;
    const head = await this.ports.log.head(this.tenantId);
    if (head.revision === known.revision && head.hash === known.hash) {
      this.#head = head;
      for (const one of decided.settled) this.#answering.settle(one, [], head.revision, head.position);
      return;
    }
    const waiting = waitingOf([decided]);
    this.#queue.unshift(...waiting);
    this.#sharing.conflict();
    await this.#lostRound(waiting);
    this.#head = await this.#memory.catchUp(known.revision);
  }
}
