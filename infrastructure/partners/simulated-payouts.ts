import type { PayoutNews } from '../../application/ports/payout-partner.js';
import type { Behaviour } from './magic-numbers.js';

/** What the simulated partner remembers of a payout: not where it went, which is personal data, only what it will do. */
export interface SimulatedPayout extends PayoutNews {
  readonly behaviour: Behaviour;
  readonly currency: string;
  readonly amount: bigint;
  /** When he first heard of it. */
  readonly acceptedAtMs: number;
}

/** The simulated partner's own books. Adapters: `MemoryPayouts` here, infrastructure/postgres/simulated-payouts.ts. */
export interface SimulatedPayouts {
  /** Remembers a payout that he has not heard of; what he knew before otherwise. */
  remember(payout: SimulatedPayout): Promise<{ readonly payout: SimulatedPayout; readonly isNew: boolean }>;
  find(payout: PayoutNews): Promise<SimulatedPayout | undefined>;
}

export class MemoryPayouts implements SimulatedPayouts {
  readonly all = new Map<string, SimulatedPayout>();

  remember(payout: SimulatedPayout): Promise<{ payout: SimulatedPayout; isNew: boolean }> {
    const known = this.all.get(payout.payoutId);
    if (known === undefined) this.all.set(payout.payoutId, payout);
    return Promise.resolve({ payout: known ?? payout, isNew: known === undefined });
  }

  find({ payoutId }: PayoutNews): Promise<SimulatedPayout | undefined> {
    return Promise.resolve(this.all.get(payoutId));
  }
}
