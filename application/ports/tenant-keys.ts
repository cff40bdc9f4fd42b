import type { KeyUse } from '../../domain/tenant/events.js';

/**
 * Key pairs of a tenant. JWT: signs access tokens. PAYLOAD: clients encrypt secrets in bodies with its public half.
 * WEBHOOK: the tenant's own public key, uploaded; we have no private half. Private halves are sealed under the master
 * key and never leave the store but to the code that uses them. Adapters: postgres, memory; one contract suite.
 */
export interface TenantKey {
  readonly tenantId: string;
  /** Key id: the RFC 7638 thumbprint of the public key, so that a key has one name everywhere. */
  readonly kid: string;
  readonly use: KeyUse;
  readonly algorithm: KeyAlgorithm;
  /** ACTIVE: used for what is new. RETIRING: still accepted until `retiresAt`. RETIRED: refused. */
  readonly status: 'ACTIVE' | 'RETIRING' | 'RETIRED';
  readonly createdAt: string;
  readonly retiresAt: string | null;
  /** Base64 of the DER SubjectPublicKeyInfo. */
  readonly publicSpki: string;
}

export const KEY_ALGORITHMS = ['RS256', 'RSA-OAEP-256', 'ECDH-ES+A256KW'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export type NewTenantKey = Omit<TenantKey, 'status' | 'retiresAt'>;

/**
 * A key is added first, then the log states it, then it is activated: which of two keys made at the same moment counts
 * is for the log to say, and what a crash leaves in between can be carried out later.
 */
export interface TenantKeyStore {
  /**
   * Newest first, at most `MAX_TENANT_KEYS`, without those that were never activated. `status` is as stored: whether a
   * RETIRING key is past its time is the caller's to see.
   */
  list(tenantId: string, use?: KeyUse): Promise<readonly TenantKey[]>;
  /** PKCS#8 DER of the private half; undefined for uploaded, retired and unknown keys. */
  privateKey(tenantId: string, kid: string): Promise<Buffer | undefined>;
  /** Keeps a key that is not used yet. False when the tenant has used this very key before. */
  add(key: NewTenantKey, privatePkcs8: Buffer | undefined): Promise<boolean>;
  /** Takes away a key that was added and never activated. */
  discard(tenantId: string, kid: string): Promise<void>;
  /**
   * Makes a key that was added the ACTIVE one of its use and algorithm, atomically: the one that was becomes RETIRING
   * until `previousUntil`. One that was activated before stays as it is. Answers the key; undefined: there is none.
   * Private halves of keys that are past their time at `nowIso` are destroyed.
   */
  activate(tenantId: string, kid: string, previousUntil: string, nowIso: string): Promise<TenantKey | undefined>;
}

export const MAX_TENANT_KEYS = 1_000;

export interface KeyPair {
  readonly publicSpki: Buffer;
  readonly privatePkcs8: Buffer;
}

/** Makes key pairs: slow, off the event loop. */
export interface KeyPairMaker {
  rsa(bits: 2048 | 3072 | 4096): Promise<KeyPair>;
  /** On curve P-256. */
  ec(): Promise<KeyPair>;
}
