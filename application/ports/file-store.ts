/** Uploaded files beside the log, each sealed for the person it is about. Adapters: postgres, memory. */
export interface StoredFile {
  readonly fileId: string;
  readonly tenantId: string;
  /** Customer or employee. */
  readonly owner: string;
  readonly kind: 'PICTURE' | 'DOCUMENT';
  readonly name: string;
  readonly contentType: string;
  readonly size: number;
  readonly createdAt: string;
}

export interface FileStore {
  put(file: StoredFile, content: Buffer): Promise<void>;
  /** Undefined when there is none, or its owner was erased. */
  get(tenantId: string, fileId: string): Promise<{ readonly file: StoredFile; readonly content: Buffer } | undefined>;
  delete(tenantId: string, fileId: string): Promise<void>;
  deleteAllOf(tenantId: string, owner: string): Promise<void>;
}
