import type {
  FoundToken,
  StoredToken,
  TokenFilter,
  TokenRotation,
  TokenStore,
} from '../../application/ports/token-store.js';

interface Kept {
  token: StoredToken;
  hash: string | undefined;
  previousHash: string | undefined;
}

/** API tokens in memory, for tests and simulation. */
export class MemoryTokenStore implements TokenStore {
  readonly #tokens: Kept[] = [];

  insert(token: StoredToken, hash: string): Promise<void> {
    if (this.#tokens.some((kept) => kept.hash === hash || kept.token.tokenId === token.tokenId)) {
      return Promise.reject(new Error('there is such a token'));
    }
    this.#tokens.push({ token, hash, previousHash: undefined });
    return Promise.resolve();
  }

  findByHash(hash: string): Promise<FoundToken | undefined> {
    const present = this.#tokens.find((kept) => kept.hash === hash);
    if (present !== undefined) return Promise.resolve({ token: present.token, isPrevious: false });
    const previous = this.#tokens.find((kept) => kept.previousHash === hash);
    return Promise.resolve(previous === undefined ? undefined : { token: previous.token, isPrevious: true });
  }

  get(tenantId: string, tokenId: string): Promise<StoredToken | undefined> {
    return Promise.resolve(this.#find(tenantId, tokenId)?.token);
  }

  list(
    tenantId: string,
    filter: TokenFilter,
    page: { page: number; size: number },
  ): Promise<{ items: readonly StoredToken[]; totalElements: number }> {
    const all = this.#tokens
      .map((kept) => kept.token)
      .filter((token) => token.tenantId === tenantId && token.status !== 'DELETED')
      .filter((token) => filter.createdBy === undefined || token.createdBy === filter.createdBy)
      .sort((a, b) =>
        a.createdAt === b.createdAt ? (a.tokenId < b.tokenId ? -1 : 1) : a.createdAt < b.createdAt ? 1 : -1,
      );
    const from = (page.page - 1) * page.size;
    return Promise.resolve({ items: all.slice(from, from + page.size), totalElements: all.length });
  }

  rotate(tenantId: string, tokenId: string, change: TokenRotation): Promise<boolean> {
    const kept = this.#find(tenantId, tokenId);
    if (kept === undefined || kept.token.status !== 'ACTIVE' || (kept.token.rotation ?? '') >= change.rotation) {
      return Promise.resolve(false);
    }
    const { hash, prefix, graceUntil, rotation } = change;
    kept.previousHash = kept.hash;
    kept.hash = hash;
    kept.token = { ...kept.token, prefix, previousGraceUntil: graceUntil, rotation };
    return Promise.resolve(true);
  }

  setStatus(tenantId: string, tokenId: string, status: 'DISABLED' | 'DELETED'): Promise<void> {
    const kept = this.#find(tenantId, tokenId);
    if (kept !== undefined && kept.token.status !== 'DELETED') {
      if (status === 'DELETED') kept.hash = undefined;
      kept.previousHash = undefined;
      kept.token = { ...kept.token, status, previousGraceUntil: null };
    }
    return Promise.resolve();
  }

  async deleteAllOfCustomer(tenantId: string, customerId: string): Promise<readonly string[]> {
    const ids = this.#tokens
      .filter(({ token }) => token.tenantId === tenantId && token.customerId === customerId)
      .filter(({ token }) => token.status !== 'DELETED')
      .map(({ token }) => token.tokenId);
    for (const id of ids) await this.setStatus(tenantId, id, 'DELETED');
    return ids;
  }

  touch(tenantId: string, tokenId: string, usedAt: string): Promise<void> {
    const kept = this.#find(tenantId, tokenId);
    if (kept !== undefined && (kept.token.lastUsedAt ?? '') < usedAt)
      kept.token = { ...kept.token, lastUsedAt: usedAt };
    return Promise.resolve();
  }

  #find(tenantId: string, tokenId: string): Kept | undefined {
    return this.#tokens.find((kept) => kept.token.tenantId === tenantId && kept.token.tokenId === tokenId);
  }
}
