/** One statement of a read model: plain SQL over the views of schema `ledger`, parameters bound. */
export interface Query {
  /** Of the text: the same name is always the same text (it is prepared once per connection). */
  readonly name: string;
  readonly text: string;
  readonly values: ReadonlyArray<string | number | boolean | null>;
}

/** Columns as the texts the database sent: whoever asks knows their types, and amounts never become numbers. */
export type QueryRow = Readonly<Record<string, string | null>>;

/** Runs queries with the rights of one tenant: whatever the statement says, rows of others are not there. */
export interface TenantQueries {
  /** `tenantId` null: no tenant's rows are there, only the directory. */
  query(tenantId: string | null, query: Query): Promise<readonly QueryRow[]>;
}
