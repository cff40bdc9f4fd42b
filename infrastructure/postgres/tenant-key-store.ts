import type pg from 'pg';
import type { MasterSeal } from '../../application/ports/key-vault.js';
import {
  MAX_TENANT_KEYS,
  type NewTenantKey,
  type TenantKey,
  type TenantKeyStore,
} from '../../application/ports/tenant-keys.js';
import type { KeyUse } from '../../domain/tenant/events.js';
import { instant } from './instant.js';
import { openPrivateKey, sealPrivateKey } from '../security/private-keys.js';

const COLUMNS = `tenant_id, kid, use, algorithm, status, ${instant('created_at')}, ${instant('retires_at')}, public_spki`;

interface Row {
  tenant_id: string;
  kid: string;
  use: KeyUse;
  algorithm: TenantKey['algorithm'];
  status: TenantKey['status'];
  created_at: string;
  retires_at: string | null;
  public_spki: Buffer;
}

/** Keys of tenants in `ledger.tenant_keys`, as role corebook_core. */
export class PostgresTenantKeyStore implements TenantKeyStore {
  readonly #pool: pg.Pool;
  readonly #master: MasterSeal;

  constructor(pool: pg.Pool, master: MasterSeal) {
    this.#pool = pool;
    this.#master = master;
  }

  async list(tenantId: string, use?: KeyUse): Promise<readonly TenantKey[]> {
    const { rows } = await this.#pool.query<Row>(
      `select ${COLUMNS} from ledger.tenant_keys
        where tenant_id = $1 and status <> 'PENDING' and ($2::text is null or use = $2)
        order by tenant_keys.created_at desc, kid limit ${String(MAX_TENANT_KEYS)}`,
      [tenantId, use ?? null],
    );
    return rows.map(keyOf);
  }

  async privateKey(tenantId: string, kid: string): Promise<Buffer | undefined> {
    const { rows } = await this.#pool.query<{ sealed_private: Buffer | null }>(
      'select sealed_private from ledger.tenant_keys where tenant_id = $1 and kid = $2',
      [tenantId, kid],
    );
    const sealed = rows[0]?.sealed_private ?? undefined;
    return sealed === undefined ? undefined : openPrivateKey(this.#master, { tenantId, kid }, sealed);
  }

  async add(key: NewTenantKey, privatePkcs8: Buffer | undefined): Promise<boolean> {
    const sealed = privatePkcs8 === undefined ? null : sealPrivateKey(this.#master, key, privatePkcs8);
    const { rowCount } = await this.#pool.query(
      `insert into ledger.tenant_keys as known (tenant_id, kid, use, algorithm, status, created_at, public_spki, sealed_private)
       values ($1, $2, $3, $4, 'PENDING', $5, $6, $7)
       on conflict (tenant_id, kid) do update set created_at = excluded.created_at
        where known.status = 'PENDING' and known.use = excluded.use and known.algorithm = excluded.algorithm`,
      [key.tenantId, key.kid, key.use, key.algorithm, key.createdAt, Buffer.from(key.publicSpki, 'base64'), sealed],
    );
    return rowCount === 1;
  }

  async discard(tenantId: string, kid: string): Promise<void> {
    await this.#pool.query(`delete from ledger.tenant_keys where tenant_id = $1 and kid = $2 and status = 'PENDING'`, [
      tenantId,
      kid,
    ]);
  }

  async activate(tenantId: string, kid: string, previousUntil: string, nowIso: string): Promise<TenantKey | undefined> {
    const client = await this.#pool.connect();
    let failed: Error | undefined;
    try {
      await client.query('begin');
      // One activation of a tenant at a time: two would each miss the other's key.
      await client.query(`select pg_advisory_xact_lock(hashtextextended('tenant_keys ' || $1, 0))`, [tenantId]);
      await client.query(
        `update ledger.tenant_keys old set status = 'RETIRING', retires_at = $3
           from ledger.tenant_keys fresh
          where fresh.tenant_id = $1 and fresh.kid = $2 and fresh.status = 'PENDING' and old.status = 'ACTIVE'
            and old.tenant_id = fresh.tenant_id and old.use = fresh.use and old.algorithm = fresh.algorithm`,
        [tenantId, kid, previousUntil],
      );
      await client.query(
        `update ledger.tenant_keys set status = 'ACTIVE' where tenant_id = $1 and kid = $2 and status = 'PENDING'`,
        [tenantId, kid],
      );
      await client.query(
        `update ledger.tenant_keys set status = 'RETIRED', sealed_private = null
          where tenant_id = $1 and status = 'RETIRING' and retires_at <= $2`,
        [tenantId, nowIso],
      );
      const { rows } = await client.query<Row>(
        `select ${COLUMNS} from ledger.tenant_keys where tenant_id = $1 and kid = $2`,
        [tenantId, kid],
      );
      await client.query('commit');
      return rows[0] === undefined ? undefined : keyOf(rows[0]);
    } catch (error) {
      failed = error as Error;
      throw error;
    } finally {
      // A connection that failed in a transaction is not used again.
      client.release(failed);
    }
  }
}

function keyOf(row: Row): TenantKey {
  return {
    tenantId: row.tenant_id,
    kid: row.kid,
    use: row.use,
    algorithm: row.algorithm,
    status: row.status,
    createdAt: row.created_at,
    retiresAt: row.retires_at,
    publicSpki: row.public_spki.toString('base64'),
  };
}
