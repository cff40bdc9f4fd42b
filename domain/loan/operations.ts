import type { Bucket, Frequency, PrepaymentRule } from './terms.js';

/**
 * What happened to a loan, in the order it was recorded; `date` (YYYY-MM-DD) is when it took effect, which may lie
 * before what was recorded earlier. An operation that was undone stays in the list and is left out of the computation.
 */
export type LoanOperation = { readonly id: string; readonly date: string } & (
  | { readonly kind: 'DISBURSED'; readonly amount: bigint }
  /** Money of the borrower: by its way of payment for the record. */
  | { readonly kind: 'REPAID'; readonly amount: bigint; readonly method: string; readonly isDownPayment?: boolean }
  /** Money of somebody else that counts like a repayment (refund of a merchant or payout, goodwill). */
  | {
      readonly kind: 'CREDITED';
      readonly amount: bigint;
      readonly type: string;
      /** What is paid in advance with it goes elsewhere than repayments do. */
      readonly prepayment?: PrepaymentRule;
    }
  /** A repayment was taken back by the payer's bank: principal that is due again now. */
  | {
      readonly kind: 'CHARGED_BACK';
      readonly amount: bigint;
      /** The repayment, whose portions are owed again in this order of buckets; absent: principal only. */
      readonly restores?: { readonly operation: string; readonly order: readonly Bucket[] };
    }
  /** A fee or penalty for a day: it falls into the instalment of that day. */
  | {
      readonly kind: 'CHARGED';
      readonly bucket: 'fees' | 'penalty';
      readonly amount: bigint;
      readonly due: string;
      readonly type: string;
    }
  /** Given up: interest, fees or penalty that are outstanding, oldest first. */
  | { readonly kind: 'WAIVED'; readonly bucket: 'interest' | 'fees' | 'penalty'; readonly amount: bigint }
  | { readonly kind: 'RATE_CHANGED'; readonly annualRatePercent: string }
  /** From here on payments in advance go elsewhere. */
  | { readonly kind: 'PREPAYMENT_RULE_SET'; readonly rule: PrepaymentRule }
  /** What is outstanding is spread anew over the instalments that are not due yet. */
  | { readonly kind: 'REAMORTISED' }
  /** What is outstanding gets a new schedule of its own. */
  | {
      readonly kind: 'REAGED';
      readonly instalments: number;
      readonly frequency: Frequency;
      readonly firstDueDate: string;
    }
  /** A new schedule on the outstanding principal, by staff; absent members stay. */
  | {
      readonly kind: 'RESCHEDULED';
      readonly instalments?: number;
      readonly annualRatePercent?: string;
      readonly firstDueDate?: string;
    }
  /** Given up as lost: nothing accrues any more; what comes in later is a recovery. */
  | {
      readonly kind: 'WRITTEN_OFF';
      /** Only marked as lost: the borrower owes it as before, and it bears interest as before. */
      readonly stillOwed?: boolean;
    }
  | { readonly kind: 'RECOVERED'; readonly amount: bigint }
  /** An earlier operation, by id, is void from the beginning. */
  | { readonly kind: 'UNDONE'; readonly operation: string }
);
