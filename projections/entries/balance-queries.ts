import type { Query, TenantQueries } from '../../application/ports/queries.js';
import type {
  AccountView,
  BalanceAt,
  EntryLineView,
  StatementView,
  TrialBalanceRow,
} from '../../application/ports/read-models.js';
import type { AccountKind } from '../../domain/ledger/events.js';
import { count, minor, text } from '../rows.js';
import { LINE_COLUMNS, LINE_SOURCES, lineView } from './lines.js';
import { lastSequence } from './queries.js';

/** Sums of the account's turnover; debits equal credits in each currency at every position. By account number. */
export async function trialBalance(
  db: TenantQueries,
  tenantId: string,
  filter: { readonly asOf?: string; readonly currency?: string },
): Promise<TrialBalanceRow[]> {
  const rows = await db.query(tenantId, {
    name: 'trial-balance',
    text: `select a.account_id, a.number, a.name, a.sealed_name, a.owner, a.kind, a.currency, d.debits, d.credits
             from (select account_id, sum(debits) as debits, sum(credits) as credits from ledger.account_days
                    where tenant_id = $1 and ($2::date is null or value_date <= $2) group by account_id) d
             join ledger.accounts a on a.tenant_id = $1 and a.account_id = d.account_id
            where $3::text is null or a.currency = $3 order by a.number`,
    values: [tenantId, filter.asOf ?? null, filter.currency ?? null],
  });
  return rows.map((row) => {
    const debits = minor(row, 'debits');
    const credits = minor(row, 'credits');
    return {
      accountId: text(row, 'account_id'),
      number: text(row, 'number'),
      name: text(row, 'name'),
      kind: text(row, 'kind') as AccountKind,
      currency: text(row, 'currency'),
      debits,
      credits,
      balance: credits - debits,
    };
  });
}

/**
 * Recorded time is a line number (it runs with it): the balance is the one after that line. A value date is a sum over
 * days. Both together are a sum over the lines up to that number with that date.
 */
export async function balanceAt(
  db: TenantQueries,
  tenantId: string,
  accountId: string,
  at: { readonly recordedAt?: string; readonly valueDate?: string },
  limit: number,
): Promise<BalanceAt> {
  const { recordedAt, valueDate } = at;
  const last =
    recordedAt === undefined
      ? await lastSequence(db, tenantId, accountId)
      : await sequenceAt(db, tenantId, accountId, recordedAt);
  const values: BalanceValues = [tenantId, accountId, last, valueDate ?? null];
  const upTo = `tenant_id = $1 and account_id = $2 and sequence <= $3`;
  const [[sums], lines] = await Promise.all([
    db.query(tenantId, sumsQuery(recordedAt, values)),
    db.query(tenantId, {
      name: 'balance-lines',
      text: `select ${LINE_COLUMNS} from (select * from ledger.entries where ${upTo} and ($4::date is null or value_date <= $4)
                                      order by sequence desc limit $5) l
              ${LINE_SOURCES} order by l.sequence desc`,
      values: [...values, limit],
    }),
  ]);
  const items = lines.map(lineView);
  if (sums === undefined) return { ledger: 0n, lines: items, lineCount: 0 };
  return { ledger: minor(sums, 'ledger'), lines: items, lineCount: count(sums, 'lines') };
}

type BalanceValues = [tenantId: string, accountId: string, sequence: number, valueDate: string | null];

function sumsQuery(recordedAt: string | undefined, values: BalanceValues): Query {
  const [tenantId, accountId, sequence, valueDate] = values;
  if (valueDate === null) {
    return {
      name: 'balance-after-line',
      text: `select balance_after as ledger, sequence as lines from ledger.entries
              where tenant_id = $1 and account_id = $2 and sequence = $3`,
      values: [tenantId, accountId, sequence],
    };
  }
  if (recordedAt === undefined) {
    return {
      name: 'balance-of-days',
      text: `select coalesce(sum(credits - debits), 0) as ledger, coalesce(sum(lines), 0) as lines from ledger.account_days
              where tenant_id = $1 and account_id = $2 and value_date <= $3`,
      values: [tenantId, accountId, valueDate],
    };
  }
  return {
    name: 'balance-of-lines',
    text: `select coalesce(sum(amount), 0) as ledger, count(*) as lines from ledger.entries
            where tenant_id = $1 and account_id = $2 and sequence <= $3 and value_date <= $4::date`,
    values,
  };
}

