import type { UserReference } from '../../domain/access/user-events.js';
import type { Outcome } from '../commands.js';
import type { Asked } from './api-tokens.js';
import { loginPinSubject, otpSubject, transactionPinSubject } from './attempts.js';
import type { Identity } from './identity.js';

/** Staff takes every lock off a user: password, PINs, codes. The log first: a retry clears what a crash has left. */
export async function unlockUser(
  { bus, attempts, credentials, devices, master }: Identity,
  asked: Asked,
  user: UserReference,
  reason: string | undefined,
): Promise<Outcome> {
  const { tenantId } = asked;
  const facts = [{ type: 'user-unlocked', ...(reason === undefined ? {} : { reason }) }] as const;
  const outcome = await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } });
  if (outcome.status === 'refused') return outcome;
  const emailDigest = await credentials.emailDigestOf(tenantId, user.id);
  const bound = await devices.list(tenantId, user.id);
  const subjects = [
    transactionPinSubject(user.id),
    ...(emailDigest === undefined ? [] : [emailDigest, otpSubject(emailDigest)]),
    ...bound.map(({ deviceId }) => loginPinSubject(master, emailDigest ?? user.id, deviceId)),
  ];
  await Promise.all(subjects.map((subject) => attempts.clear(tenantId, subject)));
  return outcome;
}
