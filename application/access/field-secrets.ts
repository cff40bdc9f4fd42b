import type { TenantKey } from '../ports/tenant-keys.js';
import { decryptOaep } from './oaep.js';
import type { PreferenceReader } from './preference-reader.js';
import { type SealedSecretPorts, looksLikeJwe, openSealedSecret } from './sealed-secrets.js';

export interface SecretReaderPorts extends SealedSecretPorts {
  readonly preferences: PreferenceReader;
  readonly sandbox: boolean;
}

export type SecretReading =
  /** `key`: what it was encrypted for; undefined: it came as plain text. */
  | { readonly status: 'read'; readonly secret: string; readonly key: TenantKey | undefined }
  /** One answer for every failure. */
  | { readonly status: 'undecryptable' }
  | { readonly status: 'plaintext-not-allowed' };

export interface SecretOptions {
  /** What the request says of itself (`payloadEncrypted`); undefined: the shape of the value decides. */
  readonly encrypted?: boolean | undefined;
  /** Header X-Encryption-Key-Id: this key and no other. */
  readonly keyId?: string | undefined;
  /** What a sealed secret may be used for again: the retry of a request with the same idempotency key. */
  readonly use?: string | undefined;
}

const UNDECRYPTABLE = { status: 'undecryptable' } as const;
/** Ciphertexts are as long as the modulus. Of every size we ever made keys of, also where none is accepted any more. */
const CIPHERTEXT_BYTES: ReadonlySet<number> = new Set([256, 384, 512]);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const MAX_BASE64 = 684;

/**
 * A secret of a request body (password, PIN, security answer): RSA-OAEP ciphertext, JWE, or plain text where the tenant
 * allows it (platform.md 7.2). `field` is the member's name as the request spells it.
 */
export async function readSecret(
  ports: SecretReaderPorts,
  tenantId: string,
  field: string,
  value: string,
  { encrypted, keyId, use }: SecretOptions,
): Promise<SecretReading> {
  if (encrypted !== false) {
    if (looksLikeJwe(value)) {
      const opened = await openSealedSecret(ports, { tenantId, field, use }, value);
      const isNamed = keyId === undefined || keyId === opened?.key.kid;
      return opened === undefined || !isNamed ? UNDECRYPTABLE : readingOf(opened.plain, opened.key);
    }
    const ciphertext = ciphertextOf(value);
    if (ciphertext !== undefined) return await decrypted(ports, tenantId, ciphertext, keyId);
    if (encrypted === true) return UNDECRYPTABLE;
  }
  const { ALLOW_PLAINTEXT_SECRETS: allowed } = await ports.preferences.of(tenantId);
  const mayBePlain = allowed === 'YES' || (allowed === 'BY_ENVIRONMENT' && ports.sandbox);
  return mayBePlain ? { status: 'read', secret: value, key: undefined } : { status: 'plaintext-not-allowed' };
}

/** With the current key, then with retiring ones. */
async function decrypted(
  { keys }: SecretReaderPorts,
  tenantId: string,
  ciphertext: Buffer,
  keyId: string | undefined,
): Promise<SecretReading> {
  if (keyId !== undefined) await keys.acceptedKey(tenantId, 'PAYLOAD', keyId);
  const accepted = (await keys.accepted(tenantId, 'PAYLOAD')).filter(
    ({ algorithm, kid }) => algorithm === 'RSA-OAEP-256' && (keyId === undefined || kid === keyId),
  );
  for (const key of accepted) {
    const privateKey = await keys.privateKey(key);
    const plain = privateKey === undefined ? undefined : decryptOaep(privateKey, ciphertext);
    if (plain !== undefined) return readingOf(plain, key);
  }
  return UNDECRYPTABLE;
}

function readingOf(plain: Uint8Array, key: TenantKey): SecretReading {
  try {
    return { status: 'read', secret: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain), key };
  } catch {
    return UNDECRYPTABLE;
  }
}

/** The bytes of a value that has the shape of a ciphertext. */
function ciphertextOf(value: string): Buffer | undefined {
  if (value.length > MAX_BASE64 || !BASE64.test(value)) return undefined;
  const bytes = Buffer.from(value, 'base64');
  return CIPHERTEXT_BYTES.has(bytes.length) ? bytes : undefined;
}
