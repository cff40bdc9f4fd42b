import type { SealedPerson } from '../shared/person.js';
import type { LoanFee } from './terms.js';
import type { LoanOperation } from './operations.js';

/** Facts of an application that rules look at: decimal text for numbers, `true`/`false` for yes and no. */
export type LoanFacts = Readonly<Record<string, string>>;

export interface RequestLoan {
  readonly loan: string;
  readonly customer: string;
  readonly product: string;
  readonly amount: bigint;
  readonly instalments: number;
  readonly repaymentMethod: string;
  readonly person: SealedPerson;
  /** What the sealed part says, as far as rules need it: used to decide, never written in clear. */
  readonly facts: LoanFacts;
}
export interface ApproveLoan {
  readonly loan: string;
  /** At most what was requested. */
  readonly amount: bigint;
  readonly annualRatePercent: string;
  readonly instalments: number;
  /** Instead of the product's. */
  readonly fees?: readonly LoanFee[];
  readonly reason?: string;
}
export interface SendLoanOffer {
  readonly loan: string;
  readonly expiresAt?: string;
}
export interface AcceptLoanOffer {
  readonly loan: string;
}
/** Ends an application: who may do what in which state is decided by the actor (spec 7.1, 9.14). */
export interface EndLoan {
  readonly loan: string;
  readonly to: 'REJECTED' | 'WITHDRAWN' | 'CANCELLED';
  readonly by: 'CUSTOMER' | 'STAFF' | 'SYSTEM';
  readonly reason?: string;
}
/** Accepts the conditions, and disburses where the product says AUTOMATIC. */
export interface AcceptLoanConditions {
  readonly loan: string;
}
export interface DisburseLoan {
  readonly loan: string;
  /** YYYY-MM-DD; default today. */
  readonly date?: string;
}
export interface ReportRepayment {
  readonly loan: string;
  readonly repayment: string;
  readonly amount: bigint;
  readonly method: string;
  readonly paymentDate: string;
  readonly reference: string;
  readonly bankAccount?: string;
}
export interface VerifyRepayment {
  readonly loan: string;
  readonly repayment: string;
  /** Default: as reported. */
  readonly receivedAmount?: bigint;
  readonly valueDate?: string;
}
export interface RejectRepayment {
  readonly loan: string;
  readonly repayment: string;
  readonly reason: string;
}
/** Settles everything on a day. WALLET: at once, from the customer's wallet; else a repayment to be verified. */
export interface PayOffLoan {
  readonly loan: string;
  readonly repayment: string;
  readonly method: string;
  /** Must be the quote where it is given. */
  readonly amount?: bigint;
  readonly reference: string;
}
/** Staff: charge, waive, change the rate, reschedule, re-amortise, write off, record a recovery, undo. */
export interface OperateLoan {
  readonly loan: string;
  readonly operation: LoanOperation;
  readonly reason?: string;
}
/** Books interest and penalties up to a day: idempotent per loan and day. */
export interface AccrueLoan {
  readonly loan: string;
  readonly upTo: string;
}
/** Expires an offer whose time has passed. */
export interface ExpireLoanOffer {
  readonly loan: string;
}
