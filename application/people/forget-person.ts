import type { UserReference } from '../../domain/access/user-events.js';
import type { Identity } from '../access/identity.js';

/** What forgetting a person reaches. */
type Forgetting = Pick<
  Identity,
  | 'vault'
  | 'erasures'
  | 'credentials'
  | 'sessions'
  | 'devices'
  | 'files'
  | 'outbox'
  | 'tokenStore'
  | 'tokenVerifier'
  | 'clock'
>;

/**
 * Takes away everything that is kept of an erased person beside the log. His key goes first: what is sealed says nothing
 * from then on, whatever else fails. Then it is registered outside the database, so that no backup brings him back. Done
 * again it changes nothing.
 */
export async function forgetPerson(
  identity: Forgetting,
  tenantId: string,
  user: UserReference,
  known: { readonly erasedAt?: string; readonly legalBasis?: string } = {},
): Promise<void> {
  const { vault, erasures, credentials, sessions, devices, files, outbox, tokenStore, tokenVerifier, clock } = identity;
  await vault.destroy(tenantId, user.id);
  const erasedAt = known.erasedAt ?? new Date(clock.nowMs()).toISOString();
  await erasures.record({ ...known, tenantId, kind: user.kind, id: user.id, erasedAt });
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
