import type { Secret, UserReference } from '../../domain/access/user-events.js';
import type { MasterSeal } from '../ports/key-vault.js';
import type { Asked } from './api-tokens.js';
import { nowOf, unkeyed } from './as-user.js';
import type { Identity } from './identity.js';

/**
 * What wrong attempts are counted by. A log-in counts by the digest of the address, whoever has it, so that addresses
 * that nobody has are locked like others.
 */
export function loginPinSubject(master: MasterSeal, emailDigest: string, device: string): string {
  return `login-pin ${master.digest('login-pin', `${emailDigest} ${device}`)}`;
}
export function transactionPinSubject(userId: string): string {
  return `transaction-pin ${userId}`;
}
export function otpSubject(emailDigest: string): string {
  return `otp ${emailDigest}`;
}

export interface Attempt {
  readonly subject: string;
  readonly secret: Secret;
  /** Whose; undefined where nobody has the address. */
  readonly user: UserReference | undefined;
  /** Default: the tenant's. */
  readonly limit?: number;
}

/** The attempt that locks is answered no sooner than this: it writes to the log for those who exist only. */
const LOCKING_ANSWER_MS = 500;

/** Counts a wrong attempt; the one that locks is stated in the log, where there is somebody to be locked. */
export async function countWrong(identity: Identity, asked: Asked, attempt: Attempt): Promise<void> {
  const { attempts, preferences, bus, clock } = identity;
  const { tenantId } = asked;
  const startedMs = clock.nowMs();
  const { MAX_FAILED_ATTEMPTS, LOCKOUT_MINUTES } = await preferences.of(tenantId);
  const limit = attempt.limit ?? MAX_FAILED_ATTEMPTS;
  const until = await attempts.fail(tenantId, attempt.subject, limit, LOCKOUT_MINUTES, nowOf(identity));
  if (until === null) return;
  const { user, secret } = attempt;
  if (user !== undefined) {
    const payload = { user, facts: [{ type: 'user-locked', secret, until }] } as const;
    await bus.execute({ ...unkeyed(asked), name: 'record-access', payload });
  }
  const leftMs = LOCKING_ANSWER_MS - (clock.nowMs() - startedMs);
  if (leftMs > 0) await clock.sleep(leftMs);
}

/** Until when the first of these that is locked is locked. All are asked for, whichever is. */
export async function lockOf(
  identity: Pick<Identity, 'attempts' | 'clock'>,
  tenantId: string,
  subjects: readonly string[],
): Promise<string | null> {
  const now = nowOf(identity);
  const locks = await Promise.all(subjects.map((subject) => identity.attempts.lockedUntil(tenantId, subject, now)));
  return locks.find((until) => until !== null) ?? null;
}
