import { z } from 'zod';
import { type KeyOutcome, MADE_KEYS, type MadeUse } from '../../application/access/tenant-keys.js';
import { uploadedPublicKey } from '../../application/access/uploaded-key.js';
import { KEY_ALGORITHMS } from '../../application/ports/tenant-keys.js';
import { KEY_USES } from '../../domain/tenant/events.js';
import { acceptedOr, askedBy, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { type Failure, invalid } from '../problem.js';
import { page, pagedOf, size } from '../schemas.js';
import { JWK_EXAMPLE, KEY_EXAMPLE, SPKI_EXAMPLE, jwkOut, jwkShape, keyOut, keyShape } from './key-shape.js';
import { refusedKeys } from './refused-keys.js';

const PATH = '/api/v6/services/admin/security/encryption-keys';
const MAX_OVERLAP_HOURS = 720;

function keyAnswer(call: Call, result: KeyOutcome, message: string): Answer | Failure {
  const done = acceptedOr(result.status === 'accepted' ? result.outcome : result, call);
  if (isFailure(done) || result.status !== 'accepted') return done as Failure;
  return { kind: 'answer', message, data: keyOut(result.key), position: done.position, replayed: done.replayed };
}

export const listEncryptionKeys = defineEndpoint({
  id: 'list-encryption-keys',
  group: 'security',
  title: 'List encryption keys',
  description:
    'Keys that clients encrypt for (PAYLOAD), that sign access tokens (JWT), and the tenant’s own for references in webhooks ' +
    '(WEBHOOK), whatever became of them. Private halves are shown nowhere.',
  method: 'GET',
  path: PATH,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ use: z.enum(KEY_USES).optional(), page, size }),
  unknownMembers: 'refuse',
  requestExamples: { all: {}, payload: { query: { use: 'PAYLOAD', size: '50' } } },
  success: {
    status: 200,
    description: 'Keys, newest first',
    data: pagedOf('keys', keyShape),
    example: { keys: [KEY_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 },
  },
  errors: [],
  async handler(call) {
    const { use } = call.query;
    const all = await call.services.identity.keys.all(call.caller.tenantId);
    const keys = all.filter((key) => use === undefined || key.use === use);
    const from = (call.query.page - 1) * call.query.size;
    const shown = keys.slice(from, from + call.query.size).map(keyOut);
    return { kind: 'answer', message: 'Encryption keys', data: { keys: shown, ...pageInfo(call.query, keys.length) } };
  },
});

const uses = Object.keys(MADE_KEYS) as [MadeUse, ...MadeUse[]];

export const rotateEncryptionKey = defineEndpoint({
  id: 'rotate-encryption-key',
  group: 'security',
  title: 'Rotate encryption key',
  description:
    'Makes a new key pair; the one before is accepted for `overlapHours` more (default: preference KEY_OVERLAP_HOURS), 0 refuses it ' +
    'at once. A PAYLOAD key is RSA-OAEP-256 unless `algorithm` asks for ECDH-ES+A256KW. Access tokens signed by a JWT key that is ' +
    'past its time are refused: an overlap shorter than their life logs people out.',
  method: 'POST',
  path: `${PATH}/rotate`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    use: z.enum(uses),
    algorithm: z.enum(KEY_ALGORITHMS).optional(),
    overlapHours: z.int().min(0).max(MAX_OVERLAP_HOURS).optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    payload: { body: { use: 'PAYLOAD', overlapHours: 48 } },
    curve: { body: { use: 'PAYLOAD', algorithm: 'ECDH-ES+A256KW' } },
    tokens: { body: { use: 'JWT' } },
  },
  success: { status: 201, description: 'The new key', data: keyShape, example: KEY_EXAMPLE },
  errors: [],
  async handler(call) {
    const { use, algorithm = MADE_KEYS[use][0] } = call.body;
    const made: readonly string[] = MADE_KEYS[use];
    if (!made.includes(algorithm)) {
      return invalid('algorithm', 'INVALID', `keys for ${use} are ${made.join(' or ')}`);
    }
    const { keys, preferences } = call.services.identity;
    const { KEY_OVERLAP_HOURS } = await preferences.of(call.caller.tenantId);
    const overlapHours = call.body.overlapHours ?? KEY_OVERLAP_HOURS;
    return keyAnswer(call, await keys.rotate(use, overlapHours, askedBy(call), algorithm), 'Key rotated');
  },
});

