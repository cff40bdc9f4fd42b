import type { MasterSeal } from '../ports/key-vault.js';
import type { AttemptCounter } from '../ports/one-time-passwords.js';
import type { PreferenceReader } from './preference-reader.js';
import type { TenantKeys } from './tenant-keys.js';

export interface SecretReaderPorts {
  readonly keys: TenantKeys;
  readonly preferences: PreferenceReader;
  readonly master: MasterSeal;
  readonly attempts: AttemptCounter;
  readonly sandbox: boolean;
}

export type SecretReading =
  | { readonly status: 'read'; readonly secret: string }
  /** One answer for every failure. */
  | { readonly status: 'undecryptable' }
  | { readonly status: 'plaintext-not-allowed' };

/**
 * A secret of a request body (password, PIN, security answer): RSA-OAEP ciphertext, JWE, or plain text where the tenant
 * allows it (platform.md 7.2). `encrypted`: what the request says of itself (`payloadEncrypted`); undefined: the shape
 * of the value decides. `keyId`: header X-Encryption-Key-Id.
 */
export function readSecret(
  _ports: SecretReaderPorts,
  _tenantId: string,
  _field: string,
  _value: string,
  _options: { readonly encrypted?: boolean; readonly keyId?: string },
): Promise<SecretReading> {
  throw new Error('not built yet');
}
