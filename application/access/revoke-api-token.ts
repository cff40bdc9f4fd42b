import type { StoredToken } from '../ports/token-store.js';
import type { Asked, TokenOutcome, TokenServices } from './api-tokens.js';

/**
 * Disables or deletes a token. The store first: it fails closed, at once in this process and within two seconds in the
 * others. A retry after a failure in between finds the store done and states it in the log.
 */
export async function revokeApiToken(
  token: StoredToken,
  to: 'DISABLED' | 'DELETED',
  asked: Asked,
  services: TokenServices,
): Promise<TokenOutcome> {
  const { tokenStore, tokenVerifier, bus } = services;
  await tokenStore.setStatus(token.tenantId, token.tokenId, to);
  tokenVerifier.forget(token.tokenId);
  const name = to === 'DISABLED' ? 'disable-api-token' : 'delete-api-token';
  const outcome = await bus.execute({ ...asked, name, payload: { token: token.tokenId } });
  if (outcome.status === 'refused') return outcome;
  const stored = (await tokenStore.get(token.tenantId, token.tokenId)) ?? token;
  return { status: 'accepted', outcome, stored, token: null };
}
