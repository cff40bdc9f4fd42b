import { aggregateOf, evolveTag } from '../../domain/aggregates.js';
import type { KeyAnswer } from '../../domain/shared/decider.js';
import type { DomainEvent, Tag } from '../../domain/shared/event.js';
import { type Refusal } from '../../domain/shared/refusal.js';
import { type Command, type CommittedEvent, type Outcome, Overloaded, Unavailable } from '../commands.js';
import type { Clock, IdSource } from '../ports/clock.js';
import {
  AppendRejected,
  type AppendResult,
  type EventLog,
  type LogHead,
  type SealedEvent,
  type StoredEvent,
} from '../ports/event-log.js';
import type { StateStore } from '../ports/state-store.js';
import { AggregateCache, RecentMap } from './aggregate-cache.js';
import { seal } from './seal.js';
import { type Decision, type Memory, Work, committed } from './work.js';

export interface ProcessorOptions {
  /** Commands that may wait for one tenant; one more is refused with `Overloaded`. */
  readonly maxQueue: number;
  /** Commands and events of one append. */
  readonly maxBatchCommands: number;
  readonly maxBatchEvents: number;
  /** Aggregates kept in memory per tenant. */
  readonly maxCachedAggregates: number;
  /** Keys remembered per tenant; older ones are found in the log. */
  readonly maxRecentKeys: number;
  /** Rounds of conflict before the callers get `Unavailable`. */
  readonly maxConflictRounds: number;
  /** Times the same append is tried again after an error that leaves its outcome open. */
  readonly maxAppendRetries: number;
  /** Events after the stored states' checkpoint that are folded when a tenant is opened. */
  readonly maxOpenTail: number;
}

export const DEFAULT_PROCESSOR_OPTIONS: ProcessorOptions = {
  maxQueue: 10_000,
  maxBatchCommands: 512,
  maxBatchEvents: 1_024,
  maxCachedAggregates: 200_000,
  maxRecentKeys: 200_000,
  maxConflictRounds: 30,
  maxAppendRetries: 6,
  maxOpenTail: 500_000,
};

/** What the processor tells about itself: for metrics. All members are called on the hot path: keep them cheap. */
export interface ProcessorObserver {
  batch(commands: number, events: number): void;
  conflict(): void;
  committed(events: readonly StoredEvent[]): void;
}

export interface ProcessorPorts {
  readonly log: EventLog;
  readonly states: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly observer?: ProcessorObserver;
}

interface Waiting {
  readonly command: Command;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  rounds: number;
}

interface Settled {
  readonly waiting: Waiting;
  readonly decision: Decision;
}

/** A decided batch on its way to the log. */
interface Batch {
  readonly work: Work;
  readonly settled: readonly Settled[];
  readonly sealed: readonly SealedEvent[];
  readonly expectedRevision: number;
  result: Promise<AppendResult | { readonly status: 'failed'; readonly error: unknown }>;
  done: boolean;
}

/** With an append under way the next batch is sent beside it only if it has this many events. */
const PIPELINE_WORTH_EVENTS = 64;

function weightOf(command: Command): number {
  return command.name === 'post-entries' ? (command as Command<'post-entries'>).payload.instructions.length : 1;
}

/** Rounds of loading that one batch may need: a command may look in one place to learn the next, not for ever. */
const MAX_LOAD_ROUNDS = 12;

/**
 * The single writer of one tenant in this process: collects commands, decides them in memory one after another,
 * appends all their events at once, and answers. While a batch is made durable the next one is decided. Another
 * process may write too: then the append is a conflict, the new tail is folded in and the batch is decided again.
 */
export class TenantWriter {
  readonly #queue: Waiting[] = [];
  readonly #memory: Memory;
  readonly #cache: AggregateCache;
  #head: LogHead | undefined;
  #running = false;
  #wake: (() => void) | undefined;
  /** Batches under way, oldest first. */
  readonly #inFlight: Batch[] = [];
  /** Commands that are decided alone because a batch with them was rejected. */
  #alone = 0;
  /** Memory may not be trusted: open again before the next batch. */
  #stale = true;

