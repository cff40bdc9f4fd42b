import {
  decideDeleteApiToken,
  decideDisableApiToken,
  decideIssueApiToken,
  decideRotateApiToken,
} from '../domain/access/decide.js';
import { decideRecordAccess } from '../domain/access/decide-user.js';
import { decideCreateAgent, decideSetAgentStatus, decideUpdateAgent } from '../domain/agent/decide.js';
import { agentIdOf } from '../domain/agent/agent.js';
import { type AggregateKind, type StateOf, tagOf } from '../domain/aggregates.js';
import {
  decideAddBankDetails,
  decideChangeCustomerProfile,
  decideEraseCustomer,
  decideRegisterCustomer,
  decideRemoveBankDetails,
  decideSetCustomerPicture,
  decideSetCustomerStatus,
  decideVerifyCustomer,
} from '../domain/customer/decide.js';
import {
  decideChangeEmployee,
  decideCreateEmployee,
  decideEraseEmployee,
  decideSetEmployeePicture,
  decideSetEmployeeStatus,
} from '../domain/employee/decide.js';
import { rememberedAccountId } from '../domain/ledger/account.js';
import { accountNumberOf } from '../domain/ledger/account-number.js';
import {
  decideChangeAccountPermission,
  decideCloseAccount,
  decideFreezeAccount,
  decideOpenAccount,
  decideSetAccountLimits,
  decideUnfreezeAccount,
  MAX_NUMBER_SKIPS,
} from '../domain/ledger/decide-accounts.js';
import {
  decideCaptureHold,
  decideExpireHold,
  decidePlaceHolds,
  decideReleaseHold,
  decideReleaseHoldGroup,
} from '../domain/ledger/decide-holds.js';
import { decidePostEntries, decidePostFxEntry, decidePostJournalEntry } from '../domain/ledger/decide-postings.js';
import { decideReverseEntry } from '../domain/ledger/decide-reversal.js';
import { SYSTEM_ACCOUNTS, systemAccountNumber } from '../domain/ledger/products.js';
import {
  decideAcceptLoanConditions,
  decideAcceptLoanOffer,
  decideApproveLoan,
  decideEndLoan,
  decideExpireLoanOffer,
  decideSendLoanOffer,
} from '../domain/loan/decide-application.js';
import { decideAccrueLoan, decideOperateLoan } from '../domain/loan/decide-operations.js';
import { decideDisburseLoan, loanWalletNumber, receivableNumber } from '../domain/loan/decide-disbursement.js';
import {
  decidePayOffLoan,
  decideRejectRepayment,
  decideReportRepayment,
  decideVerifyRepayment,
} from '../domain/loan/decide-repayments.js';
import { decideRequestLoan } from '../domain/loan/decide-request.js';
import { BUCKETS } from '../domain/loan/terms.js';
import {
  decideSaveLoanProduct,
  decideSetLoanConditions,
  decideSetLoanProductStatus,
  decideSetLoanQuestions,
} from '../domain/loan-product/decide.js';
import type { Decide } from '../domain/shared/decider.js';
import type { Tag } from '../domain/shared/event.js';
import {
  decideCreateTenant,
  decideEnableCurrencies,
  decideSetTenantStatus,
  decideUpdateTenant,
} from '../domain/tenant/decide.js';
import { decideChangePreferences, decideIntroduceKey, decideSetCountry } from '../domain/tenant/decide-settings.js';
import {
  decideCompleteWithdrawal,
  decideFailWithdrawal,
  decideRequestWithdrawal,
  decideSubmitWithdrawal,
} from '../domain/withdrawal/decide.js';
import type { CommandName, CommandPayloads } from './commands.js';

export type Peek = <K extends AggregateKind>(kind: K, id: string) => StateOf<K> | undefined;

