/**
 * Ids that the documentation's examples of lending use, beside http/ciam/examples.ts and http/ledger/examples.ts. They only
 * exist once something was done: the tests put in the real ones (tests/support/prepared-examples.ts).
 */
export const LOANS = {
  productId: '019aac50-1a20-7c31-9d04-2f6b8e1d0000',
  loanId: '019aac51-3b40-7d52-8e15-4a7c9f2e0000',
  loanCode: 'L4K8W2',
  repaymentId: '019aac52-5c60-7e73-9f26-6b8dac3f0000',
  operationId: '019aac53-7d80-7f94-8037-8c9ebd400000',
  reference: 'L4K8W2',
  firstDueDate: '2026-12-22',
  maturityDate: '2027-11-22',
} as const;
