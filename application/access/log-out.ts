import type { UserReference } from '../../domain/access/user-events.js';
import type { Session } from '../ports/sessions.js';
import type { Asked } from './api-tokens.js';
import { answeredBefore, nowOf } from './as-user.js';
import type { Identity } from './identity.js';
import { type AccessRefusal, type Done, doneBy } from './refusals.js';
import { refreshDigestOf } from './sign-in.js';

export interface LogOut {
  readonly refreshToken: string | undefined;
  /** The access token that came with the request. */
  readonly access:
    | { readonly jti: string; readonly sessionId: string; readonly user: UserReference; readonly expiresAt: string }
    | undefined;
}

/**
 * Ends the session that a refresh token, an access token or both belong to: at once in this process, within two seconds in
 * others. The store first: it fails closed, and a retry states it in the log.
 */
export async function logOut(
  identity: Identity,
  asked: Asked,
  { refreshToken, access }: LogOut,
): Promise<Done | AccessRefusal> {
  const { sessions, tokenVerifier } = identity;
  const { tenantId } = asked;
  const refreshed =
    refreshToken === undefined ? undefined : await sessions.byRefresh(refreshDigestOf(identity, refreshToken));
  const own = refreshed?.tenantId === tenantId ? refreshed : undefined;
  if (own === undefined && access === undefined) return { status: 'invalid-refresh-token' };
  if (access !== undefined) {
    await sessions.denyToken(tenantId, access.jti, access.expiresAt);
    tokenVerifier.forget(access.jti);
  }
  const ending = new Map<string, Pick<Session, 'user'>>();
  if (access !== undefined) ending.set(access.sessionId, { user: access.user });
  if (own !== undefined) ending.set(own.sessionId, { user: own.user });
  let done: Done | undefined;
  for (const [sessionId, { user }] of ending) {
    const ended = await end(identity, asked, sessionId, user);
    if (ended?.status === 'refused') return ended;
    done = ended ?? done;
  }
  return done ?? { status: 'done', replayed: false };
}

/** Undefined when it had ended before. */
async function end(
  identity: Identity,
  asked: Asked,
  sessionId: string,
  user: UserReference,
): Promise<Done | Extract<AccessRefusal, { status: 'refused' }> | undefined> {
  const { sessions, tokenVerifier, bus } = identity;
  const ended = await sessions.revoke(asked.tenantId, sessionId, nowOf(identity));
  tokenVerifier.forgetSession(sessionId);
  const facts = [{ type: 'signed-out', session: sessionId, why: 'LOGOUT' }] as const;
  const outcome = ended
    ? await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } })
    : await answeredBefore(identity, asked, user);
  if (outcome === undefined) return undefined;
  return outcome.status === 'refused' ? outcome : doneBy(outcome);
}
