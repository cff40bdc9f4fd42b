import type { Json } from '../../domain/shared/event.js';
import type { SealedPerson } from '../../domain/shared/person.js';

/**
 * Keys of data subjects: what is sealed for a person can be opened until the person's key is destroyed (crypto-
 * shredding). AES-256-GCM with a random key per subject, wrapped by the installation's master key; tenant, subject and
 * purpose are authenticated, so that a sealed text opens nowhere else. Adapters: postgres, memory; one contract suite.
 */
export interface KeyVault {
  /** Seals for a subject, whose key is made if there is none. Throws `SubjectErased` when it was destroyed. */
  seal(tenantId: string, subject: string, plain: Json): Promise<SealedPerson>;
  /**
   * In the same order; undefined where the subject's key was destroyed. Keys are remembered for a short time (at most
   * five seconds after another process destroyed them). Throws `SealBroken` for what was never sealed so.
   */
  open(
    items: ReadonlyArray<{ readonly tenantId: string; readonly person: SealedPerson }>,
  ): Promise<Array<Json | undefined>>;
  /** Bytes (files) sealed for a subject. */
  sealBytes(tenantId: string, subject: string, plain: Buffer): Promise<Buffer>;
  /** Undefined where the key was destroyed. */
  openBytes(tenantId: string, subject: string, sealed: Buffer): Promise<Buffer | undefined>;
  /** Destroys the subject's key for good. Done again, or for an unknown subject, it leaves a mark that none may be made. */
  destroy(tenantId: string, subject: string): Promise<void>;
}

export class SubjectErased extends Error {
  override readonly name = 'SubjectErased';
}
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** Seals what belongs to the installation, not to a person (private keys, mails under way), under the master key. */
export interface MasterSeal {
  /** `purpose` is authenticated: what was sealed for one opens for no other. */
  seal(purpose: string, plain: Buffer): Buffer;
  /** Throws `SealBroken`. */
  open(purpose: string, sealed: Buffer): Buffer;
  /** HMAC-SHA-256 (hex) under a key derived for this purpose: for look-ups of what must not be stored in clear. */
  digest(purpose: string, text: string): string;
}
