import type { Row } from '../../application/ports/read-store.js';
import type { LoanPosition } from '../../domain/loan/position.js';
import { computeLoan } from '../../domain/loan/compute.js';
import type { LoanTermsJson } from '../../domain/loan/terms-json.js';
import { termsFromJson } from '../../domain/loan/terms-json.js';
import { BUCKETS, type ByBucket } from '../../domain/loan/terms.js';
import { type RecordedJson, operationOf } from './recorded.js';
import { byBucket } from './tables.js';

/** What the schedule of a loan depends on. */
export interface ScheduleBase {
  readonly terms: LoanTermsJson;
  readonly operations: readonly RecordedJson[];
  readonly accruedTo: string;
}

/** The position as of the last day that anything is known of: it depends on what was recorded, not on a clock. */
export function positionOf({ terms, operations, accruedTo }: ScheduleBase): LoanPosition {
  const asOf = operations.reduce((latest, { date }) => (date > latest ? date : latest), accruedTo);
  return computeLoan(termsFromJson(terms), operations.map(operationOf), asOf);
}

type Instalment = LoanPosition['instalments'][number];

/** The columns of an instalment. Nothing is open of a loan that is over. */
export function instalmentColumns(instalment: Instalment, isOwed: boolean): Row {
  const { number, kind, fromDate, dueDate, due, paid, waived, paidInAdvance, paidLate, balance, paidDate } = instalment;
  return {
    ...{ number, kind, from_date: fromDate, due_date: dueDate },
    ...{ ...amounts('due', due), ...amounts('paid', paid), ...amounts('waived', waived) },
    ...{ paid_in_advance: paidInAdvance, paid_late: paidLate, balance, paid_date: paidDate },
    is_open: isOwed && BUCKETS.some((bucket) => due[bucket] - paid[bucket] - waived[bucket] > 0n),
    surplus: false,
  };
}

const ZERO = Object.fromEntries(
  ['due', 'paid', 'waived'].flatMap((suffix) => byBucket(suffix).map((column) => [column, 0n])),
);

/** A slot that the schedule does not need (any more); its dates are of any instalment. */
export function surplusColumns(number: number, date: string): Row {
  return {
    ...{ number, kind: 'REGULAR', from_date: date, due_date: date, ...ZERO },
    ...{ paid_in_advance: 0n, paid_late: 0n, balance: 0n, paid_date: null, is_open: false, surplus: true },
  };
}

export function amounts(suffix: string, by: ByBucket): Row {
  return Object.fromEntries(BUCKETS.map((bucket) => [`${bucket}_${suffix}`, by[bucket]]));
}

/** What the transactions of one operation settled, together. */
export function portionsOf(position: LoanPosition, operation: string): { portions: ByBucket; overpaid: bigint } {
  const mine = position.transactions.filter((transaction) => transaction.operation === operation);
  const sum = (bucket: keyof ByBucket): bigint => mine.reduce((total, { portions }) => total + portions[bucket], 0n);
  return {
    portions: { principal: sum('principal'), interest: sum('interest'), fees: sum('fees'), penalty: sum('penalty') },
    overpaid: mine.reduce((total, { overpaid }) => total + overpaid, 0n),
  };
}

/** Whether these columns say something else than the row that is there. */
export function differs(columns: Row, row: Row | undefined): boolean {
  if (row === undefined) return true;
  for (const column in columns) if (columns[column] !== row[column]) return true;
  return false;
}
