import type pg from 'pg';
import type {
  FoundToken,
  StoredToken,
  TokenFilter,
  TokenRotation,
  TokenStore,
} from '../../application/ports/token-store.js';
import { type Role, ROLES } from '../../domain/shared/decider.js';

const instant = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${column}`;

const COLUMNS = `tenant_id, token_id, name, prefix, roles, customer_id, agent_id, ip_allow_list, created_by, ${instant('created_at')},
  ${instant('expires_at')}, status, ${instant('previous_grace_until')}, rotation, ${instant('last_used_at')}`;

interface Row {
  tenant_id: string;
  token_id: string;
  name: string;
  prefix: string;
  roles: string[];
  customer_id: string | null;
  agent_id: string | null;
  ip_allow_list: string[];
  created_by: string;
  created_at: string;
  expires_at: string;
  status: StoredToken['status'];
  previous_grace_until: string | null;
  rotation: string | null;
  last_used_at: string | null;
}

/** API tokens in `ledger.api_tokens`, as role corebook_core. */
export class PostgresTokenStore implements TokenStore {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async insert(token: StoredToken, hash: string): Promise<void> {
    await this.#pool.query(
      `insert into ledger.api_tokens (tenant_id, token_id, name, prefix, roles, customer_id, ip_allow_list, created_by,
         created_at, expires_at, status, hash, agent_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, decode($12, 'hex'), $13)`,
      [
        token.tenantId,
        token.tokenId,
        token.name,
        token.prefix,
        token.roles,
        token.customerId,
        token.ipAllowList,
        token.createdBy,
        token.createdAt,
        token.expiresAt,
        token.status,
        hash,
        token.agentId,
      ],
    );
  }

  async findByHash(hash: string): Promise<FoundToken | undefined> {
    const { rows } = await this.#pool.query<Row & { is_previous: boolean }>(
      `select ${COLUMNS}, false as is_previous from ledger.api_tokens where hash = decode($1, 'hex')
       union all
       select ${COLUMNS}, true from ledger.api_tokens where previous_hash = decode($1, 'hex')
       limit 1`,
      [hash],
    );
    const [row] = rows;
    return row === undefined ? undefined : { token: tokenOf(row), isPrevious: row.is_previous };
  }

  async get(tenantId: string, tokenId: string): Promise<StoredToken | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `select ${COLUMNS} from ledger.api_tokens where tenant_id = $1 and token_id = $2`,
      [tenantId, tokenId],
    );
    const [row] = rows;
    return row === undefined ? undefined : tokenOf(row);
  }

  async list(
    tenantId: string,
    filter: TokenFilter,
    page: { page: number; size: number },
  ): Promise<{ items: readonly StoredToken[]; totalElements: number }> {
    const { rows } = await this.#pool.query<Row & { total: string }>(
      `select ${COLUMNS}, count(*) over () as total from ledger.api_tokens
        where tenant_id = $1 and status <> 'DELETED' and ($2::text is null or created_by = $2)
        order by api_tokens.created_at desc, token_id limit $3 offset $4`,
      [tenantId, filter.createdBy ?? null, page.size, (page.page - 1) * page.size],
    );
    if (rows.length > 0 || page.page === 1) {
      return { items: rows.map(tokenOf), totalElements: Number.parseInt(rows[0]?.total ?? '0', 10) };
    }
    // Past the last page there is no row to read the total from.
    const first = await this.list(tenantId, filter, { page: 1, size: 1 });
    return { items: [], totalElements: first.totalElements };
  }

  async rotate(tenantId: string, tokenId: string, change: TokenRotation): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `update ledger.api_tokens
          set previous_hash = hash, hash = decode($3, 'hex'), prefix = $4, previous_grace_until = $5, rotation = $6
        where tenant_id = $1 and token_id = $2 and status = 'ACTIVE' and (rotation is null or rotation < $6::uuid)`,
      [tenantId, tokenId, change.hash, change.prefix, change.graceUntil, change.rotation],
    );
    return rowCount === 1;
  }

  async setStatus(tenantId: string, tokenId: string, status: 'DISABLED' | 'DELETED'): Promise<void> {
    await this.#pool.query(
      `update ledger.api_tokens
          set status = $3,
              hash = case when $3 = 'DELETED' then null else hash end,
              previous_hash = null, previous_grace_until = null
        where tenant_id = $1 and token_id = $2 and status <> 'DELETED'`,
      [tenantId, tokenId, status],
    );
  }

  async deleteAllOfCustomer(tenantId: string, customerId: string): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ token_id: string }>(
      `update ledger.api_tokens
          set status = 'DELETED', hash = null, previous_hash = null, previous_grace_until = null
        where tenant_id = $1 and customer_id = $2 and status <> 'DELETED' returning token_id`,
      [tenantId, customerId],
    );
    return rows.map(({ token_id }) => token_id);
  }

  async touch(tenantId: string, tokenId: string, usedAt: string): Promise<void> {
    await this.#pool.query(
      `update ledger.api_tokens set last_used_at = greatest(last_used_at, $3) where tenant_id = $1 and token_id = $2`,
      [tenantId, tokenId, usedAt],
    );
  }
}

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

function tokenOf(row: Row): StoredToken {
  return {
    tokenId: row.token_id,
    tenantId: row.tenant_id,
    name: row.name,
    prefix: row.prefix,
    roles: row.roles.filter(isRole),
    customerId: row.customer_id,
    agentId: row.agent_id,
    ipAllowList: row.ip_allow_list,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    status: row.status,
    lastUsedAt: row.last_used_at,
    previousGraceUntil: row.previous_grace_until,
    rotation: row.rotation,
  };
}
