/**
 * One-time passwords under way, and counters of wrong attempts: short-lived, beside the log. Codes are stored as keyed
 * digests. Adapters: postgres, memory; one contract suite.
 */
export const OTP_PURPOSES = ['LOGIN', 'RESET_PASSWORD', 'TRANSACTION', 'SET_PASSWORD'] as const;
export type OtpPurpose = (typeof OTP_PURPOSES)[number];

export interface OneTimePassword {
  readonly reference: string;
  readonly tenantId: string;
  readonly purpose: OtpPurpose;
  /** Keyed digest of the address it was sent to (or would have been, where nobody has it). */
  readonly emailDigest: string;
  readonly codeDigest: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly maxTries: number;
}

export type OtpVerdict =
  /** `spent`: the right code, but it was used before. */
  | { readonly status: 'right' | 'spent'; readonly reference: string }
  | { readonly status: 'wrong' | 'expired' | 'exhausted' | 'none' };

export type OtpIssue =
  | { readonly status: 'issued' }
  /** This very one (by its reference) is there already: a retry, nothing was changed. */
  | { readonly status: 'repeated' }
  /** The last one to this address for this purpose is younger than `resendSeconds`. */
  | { readonly status: 'too-soon'; readonly reference: string; readonly waitSeconds: number };

export interface OneTimePasswordStore {
  /** Stores a new one and voids what this address had for this purpose, unless that is younger than `resendSeconds`. */
  issue(password: OneTimePassword, resendSeconds: number): Promise<OtpIssue>;
  /**
   * Tries a code on what the address has for the purpose; a `reference` must be its. A right one is spent by it; a wrong
   * one counts. Atomic: of two right tries at once one finds it spent. `codeDigest` null is right whatever the code is
   * (the sandbox's magic value).
   */
  attempt(
    tenantId: string,
    purpose: OtpPurpose,
    by: { readonly emailDigest: string; readonly reference?: string },
    codeDigest: string | null,
    nowIso: string,
  ): Promise<OtpVerdict>;
  /** Makes a spent one good again: what it was used for was refused for another reason. */
  giveBack(tenantId: string, purpose: OtpPurpose, emailDigest: string, reference: string): Promise<void>;
  purge(nowIso: string): Promise<number>;
}

/** Wrong attempts by what was attempted: `subject` is a keyed digest or an id, so unknown addresses count like known ones. */
export interface AttemptCounter {
  /** Until when this subject is locked, or null. */
  lockedUntil(tenantId: string, subject: string, nowIso: string): Promise<string | null>;
  /** Counts a wrong attempt; the `limit`-th within the lock-out time locks. Answers the lock if this attempt caused it. */
  fail(tenantId: string, subject: string, limit: number, lockMinutes: number, nowIso: string): Promise<string | null>;
  /** A right attempt, or an administrator: forgets attempts and lock. */
  clear(tenantId: string, subject: string): Promise<void>;
  purge(nowIso: string): Promise<number>;
}
