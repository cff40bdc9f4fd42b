import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { BackupUnusable, type BackupFile, type OnBytes } from './backup-file.js';
import { SESSION } from './dump.js';
import type { Section } from './manifest.js';

/**
 * Fills the empty tables of a migrated database as its owner. Keys and indexes that a table has beside it are taken away
 * and made again behind the rows: that is several times faster. Every row of a section must arrive.
 */
export class Loader {
  #done = 0;

  private constructor(
    private readonly client: pg.Client,
    private readonly backup: BackupFile,
    private readonly onBytes: OnBytes,
    private readonly of: number,
  ) {}

  static async open(url: string, backup: BackupFile, onBytes: OnBytes): Promise<Loader> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'corebook restore',
      options: `${SESSION} -c synchronous_commit=off -c maintenance_work_mem=256MB`,
    });
    client.on('error', () => undefined); // A lost connection fails the statement that runs.
    await client.connect();
    const of = backup.manifest.sections.reduce((sum, { bytes }) => sum + bytes, 0);
    return new Loader(client, backup, onBytes, of);
  }

  /** Everything but read models. */
  async loadPlainTables(): Promise<void> {
    const { sections, readModels } = this.backup.manifest;
    const models = new Set(readModels.flatMap(({ tables }) => Object.values(tables)));
    const plain = sections.filter(({ kind, name }) => kind === 'table' && !models.has(name));
    for (const section of plain) {
      await this.#transaction(async () => {
        // Rows that a migration puts there (where the log ends) are in the backup as they became.
        const { rowCount } = await this.client.query(`select from ${section.name} limit 1`);
        if (rowCount !== 0) await this.client.query(`delete from ${section.name}`);
        await this.#load(section, section.name);
      });
    }
  }

  /** The rows of one section, into a table that may have another name now. */
  load(section: string, table: string): Promise<void> {
    return this.#transaction(() => this.#load(this.backup.section(section), table));
  }

  async query(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult<Record<string, unknown>>> {
    return await this.client.query<Record<string, unknown>>(text, [...values]);
  }

  close(): Promise<void> {
    return this.client.end();
  }

  async #load(section: Section, table: string): Promise<void> {
    const [schema = '', name = ''] = table.split('.');
    const { rows } = await this.client.query<{ forced: boolean }>(
      `select relforcerowsecurity as forced from pg_class where oid = to_regclass($1)`,
      [table],
    );
    if (rows.length === 0) throw new BackupUnusable(`the backup has a table ${table}, and this Corebook has none`);
    const forced = rows[0]?.forced === true;
    // The owner is bound by row-level security where it is forced; COPY does not work under it at all.
    if (forced) await this.client.query(`alter table ${table} no force row level security`);
    const remake = await this.#takeIndexes(schema, name);
    const columns = section.columns.map((column) => pg.escapeIdentifier(column)).join(', ');
    const sink = this.client.query(copyFrom(`copy ${table} (${columns}) from stdin`));
    await this.backup.read(section, sink, (bytes) => this.onBytes((this.#done += bytes), this.of));
    if (sink.rowCount !== section.rows)
      throw new Error(`${table}: ${sink.rowCount} rows arrived of ${section.rows} in the backup`);
    for (const statement of remake) await this.client.query(statement);
    if (forced) await this.client.query(`alter table ${table} force row level security`);
    await this.client.query(`analyze ${table}`);
  }

  /** Drops the keys and indexes of a table; answers the statements that make them again. */
  async #takeIndexes(schema: string, name: string): Promise<string[]> {
    const table = `${schema}.${name}`;
    const keys = await this.client.query<{ name: string; definition: string }>(
      `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
        where conrelid = to_regclass($1) and contype in ('p', 'u')
          and not exists (select from pg_constraint f where f.contype = 'f' and f.confrelid = to_regclass($1))
        order by contype, conname`,
      [table],
    );
    const indexes = await this.client.query<{ name: string; definition: string }>(
      `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
        where i.indrelid = to_regclass($1) and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
        order by 1`,
      [table],
    );
    const remake: string[] = [];
    for (const key of keys.rows) {
      const constraint = pg.escapeIdentifier(key.name);
      await this.client.query(`alter table ${table} drop constraint ${constraint}`);
      remake.push(`alter table ${table} add constraint ${constraint} ${key.definition}`);
    }
    for (const index of indexes.rows) {
      await this.client.query(`drop index ${index.name}`);
      remake.push(index.definition);
    }
    return remake;
  }

  async #transaction(work: () => Promise<void>): Promise<void> {
    await this.client.query('begin');
    await work();
    await this.client.query('commit');
  }
}
