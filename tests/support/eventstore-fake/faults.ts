/** What shall go wrong, how often. Each fault strikes the next calls it fits, then is used up. */
import type { Endpoint } from './refusals.js';

/** How a subscription ends: politely, with a status, or with its connection. */
export type SubscriptionEnd = 'ended' | 'unavailable' | 'cancelled' | 'too-slow' | 'connection';

/** Keys are the faults, values what a fault needs to know. */
interface FaultDetails {
  'drop-before-append': undefined;
  'drop-after-append': undefined;
  'silent-append': undefined;
  'delay-append': number;
  'delay-read': number;
  'wrong-version': undefined;
  'time-out-lost': undefined;
  'time-out-kept': undefined;
  'not-leader': Endpoint | undefined;
  unavailable: undefined;
  'drop-read': undefined;
  'end-subscription': { readonly how: SubscriptionEnd; readonly afterEvents: number };
  'duplicate-event': undefined;
  'fall-behind': undefined;
}

type FaultKind = keyof FaultDetails;

export interface Strike<Kind extends FaultKind> {
  readonly detail: FaultDetails[Kind];
}

interface Armed {
  times: number;
  readonly detail: unknown;
}

export class Faults {
  readonly #armed = new Map<FaultKind, Armed>();
  readonly #struck = new Map<FaultKind, number>();
  #delivered = 0;

  /** `onArmed` wakes the subscriptions that sleep. */
  constructor(private readonly onArmed: () => void) {}

  /** The connection goes before anything is stored. */
  dropBeforeAppend = (times = 1): void => this.#arm('drop-before-append', times, undefined);
  /** Stored, but the connection goes before the answer. */
  dropAfterAppend = (times = 1): void => this.#arm('drop-after-append', times, undefined);
  /** Stored, and never answered. */
  silentAppend = (times = 1): void => this.#arm('silent-append', times, undefined);
  delayAppend = (ms: number, times = 1): void => this.#arm('delay-append', times, ms);
  /** Delays the first answer of a read, of a subscription too. */
  delayRead = (ms: number, times = 1): void => this.#arm('delay-read', times, ms);
  /** Wrong expected version, though it is right; nothing is stored. */
  wrongVersion = (times = 1): void => this.#arm('wrong-version', times, undefined);
  /** The server's own time-out (prepare time-out); nothing is stored. */
  timeOutLost = (times = 1): void => this.#arm('time-out-lost', times, undefined);
  /** The server's own time-out (commit time-out), yet the events are stored. */
  timeOutKept = (times = 1): void => this.#arm('time-out-kept', times, undefined);
  /** An append or a read answers that another node leads; without one the fake names itself. */
  notLeader = (times = 1, leader?: Endpoint): void => this.#arm('not-leader', times, leader);
  /** Any call on streams: the server is not ready. */
  unavailable = (times = 1): void => this.#arm('unavailable', times, undefined);
  /** The connection goes at the first event of a read or a subscription. */
  dropRead = (times = 1): void => this.#arm('drop-read', times, undefined);
  /** Ends `times` subscriptions, counting from now after so many events delivered to any of them. */
  endSubscription = (how: SubscriptionEnd = 'ended', times = 1, afterEvents = 0): void => {
    this.#delivered = 0;
    this.#arm('end-subscription', times, { how, afterEvents });
  };
  /** A subscription delivers its next event twice. */
  duplicateEvent = (times = 1): void => this.#arm('duplicate-event', times, undefined);
  /** A subscription says that it fell behind, then catches up again. */
  fallBehind = (times = 1): void => this.#arm('fall-behind', times, undefined);

  /** How often a fault struck. */
  struck(kind: FaultKind): number {
    return this.#struck.get(kind) ?? 0;
  }

  clear(): void {
    this.#armed.clear();
  }

  /** For the fake: shall this fault strike now? */
  take<Kind extends FaultKind>(kind: Kind): Strike<Kind> | undefined {
    const armed = this.#armed.get(kind);
    if (armed === undefined) return undefined;
    armed.times -= 1;
    if (armed.times <= 0) this.#armed.delete(kind);
    this.#struck.set(kind, this.struck(kind) + 1);
    return { detail: armed.detail as FaultDetails[Kind] };
  }

  /** For the fake: shall a subscription end now? */
  takeEnd(): SubscriptionEnd | undefined {
    const armed = this.#armed.get('end-subscription')?.detail as FaultDetails['end-subscription'] | undefined;
    if (armed === undefined || this.#delivered < armed.afterEvents) return undefined;
    return this.take('end-subscription')?.detail.how;
  }

  countDelivered(): void {
    this.#delivered += 1;
  }

  #arm<Kind extends FaultKind>(kind: Kind, times: number, detail: FaultDetails[Kind]): void {
    this.#armed.set(kind, { times, detail });
    this.onArmed();
  }
}
