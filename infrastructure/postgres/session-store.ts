import type pg from 'pg';
import type { RefreshResult, Session, SessionStore, StepUp } from '../../application/ports/sessions.js';
import type { UserKind } from '../../domain/access/user-events.js';
import { instant } from './instant.js';

const COLUMNS = `s.tenant_id, s.session_id, s.user_id, s.user_kind, s.device, ${instant('s.created_at', 'created_at')},
  ${instant('s.expires_at', 'expires_at')}, ${instant('s.revoked_at', 'revoked_at')}`;

interface Row {
  tenant_id: string;
  session_id: string;
  user_id: string;
  user_kind: UserKind;
  device: string | null;
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
}

/** `ledger.sessions` and what hangs on them, as role corebook_core. */
export class PostgresSessionStore implements SessionStore {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async open(session: Session, refreshDigest: string): Promise<void> {
    await this.#pool.query({
      name: 'open-session',
      text: `with opened as (
         insert into ledger.sessions (tenant_id, session_id, user_id, user_kind, device, created_at, expires_at, revoked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8))
       insert into ledger.refresh_tokens (digest, tenant_id, session_id) values (decode($9, 'hex'), $1, $2)`,
      values: [
        session.tenantId,
        session.sessionId,
        session.user.id,
        session.user.kind,
        session.device,
        session.createdAt,
        session.expiresAt,
        session.revokedAt,
        refreshDigest,
      ],
    });
  }

  async addRefresh(tenantId: string, sessionId: string, refreshDigest: string): Promise<void> {
    await this.#pool.query(
      `insert into ledger.refresh_tokens (digest, tenant_id, session_id) values (decode($3, 'hex'), $1, $2)
         on conflict (digest) do nothing`,
      [tenantId, sessionId, refreshDigest],
    );
  }

  async refresh(spent: string, next: string, nowIso: string, expiresAt: string): Promise<RefreshResult> {
    const client = await this.#pool.connect();
    let broken = true;
    try {
      await client.query('begin');
      const result = await refreshIn(client, spent, next, nowIso, expiresAt);
      await client.query('commit');
      broken = false;
      return result;
    } finally {
      // A connection with a transaction that did not end is closed.
      client.release(broken);
    }
  }

  async byRefresh(refreshDigest: string): Promise<Session | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `select ${COLUMNS} from ledger.refresh_tokens t join ledger.sessions s using (tenant_id, session_id)
        where t.digest = decode($1, 'hex')`,
      [refreshDigest],
    );
    return rows[0] === undefined ? undefined : sessionOf(rows[0]);
  }

  async get(tenantId: string, sessionId: string): Promise<Session | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `select ${COLUMNS} from ledger.sessions s where tenant_id = $1 and session_id = $2`,
      [tenantId, sessionId],
    );
    return rows[0] === undefined ? undefined : sessionOf(rows[0]);
  }

  async revoke(tenantId: string, sessionId: string, nowIso: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `update ledger.sessions set revoked_at = $3 where tenant_id = $1 and session_id = $2 and revoked_at is null`,
      [tenantId, sessionId, nowIso],
    );
    return rowCount === 1;
  }

  async revokeAll(tenantId: string, userId: string, nowIso: string, exceptSession?: string): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `update ledger.sessions set revoked_at = $3
        where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > $3
          and session_id is distinct from $4::uuid`,
      [tenantId, userId, nowIso, exceptSession ?? null],
    );
    return rowCount ?? 0;
  }

  async revokeDevice(tenantId: string, userId: string, device: string, nowIso: string): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `update ledger.sessions set revoked_at = $4
        where tenant_id = $1 and user_id = $2 and device = $3 and revoked_at is null and expires_at > $4`,
      [tenantId, userId, device, nowIso],
    );
    return rowCount ?? 0;
  }

  async denyToken(tenantId: string, jti: string, expiresAt: string): Promise<void> {
    await this.#pool.query(
      `insert into ledger.denied_tokens (tenant_id, jti, expires_at) values ($1, $2, $3)
         on conflict on constraint denied_tokens_pkey do nothing`,
      [tenantId, jti, expiresAt],
    );
  }

  async isRevoked(tenantId: string, jti: string, sessionId: string): Promise<boolean> {
    // A session that is not there was purged or belongs to somebody who was erased.
    const { rows } = await this.#pool.query<{ revoked: boolean }>({
      name: 'is-token-revoked',
      text: `select exists (select from ledger.denied_tokens where tenant_id = $1 and jti = $2)
               or not exists (select from ledger.sessions
                               where tenant_id = $1 and session_id = $3 and revoked_at is null) as revoked`,
      values: [tenantId, jti, sessionId],
    });
    return rows[0]?.revoked ?? true;
  }

  async grantStepUp({ tenantId, sessionId, digest, expiresAt }: StepUp): Promise<void> {
    await this.#pool.query(
      `insert into ledger.step_ups (tenant_id, session_id, digest, expires_at) values ($1, $2, decode($3, 'hex'), $4)
         on conflict on constraint step_ups_pkey do nothing`,
      [tenantId, sessionId, digest, expiresAt],
    );
  }

  async spendStepUp(
    tenantId: string,
    sessionId: string,
    digest: string,
    use: string,
    nowIso: string,
  ): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `update ledger.step_ups u set used_for = $4
         from ledger.sessions s
        where u.tenant_id = $1 and u.session_id = $2 and u.digest = decode($3, 'hex') and u.expires_at > $5
          and coalesce(u.used_for, $4) = $4
          and s.tenant_id = u.tenant_id and s.session_id = u.session_id and s.revoked_at is null`,
      [tenantId, sessionId, digest, use, nowIso],
    );
    return rowCount === 1;
  }

  async purge(nowIso: string): Promise<number> {
    const counts = await Promise.all(
      ['sessions', 'step_ups', 'denied_tokens'].map((table) =>
        this.#pool.query(`delete from ledger.${table} where expires_at <= $1`, [nowIso]),
      ),
    );
    return counts.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0);
  }

  async deleteAllOf(tenantId: string, userId: string): Promise<void> {
    await this.#pool.query(`delete from ledger.sessions where tenant_id = $1 and user_id = $2`, [tenantId, userId]);
  }
}

