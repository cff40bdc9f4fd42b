import type { Preferences } from '../../domain/tenant/preferences.js';

/** The tenant's own account that borrowers transfer their repayments to. */
export interface CollectionAccount {
  readonly accountNumber: string;
  readonly accountName: string;
  readonly bankCode: string;
  readonly bankName: string;
}

/** Null where the tenant has set none: then nothing can be repaid by transfer. */
export function collectionAccountOf(preferences: Preferences): CollectionAccount | null {
  const {
    LOAN_COLLECTION_ACCOUNT_NUMBER: accountNumber,
    LOAN_COLLECTION_ACCOUNT_NAME: accountName,
    LOAN_COLLECTION_BANK_CODE: bankCode,
    LOAN_COLLECTION_BANK_NAME: bankName,
  } = preferences;
  return accountNumber === '' ? null : { accountNumber, accountName, bankCode, bankName };
}
