import type { LoanFilter, LoanSort, LoanView, Page, Paged } from '../../application/ports/read-models.js';
import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { LoanApplicant } from '../../domain/loan/applicant.js';
import type { LoanStatus } from '../../domain/loan/events.js';
import { type LoanTermsJson, feeFromJson, termsFromJson } from '../../domain/loan/terms-json.js';
import { isUuid } from '../../domain/shared/ids.js';
import { Conditions } from '../conditions.js';
import { flag } from '../people.js';
import { MAX_COUNTED, count, instant, limitOf, minor, offsetOf, optionalText, text } from '../rows.js';
import { BOOKED_COLUMNS, bookedOf } from './booked.js';
import { operationOf, recordedOf, stepsOf } from './recorded.js';

const MAX_LOANS_OF_CUSTOMER = 1_000;
const CODE = /^[0-9A-Za-z]{1,16}$/;

const INSTANTS = [
  ...['offer_sent_at', 'offer_expires_at', 'conditions_accepted_at', 'disbursed_at', 'requested_at', 'updated_at'],
];
/** `applicant` is filled in by `openingApplicants`. */
const COLUMNS = `l.loan_id, l.code, l.customer_id, l.agent_id, l.product_id, l.product_version, v.name as product_name,
  l.currency, l.requested_amount, l.requested_instalments, l.repayment_method, l.status, l.risk, a.assessment, l.approved,
  l.terms, l.conditions_version, l.operations, l.wallet, l.accounts, l.accrued_to, l.written_off, l.paid_off_date, l.history,
  ${BOOKED_COLUMNS.map((column) => `l.${column}`).join(', ')}, a.sealed_applicant,
  ${INSTANTS.map((column) => `${instant(`l.${column}`)} as ${column}`).join(', ')}`;
const MORE = `join ledger.loan_applications a on a.tenant_id = l.tenant_id and a.loan_id = l.loan_id
  left join ledger.loan_product_versions v on v.tenant_id = l.tenant_id and v.product_id = l.product_id
   and v.version = l.product_version`;

export async function loan(db: TenantQueries, tenantId: string, idOrCode: string): Promise<LoanView | undefined> {
  const id = idOrCode.toLowerCase();
  if (!isUuid(id) && !CODE.test(idOrCode)) return undefined;
  const [row] = await db.query(
    tenantId,
    isUuid(id)
      ? {
          name: 'loan-by-id',
          text: `select ${COLUMNS} from ledger.loans l ${MORE} where l.tenant_id = $1 and l.loan_id = $2`,
          values: [tenantId, id],
        }
      : {
          name: 'loan-by-code',
          text: `select ${COLUMNS} from ledger.loans l ${MORE} where l.tenant_id = $1 and l.code = $2`,
          values: [tenantId, idOrCode.toUpperCase()],
        },
  );
  return row === undefined ? undefined : loanView(row);
}

export async function loansOfCustomer(db: TenantQueries, tenantId: string, customerId: string): Promise<LoanView[]> {
  if (!isUuid(customerId)) return [];
  const rows = await db.query(tenantId, {
    name: 'loans-of-customer',
    text: `select ${COLUMNS} from ledger.loans l ${MORE} where l.tenant_id = $1 and l.customer_id = $2
            order by l.requested_revision desc limit ${MAX_LOANS_OF_CUSTOMER}`,
    values: [tenantId, customerId],
  });
  return rows.map(loanView);
}

/** Nobody requests a loan earlier than the one before, so times and revisions agree. */
const ORDERS: Readonly<Record<LoanSort['by'], (direction: string) => string>> = {
  requestedAt: (direction) => `l.requested_revision ${direction}`,
  updatedAt: (direction) => `l.updated_at ${direction}, l.requested_revision ${direction}`,
  requestedAmount: (direction) => `l.requested_amount ${direction}, l.requested_revision ${direction}`,
  disbursedAt: (direction) => `l.disbursed_at ${direction} nulls last, l.requested_revision ${direction}`,
};

