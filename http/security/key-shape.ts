import { z } from 'zod';
import type { TenantKeys } from '../../application/access/tenant-keys.js';
import { KEY_ALGORITHMS, type TenantKey } from '../../application/ports/tenant-keys.js';
import { KEY_USES } from '../../domain/tenant/events.js';
import { EXAMPLE } from '../ledger/examples.js';

export const keyShape = z
  .object({
    kid: z.string().meta({ description: 'RFC 7638 thumbprint of the public key' }),
    use: z.enum(KEY_USES),
    algorithm: z.enum(KEY_ALGORITHMS),
    status: z.enum(['ACTIVE', 'RETIRING', 'RETIRED']),
    createdAt: z.string(),
    retiresAt: z.string().nullable().meta({ description: 'From when on a replaced key is refused' }),
  })
  .meta({ id: 'EncryptionKey' });

/** RFC 7517; members beyond these depend on the kind of key. */
export const jwkShape = z
  .looseObject({
    kid: z.string(),
    kty: z.enum(['RSA', 'EC']),
    use: z.enum(['sig', 'enc']),
    alg: z.enum(KEY_ALGORITHMS),
    n: z.string().optional(),
    e: z.string().optional(),
    crv: z.string().optional(),
    x: z.string().optional(),
    y: z.string().optional(),
  })
  .meta({ id: 'JsonWebKey' });

export function keyOut({ kid, use, algorithm, status, createdAt, retiresAt }: TenantKey) {
  return { kid, use, algorithm, status, createdAt, retiresAt };
}

export function jwkOut(keys: TenantKeys, key: TenantKey) {
  const use = key.use === 'JWT' ? 'sig' : 'enc';
  return { kid: key.kid, use, alg: key.algorithm, ...keys.publicKey(key).export({ format: 'jwk' }) };
}

/** A key of the examples; whoever has its private half could read nothing with it. */
export const SPKI_EXAMPLE =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoJ8wG8eDDPSjEfvnu1cg82VBN6W/ErTILMNpb04REzrtbrbC8IvM' +
  'B16/pVIiQMTRnAjQuoGL7a81uD6S/5IwaEXJgOkKPoKZm8XKiKpJpYdAx8kl0UpPW3B/pGwwwEYPhkyg6USaMwFp5MFHwkOW' +
  'lI0BbwmFq9BKAAM0ZzrmnvCDVi1JbxSPfCYBfI6ySry/ss6etqd+0P9Kl29kYzVnSogsWN5L77Rxf+nGMPjVpyW1UIe9zLSI' +
  '68ky/r+uGg2Kaj5UObukutgKKGECFDHQHUoNsfXt7GK4YCXdZn46NJ+Sz9JmBhRQmGcjIi3kTUg8eyIiCkYk4nTdvHwwMP+A' +
  'YQIDAQAB';

export const KEY_EXAMPLE = {
  kid: 'Xzov6TABSEagfGZDPE6TKFQFrwpYHfTjz6w_JH04eo4',
  use: 'PAYLOAD',
  algorithm: 'RSA-OAEP-256',
  status: 'ACTIVE',
  createdAt: EXAMPLE.at,
  retiresAt: null,
} as const;

export const JWK_EXAMPLE = {
  kid: KEY_EXAMPLE.kid,
  use: 'enc',
  alg: KEY_EXAMPLE.algorithm,
  kty: 'RSA',
  n: Buffer.from(SPKI_EXAMPLE, 'base64').subarray(33, 289).toString('base64url'),
  e: 'AQAB',
};
