import type { KeyUse } from '../../domain/tenant/events.js';

/**
 * Key pairs of a tenant. JWT: signs access tokens. PAYLOAD: clients encrypt secrets in bodies with its public half.
 * WEBHOOK: the tenant's own public key, uploaded; we have no private half. Private halves are sealed under the master
 * key and never leave the store but to the code that uses them. Adapters: postgres, memory.
 */
export interface TenantKey {
  readonly tenantId: string;
  /** Key id: the RFC 7638 thumbprint of the public key, so that a key has one name everywhere. */
  readonly kid: string;
  readonly use: KeyUse;
  /** `RS256`, `RSA-OAEP-256`, `ECDH-ES+A256KW`. */
  readonly algorithm: string;
  /** ACTIVE: used for what is new. RETIRING: still accepted until `retiresAt`. RETIRED: refused. */
  readonly status: 'ACTIVE' | 'RETIRING' | 'RETIRED';
  readonly createdAt: string;
  readonly retiresAt: string | null;
  /** Base64 of the DER SubjectPublicKeyInfo. */
  readonly publicSpki: string;
}

export interface TenantKeyStore {
  /** Newest first. `status` is as stored: whether a RETIRING key is past its time is the caller's to see. */
  list(tenantId: string, use?: KeyUse): Promise<readonly TenantKey[]>;
  /** PKCS#8 DER of the private half; undefined for uploaded and unknown keys. */
  privateKey(tenantId: string, kid: string): Promise<Buffer | undefined>;
  /**
   * Makes `key` the ACTIVE one of its use; the one that was becomes RETIRING until `previousUntil`. False when another
   * process has just introduced one (`expectedActive` is not the active one any more): read again.
   */
  introduce(
    key: TenantKey,
    privatePkcs8: Buffer | undefined,
    expectedActive: string | undefined,
    previousUntil: string,
  ): Promise<boolean>;
}

/** Makes key pairs: slow, off the event loop. */
export interface KeyPairMaker {
  rsa(bits: 2048 | 3072 | 4096): Promise<{ readonly publicSpki: Buffer; readonly privatePkcs8: Buffer }>;
}
