import { AccessTokens } from '../../application/access/access-tokens.js';
import type { Identity } from '../../application/access/identity.js';
import { PreferenceReader } from '../../application/access/preference-reader.js';
import { TenantKeys } from '../../application/access/tenant-keys.js';
import { TokenVerifier } from '../../application/access/token-verifier.js';
import type { CommandBus } from '../../application/commands.js';
import type { Clock, IdSource } from '../../application/ports/clock.js';
import type { KeyVault, MasterSeal } from '../../application/ports/key-vault.js';
import type { PasswordHasher } from '../../application/ports/password-hasher.js';
import type { ReadModels } from '../../application/ports/read-models.js';
import type { TokenSecrets, TokenStore } from '../../application/ports/token-store.js';
import { MemoryAttemptCounter } from '../../infrastructure/memory/attempt-counter.js';
import { MemoryCredentialStore } from '../../infrastructure/memory/credential-store.js';
import { MemoryDeviceStore } from '../../infrastructure/memory/device-store.js';
import { MemoryErasureRegister } from '../../infrastructure/memory/erasure-register.js';
import { MemoryFileStore } from '../../infrastructure/memory/file-store.js';
import { MemoryKeyVault } from '../../infrastructure/memory/key-vault.js';
import { MemoryOneTimePasswordStore } from '../../infrastructure/memory/one-time-passwords.js';
import { MemoryOutbox } from '../../infrastructure/memory/outbox.js';
import { MemoryReplayGuard } from '../../infrastructure/memory/replay-guard.js';
import { MemorySessionStore } from '../../infrastructure/memory/session-store.js';
import { MemoryTenantKeyStore } from '../../infrastructure/memory/tenant-key-store.js';
import { Argon2Hasher } from '../../infrastructure/security/argon2-hasher.js';
import { HkdfMasterSeal } from '../../infrastructure/security/master-seal.js';
import { TestKeyPairMaker } from './test-keys.js';

/** Real Argon2id, as cheap as it goes: what is slow on purpose is not what most tests are about. */
const CHEAP = { memoryKiB: 64, passes: 1, lanes: 1 };

/** The installation's secret seal of the tests. */
export function testSeal(): MasterSeal {
  return new HkdfMasterSeal(Buffer.alloc(32, 7));
}

/** Everything of identity on memory adapters; mail arrives in the outbox at once. */
export function memoryIdentity(ports: {
  readonly bus: CommandBus;
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly vault?: KeyVault;
  readonly tokenStore: TokenStore;
  readonly tokenSecrets: TokenSecrets;
  readonly hasher?: PasswordHasher;
  readonly sandbox?: boolean;
}): Identity & { readonly outbox: MemoryOutbox } {
  const { bus, readModels, clock, ids, tokenStore } = ports;
  const master = testSeal();
  const vault = ports.vault ?? new MemoryKeyVault(master, clock);
  const sessions = new MemorySessionStore();
  const credentials = new MemoryCredentialStore();
  const outbox = new MemoryOutbox(clock, ids);
  const keys = new TenantKeys({
    store: new MemoryTenantKeyStore(master),
    maker: new TestKeyPairMaker(),
    bus,
    clock,
    ids,
  });
  const accessTokens = new AccessTokens({ keys, clock, ids, issuer: 'https://corebook.test' });
  return {
    ...{ bus, readModels, clock, ids, vault, master, sessions, keys, accessTokens, outbox, tokenStore, credentials },
    erasures: new MemoryErasureRegister(),
    files: new MemoryFileStore(vault),
    otps: new MemoryOneTimePasswordStore(),
    attempts: new MemoryAttemptCounter(),
    devices: new MemoryDeviceStore(),
    replays: new MemoryReplayGuard(),
    hasher: ports.hasher ?? new Argon2Hasher(CHEAP),
    mail: { enqueue: (mail) => outbox.send(mail), decoy: () => Promise.resolve() },
    preferences: new PreferenceReader(readModels, clock),
    tokenVerifier: new TokenVerifier(tokenStore, ports.tokenSecrets, clock, { accessTokens, sessions, credentials }),
    sandbox: ports.sandbox ?? true,
  };
}
