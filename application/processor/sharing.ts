import type { Clock } from '../ports/clock.js';
import type { Relay, Standing } from '../ports/relay.js';
import type { Turn, Turns } from '../ports/turns.js';

/** Two conflicts within this time are no accident: somebody else writes to this tenant all the time. */
const CONFLICTS_WITHIN_MS = 1_000;
/** Nothing of others was met for this long: they are gone. */
const ALONE_AFTER_MS = 2_000;
/** How often one who does not lead looks who does. */
const LOOK_MS = 1_000;
/** No batch is begun in a turn that is older: what is under way comes to its end, and others have theirs. */
const LONGEST_TURN_MS = 20;
/** After a turn was not to be had it is gone on without for this long: waiting would be all that it costs. */
const WITHOUT_MS = 1_000;

const ALONE: Standing = { status: 'alone' };

/**
 * How the writer of a tenant shares it with those of other processes. One that meets nobody pays nothing. After conflicts
 * it finds out who leads: itself, then it goes on as before; or another, then that one is handed all commands. Where that
 * cannot be (there is no way from process to process, or their code differs), all take turns, a batch each.
 */
export class Sharing {
  #isShared = false;
  #standing: Standing = ALONE;
  #turn: Turn | undefined;
  #takenMs = 0;
  #metMs = Number.NEGATIVE_INFINITY;
  #ownMs = Number.NEGATIVE_INFINITY;
  #conflictMs = Number.NEGATIVE_INFINITY;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #withoutUntilMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly tenantId: string,
    private readonly clock: Clock,
    private readonly ports: { readonly turns?: Turns | undefined; readonly relay?: Relay | undefined },
  ) {}

  /** Another process was first. */
  conflict(): void {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#conflictMs <= CONFLICTS_WITHIN_MS) this.#isShared = true;
    this.#conflictMs = this.#metMs = nowMs;
  }

  /** Others have appended, or handed something to this process or taken it from there. */
  met(): void {
    this.#metMs = this.clock.nowMs();
    if (this.#standing.status !== 'leads') return;
    // It leads for others only: let one of them.
    if (this.#metMs - this.#ownMs > ALONE_AFTER_MS) this.leave();
  }

  /** Who is handed the commands that arrive now; undefined: they are decided here. */
  async leader(): Promise<Extract<Standing, { status: 'follows' }> | undefined> {
    const nowMs = (this.#ownMs = this.clock.nowMs());
    if (!this.#isShared) return undefined;
    if (nowMs - this.#metMs > ALONE_AFTER_MS) {
      this.leave();
      return undefined;
    }
    const leads = this.#standing.status === 'leads' && this.#standing.held;
    if (!leads && nowMs - this.#lookedMs >= LOOK_MS) {
      this.#lookedMs = nowMs;
      this.#standing = (await this.ports.relay?.stand(this.tenantId)) ?? ALONE;
    }
    return this.#standing.status === 'follows' ? this.#standing : undefined;
  }

  /** The leader has not taken what it was handed. */
  lostLeader(): void {
    if (this.#standing.status !== 'follows') return;
    this.#standing = ALONE;
    this.#lookedMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether a batch that is decided now should wait for its turn. */
  get isTurnDue(): boolean {
    if (!this.#isShared || this.ports.turns === undefined || this.#turn !== undefined) return false;
    return this.#standing.status === 'alone' && this.clock.nowMs() >= this.#withoutUntilMs;
  }

  /** Whether what is under way should come to its end before another batch is begun. */
  get isTurnOver(): boolean {
    return this.#turn !== undefined && this.clock.nowMs() - this.#takenMs >= LONGEST_TURN_MS;
  }

  /** Waits for a turn; undefined: go on without. */
  async takeTurn(knownRevision: number): Promise<Turn | undefined> {
    this.#turn = await this.ports.turns?.take(this.tenantId, knownRevision);
    this.#takenMs = this.clock.nowMs();
    if (this.#turn === undefined) this.#withoutUntilMs = this.#takenMs + WITHOUT_MS;
    return this.#turn;
  }

  endTurn(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.end();
  }

  /** Leads no more and takes no turns, until there are conflicts again. */
  leave(): void {
    this.#isShared = false;
    if (this.#standing.status === 'leads') this.#standing.end();
    this.#standing = ALONE;
    this.#lookedMs = Number.NEGATIVE_INFINITY;
  }
}