/** How the processor treats one kind of command. */
export interface CommandDefinition<P> {
  readonly decide: Decide<P>;
  /**
   * Aggregates the command reads: a hint that saves rounds of loading, never needed for correctness. `peek` shows what
   * is in memory.
   */
  readonly reads: (payload: P, tenantId: string, peek: Peek) => Tag[];
  /** A refusal under a key is recorded, so that a retry gets the same refusal for ever. */
  readonly recordsRefusals: boolean;
  /** Keys of the parts of the command. */
  readonly innerKeys?: (
    payload: P,
  ) => ReadonlyArray<{ readonly text: string; readonly id: string; readonly requestHash: string }>;
}

const account = (tenantId: string, number: string): Tag => tagOf('account', rememberedAccountId(tenantId, number));
const plain = <P>(decide: Decide<P>, reads: CommandDefinition<P>['reads']): CommandDefinition<P> => ({
  decide,
  reads,
  recordsRefusals: false,
});
const ofAccount = (payload: { account: string }): Tag[] => [tagOf('account', payload.account)];
/** Running numbers loaded ahead when an account is opened: a few queries for a whole batch of openings. */
const NUMBERS_AHEAD = 128;
const ofNextNumbers = (payload: { owner: string; number?: string }, tenantId: string, peek: Peek): Tag[] => {
  const tags: Tag[] = [tagOf('tenant', tenantId), tagOf('customer', payload.owner)];
  const tenant = peek('tenant', tenantId);
  if (payload.number !== undefined) return [...tags, account(tenantId, payload.number)];
  if (tenant === undefined) return tags;
  // Beyond those that are loaded already: numbers that were chosen may be in the way.
  for (let ahead = 1; ahead <= MAX_NUMBER_SKIPS && tags.length <= NUMBERS_AHEAD; ahead += 1) {
    const id = rememberedAccountId(tenantId, accountNumberOf(tenant.accountSequence + ahead));
    if (peek('account', id) === undefined) tags.push(tagOf('account', id));
  }
  return tags;
};
const ofTenant = (_: unknown, tenantId: string): Tag[] => [tagOf('tenant', tenantId)];
const ofToken = (payload: { token: string; agent?: string }, tenantId: string): Tag[] => [
  tagOf('token', payload.token),
  tagOf('tenant', tenantId),
  ...ofAgent(payload),
];
const withSystemAccounts = (currencies: readonly string[], tenantId: string): Tag[] => [
  tagOf('tenant', tenantId),
  ...currencies.flatMap((currency) =>
    SYSTEM_ACCOUNTS.map(({ role }) => account(tenantId, systemAccountNumber(role, currency))),
  ),
];
const ofHold = (payload: { hold: string }): Tag[] => [tagOf('hold', payload.hold)];

const ofCustomer = (payload: { customer: string; agent?: string }, tenantId: string): Tag[] => [
  tagOf('customer', payload.customer),
  tagOf('tenant', tenantId),
  ...ofAgent(payload),
];
const ofEmployee = (payload: { employee: string; agent?: string }, tenantId: string): Tag[] => [
  tagOf('employee', payload.employee),
  tagOf('tenant', tenantId),
  ...ofAgent(payload),
];
const LOAN_BOOKS = ['cash', 'interest-income', 'fee-income', 'penalty-income', 'loan-losses'];
/** A loan, and once it is known what it books on; before it is paid out also who gets it, and what was agreed. */
const ofLoan = (payload: { loan: string }, tenantId: string, peek: Peek): Tag[] => {
  const tags: Tag[] = [tagOf('loan', payload.loan), tagOf('tenant', tenantId)];
  const loan = peek('loan', payload.loan);
  if (loan === undefined || loan.status === 'NONE') return tags;
  const { code, currency, customer, product, accounts, wallet } = loan;
  tags.push(...LOAN_BOOKS.map((role) => account(tenantId, systemAccountNumber(role, currency))));
  if (accounts !== undefined) {
    const own = wallet === undefined ? Object.values(accounts) : [...Object.values(accounts), wallet];
    return [...tags, ...own.map((id) => tagOf('account', id))];
  }
  const borrower = peek('customer', customer);
  return [
    ...tags,
    tagOf('customer', customer),
    tagOf('loan-product', product),
    ...BUCKETS.map((bucket) => account(tenantId, receivableNumber(code, bucket))),
    ...(borrower === undefined ? [] : [account(tenantId, loanWalletNumber(borrower.code, currency))]),
  ];
};
const ofLoanProduct = (payload: { product: string }, tenantId: string): Tag[] => [
  tagOf('loan-product', payload.product),
  tagOf('tenant', tenantId),
];
const ofWithdrawal = (payload: { withdrawal: string }): Tag[] => [tagOf('withdrawal', payload.withdrawal)];
const ofAgent = (payload: { agent?: string | undefined }): Tag[] =>
  payload.agent === undefined ? [] : [tagOf('agent', payload.agent)];

