import type { LoanApplicant } from '../../domain/loan/applicant.js';
import type { Booked } from '../../domain/loan/booked.js';
import type { LoanApproved, LoanAssessed, LoanDisbursed, LoanEnded, LoanStatus } from '../../domain/loan/events.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import type { ByBucket, LoanFee, LoanTerms } from '../../domain/loan/terms.js';
import type { LoanConditionsSet, LoanProductSettings, ProductStatus } from '../../domain/loan-product/events.js';
import type { WithdrawalFailure, WithdrawalStatus } from '../../domain/withdrawal/events.js';
import type { Page, Paged } from './read-models.js';

/** What can be asked about lending: part of `ReadModels` (read-models.ts), and as bounded. Days are YYYY-MM-DD. */

/** An operation with who recorded it when. May be given to `computeLoan` as it is. */
export type RecordedOperation = LoanOperation & {
  readonly recordedAt: string;
  readonly actor: string;
  readonly reason: string | null;
  /** The repayment that it settles. */
  readonly repaymentId: string | null;
};

/** A step from one status to another. */
export interface LoanStep {
  /** Null: the application. */
  readonly from: LoanStatus | null;
  readonly to: LoanStatus;
  /** Null where the event does not say: then the actor tells. */
  readonly by: LoanEnded['data']['by'] | null;
  readonly reason: string | null;
  readonly actor: string;
  readonly at: string;
}

/** A loan from its application on. Where it stands on a day: `computeLoan(terms, operations, day)`. */
export interface LoanView {
  readonly loanId: string;
  readonly code: string;
  readonly customerId: string;
  readonly agentId: string | null;
  readonly productId: string;
  readonly productVersion: number;
  /** Of that version. */
  readonly productName: string;
  readonly currency: string;
  readonly requestedAmount: bigint;
  readonly requestedInstalments: number;
  readonly repaymentMethod: string;
  readonly status: LoanStatus;
  readonly risk: LoanAssessed['data']['risk'] | null;
  /** Every rule that was applied, with its result. */
  readonly assessment: Omit<LoanAssessed['data'], 'loan'> | null;
  readonly approved: {
    readonly amount: bigint;
    readonly annualRatePercent: string;
    readonly instalments: number;
    readonly fees: readonly LoanFee[];
    readonly reason: LoanApproved['data']['reason'] | null;
    readonly at: string;
  } | null;
  /** Of the offer, later of the running loan. */
  readonly terms: LoanTerms | null;
  readonly offerSentAt: string | null;
  readonly offerExpiresAt: string | null;
  readonly conditionsAcceptedAt: string | null;
  readonly conditionsVersion: number | null;
  /** When it was recorded; the day that counts is the date of the operation DISBURSED. */
  readonly disbursedAt: string | null;
  /** In the order they were recorded. */
  readonly operations: readonly RecordedOperation[];
  /** Totals of what was booked. */
  readonly booked: Booked | null;
  /** Ledger accounts of the loan, by bucket. */
  readonly accounts: LoanDisbursed['data']['accounts'] | null;
  readonly wallet: string | null;
  /** Day up to which interest and penalties are booked. */
  readonly accruedTo: string | null;
  /** Also one that is only marked as lost, and still owed. */
  readonly writtenOff: boolean;
  readonly paidOffDate: string | null;
  /** Null: the person was erased. */
  readonly applicant: LoanApplicant | null;
  /** Oldest first. */
  readonly history: readonly LoanStep[];
  readonly requestedAt: string;
  /** Accruals do not count as a change. */
  readonly updatedAt: string;
}

export interface LoanFilter {
  readonly status?: LoanStatus | readonly LoanStatus[];
  readonly customerId?: string;
  readonly productId?: string;
  /** Only loans that were requested by customers of these agents. */
  readonly agentIds?: readonly string[];
  /** Only running loans with an instalment that was due before this day and is not paid. */
  readonly overdueOn?: string;
  /** Days of the request, inclusive. */
  readonly from?: string;
  readonly to?: string;
}

