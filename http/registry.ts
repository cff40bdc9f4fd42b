import { addCustomerBankDetails, deleteCustomerBankDetails, listCustomerBankDetails } from './ciam/bank-details.js';
import { customerById, findCustomer, listCustomers, verifyCustomer } from './ciam/customers.js';
import { erasePersonEndpoint } from './ciam/erasure.js';
import { profilePicture, uploadProfilePicture } from './ciam/pictures.js';
import { customerProfile, editCustomerProfile } from './ciam/profile.js';
import { createCustomer } from './ciam/register.js';
import { activateUser, deactivateUser } from './ciam/user-status.js';
import { listDevices, registerOwnDevice, removeOwnDevice } from './auth/devices.js';
import { login } from './auth/log-in.js';
import { logout, refreshTokens } from './auth/sessions.js';
import { stepUpToken } from './auth/step-up.js';
import { generateOtp, verifyOtp } from './ciam/one-time-passwords.js';
import { askForPasswordReset, changeOwnPassword, completeReset } from './ciam/passwords.js';
import { changeTransactionPin, changeUserPin, createTransactionPin, createUserPin } from './ciam/pins.js';
import { unlockUser } from './ciam/unlock-user.js';
import type { Endpoint, Route } from './endpoint.js';
import { sandboxOutbox } from './platform/outbox.js';
import { changeAccountPermission, setBalanceLimits, setOverdraftLimit } from './ledger/account-settings.js';
import { closeAccount, freezeAccount, openAccount, unfreezeAccount } from './ledger/accounts.js';
import { accountBalance, balanceExplanation, getAccount, listAccounts } from './ledger/balances.js';
import { captureHold } from './ledger/capture-hold.js';
import { historyByInteraction, historyByKey, ledgerHistory } from './ledger/history.js';
import { listHolds, placeHold } from './ledger/holds.js';
import { journalEntries, postFx } from './ledger/journal-entries.js';
import { postAccount } from './ledger/post-account.js';
import { releaseHold, releaseHoldGroup } from './ledger/release-holds.js';
import { getPostingGroup, reversePosting } from './ledger/reversals.js';
import { accountStatement } from './ledger/statement.js';
import { trialBalance } from './ledger/trial-balance.js';
import { calculateApr } from './lending/apr.js';
import { getLoanApplication, listLoanApplications, loanApplicationDetails } from './lending/applications.js';
import { getLoanTerms, setLoanTerms } from './lending/conditions.js';
import {
  adminCancelLoanApplication,
  approveLoanApplication,
  disburseLoan,
  rejectLoanApplication,
  sendLoanOffer,
} from './lending/decisions.js';
import {
  getLoanHistory,
  getTotalLoan,
  loanDetailsWithPaymentHistory,
  manageLoans,
  pendingRepayments,
} from './lending/loan-views.js';
import {
  acceptLoanOffer,
  acceptLoanTerms,
  cancelLoanApplication,
  getLoanOffer,
  rejectLoanOffer,
  updateLoanOffer,
} from './lending/offers.js';
import { payoffLoan, payoffQuote } from './lending/payoff.js';
import { portfolioArrears, portfolioCashFlow, portfolioVintages } from './lending/portfolio.js';
import {
  adminListLoanProducts,
  createLoanProduct,
  setEligibilityQuestions,
  setLoanProductStatus,
  updateLoanProduct,
} from './lending/product-admin.js';
import { eligibilityQuestions, listLoanProducts } from './lending/products.js';
import { rejectRepayment, reverseRepayment, verifyRepayment } from './lending/repayment-decisions.js';
import { listCustomerRepayments, listRepayments, repaidTransactions } from './lending/repayment-lists.js';
import { repayLoan, repaymentInstructions } from './lending/repayments.js';
import { requestLoanEndpoint } from './lending/request-loan.js';
import { previewLoanRestructure } from './lending/restructure-preview.js';
import {
  chargeLoan,
  recordLoanRecovery,
  restructureLoan,
  undoLoanOperation,
  waiveLoan,
  writeOffLoan,
} from './lending/servicing.js';
import { loanStatement, payoffLetter } from './lending/statement.js';
import { createAgent, getAgent, listAgents, setAgentStatus, updateAgent } from './platform/agents.js';
import { createEmployee, editEmployee, listEmployees } from './ciam/employees.js';
import { auditAggregateEvents, auditEvents, auditReplay, auditVerifyChain } from './platform/audit.js';
import { addBankAccountEndpoint, listBankAccounts, viewBankAccount } from './lending/bank-accounts.js';
import { availableBanks, verifyBankAccount } from './lending/banks.js';
import { transferHistory, transferStatusEndpoint } from './lending/transfer-queries.js';
import { transferFunds } from './lending/transfers.js';
import { health, metrics, openApi, ready } from './platform/operations.js';
import { createTenant, getTenant, listTenants, setTenantStatus, updateTenant } from './platform/tenants.js';
import { activeCountries, listCountries, updateCountry } from './security/countries.js';
import {
  listEncryptionKeys,
  publicEncryptionKey,
  rotateEncryptionKey,
  setWebhookKey,
} from './security/encryption-keys.js';
import { jwks } from './security/jwks.js';
import { passwordPolicy } from './security/password-policy.js';
import { fetchPreferences, updatePreferences } from './security/preferences.js';
import { createApiToken, deleteToken, disableToken, listApiTokens, rotateToken } from './security/api-tokens.js';

