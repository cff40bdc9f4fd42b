import type { Page, Paged, WithdrawalView } from '../../application/ports/read-models.js';
import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import { isUuid } from '../../domain/shared/ids.js';
import { MAX_COUNTED, count, instant, limitOf, minor, offsetOf, optionalText, text } from '../rows.js';

const COLUMNS = `withdrawal_id, reference, customer_id, wallet, bank_detail_id, currency, amount, fee, entry_id, status,
  partner, partner_reference, failure, returned_to, ${instant('requested_at')} as requested_at,
  ${instant('updated_at')} as updated_at, ${instant('completed_at')} as completed_at`;

export async function withdrawal(
  db: TenantQueries,
  tenantId: string,
  reference: string,
): Promise<WithdrawalView | undefined> {
  const id = reference.toLowerCase();
  const [row] = await db.query(
    tenantId,
    isUuid(id)
      ? {
          name: 'withdrawal-by-id',
          text: `select ${COLUMNS} from ledger.withdrawals where tenant_id = $1 and withdrawal_id = $2`,
          values: [tenantId, id],
        }
      : {
          name: 'withdrawal-by-reference',
          text: `select ${COLUMNS} from ledger.withdrawals where tenant_id = $1 and reference = $2`,
          values: [tenantId, reference.toUpperCase()],
        },
  );
  return row === undefined ? undefined : withdrawalView(row);
}

export async function withdrawals(
  db: TenantQueries,
  tenantId: string,
  customerId: string,
  page: Page,
): Promise<Paged<WithdrawalView>> {
  if (!isUuid(customerId)) return { items: [], totalElements: 0 };
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: 'withdrawals-count',
      text: `select count(*) as n from (select from ledger.withdrawals
              where tenant_id = $1 and customer_id = $2 limit ${MAX_COUNTED}) w`,
      values: [tenantId, customerId],
    }),
    db.query(tenantId, {
      name: 'withdrawals-page',
      text: `select ${COLUMNS} from ledger.withdrawals where tenant_id = $1 and customer_id = $2
              order by requested_revision desc limit $3 offset $4`,
      values: [tenantId, customerId, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(withdrawalView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

function withdrawalView(row: QueryRow): WithdrawalView {
  return {
    withdrawalId: text(row, 'withdrawal_id'),
    reference: text(row, 'reference'),
    customerId: text(row, 'customer_id'),
    wallet: text(row, 'wallet'),
    amount: minor(row, 'amount'),
    fee: minor(row, 'fee'),
    currency: text(row, 'currency'),
    bankDetailId: text(row, 'bank_detail_id'),
    status: text(row, 'status') as WithdrawalView['status'],
    failureReason: optionalText(row, 'failure') as WithdrawalView['failureReason'],
    entryId: text(row, 'entry_id'),
    partner: optionalText(row, 'partner'),
    partnerReference: optionalText(row, 'partner_reference'),
    returnedTo: optionalText(row, 'returned_to'),
    requestedAt: text(row, 'requested_at'),
    updatedAt: text(row, 'updated_at'),
    completedAt: optionalText(row, 'completed_at'),
  };
}
