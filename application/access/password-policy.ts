import type { Preferences } from '../../domain/tenant/preferences.js';
import type { PasswordHasher } from '../ports/password-hasher.js';

/** What is wrong with a password, in the words of the error list: one `code` per rule. */
export interface PasswordFault {
  readonly code: string;
  readonly message: string;
}

/**
 * Checks a new password against the tenant's policy, the list of common passwords, simple patterns, and words of the
 * person's own (name, e-mail). Empty when it may be used.
 */
export function passwordFaults(
  _password: string,
  _preferences: Preferences,
  _personalWords: readonly string[],
): PasswordFault[] {
  throw new Error('not built yet');
}

/** Whether the password is the present one or one of the last `PASSWORD_HISTORY_COUNT`. */
export function isReused(
  _password: string,
  _hashes: readonly string[],
  _hasher: PasswordHasher,
): Promise<boolean> {
  throw new Error('not built yet');
}
