import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { HoldView, Page, Paged } from '../../application/ports/read-models.js';
import type { HoldType } from '../../domain/ledger/events.js';
import { MAX_COUNTED, count, instant, limitOf, minor, offsetOf, optionalText, text } from '../rows.js';

const MAX_HOLDS_OF_GROUP = 1_000;

const COLUMNS = `hold_id, account_id, currency, type, status, reason, group_id, placed, captured, released,
  ${instant('placed_at')} as placed_at, ${instant('expires_at')} as expires_at`;

export async function hold(db: TenantQueries, tenantId: string, holdId: string): Promise<HoldView | undefined> {
  const [row] = await db.query(tenantId, {
    name: 'hold-by-id',
    text: `select ${COLUMNS} from ledger.holds where tenant_id = $1 and hold_id = $2`,
    values: [tenantId, holdId],
  });
  return row === undefined ? undefined : holdView(row);
}

/** Newest first. Which of the filters are given chooses the text, so that each has its index. */
export async function holds(
  db: TenantQueries,
  tenantId: string,
  filter: { readonly accountId?: string; readonly status?: HoldView['status']; readonly groupId?: string },
  page: Page,
): Promise<Paged<HoldView>> {
  const given = (
    [
      ['account_id', filter.accountId],
      ['group_id', filter.groupId],
    ] as const
  ).filter(([, value]) => value !== undefined) as Array<readonly [string, string]>;
  const conditions = ['tenant_id = $1', ...given.map(([column], i) => `${column} = $${i + 2}`)];
  // A constant of ours, so that the planner sees that the partial index fits.
  const { status } = filter;
  if (status !== undefined) conditions.push(`status = '${STATUSES[status]}'`);
  const where = conditions.join(' and ');
  const name = `holds-by ${[...given.map(([column]) => column), status ?? ''].join(' ')}`;
  const values = [tenantId, ...given.map(([, value]) => value)];
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: `${name} count`,
      text: `select count(*) as n from (select from ledger.holds where ${where} limit ${MAX_COUNTED}) h`,
      values,
    }),
    db.query(tenantId, {
      name,
      text: `select ${COLUMNS} from ledger.holds where ${where} order by placed_revision desc, hold_id
              limit $${values.length + 1} offset $${values.length + 2}`,
      values: [...values, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(holdView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

const STATUSES: Readonly<Record<HoldView['status'], string>> = {
  ACTIVE: 'ACTIVE',
  CAPTURED: 'CAPTURED',
  RELEASED: 'RELEASED',
  EXPIRED: 'EXPIRED',
};

export async function holdsOfGroup(db: TenantQueries, tenantId: string, groupId: string): Promise<HoldView[]> {
  const rows = await db.query(tenantId, {
    name: 'holds-of-group',
    text: `select ${COLUMNS} from ledger.holds where tenant_id = $1 and group_id = $2
            order by placed_revision, hold_id limit ${MAX_HOLDS_OF_GROUP}`,
    values: [tenantId, groupId],
  });
  return rows.map(holdView);
}

function holdView(row: QueryRow): HoldView {
  return {
    holdId: text(row, 'hold_id'),
    accountId: text(row, 'account_id'),
    currency: text(row, 'currency'),
    type: text(row, 'type') as HoldType,
    status: text(row, 'status') as HoldView['status'],
    reason: text(row, 'reason'),
    groupId: optionalText(row, 'group_id'),
    placed: minor(row, 'placed'),
    captured: minor(row, 'captured'),
    released: minor(row, 'released'),
    placedAt: text(row, 'placed_at'),
    expiresAt: optionalText(row, 'expires_at'),
  };
}
