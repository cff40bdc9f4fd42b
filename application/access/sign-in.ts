import type { SignedIn } from '../../domain/access/user-events.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import type { Preferences } from '../../domain/tenant/preferences.js';
import { refuse } from '../../domain/shared/refusal.js';
import type { Outcome } from '../commands.js';
import { agentChain, isAgentSuspended } from '../people/standing.js';
import type { Credentials } from '../ports/credentials.js';
import type { Session } from '../ports/sessions.js';
import type { Asked } from './api-tokens.js';
import { asUser, nowOf, secretFrom } from './as-user.js';
import type { Identity } from './identity.js';

/** What a client needs to go on: shown once, kept as digests. */
export interface TokenPair {
  readonly session: Session;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
  readonly refreshExpiresInSeconds: number;
}

export type SignIn =
  | {
      readonly status: 'signed-in';
      readonly credentials: Credentials;
      readonly tokens: TokenPair;
      readonly position: string;
      readonly replayed: boolean;
    }
  | { readonly status: 'session-ended' }
  | Extract<Outcome, { status: 'refused' }>;

/**
 * Signs in somebody who has proved who he is. The log first: the session is opened once the log knows of it. A crash in
 * between leaves a log-in nobody has tokens of. Under an idempotency key the session's id is made from the key, so a
 * retry (which proves itself again) finds the session, opens it if that was missing, and gets tokens of the same family.
 */
export async function signIn(
  identity: Identity,
  asked: Asked,
  credentials: Credentials,
  by: { readonly method: SignedIn['data']['method']; readonly device: string | undefined },
): Promise<SignIn> {
  const { bus, sessions, ids, readModels } = identity;
  const { tenantId, user, roles, agent } = credentials;
  if (await isAgentSuspended(readModels, tenantId, agent)) return agentSuspended();
  const own = asUser(asked, user, roles);
  const key = own.idempotency;
  const sessionId = key === undefined ? ids.eventId() : nameBasedUuid(tenantId, `session:${key.id}:${key.requestHash}`);
  const { method, device } = by;
  const fact = { type: 'signed-in', session: sessionId, method, ...(device === undefined ? {} : { device }) } as const;
  const outcome = await bus.execute({ ...own, name: 'record-access', payload: { user, facts: [fact] } });
  if (outcome.status === 'refused') return outcome;

  const preferences = await preferencesOf(identity, credentials);
  const refreshToken = newRefreshToken(identity, ids.eventId());
  const digest = refreshDigestOf(identity, refreshToken);
  const known = outcome.replayed ? await sessions.get(tenantId, sessionId) : undefined;
  if (known !== undefined) {
    if (known.revokedAt !== null || known.expiresAt <= nowOf(identity)) return { status: 'session-ended' };
    await sessions.addRefresh(tenantId, sessionId, digest);
  }
  const session = known ?? {
    sessionId,
    tenantId,
    user,
    device: device ?? null,
    createdAt: nowOf(identity),
    expiresAt: refreshExpiry(identity, preferences),
    revokedAt: null,
  };
  if (known === undefined) await sessions.open(session, digest);
  const tokens = await tokensOf(identity, session, credentials, refreshToken, preferences);
  return { status: 'signed-in', credentials, tokens, position: outcome.position, replayed: outcome.replayed };
}

function agentSuspended(): Extract<Outcome, { status: 'refused' }> {
  const refusal = refuse('agent-suspended', 'the agent is suspended');
  return { status: 'refused', refusal, replayed: false };
}

/** As they hold for the people of the user's agent. */
export async function preferencesOf(
  { preferences, readModels }: Pick<Identity, 'preferences' | 'readModels'>,
  { tenantId, agent }: Pick<Credentials, 'tenantId' | 'agent'>,
): Promise<Preferences> {
  return preferences.of(tenantId, { agents: await agentChain(readModels, tenantId, agent) });
}

/** Recognisable where it turns up, like API tokens. */
const REFRESH_PREFIX = 'fcr_';

export function newRefreshToken(identity: Pick<Identity, 'master'>, seed: string): string {
  return REFRESH_PREFIX + secretFrom(identity, 'refresh-token', seed);
}

export function refreshDigestOf({ master }: Pick<Identity, 'master'>, refreshToken: string): string {
  return master.digest('refresh-token', refreshToken);
}

const DAY_MS = 86_400_000;

export function refreshExpiry(identity: Pick<Identity, 'clock'>, { REFRESH_TOKEN_DAYS }: Preferences): string {
  return nowOf(identity, REFRESH_TOKEN_DAYS * DAY_MS);
}

/** The pair for a session. Roles and agent are those of now. */
export async function tokensOf(
  { accessTokens, readModels, clock }: Pick<Identity, 'accessTokens' | 'readModels' | 'clock'>,
  session: Session,
  { roles, agent }: Pick<Credentials, 'roles' | 'agent'>,
  refreshToken: string,
  { ACCESS_TOKEN_MINUTES }: Preferences,
): Promise<TokenPair> {
  const { tenantId, user, expiresAt } = session;
  const customer = user.kind === 'customer' ? await readModels.customer(tenantId, user.id) : undefined;
  const lifeSeconds = ACCESS_TOKEN_MINUTES * 60;
  const issued = await accessTokens.issue(session, {
    roles,
    lifeSeconds,
    ...(customer === undefined ? {} : { customerCode: customer.code }),
    ...(agent === null ? {} : { agentId: agent }),
  });
  return {
    session,
    accessToken: issued.token,
    refreshToken,
    expiresInSeconds: lifeSeconds,
    refreshExpiresInSeconds: Math.floor((Date.parse(expiresAt) - clock.nowMs()) / 1000),
  };
}