export const LOAN_SORTS = ['requestedAt', 'updatedAt', 'requestedAmount', 'disbursedAt'] as const;
export interface LoanSort {
  readonly by: (typeof LOAN_SORTS)[number];
  readonly descending: boolean;
}

export interface LoanProductView {
  readonly productId: string;
  readonly version: number;
  /** Of the product, whatever the version. */
  readonly status: ProductStatus;
  readonly settings: LoanProductSettings;
  /** Of the first version. */
  readonly createdAt: string;
  /** When this version was saved; of the newest one: or its status changed. */
  readonly updatedAt: string;
}

/** Terms and conditions that borrowers accept. */
export type LoanConditionsView = LoanConditionsSet['data'] & { readonly updatedAt: string };

export type RepaymentStatus = 'PENDING_VERIFICATION' | 'VERIFIED' | 'REJECTED';

/** Money that a borrower paid or says he paid: reported and to be verified, or taken from his wallet at once. */
export interface RepaymentView {
  readonly repaymentId: string;
  readonly loanId: string;
  readonly loanCode: string;
  readonly customerId: string;
  readonly productName: string;
  readonly currency: string;
  /** As reported; what arrived is `receivedAmount`. */
  readonly amount: bigint;
  readonly method: string;
  readonly paymentDate: string;
  /** Null for what was not reported. */
  readonly reference: string | null;
  /** Id of bank details of the customer. */
  readonly bankDetailId: string | null;
  /** It settles the whole loan. */
  readonly payoff: boolean;
  readonly status: RepaymentStatus;
  /** Why it was rejected. */
  readonly reason: string | null;
  readonly receivedAmount: bigint | null;
  readonly valueDate: string | null;
  /** The operation of the loan that it became. */
  readonly operationId: string | null;
  /** The operation was undone later: it counts no more. */
  readonly undone: boolean;
  /** What it settled, as computed now; null before it is verified. */
  readonly portions: ByBucket | null;
  readonly overpaid: bigint;
  readonly reportedBy: string;
  readonly reportedAt: string;
  /** Who verified or rejected it. */
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
}

export interface RepaymentFilter {
  readonly loanId?: string;
  readonly customerId?: string;
  readonly status?: RepaymentStatus;
  /** Days of payment, inclusive. */
  readonly from?: string;
  readonly to?: string;
  readonly agentIds?: readonly string[];
}

/** An instalment that is not paid in full. Penalties and interest on what is late are as of the loan's last accrual. */
export interface InstalmentDueView {
  readonly loanId: string;
  readonly loanCode: string;
  readonly currency: string;
  /** 0: the down payment. */
  readonly number: number;
  readonly dueDate: string;
  readonly due: ByBucket;
  readonly paid: ByBucket;
  readonly waived: ByBucket;
  /** due − paid − waived. */
  readonly outstanding: ByBucket;
}

/** What a customer borrowed in one currency. */
export interface LoanTotalsView {
  readonly currency: string;
  /** Disbursed, ever. */
  readonly loans: number;
  /** Running, those that were written off not among them. */
  readonly activeLoans: number;
  readonly paidOffLoans: number;
  readonly writtenOffLoans: number;
  readonly borrowed: bigint;
  readonly repaid: bigint;
  /** Of all instalments of running loans, due now or later. */
  readonly outstanding: bigint;
  /** Due before the day. */
  readonly overdue: bigint;
  readonly oldestOverdueDate: string | null;
  /** On the day or after it. */
  readonly nextDueDate: string | null;
}

export const ARREARS_BUCKETS = ['CURRENT', '1-30', '31-60', '61-90', '91+'] as const;
export type ArrearsBucket = (typeof ARREARS_BUCKETS)[number];

/** Running loans (not written off) of one currency whose oldest unpaid instalment is this many days overdue. */
export interface ArrearsView {
  readonly currency: string;
  readonly bucket: ArrearsBucket;
  readonly loans: number;
  /** What these loans owe as booked: principal and whatever accrued. */
  readonly outstanding: ByBucket;
  /** Instalments due before the day and not paid. */
  readonly overdue: bigint;
}

