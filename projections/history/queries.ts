import type { Query, QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { AuditEventView, Page, Paged } from '../../application/ports/read-models.js';
import { GENESIS_HASH } from '../../application/ports/event-log.js';
import { MAX_COUNTED, count, instant, limitOf, offsetOf, text } from '../rows.js';
import { PRIVILEGED_TAG, typeTag } from './projection.js';

const COLUMNS = `e.revision, e.id, e.type, e.version, ${instant('e.recorded_at')} as recorded_at, e.effective_at, e.tags, e.meta,
  e.data, encode(e.hash, 'hex') as hash, encode(p.hash, 'hex') as previous_hash`;
const WITH_PREVIOUS = `left join ledger.events p on p.tenant_id = e.tenant_id and p.revision = e.revision - 1`;

interface AuditFilter {
  readonly from?: string;
  readonly to?: string;
  readonly type?: string;
  readonly actor?: string;
  /** Only acts of staff (domain/privileged.ts); not together with `type`. */
  readonly privileged?: boolean;
}

/**
 * Newest first. Time runs with the revision, so a span of time is a span of revisions (two binary searches). Events of
 * a type other than entries are found by their tag; an actor is searched for through the span.
 */
export async function auditEvents(
  db: TenantQueries,
  tenantId: string,
  filter: AuditFilter,
  page: Page,
): Promise<Paged<AuditEventView>> {
  const [first, last] = await Promise.all([
    filter.from === undefined ? 0 : revisionsBefore(db, tenantId, filter.from, '<'),
    filter.to === undefined ? undefined : revisionsBefore(db, tenantId, filter.to, '<='),
  ]);
  const { type, actor, privileged } = filter;
  const tag =
    privileged === true ? PRIVILEGED_TAG : type === undefined || type === 'entry-posted' ? undefined : typeTag(type);
  const byTag = tag !== undefined;
  const source = byTag
    ? `ledger.event_tags t join ledger.events e on e.tenant_id = t.tenant_id and e.revision = t.revision`
    : `ledger.events e`;
  const span = byTag ? 't' : 'e';
  // The meta text begins with the actor: comparing the beginning is cheaper than reading it as JSON.
  const where = `${span}.tenant_id = $1 and ${span}.revision >= $2 and ($3::bigint is null or ${span}.revision < $3)
    and ($4::text is null or ${byTag ? 't.tag' : 'e.type'} = $4) and ($5::text is null or starts_with(e.meta, $5))`;
  const kind = tag ?? type ?? null;
  const values = [
    tenantId,
    first,
    last ?? null,
    kind,
    actor === undefined ? null : `{"actor":${JSON.stringify(actor)},`,
  ];
  const named = byTag ? 'tag' : 'all';
  return await paged(
    db,
    tenantId,
    {
      name: `audit-count-${named}`,
      text: `select count(*) as n from (select from ${source} where ${where} limit ${MAX_COUNTED}) c`,
      values,
    },
    {
      name: `audit-page-${named}`,
      text: `select ${COLUMNS} from (select e.* from ${source} where ${where} order by ${span}.revision desc limit $6 offset $7) e
              ${WITH_PREVIOUS} order by e.revision desc`,
      values: [...values, limitOf(page), offsetOf(page)],
    },
  );
}

/** Oldest first, of the first 100,000 events. Entries of an account are found by its lines, everything else by tag. */
export async function auditEventsByTag(
  db: TenantQueries,
  tenantId: string,
  tag: string,
  page: Page,
): Promise<Paged<AuditEventView>> {
  const account = ACCOUNT_TAG.exec(tag)?.[1];
  const tagged = `(select revision from ledger.event_tags where tenant_id = $1 and tag = $2 order by revision limit ${MAX_COUNTED})`;
  const lines = `(select revision from ledger.entries where tenant_id = $1 and account_id = $3 order by sequence limit ${MAX_COUNTED})`;
  // An entry may have several lines in one account.
  const source = account === undefined ? tagged : `(${tagged} union ${lines})`;
  const named = account === undefined ? 'tag' : 'account';
  const values = account === undefined ? [tenantId, tag] : [tenantId, tag, account];
  const next = values.length + 1;
  return await paged(
    db,
    tenantId,
    { name: `audit-by-${named}-count`, text: `select count(*) as n from ${source} r`, values },
    {
      name: `audit-by-${named}-page`,
      text: `select ${COLUMNS} from (select revision from ${source} r order by revision limit $${next} offset $${next + 1}) r
               join ledger.events e on e.tenant_id = $1 and e.revision = r.revision
               ${WITH_PREVIOUS} order by e.revision`,
      values: [...values, limitOf(page), offsetOf(page)],
    },
  );
}

const ACCOUNT_TAG = /^account:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

async function paged(
  db: TenantQueries,
  tenantId: string,
  counting: Query,
  listing: Query,
): Promise<Paged<AuditEventView>> {
  const [[counted], rows] = await Promise.all([db.query(tenantId, counting), db.query(tenantId, listing)]);
  return { items: rows.map(auditEventView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

/** How many of the tenant's revisions were recorded before (or up to) an instant: a binary search in the log. */
async function revisionsBefore(
  db: TenantQueries,
  tenantId: string,
  instantText: string,
  operator: '<' | '<=',
): Promise<number> {
  const [row] = await db.query(tenantId, {
    name: `revisions-before ${operator}`,
    text: `with recursive search(lo, hi) as (
             select 0::bigint, coalesce((select revision + 1 from ledger.events where tenant_id = $1 order by revision desc limit 1), 0)
             union all
             select case when e.recorded_at ${operator} $2::timestamptz then m.mid + 1 else s.lo end,
                    case when e.recorded_at ${operator} $2::timestamptz then s.hi else m.mid end
               from search s cross join lateral (select (s.lo + s.hi) / 2 as mid) m
               join ledger.events e on e.tenant_id = $1 and e.revision = m.mid
              where s.lo < s.hi)
           select lo from search where lo = hi`,
    values: [tenantId, instantText],
  });
  return row === undefined ? 0 : count(row, 'lo');
}

function auditEventView(row: QueryRow): AuditEventView {
  const { actor = '', correlation = '' } = JSON.parse(text(row, 'meta')) as Record<string, string>;
  const tags = text(row, 'tags');
  return {
    revision: count(row, 'revision'),
    id: text(row, 'id'),
    type: text(row, 'type'),
    version: count(row, 'version'),
    recordedAt: text(row, 'recorded_at'),
    effectiveAt: text(row, 'effective_at'),
    actor,
    correlationId: correlation,
    tags: tags === '' ? [] : tags.split(' '),
    data: JSON.parse(text(row, 'data')) as unknown,
    previousHash: row['previous_hash'] ?? GENESIS_HASH,
    hash: text(row, 'hash'),
  };
}
