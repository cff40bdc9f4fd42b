import { UnknownEvent } from '../domain/event-types.js';
import type { Clock } from '../application/ports/clock.js';
import type { StoredEvent } from '../application/ports/event-log.js';
import {
  ChangesRejected,
  type ProjectionState,
  type ReadStore,
  type TableChanges,
  type Target,
} from '../application/ports/read-store.js';
import type { EventFeed } from './feed.js';
import { PositionWaiters } from './position-waiters.js';
import { ProjectionFault, projectBatch } from './project-batch.js';
import type { Projection } from './projection.js';

export interface RunnerOptions {
  /** Most events of one batch. Bigger ones collapse more changes of the same row, and delay those who wait longer. */
  readonly maxBatch: number;
  /** How often the log is asked when nobody publishes here. */
  readonly pollMs: number;
  /** Least time from one batch to the next under light load: a batch has a price that does not depend on its size. */
  readonly paceMs: number;
  /** The same where more than `BUSY_EVENTS_PER_MS` arrive: fewer, bigger batches leave the processor to the commands. */
  readonly busyPaceMs: number;
  /** How long a projection that answers no queries lets less than a full batch wait: nobody misses it. */
  readonly unaskedPaceMs: number;
  /** How long a runner stands aside when another process was first, and how often it looks when somebody waits. */
  readonly asideMs: number;
  readonly asideWaitingMs: number;
  /** How often a parked or not yet live projection looks whether it may go on. */
  readonly recheckMs: number;
  /** Longest pause after errors of the store or the log. */
  readonly maxBackOffMs: number;
}

export const DEFAULT_RUNNER_OPTIONS: RunnerOptions = {
  maxBatch: 2_000,
  pollMs: 50,
  paceMs: 20,
  busyPaceMs: 100,
  unaskedPaceMs: 500,
  asideMs: 200,
  asideWaitingMs: 20,
  recheckMs: 2_000,
  maxBackOffMs: 5_000,
};

/** What the runner tells about itself: for metrics and the operator's log. */
export interface RunnerObserver {
  batch?(name: string, batch: { readonly events: number; readonly durationMs: number }): void;
  parked?(name: string, error: Error): void;
  stale?(name: string): void;
  /** An error that passes: the database or the log could not be reached. */
  failed?(error: unknown): void;
}

export interface ProjectionStatus extends ProjectionState {
  /** Events of the log that are not in the tables yet, as far as this process knows. */
  readonly lagEvents: number;
  /** Age of the oldest event that is not in the tables (or of the last one that is); 0 when there is none. */
  readonly lagSeconds: number;
}

const BUSY_EVENTS_PER_MS = 1;

/** How often the end of the log is asked for. */
const LOOK_MS = 1_000;

interface Track {
  readonly projection: Projection;
  readonly handles: ReadonlySet<string> | undefined;
  state: ProjectionState;
  /** Present limit of a batch: halved to find the event at fault, doubled when all is well. */
  limit: number;
  /** Time before which nothing is tried: another process is active, or it is parked or not live. */
  notBeforeMs: number;
  /** What is known of the state may be wrong: read it before the next batch. */
  reload: boolean;
  /** recordedAt (ms) of the last event that was applied here. */
  lastRecordedMs: number;
}

/** What a step did: whether anything moved, and whether a batch was full, so that there is probably more. */
export interface StepReport {
  readonly applied: number;
  readonly moved: boolean;
  readonly full: boolean;
}

const NOTHING: StepReport = { applied: 0, moved: false, full: false };

/**
 * Brings read models up to date, each at its own pace: exactly once by compare-and-set of its checkpoint, so any number
 * of runners may run. A projection that fails is tried with ever smaller batches, so that all before the event at fault
 * is applied, and is parked there; the others go on. Has no timers of its own: `step` does one bounded batch of each,
 * `run` steps for ever by the given clock.
 */
export class ProjectionRunner {
  readonly #tracks: Track[];
  readonly #waiters: PositionWaiters;
  readonly #options: RunnerOptions;
  #stepping: Promise<StepReport> | undefined;
  /** Ends the rest between two steps: somebody waits. */
  #hurry: AbortController | undefined;

