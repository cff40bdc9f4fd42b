import type pg from 'pg';
import type { DueLoan, DueLoans } from '../../application/ports/due-loans.js';

const NO_ID = '00000000-0000-0000-0000-000000000000';

interface LoanRow {
  readonly tenant_id: string;
  readonly loan_id: string;
}

/** What the daily work on loans asks of the read model (view `ledger.loans`). As role corebook_core: over all tenants. */
export class PostgresDueLoans implements DueLoans {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async dueLoans(day: string, after: DueLoan | undefined, limit: number): Promise<readonly DueLoan[]> {
    const { rows } = await this.#pool.query<LoanRow>(
      `select tenant_id, loan_id from ledger.loans
        where status = 'DISBURSED' and not written_off and accrued_to < $1 and (tenant_id, loan_id) > ($2, $3)
        order by tenant_id, loan_id limit $4`,
      [day, after?.tenantId ?? NO_ID, after?.loanId ?? NO_ID, limit],
    );
    return rows.map(toLoan);
  }

  async expiredOffers(now: string, limit: number): Promise<readonly DueLoan[]> {
    const { rows } = await this.#pool.query<LoanRow>(
      `select tenant_id, loan_id from ledger.loans
        where status = 'OFFER_SENT' and offer_expires_at <= $1 order by offer_expires_at limit $2`,
      [now, limit],
    );
    return rows.map(toLoan);
  }
}

function toLoan(row: LoanRow): DueLoan {
  return { tenantId: row.tenant_id, loanId: row.loan_id };
}
