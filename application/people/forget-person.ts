import type { UserReference } from '../../domain/access/user-events.js';
import type { Identity } from '../access/identity.js';

/**
 * Takes away everything that is kept of an erased person beside the log. His key goes first: what is sealed says nothing
 * from then on, whatever else fails. Done again it changes nothing.
 */
export async function forgetPerson(identity: Identity, tenantId: string, user: UserReference): Promise<void> {
  const { vault, credentials, sessions, devices, files, outbox, tokenStore, tokenVerifier, clock } = identity;
  await vault.destroy(tenantId, user.id);
  await credentials.delete(tenantId, user.id);
  // Revoked before they are deleted: an access token asks for its session until it expires.
  await sessions.revokeAll(tenantId, user.id, new Date(clock.nowMs()).toISOString());
  tokenVerifier.forgetUser(user.id);
  if (user.kind === 'customer') {
    const tokens = await tokenStore.deleteAllOfCustomer(tenantId, user.id);
    for (const token of tokens) tokenVerifier.forget(token);
  }
  await Promise.all([
    sessions.deleteAllOf(tenantId, user.id),
    devices.deleteAllOf(tenantId, user.id),
    files.deleteAllOf(tenantId, user.id),
    outbox?.deleteAllOf(tenantId, user.id),
  ]);
}
