import { SignJWT, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { z } from 'zod';
import { USER_KINDS } from '../../domain/access/user-events.js';
import { ROLES, type Role } from '../../domain/shared/decider.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type { Session } from '../ports/sessions.js';
import type { TenantKey } from '../ports/tenant-keys.js';
import type { TenantKeys } from './tenant-keys.js';

export interface AccessTokenClaims {
  readonly roles: readonly Role[];
  readonly customerCode?: string;
  readonly agentId?: string;
  readonly lifeSeconds: number;
}

export interface IssuedAccessToken {
  readonly token: string;
  readonly jti: string;
  readonly expiresAt: string;
}

/** What a good access token says. Whether it was revoked is not asked here. */
export interface VerifiedAccessToken {
  readonly jti: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly userKind: 'customer' | 'employee';
  readonly sessionId: string;
  readonly roles: readonly Role[];
  readonly agentId: string | undefined;
  readonly expiresAt: string;
}

/** `aud`: the API of an installation. */
const AUDIENCE = 'corebook-api';
const ALGORITHM = 'RS256';
/** Between clocks of processes of one installation. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Ours are far below; nobody makes us parse megabytes. */
const MAX_TOKEN_LENGTH = 8_192;

/** The last second that has a four-digit year. */
const MAX_EXP = 253_402_300_799;
const uuid = z.string().regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/);
/** The documented claims (identity-compliance.md 1.4) and ours. */
const claims = z.object({
  sub: uuid,
  'user-id': uuid,
  jti: uuid,
  'tenancy-id': uuid,
  'client-id': uuid,
  roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
  exp: z.int().max(MAX_EXP),
  iat: z.number(),
  'customer-code': z.string().max(64).optional(),
  'agent-id': uuid.optional(),
  sid: uuid,
  kind: z.enum(USER_KINDS),
});

/** JSON Web Tokens of people who logged in: RS256 under the tenant's JWT key (identity-compliance.md 1.4). */
export class AccessTokens {
  constructor(
    readonly ports: {
      readonly keys: TenantKeys;
      readonly clock: Clock;
      readonly ids: IdSource;
      /** `iss`. */
      readonly issuer: string;
    },
  ) {}

  async issue(
    session: Session,
    { roles, customerCode, agentId, lifeSeconds }: AccessTokenClaims,
  ): Promise<IssuedAccessToken> {
    const { keys, clock, ids, issuer } = this.ports;
    const { tenantId, user, sessionId } = session;
    const key = await keys.active(tenantId, 'JWT');
    const privateKey = await keys.privateKey(key);
    if (privateKey === undefined) throw new Error(`key ${key.kid} has no private half`);
    const iat = Math.floor(clock.nowMs() / 1000);
    const exp = iat + lifeSeconds;
    const jti = ids.eventId();
    const token = await new SignJWT({
      ...{ sub: user.id, 'user-id': user.id, jti, 'tenancy-id': tenantId, 'client-id': tenantId, roles: [...roles] },
      ...(customerCode === undefined ? {} : { 'customer-code': customerCode }),
      ...(agentId === undefined ? {} : { 'agent-id': agentId }),
      ...{ sid: sessionId, kind: user.kind, iss: issuer, aud: AUDIENCE, iat, exp },
    })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: key.kid })
      .sign(privateKey);
    return { token, jti, expiresAt: new Date(exp * 1000).toISOString() };
  }

  /** Undefined for anything but a token of ours that is valid now. Never throws for what is presented. */
  async verify(token: string): Promise<VerifiedAccessToken | undefined> {
    const key = await this.#keyOf(token);
    if (key === undefined) return undefined;
    const payload = await this.#verifiedPayload(token, key);
    const parsed = claims.safeParse(payload);
    if (!parsed.success) return undefined;
    const said = parsed.data;
    // The key was found by the tenant that the token names, so this is that tenant; the rest must agree with itself.
    if (said['tenancy-id'] !== key.tenantId || said['client-id'] !== key.tenantId || said.sub !== said['user-id'])
      return undefined;
    return {
      jti: said.jti,
      tenantId: key.tenantId,
      userId: said.sub,
      userKind: said.kind,
      sessionId: said.sid,
      roles: said.roles,
      agentId: said['agent-id'],
      expiresAt: new Date(said.exp * 1000).toISOString(),
    };
  }

  /** By what the token says of itself, unverified: only which of the tenant's accepted keys must have signed it. */
  async #keyOf(token: string): Promise<TenantKey | undefined> {
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    let header: unknown;
    let tenant: unknown;
    try {
      header = decodeProtectedHeader(token);
      tenant = decodeJwt(token)['tenancy-id'];
    } catch {
      return undefined;
    }
    const { alg, kid } = header as { alg?: unknown; kid?: unknown };
    if (alg !== ALGORITHM || typeof kid !== 'string' || !uuid.safeParse(tenant).success) return undefined;
    return await this.ports.keys.acceptedKey(tenant as string, 'JWT', kid);
  }

  async #verifiedPayload(token: string, key: TenantKey): Promise<unknown> {
    const { keys, clock, issuer } = this.ports;
    try {
      const { payload } = await jwtVerify(token, keys.publicKey(key), {
        algorithms: [ALGORITHM],
        typ: 'JWT',
        issuer,
        audience: AUDIENCE,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(clock.nowMs()),
        requiredClaims: ['exp', 'iat', 'sub', 'jti'],
      });
      return payload;
    } catch {
      // Every failure of jose is about the token: the key is ours and parsed.
      return undefined;
    }
  }
}
