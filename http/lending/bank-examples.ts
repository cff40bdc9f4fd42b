/** The account that the documentation's examples of banking use: its check digit is right for this bank. */
export const BANKING = {
  accountNumber: '0123456785',
  accountName: 'Ada Obi',
  bankCode: '058',
  bankName: 'Guaranty Trust Bank',
} as const;
/** Things that only exist once something was done: the tests put in the real ones (tests/support/prepared-examples.ts). */
export const TRANSFERS = {
  bankAccountId: '019aac60-1a20-7c31-9d04-2f6b8e1d0000',
  transferId: '5f1c9a44-2b0e-5b7a-9f58-3a8c6d7e1f20',
  reference: 'TXN-20261122-000001',
} as const;
