import type { CommandBus } from '../commands.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type { CredentialStore } from '../ports/credentials.js';
import type { DeviceStore } from '../ports/devices.js';
import type { ErasureRegister } from '../ports/erasure-register.js';
import type { FileStore } from '../ports/file-store.js';
import type { KeyVault, MasterSeal } from '../ports/key-vault.js';
import type { MailQueue, Outbox } from '../ports/mailer.js';
import type { AttemptCounter, OneTimePasswordStore } from '../ports/one-time-passwords.js';
import type { PasswordHasher } from '../ports/password-hasher.js';
import type { ReadModels } from '../ports/read-models.js';
import type { ReplayGuard } from '../ports/replay-guard.js';
import type { SessionStore } from '../ports/sessions.js';
import type { TokenStore } from '../ports/token-store.js';
import type { AccessTokens } from './access-tokens.js';
import type { PreferenceReader } from './preference-reader.js';
import type { TenantKeys } from './tenant-keys.js';
import type { TokenVerifier } from './token-verifier.js';

/** What the use cases of log-in, people and keys need. Put together in main, and by the tests with memory adapters. */
export interface Identity {
  readonly bus: CommandBus;
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly vault: KeyVault;
  readonly master: MasterSeal;
  readonly erasures: ErasureRegister;
  readonly files: FileStore;
  readonly credentials: CredentialStore;
  readonly sessions: SessionStore;
  readonly otps: OneTimePasswordStore;
  readonly attempts: AttemptCounter;
  readonly devices: DeviceStore;
  readonly hasher: PasswordHasher;
  readonly replays: ReplayGuard;
  readonly mail: MailQueue;
  /** In the sandbox only: where its mail can be read. */
  readonly outbox: Outbox | undefined;
  readonly preferences: PreferenceReader;
  readonly keys: TenantKeys;
  readonly accessTokens: AccessTokens;
  readonly tokenVerifier: TokenVerifier;
  readonly tokenStore: TokenStore;
  /** Demo tenants and magic values are allowed. */
  readonly sandbox: boolean;
}

/** Keyed digest of an e-mail address in a tenant: how credentials, OTPs and attempts are found. */
export function emailDigestOf(master: MasterSeal, tenantId: string, email: string): string {
  return master.digest('email', `${tenantId} ${email.trim().toLowerCase()}`);
}
