/** What must hold after every fault, found from the database itself, past every proxy. */
import type { TableDefinition } from '../../application/ports/read-store.js';
import { auditAll } from '../../application/audit/audit-all.js';
import { POST_INSTRUCTION, keyOf } from '../../application/idempotency.js';
import { keyText } from '../../application/table-rows.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { createLogger } from '../../http/logging.js';
import { MemoryReadStore } from '../../infrastructure/memory/read-store.js';
import { PostgresBookQueries } from '../../infrastructure/postgres/book-queries.js';
import { RAW_TYPES } from '../../infrastructure/postgres/raw-rows.js';
import { parseRow, readable } from '../../infrastructure/postgres/read-store-sql.js';
import { readConfig } from '../../main/config.js';
import { type Core, openCoreHere } from '../../main/core.js';
import { createProjections } from '../../projections/catalogue.js';
import { EventFeed } from '../../projections/feed.js';
import { ProjectionRunner } from '../../projections/runner.js';
import { compareStreams } from './event-store.js';
import type { Load } from './load.js';
import type { PostgresServer } from './servers.js';
import { until } from './until.js';

const MOST_PROBLEMS = 5;
const AT_THE_END_MS = 60_000;
const SHOWN = 300;

/** Folds the log into memory, on from where the last proof came to, and never saw a fault. */
export class FreshFold {
  readonly store = new MemoryReadStore();

  async catchUp({ log, clock, identity }: Core): Promise<void> {
    const projections = createProjections();
    await this.store.prepare(projections);
    const feed = new EventFeed(log, clock);
    const runner = new ProjectionRunner({ projections, store: this.store, feed, clock, vault: identity.vault });
    while ((await runner.step()).moved);
    const parked = runner.status().filter(({ status }) => status !== 'running');
    if (parked.length > 0) throw new Error(`the fresh fold is held up: ${parked.map(({ error }) => error).join('; ')}`);
  }
}

export interface Proof {
  readonly problems: string[];
  readonly events: number;
}

export interface ProofPorts {
  readonly postgres: PostgresServer;
  readonly fold: FreshFold;
  /** As the product is configured, but past the proxies. */
  readonly env: Readonly<Record<string, string>>;
  /** Read models that a scenario holds up on purpose. */
  readonly except?: readonly string[];
}

/** Where the log ends before a scenario, so that what it adds can be counted. */
export async function logEnd(postgres: PostgresServer): Promise<number> {
  const [row] = await postgres.rows<{ position: string }>('select position from ledger.log_head');
  return Number.parseInt(row?.position ?? '0', 10);
}

export async function prove(ports: ProofPorts, load: Load, tenant: string, since: number): Promise<Proof> {
  const problems = await provenOnce(ports.postgres, load, tenantIdOf(tenant), since);
  await atTheEnd(ports);
  const logger = createLogger({ level: 'silent', destination: process.stderr });
  const core = await openCoreHere({ config: readConfig({ ...ports.env }), logger, project: false });
  try {
    const { log, readModels, clock, pool } = core;
    const book = new PostgresBookQueries(pool);
    const report = await auditAll({ log, readModels, book, census: book, clock });
    if (!report.ok) problems.push(`audit verify: ${JSON.stringify(report).slice(0, 1_000)}`);
    const { LOG_URL } = ports.env;
    if (LOG_URL !== undefined) problems.push(...(await compareStreams(LOG_URL, ports.postgres)));
    await ports.fold.catchUp(core);
    for (const projection of createProjections()) {
      if (ports.except?.includes(projection.name) === true) continue;
      for (const table of projection.tables) problems.push(...(await differences(ports, table)));
    }
    return { problems, events: report.events };
  } finally {
    await core.close();
  }
}

/** Nobody writes any more: all read models come to the log's end, those too that answer no queries and take their time. */
async function atTheEnd({ postgres, except = [] }: ProofPorts): Promise<void> {
  await until('all read models are at the end of the log', AT_THE_END_MS, async () => {
    const [row] = await postgres.rows<{ behind: string }>(
      `select count(*) as behind from ledger.projections p, ledger.log_head h
        where p.status = 'live' and p.name <> all($1) and nullif(p.checkpoint, '')::bigint is distinct from h.position`,
      [except],
    );
    return row?.behind === '0';
  });
}

/** Every acknowledged key once, every other at most once, and nothing that has no key. */
async function provenOnce(postgres: PostgresServer, load: Load, tenantId: string, since: number): Promise<string[]> {
  const keys = new Map(load.sent.map((sent) => [keyOf(tenantId, POST_INSTRUCTION, sent.key), sent]));
  const rows = await postgres.rows<{ key_id: string | null; times: string }>(
    `select key_id, count(*) as times from ledger.events
      where position > $1 and tenant_id = $2 and type = 'entry-posted' group by key_id`,
    [since, tenantId],
  );
  const times = new Map(rows.map((row) => [row.key_id, Number.parseInt(row.times, 10)]));
  const problems: string[] = [];
  for (const [id, sent] of keys) {
    const found = times.get(id) ?? 0;
    if (sent.outcome === 'acknowledged' && found !== 1) problems.push(`${sent.key} was acknowledged and is ${found}×`);
    if (sent.outcome === 'open' && found > 1) problems.push(`${sent.key} is there ${found}×`);
    if (sent.outcome === 'refused') problems.push(`${sent.key} was refused: ${sent.answer}`);
  }
  for (const [id, found] of times) {
    if (id === null || !keys.has(id)) problems.push(`${found} postings in the log that nobody asked for (${id})`);
  }
  return problems.slice(0, MOST_PROBLEMS);
}

async function differences({ postgres, fold }: ProofPorts, table: TableDefinition): Promise<string[]> {
  const columns = Object.entries(table.columns).map(([column, type]) => `${readable(column, type)} as ${column}`);
  const rows = await postgres.rows<Record<string, string | null>>(
    `select ${columns.join(', ')} from ledger.${table.name}`,
    [],
    RAW_TYPES,
  );
  const live = new Map(rows.map((row) => parseRow(table, row)).map((row) => [keyText(table, row), asText(row)]));
  const fresh = new Map(fold.store.rows(table.name).map((row) => [keyText(table, row), asText(row)]));
  const problems: string[] = [];
  for (const key of new Set([...live.keys(), ...fresh.keys()])) {
    const [here, there] = [live.get(key), fresh.get(key)];
    if (here !== there)
      problems.push(`${table.name}: the live row is ${shown(here)}, a fresh fold has ${shown(there)}`);
  }
  return problems.slice(0, MOST_PROBLEMS);
}

const shown = (text = 'missing'): string => text.slice(0, SHOWN);

function asText(row: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
