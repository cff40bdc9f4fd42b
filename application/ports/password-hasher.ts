/** Slow hashing of passwords and PINs. Adapter: Argon2id (infrastructure/security). */
export interface PasswordHasher {
  /** PHC text (`$argon2id$…`). */
  hash(secret: string): Promise<string>;
  /** False for a wrong secret and for a hash that cannot be read. */
  verify(hash: string, secret: string): Promise<boolean>;
  /** The hash of a secret nobody knows: verified against where there is no user, so that it takes as long. */
  readonly decoy: string;
  /** Whether the hash was made with weaker parameters than today's: hash anew at the next log-in. */
  isOutdated(hash: string): boolean;
}
