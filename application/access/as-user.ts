import type { UserReference } from '../../domain/access/user-events.js';
import type { Role } from '../../domain/shared/decider.js';
import type { Outcome } from '../commands.js';
import { requestHash } from '../idempotency.js';
import type { Asked } from './api-tokens.js';
import type { Identity } from './identity.js';

/**
 * The same request, asked by the user that it turned out to come from (he proved it with a password, PIN or code). His
 * idempotency key is his own: the same key of somebody else is refused, not answered with what was done for him.
 */
export function asUser({ idempotency, ...asked }: Asked, user: UserReference, roles: readonly Role[]): Asked {
  const subject = `${user.kind}:${user.id}`;
  const actor = { subject, roles, ...(user.kind === 'customer' ? { customerId: user.id } : {}) };
  if (idempotency === undefined) return { ...asked, actor };
  const own = { id: idempotency.id, requestHash: requestHash(subject, idempotency.requestHash) };
  return { ...asked, actor, idempotency: own };
}

/** The same request for a command that the request's idempotency key does not stand for. */
export function unkeyed({ tenantId, actor, correlationId }: Asked): Asked {
  return { tenantId, actor, correlationId };
}

/**
 * A text of 256 bits that nobody can foresee: a keyed digest of `seed`, which is unique. With a seed that a retry has
 * too, the retry gets the same text again, though only its digest is stored.
 */
export function secretFrom({ master }: Pick<Identity, 'master'>, purpose: string, seed: string): string {
  return Buffer.from(master.digest(`make ${purpose}`, seed), 'hex').toString('base64url');
}

export function nowOf({ clock }: Pick<Identity, 'clock'>, aheadMs = 0): string {
  return new Date(clock.nowMs() + aheadMs).toISOString();
}

/**
 * What the request's idempotency key was answered with before, if it was: a command that states nothing, which is refused
 * for a key that is new, finds out. A retry can then be answered although what it presents (a code, the password before)
 * is used up.
 */
export async function answeredBefore(
  { bus }: Pick<Identity, 'bus'>,
  asked: Asked,
  user: UserReference,
): Promise<Outcome | undefined> {
  if (asked.idempotency === undefined) return undefined;
  const outcome = await bus.execute({ ...asked, name: 'record-access', payload: { user, facts: [] } });
  const isNew = outcome.status === 'refused' && outcome.refusal.refused === 'invalid-argument';
  return isNew ? undefined : outcome;
}
