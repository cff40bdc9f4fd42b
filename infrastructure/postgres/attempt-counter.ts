import type pg from 'pg';
import type { AttemptCounter } from '../../application/ports/one-time-passwords.js';
import { instant } from './instant.js';

/** `ledger.attempts`, as role corebook_core. */
export class PostgresAttemptCounter implements AttemptCounter {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async lockedUntil(tenantId: string, subject: string, nowIso: string): Promise<string | null> {
    const { rows } = await this.#pool.query<{ locked_until: string }>({
      name: 'locked-until',
      text: `select ${instant('locked_until')} from ledger.attempts
              where tenant_id = $1 and subject = $2 and locked_until > $3`,
      values: [tenantId, subject, nowIso],
    });
    return rows[0]?.locked_until ?? null;
  }

  async fail(
    tenantId: string,
    subject: string,
    limit: number,
    lockMinutes: number,
    nowIso: string,
  ): Promise<string | null> {
    // While a lock lasts nothing is counted, so exactly one attempt is answered with the lock it caused.
    const { rows } = await this.#pool.query<{ locked_until: string | null }>(
      `insert into ledger.attempts as a (tenant_id, subject, failures, counted_from, expires_at, locked_until)
       values ($1, $2, 1, $5, $5::timestamptz + make_interval(mins => $4),
               case when $3::integer <= 1 then $5::timestamptz + make_interval(mins => $4) end)
       on conflict on constraint attempts_pkey do update
         set failures = case when ${IS_OVER} then 1 else a.failures + 1 end,
             counted_from = case when ${IS_OVER} then excluded.counted_from else a.counted_from end,
             expires_at = excluded.expires_at,
             locked_until = case when case when ${IS_OVER} then 1 else a.failures + 1 end >= $3::integer
                                 then excluded.expires_at end
         where a.locked_until is null or a.locked_until <= excluded.counted_from
       returning ${instant('locked_until')}`,
      [tenantId, subject, limit, lockMinutes, nowIso],
    );
    return rows[0]?.locked_until ?? null;
  }

  async clear(tenantId: string, subject: string): Promise<void> {
    await this.#pool.query({
      name: 'clear-attempts',
      text: `delete from ledger.attempts where tenant_id = $1 and subject = $2`,
      values: [tenantId, subject],
    });
  }

  async purge(nowIso: string): Promise<number> {
    const { rowCount } = await this.#pool.query(`delete from ledger.attempts where expires_at <= $1`, [nowIso]);
    return rowCount ?? 0;
  }
}

/** The lock has passed, or the first of the counted attempts is longer ago than a lock lasts. */
const IS_OVER = `(a.locked_until is not null or a.counted_from <= excluded.counted_from - make_interval(mins => $4))`;
