import type { Json } from '../../domain/shared/event.js';
import type { BankDetailView } from '../ports/read-models.js';

/** A customer's bank account: his bank details (sealed pairs of key and value) read as one. */
export interface BankAccount {
  /** Id of the bank details. */
  readonly accountId: string;
  readonly customerId: string;
  readonly accountNumber: string;
  readonly accountName: string;
  readonly bankCode: string;
  readonly bankName: string;
  readonly accountType: string | null;
  readonly isDefault: boolean;
  /** The holder's name was told by the bank's side and is the customer's. */
  readonly isVerified: boolean;
  readonly currency: string;
  readonly country: string;
  readonly createdAt: string;
}

export type BankAccountPairs = ReadonlyArray<{ readonly key: string; readonly value: string }>;

/** Only we write this key: bank details that a client sends may not have it (people/add-bank-details.ts). */
export const VERIFIED_KEY = 'isVerified';

/** Keys that mean the same, lower case: ours first, then those of customer bank details as clients send them. */
const KEYS = {
  accountNumber: ['accountnumber', 'bankaccountno', 'accountno', 'iban'],
  accountName: ['accountname', 'accountholdername'],
  bankCode: ['bankcode', 'sortcode'],
  bankName: ['bankname'],
  accountType: ['accounttype'],
  isDefault: ['isdefault'],
  isVerified: [VERIFIED_KEY.toLowerCase()],
} as const;

/** The pairs as they are sealed. */
export function bankAccountPairs(
  account: Pick<BankAccount, 'accountNumber' | 'accountName' | 'bankCode' | 'bankName' | 'isDefault' | 'isVerified'> & {
    readonly accountType?: string | undefined;
  },
): BankAccountPairs {
  const { accountNumber, accountName, bankCode, bankName, accountType, isDefault, isVerified } = account;
  return [
    ...Object.entries({ accountNumber, accountName, bankCode, bankName }),
    ...(accountType === undefined ? [] : [['accountType', accountType] as const]),
    ['isDefault', String(isDefault)] as const,
    [VERIFIED_KEY, String(isVerified)] as const,
  ].map(([key, value]) => ({ key, value }));
}

/** Of one customer, oldest first. One is the default: the one that was last said to be, else the first. */
export function bankAccountsOf(details: readonly BankDetailView[]): BankAccount[] {
  const accounts = details.map(bankAccountOf);
  const chosen = accounts.findLast((account) => account.isDefault) ?? accounts[0];
  return accounts.map((account) => ({ ...account, isDefault: account === chosen }));
}

function bankAccountOf(view: BankDetailView): BankAccount {
  const values = valuesOf(view.details);
  const first = (keys: readonly string[]) => keys.map((key) => values.get(key)).find((value) => value !== undefined);
  return {
    accountId: view.bankDetailId,
    customerId: view.customerId,
    accountNumber: first(KEYS.accountNumber) ?? '',
    accountName: first(KEYS.accountName) ?? '',
    bankCode: first(KEYS.bankCode) ?? '',
    bankName: first(KEYS.bankName) ?? '',
    accountType: first(KEYS.accountType) ?? null,
    isDefault: first(KEYS.isDefault) === 'true',
    isVerified: first(KEYS.isVerified) === 'true',
    currency: view.currency,
    country: view.country,
    createdAt: view.addedAt,
  };
}

/** By key in lower case; whatever is no pair of texts is none of ours. */
function valuesOf(details: Json): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const pair of Array.isArray(details) ? (details as readonly Json[]) : []) {
    const { key, value } = pair as { readonly key?: Json; readonly value?: Json };
    if (typeof key === 'string' && typeof value === 'string') values.set(key.toLowerCase(), value);
  }
  return values;
}
