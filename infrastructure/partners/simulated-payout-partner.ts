import { setMaxListeners } from 'node:events';
import type { Clock } from '../../application/ports/clock.js';
import {
  PartnerUnavailable,
  type Payout,
  type PayoutAnswer,
  type PayoutFailure,
  type PayoutNews,
  type PayoutPartner,
} from '../../application/ports/payout-partner.js';
import { type Behaviour, behaviourOf } from './magic-numbers.js';
import type { SimulatedPayout, SimulatedPayouts } from './simulated-payouts.js';

export interface SimulatedTimes {
  /** From acceptance to payment. */
  readonly settleMs: number;
  /** The same of a delayed one. */
  readonly delayMs: number;
}

const TIMES: SimulatedTimes = { settleMs: 1_000, delayMs: 30_000 };

/** Refused on the spot: the partner never has them. */
const REFUSED: Partial<Record<Behaviour, PayoutFailure>> = {
  'insufficient-balance': 'INSUFFICIENT_PARTNER_BALANCE',
  'invalid-amount': 'INVALID_AMOUNT',
};
/** Accepted, and sent back by the bank later. */
const RETURNED: Partial<Record<Behaviour, PayoutFailure>> = {
  'account-not-found': 'ACCOUNT_NOT_FOUND',
  'invalid-account': 'ACCOUNT_NOT_FOUND',
};

/**
 * Stands in for a payout partner. What becomes of a payout depends on the account number (magic-numbers.ts) and on the
 * time since it was accepted, so that it is the same after a restart; news that a restart swallows never come, as at real
 * partners.
 */
export class SimulatedPayoutPartner implements PayoutPartner {
  readonly name = 'simulator';
  readonly #payouts: SimulatedPayouts;
  readonly #clock: Pick<Clock, 'nowMs' | 'sleep'>;
  readonly #times: SimulatedTimes;
  readonly #listeners: Array<(news: PayoutNews) => void> = [];
  readonly #stopping = new AbortController();

  constructor(payouts: SimulatedPayouts, clock: Pick<Clock, 'nowMs' | 'sleep'>, times: SimulatedTimes = TIMES) {
    this.#payouts = payouts;
    this.#clock = clock;
    this.#times = times;
    setMaxListeners(0, this.#stopping.signal); // One per payout on its way, and there is no limit to them.
  }

  async submit({ tenantId, payoutId, currency, amount, destination }: Payout): Promise<PayoutAnswer> {
    const behaviour = behaviourOf(destination.accountNumber);
    const reason = REFUSED[behaviour];
    if (reason !== undefined) return { status: 'FAILED', reason };
    const acceptedAtMs = this.#clock.nowMs();
    const { payout, isNew } = await this.#payouts.remember({
      ...{ tenantId, payoutId, behaviour, currency, amount, acceptedAtMs },
    });
    if (isNew) void this.#tell(payout);
    if (behaviour === 'time-out' && isNew) throw new PartnerUnavailable('no answer: as if the connection was lost');
    return this.#answerFor(payout);
  }

  async find(payout: PayoutNews): Promise<PayoutAnswer | undefined> {
    const known = await this.#payouts.find(payout);
    return known === undefined ? undefined : this.#answerFor(known);
  }

  listen(listener: (news: PayoutNews) => void): void {
    this.#listeners.push(listener);
  }

  /** No more news. */
  close(): void {
    this.#stopping.abort();
  }

  #answerFor({ payoutId, behaviour, acceptedAtMs }: SimulatedPayout): PayoutAnswer {
    const partnerReference = `SIM-${payoutId}`;
    const isSettled = this.#clock.nowMs() >= acceptedAtMs + this.#settlesAfterMs(behaviour);
    if (!isSettled) return { status: 'ACCEPTED', partnerReference };
    const reason = RETURNED[behaviour];
    return reason === undefined ? { status: 'PAID', partnerReference } : { status: 'FAILED', partnerReference, reason };
  }

  #settlesAfterMs(behaviour: Behaviour): number {
    return behaviour === 'delayed' ? this.#times.delayMs : this.#times.settleMs;
  }

  async #tell({ tenantId, payoutId, behaviour }: SimulatedPayout): Promise<void> {
    try {
      await this.#clock.sleep(this.#settlesAfterMs(behaviour), this.#stopping.signal);
    } catch {
      return;
    }
    const times = behaviour === 'duplicate-notification' ? 2 : 1;
    for (let i = 0; i < times; i += 1) {
      for (const listener of this.#listeners) listener({ tenantId, payoutId });
    }
  }
}
