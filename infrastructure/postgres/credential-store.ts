import type pg from 'pg';
import { type Credentials, type CredentialStore, PENDING_SECONDS } from '../../application/ports/credentials.js';
import type { UserKind } from '../../domain/access/user-events.js';
import { type Role, ROLES } from '../../domain/shared/decider.js';
import { instant } from './instant.js';

const COLUMNS = `tenant_id, user_id, user_kind, status, roles, agent_id, password_hash, ${instant('password_set_at')},
  password_history, ${instant('created_at')}`;

/** As many earlier hashes as a policy may ask for (PASSWORD_HISTORY_COUNT). */
const HISTORY = 24;

interface Row {
  tenant_id: string;
  user_id: string;
  user_kind: UserKind;
  status: Credentials['status'];
  roles: string[];
  agent_id: string | null;
  password_hash: string | null;
  password_set_at: string | null;
  password_history: string[];
  created_at: string;
}

/** `ledger.credentials`, as role corebook_core. */
export class PostgresCredentialStore implements CredentialStore {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async reserve(credentials: Credentials, emailDigest: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `insert into ledger.credentials (tenant_id, user_id, user_kind, email_digest, status, roles, agent_id, password_hash,
         password_set_at, password_history, created_at)
       values ($1, $2, $3, decode($4, 'hex'), $5, $6, $7, $8, $9, $10, $11)
       on conflict on constraint credentials_email do update
         set user_id = excluded.user_id, user_kind = excluded.user_kind, status = excluded.status, roles = excluded.roles,
             agent_id = excluded.agent_id, password_hash = excluded.password_hash,
             password_set_at = excluded.password_set_at, password_history = excluded.password_history,
             created_at = excluded.created_at
         where credentials.status = 'PENDING'
           and credentials.created_at <= excluded.created_at - make_interval(secs => $12)`,
      [
        credentials.tenantId,
        credentials.user.id,
        credentials.user.kind,
        emailDigest,
        credentials.status,
        credentials.roles,
        credentials.agent,
        credentials.passwordHash,
        credentials.passwordSetAt,
        credentials.passwordHistory.slice(0, HISTORY),
        credentials.createdAt,
        PENDING_SECONDS,
      ],
    );
    return rowCount === 1;
  }

  async release(tenantId: string, userId: string): Promise<void> {
    await this.#pool.query(
      `delete from ledger.credentials where tenant_id = $1 and user_id = $2 and status = 'PENDING'`,
      [tenantId, userId],
    );
  }

  async byEmail(tenantId: string, emailDigest: string): Promise<Credentials | undefined> {
    const { rows } = await this.#pool.query<Row>({
      name: 'credentials-by-email',
      text: `select ${COLUMNS} from ledger.credentials where tenant_id = $1 and email_digest = decode($2, 'hex')`,
      values: [tenantId, emailDigest],
    });
    const [row] = rows;
    return row === undefined ? undefined : credentialsOf(row);
  }

  async byUser(tenantId: string, userId: string): Promise<Credentials | undefined> {
    const { rows } = await this.#pool.query<Row>({
      name: 'credentials-by-user',
      text: `select ${COLUMNS} from ledger.credentials where tenant_id = $1 and user_id = $2`,
      values: [tenantId, userId],
    });
    const [row] = rows;
    return row === undefined ? undefined : credentialsOf(row);
  }

  async emailDigestOf(tenantId: string, userId: string): Promise<string | undefined> {
    const { rows } = await this.#pool.query<{ digest: string }>(
      `select encode(email_digest, 'hex') as digest from ledger.credentials where tenant_id = $1 and user_id = $2`,
      [tenantId, userId],
    );
    return rows[0]?.digest;
  }

  async setStanding(
    tenantId: string,
    userId: string,
    standing: { status: 'ACTIVE' | 'INACTIVE'; roles?: readonly Role[]; agent?: string | null },
  ): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `update ledger.credentials
          set status = $3, roles = coalesce($4, roles), agent_id = case when $5 then $6 else agent_id end
        where tenant_id = $1 and user_id = $2`,
      [tenantId, userId, standing.status, standing.roles ?? null, standing.agent !== undefined, standing.agent ?? null],
    );
    return rowCount === 1;
  }

  async setPassword(tenantId: string, userId: string, hash: string, setAt: string): Promise<void> {
    await this.#pool.query(
      `update ledger.credentials
          set password_hash = $3, password_set_at = $4,
              password_history = case when password_hash is null then password_history
                                      else (array_prepend(password_hash, password_history))[1:${HISTORY}] end
        where tenant_id = $1 and user_id = $2`,
      [tenantId, userId, hash, setAt],
    );
  }

  async rehash(tenantId: string, userId: string, from: string, to: string): Promise<void> {
    await this.#pool.query(
      `update ledger.credentials set password_hash = $4
        where tenant_id = $1 and user_id = $2 and password_hash = $3`,
      [tenantId, userId, from, to],
    );
  }

  async delete(tenantId: string, userId: string): Promise<void> {
    await this.#pool.query(`delete from ledger.credentials where tenant_id = $1 and user_id = $2`, [tenantId, userId]);
  }
}

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

function credentialsOf(row: Row): Credentials {
  return {
    tenantId: row.tenant_id,
    user: { kind: row.user_kind, id: row.user_id },
    status: row.status,
    roles: row.roles.filter(isRole),
    agent: row.agent_id,
    passwordHash: row.password_hash,
    passwordSetAt: row.password_set_at,
    passwordHistory: row.password_history,
    createdAt: row.created_at,
  };
}
