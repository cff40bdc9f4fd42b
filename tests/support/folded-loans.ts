import type { LendingReadModels } from '../../application/ports/lending-read-models.js';

const later = (): Promise<never> => Promise.reject(new Error('not built yet'));

/** The read models of lending as a plain fold of a tenant's events. */
export abstract class FoldedLending implements LendingReadModels {
  loan = later;
  loans = later;
  loansOfCustomer = later;
  loanTotals = later;
  loanProduct = later;
  loanProductVersion = later;
  loanProducts = later;
  loanConditions = later;
  repayment = later;
  repayments = later;
  instalmentsDue = later;
  arrears = later;
  vintages = later;
  expectedCashFlow = later;
  withdrawal = later;
  withdrawals = later;
}
