import type { ByBucket } from './terms.js';

/** What `computeLoan` answers: where a loan stands on a day, and how it came there. Amounts are minor units. */
export interface LoanPosition {
  readonly asOf: string;
  /** The down payment is instalment 0 where there is one. */
  readonly instalments: readonly InstalmentPosition[];
  /** One for each operation that moved something, by effective date; charge-backs and accruals among them. */
  readonly transactions: readonly LoanTransaction[];
  /** What the borrower owes as of the day, by bucket: disbursed or accrued or charged, and not paid, waived or written off. */
  readonly outstanding: ByBucket;
  /** Over the whole schedule: what is and will be due, what was paid. */
  readonly scheduled: ByBucket;
  readonly paid: ByBucket;
  readonly waived: ByBucket;
  readonly writtenOff: ByBucket;
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
  readonly fromDate: string;
  readonly dueDate: string;
  readonly due: ByBucket;
  readonly paid: ByBucket;
  readonly waived: ByBucket;
  /** Of what was paid: before its day, and after it. */
  readonly paidInAdvance: bigint;
  readonly paidLate: bigint;
  /** Principal outstanding after it, as scheduled. */
  readonly balance: bigint;
  /** When it was paid in full. */
  readonly paidDate: string | null;
}

export interface LoanTransaction {
  readonly operation: string;
  readonly date: string;
  readonly kind: string;
  readonly amount: bigint;
  readonly portions: ByBucket;
  readonly overpaid: bigint;
  /** Principal outstanding after it. */
  readonly balance: bigint;
}
