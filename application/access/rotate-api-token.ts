import type { StoredToken } from '../ports/token-store.js';
import { type Asked, type TokenOutcome, type TokenServices, shownPrefix } from './api-tokens.js';

/**
 * Gives a token a new secret; the old one stays good until `graceUntil`. The log first: if the store fails after it,
 * the old secret still works, and a retry with the same key finds the rotation in the log and carries it out then.
 */
export async function rotateApiToken(
  token: StoredToken,
  graceUntil: string,
  asked: Asked,
  services: TokenServices,
): Promise<TokenOutcome> {
  const { tokenStore, tokenSecrets, tokenVerifier, bus } = services;
  const outcome = await bus.execute({
    ...asked,
    name: 'rotate-api-token',
    payload: { token: token.tokenId, graceUntil },
  });
  if (outcome.status === 'refused') return outcome;
  const rotated = outcome.events.find((event) => event.type === 'api-token-rotated');
  if (rotated === undefined) throw new Error('a rotation has its event');
  const until = (rotated.data as { graceUntil: string }).graceUntil;
  const secret = tokenSecrets.create();
  const hash = tokenSecrets.hash(secret);
  if (hash === undefined) throw new Error('a new token has no hash');
  const prefix = shownPrefix(secret);
  const done = await tokenStore.rotate(token.tenantId, token.tokenId, {
    hash,
    prefix,
    graceUntil: until,
    rotation: rotated.id,
  });
  tokenVerifier.forget(token.tokenId);
  const stored = (await tokenStore.get(token.tenantId, token.tokenId)) ?? token;
  return { status: 'accepted', outcome, stored, token: done ? secret : null };
}
