import type pg from 'pg';
import type { OpenWithdrawal, OpenWithdrawals } from '../../application/ports/open-withdrawals.js';

const NO_ID = '00000000-0000-0000-0000-000000000000';

/** From the read model `ledger.withdrawals`, over all tenants: as role corebook_core. */
export class PostgresOpenWithdrawals implements OpenWithdrawals {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async openWithdrawals(unchangedSince: string, after: string, limit: number): Promise<readonly OpenWithdrawal[]> {
    const { rows } = await this.#pool.query<{ tenant_id: string; withdrawal_id: string }>(
      `select tenant_id, withdrawal_id from ledger.withdrawals
        where status in ('PENDING', 'PROCESSING') and updated_at <= $1 and withdrawal_id > $2
        order by withdrawal_id limit $3`,
      [unchangedSince, after === '' ? NO_ID : after, limit],
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, withdrawalId: row.withdrawal_id }));
  }
}
