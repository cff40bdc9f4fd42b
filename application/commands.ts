import type {
  CaptureHold,
  ChangeAccountPermission,
  CloseAccount,
  ExpireHold,
  FreezeAccount,
  OpenAccount,
  PlaceHolds,
  PostEntries,
  PostFxEntry,
  PostJournalEntry,
  ReleaseHold,
  ReleaseHoldGroup,
  ReverseEntry,
  SetAccountLimits,
  UnfreezeAccount,
} from '../domain/ledger/commands.js';
import type { DeleteApiToken, DisableApiToken, IssueApiToken, RotateApiToken } from '../domain/access/commands.js';
import type { RecordAccess } from '../domain/access/user-commands.js';
import type { CreateAgent, SetAgentStatus, UpdateAgent } from '../domain/agent/commands.js';
import type {
  AddBankDetails,
  ChangeCustomerProfile,
  EraseCustomer,
  RegisterCustomer,
  RemoveBankDetails,
  SetCustomerPicture,
  SetCustomerStatus,
  VerifyCustomer,
} from '../domain/customer/commands.js';
import type {
  ChangeEmployee,
  CreateEmployee,
  EraseEmployee,
  SetEmployeePicture,
  SetEmployeeStatus,
} from '../domain/employee/commands.js';
import type {
  AcceptLoanConditions,
  AcceptLoanOffer,
  AccrueLoan,
  ApproveLoan,
  DisburseLoan,
  EndLoan,
  ExpireLoanOffer,
  OperateLoan,
  PayOffLoan,
  RejectRepayment,
  ReportRepayment,
  RequestLoan,
  SendLoanOffer,
  VerifyRepayment,
} from '../domain/loan/commands.js';
import type {
  SaveLoanProduct,
  SetLoanConditions,
  SetLoanProductStatus,
  SetLoanQuestions,
} from '../domain/loan-product/commands.js';
import type {
  ChangePreferences,
  CreateTenant,
  EnableCurrencies,
  IntroduceKey,
  SetCountry,
  SetTenantStatus,
  UpdateTenant,
} from '../domain/tenant/commands.js';
import type {
  CompleteWithdrawal,
  FailWithdrawal,
  RequestWithdrawal,
  SubmitWithdrawal,
} from '../domain/withdrawal/commands.js';
import type { Actor } from '../domain/shared/decider.js';
import type { Refusal } from '../domain/shared/refusal.js';
import type { StoredEvent } from './ports/event-log.js';

/** Every command by its name. A new command is a line here and one in `deciders.ts`. */
export interface CommandPayloads {
  'open-account': OpenAccount;
  'close-account': CloseAccount;
  'freeze-account': FreezeAccount;
  'unfreeze-account': UnfreezeAccount;
  'change-account-permission': ChangeAccountPermission;
  'set-account-limits': SetAccountLimits;
  'post-entries': PostEntries;
  'post-journal-entry': PostJournalEntry;
  'post-fx-entry': PostFxEntry;
  'reverse-entry': ReverseEntry;
  'place-holds': PlaceHolds;
  'capture-hold': CaptureHold;
  'release-hold': ReleaseHold;
  'release-hold-group': ReleaseHoldGroup;
  'expire-hold': ExpireHold;
  'create-tenant': CreateTenant;
  'update-tenant': UpdateTenant;
  'set-tenant-status': SetTenantStatus;
  'enable-currencies': EnableCurrencies;
  'issue-api-token': IssueApiToken;
  'rotate-api-token': RotateApiToken;
  'disable-api-token': DisableApiToken;
  'delete-api-token': DeleteApiToken;
  'record-access': RecordAccess;
  'register-customer': RegisterCustomer;
  'change-customer-profile': ChangeCustomerProfile;
  'set-customer-picture': SetCustomerPicture;
  'set-customer-status': SetCustomerStatus;
  'verify-customer': VerifyCustomer;
  'add-bank-details': AddBankDetails;
  'remove-bank-details': RemoveBankDetails;
  'erase-customer': EraseCustomer;
  'create-employee': CreateEmployee;
  'change-employee': ChangeEmployee;
  'set-employee-status': SetEmployeeStatus;
  'set-employee-picture': SetEmployeePicture;
  'erase-employee': EraseEmployee;
  'create-agent': CreateAgent;
  'update-agent': UpdateAgent;
  'set-agent-status': SetAgentStatus;
  'change-preferences': ChangePreferences;
  'set-country': SetCountry;
  'introduce-key': IntroduceKey;
  'save-loan-product': SaveLoanProduct;
  'set-loan-product-status': SetLoanProductStatus;
  'set-loan-questions': SetLoanQuestions;
  'set-loan-conditions': SetLoanConditions;
  'request-loan': RequestLoan;
  'approve-loan': ApproveLoan;
  'send-loan-offer': SendLoanOffer;
  'accept-loan-offer': AcceptLoanOffer;
  'end-loan': EndLoan;
  'accept-loan-conditions': AcceptLoanConditions;
  'disburse-loan': DisburseLoan;
  'report-repayment': ReportRepayment;
  'verify-repayment': VerifyRepayment;
  'reject-repayment': RejectRepayment;
  'pay-off-loan': PayOffLoan;
  'operate-loan': OperateLoan;
  'accrue-loan': AccrueLoan;
  'expire-loan-offer': ExpireLoanOffer;
  'request-withdrawal': RequestWithdrawal;
  'submit-withdrawal': SubmitWithdrawal;
  'complete-withdrawal': CompleteWithdrawal;
  'fail-withdrawal': FailWithdrawal;
}
export type CommandName = keyof CommandPayloads;

/** A command with who asks and how it may be retried. */
export interface Command<N extends CommandName = CommandName> {
  readonly name: N;
  readonly tenantId: string;
  readonly payload: CommandPayloads[N];
  readonly actor: Actor;
  /** The caller's correlation id (x-fapi-interaction-id), stored with every event. */
  readonly correlationId: string;
  /**
   * The request's idempotency key (header): `id` is `keyOf(tenantId, operation, key)`, `requestHash` covers the body
   * and the caller. Same key and hash: the first answer again. Same key, other hash: 'idempotency-key-reused'.
   */
  readonly idempotency?: { readonly id: string; readonly requestHash: string };
}

export type Outcome =
  | {
      readonly status: 'accepted';
      /** The events of the commit, oldest first; the same ones again for a replay. */
      readonly events: readonly CommittedEvent[];
      readonly revision: number;
      /** For X-Min-Position. */
      readonly position: string;
      readonly replayed: boolean;
    }
  | { readonly status: 'refused'; readonly refusal: Refusal; readonly replayed: boolean };

/** The part of a stored event that an answer is made from. */
export type CommittedEvent = Pick<
  StoredEvent,
  'id' | 'type' | 'version' | 'data' | 'tags' | 'recordedAt' | 'effectiveAt' | 'meta'
> & {
  /** This event answered an inner key (an instruction's) before: it is not new in this commit. */
  readonly replayed?: boolean;
};

/** What the rest of the program sees of the processor. Throws `Overloaded` or `Unavailable`, both retryable (503). */
export interface CommandBus {
  execute<N extends CommandName>(command: Command<N>): Promise<Outcome>;
}

export class Overloaded extends Error {
  override readonly name = 'Overloaded';
  constructor(readonly retryAfterSeconds = 1) {
    super('the command queue is full');
  }
}

/** The log could not be reached or stayed contended; it is not known whether the command took effect: retry with its key. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
