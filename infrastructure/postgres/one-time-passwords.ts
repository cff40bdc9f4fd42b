import type pg from 'pg';
import type {
  OneTimePassword,
  OneTimePasswordStore,
  OtpIssue,
  OtpPurpose,
  OtpVerdict,
} from '../../application/ports/one-time-passwords.js';

interface Row {
  reference: string;
  is_right: boolean;
  is_spent: boolean;
  is_expired: boolean;
  tries_left: number;
}

/** `ledger.one_time_passwords`, as role corebook_core. One row an address and purpose. */
export class PostgresOneTimePasswordStore implements OneTimePasswordStore {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async issue(password: OneTimePassword, resendSeconds: number): Promise<OtpIssue> {
    const { tenantId, purpose, emailDigest, reference } = password;
    const { rowCount } = await this.#pool.query(
      `insert into ledger.one_time_passwords (tenant_id, purpose, email_digest, reference, code_digest, created_at,
         expires_at, tries_left)
       values ($1, $2, decode($3, 'hex'), $4, decode($5, 'hex'), $6, $7, $8)
       on conflict on constraint one_time_passwords_pkey do update
         set reference = excluded.reference, code_digest = excluded.code_digest, created_at = excluded.created_at,
             expires_at = excluded.expires_at, tries_left = excluded.tries_left, spent_at = null
         where one_time_passwords.reference <> excluded.reference
           and one_time_passwords.created_at <= excluded.created_at - make_interval(secs => $9)`,
      [
        tenantId,
        purpose,
        emailDigest,
        reference,
        password.codeDigest,
        password.createdAt,
        password.expiresAt,
        password.maxTries,
        resendSeconds,
      ],
    );
    if (rowCount === 1) return { status: 'issued' };
    const { rows } = await this.#pool.query<{ reference: string; wait: string }>(
      `select reference, ceil(extract(epoch from created_at + make_interval(secs => $4) - $5::timestamptz)) as wait
         from ledger.one_time_passwords
        where tenant_id = $1 and purpose = $2 and email_digest = decode($3, 'hex')`,
      [tenantId, purpose, emailDigest, resendSeconds, password.createdAt],
    );
    const [row] = rows;
    // Purged in between: it is as if it had been issued to nobody.
    if (row === undefined) return { status: 'too-soon', reference, waitSeconds: 1 };
    if (row.reference === reference) return { status: 'repeated' };
    return { status: 'too-soon', reference: row.reference, waitSeconds: Math.max(1, Number.parseInt(row.wait, 10)) };
  }

  async attempt(
    tenantId: string,
    purpose: OtpPurpose,
    by: { readonly emailDigest: string; readonly reference?: string },
    codeDigest: string | null,
    nowIso: string,
  ): Promise<OtpVerdict> {
    const key = [tenantId, purpose, by.emailDigest, by.reference ?? null, codeDigest, nowIso];
    const tried = await this.#pool.query<Pick<Row, 'reference' | 'is_right'>>(
      `update ledger.one_time_passwords
          set spent_at = case when ${IS_RIGHT} then $6::timestamptz end,
              tries_left = tries_left - case when ${IS_RIGHT} then 0 else 1 end
        where ${IS_IT} and spent_at is null and tries_left > 0 and expires_at > $6::timestamptz
      returning reference, spent_at is not null as is_right`,
      key,
    );
    const [attempted] = tried.rows;
    if (attempted !== undefined) {
      return attempted.is_right ? { status: 'right', reference: attempted.reference } : { status: 'wrong' };
    }
    const { rows } = await this.#pool.query<Row>(
      `select reference, ${IS_RIGHT} as is_right, spent_at is not null as is_spent, tries_left,
              expires_at <= $6::timestamptz as is_expired
         from ledger.one_time_passwords where ${IS_IT}`,
      key,
    );
    return verdictOf(rows[0]);
  }

  async giveBack(tenantId: string, purpose: OtpPurpose, emailDigest: string, reference: string): Promise<void> {
    await this.#pool.query(
      `update ledger.one_time_passwords set spent_at = null
        where tenant_id = $1 and purpose = $2 and email_digest = decode($3, 'hex') and reference = $4`,
      [tenantId, purpose, emailDigest, reference],
    );
  }

  async purge(nowIso: string): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `delete from ledger.one_time_passwords where expires_at <= $1::timestamptz - interval '1 day'`,
      [nowIso],
    );
    return rowCount ?? 0;
  }
}

const IS_RIGHT = `coalesce(code_digest = decode($5::text, 'hex'), true)`;
const IS_IT = `tenant_id = $1 and purpose = $2 and email_digest = decode($3, 'hex') and reference = coalesce($4, reference)`;

/** Why one could not be tried. */
function verdictOf(row: Row | undefined): OtpVerdict {
  if (row === undefined) return { status: 'none' };
  if (row.is_spent) return row.is_right ? { status: 'spent', reference: row.reference } : { status: 'none' };
  return { status: row.tries_left <= 0 ? 'exhausted' : row.is_expired ? 'expired' : 'none' };
}
