import type { Clock } from '../ports/clock.js';
import type { Relay, Standing } from '../ports/relay.js';
import type { Turn, Turns } from '../ports/turns.js';

/** Two conflicts within this time are no accident: somebody else writes to this tenant all the time. */
const CONFLICTS_WITHIN_MS = 1_000;
/** Nothing of others was met for this long: they are gone. */
const ALONE_AFTER_MS = 2_000;
/** How often one who does not lead looks who does. */
const LOOK_MS = 1_000;
/** How often others are told that the tenant is shared, while there are conflicts. */
const INVITE_MS = 100;
/** One who leads takes turns all the same for this long after somebody wrote who has handed it nothing. */
const STRANGERS_MS = 500;
/** No batch is begun in a turn that is older: what is under way comes to its end, and others have theirs. */
const LONGEST_TURN_MS = 20;
/** After a turn was not to be had it is gone on without for this long: waiting would be all that it costs. */
const WITHOUT_MS = 1_000;

const ALONE: Standing = { status: 'alone' };

/**
 * How the writer of a tenant shares it with those of other processes. One that meets nobody pays nothing. After conflicts
 * it finds out who leads: itself, then it goes on as before; or another, then that one is handed all commands. Where that
 * cannot be (there is no way from process to process, or their code differs), all take turns, a batch each. Whoever meets
 * conflicts invites the others, for one that is always first meets none.
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
  #lostMs = Number.NEGATIVE_INFINITY;
  #invitedMs = Number.NEGATIVE_INFINITY;
  #strangersMs = Number.NEGATIVE_INFINITY;
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
    if (this.#standing.status === 'leads') this.#strangersMs = nowMs;
    if (!this.#isShared || nowMs - this.#invitedMs < INVITE_MS) return;
    this.#invitedMs = nowMs;
    this.ports.relay?.invite(this.tenantId);
  }

  /** Another process meets conflicts here. */
  invited(): void {
    this.#isShared = true;
    this.#metMs = this.clock.nowMs();
  }

  /** Others have appended in their turns. */
  metInTurn(): void {
    this.#metMs = this.clock.nowMs();
    if (this.#standing.status === 'leads') this.#strangersMs = this.#metMs;
  }

  /** Others have handed something to this process or taken it from there. */
  met(): void {
    this.#metMs = this.clock.nowMs();
    if (this.#standing.status !== 'leads') return;
    // It leads for others only: let one of them.
    if (this.#metMs - this.#ownMs > ALONE_AFTER_MS) this.leave();
  }

  /** Others hand their commands to this process. */
  get leads(): boolean {
    return this.#standing.status === 'leads';
  }

  /** Commands that wait here may be for another process to decide. */
  get mayHandOver(): boolean {
    return this.#isShared && this.#standing.status !== 'leads';
  }

  /** Who is handed the commands, where that needs no looking. */
  knownLeader(): Extract<Standing, { status: 'follows' }> | undefined {
    if (this.#standing.status !== 'follows') return undefined;
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#lookedMs >= LOOK_MS || nowMs - this.#metMs > ALONE_AFTER_MS) return undefined;
    this.#ownMs = nowMs;
    return this.#standing;
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

  /** The leader has not taken what it was handed. There may be another already; if not, turns are taken for a while. */
  lostLeader(): void {
    if (this.#standing.status !== 'follows') return;
    this.#standing = ALONE;
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#lostMs >= LOOK_MS) this.#lookedMs = Number.NEGATIVE_INFINITY;
    this.#lostMs = nowMs;
  }

  /** Whether a batch that is decided now should wait for its turn. */
  get isTurnDue(): boolean {
    if (!this.#isShared || this.ports.turns === undefined || this.#turn !== undefined) return false;
    const nowMs = this.clock.nowMs();
    if (nowMs < this.#withoutUntilMs || this.#standing.status === 'follows') return false;
    return this.#standing.status === 'alone' || nowMs - this.#strangersMs < STRANGERS_MS;
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
