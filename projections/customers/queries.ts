import type { Query, QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { BankDetailView, CustomerFilter, CustomerView, Page, Paged } from '../../application/ports/read-models.js';
import type { ComplianceStatus, CustomerStatus, CustomerType } from '../../domain/customer/events.js';
import { isUuid } from '../../domain/shared/ids.js';
import type { Json } from '../../domain/shared/event.js';
import { flag, person } from '../people.js';
import { MAX_COUNTED, count, instant, limitOf, offsetOf, optionalText, text } from '../rows.js';
import { searchedTermsOf } from './search-terms.js';

const MAX_BANK_DETAILS_SHOWN = 1_000;
const CODE = /^[0-9A-Za-z]{1,16}$/;

const COLUMNS = `c.customer_id, c.code, c.customer_type, c.status, c.compliance_status, c.country, c.agent_id, c.picture_id,
  c.person, c.has_login_pin, c.has_transaction_pin, ${instant('c.locked_until')} as locked_until,
  ${instant('c.registered_at')} as registered_at, ${instant('c.updated_at')} as updated_at`;

export async function customer(
  db: TenantQueries,
  tenantId: string,
  idOrCode: string,
): Promise<CustomerView | undefined> {
  const id = idOrCode.toLowerCase();
  if (!isUuid(id) && !CODE.test(idOrCode)) return undefined;
  const [row] = await db.query(
    tenantId,
    isUuid(id)
      ? {
          name: 'customer-by-id',
          text: `select ${COLUMNS} from ledger.customers c where c.tenant_id = $1 and c.customer_id = $2`,
          values: [tenantId, id],
        }
      : {
          name: 'customer-by-code',
          text: `select ${COLUMNS} from ledger.customers c where c.tenant_id = $1 and c.code = $2`,
          values: [tenantId, idOrCode.toUpperCase()],
        },
  );
  return row === undefined ? undefined : customerView(row);
}

/** Of whom a list may tell: `$2` are the ids of the agents, null for all. */
const LISTED = `c.tenant_id = $1 and c.status <> 'ERASED'
  and ($2::text is null or c.agent_id = any(string_to_array($2, ' ')::uuid[]))`;
const agentsOf = ({ agentIds }: Pick<CustomerFilter, 'agentIds'>): string | null => agentIds?.join(' ') ?? null;

const MATCHES = `${LISTED} and ($3::text is null or c.status = $3) and ($4::text is null or c.customer_type = $4)
  and ($5::date is null or c.registered_at >= $5::date::timestamptz)
  and ($6::date is null or c.registered_at < ($6::date + 1)::timestamptz)`;

/**
 * Newest first: nobody is registered earlier than the one before him, so times and revisions agree. The dates are made
 * instants because row-level security lets only some operators at the statistics, and none that compares the two.
 */
export async function customers(
  db: TenantQueries,
  tenantId: string,
  filter: CustomerFilter,
  page: Page,
): Promise<Paged<CustomerView>> {
  const { status = null, customerType = null, fromDate = null, toDate = null } = filter;
  const values = [tenantId, agentsOf(filter), status, customerType, fromDate, toDate];
  return await paged(
    db,
    tenantId,
    {
      name: 'customers-count',
      text: `select count(*) as n from (select from ledger.customers c where ${MATCHES} limit ${MAX_COUNTED}) c`,
      values,
    },
    {
      name: 'customers-page',
      text: `select ${COLUMNS} from ledger.customers c where ${MATCHES}
              order by c.registered_at desc, c.registered_revision desc limit $7 offset $8`,
      values: [...values, limitOf(page), offsetOf(page)],
    },
  );
}

/** No character is above it: where the terms with a beginning end, in the order of bytes. */
const LAST_CHARACTER = '\u{10ffff}';
/** A word that begins more terms than this is as good as any other that does. */
const MANY_TERMS = 1_000;

/**
 * The rarest word is looked up in the index of terms, as a range (so no sign of it means anything, and row-level security
 * lets it into the index); the others are looked for among the terms of whom it found.
 */
const FOUND = `${LISTED} and c.customer_id in (
    select t.customer_id from ledger.customer_terms t
     where t.tenant_id = $1 and t.term >= $3 and t.term < $4 and not exists (
       select from unnest(string_to_array($5, ' ')) w(word) where not exists (
         select from ledger.customer_terms o
          where o.tenant_id = $1 and o.customer_id = t.customer_id and starts_with(o.term, w.word))))`;

/** The words, the one that begins the fewest terms first. */
async function rarestFirst(db: TenantQueries, tenantId: string, words: readonly string[]): Promise<readonly string[]> {
  if (words.length < 2) return words;
  const rows = await db.query(tenantId, {
    name: 'customer-terms-counts',
    text: `select w.word from unnest(string_to_array($2, ' ')) w(word) cross join lateral (
             select count(*) as n from (
               select from ledger.customer_terms t
                where t.tenant_id = $1 and t.term >= w.word and t.term < w.word || $3 limit ${MANY_TERMS}) m) m
            order by m.n`,
    values: [tenantId, words.join(' '), LAST_CHARACTER],
  });
  return rows.map((row) => text(row, 'word'));
}

export async function findCustomers(
  db: TenantQueries,
  tenantId: string,
  words: readonly string[],
  filter: Pick<CustomerFilter, 'agentIds'>,
  page: Page,
): Promise<Paged<CustomerView>> {
  const [rarest, ...others] = await rarestFirst(db, tenantId, searchedTermsOf(words));
  if (rarest === undefined) return { items: [], totalElements: 0 };
  const values = [tenantId, agentsOf(filter), rarest, `${rarest}${LAST_CHARACTER}`, others.join(' ')];
  return await paged(
    db,
    tenantId,
    {
      name: 'customers-found-count',
      text: `select count(*) as n from (select from ledger.customers c where ${FOUND} limit ${MAX_COUNTED}) c`,
      values,
    },
    {
      name: 'customers-found-page',
      text: `select ${COLUMNS} from ledger.customers c where ${FOUND} order by c.sort_name, c.customer_id limit $6 offset $7`,
      values: [...values, limitOf(page), offsetOf(page)],
    },
  );
}

async function paged(
  db: TenantQueries,
  tenantId: string,
  counting: Query,
  listing: Query,
): Promise<Paged<CustomerView>> {
  const [[counted], rows] = await Promise.all([db.query(tenantId, counting), db.query(tenantId, listing)]);
  return { items: rows.map(customerView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

const BANK_COLUMNS = `bank_detail_id, customer_id, currency, country, details, ${instant('added_at')} as added_at`;

/** Oldest first. */
export async function bankDetailsOf(
  db: TenantQueries,
  tenantId: string,
  customerId: string,
): Promise<BankDetailView[]> {
  const rows = await db.query(tenantId, {
    name: 'bank-details-of',
    text: `select ${BANK_COLUMNS} from ledger.customer_bank_details
            where tenant_id = $1 and customer_id = $2 and removed_at is null
            order by added_revision limit ${MAX_BANK_DETAILS_SHOWN}`,
    values: [tenantId, customerId],
  });
  return rows.map(bankDetailView);
}

export async function bankDetail(
  db: TenantQueries,
  tenantId: string,
  bankDetailId: string,
): Promise<BankDetailView | undefined> {
  const [row] = await db.query(tenantId, {
    name: 'bank-detail-by-id',
    text: `select ${BANK_COLUMNS} from ledger.customer_bank_details
            where tenant_id = $1 and bank_detail_id = $2 and removed_at is null`,
    values: [tenantId, bankDetailId],
  });
  return row === undefined ? undefined : bankDetailView(row);
}

function customerView(row: QueryRow): CustomerView {
  return {
    customerId: text(row, 'customer_id'),
    code: text(row, 'code'),
    customerType: text(row, 'customer_type') as CustomerType,
    status: text(row, 'status') as CustomerStatus,
    complianceStatus: text(row, 'compliance_status') as ComplianceStatus,
    country: text(row, 'country'),
    agentId: optionalText(row, 'agent_id'),
    pictureId: optionalText(row, 'picture_id'),
    person: person(row),
    hasLoginPin: flag(row, 'has_login_pin'),
    hasTransactionPin: flag(row, 'has_transaction_pin'),
    lockedUntil: optionalText(row, 'locked_until'),
    registeredAt: text(row, 'registered_at'),
    updatedAt: text(row, 'updated_at'),
  };
}

function bankDetailView(row: QueryRow): BankDetailView {
  const details = optionalText(row, 'details');
  return {
    bankDetailId: text(row, 'bank_detail_id'),
    customerId: text(row, 'customer_id'),
    currency: text(row, 'currency'),
    country: text(row, 'country'),
    details: details === null ? null : (JSON.parse(details) as Json),
    addedAt: text(row, 'added_at'),
  };
}
