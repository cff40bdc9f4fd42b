import type { Asked } from './api-tokens.js';
import { answeredBefore, asUser } from './as-user.js';
import { type Identity, emailDigestOf } from './identity.js';
import { tryOneTimePassword } from './one-time-password.js';
import type { AccessRefusal } from './refusals.js';
import { type SignIn, signIn } from './sign-in.js';

export interface LoginOtp {
  readonly email: string;
  readonly code: string;
  readonly reference: string | undefined;
  readonly device: string | undefined;
}

/**
 * Logs in with the code that was mailed: the second step where the tenant asks for one, and a log-in by itself elsewhere,
 * as documented (`otpReference` is optional). It gives no more than the mailbox gives anyway, by setting a new password.
 */
export async function verifyLoginOtp(
  identity: Identity,
  asked: Asked,
  { email, code, reference, device }: LoginOtp,
): Promise<SignIn | AccessRefusal> {
  const { master, credentials } = identity;
  const { tenantId } = asked;
  const emailDigest = emailDigestOf(master, tenantId, email);
  const known = await credentials.byEmail(tenantId, emailDigest);
  const attempt = { emailDigest, purposes: ['LOGIN'], code, reference, user: known?.user } as const;
  const verdict = await tryOneTimePassword(identity, asked, attempt);
  if (verdict.status !== 'right' && verdict.status !== 'spent') return verdict;
  // A code of the sandbox is right for addresses that nobody has.
  if (known?.status !== 'ACTIVE') return { status: 'wrong-credentials' };
  if (verdict.status === 'spent') {
    const before = await answeredBefore(identity, asUser(asked, known.user, known.roles), known.user);
    if (before === undefined) return { status: 'wrong-credentials' };
    if (before.status === 'refused') return before;
  }
  return signIn(identity, asked, known, { method: 'LOGIN_OTP', device });
}
