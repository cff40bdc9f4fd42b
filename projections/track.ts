import type { Clock } from '../application/ports/clock.js';
import type { StoredEvent } from '../application/ports/event-log.js';
import {
  ChangesRejected,
  type ProjectionState,
  type TableChanges,
  type Target,
} from '../application/ports/read-store.js';
import { UnknownEvent } from '../domain/event-types.js';
import type { EventFeed } from './feed.js';
import { type BatchPorts, ProjectionFault, projectBatch } from './project-batch.js';
import type { Projection } from './projection.js';
import type { RunnerObserver, RunnerOptions } from './runner-options.js';

/** What a step did: whether anything moved, and whether a batch was full, so that there is probably more. */
export interface StepReport {
  readonly applied: number;
  readonly moved: boolean;
  readonly full: boolean;
}

const NOTHING: StepReport = { applied: 0, moved: false, full: false };
const MOVED: StepReport = { applied: 0, moved: true, full: false };

export interface TrackPorts extends BatchPorts {
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly observer?: RunnerObserver;
  /** Whether this process is the one that projects it; unset: it is. Those who stand by only watch the checkpoint. */
  readonly leads?: (projection: Projection) => boolean;
}

/** Where one projection is, and how it gets on: a batch at a time, its checkpoint by compare-and-set. */
export class Track {
  state: ProjectionState;
  /** What is known of the state may be wrong: it is read before the next batch. */
  reload = true;
  /** Present limit of a batch: halved to find the event at fault, doubled when all is well. */
  #limit: number;
  /** Time before which nothing is tried: another process is active, or it is parked or not live. */
  #notBeforeMs = 0;
  /** recordedAt (ms) of the last event that was applied here. */
  #lastRecordedMs = 0;
  readonly #handles: ReadonlySet<string> | undefined;
  #stoodBy = false;

  constructor(
    readonly projection: Projection,
    private readonly ports: TrackPorts,
    private readonly options: RunnerOptions,
    /** Whether somebody waits for a position: then other processes are watched more closely. */
    private readonly awaited: () => boolean,
  ) {
    const { name, version, handles } = projection;
    this.#handles = handles === 'all' ? undefined : new Set(handles);
    this.#limit = options.maxBatch;
    this.state = { name, version, generation: 0, checkpoint: '', status: 'rebuilding', error: null };
  }

  isDue(nowMs: number): boolean {
    const { asideMs, recheckMs } = this.options;
    // Further away than any pause: the clock was set back.
    return this.#notBeforeMs <= nowMs || this.#notBeforeMs > nowMs + Math.max(asideMs, recheckMs);
  }

  get isRunning(): boolean {
    return this.state.status === 'running' && this.state.generation > 0;
  }

  /** Nobody misses what it has not seen, and less than a full batch waits for it. */
  get mayRest(): boolean {
    const { log, newest } = this.ports.feed;
    return !this.projection.answersQueries && log.distance(this.state.checkpoint, newest) < this.#limit;
  }

  /** One batch at most. Throws when the log or the store cannot be reached. */
  async advance(poll: boolean): Promise<StepReport> {
    if (!this.#leads) {
      this.projection.forget?.();
      this.reload = true;
      return NOTHING;
    }
    const limit = this.#limit;
    let events: readonly StoredEvent[];
    try {
      events = await this.ports.feed.read(this.state.checkpoint, limit, poll);
    } catch (error) {
      // The log cannot read one of these events: those before it are applied first.
      if (error instanceof UnknownEvent) return this.#fault(error, limit);
      throw error;
    }
    const last = events.at(-1);
    if (last === undefined) return NOTHING;
    const startedMs = this.ports.clock.nowMs();
    try {
      const changes = await projectBatch(this.projection, this.ports, this.#target(), this.#relevant(events));
      if (!(await this.#apply(changes, last.position))) return this.#outrun();
    } catch (error) {
      if (error instanceof ProjectionFault) return this.#fault(error.fault, events.length, last);
      if (error instanceof ChangesRejected) return this.#fault(error, events.length, last);
      // Whether it was applied is not known.
      this.projection.forget?.();
      this.reload = true;
      throw error;
    }
    this.state = { ...this.state, checkpoint: last.position, status: 'running', error: null };
    this.#lastRecordedMs = Date.parse(last.recordedAt);
    this.#limit = Math.min(this.options.maxBatch, limit * 2);
    const durationMs = this.ports.clock.nowMs() - startedMs;
    this.ports.observer?.batch?.(this.projection.name, { events: events.length, durationMs });
    return { applied: events.length, moved: true, full: events.length >= limit };
  }

  get #leads(): boolean {
    return this.ports.leads?.(this.projection) ?? true;
  }

  #relevant(events: readonly StoredEvent[]): readonly StoredEvent[] {
    const handles = this.#handles;
    return handles === undefined ? events : events.filter(({ type }) => handles.has(type));
  }

  async #apply(changes: readonly TableChanges[], next: string): Promise<boolean> {
    return (await this.ports.store.apply(this.#target(), this.state.checkpoint, next, changes)) === 'applied';
  }

  #target(): Target {
    return { projection: this.projection, generation: this.state.generation };
  }

  /** Another process was first, or another build is live. */
  #outrun(): StepReport {
    this.ports.observer?.stale?.(this.projection.name);
    this.projection.forget?.();
    this.reload = true;
    this.#standAside();
    return MOVED;
  }

