import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair, KeyPairMaker } from '../../application/ports/tenant-keys.js';
import { NodeKeyPairMaker } from '../../infrastructure/security/key-pairs.js';
import { repositoryRoot } from './repository.js';

interface PairText {
  readonly publicSpki: string;
  readonly privatePkcs8: string;
}
const file = JSON.parse(readFileSync(join(repositoryRoot, 'tests/support/test-keys.json'), 'utf8')) as Record<
  'rsa2048' | 'rsa3072' | 'ec',
  readonly PairText[]
>;
const pairOf = ({ publicSpki, privatePkcs8 }: PairText): KeyPair => ({
  publicSpki: Buffer.from(publicSpki, 'base64'),
  privatePkcs8: Buffer.from(privatePkcs8, 'base64'),
});

/** Key pairs of the tests, committed with them: they protect nothing. */
export const TEST_KEYS = {
  rsa2048: file.rsa2048.map(pairOf),
  rsa3072: file.rsa3072.map(pairOf),
  ec: file.ec.map(pairOf),
} as const;

/** Hands out the committed pairs one after another (making one takes up to a second); after the last it makes them. */
export class TestKeyPairMaker implements KeyPairMaker {
  readonly #left = { 2048: [...TEST_KEYS.rsa2048], 3072: [...TEST_KEYS.rsa3072], 4096: [], ec: [...TEST_KEYS.ec] };
  readonly #maker = new NodeKeyPairMaker();

  rsa(bits: 2048 | 3072 | 4096): Promise<KeyPair> {
    const next = this.#left[bits].shift();
    return next === undefined ? this.#maker.rsa(bits) : Promise.resolve(next);
  }

  ec(): Promise<KeyPair> {
    const next = this.#left.ec.shift();
    return next === undefined ? this.#maker.ec() : Promise.resolve(next);
  }
}
