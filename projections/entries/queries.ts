import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { EntryFilter, EntryLineView, Page, Paged } from '../../application/ports/read-models.js';
import { correlationTag } from '../history/projection.js';
import { MAX_COUNTED, count, limitOf, offsetOf, text } from '../rows.js';
import { ENTRY_COLUMNS, ENTRY_SOURCES, LINE_COLUMNS, LINE_SOURCES, entryLines, lineView } from './lines.js';

/** Most entries of one answer that is not paged. */
const MAX_ENTRIES = 1_000;
/** A correlation may cover many events that are no entries (holds, refusals). */
const MAX_TAGGED = 10_000;

/** Newest first; dates are value dates. Without a filter a page is one short range of the key, however long the account. */
export async function entriesOfAccount(
  db: TenantQueries,
  tenantId: string,
  accountId: string,
  filter: EntryFilter,
  page: Page,
): Promise<Paged<EntryLineView>> {
  const dated = filter.fromDate !== undefined || filter.toDate !== undefined;
  if (dated || filter.side !== undefined) return await filteredEntries(db, tenantId, accountId, filter, page);
  const totalElements = await lastSequence(db, tenantId, accountId);
  const newest = totalElements - offsetOf(page);
  if (newest <= 0) return { items: [], totalElements };
  const rows = await db.query(tenantId, {
    name: 'entries-page',
    text: `select ${LINE_COLUMNS} from ledger.entries l ${LINE_SOURCES}
            where l.tenant_id = $1 and l.account_id = $2 and l.sequence > $3 and l.sequence <= $4 order by l.sequence desc`,
    values: [tenantId, accountId, newest - limitOf(page), newest],
  });
  return { items: rows.map(lineView), totalElements };
}

/** Lines posted to an account so far. */
export async function lastSequence(db: TenantQueries, tenantId: string, accountId: string): Promise<number> {
  const [row] = await db.query(tenantId, {
    name: 'entries-last-sequence',
    text: `select sequence from ledger.entries where tenant_id = $1 and account_id = $2 order by sequence desc limit 1`,
    values: [tenantId, accountId],
  });
  return row === undefined ? 0 : count(row, 'sequence');
}

/** The days of the account tell how many lines there are and between which numbers to look. */
async function filteredEntries(
  db: TenantQueries,
  tenantId: string,
  accountId: string,
  filter: EntryFilter,
  page: Page,
): Promise<Paged<EntryLineView>> {
  const dates = [filter.fromDate ?? null, filter.toDate ?? null];
  const [days] = await db.query(tenantId, {
    name: 'entries-days',
    text: `select coalesce(sum(lines), 0) as lines, coalesce(min(first_sequence), 0) as lo, coalesce(max(last_sequence), -1) as hi
             from ledger.account_days where tenant_id = $1 and account_id = $2
              and ($3::date is null or value_date >= $3) and ($4::date is null or value_date <= $4)`,
    values: [tenantId, accountId, ...dates],
  });
  if (days === undefined) return { items: [], totalElements: 0 };
  const where = `l.tenant_id = $1 and l.account_id = $2 and l.sequence between $3 and $4
    and ($5::date is null or l.value_date >= $5) and ($6::date is null or l.value_date <= $6)
    and ($7::text is null or (l.amount < 0) = ($7 = 'debit'))`;
  const values = [tenantId, accountId, text(days, 'lo'), text(days, 'hi'), ...dates, filter.side ?? null];
  const rows = await db.query(tenantId, {
    name: 'entries-filtered-page',
    text: `select ${LINE_COLUMNS} from (select * from ledger.entries l where ${where} order by l.sequence desc limit $8 offset $9) l
            ${LINE_SOURCES} order by l.sequence desc`,
    values: [...values, limitOf(page), offsetOf(page)],
  });
  const items = rows.map(lineView);
  if (filter.side === undefined) return { items, totalElements: count(days, 'lines') };
  const [counted] = await db.query(tenantId, {
    name: 'entries-filtered-count',
    text: `select count(*) as n from (select from ledger.entries l where ${where} limit ${MAX_COUNTED}) c`,
    values,
  });
  return { items, totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

/** All lines of an entry; none when there is no such entry. */
export async function entry(db: TenantQueries, tenantId: string, entryId: string): Promise<EntryLineView[]> {
  const rows = await db.query(tenantId, {
    name: 'entry-by-id',
    text: `select ${ENTRY_COLUMNS} from ledger.events e ${ENTRY_SOURCES}
            where e.id = $2 and e.tenant_id = $1 and e.type = 'entry-posted'`,
    values: [tenantId, entryId],
  });
  return rows.flatMap(entryLines);
}

export async function entriesByCorrelation(
  db: TenantQueries,
  tenantId: string,
  correlationId: string,
): Promise<EntryLineView[]> {
  const rows = await db.query(tenantId, {
    name: 'entries-by-correlation',
    text: `select ${ENTRY_COLUMNS}
             from (select revision from ledger.event_tags where tenant_id = $1 and tag = $2 order by revision limit ${MAX_TAGGED}) t
             join ledger.events e on e.tenant_id = $1 and e.revision = t.revision ${ENTRY_SOURCES}
            where e.type = 'entry-posted' order by e.revision limit ${MAX_ENTRIES}`,
    values: [tenantId, correlationTag(correlationId)],
  });
  return rows.flatMap(entryLines);
}

/** The entries of the commits that answered these keys, with those that a part of a command had posted before. */
export async function entriesByKeys(
  db: TenantQueries,
  tenantId: string,
  keyIds: readonly string[],
): Promise<EntryLineView[]> {
  if (keyIds.length === 0) return [];
  const answers = await db.query(tenantId, {
    name: 'events-by-key',
    text: `select revision, type, meta, case when type = 'command-accepted' then data end as data
             from ledger.events where tenant_id = $1 and key_id = any(string_to_array($2, ' ')::uuid[])`,
    values: [tenantId, keyIds.join(' ')],
  });
  const revisions = [...new Set(answers.flatMap(answeredRevisions))].slice(0, MAX_TAGGED);
  const rows = await db.query(tenantId, {
    name: 'entries-by-revisions',
    text: `select ${ENTRY_COLUMNS} from ledger.events e ${ENTRY_SOURCES}
            where e.tenant_id = $1 and e.revision = any(string_to_array($2, ' ')::bigint[]) and e.type = 'entry-posted'
            order by e.revision limit ${MAX_ENTRIES}`,
    values: [tenantId, revisions.join(' ')],
  });
  return rows.flatMap(entryLines);
}

/** A key stands on the first event of its commit, whose meta says how many there are. */
function answeredRevisions(row: QueryRow): number[] {
  const first = count(row, 'revision');
  const { events = '1' } = JSON.parse(text(row, 'meta')) as Record<string, string>;
  const own = Array.from({ length: Number.parseInt(events, 10) }, (_, i) => first + i);
  if (row['data'] === null || row['data'] === undefined) return own;
  const { replays = [] } = JSON.parse(row['data']) as { replays?: ReadonlyArray<{ revision: number }> };
  return [...own, ...replays.map(({ revision }) => revision)];
}
