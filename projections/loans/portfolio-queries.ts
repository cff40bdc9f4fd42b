import type {
  ArrearsBucket,
  ArrearsView,
  CashFlowView,
  InstalmentDueView,
  LoanTotalsView,
  Page,
  Paged,
  VintageView,
} from '../../application/ports/read-models.js';
import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import { BUCKETS, type ByBucket } from '../../domain/loan/terms.js';
import { isUuid } from '../../domain/shared/ids.js';
import { MAX_COUNTED, count, limitOf, minor, offsetOf, optionalText, text } from '../rows.js';
import { OWED } from './booked.js';
import { byBucket } from './tables.js';

const MAX_MONTHS = 120;

/** What is not paid of an instalment `i`, by bucket and in all. */
const left = (bucket: string): string => `(i.${bucket}_due - i.${bucket}_paid - i.${bucket}_waived)`;
const LEFT = BUCKETS.map(left).join(' + ');
const sums = (expression: (bucket: (typeof BUCKETS)[number]) => string): string =>
  BUCKETS.map((bucket) => `sum(${expression(bucket)}) as ${bucket}`).join(', ');

function amounts(row: QueryRow, column: (bucket: string) => string = (bucket) => bucket): ByBucket {
  const of = (bucket: string): bigint => minor(row, column(bucket));
  return { principal: of('principal'), interest: of('interest'), fees: of('fees'), penalty: of('penalty') };
}

export async function loanTotals(
  db: TenantQueries,
  tenantId: string,
  customerId: string,
  on: string,
): Promise<LoanTotalsView[]> {
  if (!isUuid(customerId)) return [];
  const rows = await db.query(tenantId, {
    name: 'loan-totals',
    text: `select l.currency, count(*) as loans, count(*) filter (where l.status = 'DISBURSED' and not l.written_off) as active,
                  count(*) filter (where l.status = 'PAID_OFF') as paid_off, count(*) filter (where l.written_off) as written_off,
                  sum(l.disbursed) as borrowed, sum(${BUCKETS.map((bucket) => `l.paid_${bucket}`).join(' + ')}) as repaid,
                  coalesce(sum(i.outstanding), 0) as outstanding, coalesce(sum(i.overdue), 0) as overdue,
                  min(i.oldest) as oldest, min(i.next) as next
             from ledger.loans l cross join lateral (
               select sum(${LEFT}) as outstanding, sum(${LEFT}) filter (where i.due_date < $3::date) as overdue,
                      min(i.due_date) filter (where i.due_date < $3::date) as oldest,
                      min(i.due_date) filter (where i.due_date >= $3::date) as next
                 from ledger.loan_instalments i where i.tenant_id = $1 and i.loan_id = l.loan_id and i.is_open) i
            where l.tenant_id = $1 and l.customer_id = $2 and l.disbursed_at is not null
            group by l.currency order by l.currency`,
    values: [tenantId, customerId, on],
  });
  return rows.map((row) => ({
    currency: text(row, 'currency'),
    loans: count(row, 'loans'),
    activeLoans: count(row, 'active'),
    paidOffLoans: count(row, 'paid_off'),
    writtenOffLoans: count(row, 'written_off'),
    borrowed: minor(row, 'borrowed'),
    repaid: minor(row, 'repaid'),
    outstanding: minor(row, 'outstanding'),
    overdue: minor(row, 'overdue'),
    oldestOverdueDate: optionalText(row, 'oldest'),
    nextDueDate: optionalText(row, 'next'),
  }));
}

const DUE = `i.tenant_id = $1 and i.customer_id = $2 and i.is_open`;

