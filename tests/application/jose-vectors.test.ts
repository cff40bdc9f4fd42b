/**
 * The vectors of RFC 7515, 7520 and 8037 in tests/reference/webhooks.json against the library that signs and encrypts for
 * us; and none of them, good as they are, is taken for a token or a secret of ours.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CompactSign,
  type FlattenedJWSInput,
  type GeneralJWSInput,
  type JWK,
  compactDecrypt,
  compactVerify,
  decodeProtectedHeader,
  flattenedDecrypt,
  flattenedVerify,
  generalVerify,
  importJWK,
} from 'jose';
import t, { type Test } from 'tap';
import { AccessTokens } from '../../application/access/access-tokens.js';
import { openSealedSecret } from '../../application/access/sealed-secrets.js';
import { TenantKeys } from '../../application/access/tenant-keys.js';
import type { TenantKey, TenantKeyStore } from '../../application/ports/tenant-keys.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryReplayGuard } from '../../infrastructure/memory/replay-guard.js';
import { systemClock as clock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { testSeal } from '../support/identity.js';
import { repositoryRoot } from '../support/repository.js';
import { TestKeyPairMaker } from '../support/test-keys.js';

interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly inputs: {
    readonly jwk?: JWK;
    readonly protected_b64?: string;
    readonly payload_b64?: string;
    readonly payload?: string;
    readonly plaintext?: string;
    readonly reproducible?: boolean;
    readonly key?: JWK | readonly JWK[];
  };
  readonly expected?: {
    readonly signature?: string;
    readonly compact?: string;
    readonly json?: GeneralJWSInput;
    readonly json_flat?: FlattenedJWSInput;
  };
}

const { cases } = JSON.parse(readFileSync(join(repositoryRoot, 'tests/reference/webhooks.json'), 'utf8')) as {
  cases: readonly Vector[];
};
const vectors = cases.filter(({ kind }) => kind === 'jws' || kind === 'jwe');

/** Those that do not apply, and why. Everything else must pass. */
const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'RFC7520-6.nesting_signatures_and_encryption': 'the file has no data for it',
  'RFC7520-jwe-5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2':
    'RSA1_5 is open to padding oracles: jose does not have it, nor do we want it',
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'key_ops'];
const publicHalf = (jwk: JWK): JWK =>
  jwk.kty === 'oct' ? jwk : Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE.includes(name)));
const keysOf = ({ inputs: { key } }: Vector): readonly JWK[] =>
  key === undefined ? [] : Array.isArray(key) ? (key as readonly JWK[]) : [key as JWK];
const algOf = (encoded: string | undefined): string | undefined =>
  encoded === undefined
    ? undefined
    : (JSON.parse(Buffer.from(encoded, 'base64url').toString()) as { alg?: string }).alg;