  constructor(
    readonly tenantId: string,
    private readonly ports: ProcessorPorts,
    private readonly options: ProcessorOptions,
  ) {
    this.#cache = new AggregateCache(options.maxCachedAggregates);
    this.#memory = {
      states: this.#cache,
      keys: new RecentMap<string, KeyAnswer>(options.maxRecentKeys),
      events: new Map(),
    };
  }

  get idle(): boolean {
    return !this.#running && this.#queue.length === 0;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  execute(command: Command): Promise<Outcome> {
    if (this.#queue.length >= this.options.maxQueue) return Promise.reject(new Overloaded());
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, resolve, reject, rounds: 0 });
      this.#wake?.();
      if (!this.#running) {
        this.#running = true;
        void this.#run();
      }
    });
  }

  async #run(): Promise<void> {
    const { clock } = this.ports;
    while (this.#queue.length > 0 || this.#inFlight.length > 0) {
      await clock.turn();
      while (this.#inFlight[0]?.done === true) await this.#finishOldest();
      if (this.#worthDeciding()) await this.#next();
      else await this.#somethingHappens();
    }
    this.#running = false;
  }

  /** With appends under way a small batch waits for company: every append costs a commit. */
  #worthDeciding(): boolean {
    if (this.#queue.length === 0) return false;
    if (this.#inFlight.length === 0) return true;
    let weight = 0;
    for (const { command } of this.#queue) {
      weight += weightOf(command);
      if (weight >= PIPELINE_WORTH_EVENTS) return true;
    }
    return false;
  }

  /** The oldest append comes back, or a command arrives. */
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
    const taken = this.#take();
    try {
      if (this.#stale) await this.#open();
      const batch = await this.#decide(taken);
      if (batch === undefined) return;
      let sound = true;
      while (this.#inFlight.length >= this.ports.log.pipelineDepth) sound = (await this.#finishOldest(batch)) && sound;
      // A batch that failed meanwhile has undone memory under this one: decide it again.
      if (sound) this.#send(batch);
      else this.#putBack(taken);
    } catch (error) {
      await this.#failed(taken, error);
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

  #putBack(taken: readonly Waiting[]): void {
    this.#queue.unshift(...taken);
  }

  /** Reads the head and folds what stored states do not hold yet, so that a cold aggregate is one query away. */
  async #open(): Promise<void> {
    const { log, states } = this.ports;
    const head = await log.head(this.tenantId);
    this.#cache.clear();
    const { revision } = await states.load(this.tenantId, []);
    this.#cache.advanceCheckpoint(revision);
    if (head.revision - revision > this.options.maxOpenTail) {
      throw new Unavailable(`stored states are ${head.revision - revision} events behind the log`);
    }
    await this.#foldTail(revision + 1, head.revision);
    this.#head = head;
    this.#stale = false;
  }

  /** Folds revisions from…to of the log into memory, loading what is not there. */
  async #foldTail(from: number, to: number): Promise<void> {
    if (to < from) return;
    const page: StoredEvent[] = [];
    for await (const event of this.ports.log.read(this.tenantId, { from, to })) {
      page.push(event);
      if (page.length >= 1_000) await this.#foldPage(page.splice(0));
    }
    await this.#foldPage(page);
  }

  async #foldPage(events: readonly StoredEvent[]): Promise<void> {
    const absent = new Set<Tag>();
    for (const event of events) {
      for (const tag of event.tags) if (!this.#cache.has(tag) && aggregateOf(tag) !== undefined) absent.add(tag);
    }
    if (absent.size > 0) await this.#load([...absent]);
    for (const event of events) {
      for (const tag of event.tags) {
        const entry = this.#cache.get(tag);
        if (entry === undefined || event.revision <= entry.touched) continue;
        entry.state = evolveTag(tag, entry.state, event);
        entry.touched = event.revision;
      }
      if (event.keyId !== undefined) this.#memory.keys.set(event.keyId, answerOf(event));
    }
  }

  /** Loads states into memory, each with the revision it is complete to. */
  async #load(tags: readonly Tag[]): Promise<void> {
    const loaded = await this.ports.states.load(this.tenantId, tags);
    this.#cache.advanceCheckpoint(loaded.revision);
    for (const tag of tags) {
      const found = aggregateOf(tag);
      if (found === undefined) continue;
      const stored = loaded.states.get(tag);
      const state = stored === undefined ? found.aggregate.initial(found.id) : found.aggregate.fromJson(stored as never);
      this.#cache.set(tag, state, loaded.revision);
    }
  }

  /** Decides a batch; undefined when nothing has to be appended (then its callers are answered already). */
  async #decide(taken: readonly Waiting[]): Promise<Batch | undefined> {
    if (!this.#cache.makeRoom()) {
      await this.#load([]);
      if (!this.#cache.makeRoom()) throw new Overloaded(5);
    }
    const head = this.#currentHead();
    this.#memory.events.clear();
    const now = this.#recordingTime(head);
    const work = new Work(this.tenantId, head.revision + 1, now, this.#memory, this.ports.ids);
    let settled: Settled[];
    try {
      settled = await this.#runAll(work, taken);
    } catch (error) {
      work.undoAll();
      throw error;
    }
    if (work.decided.length === 0) {
      await this.#answerWithoutEvents(settled);
      return undefined;
    }
    const sealed = this.#seal(work, head);
    return { work, settled, sealed, expectedRevision: head.revision, result: NOT_SENT, done: false };
  }

  /** Runs every command of the batch, loading what they miss, until all are decided. */
  async #runAll(work: Work, taken: readonly Waiting[]): Promise<Settled[]> {
    const settled: Settled[] = [];
    let open: readonly Waiting[] = taken;
    for (let round = 0; open.length > 0; round += 1) {
      const again: Waiting[] = [];
      const tags = new Set<Tag>();
      const events = new Set<string>();
      for (const waiting of open) {
        let result: ReturnType<Work['run']>;
        try {
          result = work.run(waiting.command);
        } catch (defect) {
          waiting.reject(defect);
          continue;
        }
        if ('missing' in result) {
          again.push(waiting);
          for (const tag of result.missing.tags) tags.add(tag);
          for (const id of result.missing.events) events.add(id);
        } else {
          settled.push({ waiting, decision: result });
        }
      }
      open = again;
      if (again.length === 0) break;
      if (round >= MAX_LOAD_ROUNDS) throw new Unavailable('a command needs more rounds of loading than there may be');
      if (tags.size > 0) await this.#load([...tags]);
      if (events.size > 0) await this.#loadEvents([...events]);
    }
    return settled;
  }

  async #loadEvents(ids: readonly string[]): Promise<void> {
    const found = await this.ports.log.eventsById(this.tenantId, ids);
    for (const id of ids) this.#memory.events.set(id, null);
    for (const event of found) this.#memory.events.set(event.id, event);
  }

  /** The head as it will be when everything under way has been appended. */
  #currentHead(): LogHead {
    if (this.#head === undefined) throw new Error('the writer is not open');
    return this.#head;
  }

  /** Time never runs backwards in a log. */
  #recordingTime(head: LogHead): string {
    const now = new Date(this.ports.clock.nowMs()).toISOString();
    return now > head.recordedAt ? now : head.recordedAt;
  }

  #seal(work: Work, head: LogHead): SealedEvent[] {
    let { hash } = head;
    let revision = head.revision;
    const sealed: SealedEvent[] = [];
    for (const { event, meta, keyId } of work.decided) {
      revision += 1;
      const next = seal(this.tenantId, revision, hash, work.now, event, meta, keyId);
      hash = next.hash;
      sealed.push(next);
    }
    return sealed;
  }

  #send(batch: Batch): void {
    const last = batch.sealed[batch.sealed.length - 1];
    if (last === undefined) throw new Error('an empty batch was sent');
    batch.result = this.ports.log
      .append(this.tenantId, batch.expectedRevision, batch.sealed)
      .catch((error: unknown) => ({ status: 'failed' as const, error }))
      .finally(() => {
        batch.done = true;
      });
    this.#inFlight.push(batch);
    this.#head = {
      revision: batch.expectedRevision + batch.sealed.length,
      hash: last.hash,
      recordedAt: last.recordedAt,
      position: '',
    };
    this.ports.observer?.batch(batch.settled.length, batch.sealed.length);
  }

  /** Waits for the oldest batch under way. If it failed, undoes `pending` (decided, not sent) and all behind it. */
  async #finishOldest(pending?: Batch): Promise<boolean> {
    const [batch] = this.#inFlight;
    if (batch === undefined) return true;
    let result = await batch.result;
    if (result.status === 'failed' && !(result.error instanceof AppendRejected)) result = await this.#retryAppend(batch);
    if (result.status === 'appended') {
      this.#inFlight.shift();
      this.#answer(batch, result);
      return true;
    }
    // Whatever was decided on top of it falls with it; its own result is a conflict or an error too.
    const behind = this.#inFlight.splice(0);
    await Promise.all(behind.map((other) => other.result));
    pending?.work.undoAll();
    for (const other of behind.reverse()) other.work.undoAll();
    this.#putBack(behind.reverse().flatMap((other) => other.settled.map(({ waiting }) => waiting)));
    await this.#recover(batch, result);
    return false;
  }

  /** The same append again: it is idempotent by event id, so a lost answer is found and nothing is doubled. */
  async #retryAppend(batch: Batch): Promise<AppendResult | { status: 'failed'; error: unknown }> {
    const { log, clock, ids } = this.ports;
    let error: unknown;
    for (let attempt = 1; attempt <= this.options.maxAppendRetries; attempt += 1) {
      await clock.sleep(Math.min(2_000, 20 * 2 ** attempt) * (0.5 + ids.random()));
      try {
        return await log.append(this.tenantId, batch.expectedRevision, batch.sealed);
      } catch (caught) {
        error = caught;
        if (caught instanceof AppendRejected) break;
      }
    }
    return { status: 'failed', error };
  }

  async #recover(batch: Batch, result: Exclude<Awaited<Batch['result']>, { status: 'appended' }>): Promise<void> {
    const first = batch.settled.map(({ waiting }) => waiting);
    // Memory stands where the last acknowledged append left it.
    this.#head = { ...this.#currentHead(), revision: batch.expectedRevision };
    try {
      if (result.status === 'keys-taken') {
        const events = await this.ports.log.eventsByKey(this.tenantId, result.keyIds);
        for (const event of events) if (event.keyId !== undefined) this.#memory.keys.set(event.keyId, answerOf(event));
      } else if (result.status === 'conflict') {
        this.ports.observer?.conflict();
        await this.#backOff(first);
      } else if (result.error instanceof AppendRejected) {
        if (first.length === 1) this.#reject(first, result.error);
        else this.#alone = first.length;
      } else {
        this.#stale = true;
        this.#reject(first, new Unavailable('the log could not be reached', { cause: result.error }));
        return;
      }
      await this.#catchUp(batch.expectedRevision);
    } catch {
      this.#stale = true;
    }
  }

  /** Folds in what others appended after the last revision this writer knows. */
  async #catchUp(known: number): Promise<void> {
    const head = await this.ports.log.head(this.tenantId);
    await this.#foldTail(known + 1, head.revision);
    this.#head = head;
  }

  /** Counts a round against the callers; those that lost too often are told so. Waits a moment with jitter. */
  async #backOff(waiting: readonly Waiting[]): Promise<void> {
    let most = 0;
    const lost: Waiting[] = [];
    for (const one of waiting) {
      one.rounds += 1;
      most = Math.max(most, one.rounds);
      if (one.rounds > this.options.maxConflictRounds) lost.push(one);
    }
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

  /** Something outside an append failed: the callers are told, memory is opened anew. */
  async #failed(taken: readonly Waiting[], error: unknown): Promise<void> {
    while (this.#inFlight.length > 0) await this.#finishOldest();
    this.#stale = true;
    const cause = error instanceof Overloaded || error instanceof Unavailable ? error : new Unavailable('the log could not be reached', { cause: error });
    this.#reject(taken, cause);
  }

  /** Refusals and replays rest on memory: they are given only if the log still ends where memory thinks it does. */
  async #answerWithoutEvents(settled: readonly Settled[]): Promise<void> {
    let sound = true;
    while (this.#inFlight.length > 0) sound = (await this.#finishOldest()) && sound;
    const known = this.#currentHead().revision;
    const head = await this.ports.log.head(this.tenantId);
    if (!sound || head.revision !== known) {
      if (!this.#stale) await this.#catchUp(known);
      this.#putBack(settled.map(({ waiting }) => waiting));
      return;
    }
    this.#head = head;
    for (const { waiting, decision } of settled) this.#settle(waiting, decision, [], head.revision, head.position);
  }

  #answer(batch: Batch, appended: Extract<AppendResult, { status: 'appended' }>): void {
    const { work, sealed } = batch;
    const events: CommittedEvent[] = work.decided.map(({ event, meta }) => committed(event, work.now, meta));
    this.#publish(batch, events, appended);
    for (const { waiting, decision } of batch.settled) {
      this.#settle(waiting, decision, events, appended.lastRevision, appended.lastPosition);
    }
    if (sealed.length !== events.length) throw new Error('sealed and committed events differ in number');
  }

  #publish(batch: Batch, events: readonly CommittedEvent[], appended: Extract<AppendResult, { status: 'appended' }>): void {
    const { observer } = this.ports;
    if (observer === undefined) return;
    observer.committed(
      batch.sealed.map((one, index) => {
        const event = events[index] as CommittedEvent;
        return {
          ...one,
          data: event.data,
          meta: event.meta,
          tenantId: this.tenantId,
          revision: batch.expectedRevision + 1 + index,
          position: appended.positionAt(index),
          storedVersion: one.version,
        };
      }),
    );
  }

  #settle(
    waiting: Waiting,
    decision: Decision,
    events: readonly CommittedEvent[],
    revision: number,
    position: string,
  ): void {
    if (decision.status === 'refused') {
      const { refusal, replayed } = decision;
      waiting.resolve({ status: 'refused', refusal, replayed });
      return;
    }
    if (decision.status === 'accepted' && decision.parts.every((part) => 'index' in part)) {
      const own = decision.parts.map((part) => events[(part as { index: number }).index] as CommittedEvent);
      waiting.resolve({ status: 'accepted', events: own, revision, position, replayed: false });
      return;
    }
    void this.#settleFromLog(waiting, decision, events, revision, position);
  }

  /** Answers that hold parts of earlier commits read them from the log. */
  async #settleFromLog(
    waiting: Waiting,
    decision: Exclude<Decision, { status: 'refused' }>,
    events: readonly CommittedEvent[],
    revision: number,
    position: string,
  ): Promise<void> {
    try {
      if (decision.status === 'replay') {
        const replayed = await this.#readCommit(decision.answer);
        waiting.resolve({ status: 'accepted', events: replayed, revision, position, replayed: true });
        return;
      }
      const parts: CommittedEvent[] = [];
      for (const part of decision.parts) {
        if ('index' in part) parts.push(events[part.index] as CommittedEvent);
        else parts.push(...(await this.#readRevisions(part.replay.revision, part.replay.revision)).map(asReplayed));
      }
      const replayed = decision.parts.length > 0 && decision.parts.every((part) => 'replay' in part);
      waiting.resolve({ status: 'accepted', events: parts, revision, position, replayed });
    } catch (error) {
      waiting.reject(new Unavailable('the first answer could not be read', { cause: error }));
    }
  }

  /** The events of the commit that a header key answered, with earlier parts put back in their places. */
  async #readCommit(answer: KeyAnswer): Promise<CommittedEvent[]> {
    const stored = await this.#readRevisions(answer.revision, answer.revision + answer.events - 1);
    const [first] = stored;
    if (first === undefined || first.type !== 'command-accepted') return stored;
    const { replays = [] } = first.data as { replays?: Array<{ index: number; revision: number }> };
    const parts = stored.slice(1);
    for (const { index, revision } of replays) {
      parts.splice(index, 0, ...(await this.#readRevisions(revision, revision)).map(asReplayed));
    }
    return parts;
  }

  async #readRevisions(from: number, to: number): Promise<CommittedEvent[]> {
    const events: CommittedEvent[] = [];
    for await (const event of this.ports.log.read(this.tenantId, { from, to })) events.push(event);
    if (events.length !== to - from + 1) throw new Error(`revisions ${from} to ${to} are not all there`);
    return events;
  }
}

const NOT_SENT: Batch['result'] = Promise.resolve({ status: 'failed', error: new Error('the batch was not sent') });

const asReplayed = (event: CommittedEvent): CommittedEvent => ({ ...event, replayed: true });

/** What a stored keyed event answers. */
function answerOf(event: StoredEvent): KeyAnswer {
  const { requestHash = '', events = '1' } = event.meta;
  const answer = { requestHash, revision: event.revision, events: Number.parseInt(events, 10) };
  return event.type === 'command-refused' ? { ...answer, refusal: refusalOf(event) } : answer;
}

function refusalOf(event: DomainEvent): Refusal {
  const { operation: _operation, instructionKey: _key, ...refusal } = event.data as Refusal & {
    operation: string;
    instructionKey?: string;
  };
  return refusal;
}
