import type { QueryRow } from '../../application/ports/queries.js';
import type { Row } from '../../application/ports/read-store.js';
import { type Booked, EARNING } from '../../domain/loan/booked.js';
import type { BookedJson } from '../../domain/loan/events.js';
import { BUCKETS, type Bucket, type ByBucket } from '../../domain/loan/terms.js';
import { minor } from '../rows.js';

/** The columns of what was booked for a loan; all are 0 before the disbursement. */
export const BOOKED_COLUMNS: readonly string[] = [
  'disbursed',
  'charged_back',
  ...EARNING.map((bucket) => `earned_${bucket}`),
  ...BUCKETS.map((bucket) => `paid_${bucket}`),
  ...EARNING.map((bucket) => `waived_${bucket}`),
  ...BUCKETS.map((bucket) => `written_off_${bucket}`),
  ...['overpaid', 'recovered', 'upfront_fees'],
];
export const NOTHING_BOOKED: Row = Object.fromEntries(BOOKED_COLUMNS.map((column) => [column, 0n]));

export function bookedColumns({ disbursed, chargedBack, earned, paid, waived, writtenOff, ...rest }: BookedJson): Row {
  const columns = (prefix: string, amounts: object): Row =>
    Object.fromEntries(Object.entries(amounts).map(([bucket, amount]) => [`${prefix}_${bucket}`, amount as string]));
  return {
    ...{
      disbursed,
      charged_back: chargedBack,
      ...columns('earned', earned),
      ...columns('paid', paid),
      ...columns('waived', waived),
    },
    ...columns('written_off', writtenOff),
    ...{ overpaid: rest.overpaid, recovered: rest.recovered, upfront_fees: rest.upfrontFees },
  };
}

export function bookedOf(row: QueryRow): Booked {
  const earning = (prefix: string): Omit<ByBucket, 'principal'> => ({
    interest: minor(row, `${prefix}_interest`),
    fees: minor(row, `${prefix}_fees`),
    penalty: minor(row, `${prefix}_penalty`),
  });
  const all = (prefix: string): ByBucket => ({ principal: minor(row, `${prefix}_principal`), ...earning(prefix) });
  return {
    disbursed: minor(row, 'disbursed'),
    chargedBack: minor(row, 'charged_back'),
    earned: earning('earned'),
    paid: all('paid'),
    waived: earning('waived'),
    writtenOff: all('written_off'),
    overpaid: minor(row, 'overpaid'),
    recovered: minor(row, 'recovered'),
    upfrontFees: minor(row, 'upfront_fees'),
  };
}

/** What a loan `l` owes as booked, by bucket: the balance of its ledger account. */
export const OWED: Readonly<Record<Bucket, string>> = {
  principal: '(l.disbursed + l.charged_back - l.paid_principal - l.written_off_principal)',
  interest: '(l.earned_interest - l.paid_interest - l.waived_interest - l.written_off_interest)',
  fees: '(l.earned_fees - l.paid_fees - l.waived_fees - l.written_off_fees)',
  penalty: '(l.earned_penalty - l.paid_penalty - l.waived_penalty - l.written_off_penalty)',
};
