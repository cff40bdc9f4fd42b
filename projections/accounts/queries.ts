import type { TenantQueries, QueryRow } from '../../application/ports/queries.js';
import type { AccountView, Page, Paged } from '../../application/ports/read-models.js';
import type { AccountKind, FreezeScope, Permission } from '../../domain/ledger/events.js';
import { MAX_COUNTED, count, instant, limitOf, minor, offsetOf, optionalMinor, optionalText, text } from '../rows.js';

const MAX_ACCOUNTS_OF_OWNER = 1_000;

const COLUMNS = `account_id, number, name, sealed_name, owner, currency, kind, product, system_role, status, permission, frozen, ledger, held,
  liens, overdraft_limit, minimum_balance, maximum_balance, sequence, ${instant('opened_at')} as opened_at,
  ${instant('closed_at')} as closed_at`;

export async function accountById(
  db: TenantQueries,
  tenantId: string,
  accountId: string,
): Promise<AccountView | undefined> {
  const [row] = await db.query(tenantId, {
    name: 'account-by-id',
    text: `select ${COLUMNS} from ledger.accounts where tenant_id = $1 and account_id = $2`,
    values: [tenantId, accountId],
  });
  return row === undefined ? undefined : accountView(row);
}

export async function accountByNumber(
  db: TenantQueries,
  tenantId: string,
  number: string,
): Promise<AccountView | undefined> {
  const [row] = await db.query(tenantId, {
    name: 'account-by-number',
    text: `select ${COLUMNS} from ledger.accounts where tenant_id = $1 and number = $2 order by opened_revision limit 1`,
    values: [tenantId, number],
  });
  return row === undefined ? undefined : accountView(row);
}

export async function accountsOfOwner(db: TenantQueries, tenantId: string, owner: string): Promise<AccountView[]> {
  const rows = await db.query(tenantId, {
    name: 'accounts-of-owner',
    text: `select ${COLUMNS} from ledger.accounts where tenant_id = $1 and owner = $2
            order by opened_revision limit ${MAX_ACCOUNTS_OF_OWNER}`,
    values: [tenantId, owner],
  });
  return rows.map(accountView);
}

/** `$4` are the ids of agents whose customers' accounts are wanted, null for all accounts. */
const MATCHES = `tenant_id = $1 and ($2::text is null or product = $2) and ($3::text is null or currency = $3)
  and ($4::text is null or owner in (select c.customer_id::text from ledger.customers c
        where c.tenant_id = $1 and c.agent_id = any(string_to_array($4, ' ')::uuid[])))`;

/** Oldest first. */
export async function accounts(
  db: TenantQueries,
  tenantId: string,
  filter: { readonly product?: string; readonly currency?: string; readonly agentIds?: readonly string[] },
  page: Page,
): Promise<Paged<AccountView>> {
  const values = [tenantId, filter.product ?? null, filter.currency ?? null, filter.agentIds?.join(' ') ?? null];
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: 'accounts-count',
      text: `select count(*) as n from (select from ledger.accounts where ${MATCHES} limit ${MAX_COUNTED}) a`,
      values,
    }),
    db.query(tenantId, {
      name: 'accounts-page',
      text: `select ${COLUMNS} from ledger.accounts where ${MATCHES} order by opened_revision limit $5 offset $6`,
      values: [...values, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(accountView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

function accountView(row: QueryRow): AccountView {
  return {
    accountId: text(row, 'account_id'),
    number: text(row, 'number'),
    name: text(row, 'name'),
    owner: text(row, 'owner'),
    currency: text(row, 'currency'),
    kind: text(row, 'kind') as AccountKind,
    product: text(row, 'product'),
    systemRole: optionalText(row, 'system_role'),
    status: text(row, 'status') as AccountView['status'],
    permission: text(row, 'permission') as Permission,
    frozen: optionalText(row, 'frozen') as FreezeScope | null,
    ledger: minor(row, 'ledger'),
    held: minor(row, 'held'),
    liens: minor(row, 'liens'),
    overdraftLimit: minor(row, 'overdraft_limit'),
    minimumBalance: optionalMinor(row, 'minimum_balance'),
    maximumBalance: optionalMinor(row, 'maximum_balance'),
    sequence: count(row, 'sequence'),
    openedAt: text(row, 'opened_at'),
    closedAt: optionalText(row, 'closed_at'),
  };
}
