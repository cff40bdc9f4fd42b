import type pg from 'pg';
import type { ReplayGuard } from '../../application/ports/replay-guard.js';

/** What was used once in `ledger.used_once`, as role corebook_core. */
export class PostgresReplayGuard implements ReplayGuard {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async mayUse(tenantId: string, id: string, use: string, expiresAt: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `insert into ledger.used_once (tenant_id, id, used_by, expires_at)
       values ($1, decode($2, 'hex'), decode($3, 'hex'), $4)
       on conflict (tenant_id, id) do nothing`,
      [tenantId, id, use, expiresAt],
    );
    if (rowCount === 1) return true;
    const { rows } = await this.#pool.query<{ same: boolean }>(
      `select used_by = decode($3, 'hex') as same from ledger.used_once where tenant_id = $1 and id = decode($2, 'hex')`,
      [tenantId, id, use],
    );
    return rows[0]?.same === true;
  }

  async purge(nowIso: string): Promise<number> {
    const { rowCount } = await this.#pool.query(`delete from ledger.used_once where expires_at < $1`, [nowIso]);
    return rowCount ?? 0;
  }
}
