import type pg from 'pg';
import type { Clock } from '../../application/ports/clock.js';
import type { MasterSeal } from '../../application/ports/key-vault.js';
import { type Subject, type SubjectKeyTable, SubjectVault, type WrappedKey } from '../security/subject-vault.js';

/** Keys of data subjects in `ledger.subject_keys`, as role corebook_core. */
export class PostgresKeyVault extends SubjectVault {
  constructor(pool: pg.Pool, master: MasterSeal, clock: Pick<Clock, 'nowMs'>) {
    super(new SubjectKeyRows(pool), master, clock);
  }
}

class SubjectKeyRows implements SubjectKeyTable {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async find(subjects: readonly Subject[]): Promise<ReadonlyArray<Subject & { readonly wrapped: WrappedKey }>> {
    const { rows } = await this.#pool.query<{ tenant_id: string; subject_id: string; wrapped: WrappedKey }>(
      `select tenant_id, subject_id, wrapped
         from unnest($1::uuid[], $2::uuid[]) as wanted (tenant_id, subject_id)
         join ledger.subject_keys using (tenant_id, subject_id)`,
      [subjects.map(({ tenantId }) => tenantId), subjects.map(({ subject }) => subject)],
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, subject: row.subject_id, wrapped: row.wrapped }));
  }

  async insert({ tenantId, subject }: Subject, wrapped: Buffer): Promise<WrappedKey> {
    await this.#pool.query(
      `insert into ledger.subject_keys (tenant_id, subject_id, wrapped) values ($1, $2, $3)
       on conflict (tenant_id, subject_id) do nothing`,
      [tenantId, subject, wrapped],
    );
    // A statement of its own: the one above does not see a row that another transaction has just inserted.
    const [row] = await this.find([{ tenantId, subject }]);
    if (row === undefined) throw new Error('a subject key that was inserted is not there');
    return row.wrapped;
  }

  async destroy({ tenantId, subject }: Subject): Promise<void> {
    await this.#pool.query(
      `insert into ledger.subject_keys as kept (tenant_id, subject_id, wrapped, destroyed_at)
       values ($1, $2, null, now())
       on conflict (tenant_id, subject_id)
       do update set wrapped = null, destroyed_at = coalesce(kept.destroyed_at, now())`,
      [tenantId, subject],
    );
  }
}