export async function instalmentsDue(
  db: TenantQueries,
  tenantId: string,
  customerId: string,
  page: Page,
): Promise<Paged<InstalmentDueView>> {
  if (!isUuid(customerId)) return { items: [], totalElements: 0 };
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: 'instalments-due-count',
      text: `select count(*) as n from (select from ledger.loan_instalments i where ${DUE} limit ${MAX_COUNTED}) i`,
      values: [tenantId, customerId],
    }),
    db.query(tenantId, {
      name: 'instalments-due-page',
      text: `select i.loan_id, l.code, i.currency, i.number, i.due_date,
                    ${['due', 'paid', 'waived']
                      .flatMap(byBucket)
                      .map((column) => `i.${column}`)
                      .join(', ')}
               from ledger.loan_instalments i
               join ledger.loans l on l.tenant_id = i.tenant_id and l.loan_id = i.loan_id
              where ${DUE} order by i.due_date, l.requested_revision, i.number limit $3 offset $4`,
      values: [tenantId, customerId, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(instalmentView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

function instalmentView(row: QueryRow): InstalmentDueView {
  const [due, paid, waived] = ['due', 'paid', 'waived'].map((suffix) =>
    amounts(row, (bucket) => `${bucket}_${suffix}`),
  ) as [ByBucket, ByBucket, ByBucket];
  const outstanding = (bucket: (typeof BUCKETS)[number]): bigint => due[bucket] - paid[bucket] - waived[bucket];
  return {
    loanId: text(row, 'loan_id'),
    loanCode: text(row, 'code'),
    currency: text(row, 'currency'),
    number: count(row, 'number'),
    dueDate: text(row, 'due_date'),
    ...{ due, paid, waived },
    outstanding: {
      principal: outstanding('principal'),
      interest: outstanding('interest'),
      fees: outstanding('fees'),
      penalty: outstanding('penalty'),
    },
  };
}

/** What is overdue on the day $2, a row a loan. */
const OVERDUE = `(select i.loan_id, $2::date - min(i.due_date) as days, sum(${LEFT}) as amount
    from ledger.loan_instalments i where i.tenant_id = $1 and i.is_open and i.due_date < $2::date group by i.loan_id) o`;
const BUCKET = `case when o.days is null then 'CURRENT' when o.days <= 30 then '1-30' when o.days <= 60 then '31-60'
    when o.days <= 90 then '61-90' else '91+' end`;

export async function arrears(db: TenantQueries, tenantId: string, on: string): Promise<ArrearsView[]> {
  const rows = await db.query(tenantId, {
    name: 'loan-arrears',
    text: `select l.currency, ${BUCKET} as bucket, count(*) as loans, ${sums((bucket) => OWED[bucket])},
                  coalesce(sum(o.amount), 0) as overdue
             from ledger.loans l left join ${OVERDUE} on o.loan_id = l.loan_id
            where l.tenant_id = $1 and l.status = 'DISBURSED' and not l.written_off
            group by l.currency, 2 order by l.currency, coalesce(min(o.days), 0)`,
    values: [tenantId, on],
  });
  return rows.map((row) => ({
    currency: text(row, 'currency'),
    bucket: text(row, 'bucket') as ArrearsBucket,
    loans: count(row, 'loans'),
    outstanding: amounts(row),
    overdue: minor(row, 'overdue'),
  }));
}

export async function vintages(db: TenantQueries, tenantId: string, on: string): Promise<VintageView[]> {
  const atRisk = (days: number): string =>
    `coalesce(sum(${OWED.principal}) filter (where o.days > ${days} and l.status = 'DISBURSED' and not l.written_off), 0)`;
  const rows = await db.query(tenantId, {
    name: 'loan-vintages',
    text: `select l.currency, to_char(l.disbursed_date, 'YYYY-MM') as month, count(*) as loans, sum(l.disbursed) as disbursed,
                  count(*) filter (where l.status = 'PAID_OFF') as paid_off, count(*) filter (where l.written_off) as written_off,
                  sum(l.paid_principal) as paid, sum(l.written_off_principal) as lost, sum(l.recovered) as recovered,
                  sum(${OWED.principal}) as outstanding, ${atRisk(30)} as risk_30, ${atRisk(90)} as risk_90
             from ledger.loans l left join ${OVERDUE} on o.loan_id = l.loan_id
            where l.tenant_id = $1 and l.disbursed_date is not null
            group by l.currency, 2 order by 2, l.currency`,
    values: [tenantId, on],
  });
  return rows.map((row) => ({
    currency: text(row, 'currency'),
    month: text(row, 'month'),
    loans: count(row, 'loans'),
    disbursed: minor(row, 'disbursed'),
    paidOffLoans: count(row, 'paid_off'),
    writtenOffLoans: count(row, 'written_off'),
    principalPaid: minor(row, 'paid'),
    principalWrittenOff: minor(row, 'lost'),
    recovered: minor(row, 'recovered'),
    principalOutstanding: minor(row, 'outstanding'),
    atRisk30: minor(row, 'risk_30'),
    atRisk90: minor(row, 'risk_90'),
  }));
}

export async function expectedCashFlow(
  db: TenantQueries,
  tenantId: string,
  from: string,
  to: string,
): Promise<CashFlowView[]> {
  const rows = await db.query(tenantId, {
    name: 'loan-cash-flow',
    text: `select i.currency, to_char(i.due_date, 'YYYY-MM') as month, count(*) as instalments, ${sums(left)}
             from ledger.loan_instalments i
            where i.tenant_id = $1 and i.is_open and i.due_date >= $2::date and i.due_date <= $3::date
              and i.due_date < (date_trunc('month', $2::date) + interval '${MAX_MONTHS} months')::date
            group by i.currency, 2 order by 2, i.currency`,
    values: [tenantId, from, to],
  });
  return rows.map((row) => ({
    currency: text(row, 'currency'),
    month: text(row, 'month'),
    instalments: count(row, 'instalments'),
    expected: amounts(row),
  }));
}
