import type { UserReference } from '../../domain/access/user-events.js';
import type { Asked } from './api-tokens.js';
import { countWrong, lockOf, transactionPinSubject } from './attempts.js';
import type { Identity } from './identity.js';
import type { AccessRefusal } from './refusals.js';

/** Undefined when the password is the user's; wrong ones count like those of a log-in, under the same lock. */
export async function provePassword(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  password: string,
): Promise<AccessRefusal | undefined> {
  const { credentials } = identity;
  const { tenantId } = asked;
  const [known, emailDigest] = await Promise.all([
    credentials.byUser(tenantId, user.id),
    credentials.emailDigestOf(tenantId, user.id),
  ]);
  const hash = known?.status === 'ACTIVE' ? known.passwordHash : null;
  const subject = emailDigest ?? `password ${user.id}`;
  return proveSecret(identity, asked, { hash, text: password, subject, secret: 'PASSWORD', user });
}

/** Undefined when it is the user's transaction PIN. */
export async function proveTransactionPin(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  pin: string,
): Promise<AccessRefusal | undefined> {
  const hash = (await identity.devices.pin(asked.tenantId, user.id, '')) ?? null;
  const subject = transactionPinSubject(user.id);
  return proveSecret(identity, asked, { hash, text: pin, subject, secret: 'TRANSACTION_PIN', user });
}

export interface SecretProof {
  /** Null: there is none, so nothing is right. */
  readonly hash: string | null;
  readonly text: string;
  readonly subject: string;
  readonly secret: 'PASSWORD' | 'LOGIN_PIN' | 'TRANSACTION_PIN';
  readonly user: UserReference;
}

export async function proveSecret(
  identity: Identity,
  asked: Asked,
  { hash, text, subject, secret, user }: SecretProof,
): Promise<AccessRefusal | undefined> {
  const { hasher, attempts } = identity;
  const { tenantId } = asked;
  const until = await lockOf(identity, tenantId, [subject]);
  if (until !== null) return { status: 'locked', until };
  const isRight = await hasher.verify(hash ?? hasher.decoy, text);
  if (hash !== null && isRight) {
    // Of a burst of guesses a right one that comes late counts for nothing.
    const lockedNow = await lockOf(identity, tenantId, [subject]);
    if (lockedNow !== null) return { status: 'locked', until: lockedNow };
    await attempts.clear(tenantId, subject);
    return undefined;
  }
  await countWrong(identity, asked, { subject, secret, user });
  return { status: 'wrong-credentials' };
}
