import { z } from 'zod';
import type { DomainEvent } from '../shared/event.js';
import { sealedPerson } from '../shared/person.js';

/**
 * The book's facts. Amounts are minor units as decimal text; balances are credit-positive (Σ credits − Σ debits, as
 * the FinCode documents define an account balance). Optional members are absent, never null, so that the text that is
 * hashed does not depend on who wrote it.
 */
const id = z.string().length(36);
const minor = z.string().regex(/^-?\d{1,38}$/);
const positiveMinor = z.string().regex(/^[1-9]\d{0,37}$/);
const currency = z.string().length(3);
const text = z.string().max(512);

export const ACCOUNT_KINDS = ['ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE'] as const;
export type AccountKind = (typeof ACCOUNT_KINDS)[number];
export const PERMISSIONS = ['FULL_ACCESS', 'CREDIT_ONLY', 'DEBIT_ONLY', 'READ_ONLY'] as const;
export type Permission = (typeof PERMISSIONS)[number];
export const FREEZE_SCOPES = ['DEBIT', 'ALL'] as const;
export type FreezeScope = (typeof FREEZE_SCOPES)[number];
export const HOLD_TYPES = ['LIEN', 'HOLD'] as const;
export type HoldType = (typeof HOLD_TYPES)[number];
export const ENTRY_KINDS = ['posting', 'journal', 'fx', 'capture', 'reversal'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

const openedAccount = {
  account: id,
  number: z.string().min(1).max(64),
  owner: id,
  currency,
  kind: z.enum(ACCOUNT_KINDS),
  product: z.string().max(64),
  permission: z.enum(PERMISSIONS),
  overdraftLimit: minor,
  /** Absent: the account has no floor (system accounts). */
  minimumBalance: minor.optional(),
  maximumBalance: minor.optional(),
  /** Which system account this is: `fee-income`, `fx-position` … */
  systemRole: z.string().max(64).optional(),
  /** The tenant's running number that the account number was made from; absent for a chosen number. */
  numberSequence: z.int().nonnegative().optional(),
};
export const accountOpenedV1 = z.strictObject({ ...openedAccount, name: text });
/** The name of an account is the tenant's own to give, or says who its owner is: then it is sealed for him. */
export const accountOpenedV2 = z.strictObject({
  ...openedAccount,
  name: text.optional(),
  person: sealedPerson.optional(),
});
export const accountClosedV1 = z.strictObject({ account: id, reason: text.optional() });
export const accountFrozenV1 = z.strictObject({ account: id, scope: z.enum(FREEZE_SCOPES), reason: text });
export const accountUnfrozenV1 = z.strictObject({ account: id, reason: text.optional() });
export const accountPermissionChangedV1 = z.strictObject({
  account: id,
  from: z.enum(PERMISSIONS),
  to: z.enum(PERMISSIONS),
  byStaff: z.boolean(),
});
export const accountLimitsChangedV1 = z.strictObject({
  account: id,
  overdraftLimit: minor,
  minimumBalance: minor.optional(),
  maximumBalance: minor.optional(),
});

export const lineV1 = z.strictObject({
  account: id,
  currency,
  side: z.enum(['debit', 'credit']),
  amount: positiveMinor,
  /** Balance of the account after this line, credit-positive. */
  balance: minor,
  /** Number of this line in its account, from 1, without gaps. */
  sequence: z.int().positive(),
  narration: text.optional(),
});
export type Line = z.infer<typeof lineV1>;

export const entryPostedV1 = z.strictObject({
  kind: z.enum(ENTRY_KINDS),
  lines: z.array(lineV1).min(2).max(1000),
  valueDate: z.iso.date(),
  narration: text.optional(),
  reference: text.optional(),
  /** The caller's own key of this instruction, by which history is found. */
  instructionKey: z.string().max(255).optional(),
  /** An unarranged overdraft was forced by somebody with the authority to. */
  forced: z.boolean().optional(),
  /** Exchange rate of an FX entry, decimal text: units of the second currency for one of the first. */
  rate: z.string().max(64).optional(),
  /** The entry that this one reverses, wholly or in part. */
  reverses: id.optional(),
  /** The hold that this entry captures: `held` and `liens` are the account's totals after it. */
  capture: z
    .strictObject({ hold: id, account: id, amount: positiveMinor, held: minor, liens: minor, remaining: minor })
    .optional(),
});

export const holdPlacedV1 = z.strictObject({
  hold: id,
  account: id,
  currency,
  amount: positiveMinor,
  type: z.enum(HOLD_TYPES),
  reason: text,
  group: id.optional(),
  expiresAt: z.iso.datetime().optional(),
  /** The account's totals after it. */
  held: minor,
  liens: minor,
});
export const holdReleasedV1 = z.strictObject({
  hold: id,
  account: id,
  amount: positiveMinor,
  cause: z.enum(['released', 'expired']),
  /** Still on hold after it. */
  remaining: minor,
  held: minor,
  liens: minor,
});

export type AccountOpened = DomainEvent<'account-opened', z.infer<typeof accountOpenedV2>>;
export type AccountClosed = DomainEvent<'account-closed', z.infer<typeof accountClosedV1>>;
export type AccountFrozen = DomainEvent<'account-frozen', z.infer<typeof accountFrozenV1>>;
export type AccountUnfrozen = DomainEvent<'account-unfrozen', z.infer<typeof accountUnfrozenV1>>;
export type AccountPermissionChanged = DomainEvent<
  'account-permission-changed',
  z.infer<typeof accountPermissionChangedV1>
>;
export type AccountLimitsChanged = DomainEvent<'account-limits-changed', z.infer<typeof accountLimitsChangedV1>>;
export type EntryPosted = DomainEvent<'entry-posted', z.infer<typeof entryPostedV1>>;
export type HoldPlaced = DomainEvent<'hold-placed', z.infer<typeof holdPlacedV1>>;
export type HoldReleased = DomainEvent<'hold-released', z.infer<typeof holdReleasedV1>>;

export type LedgerEvent =
  | AccountOpened
  | AccountClosed
  | AccountFrozen
  | AccountUnfrozen
  | AccountPermissionChanged
  | AccountLimitsChanged
  | EntryPosted
  | HoldPlaced
  | HoldReleased;
