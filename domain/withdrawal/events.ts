import { z } from 'zod';
import type { DomainEvent } from '../shared/event.js';
import { sealedPerson } from '../shared/person.js';

/**
 * Facts about transfers from a customer's wallet to his own bank account (ledger-lending-investment.md 4.4, 7.4). Where the
 * money goes stands sealed in `person`; the partner's words never get here, only our own names of reasons.
 */
const id = z.string().length(36);
const minor = z.string().regex(/^\d{1,38}$/);

export const WITHDRAWAL_STATUSES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED'] as const;
export type WithdrawalStatus = (typeof WITHDRAWAL_STATUSES)[number];

/** Why the money came back. */
export const WITHDRAWAL_FAILURES = [
  'ACCOUNT_NOT_FOUND',
  'DESTINATION_ERASED',
  'INSUFFICIENT_PARTNER_BALANCE',
  'INVALID_AMOUNT',
  'REJECTED_BY_BANK',
] as const;
export type WithdrawalFailure = (typeof WITHDRAWAL_FAILURES)[number];

/** Amount and fee have left the wallet: `entry`, in the same commit, took them. Status PENDING. */
export const withdrawalRequestedV1 = z.strictObject({
  withdrawal: id,
  /** `TXN-yyyymmdd-nnnnnn`, unique in the tenant: made from `referenceSequence`. */
  reference: z.string().max(32),
  referenceSequence: z.int().positive(),
  customer: id,
  wallet: id,
  /** The customer's bank details that it goes to (bank-details-added). */
  bankDetail: id,
  currency: z.string().length(3),
  amount: minor,
  fee: minor,
  entry: id,
  /** Sealed: `PayoutDestination` (application/ports/payout-partner.ts), as it was when it was asked for. */
  person: sealedPerson,
});
/** The partner has it. Status PROCESSING. */
export const withdrawalSubmittedV1 = z.strictObject({
  withdrawal: id,
  partner: z.string().min(1).max(32),
  /** The partner's own reference. */
  partnerReference: z.string().min(1).max(64),
});
/** The money arrived. */
export const withdrawalCompletedV1 = z.strictObject({ withdrawal: id });
/** The money did not arrive: amount and fee are given back in the same commit. */
export const withdrawalFailedV1 = z.strictObject({
  withdrawal: id,
  from: z.enum(['PENDING', 'PROCESSING']),
  reason: z.enum(WITHDRAWAL_FAILURES),
  /** The entry that gave it back; absent where staff had reversed `entry` before. */
  entry: id.optional(),
  /** The wallet, or the suspense account where the wallet takes nothing any more. */
  creditedTo: id.optional(),
});

export type WithdrawalRequested = DomainEvent<'withdrawal-requested', z.infer<typeof withdrawalRequestedV1>>;
export type WithdrawalSubmitted = DomainEvent<'withdrawal-submitted', z.infer<typeof withdrawalSubmittedV1>>;
export type WithdrawalCompleted = DomainEvent<'withdrawal-completed', z.infer<typeof withdrawalCompletedV1>>;
export type WithdrawalFailed = DomainEvent<'withdrawal-failed', z.infer<typeof withdrawalFailedV1>>;
export type WithdrawalEvent = WithdrawalRequested | WithdrawalSubmitted | WithdrawalCompleted | WithdrawalFailed;
