import { type ECKeyPairOptions, type RSAKeyPairOptions, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyPair, KeyPairMaker } from '../../application/ports/tenant-keys.js';

const generate = promisify(generateKeyPair);
const encodings = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
} as const;

/** Key pairs by OpenSSL in Node's thread pool, one at a time: a 3072-bit pair costs up to a second of a core. */
export class NodeKeyPairMaker implements KeyPairMaker {
  #last: Promise<unknown> = Promise.resolve();

  rsa(bits: 2048 | 3072 | 4096): Promise<KeyPair> {
    return this.#inTurn(async () => {
      const options: RSAKeyPairOptions<'der', 'der'> = { modulusLength: bits, publicExponent: 0x10001, ...encodings };
      const { publicKey, privateKey } = await generate('rsa', options);
      return { publicSpki: publicKey, privatePkcs8: privateKey };
    });
  }

  ec(): Promise<KeyPair> {
    return this.#inTurn(async () => {
      const options: ECKeyPairOptions<'der', 'der'> = { namedCurve: 'P-256', ...encodings };
      const { publicKey, privateKey } = await generate('ec', options);
      return { publicSpki: publicKey, privatePkcs8: privateKey };
    });
  }

  #inTurn(make: () => Promise<KeyPair>): Promise<KeyPair> {
    const made = this.#last.then(make, make);
    this.#last = made;
    return made;
  }
}
