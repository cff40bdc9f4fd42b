import { isAgentSuspended } from '../people/standing.js';
import type { Credentials } from '../ports/credentials.js';
import type { Asked } from './api-tokens.js';
import { nowOf, unkeyed } from './as-user.js';
import type { Identity } from './identity.js';
import type { AccessRefusal } from './refusals.js';
import { type TokenPair, newRefreshToken, preferencesOf, refreshDigestOf, refreshExpiry, tokensOf } from './sign-in.js';

export type Refreshed =
  { readonly status: 'refreshed'; readonly tokens: TokenPair; readonly credentials: Credentials } | AccessRefusal;

/**
 * Exchanges a refresh token for the next pair. One that was used before has been stolen, or its thief was faster: the
 * whole family is revoked and the log says so. Under an idempotency key the next token is made from the key and the spent
 * token, so a client that lost the answer gets the same one again.
 */
export async function refreshSession(identity: Identity, asked: Asked, refreshToken: string): Promise<Refreshed> {
  const { sessions, credentials, readModels, ids, tokenVerifier, bus } = identity;
  const { tenantId, idempotency } = asked;
  const spent = refreshDigestOf(identity, refreshToken);
  const session = await sessions.byRefresh(spent);
  if (session?.tenantId !== tenantId) return { status: 'invalid-refresh-token' };
  const { user, sessionId } = session;
  const known = await credentials.byUser(tenantId, user.id);
  if (known?.status !== 'ACTIVE' || (await isAgentSuspended(readModels, tenantId, known.agent))) {
    await sessions.revoke(tenantId, sessionId, nowOf(identity));
    tokenVerifier.forgetSession(sessionId);
    return { status: 'invalid-refresh-token' };
  }
  const preferences = await preferencesOf(identity, known);
  const next = newRefreshToken(
    identity,
    idempotency === undefined ? ids.eventId() : `${idempotency.id} ${idempotency.requestHash} ${spent}`,
  );
  const expiresAt = refreshExpiry(identity, preferences);
  const result = await sessions.refresh(spent, refreshDigestOf(identity, next), nowOf(identity), expiresAt);
  switch (result.status) {
    case 'refreshed': {
      const tokens = await tokensOf(identity, result.session, known, next, preferences);
      return { status: 'refreshed', tokens, credentials: known };
    }
    case 'reused': {
      tokenVerifier.forgetSession(sessionId);
      const facts = [{ type: 'signed-out', session: sessionId, why: 'REFRESH_TOKEN_REUSED' }] as const;
      await bus.execute({ ...unkeyed(asked), name: 'record-access', payload: { user, facts } });
      return { status: 'token-already-used' };
    }
    case 'invalid':
      return { status: 'invalid-refresh-token' };
  }
}
