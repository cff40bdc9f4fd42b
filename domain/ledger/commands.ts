import type { AccountKind, FreezeScope, HoldType, Permission } from './events.js';
import type { SealedPerson } from '../shared/person.js';

/** What the book can be told to do. Amounts are minor units (bigint); accounts are named by id or by number. */

export type OpenAccount = NewAccount & ({ readonly name: string } | { readonly person: SealedPerson });
/** The name says who the owner is: then it comes sealed for him (`person`), else in clear. */
interface NewAccount {
  readonly owner: string;
  readonly currency: string;
  readonly product: string;
  /** Absent: the product's kind. */
  readonly kind?: AccountKind;
  /** Absent: the next number of the tenant. */
  readonly number?: string;
  readonly permission?: Permission;
  readonly overdraftLimit?: bigint;
  readonly minimumBalance?: bigint;
  readonly maximumBalance?: bigint;
}

export interface CloseAccount {
  readonly account: string;
  readonly reason?: string;
}
export interface FreezeAccount {
  readonly account: string;
  readonly scope: FreezeScope;
  readonly reason: string;
}
export interface UnfreezeAccount {
  readonly account: string;
  readonly reason?: string;
}
export interface ChangeAccountPermission {
  readonly account: string;
  readonly permission: Permission;
}
/** Absent members stay as they are; null takes a limit away (not the overdraft limit, which becomes 0). */
export interface SetAccountLimits {
  readonly account: string;
  readonly overdraftLimit?: bigint;
  readonly minimumBalance?: bigint | null;
  readonly maximumBalance?: bigint | null;
}

/** One instruction of post-account: the primary amount is the sum of the counterparties'. */
export interface PostingInstruction {
  readonly primaryNumber: string;
  readonly currency: string;
  readonly direction: 'debit-primary' | 'credit-primary';
  readonly counterparties: ReadonlyArray<{
    readonly number: string;
    readonly currency: string;
    readonly amount: bigint;
    readonly narration?: string;
  }>;
  /** The caller's key, its digest (`keyOf`) and the hash of this instruction with its caller. */
  readonly key: { readonly text: string; readonly id: string; readonly requestHash: string };
  readonly narration?: string;
  readonly reference?: string;
  readonly valueDate?: string;
  /** FORCE_ON_UNARRANGED_OVERDRAFT: the edge has checked the authority, the decider checks it again. */
  readonly force?: boolean;
  /** Account id or number that funds a shortfall of the debited account. */
  readonly overdraftFrom?: string;
}
/** All instructions or none. */
export interface PostEntries {
  readonly instructions: readonly PostingInstruction[];
}

export interface JournalLine {
  readonly accountNumber: string;
  readonly currency: string;
  readonly side: 'debit' | 'credit';
  readonly amount: bigint;
  readonly narration?: string;
}
/** An entry with any number of lines that balances in each currency. */
export interface PostJournalEntry {
  readonly lines: readonly JournalLine[];
  readonly valueDate?: string;
  readonly narration?: string;
  readonly reference?: string;
  readonly force?: boolean;
}

/** `amount` leaves the source account; `counterAmount` of the other currency, or `amount` at `rate`, arrives. */
export interface PostFxEntry {
  readonly sourceNumber: string;
  readonly targetNumber: string;
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
  readonly amount: bigint;
  readonly counterAmount?: bigint;
  /** Units of the target currency for one unit of the source currency, decimal text. */
  readonly rate?: string;
  readonly valueDate?: string;
  readonly narration?: string;
  readonly reference?: string;
}

export interface ReverseEntry {
  readonly entry: string;
  readonly reason: string;
  /** Absent: the whole. For an entry of two lines: how much of it. */
  readonly amount?: bigint;
  /** A part, line by line; must balance and be within the original's lines. */
  readonly lines?: ReadonlyArray<{ readonly line: number; readonly amount: bigint }>;
}

export interface PlaceHolds {
  /** More than one: placed together or not at all, as a group. */
  readonly holds: ReadonlyArray<{
    readonly account: string;
    readonly currency: string;
    readonly amount: bigint;
    readonly type: HoldType;
    readonly reason: string;
    readonly expiresAt?: string;
  }>;
}
/** Dr the held account, Cr the counterparties. Without amount: what the counterparties sum to, else all that remains. */
export interface CaptureHold {
  readonly hold: string;
  readonly amount?: bigint;
  readonly counterparties: ReadonlyArray<{
    readonly number: string;
    readonly currency: string;
    /** May be absent when there is one counterparty: the captured amount. */
    readonly amount?: bigint;
    readonly narration?: string;
  }>;
  /** Let go of what is left after this capture. */
  readonly final?: boolean;
  readonly narration?: string;
  readonly reference?: string;
}
/** Without amount: all that remains. */
export interface ReleaseHold {
  readonly hold: string;
  readonly amount?: bigint;
}
/** Releases every listed hold that is still active, all or none: the holds of one group. */
export interface ReleaseHoldGroup {
  readonly group: string;
  readonly holds: readonly string[];
}
/** By the expiry job; a hold that is no longer active or not yet due is left alone without a refusal. */
export interface ExpireHold {
  readonly hold: string;
}
