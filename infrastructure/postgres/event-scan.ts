import pg from 'pg';
import type { EventScan, ScanOptions, ScanPage, ScannedEvent } from '../../application/ports/event-scan.js';
import type { EventMeta } from '../../application/ports/event-log.js';
import { upcast } from '../../domain/event-types.js';
import type { Tag } from '../../domain/shared/event.js';
import { RAW_TYPES } from './raw-rows.js';

/** Fields of one event in the page's text: no field has a line feed (JSON text escapes it). */
const FIELDS = 11;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * The page is put together by the server as one text: the driver's work is then one value, not thirteen an event, which
 * is what a rebuild is bound by. Positions are dense, so a page is a range of them.
 */
const PAGE = {
  name: 'event-scan',
  text: `select least($1::bigint + $2::bigint, (select position from ledger.log_head)) as next,
                string_agg(concat_ws(e'\\n', tenant_id, revision, position, id, type, version, recorded_at, effective_at,
                                     tags, data, meta), e'\\n' order by position) as page
           from ledger.events
          where position > $1::bigint and position <= $1::bigint + $2::bigint
            and ($3::text is null or type = any(string_to_array($3, ' ')))`,
  types: RAW_TYPES,
};

interface PageRow {
  readonly next: string;
  readonly page: string | null;
}

/** Reads the log in bulk for rebuilds, on a connection of its own. */
export class PostgresEventScan implements EventScan {
  readonly #pool: pg.Pool;

  /** `timeoutMs`: of one page; a reactor that waits for an answer that was lost would wait for ever, and nobody would know. */
  constructor(options: { readonly url: string; readonly timeoutMs?: number }) {
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: 2,
      application_name: 'corebook scan',
      connectionTimeoutMillis: 5_000,
      query_timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      options: '-c timezone=UTC -c datestyle=ISO',
    });
    // An idle connection that breaks is replaced by the pool.
    this.#pool.on('error', () => undefined);
  }

  async scan({ after, limit, types }: ScanOptions): Promise<ScanPage> {
    const start = after === '' ? '0' : after;
    const { rows } = await this.#pool.query<PageRow>({
      ...PAGE,
      values: [start, limit, types === 'all' ? null : types.join(' ')],
    });
    const [row] = rows;
    if (row === undefined) throw new Error('a scan answered nothing');
    return { events: row.page === null ? [] : parsePage(row.page), next: row.next === '0' ? '' : row.next };
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

function parsePage(page: string): ScannedEvent[] {
  const fields = page.split('\n');
  const events: ScannedEvent[] = [];
  for (let i = 0; i + FIELDS <= fields.length; i += FIELDS) {
    const tags = fields[i + 8] as string;
    events.push(
      upcast({
        tenantId: fields[i] as string,
        revision: Number.parseInt(fields[i + 1] as string, 10),
        position: fields[i + 2] as string,
        id: fields[i + 3] as string,
        type: fields[i + 4] as string,
        version: Number.parseInt(fields[i + 5] as string, 10),
        recordedAt: isoInstant(fields[i + 6] as string),
        effectiveAt: fields[i + 7] as string,
        tags: tags === '' ? [] : (tags.split(' ') as Tag[]),
        data: JSON.parse(fields[i + 9] as string) as unknown,
        meta: JSON.parse(fields[i + 10] as string) as EventMeta,
      }),
    );
  }
  if (events.length * FIELDS !== fields.length) throw new Error('a scanned page does not divide into events');
  return events;
}

let lastText = '';
let lastInstant = '';

/** `2026-01-02 03:04:05.67+00`, as the server writes it, to ISO 8601. Events of a commit share it: the last is kept. */
function isoInstant(text: string): string {
  if (text === lastText) return lastInstant;
  const fraction = text.slice(20, -3);
  lastText = text;
  lastInstant = `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction.padEnd(3, '0')}Z`;
  return lastInstant;
}
