import { z } from 'zod';
import type { DomainEvent } from '../shared/event.js';

/**
 * What happened to a user's ways in, whoever he is: tagged `customer:<id>` or `employee:<id>`. Secrets, their hashes and
 * sessions themselves are kept beside the log (architecture.md §6). Wrong attempts are counted there too; that they
 * locked something is a fact.
 */
export const USER_KINDS = ['customer', 'employee'] as const;
export type UserKind = (typeof USER_KINDS)[number];

const id = z.string().length(36);
const user = z.strictObject({ kind: z.enum(USER_KINDS), id });
export type UserReference = z.infer<typeof user>;

export const SIGN_IN_METHODS = ['PASSWORD', 'LOGIN_PIN', 'LOGIN_OTP'] as const;
export const SECRETS = ['PASSWORD', 'LOGIN_PIN', 'TRANSACTION_PIN', 'OTP'] as const;
export type Secret = (typeof SECRETS)[number];

export const signedInV1 = z.strictObject({
  user,
  session: id,
  method: z.enum(SIGN_IN_METHODS),
  device: z.string().max(128).optional(),
});
/** One session, or all of them (`session` absent). */
export const signedOutV1 = z.strictObject({
  user,
  session: id.optional(),
  why: z.enum([
    'LOGOUT',
    'REFRESH_TOKEN_REUSED',
    'PASSWORD_CHANGED',
    'DEACTIVATED',
    'ROLES_CHANGED',
    'DEVICE_REMOVED',
    'BY_STAFF',
  ]),
});
export const secretSetV1 = z.strictObject({
  user,
  secret: z.enum(['PASSWORD', 'LOGIN_PIN', 'TRANSACTION_PIN']),
  how: z.enum(['CREATED', 'CHANGED', 'RESET']),
});
export const userLockedV1 = z.strictObject({ user, secret: z.enum(SECRETS), until: z.iso.datetime() });
export const userUnlockedV1 = z.strictObject({ user, reason: z.string().min(1).max(512).optional() });
export const stepUpDecidedV1 = z.strictObject({
  user,
  method: z.enum(['PASSWORD', 'TRANSACTION_PIN', 'OTP']),
  passed: z.boolean(),
});
export const deviceRegisteredV1 = z.strictObject({ user, device: z.string().max(128), platform: z.string().max(32) });
export const deviceRemovedV1 = z.strictObject({ user, device: z.string().max(128) });

export type SignedIn = DomainEvent<'signed-in', z.infer<typeof signedInV1>>;
export type SignedOut = DomainEvent<'signed-out', z.infer<typeof signedOutV1>>;
export type SecretSet = DomainEvent<'secret-set', z.infer<typeof secretSetV1>>;
export type UserLocked = DomainEvent<'user-locked', z.infer<typeof userLockedV1>>;
export type UserUnlocked = DomainEvent<'user-unlocked', z.infer<typeof userUnlockedV1>>;
export type StepUpDecided = DomainEvent<'step-up-decided', z.infer<typeof stepUpDecidedV1>>;
export type DeviceRegistered = DomainEvent<'device-registered', z.infer<typeof deviceRegisteredV1>>;
export type DeviceRemoved = DomainEvent<'device-removed', z.infer<typeof deviceRemovedV1>>;
export type UserEvent =
  SignedIn | SignedOut | SecretSet | UserLocked | UserUnlocked | StepUpDecided | DeviceRegistered | DeviceRemoved;
