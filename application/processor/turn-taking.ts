import type { Clock } from '../ports/clock.js';
import type { Turn, Turns } from '../ports/turns.js';

/** Two conflicts within this time are no accident: somebody else writes to this tenant all the time. */
const CONFLICTS_WITHIN_MS = 1_000;
/** Turns are taken until nothing of others was met for this long. */
const ALONE_AFTER_MS = 2_000;
/** No batch is begun in a turn that is older. Long enough to be worth its handing over, short for those who wait. */
const LONGEST_TURN_MS = 25;
/** How long a turn is kept without work: callers who were just answered ask again. */
const IDLE_MS = 3;
/** After a turn was not to be had it is gone on without for this long: waiting would be all that it costs. */
const WITHOUT_MS = 1_000;

/**
 * When the writer of a tenant takes turns with those of other processes. A writer that meets nobody never does, and pays
 * nothing. Once there were conflicts, it decides a batch only when it is its turn, on what the others have left: then
 * everybody's batches are decided once, and those that wait grow.
 */
export class TurnTaking {
  #turn: Turn | undefined;
  #takenMs = 0;
  #metMs = Number.NEGATIVE_INFINITY;
  #conflictMs = Number.NEGATIVE_INFINITY;
  #withoutUntilMs = Number.NEGATIVE_INFINITY;
  #shared = false;

  constructor(
    private readonly tenantId: string,
    private readonly turns: Turns | undefined,
    private readonly clock: Clock,
  ) {}

  /** Another process was first. */
  conflict(): void {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#conflictMs <= CONFLICTS_WITHIN_MS) this.#shared = true;
    this.#conflictMs = this.#metMs = nowMs;
  }

  /** Others have appended since the last turn. */
  met(): void {
    this.#metMs = this.clock.nowMs();
  }

  /** Whether a batch that is decided now should wait for its turn. */
  get isDue(): boolean {
    if (!this.#shared || this.turns === undefined || this.#turn !== undefined) return false;
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#metMs > ALONE_AFTER_MS) this.#shared = false;
    return this.#shared && nowMs >= this.#withoutUntilMs;
  }

  /** Whether what is under way should come to its end before another batch is begun. */
  get isOver(): boolean {
    return this.#turn !== undefined && this.clock.nowMs() - this.#takenMs >= LONGEST_TURN_MS;
  }

  /** How long this turn may still be kept without work. */
  get idleLeftMs(): number {
    if (this.#turn === undefined) return 0;
    return Math.min(IDLE_MS, this.#takenMs + LONGEST_TURN_MS - this.clock.nowMs());
  }

  /** Waits for a turn; false: go on without. */
  async take(): Promise<boolean> {
    this.#turn = await this.turns?.take(this.tenantId);
    this.#takenMs = this.clock.nowMs();
    if (this.#turn === undefined) this.#withoutUntilMs = this.#takenMs + WITHOUT_MS;
    return this.#turn !== undefined;
  }

  end(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.end();
  }
}
