import type { RefreshResult, Session, SessionStore, StepUp } from '../../application/ports/sessions.js';

interface Refresh {
  readonly session: string;
  spent: boolean;
}

const keyOf = (tenantId: string, id: string): string => `${tenantId} ${id}`;

/** Sessions in memory, for tests. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<string, Session>();
  readonly #refresh = new Map<string, Refresh>();
  readonly #stepUps = new Map<string, StepUp & { usedFor: string | null }>();
  readonly #denied = new Map<string, string>();

  open(session: Session, refreshDigest: string): Promise<void> {
    const key = keyOf(session.tenantId, session.sessionId);
    if (this.#sessions.has(key) || this.#refresh.has(refreshDigest)) {
      return Promise.reject(new Error('there is such a session'));
    }
    this.#sessions.set(key, session);
    this.#refresh.set(refreshDigest, { session: key, spent: false });
    return Promise.resolve();
  }

  addRefresh(tenantId: string, sessionId: string, refreshDigest: string): Promise<void> {
    const session = keyOf(tenantId, sessionId);
    if (!this.#sessions.has(session)) return Promise.reject(new Error('there is no such session'));
    if (!this.#refresh.has(refreshDigest)) this.#refresh.set(refreshDigest, { session, spent: false });
    return Promise.resolve();
  }

  refresh(spent: string, next: string, nowIso: string, expiresAt: string): Promise<RefreshResult> {
    const token = this.#refresh.get(spent);
    const session = token === undefined ? undefined : this.#sessions.get(token.session);
    if (token === undefined || session === undefined || session.revokedAt !== null || session.expiresAt <= nowIso) {
      return Promise.resolve({ status: 'invalid' });
    }
    const successor = this.#refresh.get(next);
    if (token.spent && (successor?.session !== token.session || successor.spent)) {
      const revoked = { ...session, revokedAt: nowIso };
      this.#sessions.set(token.session, revoked);
      return Promise.resolve({ status: 'reused', session: revoked });
    }
    token.spent = true;
    if (successor === undefined) this.#refresh.set(next, { session: token.session, spent: false });
    const longer = { ...session, expiresAt };
    this.#sessions.set(token.session, longer);
    return Promise.resolve({ status: 'refreshed', session: longer });
  }

  byRefresh(refreshDigest: string): Promise<Session | undefined> {
    return Promise.resolve(this.#sessions.get(this.#refresh.get(refreshDigest)?.session ?? ''));
  }

  get(tenantId: string, sessionId: string): Promise<Session | undefined> {
    return Promise.resolve(this.#sessions.get(keyOf(tenantId, sessionId)));
  }

  revoke(tenantId: string, sessionId: string, nowIso: string): Promise<boolean> {
    const key = keyOf(tenantId, sessionId);
    const session = this.#sessions.get(key);
    if (session === undefined || session.revokedAt !== null) return Promise.resolve(false);
    this.#sessions.set(key, { ...session, revokedAt: nowIso });
    return Promise.resolve(true);
  }

  revokeAll(tenantId: string, userId: string, nowIso: string, exceptSession?: string): Promise<number> {
    return Promise.resolve(
      this.#revokeWhere(
        nowIso,
        (s) => s.tenantId === tenantId && s.user.id === userId && s.sessionId !== exceptSession,
      ),
    );
  }

  revokeDevice(tenantId: string, userId: string, device: string, nowIso: string): Promise<number> {
    return Promise.resolve(
      this.#revokeWhere(nowIso, (s) => s.tenantId === tenantId && s.user.id === userId && s.device === device),
    );
  }

  denyToken(tenantId: string, jti: string, expiresAt: string): Promise<void> {
    this.#denied.set(keyOf(tenantId, jti), expiresAt);
    return Promise.resolve();
  }

  isRevoked(tenantId: string, jti: string, sessionId: string): Promise<boolean> {
    const session = this.#sessions.get(keyOf(tenantId, sessionId));
    return Promise.resolve(this.#denied.has(keyOf(tenantId, jti)) || session?.revokedAt !== null);
  }

  grantStepUp(stepUp: StepUp): Promise<void> {
    const key = keyOf(keyOf(stepUp.tenantId, stepUp.sessionId), stepUp.digest);
    if (!this.#stepUps.has(key)) this.#stepUps.set(key, { ...stepUp, usedFor: null });
    return Promise.resolve();
  }

  spendStepUp(tenantId: string, sessionId: string, digest: string, use: string, nowIso: string): Promise<boolean> {
    const session = this.#sessions.get(keyOf(tenantId, sessionId));
    const stepUp = this.#stepUps.get(keyOf(keyOf(tenantId, sessionId), digest));
    const isGood =
      stepUp !== undefined &&
      stepUp.expiresAt > nowIso &&
      (stepUp.usedFor ?? use) === use &&
      session !== undefined &&
      session.revokedAt === null;
    if (isGood) stepUp.usedFor = use;
    return Promise.resolve(isGood);
  }

  purge(nowIso: string): Promise<number> {
    let removed = 0;
    for (const [key, { expiresAt }] of this.#sessions) {
      if (expiresAt > nowIso) continue;
      this.#remove(key);
      removed += 1;
    }
    for (const [key, { expiresAt }] of this.#stepUps)
      if (expiresAt <= nowIso && this.#stepUps.delete(key)) removed += 1;
    for (const [key, expiresAt] of this.#denied) if (expiresAt <= nowIso && this.#denied.delete(key)) removed += 1;
    return Promise.resolve(removed);
  }

  deleteAllOf(tenantId: string, userId: string): Promise<void> {
    for (const [key, session] of this.#sessions) {
      if (session.tenantId === tenantId && session.user.id === userId) this.#remove(key);
    }
    return Promise.resolve();
  }

  #remove(key: string): void {
    this.#sessions.delete(key);
    for (const [digest, { session }] of this.#refresh) if (session === key) this.#refresh.delete(digest);
    for (const stepUp of this.#stepUps.keys()) if (stepUp.startsWith(key)) this.#stepUps.delete(stepUp);
  }

  #revokeWhere(nowIso: string, wanted: (session: Session) => boolean): number {
    const hit = [...this.#sessions].filter(([, s]) => s.revokedAt === null && s.expiresAt > nowIso && wanted(s));
    for (const [key, session] of hit) this.#sessions.set(key, { ...session, revokedAt: nowIso });
    return hit.length;
  }
}
