import type pg from 'pg';
import type { FileStore, StoredFile } from '../../application/ports/file-store.js';
import type { KeyVault } from '../../application/ports/key-vault.js';

interface Row {
  owner_id: string;
  kind: StoredFile['kind'];
  sealed_name: Buffer;
  content_type: string;
  size: number;
  created_at: string;
  content: Buffer;
}

/** Files in `ledger.stored_files`, sealed with their owner's key, as role corebook_core. */
export class PostgresFileStore implements FileStore {
  readonly #pool: pg.Pool;
  readonly #vault: KeyVault;

  constructor(pool: pg.Pool, vault: KeyVault) {
    this.#pool = pool;
    this.#vault = vault;
  }

  async put(file: StoredFile, content: Buffer): Promise<void> {
    const { tenantId, owner } = file;
    const name = await this.#vault.sealBytes(tenantId, owner, Buffer.from(file.name, 'utf8'));
    const sealed = await this.#vault.sealBytes(tenantId, owner, content);
    await this.#pool.query(
      `insert into ledger.stored_files (tenant_id, file_id, owner_id, kind, sealed_name, content_type, size, created_at, content)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [tenantId, file.fileId, owner, file.kind, name, file.contentType, file.size, file.createdAt, sealed],
    );
  }

  async get(tenantId: string, fileId: string): Promise<{ file: StoredFile; content: Buffer } | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `select owner_id, kind, sealed_name, content_type, size, content,
              to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at
         from ledger.stored_files where tenant_id = $1 and file_id = $2`,
      [tenantId, fileId],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const name = await this.#vault.openBytes(tenantId, row.owner_id, row.sealed_name);
    const content = await this.#vault.openBytes(tenantId, row.owner_id, row.content);
    if (name === undefined || content === undefined) return undefined;
    const { owner_id: owner, kind, content_type: contentType, size, created_at: createdAt } = row;
    const file = { fileId, tenantId, owner, kind, name: name.toString('utf8'), contentType, size, createdAt };
    return { file, content };
  }

  async delete(tenantId: string, fileId: string): Promise<void> {
    await this.#pool.query('delete from ledger.stored_files where tenant_id = $1 and file_id = $2', [tenantId, fileId]);
  }

  async deleteAllOf(tenantId: string, owner: string): Promise<void> {
    await this.#pool.query('delete from ledger.stored_files where tenant_id = $1 and owner_id = $2', [tenantId, owner]);
  }
}
