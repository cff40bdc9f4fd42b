import { createHmac, hkdfSync } from 'node:crypto';
import type { MasterSeal } from '../../application/ports/key-vault.js';
import { KEY_BYTES, openAes, sealAes } from './aes-gcm.js';

const MIN_SECRET_BYTES = 32;
/** Purposes name tenants and people, so there is no end of them; when this many keys are remembered, it starts anew. */
const MAX_REMEMBERED = 1_000;

/**
 * Seals under the installation's master secret: a key of its own for each purpose (HKDF-SHA-256), AES-256-GCM, and the
 * purpose authenticated besides. Whoever has the database alone opens nothing.
 */
export class HkdfMasterSeal implements MasterSeal {
  readonly #secret: Buffer;
  readonly #keys = new Map<string, Buffer>();

  /** At least 32 bytes, from a good source of randomness: keys are derived from it without stretching. */
  constructor(secret: Buffer) {
    if (secret.length < MIN_SECRET_BYTES)
      throw new RangeError(`the master secret has at least ${MIN_SECRET_BYTES} bytes`);
    this.#secret = Buffer.from(secret);
  }

  seal(purpose: string, plain: Buffer): Buffer {
    return sealAes(this.#key('seal', purpose), ['master', purpose], plain);
  }

  open(purpose: string, sealed: Buffer): Buffer {
    return openAes(this.#key('seal', purpose), ['master', purpose], sealed);
  }

  digest(purpose: string, text: string): string {
    return createHmac('sha256', this.#key('digest', purpose)).update(text, 'utf8').digest('hex');
  }

  #key(kind: 'seal' | 'digest', purpose: string): Buffer {
    const name = `${kind}\u0000${purpose}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    // HKDF's info ends at 1,024 bytes in Node; a purpose is an id or two.
    const key = Buffer.from(hkdfSync('sha256', this.#secret, 'corebook master seal v1', name, KEY_BYTES));
    if (this.#keys.size >= MAX_REMEMBERED) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }
}
