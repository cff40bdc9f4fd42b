import type { Role } from '../../domain/shared/decider.js';
import type { StoredToken } from '../ports/token-store.js';
import { type Asked, type TokenOutcome, type TokenServices, shownPrefix } from './api-tokens.js';

export interface NewToken {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly customerId?: string;
  readonly agentId?: string;
  readonly ipAllowList: readonly string[];
  readonly expiresAt: string;
}

/**
 * Stores the hash first, then states in the log that the token was issued: a token that the log knows can always be
 * opened. Where the statement is refused, or answers an earlier call, the row that nobody has the secret of is taken away.
 * A replay cannot show the secret again (only its hash is kept): `token` is null then.
 */
export async function issueApiToken(wanted: NewToken, asked: Asked, services: TokenServices): Promise<TokenOutcome> {
  const { tokenStore, tokenSecrets, bus, clock, ids } = services;
  const token = tokenSecrets.create();
  const hash = tokenSecrets.hash(token);
  if (hash === undefined) throw new Error('a new token has no hash');
  const stored: StoredToken = {
    tokenId: ids.eventId(),
    tenantId: asked.tenantId,
    name: wanted.name,
    prefix: shownPrefix(token),
    roles: wanted.roles,
    customerId: wanted.customerId ?? null,
    agentId: wanted.agentId ?? null,
    ipAllowList: wanted.ipAllowList,
    createdBy: asked.actor.subject,
    createdAt: new Date(clock.nowMs()).toISOString(),
    expiresAt: wanted.expiresAt,
    status: 'ACTIVE',
    lastUsedAt: null,
    previousGraceUntil: null,
    rotation: null,
  };
  await tokenStore.insert(stored, hash);
  const outcome = await bus.execute({
    ...asked,
    name: 'issue-api-token',
    payload: {
      token: stored.tokenId,
      name: wanted.name,
      roles: wanted.roles,
      ...(wanted.customerId === undefined ? {} : { customer: wanted.customerId }),
      ...(wanted.agentId === undefined ? {} : { agent: wanted.agentId }),
      ipAllowList: wanted.ipAllowList,
      expiresAt: wanted.expiresAt,
    },
  });
  if (outcome.status === 'accepted' && !outcome.replayed) return { status: 'accepted', outcome, stored, token };
  await tokenStore.setStatus(stored.tenantId, stored.tokenId, 'DELETED');
  if (outcome.status === 'refused') return outcome;
  const issued = outcome.events.find((event) => event.type === 'api-token-issued')?.data as
    { token: string } | undefined;
  const first = issued === undefined ? undefined : await tokenStore.get(stored.tenantId, issued.token);
  if (first === undefined) throw new Error('the log names a token that the store does not have');
  return { status: 'accepted', outcome, stored: first, token: null };
}
