import type { Pool } from '../infrastructure/postgres/pool.js';
import { AccessTokens } from '../application/access/access-tokens.js';
import type { Identity } from '../application/access/identity.js';
import { PreferenceReader } from '../application/access/preference-reader.js';
import { TenantKeys } from '../application/access/tenant-keys.js';
import { TokenVerifier } from '../application/access/token-verifier.js';
import type { CommandBus } from '../application/commands.js';
import type { Clock, IdSource } from '../application/ports/clock.js';
import type { ErasureRegister } from '../application/ports/erasure-register.js';
import type { KeyVault, MasterSeal } from '../application/ports/key-vault.js';
import type { ReadModels } from '../application/ports/read-models.js';
import type { TokenSecrets, TokenStore } from '../application/ports/token-store.js';
import { PostgresAttemptCounter } from '../infrastructure/postgres/attempt-counter.js';
import { PostgresCredentialStore } from '../infrastructure/postgres/credential-store.js';
import { PostgresDeviceStore } from '../infrastructure/postgres/device-store.js';
import { PostgresFileStore } from '../infrastructure/postgres/file-store.js';
import { PostgresOneTimePasswordStore } from '../infrastructure/postgres/one-time-passwords.js';
import { PostgresReplayGuard } from '../infrastructure/postgres/replay-guard.js';
import { PostgresSessionStore } from '../infrastructure/postgres/session-store.js';
import { PostgresTenantKeyStore } from '../infrastructure/postgres/tenant-key-store.js';
import { Argon2Hasher } from '../infrastructure/security/argon2-hasher.js';
import { NodeKeyPairMaker } from '../infrastructure/security/key-pairs.js';

/** All of identity but mail, which needs the job queues. */
export type IdentityCore = Omit<Identity, 'mail' | 'outbox'>;

/** Puts identity together on PostgreSQL. */
export function createIdentity(ports: {
  readonly bus: CommandBus;
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly pool: Pool;
  readonly master: MasterSeal;
  readonly vault: KeyVault;
  readonly erasures: ErasureRegister;
  readonly tokenStore: TokenStore;
  readonly tokenSecrets: TokenSecrets;
  readonly issuer: string;
  readonly sandbox: boolean;
}): IdentityCore {
  const { bus, readModels, clock, ids, pool, master, vault, erasures, tokenStore, issuer, sandbox } = ports;
  const store = new PostgresTenantKeyStore(pool, master);
  const keys = new TenantKeys({ store, maker: new NodeKeyPairMaker(), bus, clock, ids });
  const accessTokens = new AccessTokens({ keys, clock, ids, issuer });
  const sessions = new PostgresSessionStore(pool);
  const credentials = new PostgresCredentialStore(pool);
  return {
    ...{
      bus,
      readModels,
      clock,
      ids,
      master,
      vault,
      erasures,
      keys,
      accessTokens,
      sessions,
      credentials,
      tokenStore,
      sandbox,
    },
    files: new PostgresFileStore(pool, vault),
    otps: new PostgresOneTimePasswordStore(pool),
    attempts: new PostgresAttemptCounter(pool),
    devices: new PostgresDeviceStore(pool),
    replays: new PostgresReplayGuard(pool),
    hasher: new Argon2Hasher(),
    preferences: new PreferenceReader(readModels, clock),
    tokenVerifier: new TokenVerifier(tokenStore, ports.tokenSecrets, clock, { accessTokens, sessions, credentials }),
  };
}
