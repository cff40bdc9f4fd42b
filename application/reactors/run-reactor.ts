import type { Clock } from '../ports/clock.js';
import { hasPassed } from '../elapsed.js';
import type { EventScan, ScannedEvent } from '../ports/event-scan.js';
import type { Lease } from '../ports/leases.js';
import type { ReactorCheckpoints } from '../ports/reactor-checkpoints.js';

/** What must happen after certain events. It may see an event again (a crash, a second process): be idempotent. */
export interface Reactor {
  readonly name: string;
  /** The event types it acts on: the others stay in the database. */
  readonly types: readonly string[];
  /** Resolves when everything these events ask for is enqueued; a rejection has the same events handed in again. */
  react(events: readonly ScannedEvent[]): Promise<void>;
}

export interface ReactorPorts {
  readonly scan: EventScan;
  readonly checkpoints: ReactorCheckpoints;
  readonly clock: Clock;
  /** Only who holds it acts, the others stand by; unset: every process that runs it acts, and its jobs' ids make them one. */
  readonly lease?: Lease;
  /** The reactor is held up and tries again by itself; called for each failed round. */
  readonly onError: (reactor: string, error: unknown) => void;
}

export interface RunningReactor {
  /** Position up to which it has acted. */
  readonly position: string;
  /** Why it is held up, or undefined. */
  readonly error: unknown;
  /** Saves the checkpoint and resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/** Events looked at in one round. */
const PAGE = 2_000;
/** Pause at the end of the log: a timer need not know of its event in the same millisecond. */
const POLL_MS = 100;
/** Saving every page would cost a commit each; what is seen again after a crash changes nothing. */
const SAVE_EVERY_MS = 1_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/** Follows the log for one reactor until it is stopped. No event is skipped: an error holds it up. */
export function runReactor(reactor: Reactor, ports: ReactorPorts): RunningReactor {
  const runner = new Runner(reactor, ports);
  const done = runner.run();
  return {
    get position() {
      return runner.position;
    },
    get error() {
      return runner.error;
    },
    stop: async () => {
      runner.abort.abort();
      await done;
    },
  };
}

class Runner {
  readonly abort = new AbortController();
  position = '';
  error: unknown;
  #saved = '';
  #savedAtMs = 0;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(
    private readonly reactor: Reactor,
    private readonly ports: ReactorPorts,
  ) {}

  async run(): Promise<void> {
    const { clock, onError } = this.ports;
    const { signal } = this.abort;
    while (await this.#mayAct()) {
      try {
        await this.#follow();
      } catch (error) {
        this.error = error;
        onError(this.reactor.name, error);
        await clock.sleep(this.#pauseMs, signal).catch(() => undefined);
        this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** Waits for the lease; false: it is time to stop. */
  async #mayAct(): Promise<boolean> {
    const { signal } = this.abort;
    await this.ports.lease?.untilHeld(signal).catch(() => undefined);
    return !signal.aborted;
  }

  /** From the checkpoint until stopped, or until another process has the lease or has moved the checkpoint. */
  async #follow(): Promise<void> {
    const { scan, checkpoints, clock } = this.ports;
    const { signal } = this.abort;
    const { name, types } = this.reactor;
    this.position = this.#saved = await checkpoints.load(name);
    while (!signal.aborted && this.ports.lease?.held !== false) {
      const { events, next } = await scan.scan({ after: this.position, limit: PAGE, types });
      if (events.length > 0) await this.reactor.react(events);
      const atEnd = next === this.position;
      this.position = next;
      this.error = undefined;
      this.#pauseMs = FIRST_PAUSE_MS;
      if (hasPassed(SAVE_EVERY_MS, this.#savedAtMs, clock.nowMs()) && !(await this.#save())) return;
      if (atEnd) await clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
    await this.#save();
  }

  async #save(): Promise<boolean> {
    if (this.position === this.#saved) return true;
    const { checkpoints, clock } = this.ports;
    const moved = await checkpoints.advance(this.reactor.name, this.#saved, this.position);
    if (moved) this.#saved = this.position;
    this.#savedAtMs = clock.nowMs();
    return moved;
  }
}
