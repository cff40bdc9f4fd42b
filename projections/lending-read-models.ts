import type { LendingReadModels } from '../application/ports/lending-read-models.js';
import type { TenantQueries } from '../application/ports/queries.js';
import * as products from './loan-products/queries.js';
import * as portfolio from './loans/portfolio-queries.js';
import * as loans from './loans/queries.js';
import * as repayments from './repayments/queries.js';
import * as withdrawals from './withdrawals/queries.js';

/** All that can be asked about lending, each question answered by the projection it belongs to. */
export function createLendingReadModels(db: TenantQueries): LendingReadModels {
  return {
    loan: (tenantId, idOrCode) => loans.loan(db, tenantId, idOrCode),
    loans: (tenantId, filter, sort, page) => loans.loans(db, tenantId, filter, sort, page),
    loansOfCustomer: (tenantId, customerId) => loans.loansOfCustomer(db, tenantId, customerId),
    loanTotals: (tenantId, customerId, on) => portfolio.loanTotals(db, tenantId, customerId, on),
    loanProduct: (tenantId, productId) => products.loanProduct(db, tenantId, productId),
    loanProductVersion: (tenantId, productId, version) => products.loanProductVersion(db, tenantId, productId, version),
    loanProducts: (tenantId, filter, page) => products.loanProducts(db, tenantId, filter, page),
    loanConditions: (tenantId) => products.loanConditions(db, tenantId),
    repayment: (tenantId, repaymentId) => repayments.repayment(db, tenantId, repaymentId),
    repayments: (tenantId, filter, page) => repayments.repayments(db, tenantId, filter, page),
    instalmentsDue: (tenantId, customerId, page) => portfolio.instalmentsDue(db, tenantId, customerId, page),
    arrears: (tenantId, on) => portfolio.arrears(db, tenantId, on),
    vintages: (tenantId, on) => portfolio.vintages(db, tenantId, on),
    expectedCashFlow: (tenantId, from, to) => portfolio.expectedCashFlow(db, tenantId, from, to),
    withdrawal: (tenantId, reference) => withdrawals.withdrawal(db, tenantId, reference),
    withdrawals: (tenantId, customerId, page) => withdrawals.withdrawals(db, tenantId, customerId, page),
  };
}
