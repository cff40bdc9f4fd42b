/** A bank that money can be sent to. */
export interface Bank {
  /** In Nigeria the code of the Central Bank: three digits of a deposit money bank, five or six of others. */
  readonly bankCode: string;
  readonly bankName: string;
  /** ISO 3166-1 alpha-3. */
  readonly country: string;
  /** Of its accounts, ISO 4217. */
  readonly currency: string;
}

export type HolderAnswer =
  | { readonly status: 'found'; readonly accountName: string }
  | { readonly status: 'no-such-account' }
  /** This bank does not tell names. */
  | { readonly status: 'not-told' };

/**
 * Banks, and whose accounts are (name enquiry). Adapters: infrastructure/partners; each bounds the time of its calls and
 * throws `PartnerUnavailable` (payout-partner.ts) when it gets no answer.
 */
export interface BankDirectory {
  /** By name. */
  banks(): Promise<readonly Bank[]>;
  /** `claimedName`: who the holder is said to be; some partners confirm a name and do not tell one. */
  holderOf(bankCode: string, accountNumber: string, claimedName?: string): Promise<HolderAnswer>;
  /** Numbers that stand for a case of the simulator: no check digit is asked of them. None at a real partner. */
  isTestNumber(accountNumber: string): boolean;
}
