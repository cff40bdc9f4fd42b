import type { Row } from '../../application/ports/read-store.js';
import { standing } from '../../domain/loan/operations-json.js';
import type { InstalmentPosition, LoanPosition } from '../../domain/loan/position.js';
import { BUCKETS, type ByBucket } from '../../domain/loan/terms.js';
import type { Changes } from '../changes.js';
import { LOAN_REPAYMENTS } from '../repayments/table.js';
import { portionsOf } from './position.js';
import { operationOf } from './recorded.js';
import type { RowsSoFar } from './rows-so-far.js';
import { type RunningLoan, writeOffOf } from './running-loan.js';
import { LOANS, LOAN_INSTALMENTS, byBucket } from './tables.js';

/** The rows that follow from a loan's position. Those that say the same as before are not written again. */

/** The instalments, and what the loan's own row says of them. */
export function putInstalments(loan: RunningLoan, position: LoanPosition, rows: RowsSoFar, changes: Changes): void {
  const { key, customerId: customer_id, currency } = loan;
  const before = (number: number): Row | undefined => rows.get(LOAN_INSTALMENTS, { ...key, number });
  const isOwed = loan.status === 'DISBURSED' && writeOffOf(loan.operations).isStillOwed;
  const numbers = new Set(position.instalments.map(({ number }) => number));
  loan.slots = Math.max(loan.slots, ...position.instalments.map(({ number }) => number + 1));
  const shown = position.instalments.map((instalment) => instalmentColumns(instalment, isOwed));
  for (let number = 0; number < loan.slots; number += 1) {
    // Not every slot was ever in use: the down payment's is not where there is none.
    if (!numbers.has(number) && before(number) !== undefined) shown.push(surplusColumns(number, position.asOf));
  }
  for (const columns of shown) {
    const row = { ...key, ...columns, customer_id, currency };
    if (!differs(row, before(columns.number))) continue;
    // Handed over: what comes later in the batch changes the one there, not this one.
    changes.put(LOAN_INSTALMENTS, { ...row });
    rows.set(LOAN_INSTALMENTS, row);
  }
  const openDates = shown.filter(({ is_open }) => is_open).map(({ due_date }) => due_date);
  changes.patch(LOANS, {
    ...{ ...key, maturity_date: position.maturityDate, instalment_slots: loan.slots },
    oldest_open_date: openDates.sort()[0] ?? null,
  });
}

/** What the repayments settle: that may change with whatever is recorded after them. */
export function settleRepayments(loan: RunningLoan, position: LoanPosition, rows: RowsSoFar, changes: Changes): void {
  const { tenant_id } = loan.key;
  const counting = new Set(standing(loan.operations.map(operationOf)).map(({ id }) => id));
  for (const { id, repaymentId: repayment_id } of loan.operations) {
    if (repayment_id === null) continue;
    const { portions, overpaid } = portionsOf(position, id);
    const columns = { ...amounts('portion', portions), overpaid, undone: !counting.has(id) };
    const key = { tenant_id, repayment_id };
    if (!differs(columns, rows.get(LOAN_REPAYMENTS, key))) continue;
    changes.patch(LOAN_REPAYMENTS, { ...key, ...columns });
    rows.set(LOAN_REPAYMENTS, { ...key, ...columns });
  }
}

/** Nothing is open of a loan that is over. */
function instalmentColumns(instalment: InstalmentPosition, isOwed: boolean) {
  const { number, kind, fromDate, dueDate, due, paid, waived, paidInAdvance, paidLate, balance, paidDate } = instalment;
  return {
    ...{ number, kind, from_date: fromDate, due_date: dueDate },
    ...{ ...amounts('due', due), ...amounts('paid', paid), ...amounts('waived', waived) },
    ...{ paid_in_advance: paidInAdvance, paid_late: paidLate, balance, paid_date: paidDate },
    is_open: isOwed && BUCKETS.some((bucket) => due[bucket] - paid[bucket] - waived[bucket] > 0n),
    surplus: false,
  };
}

const ZERO: Row = Object.fromEntries(
  ['due', 'paid', 'waived'].flatMap((suffix) => byBucket(suffix).map((column) => [column, 0n])),
);

/** A row that the schedule does not need any more. */
function surplusColumns(number: number, date: string): ReturnType<typeof instalmentColumns> {
  return {
    ...{ number, kind: 'REGULAR', from_date: date, due_date: date, ...ZERO },
    ...{ paid_in_advance: 0n, paid_late: 0n, balance: 0n, paid_date: null, is_open: false, surplus: true },
  };
}

function amounts(suffix: string, by: ByBucket): Row {
  return Object.fromEntries(BUCKETS.map((bucket) => [`${bucket}_${suffix}`, by[bucket]]));
}

/** Whether these columns say something else than the row that is there. */
function differs(columns: Row, row: Row | undefined): boolean {
  if (row === undefined) return true;
  for (const column in columns) if (columns[column] !== row[column]) return true;
  return false;
}
