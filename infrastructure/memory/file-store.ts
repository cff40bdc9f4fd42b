import type { FileStore, StoredFile } from '../../application/ports/file-store.js';
import type { KeyVault } from '../../application/ports/key-vault.js';

/** Files in memory, sealed as with PostgreSQL. */
export class MemoryFileStore implements FileStore {
  readonly #files = new Map<string, { readonly file: StoredFile; readonly sealed: Buffer }>();
  readonly #vault: KeyVault;

  constructor(vault: KeyVault) {
    this.#vault = vault;
  }

  async put(file: StoredFile, content: Buffer): Promise<void> {
    const sealed = await this.#vault.sealBytes(file.tenantId, file.owner, content);
    const name = nameOf(file.tenantId, file.fileId);
    if (this.#files.has(name)) throw new Error('there is such a file');
    this.#files.set(name, { file, sealed });
  }

  async get(tenantId: string, fileId: string): Promise<{ file: StoredFile; content: Buffer } | undefined> {
    const found = this.#files.get(nameOf(tenantId, fileId));
    if (found === undefined) return undefined;
    const content = await this.#vault.openBytes(tenantId, found.file.owner, found.sealed);
    return content === undefined ? undefined : { file: found.file, content };
  }

  delete(tenantId: string, fileId: string): Promise<void> {
    this.#files.delete(nameOf(tenantId, fileId));
    return Promise.resolve();
  }

  deleteAllOf(tenantId: string, owner: string): Promise<void> {
    for (const [name, { file }] of this.#files) {
      if (file.tenantId === tenantId && file.owner === owner) this.#files.delete(name);
    }
    return Promise.resolve();
  }
}

const nameOf = (tenantId: string, fileId: string): string => `${tenantId}/${fileId}`;