/** Which of the filters are given chooses the text, so that each has its index. */
export async function loans(
  db: TenantQueries,
  tenantId: string,
  filter: LoanFilter,
  sort: LoanSort | undefined,
  page: Page,
): Promise<Paged<LoanView>> {
  const conditions = conditionsOf(tenantId, filter);
  if (conditions === undefined) return { items: [], totalElements: 0 };
  const { where, values, name } = conditions;
  const { by, descending } = sort ?? { by: 'requestedAt', descending: true };
  const order = ORDERS[by](descending ? 'desc' : 'asc');
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: `loans-count ${name}`,
      text: `select count(*) as n from (select from ledger.loans l where ${where} limit ${MAX_COUNTED}) l`,
      values,
    }),
    db.query(tenantId, {
      name: `loans-page ${name} ${by} ${descending}`,
      text: `select ${COLUMNS} from (select * from ledger.loans l where ${where} order by ${order}
              limit $${values.length + 1} offset $${values.length + 2}) l ${MORE} order by ${order}`,
      values: [...values, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(loanView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

/** Undefined: no loan can meet them. */
function conditionsOf(tenantId: string, filter: LoanFilter): Conditions | undefined {
  const { status, customerId, productId, agentIds, overdueOn, from, to } = filter;
  if (![customerId, productId].every((id) => id === undefined || isUuid(id))) return undefined;
  const conditions = new Conditions('l.tenant_id = $1', tenantId);
  if (typeof status === 'string') conditions.add('status', ($) => `l.status = ${$}`, status);
  else conditions.add('statuses', ($) => `l.status = any(string_to_array(${$}, ' '))`, status?.join(' '));
  conditions.add('customer', ($) => `l.customer_id = ${$}`, customerId);
  conditions.add('product', ($) => `l.product_id = ${$}`, productId);
  conditions.add('agents', ($) => `l.agent_id = any(string_to_array(${$}, ' ')::uuid[])`, agentIds?.join(' '));
  conditions.add('overdue', ($) => `l.oldest_open_date < ${$}::date`, overdueOn);
  // Instants, because row-level security lets only some operators at the index, and none that compares the two.
  conditions.add('from', ($) => `l.requested_at >= ${$}::date::timestamptz`, from);
  conditions.add('to', ($) => `l.requested_at < (${$}::date + 1)::timestamptz`, to);
  return conditions;
}

function loanView(row: QueryRow): LoanView {
  const terms = optionalText(row, 'terms');
  return {
    loanId: text(row, 'loan_id'),
    code: text(row, 'code'),
    customerId: text(row, 'customer_id'),
    agentId: optionalText(row, 'agent_id'),
    productId: text(row, 'product_id'),
    productVersion: count(row, 'product_version'),
    // The versions of products are another projection's: it may be a moment behind.
    productName: optionalText(row, 'product_name') ?? '',
    currency: text(row, 'currency'),
    requestedAmount: minor(row, 'requested_amount'),
    requestedInstalments: count(row, 'requested_instalments'),
    repaymentMethod: text(row, 'repayment_method'),
    status: text(row, 'status') as LoanStatus,
    risk: optionalText(row, 'risk') as LoanView['risk'],
    assessment: parsed<LoanView['assessment']>(row, 'assessment'),
    approved: approvedOf(row),
    terms: terms === null ? null : termsFromJson(JSON.parse(terms) as LoanTermsJson),
    offerSentAt: optionalText(row, 'offer_sent_at'),
    offerExpiresAt: optionalText(row, 'offer_expires_at'),
    conditionsAcceptedAt: optionalText(row, 'conditions_accepted_at'),
    conditionsVersion: optionalText(row, 'conditions_version') === null ? null : count(row, 'conditions_version'),
    ...runningPart(row),
    applicant: parsed<LoanApplicant>(row, 'applicant'),
    history: stepsOf(text(row, 'history')),
    requestedAt: text(row, 'requested_at'),
    updatedAt: text(row, 'updated_at'),
  };
}

function runningPart(row: QueryRow) {
  const disbursedAt = optionalText(row, 'disbursed_at');
  return {
    disbursedAt,
    operations: recordedOf(text(row, 'operations')).map(operationOf),
    booked: disbursedAt === null ? null : bookedOf(row),
    accounts: parsed<LoanView['accounts']>(row, 'accounts'),
    wallet: optionalText(row, 'wallet'),
    accruedTo: optionalText(row, 'accrued_to'),
    writtenOff: flag(row, 'written_off'),
    paidOffDate: optionalText(row, 'paid_off_date'),
  };
}

function approvedOf(row: QueryRow): LoanView['approved'] {
  type Fees = Parameters<typeof feeFromJson>[0][];
  const json = parsed<Omit<NonNullable<LoanView['approved']>, 'amount' | 'fees'> & { amount: string; fees: Fees }>(
    row,
    'approved',
  );
  return json === null ? null : { ...json, amount: BigInt(json.amount), fees: json.fees.map(feeFromJson) };
}

function parsed<T>(row: QueryRow, column: string): T | null {
  const json = optionalText(row, column);
  return json === null ? null : (JSON.parse(json) as T);
}