export const COMMANDS: { readonly [N in CommandName]: CommandDefinition<CommandPayloads[N]> } = {
  'open-account': plain(decideOpenAccount, ofNextNumbers),
  'close-account': plain(decideCloseAccount, ofAccount),
  'freeze-account': plain(decideFreezeAccount, ofAccount),
  'unfreeze-account': plain(decideUnfreezeAccount, ofAccount),
  'change-account-permission': plain(decideChangeAccountPermission, ofAccount),
  'set-account-limits': plain(decideSetAccountLimits, ofAccount),
  'post-entries': {
    decide: decidePostEntries,
    recordsRefusals: true,
    reads: (payload, tenantId) =>
      payload.instructions.flatMap((instruction) => [
        account(tenantId, instruction.primaryNumber),
        ...instruction.counterparties.map((party) => account(tenantId, party.number)),
      ]),
    innerKeys: (payload) => payload.instructions.map((instruction) => instruction.key),
  },
  'post-journal-entry': {
    decide: decidePostJournalEntry,
    recordsRefusals: true,
    reads: (payload, tenantId) => payload.lines.map((line) => account(tenantId, line.accountNumber)),
  },
  'post-fx-entry': {
    decide: decidePostFxEntry,
    recordsRefusals: true,
    reads: (payload, tenantId) => [
      account(tenantId, payload.sourceNumber),
      account(tenantId, payload.targetNumber),
      account(tenantId, systemAccountNumber('fx-position', payload.sourceCurrency)),
      account(tenantId, systemAccountNumber('fx-position', payload.targetCurrency)),
    ],
  },
  'reverse-entry': {
    decide: decideReverseEntry,
    recordsRefusals: true,
    reads: (payload) => [tagOf('posting', payload.entry)],
  },
  'place-holds': {
    decide: decidePlaceHolds,
    recordsRefusals: true,
    reads: (payload) => payload.holds.map((hold) => tagOf('account', hold.account)),
  },
  'capture-hold': {
    decide: decideCaptureHold,
    recordsRefusals: true,
    reads: (payload, tenantId) => [
      ...ofHold(payload),
      ...payload.counterparties.map((party) => account(tenantId, party.number)),
    ],
  },
  'release-hold': plain(decideReleaseHold, ofHold),
  'release-hold-group': plain(decideReleaseHoldGroup, (payload) => payload.holds.map((hold) => tagOf('hold', hold))),
  'expire-hold': plain(decideExpireHold, ofHold),
  'create-tenant': plain(decideCreateTenant, (payload, id) => withSystemAccounts(payload.settings.currencies, id)),
  'update-tenant': plain(decideUpdateTenant, (payload, id) =>
    withSystemAccounts(payload.settings.currencies ?? [], id),
  ),
  'set-tenant-status': plain(decideSetTenantStatus, ofTenant),
  'enable-currencies': plain(decideEnableCurrencies, (payload, id) => withSystemAccounts(payload.currencies, id)),
  'issue-api-token': plain(decideIssueApiToken, ofToken),
  'rotate-api-token': plain(decideRotateApiToken, ofToken),
  'disable-api-token': plain(decideDisableApiToken, ofToken),
  'delete-api-token': plain(decideDeleteApiToken, ofToken),
  'record-access': plain(decideRecordAccess, ({ user }, id) => [tagOf(user.kind, user.id), tagOf('tenant', id)]),
  'register-customer': plain(decideRegisterCustomer, ofCustomer),
  'change-customer-profile': plain(decideChangeCustomerProfile, ofCustomer),
  'set-customer-picture': plain(decideSetCustomerPicture, ofCustomer),
  'set-customer-status': plain(decideSetCustomerStatus, ofCustomer),
  'verify-customer': plain(decideVerifyCustomer, ofCustomer),
  'add-bank-details': plain(decideAddBankDetails, ofCustomer),
  'remove-bank-details': plain(decideRemoveBankDetails, ofCustomer),
  'erase-customer': plain(decideEraseCustomer, ofCustomer),
  'create-employee': plain(decideCreateEmployee, ofEmployee),
  'change-employee': plain(decideChangeEmployee, ofEmployee),
  'set-employee-status': plain(decideSetEmployeeStatus, ofEmployee),
  'set-employee-picture': plain(decideSetEmployeePicture, ofEmployee),
  'erase-employee': plain(decideEraseEmployee, ofEmployee),
  'create-agent': plain(decideCreateAgent, ({ slug, parent }, id) => [
    tagOf('agent', agentIdOf(id, slug)),
    tagOf('tenant', id),
    ...(parent === undefined ? [] : [tagOf('agent', parent)]),
  ]),
  'update-agent': plain(decideUpdateAgent, ofAgent),
  'set-agent-status': plain(decideSetAgentStatus, ofAgent),
  'change-preferences': plain(decideChangePreferences, (payload, id) => [
    tagOf('tenant', id),
    ...payload.changes.flatMap(({ scope }) => ofAgent(scope)),
  ]),
  'set-country': plain(decideSetCountry, ofTenant),
  'introduce-key': plain(decideIntroduceKey, ofTenant),
  'save-loan-product': plain(decideSaveLoanProduct, ofLoanProduct),
  'set-loan-product-status': plain(decideSetLoanProductStatus, ofLoanProduct),
  'set-loan-questions': plain(decideSetLoanQuestions, ofLoanProduct),
  'set-loan-conditions': plain(decideSetLoanConditions, ofTenant),
  'request-loan': plain(decideRequestLoan, (payload, id) => [
    tagOf('loan', payload.loan),
    tagOf('tenant', id),
    tagOf('customer', payload.customer),
    tagOf('loan-product', payload.product),
  ]),
  'approve-loan': plain(decideApproveLoan, ofLoan),
  'send-loan-offer': plain(decideSendLoanOffer, ofLoan),
  'accept-loan-offer': plain(decideAcceptLoanOffer, ofLoan),
  'end-loan': plain(decideEndLoan, ofLoan),
  'accept-loan-conditions': plain(decideAcceptLoanConditions, ofLoan),
  'disburse-loan': plain(decideDisburseLoan, ofLoan),
  'report-repayment': plain(decideReportRepayment, ofLoan),
  'verify-repayment': plain(decideVerifyRepayment, ofLoan),
  'reject-repayment': plain(decideRejectRepayment, ofLoan),
  'pay-off-loan': plain(decidePayOffLoan, ofLoan),
  'operate-loan': plain(decideOperateLoan, ofLoan),
  'accrue-loan': plain(decideAccrueLoan, ofLoan),
  'expire-loan-offer': plain(decideExpireLoanOffer, ofLoan),
  'request-withdrawal': {
    decide: decideRequestWithdrawal,
    recordsRefusals: true,
    reads: (payload, id) => [
      ...ofCustomer(payload, id),
      ...ofWithdrawal(payload),
      tagOf('account', payload.wallet),
      account(id, systemAccountNumber('payout-clearing', payload.currency)),
      account(id, systemAccountNumber('fee-income', payload.currency)),
    ],
  },
  'submit-withdrawal': plain(decideSubmitWithdrawal, ofWithdrawal),
  'complete-withdrawal': plain(decideCompleteWithdrawal, ofWithdrawal),
  'fail-withdrawal': plain(decideFailWithdrawal, ofWithdrawal),
};

/** The definition of a command by name, with its payload type forgotten: for the processor. */
export function commandDefinition(name: CommandName): CommandDefinition<unknown> {
  return COMMANDS[name] as CommandDefinition<unknown>;
}
