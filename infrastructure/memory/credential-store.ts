import { type Credentials, type CredentialStore, PENDING_SECONDS } from '../../application/ports/credentials.js';
import type { Role } from '../../domain/shared/decider.js';

const HISTORY = 24;

/** Credentials in memory, for tests. */
export class MemoryCredentialStore implements CredentialStore {
  readonly #kept: Array<{ credentials: Credentials; emailDigest: string }> = [];

  reserve(credentials: Credentials, emailDigest: string): Promise<boolean> {
    const { tenantId, user } = credentials;
    const taken = this.#kept.find((one) => one.emailDigest === emailDigest && one.credentials.tenantId === tenantId);
    if (taken !== undefined) {
      const { status, createdAt } = taken.credentials;
      const isStale = Date.parse(createdAt) <= Date.parse(credentials.createdAt) - PENDING_SECONDS * 1000;
      if (status !== 'PENDING' || !isStale) return Promise.resolve(false);
      taken.credentials = credentials;
      return Promise.resolve(true);
    }
    if (this.#find(tenantId, user.id) !== undefined) return Promise.reject(new Error('the user has credentials'));
    this.#kept.push({
      credentials: { ...credentials, passwordHistory: credentials.passwordHistory.slice(0, HISTORY) },
      emailDigest,
    });
    return Promise.resolve(true);
  }

  release(tenantId: string, userId: string): Promise<void> {
    if (this.#find(tenantId, userId)?.credentials.status === 'PENDING') this.#remove(tenantId, userId);
    return Promise.resolve();
  }

  byEmail(tenantId: string, emailDigest: string): Promise<Credentials | undefined> {
    const found = this.#kept.find((one) => one.emailDigest === emailDigest && one.credentials.tenantId === tenantId);
    return Promise.resolve(found?.credentials);
  }

  byUser(tenantId: string, userId: string): Promise<Credentials | undefined> {
    return Promise.resolve(this.#find(tenantId, userId)?.credentials);
  }

  emailDigestOf(tenantId: string, userId: string): Promise<string | undefined> {
    return Promise.resolve(this.#find(tenantId, userId)?.emailDigest);
  }

  setStanding(
    tenantId: string,
    userId: string,
    standing: { status: 'ACTIVE' | 'INACTIVE'; roles?: readonly Role[]; agent?: string | null },
  ): Promise<boolean> {
    const found = this.#find(tenantId, userId);
    if (found === undefined) return Promise.resolve(false);
    found.credentials = { ...found.credentials, ...standing };
    return Promise.resolve(true);
  }

  setPassword(tenantId: string, userId: string, hash: string, setAt: string): Promise<void> {
    const found = this.#find(tenantId, userId);
    if (found !== undefined) {
      const { passwordHash, passwordHistory } = found.credentials;
      const history = passwordHash === null ? passwordHistory : [passwordHash, ...passwordHistory].slice(0, HISTORY);
      found.credentials = {
        ...found.credentials,
        passwordHash: hash,
        passwordSetAt: setAt,
        passwordHistory: history,
      };
    }
    return Promise.resolve();
  }

  rehash(tenantId: string, userId: string, from: string, to: string): Promise<void> {
    const found = this.#find(tenantId, userId);
    if (found?.credentials.passwordHash === from) found.credentials = { ...found.credentials, passwordHash: to };
    return Promise.resolve();
  }

  delete(tenantId: string, userId: string): Promise<void> {
    this.#remove(tenantId, userId);
    return Promise.resolve();
  }

  #find(tenantId: string, userId: string): { credentials: Credentials; emailDigest: string } | undefined {
    return this.#kept.find(({ credentials: { tenantId: tenant, user } }) => tenant === tenantId && user.id === userId);
  }

  #remove(tenantId: string, userId: string): void {
    const at = this.#kept.findIndex(
      ({ credentials: { tenantId: tenant, user } }) => tenant === tenantId && user.id === userId,
    );
    if (at >= 0) this.#kept.splice(at, 1);
  }
}