const publicKeyShape = keyShape.extend({
  publicKey: z.string().meta({ description: 'Base64 of the DER X.509 SubjectPublicKeyInfo' }),
  jwk: jwkShape,
});

export const publicEncryptionKey = defineEndpoint({
  id: 'public-encryption-key',
  group: 'security',
  title: 'Current public encryption key',
  description:
    'Encrypt each secret of a body (passwords, PINs, security answers) with it: RSA-OAEP with SHA-256, the mask (MGF1) with SHA-256 or, ' +
    'as Java’s `OAEPWithSHA-256AndMGF1Padding` does by default, SHA-1; the Base64 of the ciphertext takes the place of the value. Header ' +
    '`X-Encryption-Key-Id` may name the key. Better: a compact JWE (`RSA-OAEP-256`, or `ECDH-ES+A256KW` with the EC key of the JWKS; ' +
    '`A256GCM`) whose protected header has `kid`, `iat`, a unique `jti`, and `fld`, the name of the field: it opens once, within five ' +
    'minutes, in that field.',
  method: 'GET',
  path: `${PATH}/public-key`,
  aliases: [],
  roles: 'PUBLIC',
  tenant: 'named',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { one: {} },
  success: {
    status: 200,
    description: 'The key that new secrets are encrypted for',
    data: publicKeyShape,
    example: { ...KEY_EXAMPLE, publicKey: SPKI_EXAMPLE, jwk: JWK_EXAMPLE },
  },
  errors: [],
  async handler(call) {
    const { keys } = call.services.identity;
    const key = await refusedKeys(() => keys.active(call.caller.tenantId, 'PAYLOAD'));
    if ('kind' in key) return key;
    const data = { ...keyOut(key), publicKey: key.publicSpki, jwk: jwkOut(keys, key) };
    return { kind: 'answer', message: 'Public key', data };
  },
});

export const setWebhookKey = defineEndpoint({
  id: 'set-webhook-encryption-key',
  group: 'security',
  title: 'Upload the public key for webhook references',
  description:
    'The tenant’s own RSA key (2048 bits or more): references in webhooks are encrypted for it. It takes the place of the one before at once.',
  method: 'PUT',
  path: `${PATH}/webhook-key`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    publicKey: z
      .string()
      .max(2_048)
      .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be Base64 without line breaks or PEM armour')
      .meta({ description: 'Base64 of the DER X.509 SubjectPublicKeyInfo' }),
  }),
  unknownMembers: 'refuse',
  requestExamples: { rsa: { body: { publicKey: SPKI_EXAMPLE } } },
  success: {
    status: 200,
    description: 'The key',
    data: keyShape,
    example: { ...KEY_EXAMPLE, use: 'WEBHOOK' },
  },
  errors: [],
  async handler(call) {
    const publicKey = uploadedPublicKey(call.body.publicKey);
    if (publicKey === undefined) {
      return invalid('publicKey', 'INVALID', 'must be a SubjectPublicKeyInfo of an RSA key of 2048 to 8192 bits');
    }
    const result = await call.services.identity.keys.setWebhookKey(publicKey, askedBy(call));
    if (result === 'replaced')
      return invalid('publicKey', 'ALREADY_USED', 'This key was used before: upload a new one');
    if ('kid' in result) return { kind: 'answer', message: 'Webhook key is set', data: keyOut(result) };
    return keyAnswer(call, result, 'Webhook key is set');
  },
});
