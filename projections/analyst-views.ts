import { BUCKETS } from '../domain/loan/terms.js';
import { BOOKED_COLUMNS, OWED } from './loans/booked.js';
import { byBucket } from './loans/tables.js';

/**
 * Views of schema `analytics` for analysts' own SQL. Their columns are a public interface, described in
 * docs/reference/analyst-views.md: add, but do not rename or remove. They show the tenant named by the setting `app.tenant`
 * and no other. Amounts are minor units, balances credit-positive.
 */
const TENANT = `nullif(current_setting('app.tenant', true), '')::uuid`;
/** U+0000 may stand in JSON and not in a Postgres text. */
const DATA = `replace(e.data, '\\u0000', '\\ufffd')::json`;

export const ANALYST_VIEWS = [
  {
    name: 'accounts',
    comment: 'Accounts: what they are and which limits they have. See docs/reference/analyst-views.md.',
    query: `select account_id, number, name, owner, currency, kind, product, system_role, status, permission, frozen,
                   overdraft_limit, minimum_balance, maximum_balance, opened_at, closed_at
              from ledger.accounts where tenant_id = ${TENANT}`,
  },
  {
    name: 'balances',
    comment: 'Present balances of accounts (credit-positive minor units). See docs/reference/analyst-views.md.',
    query: `select account_id, number, currency, kind, ledger, held, liens, sequence as line_count
              from ledger.accounts where tenant_id = ${TENANT}`,
  },
  {
    name: 'entries',
    comment: 'Lines of all entries with their narration. See docs/reference/analyst-views.md.',
    query: `select e.id as entry_id, l.line_index, l.account_id, a.number as account_number, a.currency,
                   case when l.amount < 0 then 'debit' else 'credit' end as side, abs(l.amount) as amount, l.amount as signed_amount,
                   l.balance_after, l.sequence, l.value_date, e.recorded_at, d.j ->> 'kind' as kind,
                   coalesce(d.j #>> array['lines', l.line_index::text, 'narration'], d.j ->> 'narration') as narration,
                   d.j ->> 'reference' as reference, (d.j ->> 'reverses')::uuid as reverses, r.reversed_by
              from ledger.entries l
              join ledger.events e on e.tenant_id = l.tenant_id and e.revision = l.revision
              cross join lateral (select ${DATA} as j) d
              join ledger.accounts a on a.tenant_id = l.tenant_id and a.account_id = l.account_id
              left join ledger.reversals r on r.tenant_id = l.tenant_id and r.entry_id = e.id
             where l.tenant_id = ${TENANT}`,
  },
  {
    name: 'trial_balance',
    comment:
      'Turnover by account and value date; sum it up to a date for a trial balance. See docs/reference/analyst-views.md.',
    query: `select d.value_date, d.account_id, a.number as account_number, a.name as account_name, a.kind, a.currency,
                   d.debits, d.credits, d.credits - d.debits as net, d.lines as line_count
              from ledger.account_days d
              join ledger.accounts a on a.tenant_id = d.tenant_id and a.account_id = d.account_id
             where d.tenant_id = ${TENANT}`,
  },
  {
    name: 'holds',
    comment: 'Holds and liens (minor units). See docs/reference/analyst-views.md.',
    query: `select hold_id, account_id, currency, type, status, reason, group_id, placed, captured, released,
                   placed - captured - released as remaining, placed_at, expires_at
              from ledger.holds where tenant_id = ${TENANT}`,
  },
  {
    name: 'customers',
    comment: 'Customers without what is personal: states, country, agent, dates. See docs/reference/analyst-views.md.',
    query: `select customer_id, code, customer_type, status, compliance_status, country, agent_id, registered_at, updated_at
              from ledger.customers where tenant_id = ${TENANT}`,
  },
  {
    name: 'loans',
    comment: 'Loans without what is personal, with what was booked for them. See docs/reference/analyst-views.md.',
    query: `select l.loan_id, l.code, l.customer_id, l.agent_id, l.product_id, l.product_version, l.currency, l.requested_amount,
                   l.requested_instalments, l.repayment_method, l.status, l.risk, l.written_off, l.disbursed_date,
                   l.maturity_date, l.paid_off_date, l.oldest_open_date, l.accrued_to,
                   ${BOOKED_COLUMNS.map((column) => `l.${column}`).join(', ')},
                   ${BUCKETS.map((bucket) => `${OWED[bucket]} as owed_${bucket}`).join(', ')}, l.requested_at, l.updated_at
              from ledger.loans l where l.tenant_id = ${TENANT}`,
  },
  {
    name: 'loan_instalments',
    comment: 'Instalments of loans as the schedule is now. See docs/reference/analyst-views.md.',
    query: `select loan_id, number, kind, customer_id, currency, from_date, due_date,
                   ${['due', 'paid', 'waived'].flatMap(byBucket).join(', ')},
                   paid_in_advance, paid_late, balance, paid_date, is_open
              from ledger.loan_instalments where tenant_id = ${TENANT} and not surplus`,
  },
  {
    name: 'loan_repayments',
    comment: 'Repayments of loans and what they settled. See docs/reference/analyst-views.md.',
    query: `select repayment_id, loan_id, customer_id, agent_id, currency, amount, method, payment_date, payoff, status,
                   received_amount, value_date, undone, ${byBucket('portion').join(', ')}, overpaid, reported_at, decided_at
              from ledger.loan_repayments where tenant_id = ${TENANT}`,
  },
] as const;