  constructor(
    private readonly ports: {
      readonly projections: readonly Projection[];
      readonly store: ReadStore;
      readonly feed: EventFeed;
      readonly clock: Clock;
      readonly observer?: RunnerObserver;
    },
    options: Partial<RunnerOptions> = {},
  ) {
    this.#options = { ...DEFAULT_RUNNER_OPTIONS, ...options };
    this.#tracks = ports.projections.map((projection) => ({
      projection,
      handles: projection.handles === 'all' ? undefined : new Set(projection.handles),
      state: {
        name: projection.name,
        version: projection.version,
        generation: 0,
        checkpoint: '',
        status: 'rebuilding',
        error: null,
      },
      limit: this.#options.maxBatch,
      notBeforeMs: 0,
      reload: true,
      lastRecordedMs: 0,
    }));
    this.#waiters = new PositionWaiters(ports.clock, (a, b) => ports.feed.log.comparePositions(a, b));
  }

  /** Hands over events that this process has just appended, so that nothing has to be read back. */
  publish(events: readonly StoredEvent[]): void {
    this.ports.feed.publish(events);
  }

  /** Steps until aborted. Errors that pass are waited out, ever longer. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, feed, observer } = this.ports;
    const { pollMs, unaskedPaceMs, maxBackOffMs } = this.#options;
    let failures = 0;
    let polledMs = Number.NEGATIVE_INFINITY;
    let lookedMs = Number.NEGATIVE_INFINITY;
    let previousMs = Number.NEGATIVE_INFINITY;
    let unaskedMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const startedMs = clock.nowMs();
      const poll = startedMs - polledMs >= pollMs;
      if (poll) polledMs = startedMs;
      try {
        // Far behind, the end of the log is not what was read last: without it there would be no lag to see.
        if (startedMs - lookedMs >= LOOK_MS) {
          lookedMs = startedMs;
          await feed.look();
        }
        const unasked = startedMs - unaskedMs >= unaskedPaceMs;
        if (unasked) unaskedMs = startedMs;
        const report = await this.step({ poll, unasked });
        failures = 0;
        if (report.full || signal.aborted) continue;
        if (report.moved) {
          const restMs = this.#paceMs(report, startedMs - previousMs) - (clock.nowMs() - startedMs);
          previousMs = startedMs;
          if (restMs >= 1) await this.#rest(restMs, signal);
          continue;
        }
        await feed.wait(this.#wokenBy(), this.#idleMs(), signal);
      } catch (error) {
        failures += 1;
        observer?.failed?.(error);
        await quietly(clock.sleep(Math.min(maxBackOffMs, 50 * 2 ** failures), signal));
      }
    }
  }

  /** Waits, but not longer than until somebody waits for a position. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const hurry = new AbortController();
    const wake = (): void => hurry.abort();
    this.#hurry = hurry;
    signal.addEventListener('abort', wake);
    await quietly(this.ports.clock.sleep(ms, hurry.signal));
    signal.removeEventListener('abort', wake);
    this.#hurry = undefined;
  }

  /** Time from one step to the next: short while somebody waits for a position, long under load. */
  #paceMs(report: StepReport, cycleMs: number): number {
    const { paceMs, busyPaceMs } = this.#options;
    if (this.#waiters.size > 0) return paceMs / 5;
    return report.applied / this.#tracks.length >= cycleMs * BUSY_EVENTS_PER_MS ? busyPaceMs : paceMs;
  }

  /**
   * One batch at most of every projection. Throws when the log or the store cannot be reached; the next step starts
   * from what the store then says. `poll` false: the log is not asked for news, only for what is known to be there.
   * `unasked` false: projections that answer no queries rest, unless a full batch waits for them.
   */
  step(options: { readonly poll?: boolean; readonly unasked?: boolean } = {}): Promise<StepReport> {
    // Two callers share a step: a projection must not run twice at once.
    this.#stepping ??= this.#stepAll(options.poll ?? true, options.unasked ?? true).finally(() => {
      this.#stepping = undefined;
    });
    return this.#stepping;
  }

  async #stepAll(poll: boolean, unasked: boolean): Promise<StepReport> {
    const nowMs = this.ports.clock.nowMs();
    const due = this.#tracks.filter((track) => track.notBeforeMs <= nowMs && (unasked || !this.#mayRest(track)));
    if (due.some((track) => track.reload)) await this.#reload(due, nowMs);
    const advancing: Array<Promise<StepReport>> = [];
    for (const track of due) {
      if (!isRunning(track) || track.reload) continue;
      const advance = this.#advance(track, poll);
      advance.catch(() => undefined);
      advancing.push(advance);
      // Lets the store send what there is: it writes one projection's rows while the next one is computed.
      await this.ports.clock.turn();
    }
    const settled = await Promise.allSettled(advancing);
    this.#waiters.advanced(this.#reached());
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const reports = settled.map((result) => (result as PromiseFulfilledResult<StepReport>).value);
    return {
      applied: reports.reduce((sum, report) => sum + report.applied, 0),
      moved: reports.some((report) => report.moved),
      full: reports.some((report) => report.full),
    };
  }

  #mayRest({ projection, state, limit }: Track): boolean {
    const { log, newest } = this.ports.feed;
    return !projection.answersQueries && log.distance(state.checkpoint, newest) < limit;
  }

  async #advance(track: Track, poll: boolean): Promise<StepReport> {
    const { store, feed, observer, clock } = this.ports;
    const startedMs = clock.nowMs();
    const { limit, projection } = track;
    const { checkpoint } = track.state;
    let events: readonly StoredEvent[];
    let changes: readonly TableChanges[];
    try {
      events = await feed.read(checkpoint, limit, poll);
    } catch (error) {
      // The log cannot read one of these events: those before it are applied first.
      if (error instanceof UnknownEvent) return this.#fault(track, error, limit);
      throw error;
    }
    const last = events.at(-1);
    if (last === undefined) return NOTHING;
    try {
      const relevant = track.handles === undefined ? events : events.filter(({ type }) => track.handles?.has(type));
      changes = await projectBatch(projection, store, targetOf(track), relevant);
    } catch (error) {
      if (error instanceof ProjectionFault) return this.#fault(track, error.fault, events.length, last);
      track.reload = true;
      throw error;
    }
    try {
      if ((await store.apply(targetOf(track), checkpoint, last.position, changes)) === 'stale') {
        observer?.stale?.(projection.name);
        projection.forget?.();
        track.reload = true;
        this.#standAside(track);
        return { applied: 0, moved: true, full: false };
      }
    } catch (error) {
      // Whether it was applied is not known, unless it was refused.
      if (error instanceof ChangesRejected) return this.#fault(track, error, events.length, last);
      projection.forget?.();
      track.reload = true;
      throw error;
    }
    track.state = { ...track.state, checkpoint: last.position, status: 'running', error: null };
    track.lastRecordedMs = Date.parse(last.recordedAt);
    track.limit = Math.min(this.#options.maxBatch, limit * 2);
    observer?.batch?.(projection.name, { events: events.length, durationMs: clock.nowMs() - startedMs });
    return { applied: events.length, moved: true, full: events.length >= limit };
  }

  /** Halves the batch until the event at fault stands alone; then parks. */
  async #fault(track: Track, error: Error, batch: number, event?: StoredEvent): Promise<StepReport> {
    track.projection.forget?.();
    // Rows that were read may be newer than the checkpoint they were read for: then another process was first, that is all.
    if (await this.#movedOn(track)) {
      this.ports.observer?.stale?.(track.projection.name);
      track.reload = true;
      this.#standAside(track);
      return { applied: 0, moved: true, full: false };
    }
    if (batch > 1) {
      track.limit = Math.max(1, batch >> 1);
      return { applied: 0, moved: true, full: true };
    }
    const where =
      event === undefined ? '' : ` (${event.type} ${event.id}, tenant ${event.tenantId}, revision ${event.revision})`;
    const text = `${error.message}${where}`;
    track.state = { ...track.state, status: 'parked', error: text };
    track.notBeforeMs = this.ports.clock.nowMs() + this.#options.recheckMs;
    track.reload = true;
    track.limit = this.#options.maxBatch;
    this.ports.observer?.parked?.(track.projection.name, error);
    await this.ports.store.park(targetOf(track), text);
    return { applied: 0, moved: true, full: false };
  }

  async #movedOn({ projection, state }: Track): Promise<boolean> {
    const states = await this.ports.store.states();
    const { name, version } = projection;
    const now = states.find(
      (one) => one.name === name && one.version === version && one.generation === state.generation,
    );
    return now === undefined || now.checkpoint !== state.checkpoint;
  }

  /** Another process is active on it: let that one work, look again, and take over only if it does not move on. */
  #standAside(track: Track): void {
    const { asideMs, asideWaitingMs } = this.#options;
    track.notBeforeMs = this.ports.clock.nowMs() + (this.#waiters.size > 0 ? asideWaitingMs : asideMs);
  }

  async #reload(tracks: readonly Track[], nowMs: number): Promise<void> {
    const states = await this.ports.store.states();
    for (const track of tracks) {
      if (!track.reload) continue;
      const { name, version } = track.projection;
      const live = states.find(
        (state) => state.name === name && state.version === version && state.status !== 'rebuilding',
      );
      const before = track.state;
      track.projection.forget?.();
      if (live === undefined) {
        // Another version is live (still, or already): this one waits for a rebuild to switch to it.
        track.state = { ...before, status: 'rebuilding' };
        track.notBeforeMs = nowMs + this.#options.recheckMs;
        continue;
      }
      // A fresh runner tries a parked projection once: the code may have been mended.
      const stillParked =
        live.status === 'parked' && before.status === 'parked' && live.checkpoint === before.checkpoint;
      const othersMove = before.generation !== 0 && live.checkpoint !== before.checkpoint && !stillParked;
      track.state = stillParked ? live : { ...live, status: 'running' };
      if (stillParked) track.notBeforeMs = nowMs + this.#options.recheckMs;
      else if (othersMove && live.generation === before.generation) this.#standAside(track);
      else track.reload = false;
    }
    this.#waiters.advanced(this.#reached());
  }

  /** Parked projections try again now, not at their next look. */
  async unpark(name: string): Promise<boolean> {
    const wasParked = await this.ports.store.unpark(name);
    for (const track of this.#tracks) {
      if (track.projection.name !== name) continue;
      track.state = { ...track.state, generation: 0, status: 'running', error: null };
      track.notBeforeMs = 0;
      track.reload = true;
    }
    return wasParked;
  }

  /** True when all projections that answer queries have seen `position`; false when they did not within the time. */
  waitFor(position: string, timeoutMs: number): Promise<boolean> {
    const reached = this.#reached();
    if (position === '' || (reached !== undefined && this.ports.feed.log.comparePositions(reached, position) >= 0)) {
      return Promise.resolve(true);
    }
    // It will not come in time: better known at once.
    if (this.#tracks.some(({ projection, state }) => projection.answersQueries && state.status === 'parked')) {
      return Promise.resolve(false);
    }
    const { asideWaitingMs } = this.#options;
    const soonMs = this.ports.clock.nowMs() + asideWaitingMs;
    for (const track of this.#tracks) {
      if (isRunning(track)) track.notBeforeMs = Math.min(track.notBeforeMs, soonMs);
    }
    this.#hurry?.abort();
    return this.#waiters.add(position, timeoutMs);
  }

  status(): ProjectionStatus[] {
    const { feed, clock } = this.ports;
    return this.#tracks.map(({ state, lastRecordedMs }) => {
      const lagEvents = Math.max(0, feed.log.distance(state.checkpoint, feed.newest));
      const next = lagEvents === 0 ? undefined : feed.peek(state.checkpoint);
      const sinceMs = next === undefined ? lastRecordedMs : Date.parse(next.recordedAt);
      const lagSeconds = lagEvents === 0 || sinceMs === 0 ? 0 : Math.max(0, clock.nowMs() - sinceMs) / 1000;
      return { ...state, lagEvents, lagSeconds };
    });
  }

  /** The least checkpoint of the projections that answer queries; undefined while one has not been read. */
  #reached(): string | undefined {
    let least: string | undefined;
    for (const { projection, state } of this.#tracks) {
      if (!projection.answersQueries) continue;
      if (state.generation === 0) return undefined;
      if (least === undefined || this.ports.feed.log.comparePositions(state.checkpoint, least) < 0)
        least = state.checkpoint;
    }
    return least;
  }

  /** What every running projection has seen: news beyond it are a reason to step. */
  #wokenBy(): string {
    const nowMs = this.ports.clock.nowMs();
    let least: string | undefined;
    for (const track of this.#tracks) {
      if (!isRunning(track) || track.reload || track.notBeforeMs > nowMs || this.#mayRest(track)) continue;
      if (least === undefined || this.ports.feed.log.comparePositions(track.state.checkpoint, least) < 0) {
        least = track.state.checkpoint;
      }
    }
    return least ?? this.ports.feed.newest;
  }

  #idleMs(): number {
    const { pollMs, asideWaitingMs } = this.#options;
    const aside = this.#waiters.size > 0 && this.#tracks.some((track) => isRunning(track) && track.reload);
    return aside ? Math.min(pollMs, asideWaitingMs) : pollMs;
  }
}

function isRunning(track: Track): boolean {
  return track.state.status === 'running' && track.state.generation > 0;
}

function targetOf(track: Track): Target {
  return { projection: track.projection, generation: track.state.generation };
}

/** Waits; being told to stop ends the wait, not the program. */
async function quietly(wait: Promise<void>): Promise<void> {
  await wait.catch(() => undefined);
}
