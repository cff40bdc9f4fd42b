import type { Role } from '../../domain/shared/decider.js';

/**
 * Where the hashes of API tokens are kept, beside the log (architecture.md §6). The log says that a token was issued,
 * rotated, disabled or deleted; this says which secret opens it. Adapters: postgres and memory, one contract suite.
 */
export interface StoredToken {
  readonly tokenId: string;
  readonly tenantId: string;
  readonly name: string;
  /** The recognisable beginning of the token and a few letters more, for lists: `fct_test_4f1c…`. */
  readonly prefix: string;
  readonly roles: readonly Role[];
  /** For CUSTOMER tokens: whose accounts. */
  readonly customerId: string | null;
  /** For those who work for an agent: whose customers. */
  readonly agentId: string | null;
  /** Addresses and CIDR blocks it may be used from; empty: any. */
  readonly ipAllowList: readonly string[];
  /** Subject of who issued it. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly status: 'ACTIVE' | 'DISABLED' | 'DELETED';
  /** Written at most once a minute. */
  readonly lastUsedAt: string | null;
  /** Until when the secret before the last rotation is still good; null: it is not. */
  readonly previousGraceUntil: string | null;
  /** Id of the event of the last rotation; null: never rotated. */
  readonly rotation: string | null;
}

/** A token found by the hash of what was presented. */
export interface FoundToken {
  readonly token: StoredToken;
  /** The secret from before the last rotation was presented: good until `previousGraceUntil`. */
  readonly isPrevious: boolean;
}

export interface TokenFilter {
  /** Only tokens issued by this subject. */
  readonly createdBy?: string;
}

export interface TokenStore {
  /** Stores a new token with the keyed hash (hex) of its secret. */
  insert(token: StoredToken, hash: string): Promise<void>;
  /** By the keyed hash of the present or the previous secret, whatever its status: the caller decides. */
  findByHash(hash: string): Promise<FoundToken | undefined>;
  get(tenantId: string, tokenId: string): Promise<StoredToken | undefined>;
  /** Newest first, without the deleted ones. */
  list(
    tenantId: string,
    filter: TokenFilter,
    page: { page: number; size: number },
  ): Promise<{ items: readonly StoredToken[]; totalElements: number }>;
  /**
   * Puts a new hash in place of the present one, which stays good until `graceUntil`. False when this rotation or a
   * later one (event ids ascend) was done before, or the token is not active.
   */
  rotate(tenantId: string, tokenId: string, change: TokenRotation): Promise<boolean>;
  /** DELETED also forgets the hashes. */
  setStatus(tenantId: string, tokenId: string, status: 'DISABLED' | 'DELETED'): Promise<void>;
  /** Deletes every token that speaks for a customer; answers their ids. */
  deleteAllOfCustomer(tenantId: string, customerId: string): Promise<readonly string[]>;
  touch(tenantId: string, tokenId: string, usedAt: string): Promise<void>;
}

export interface TokenRotation {
  readonly hash: string;
  readonly prefix: string;
  readonly graceUntil: string;
  /** Id of the event that stands for this rotation in the log. */
  readonly rotation: string;
}

/** Makes and hashes secrets. Randomness and the server's key live in infrastructure. */
export interface TokenSecrets {
  /** A new token text, `fct_test_…` or `fct_live_…`. */
  create(): string;
  /** HMAC-SHA-256 (hex) of a token under the server's key; undefined when the text cannot be a token of ours. */
  hash(token: string): string | undefined;
}
