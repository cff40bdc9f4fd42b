import type { UserReference } from '../../domain/access/user-events.js';

/**
 * Log-ins and what keeps them alive. A session is a family of refresh tokens (each used once) and the access tokens made
 * with them. Refresh tokens are stored as keyed digests. Adapters: postgres, memory; one contract suite.
 */
export interface Session {
  readonly sessionId: string;
  readonly tenantId: string;
  readonly user: UserReference;
  readonly device: string | null;
  readonly createdAt: string;
  /** Of the newest refresh token: sliding. */
  readonly expiresAt: string;
  readonly revokedAt: string | null;
}

/** A proof, some minutes old at most, that the user himself is there (password, PIN or OTP). */
export interface StepUp {
  readonly tenantId: string;
  readonly sessionId: string;
  /** Keyed digest of the token. */
  readonly digest: string;
  readonly expiresAt: string;
}

export type RefreshResult =
  | { readonly status: 'refreshed'; readonly session: Session }
  /** It was used before: the whole family is revoked now. */
  | { readonly status: 'reused'; readonly session: Session }
  /** Unknown, expired, or of a revoked session. */
  | { readonly status: 'invalid' };

export interface SessionStore {
  open(session: Session, refreshDigest: string): Promise<void>;
  /** Another first refresh token for a session that is open: its log-in was repeated under an idempotency key. */
  addRefresh(tenantId: string, sessionId: string, refreshDigest: string): Promise<void>;
  /**
   * Spends one refresh token for the next, atomically: of two at once one is a reuse. The same exchange again, while its
   * `next` is not spent, is a retry and is answered as before.
   */
  refresh(spent: string, next: string, nowIso: string, expiresAt: string): Promise<RefreshResult>;
  byRefresh(refreshDigest: string): Promise<Session | undefined>;
  get(tenantId: string, sessionId: string): Promise<Session | undefined>;
  revoke(tenantId: string, sessionId: string, nowIso: string): Promise<boolean>;
  /** All sessions of a user but `exceptSession`; answers how many were open. */
  revokeAll(tenantId: string, userId: string, nowIso: string, exceptSession?: string): Promise<number>;
  /** Those of one device. */
  revokeDevice(tenantId: string, userId: string, device: string, nowIso: string): Promise<number>;
  /** Puts one access token on the deny list until it expires. */
  denyToken(tenantId: string, jti: string, expiresAt: string): Promise<void>;
  /** Whether this access token may no longer be used: denied, or its session revoked. One look-up. */
  isRevoked(tenantId: string, jti: string, sessionId: string): Promise<boolean>;
  /** Keeps a step-up token of a session; it is gone with the session. */
  grantStepUp(stepUp: StepUp): Promise<void>;
  /**
   * Spends it for one action, named by `use`: the same action again finds it good (a retry), another one does not.
   * False too when it is unknown, past its time, or its session was revoked.
   */
  spendStepUp(tenantId: string, sessionId: string, digest: string, use: string, nowIso: string): Promise<boolean>;
  /** Removes what expired before `nowIso`; answers how many rows. */
  purge(nowIso: string): Promise<number>;
  deleteAllOf(tenantId: string, userId: string): Promise<void>;
}