  /** Halves the batch until the event at fault stands alone; then parks. */
  async #fault(error: Error, batch: number, event?: StoredEvent): Promise<StepReport> {
    this.projection.forget?.();
    // Rows that were read may be newer than the checkpoint they were read for: then another process was first, that is all.
    if (await this.#movedOn()) return this.#outrun();
    if (batch > 1) {
      this.#limit = Math.max(1, batch >> 1);
      return { ...MOVED, full: true };
    }
    const where =
      event === undefined ? '' : ` (${event.type} ${event.id}, tenant ${event.tenantId}, revision ${event.revision})`;
    const text = `${error.message}${where}`;
    this.state = { ...this.state, status: 'parked', error: text };
    this.#notBeforeMs = this.ports.clock.nowMs() + this.options.recheckMs;
    this.reload = true;
    this.#limit = this.options.maxBatch;
    this.ports.observer?.parked?.(this.projection.name, error);
    await this.ports.store.park(this.#target(), text);
    return MOVED;
  }

  async #movedOn(): Promise<boolean> {
    const { name, version, generation, checkpoint } = this.state;
    const states = await this.ports.store.states();
    const now = states.find((one) => one.name === name && one.version === version && one.generation === generation);
    return now?.checkpoint !== checkpoint;
  }

  /** Another process is active on it: let that one work, look again, and take over only if it does not move on. */
  #standAside(): void {
    const { asideMs, asideWaitingMs } = this.options;
    this.#notBeforeMs = this.ports.clock.nowMs() + (this.awaited() ? asideWaitingMs : asideMs);
  }

  /** Takes over what the store says, and decides whether to go on. */
  reloaded(states: readonly ProjectionState[]): void {
    const nowMs = this.ports.clock.nowMs();
    const { name, version } = this.projection;
    const before = this.state;
    const live = states.find((one) => one.name === name && one.version === version && one.status !== 'rebuilding');
    this.projection.forget?.();
    if (live === undefined) {
      // Another version is live (still, or already): this one waits for a rebuild to switch to it.
      this.state = { ...before, status: 'rebuilding' };
      this.#notBeforeMs = nowMs + this.options.recheckMs;
      return;
    }
    if (!this.#leads) {
      this.state = live;
      this.#stoodBy = true;
      this.#standAside();
      return;
    }
    const tookOver = this.#stoodBy;
    this.#stoodBy = false;
    const moved = live.checkpoint !== before.checkpoint;
    // A fresh runner tries a parked projection once: the code may have been mended.
    if (live.status === 'parked' && before.status === 'parked' && !moved && !tookOver) {
      this.state = live;
      this.#notBeforeMs = nowMs + this.options.recheckMs;
      return;
    }
    this.state = { ...live, status: 'running' };
    if (moved && before.generation === live.generation && !tookOver) this.#standAside();
    else this.reload = false;
  }

  /** Tries again now, whatever it was that stopped it. */
  retry(): void {
    this.state = { ...this.state, generation: 0, status: 'running', error: null };
    this.#notBeforeMs = 0;
    this.reload = true;
  }

  /** Somebody waits: what another process does is looked at sooner. */
  hurry(): void {
    if (!this.isRunning) return;
    this.#notBeforeMs = Math.min(this.#notBeforeMs, this.ports.clock.nowMs() + this.options.asideWaitingMs);
  }

  get lag(): { readonly lagEvents: number; readonly lagSeconds: number } {
    const { feed, clock } = this.ports;
    const { checkpoint } = this.state;
    const lagEvents = Math.max(0, feed.log.distance(checkpoint, feed.newest));
    if (lagEvents === 0) return { lagEvents, lagSeconds: 0 };
    const next = feed.peek(checkpoint);
    const sinceMs = next === undefined ? this.#lastRecordedMs : Date.parse(next.recordedAt);
    return { lagEvents, lagSeconds: sinceMs === 0 ? 0 : Math.max(0, clock.nowMs() - sinceMs) / 1000 };
  }
}
