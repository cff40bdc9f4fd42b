import type pg from 'pg';
import type {
  ChainCheckpoint,
  SelfAuditResult,
  SelfAuditStore,
  Suspect,
} from '../../application/ports/self-audit-store.js';

/** `ledger.audit_checkpoints` and `ledger.self_audit`, as role corebook_core. */
export class PostgresSelfAuditStore implements SelfAuditStore {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async checkpoint(tenantId: string): Promise<ChainCheckpoint | undefined> {
    const { rows } = await this.#pool.query<{ revision: string; hash: string }>(
      `select revision, encode(hash, 'hex') as hash from ledger.audit_checkpoints where tenant_id = $1`,
      [tenantId],
    );
    const [row] = rows;
    return row === undefined ? undefined : { revision: Number(row.revision), hash: row.hash };
  }

  async saveCheckpoint(tenantId: string, { revision, hash }: ChainCheckpoint): Promise<void> {
    await this.#pool.query(
      `insert into ledger.audit_checkpoints (tenant_id, revision, hash) values ($1, $2, decode($3, 'hex'))
         on conflict (tenant_id) do update set revision = excluded.revision, hash = excluded.hash, checked_at = now()
         where audit_checkpoints.revision < excluded.revision`,
      [tenantId, revision, hash],
    );
  }

  async lastResult(): Promise<SelfAuditResult | undefined> {
    const { rows } = await this.#pool.query<{ ok: boolean; at: string; detail: string; suspects: Suspects }>(
      `select ok, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, detail, suspects
         from ledger.self_audit`,
    );
    const [row] = rows;
    return row === undefined
      ? undefined
      : {
          ok: row.ok,
          at: row.at,
          detail: row.detail,
          suspects: row.suspects.accounts,
          suspectTenants: row.suspects.tenants,
        };
  }

  async saveResult(result: SelfAuditResult): Promise<void> {
    const suspects: Suspects = { accounts: result.suspects, tenants: result.suspectTenants };
    await this.#pool.query(
      `insert into ledger.self_audit (ok, at, detail, suspects) values ($1, $2, $3, $4)
         on conflict (only_row) do update
         set ok = excluded.ok, at = excluded.at, detail = excluded.detail, suspects = excluded.suspects`,
      [result.ok, result.at, result.detail, JSON.stringify(suspects)],
    );
  }
}

interface Suspects {
  readonly accounts: readonly Suspect[];
  readonly tenants: readonly string[];
}
