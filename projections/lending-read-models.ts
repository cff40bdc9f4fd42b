import type { LendingReadModels } from '../application/ports/lending-read-models.js';
import type { TenantQueries } from '../application/ports/queries.js';

/** All that can be asked about lending, each question answered by the projection it belongs to. */
export function createLendingReadModels(_db: TenantQueries): LendingReadModels {
  const later = (): Promise<never> => Promise.reject(new Error('not built yet'));
  return {
    loan: later,
    loans: later,
    loansOfCustomer: later,
    loanTotals: later,
    loanProduct: later,
    loanProductVersion: later,
    loanProducts: later,
    loanConditions: later,
    repayment: later,
    repayments: later,
    instalmentsDue: later,
    arrears: later,
    vintages: later,
    expectedCashFlow: later,
    withdrawal: later,
    withdrawals: later,
  };
}