async function checkSignatures(t: Test, vector: Vector): Promise<void> {
  const { inputs, expected = {} } = vector;
  if (inputs.jwk !== undefined) {
    const compact = `${inputs.protected_b64 ?? ''}.${inputs.payload_b64 ?? ''}.${expected.signature ?? ''}`;
    await t.resolves(compactVerify(compact, await importJWK(inputs.jwk, 'HS256')));
    return;
  }
  const [first] = keysOf(vector);
  if (expected.compact !== undefined && first !== undefined) {
    const header = decodeProtectedHeader(expected.compact);
    const { alg = '' } = header as { alg?: string };
    const key = await importJWK(publicHalf(first), alg);
    t.equal(text((await compactVerify(expected.compact, key)).payload), inputs.payload);
    const changed = expected.compact.replace(/.(?=[^.]{9}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
    await t.rejects(compactVerify(changed, key), 'a changed signature');
    if (inputs.reproducible === true) {
      const again = new CompactSign(Buffer.from(inputs.payload ?? '')).setProtectedHeader({ ...header, alg });
      t.equal(await again.sign(await importJWK(first, alg)), expected.compact, 'signed again, byte by byte');
    }
  }
  if (expected.json_flat !== undefined && first !== undefined) {
    const { protected: head, header } = expected.json_flat;
    const alg = algOf(head) ?? (header as { alg?: string } | undefined)?.alg;
    const verified = await flattenedVerify(expected.json_flat, await importJWK(publicHalf(first), alg));
    t.equal(text(verified.payload), inputs.payload);
  }
  if (expected.json !== undefined) {
    const { signatures } = expected.json;
    for (const [index, jwk] of keysOf(vector).entries()) {
      const signature = signatures[index];
      const alg = algOf(signature?.protected) ?? (signature?.header as { alg?: string } | undefined)?.alg;
      const { payload }: { payload: Uint8Array } = await generalVerify(
        expected.json,
        await importJWK(publicHalf(jwk), alg),
      );
      t.equal(text(payload), inputs.payload, `signature ${String(index)}`);
    }
  }
}

async function checkDecryption(t: Test, vector: Vector): Promise<void> {
  const { inputs, expected = {} } = vector;
  const [jwk] = keysOf(vector);
  const { compact } = expected;
  if (jwk === undefined || compact === undefined) {
    t.fail('no data');
    return;
  }
  const { alg } = decodeProtectedHeader(compact) as { alg?: string };
  const key = await importJWK(jwk, alg);
  t.equal(text((await compactDecrypt(compact, key)).plaintext), inputs.plaintext);
  const flat = expected.json_flat as unknown as Parameters<typeof flattenedDecrypt>[0] | undefined;
  if (flat !== undefined) t.equal(text((await flattenedDecrypt(flat, key)).plaintext), inputs.plaintext);
  const [head = '', wrapped = '', iv = '', ciphertext = '', tag = ''] = compact.split('.');
  const changed = `${ciphertext.startsWith('A') ? 'B' : 'A'}${ciphertext.slice(1)}`;
  await t.rejects(compactDecrypt([head, wrapped, iv, changed, tag].join('.'), key), 'changed ciphertext');
}

t.test('vectors', async (t) => {
  t.equal(vectors.length, 17);
  for (const vector of vectors) {
    const reason = NOT_APPLICABLE[vector.id];
    await t.test(reason === undefined ? vector.id : `${vector.id} does not apply: ${reason}`, async (t) => {
      if (reason !== undefined) t.ok(vector.expected === undefined || !(await isSupported(vector)), reason);
      else if (vector.kind === 'jws') await checkSignatures(t, vector);
      else await checkDecryption(t, vector);
    });
  }
});

async function isSupported(vector: Vector): Promise<boolean> {
  const [jwk] = keysOf(vector);
  const decrypting = async () => compactDecrypt(vector.expected?.compact ?? '', await importJWK(jwk ?? {}, 'RSA1_5'));
  return await decrypting().then(
    () => true,
    () => false,
  );
}

t.test('none of them is a token or a secret of ours', async (t) => {
  const ids = createIdSource();
  const none: TenantKeyStore = {
    list: () => Promise.resolve([] as readonly TenantKey[]),
    privateKey: () => Promise.resolve(undefined),
    add: () => Promise.reject(new Error('no key is made for what is presented')),
    discard: () => Promise.resolve(),
    activate: () => Promise.resolve(undefined),
  };
  const bus = { execute: () => Promise.reject(new Error('nothing is done for what is presented')) };
  const keys = new TenantKeys({ store: none, maker: new TestKeyPairMaker(), bus, clock, ids });
  const accessTokens = new AccessTokens({ keys, clock, ids, issuer: 'https://corebook.test' });
  const where = { tenantId: tenantIdOf('demo'), field: 'password', use: undefined };
  const ports = { keys, master: testSeal(), replays: new MemoryReplayGuard(), clock, ids };
  for (const { id, expected } of vectors) {
    const { compact } = expected ?? {};
    if (compact === undefined) continue;
    t.equal(await accessTokens.verify(compact), undefined, id);
    t.equal(await openSealedSecret(ports, where, compact), undefined, id);
  }
});