/** Loans by the month of their disbursement. */
export interface VintageView {
  readonly currency: string;
  /** YYYY-MM */
  readonly month: string;
  readonly loans: number;
  readonly disbursed: bigint;
  readonly paidOffLoans: number;
  readonly writtenOffLoans: number;
  readonly principalPaid: bigint;
  readonly principalWrittenOff: bigint;
  readonly recovered: bigint;
  readonly principalOutstanding: bigint;
  /** Principal outstanding of loans overdue by more than 30 and by more than 90 days. */
  readonly atRisk30: bigint;
  readonly atRisk90: bigint;
}

/** What the schedules expect to come in by month and currency: what is not paid of instalments due in it. */
export interface CashFlowView {
  readonly currency: string;
  /** YYYY-MM */
  readonly month: string;
  readonly instalments: number;
  readonly expected: ByBucket;
}

export interface WithdrawalView {
  readonly withdrawalId: string;
  readonly reference: string;
  readonly customerId: string;
  readonly wallet: string;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly currency: string;
  readonly bankDetailId: string;
  readonly status: WithdrawalStatus;
  readonly failureReason: WithdrawalFailure | null;
  /** The entry that took amount and fee. */
  readonly entryId: string;
  readonly partner: string | null;
  readonly partnerReference: string | null;
  /** Account that the money of a failed one was given back to: the wallet, or suspense. */
  readonly returnedTo: string | null;
  readonly requestedAt: string;
  readonly updatedAt: string;
  readonly completedAt: string | null;
}

export interface LendingReadModels {
  /** By id (UUID) or by code, case-insensitive. */
  loan(tenantId: string, idOrCode: string): Promise<LoanView | undefined>;
  /** Default: newest first. */
  loans(tenantId: string, filter: LoanFilter, sort: LoanSort | undefined, page: Page): Promise<Paged<LoanView>>;
  /** Newest first, at most 1,000. */
  loansOfCustomer(tenantId: string, customerId: string): Promise<readonly LoanView[]>;
  /** One for each currency that he borrowed in; `on`: the day that overdue is counted on. */
  loanTotals(tenantId: string, customerId: string, on: string): Promise<readonly LoanTotalsView[]>;
  /** The newest version. */
  loanProduct(tenantId: string, productId: string): Promise<LoanProductView | undefined>;
  loanProductVersion(tenantId: string, productId: string, version: number): Promise<LoanProductView | undefined>;
  /** Newest versions, oldest product first. */
  loanProducts(
    tenantId: string,
    filter: { readonly status?: ProductStatus; readonly currency?: string },
    page: Page,
  ): Promise<Paged<LoanProductView>>;
  /** Undefined: none were set. */
  loanConditions(tenantId: string): Promise<LoanConditionsView | undefined>;
  repayment(tenantId: string, repaymentId: string): Promise<RepaymentView | undefined>;
  /** Newest first. */
  repayments(tenantId: string, filter: RepaymentFilter, page: Page): Promise<Paged<RepaymentView>>;
  /** Of all running loans of the customer, by due date. */
  instalmentsDue(tenantId: string, customerId: string, page: Page): Promise<Paged<InstalmentDueView>>;
  /**
   * The portfolio on a day by currency and days overdue, buckets without a loan left out. What was paid until now counts
   * as paid, also where the day lies in the past.
   */
  arrears(tenantId: string, on: string): Promise<readonly ArrearsView[]>;
  /** Oldest month first; `on`: the day that overdue is counted on. */
  vintages(tenantId: string, on: string): Promise<readonly VintageView[]>;
  /** Months from the one of `from` to the one of `to`, at most 120, of instalments due from `from` to `to`. */
  expectedCashFlow(tenantId: string, from: string, to: string): Promise<readonly CashFlowView[]>;
  /** By reference, or by id. */
  withdrawal(tenantId: string, reference: string): Promise<WithdrawalView | undefined>;
  /** Newest first. */
  withdrawals(tenantId: string, customerId: string, page: Page): Promise<Paged<WithdrawalView>>;
}
