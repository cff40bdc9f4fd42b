import type { Role } from '../../domain/shared/decider.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type { Session } from '../ports/sessions.js';
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

  issue(_session: Session, _claims: AccessTokenClaims): Promise<IssuedAccessToken> {
    throw new Error('not built yet');
  }

  /** Undefined for anything but a token of ours that is valid now. Never throws for what is presented. */
  verify(_token: string): Promise<VerifiedAccessToken | undefined> {
    throw new Error('not built yet');
  }
}
