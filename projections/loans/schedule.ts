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
import { LOANS, LOAN_INSTALMENTS } from './tables.js';

/** The rows that follow from a loan's position. Those that say the same as before are not written again. */

/** The instalments, and what the loan's own row says of them. */
export function putInstalments(loan: RunningLoan, position: LoanPosition, rows: RowsSoFar, changes: Changes): void {
  const { key } = loan;
  const before = (number: number): Row | undefined => rows.get(LOAN_INSTALMENTS, { ...key, number });
  const isOwed = loan.status === 'DISBURSED' && writeOffOf(loan.operations).isStillOwed;
  const numbers = new Set(position.instalments.map(({ number }) => number));
  loan.slots = Math.max(loan.slots, ...position.instalments.map(({ number }) => number + 1));
  const shown = position.instalments.map((instalment) => instalmentRow(loan, instalment, isOwed));
  for (let number = 0; number < loan.slots; number += 1) {
    // Not every slot was ever in use: the down payment's is not where there is none.
    if (!numbers.has(number) && before(number) !== undefined) shown.push(surplusRow(loan, number, position.asOf));
  }
  for (const row of shown) {
    if (!differs(row, before(row.number))) continue;
    changes.put(LOAN_INSTALMENTS, row);
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
    const { principal, interest, fees, penalty } = portions;
    const columns = {
      ...{ principal_portion: principal, interest_portion: interest, fees_portion: fees, penalty_portion: penalty },
      ...{ overpaid, undone: !counting.has(id) },
    };
    const key = { tenant_id, repayment_id };
    const before = rows.get(LOAN_REPAYMENTS, key);
    if (!differs(columns, before)) continue;
    changes.patch(LOAN_REPAYMENTS, { ...key, ...columns });
    rows.set(LOAN_REPAYMENTS, { ...before, ...key, ...columns });
  }
}

/** Written out: there are many of them. Nothing is open of a loan that is over. */
function instalmentRow(loan: RunningLoan, instalment: InstalmentPosition, isOwed: boolean) {
  const { due, paid, waived } = instalment;
  return {
    tenant_id: loan.key.tenant_id,
    loan_id: loan.key.loan_id,
    number: instalment.number,
    kind: instalment.kind,
    customer_id: loan.customerId,
    currency: loan.currency,
    from_date: instalment.fromDate,
    due_date: instalment.dueDate,
    principal_due: due.principal,
    interest_due: due.interest,
    fees_due: due.fees,
    penalty_due: due.penalty,
    principal_paid: paid.principal,
    interest_paid: paid.interest,
    fees_paid: paid.fees,
    penalty_paid: paid.penalty,
    principal_waived: waived.principal,
    interest_waived: waived.interest,
    fees_waived: waived.fees,
    penalty_waived: waived.penalty,
    paid_in_advance: instalment.paidInAdvance,
    paid_late: instalment.paidLate,
    balance: instalment.balance,
    paid_date: instalment.paidDate,
    is_open: isOwed && BUCKETS.some((bucket) => due[bucket] - paid[bucket] - waived[bucket] > 0n),
    surplus: false,
  };
}

const NOTHING: ByBucket = { principal: 0n, interest: 0n, fees: 0n, penalty: 0n };

/** A row that the schedule does not need any more. */
function surplusRow(loan: RunningLoan, number: number, date: string): ReturnType<typeof instalmentRow> {
  const empty: InstalmentPosition = {
    ...{ number, kind: 'REGULAR', fromDate: date, dueDate: date, due: NOTHING, paid: NOTHING, waived: NOTHING },
    ...{ paidInAdvance: 0n, paidLate: 0n, balance: 0n, paidDate: null },
  };
  return { ...instalmentRow(loan, empty, false), surplus: true };
}

/** Whether these columns say something else than the row that is there. */
function differs(columns: Row, row: Row | undefined): boolean {
  if (row === undefined) return true;
  for (const column in columns) if (columns[column] !== row[column]) return true;
  return false;
}
