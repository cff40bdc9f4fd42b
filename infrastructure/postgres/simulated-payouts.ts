import type pg from 'pg';
import type { PayoutNews } from '../../application/ports/payout-partner.js';
import { BEHAVIOURS, type Behaviour } from '../partners/magic-numbers.js';
import type { SimulatedPayout, SimulatedPayouts } from '../partners/simulated-payouts.js';

interface PayoutRow {
  readonly behaviour: string;
  readonly currency: string;
  readonly amount: string;
  readonly accepted_at_ms: string;
}

/** `ledger.simulated_payouts`, as role corebook_core. */
export class PostgresSimulatedPayouts implements SimulatedPayouts {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async remember(payout: SimulatedPayout): Promise<{ payout: SimulatedPayout; isNew: boolean }> {
    const { tenantId, payoutId, behaviour, currency, amount, acceptedAtMs } = payout;
    const { rowCount } = await this.#pool.query(
      `insert into ledger.simulated_payouts (tenant_id, payout_id, behaviour, currency, amount, accepted_at)
       values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant_id, payout_id) do nothing`,
      [tenantId, payoutId, behaviour, currency, amount.toString(), new Date(acceptedAtMs).toISOString()],
    );
    if (rowCount === 1) return { payout, isNew: true };
    const known = await this.find(payout);
    if (known === undefined) throw new Error(`simulated payout ${payoutId} is there and is not`);
    return { payout: known, isNew: false };
  }

  async find({ tenantId, payoutId }: PayoutNews): Promise<SimulatedPayout | undefined> {
    const { rows } = await this.#pool.query<PayoutRow>(
      `select behaviour, currency, amount, floor(extract(epoch from accepted_at) * 1000) as accepted_at_ms
         from ledger.simulated_payouts where tenant_id = $1 and payout_id = $2`,
      [tenantId, payoutId],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { currency, amount, accepted_at_ms } = row;
    const behaviour = behaviourFrom(row.behaviour);
    return {
      ...{ tenantId, payoutId, behaviour, currency },
      amount: BigInt(amount),
      acceptedAtMs: Number(accepted_at_ms),
    };
  }
}

function behaviourFrom(text: string): Behaviour {
  const behaviour = BEHAVIOURS.find((name) => name === text);
  if (behaviour === undefined) throw new Error(`a simulated payout has the unknown behaviour ${text}`);
  return behaviour;
}
