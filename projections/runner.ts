import type { StoredEvent } from '../application/ports/event-log.js';
import { hasPassed } from '../application/elapsed.js';
import type { ProjectionState } from '../application/ports/read-store.js';
import { PositionWaiters } from './position-waiters.js';
import type { Projection } from './projection.js';
import { DEFAULT_RUNNER_OPTIONS, type RunnerOptions } from './runner-options.js';
import { type StepReport, Track, type TrackPorts } from './track.js';

export interface ProjectionStatus extends ProjectionState {
  /** Events of the log that are not in the tables yet, as far as this process knows. */
  readonly lagEvents: number;
  /** Age of the oldest event that is not in the tables (or of the last one that is); 0 when there is none. */
  readonly lagSeconds: number;
}

const BUSY_EVENTS_PER_MS = 1;

/** How often the end of the log is asked for. */
const LOOK_MS = 1_000;

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
    private readonly ports: TrackPorts & { readonly projections: readonly Projection[] },
    options: Partial<RunnerOptions> = {},
  ) {
    this.#options = { ...DEFAULT_RUNNER_OPTIONS, ...options };
    this.#waiters = new PositionWaiters(ports.clock, (a, b) => ports.feed.log.comparePositions(a, b));
    const awaited = (): boolean => this.#waiters.size > 0;
    this.#tracks = ports.projections.map((projection) => new Track(projection, ports, this.#options, awaited));
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
      const poll = hasPassed(pollMs, polledMs, startedMs);
      if (poll) polledMs = startedMs;
      try {
        // Far behind, the end of the log is not what was read last: without it there would be no lag to see.
        if (hasPassed(LOOK_MS, lookedMs, startedMs)) {
          lookedMs = startedMs;
          await feed.look();
        }
        const unasked = hasPassed(unaskedPaceMs, unaskedMs, startedMs);
        if (unasked) unaskedMs = startedMs;
        const report = await this.step({ poll, unasked });
        failures = 0;
        if (report.full || signal.aborted) continue;
        if (report.moved) {
          const restMs = this.#paceMs(report, startedMs - previousMs) - Math.max(0, clock.nowMs() - startedMs);
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
    const due = this.#tracks.filter((track) => track.isDue(nowMs) && (unasked || !track.mayRest));
    if (due.some(({ reload }) => reload)) await this.#reload(due);
    const advancing: Array<Promise<StepReport>> = [];
    for (const track of due) {
      if (!track.isRunning || track.reload) continue;
      const advance = track.advance(poll);
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

  async #reload(tracks: readonly Track[]): Promise<void> {
    const states = await this.ports.store.states();
    for (const track of tracks) if (track.reload) track.reloaded(states);
    this.#waiters.advanced(this.#reached());
  }

  /** Parked projections try again now, not at their next look. */
  async unpark(name: string): Promise<boolean> {
    const wasParked = await this.ports.store.unpark(name);
    for (const track of this.#tracks) if (track.projection.name === name) track.retry();
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
    for (const track of this.#tracks) track.hurry();
    this.#hurry?.abort();
    return this.#waiters.add(position, timeoutMs);
  }

  status(): ProjectionStatus[] {
    return this.#tracks.map((track) => ({ ...track.state, ...track.lag }));
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
      if (!track.isRunning || track.reload || !track.isDue(nowMs) || track.mayRest) continue;
      if (least === undefined || this.ports.feed.log.comparePositions(track.state.checkpoint, least) < 0) {
        least = track.state.checkpoint;
      }
    }
    return least ?? this.ports.feed.newest;
  }

  #idleMs(): number {
    const { pollMs, asideWaitingMs } = this.#options;
    const aside = this.#waiters.size > 0 && this.#tracks.some((track) => track.isRunning && track.reload);
    return aside ? Math.min(pollMs, asideWaitingMs) : pollMs;
  }
}

/** Waits; being told to stop ends the wait, not the program. */
async function quietly(wait: Promise<void>): Promise<void> {
  await wait.catch(() => undefined);
}
