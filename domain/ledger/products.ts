import type { AccountKind } from './events.js';

/** What kind of account a product code opens, and whether its balance has a floor of zero unless told otherwise. */
export interface AccountProduct {
  readonly code: string;
  readonly name: string;
  readonly kind: AccountKind;
  readonly constrained: boolean;
}

export const ACCOUNT_PRODUCTS: readonly AccountProduct[] = [
  { code: 'WALLET', name: 'Digital wallet', kind: 'LIABILITY', constrained: true },
  { code: 'CURRENT', name: 'Current account', kind: 'LIABILITY', constrained: true },
  { code: 'SAVINGS', name: 'Savings account', kind: 'LIABILITY', constrained: true },
  { code: 'ESCROW', name: 'Escrow account', kind: 'LIABILITY', constrained: true },
  { code: 'LOAN_WALLET', name: 'Loan wallet', kind: 'LIABILITY', constrained: true },
  { code: 'INVESTMENT_WALLET', name: 'Investment wallet', kind: 'LIABILITY', constrained: true },
  { code: 'LOAN_RECEIVABLE', name: 'Receivable of a loan', kind: 'ASSET', constrained: false },
  { code: 'TILL', name: 'Cash till', kind: 'ASSET', constrained: true },
  { code: 'INTERNAL', name: 'Internal account', kind: 'ASSET', constrained: false },
  { code: 'JOURNAL', name: 'Account of an imported journal', kind: 'ASSET', constrained: false },
  { code: 'SYSTEM', name: 'System account', kind: 'ASSET', constrained: false },
];

const BY_CODE = new Map(ACCOUNT_PRODUCTS.map((product) => [product.code, product]));

export function accountProduct(code: string): AccountProduct | undefined {
  return BY_CODE.get(code);
}

/** The system accounts that every currency of a tenant has, opened with it. Numbers are `SYS-<ROLE>-<CURRENCY>`. */
export const SYSTEM_ACCOUNTS: ReadonlyArray<{
  readonly role: string;
  readonly name: string;
  readonly kind: AccountKind;
}> = [
  { role: 'cash', name: 'Cash and nostro', kind: 'ASSET' },
  { role: 'fx-position', name: 'FX position', kind: 'ASSET' },
  { role: 'loan-receivable', name: 'Loans receivable', kind: 'ASSET' },
  { role: 'interest-receivable', name: 'Interest receivable', kind: 'ASSET' },
  { role: 'suspense', name: 'Suspense', kind: 'LIABILITY' },
  { role: 'payout-clearing', name: 'Payout clearing', kind: 'LIABILITY' },
  { role: 'investor-pool', name: 'Investor pool', kind: 'LIABILITY' },
  { role: 'opening-balances', name: 'Opening balances', kind: 'EQUITY' },
  { role: 'fee-income', name: 'Fee income', kind: 'INCOME' },
  { role: 'interest-income', name: 'Interest income', kind: 'INCOME' },
  { role: 'penalty-income', name: 'Penalty income', kind: 'INCOME' },
  { role: 'interest-expense', name: 'Interest expense', kind: 'EXPENSE' },
  { role: 'loan-losses', name: 'Loan losses', kind: 'EXPENSE' },
];

export function systemAccountNumber(role: string, currency: string): string {
  return `SYS-${role.toUpperCase()}-${currency}`;
}