/** Every endpoint there is, in the order of the reference. One that is not listed is not served, documented or tested. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...[postAccount, journalEntries, postFx, reversePosting, getPostingGroup],
  ...[accountBalance, listAccounts, getAccount, balanceExplanation],
  ...[
    openAccount,
    changeAccountPermission,
    freezeAccount,
    unfreezeAccount,
    closeAccount,
    setOverdraftLimit,
    setBalanceLimits,
  ],
  ...[placeHold, listHolds, captureHold, releaseHold, releaseHoldGroup],
  ...[ledgerHistory, historyByInteraction, historyByKey, accountStatement, trialBalance],
  ...[fetchPreferences, updatePreferences, passwordPolicy, activeCountries, listCountries, updateCountry],
  ...[login, refreshTokens, logout, stepUpToken, listDevices, registerOwnDevice, removeOwnDevice],
  ...[generateOtp, verifyOtp, askForPasswordReset, completeReset, changeOwnPassword, unlockUser],
  ...[createTransactionPin, changeTransactionPin, createUserPin, changeUserPin, sandboxOutbox],
  ...[createCustomer, customerProfile, editCustomerProfile, uploadProfilePicture, profilePicture],
  ...[listCustomers, findCustomer, customerById, verifyCustomer, activateUser, deactivateUser, erasePersonEndpoint],
  ...[addCustomerBankDetails, listCustomerBankDetails, deleteCustomerBankDetails],
  ...[listEmployees, createEmployee, editEmployee],
  ...[addBankAccountEndpoint, viewBankAccount, listBankAccounts, verifyBankAccount, availableBanks],
  ...[transferFunds, transferStatusEndpoint, transferHistory],
  ...[listLoanProducts, eligibilityQuestions, requestLoanEndpoint, loanApplicationDetails, calculateApr],
  ...[getLoanOffer, acceptLoanOffer, rejectLoanOffer, updateLoanOffer, cancelLoanApplication],
  ...[getLoanTerms, acceptLoanTerms, loanDetailsWithPaymentHistory, getLoanHistory, getTotalLoan, manageLoans],
  ...[pendingRepayments, repaymentInstructions, repayLoan, payoffLoan, payoffQuote, repaidTransactions],
  ...[listCustomerRepayments, loanStatement, payoffLetter],
  ...[adminListLoanProducts, createLoanProduct, updateLoanProduct, setLoanProductStatus, setEligibilityQuestions],
  ...[setLoanTerms, listLoanApplications, getLoanApplication, approveLoanApplication, rejectLoanApplication],
  ...[sendLoanOffer, adminCancelLoanApplication, disburseLoan, writeOffLoan, restructureLoan, previewLoanRestructure],
  ...[recordLoanRecovery, waiveLoan, chargeLoan, undoLoanOperation],
  ...[listRepayments, verifyRepayment, rejectRepayment, reverseRepayment],
  ...[portfolioArrears, portfolioVintages, portfolioCashFlow],
  ...[listTenants, createTenant, getTenant, updateTenant, setTenantStatus],
  ...[listAgents, createAgent, getAgent, updateAgent, setAgentStatus],
  ...[listApiTokens, createApiToken, rotateToken, disableToken, deleteToken],
  ...[listEncryptionKeys, rotateEncryptionKey, publicEncryptionKey, setWebhookKey, jwks],
  ...[auditEvents, auditAggregateEvents, auditReplay, auditVerifyChain],
  ...[health, ready, metrics, openApi],
];

/** Where an endpoint is served: its own route and its aliases. */
export function routesOf(endpoint: Endpoint): readonly Route[] {
  return [{ method: endpoint.method, path: endpoint.path }, ...endpoint.aliases];
}
