import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '@eventstore/db-client';
import type { LogHealth } from '../../application/ports/event-log.js';
import type { Followed } from './connection.js';
import type { EventStoreEventLog } from './event-log.js';

/** Who appended copies within milliseconds; what is not copied after one to two ticks is copied here. */
const TICK_MS = 200;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface FollowerOptions {
  readonly log: EventStoreEventLog;
  /** 0 to 1, for pauses that differ between processes. */
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  readonly onCopied: (tenantId: string) => void;
}

/**
 * Brings into the copy what its appender did not live to copy: a catch-up subscription on $all, from the position where
 * the last one ended. Several may run; they do each other no harm. One broken is made anew after a growing pause.
 */
export class LogFollower {
  readonly #stop = new AbortController();
  /** Ends of streams heard of since the last tick, and before it. */
  readonly #heard = new Map<string, number>();
  readonly #due = new Map<string, number>();
  /** Heard of by now; by the last tick; and what is stored. */
  #position: Position | undefined;
  #duePosition: Position | undefined;
  #storedPosition: Position | undefined;
  #running: Promise<unknown> | undefined;
  #trouble: string | undefined;

  constructor(private readonly options: FollowerOptions) {}

  start(): void {
    this.#running ??= Promise.all([this.#follow(), this.#copy()]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  health(): LogHealth {
    return this.#trouble === undefined ? { ok: true } : { ok: false, detail: this.#trouble };
  }

  async #follow(): Promise<void> {
    const { log } = this.options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const after = this.#position ?? (await log.copy.followedTo());
        await log.connection.follow({
          ...{ prefix: log.prefix, after, signal },
          onEvent: (event) => {
            failures = 0;
            this.#hear(event);
          },
          onCheckpoint: (position) => {
            failures = 0;
            this.#position = position;
          },
        });
      } catch (error) {
        this.options.onError(error);
        await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + this.options.random()), signal);
      }
    }
  }

  #hear({ stream, revision, position }: Followed): void {
    this.#position = position;
    const tenantId = stream.slice(this.options.log.prefix.length);
    if (UUID.test(tenantId)) this.#heard.set(tenantId, revision);
  }

  async #copy(): Promise<void> {
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      await pause(TICK_MS * Math.min(2 ** failures, LONGEST_PAUSE_MS / TICK_MS), signal);
      try {
        await this.#tick();
        failures = 0;
        this.#trouble = undefined;
      } catch (error) {
        failures += 1;
        this.#trouble = error instanceof Error ? error.message : String(error);
        this.options.onError(error);
      }
    }
  }

  async #tick(): Promise<void> {
    try {
      await this.#copyDue();
      if (this.#duePosition !== undefined && this.#duePosition !== this.#storedPosition) {
        await this.options.log.copy.setFollowedTo(this.#duePosition);
        this.#storedPosition = this.#duePosition;
      }
    } finally {
      for (const [tenantId, revision] of this.#heard) this.#due.set(tenantId, revision);
      this.#heard.clear();
      this.#duePosition = this.#position;
    }
  }

  /** Throws the first trouble after all were tried: one tenant's trouble does not hold up the others. */
  async #copyDue(): Promise<void> {
    if (this.#due.size === 0) return;
    const { log } = this.options;
    const ends = await log.copy.ends([...this.#due.keys()]);
    const troubles: unknown[] = [];
    for (const [tenantId, revision] of this.#due) {
      try {
        if ((ends.get(tenantId) ?? -1) < revision) {
          await log.catchUp(tenantId);
          this.options.onCopied(tenantId);
        }
        this.#due.delete(tenantId);
      } catch (error) {
        troubles.push(error);
      }
    }
    if (troubles.length > 0) throw troubles[0];
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
