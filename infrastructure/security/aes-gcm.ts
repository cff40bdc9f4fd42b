import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SealBroken } from '../../application/ports/key-vault.js';

export const KEY_BYTES = 32;
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM with a random IV: version byte, IV, ciphertext, tag. `context` is authenticated and not stored; its
 * parts are told apart whatever they contain.
 */
export function sealAes(key: Buffer, context: readonly string[], plain: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(additional(context));
  return Buffer.concat([Buffer.of(VERSION), iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `SealBroken` for anything but what `sealAes` made with this key in this context. */
export function openAes(key: Buffer, context: readonly string[], sealed: Buffer): Buffer {
  if (sealed.length < 1 + IV_BYTES + TAG_BYTES || sealed[0] !== VERSION) throw new SealBroken('not a sealed value');
  const iv = sealed.subarray(1, 1 + IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(additional(context));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(1 + IV_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch (cause) {
    throw new SealBroken('sealed with another key, for another purpose, or changed', { cause });
  }
}

function additional(context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(context), 'utf8');
}
