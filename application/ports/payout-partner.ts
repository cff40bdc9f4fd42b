/** Where a payout goes, as it is sealed in `withdrawal-requested`. A type, not an interface: only types are Json. */
export type PayoutDestination = {
  readonly accountNumber: string;
  readonly accountName: string;
  readonly bankCode: string;
  readonly bankName: string;
  /** The customer's words. */
  readonly description?: string;
};

export interface Payout {
  readonly tenantId: string;
  /** The withdrawal's id: unique over all tenants. What the partner is asked to do at most once. */
  readonly payoutId: string;
  /** For people: stands on the statement of whoever gets the money. */
  readonly reference: string;
  readonly currency: string;
  /** Minor units, positive. */
  readonly amount: bigint;
  readonly destination: PayoutDestination;
}

/** Why it will never be paid, in our words: a partner's codes are mapped by its adapter and his texts stay there. */
export type PayoutFailure =
  'ACCOUNT_NOT_FOUND' | 'INSUFFICIENT_PARTNER_BALANCE' | 'INVALID_AMOUNT' | 'REJECTED_BY_BANK';

/**
 * What the partner says of a payout. PAID and FAILED are final: FAILED only where it is certain that no money moves any
 * more, for then the customer gets it back.
 */
export type PayoutAnswer =
  | { readonly status: 'ACCEPTED' | 'PAID'; readonly partnerReference: string }
  | { readonly status: 'FAILED'; readonly partnerReference?: string; readonly reason: PayoutFailure };

/** A partner's word that something has become of a payout. It may come twice, late or never: only a hint to ask. */
export interface PayoutNews {
  readonly tenantId: string;
  readonly payoutId: string;
}

/**
 * Whoever brings money to bank accounts. Adapters: infrastructure/partners, each bounds the time of its calls. An error
 * of `submit` leaves open whether the partner has it: ask `find` before anything else is done.
 */
export interface PayoutPartner {
  /** Stored with the payouts it got. */
  readonly name: string;
  /** Idempotent by `payoutId`: said again it is the same payout, whatever became of it. Where a partner is not, the adapter asks first. */
  submit(payout: Payout): Promise<PayoutAnswer>;
  /** Undefined: the partner has never heard of it. An error: nobody knows. */
  find(payout: PayoutNews): Promise<PayoutAnswer | undefined>;
  /** Tells every `listener` of news from now on. */
  listen(listener: (news: PayoutNews) => void): void;
}

/** The partner did not answer. */
export class PartnerUnavailable extends Error {
  override readonly name = 'PartnerUnavailable';
}
