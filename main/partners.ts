import type { BankDirectory } from '../application/ports/bank-directory.js';
import type { PayoutPartner } from '../application/ports/payout-partner.js';
import { SimulatedBankDirectory } from '../infrastructure/partners/simulated-bank-directory.js';
import { SimulatedPayoutPartner } from '../infrastructure/partners/simulated-payout-partner.js';
import { PostgresSimulatedPayouts } from '../infrastructure/postgres/simulated-payouts.js';
import type { Core } from './core.js';

/** Third parties that the configuration names. */
export interface Partners {
  readonly banks: BankDirectory;
  readonly payouts: PayoutPartner;
  close(): void;
}

/** Undefined: there is none (PAYOUT_PARTNER=none), and nothing is paid out. */
export function openPartners({ config, pool, clock }: Pick<Core, 'config' | 'pool' | 'clock'>): Partners | undefined {
  switch (config.PAYOUT_PARTNER) {
    case 'none':
      return undefined;
    case 'simulator': {
      const payouts = new SimulatedPayoutPartner(new PostgresSimulatedPayouts(pool), clock);
      return { banks: new SimulatedBankDirectory(), payouts, close: () => payouts.close() };
    }
  }
}
