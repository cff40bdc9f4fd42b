import type { Role } from '../../domain/shared/decider.js';
import type { UserReference } from '../../domain/access/user-events.js';

/**
 * Who may log in with which e-mail address and password (architecture.md §6: beside the log). Addresses are stored as
 * keyed digests only. `status`, `roles`, `agent` mirror the log so that a log-in is one look-up; use cases write the log
 * first, then here, and the identity reactor (application/reactors/identity.ts) repairs what a crash left in between.
 * Adapters: postgres, memory; one contract suite.
 */
export interface Credentials {
  readonly tenantId: string;
  readonly user: UserReference;
  /** PENDING: reserved before the log knows the user. */
  readonly status: 'PENDING' | 'ACTIVE' | 'INACTIVE';
  readonly roles: readonly Role[];
  readonly agent: string | null;
  /** Argon2id, PHC text; null: none set yet (an employee who has not followed his link). */
  readonly passwordHash: string | null;
  readonly passwordSetAt: string | null;
  /** Earlier hashes, newest first, as many as the policy may ask for (24). */
  readonly passwordHistory: readonly string[];
  readonly createdAt: string;
}

export interface CredentialStore {
  /**
   * Reserves an address for a new user. False when somebody has it; a reservation that is still PENDING after
   * `PENDING_SECONDS` is nobody's any more.
   */
  reserve(credentials: Credentials, emailDigest: string): Promise<boolean>;
  /** Gives up a reservation that is still PENDING. */
  release(tenantId: string, userId: string): Promise<void>;
  byEmail(tenantId: string, emailDigest: string): Promise<Credentials | undefined>;
  byUser(tenantId: string, userId: string): Promise<Credentials | undefined>;
  /** Digest of the address he logs in with. */
  emailDigestOf(tenantId: string, userId: string): Promise<string | undefined>;
  /** What the log says of him. False when there are no such credentials. */
  setStanding(
    tenantId: string,
    userId: string,
    standing: {
      readonly status: 'ACTIVE' | 'INACTIVE';
      readonly roles?: readonly Role[];
      readonly agent?: string | null;
    },
  ): Promise<boolean>;
  /** The present hash moves to the head of the history. */
  setPassword(tenantId: string, userId: string, hash: string, setAt: string): Promise<void>;
  /** The same password hashed anew: history and age stay. Nothing happens when `from` is not the present hash. */
  rehash(tenantId: string, userId: string, from: string, to: string): Promise<void>;
  /** Forgets everything of the user: the address is free again. */
  delete(tenantId: string, userId: string): Promise<void>;
}

export const PENDING_SECONDS = 60;