/** In a transaction: the lock on the session makes the exchanges of one family come one after another. */
async function refreshIn(
  client: pg.PoolClient,
  spent: string,
  next: string,
  nowIso: string,
  expiresAt: string,
): Promise<RefreshResult> {
  const found = await client.query<Row>(
    `select ${COLUMNS} from ledger.refresh_tokens t join ledger.sessions s using (tenant_id, session_id)
      where t.digest = decode($1, 'hex') and s.revoked_at is null and s.expires_at > $2
        for update of s`,
    [spent, nowIso],
  );
  const row = found.rows[0];
  if (row === undefined) return { status: 'invalid' };
  const session = sessionOf(row);
  const { tenantId, sessionId } = session;
  const exchange = await client.query(
    `with spending as (
       update ledger.refresh_tokens set spent_at = $2 where digest = decode($1, 'hex') and spent_at is null returning 1)
     insert into ledger.refresh_tokens (digest, tenant_id, session_id)
       select decode($3, 'hex'), $4, $5 from spending`,
    [spent, nowIso, next, tenantId, sessionId],
  );
  if (exchange.rowCount === 1 || (await isUnspent(client, sessionId, next))) {
    await client.query(`update ledger.sessions set expires_at = $3 where tenant_id = $1 and session_id = $2`, [
      tenantId,
      sessionId,
      expiresAt,
    ]);
    return { status: 'refreshed', session: { ...session, expiresAt } };
  }
  await client.query(`update ledger.sessions set revoked_at = $3 where tenant_id = $1 and session_id = $2`, [
    tenantId,
    sessionId,
    nowIso,
  ]);
  return { status: 'reused', session: { ...session, revokedAt: nowIso } };
}

async function isUnspent(client: pg.PoolClient, sessionId: string, digest: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from ledger.refresh_tokens where digest = decode($1, 'hex') and session_id = $2 and spent_at is null`,
    [digest, sessionId],
  );
  return rowCount === 1;
}

function sessionOf(row: Row): Session {
  return {
    sessionId: row.session_id,
    tenantId: row.tenant_id,
    user: { kind: row.user_kind, id: row.user_id },
    device: row.device,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
