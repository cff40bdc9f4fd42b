import type { ByBucket } from './terms.js';

/** What `computeLoan` answers: where a loan stands on a day, and how it came there. Amounts are minor units. */
export interface LoanPosition {
  readonly asOf: string;
  /** In order of their days; where the first one is a down payment it is instalment 0. */
  readonly instalments: readonly InstalmentPosition[];
  /** One for each operation that moved something, by effective date; also where an over-payment settles what comes after it. */
  readonly transactions: readonly LoanTransaction[];
  /** What the borrower owes as of the day, by bucket: disbursed or accrued or charged, and not paid, waived or written off. */
  readonly outstanding: ByBucket;
  /** Over the whole schedule: what is and will be due, what was paid. */
  readonly scheduled: ByBucket;
  /** Interest, fees and penalty: without what a charge-back made owed again. */
  readonly paid: ByBucket;
  readonly waived: ByBucket;
  readonly writtenOff: ByBucket;
  /** Received after it was written off. */
  readonly recovered: bigint;
  /** Paid beyond all that was owed. */
  readonly overpaid: bigint;
  /** Due on or before the day and not paid. */
  readonly overdue: ByBucket;
  readonly oldestOverdueDate: string | null;
  readonly daysOverdue: number;
  readonly nextDueDate: string | null;
  readonly maturityDate: string | null;
  readonly status: 'PENDING_DISBURSEMENT' | 'ACTIVE' | 'IN_ARREARS' | 'PAID_OFF' | 'OVERPAID' | 'WRITTEN_OFF';
}

export interface InstalmentPosition {
  readonly number: number;
  /** ADDITIONAL: after the end, for what was charged or charged back then. */
  readonly kind: 'REGULAR' | 'DOWN_PAYMENT' | 'ADDITIONAL';
  readonly fromDate: string;
  readonly dueDate: string;
  readonly due: ByBucket;
  readonly paid: ByBucket;
  readonly waived: ByBucket;
  /** Of what was paid: before its day, and after it. */
  readonly paidInAdvance: bigint;
  readonly paidLate: bigint;
  /** Principal outstanding after it, as scheduled: without what was charged back. */
  readonly balance: bigint;
  /** When nothing of it was left, by payment or because it was moved into another one. */
  readonly paidDate: string | null;
}

export interface LoanTransaction {
  readonly operation: string;
  readonly date: string;
  /** Kind of the operation; `OVERPAYMENT_USED`: what was paid too much settles what the operation made owed. */
  readonly kind: string;
  readonly amount: bigint;
  readonly portions: ByBucket;
  readonly overpaid: bigint;
  /** Principal outstanding after it. */
  readonly balance: bigint;
}
