import type { SecretSet, UserReference } from '../../domain/access/user-events.js';
import type { Outcome } from '../commands.js';
import { composeMail } from '../mail/compose-mail.js';
import { type Fault, fault } from '../people/faults.js';
import { personOf } from '../people/standing.js';
import type { Credentials } from '../ports/credentials.js';
import type { Asked } from './api-tokens.js';
import { nowOf, unkeyed } from './as-user.js';
import { lockOf } from './attempts.js';
import type { Identity } from './identity.js';
import { isReused, passwordFaults } from './password-policy.js';
import { type AccessRefusal, type Done, doneBy } from './refusals.js';

/** What is wrong with a new password for this user: policy, words of his own, history. */
export async function newPasswordFaults(
  { preferences, readModels, hasher }: Identity,
  { tenantId, user, passwordHash, passwordHistory }: Credentials,
  password: string,
): Promise<Fault[]> {
  const policy = await preferences.of(tenantId);
  const person = (await personOf(readModels, tenantId, user))?.person;
  const own = person == null ? [] : [person.firstName, person.lastName, person.email];
  const faults = passwordFaults(password, policy, own).map(({ code, message }) => fault('newPassword', code, message));
  if (faults.length > 0) return faults;
  const earlier = passwordHistory.slice(0, policy.PASSWORD_HISTORY_COUNT);
  const hashes = [...(passwordHash === null ? [] : [passwordHash]), ...earlier];
  if (!(await isReused(password, hashes, hasher))) return [];
  return [fault('newPassword', 'PASSWORD_REUSED', 'is the present password or one of the last ones')];
}

export interface NewPassword {
  readonly password: string;
  readonly how: SecretSet['data']['how'];
  /** The session that stays. */
  readonly keepSession?: string;
}

/**
 * Sets a password that was found good: it is hashed, the log is written, then the store. A crash in between leaves the
 * old password good; a retry under the same key sets the new one. All other sessions end, and locks with them.
 */
export async function setPassword(
  identity: Identity,
  asked: Asked,
  { tenantId, user }: Credentials,
  { password, how, keepSession }: NewPassword,
): Promise<Done | AccessRefusal> {
  const { hasher, bus, credentials, sessions, attempts, tokenVerifier } = identity;
  const hash = await hasher.hash(password);
  const emailDigest = await credentials.emailDigestOf(tenantId, user.id);
  const isLocked = emailDigest !== undefined && (await lockOf(identity, tenantId, [emailDigest])) !== null;
  const facts = [
    { type: 'secret-set', secret: 'PASSWORD', how } as const,
    ...(isLocked ? [{ type: 'user-unlocked' } as const] : []),
  ];
  const outcome = await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } });
  if (outcome.status === 'refused') return outcome;
  await credentials.setPassword(tenantId, user.id, hash, nowOf(identity));
  if (emailDigest !== undefined) await attempts.clear(tenantId, emailDigest);
  const ended = await sessions.revokeAll(tenantId, user.id, nowOf(identity), keepSession);
  tokenVerifier.forgetUser(user.id);
  if (ended > 0) {
    const signedOut = [{ type: 'signed-out', why: 'PASSWORD_CHANGED' }] as const;
    await bus.execute({ ...unkeyed(asked), name: 'record-access', payload: { user, facts: signedOut } });
  }
  return doneBy(outcome);
}

/** Whether what the log says was done under this key has reached the store; a crash may have come in between. */
export function isStored(before: Extract<Outcome, { status: 'accepted' }>, { passwordSetAt }: Credentials): boolean {
  const set = before.events.find(({ type }) => type === 'secret-set');
  return set !== undefined && passwordSetAt !== null && passwordSetAt >= set.recordedAt;
}

/** Tells the owner of the mailbox that his password is another one. */
export async function mailPasswordChanged(
  identity: Identity,
  { tenantId, agent }: Credentials,
  user: UserReference,
): Promise<void> {
  const person = (await personOf(identity.readModels, tenantId, user))?.person;
  if (person == null) return;
  const composed = await composeMail(identity, tenantId, agent, 'PASSWORD_CHANGED', {});
  await identity.mail.enqueue({ ...composed, to: person.email, owner: user.id });
}
