import { fault } from '../people/faults.js';
import type { Credentials } from '../ports/credentials.js';
import type { Asked } from './api-tokens.js';
import { answeredBefore, asUser } from './as-user.js';
import { type Identity, emailDigestOf } from './identity.js';
import { tryOneTimePassword } from './one-time-password.js';
import { passwordFaults } from './password-policy.js';
import { type AccessRefusal, type Done, doneBy } from './refusals.js';
import { isStored, mailPasswordChanged, newPasswordFaults, setPassword } from './set-password.js';

export interface PasswordReset {
  readonly email: string;
  readonly code: string;
  readonly reference: string | undefined;
  readonly newPassword: string;
}

/**
 * Sets a password by the code that was mailed on a reset or an invitation: unlocks, ends all sessions. A password that the
 * policy refuses leaves the code good; what only its owner may learn (that it was used before) is said after the code.
 */
export async function completePasswordReset(
  identity: Identity,
  asked: Asked,
  { email, code, reference, newPassword }: PasswordReset,
): Promise<Done | AccessRefusal> {
  const { master, credentials, preferences, otps } = identity;
  const { tenantId } = asked;
  const policy = await preferences.of(tenantId);
  const obvious = passwordFaults(newPassword, policy, [email]);
  if (obvious.length > 0) {
    return { status: 'faulty', faults: obvious.map((one) => fault('newPassword', one.code, one.message)) };
  }
  const emailDigest = emailDigestOf(master, tenantId, email);
  const known = await credentials.byEmail(tenantId, emailDigest);
  const attempt = { emailDigest, code, reference, user: known?.user };
  const verdict = await tryOneTimePassword(identity, asked, {
    ...attempt,
    purposes: ['RESET_PASSWORD', 'SET_PASSWORD'],
  });
  if (verdict.status !== 'right' && verdict.status !== 'spent') return verdict;
  // A code of the sandbox is right for addresses that nobody has.
  if (known?.status !== 'ACTIVE') return { status: 'wrong-credentials' };
  const own = asUser(asked, known.user, known.roles);
  const before = await answeredBefore(identity, own, known.user);
  if (before?.status === 'refused') return before;
  if (before !== undefined && isStored(before, known)) return doneBy(before);
  if (verdict.status === 'spent' && before === undefined) return { status: 'wrong-credentials' };

  const faults = await newPasswordFaults(identity, known, newPassword);
  if (faults.length > 0) {
    if (verdict.status === 'right') await otps.giveBack(tenantId, verdict.purpose, emailDigest, verdict.reference);
    return { status: 'faulty', faults };
  }
  return reset(identity, own, known, newPassword);
}

async function reset(
  identity: Identity,
  asked: Asked,
  known: Credentials,
  password: string,
): Promise<Done | AccessRefusal> {
  const isFirst = known.passwordHash === null;
  const done = await setPassword(identity, asked, known, { password, how: isFirst ? 'CREATED' : 'RESET' });
  if (done.status === 'done' && !isFirst) await mailPasswordChanged(identity, known, known.user);
  return done;
}
