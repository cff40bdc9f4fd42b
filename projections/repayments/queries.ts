import type { Page, Paged, RepaymentFilter, RepaymentView } from '../../application/ports/read-models.js';
import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import { isUuid } from '../../domain/shared/ids.js';
import { Conditions } from '../conditions.js';
import { flag } from '../people.js';
import { MAX_COUNTED, count, instant, limitOf, minor, offsetOf, optionalMinor, optionalText, text } from '../rows.js';

const COLUMNS = `r.repayment_id, r.loan_id, l.code, r.customer_id, v.name as product_name, r.currency, r.amount, r.method,
  r.payment_date, r.reference, r.bank_detail_id, r.payoff, r.status, r.reason, r.received_amount, r.value_date,
  r.operation_id, r.undone, r.principal_portion, r.interest_portion, r.fees_portion, r.penalty_portion, r.overpaid,
  r.reported_by, ${instant('r.reported_at')} as reported_at, r.decided_by, ${instant('r.decided_at')} as decided_at`;
const MORE = `join ledger.loans l on l.tenant_id = r.tenant_id and l.loan_id = r.loan_id
  left join ledger.loan_product_versions v on v.tenant_id = l.tenant_id and v.product_id = l.product_id
   and v.version = l.product_version`;

export async function repayment(
  db: TenantQueries,
  tenantId: string,
  repaymentId: string,
): Promise<RepaymentView | undefined> {
  if (!isUuid(repaymentId)) return undefined;
  const [row] = await db.query(tenantId, {
    name: 'repayment-by-id',
    text: `select ${COLUMNS} from ledger.loan_repayments r ${MORE} where r.tenant_id = $1 and r.repayment_id = $2`,
    values: [tenantId, repaymentId],
  });
  return row === undefined ? undefined : repaymentView(row);
}

export async function repayments(
  db: TenantQueries,
  tenantId: string,
  filter: RepaymentFilter,
  page: Page,
): Promise<Paged<RepaymentView>> {
  const { loanId, customerId, status, from, to, agentIds } = filter;
  if (![loanId, customerId].every((id) => id === undefined || isUuid(id))) return { items: [], totalElements: 0 };
  const conditions = new Conditions('r.tenant_id = $1', tenantId);
  conditions.add('loan', ($) => `r.loan_id = ${$}`, loanId);
  conditions.add('customer', ($) => `r.customer_id = ${$}`, customerId);
  conditions.add('status', ($) => `r.status = ${$}`, status);
  conditions.add('from', ($) => `r.payment_date >= ${$}::date`, from);
  conditions.add('to', ($) => `r.payment_date <= ${$}::date`, to);
  conditions.add('agents', ($) => `r.agent_id = any(string_to_array(${$}, ' ')::uuid[])`, agentIds?.join(' '));
  const { where, values, name } = conditions;
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: `repayments-count ${name}`,
      text: `select count(*) as n from (select from ledger.loan_repayments r where ${where} limit ${MAX_COUNTED}) r`,
      values,
    }),
    db.query(tenantId, {
      name: `repayments-page ${name}`,
      text: `select ${COLUMNS} from (select * from ledger.loan_repayments r where ${where} order by r.reported_revision desc
              limit $${values.length + 1} offset $${values.length + 2}) r ${MORE} order by r.reported_revision desc`,
      values: [...values, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(repaymentView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

function repaymentView(row: QueryRow): RepaymentView {
  return {
    repaymentId: text(row, 'repayment_id'),
    loanId: text(row, 'loan_id'),
    loanCode: text(row, 'code'),
    customerId: text(row, 'customer_id'),
    productName: optionalText(row, 'product_name') ?? '',
    currency: text(row, 'currency'),
    amount: minor(row, 'amount'),
    method: text(row, 'method'),
    paymentDate: text(row, 'payment_date'),
    reference: optionalText(row, 'reference'),
    bankDetailId: optionalText(row, 'bank_detail_id'),
    payoff: flag(row, 'payoff'),
    status: text(row, 'status') as RepaymentView['status'],
    reason: optionalText(row, 'reason'),
    receivedAmount: optionalMinor(row, 'received_amount'),
    valueDate: optionalText(row, 'value_date'),
    operationId: optionalText(row, 'operation_id'),
    undone: flag(row, 'undone'),
    portions: portionsOf(row),
    overpaid: minor(row, 'overpaid'),
    reportedBy: text(row, 'reported_by'),
    reportedAt: text(row, 'reported_at'),
    decidedBy: optionalText(row, 'decided_by'),
    decidedAt: optionalText(row, 'decided_at'),
  };
}

function portionsOf(row: QueryRow): RepaymentView['portions'] {
  if (optionalText(row, 'principal_portion') === null) return null;
  return {
    principal: minor(row, 'principal_portion'),
    interest: minor(row, 'interest_portion'),
    fees: minor(row, 'fees_portion'),
    penalty: minor(row, 'penalty_portion'),
  };
}