/** Number of the account's last line recorded up to an instant; 0 for none. A binary search over the key. */
async function sequenceAt(db: TenantQueries, tenantId: string, accountId: string, recordedAt: string): Promise<number> {
  const [row] = await db.query(tenantId, {
    name: 'sequence-at',
    text: `with recursive search(lo, hi) as (
             select 0::bigint, coalesce((select sequence from ledger.entries where tenant_id = $1 and account_id = $2
                                          order by sequence desc limit 1), 0)
             union all
             select case when e.recorded_at <= $3::timestamptz then m.mid else s.lo end,
                    case when e.recorded_at <= $3::timestamptz then s.hi else m.mid - 1 end
               from search s cross join lateral (select (s.lo + s.hi + 1) / 2 as mid) m
               join ledger.entries l on l.tenant_id = $1 and l.account_id = $2 and l.sequence = m.mid
               join ledger.events e on e.tenant_id = $1 and e.revision = l.revision
              where s.lo < s.hi)
           select lo from search where lo = hi`,
    values: [tenantId, accountId, recordedAt],
  });
  return row === undefined ? 0 : count(row, 'lo');
}

/**
 * Opening and closing balance by value date, and the lines between. The totals say up to which line number they count,
 * and the lines are read up to that one: both are of the same moment.
 */
export async function statement(
  db: TenantQueries,
  tenantId: string,
  account: AccountView,
  range: { readonly fromDate: string; readonly toDate: string },
  limit: number,
): Promise<StatementView> {
  const { fromDate, toDate } = range;
  const [totals] = await db.query(tenantId, {
    name: 'statement-totals',
    text: `select coalesce(sum(credits - debits) filter (where value_date < $3), 0) as opening,
                  coalesce(sum(debits) filter (where value_date >= $3 and value_date <= $4), 0) as debits,
                  coalesce(sum(credits) filter (where value_date >= $3 and value_date <= $4), 0) as credits,
                  coalesce(min(first_sequence) filter (where value_date >= $3 and value_date <= $4), 0) as lo,
                  coalesce(max(last_sequence) filter (where value_date >= $3 and value_date <= $4), -1) as hi
             from ledger.account_days
            where tenant_id = $1 and account_id = $2 and value_date <= $4`,
    values: [tenantId, account.accountId, fromDate, toDate],
  });
  if (totals === undefined) throw new Error('a sum without a row');
  const rows = await db.query(tenantId, {
    name: 'statement-lines',
    text: `select ${LINE_COLUMNS} from (select * from ledger.entries
                                     where tenant_id = $1 and account_id = $2 and sequence between $3 and $4
                                       and value_date >= $5 and value_date <= $6
                                     order by value_date, sequence limit $7) l
            ${LINE_SOURCES} order by l.value_date, l.sequence`,
    values: [tenantId, account.accountId, text(totals, 'lo'), text(totals, 'hi'), fromDate, toDate, limit + 1],
  });
  const lines: EntryLineView[] = rows.slice(0, limit).map(lineView);
  const openingBalance = minor(totals, 'opening');
  const totalDebits = minor(totals, 'debits');
  const totalCredits = minor(totals, 'credits');
  return {
    account,
    fromDate,
    toDate,
    openingBalance,
    closingBalance: openingBalance + totalCredits - totalDebits,
    totalDebits,
    totalCredits,
    lines,
    truncated: rows.length > limit,
  };
}
