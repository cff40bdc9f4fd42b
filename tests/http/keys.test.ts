/** Encryption keys, the JWKS and secrets of request bodies, over HTTP. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { Writable } from 'node:stream';
import { CompactEncrypt, createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { pino } from 'pino';
import t from 'tap';
import { tenantIdOf } from '../../domain/shared/ids.js';
import type { Call } from '../../http/endpoint.js';
import { secretsOf } from '../../http/secrets.js';
import { HttpWorld } from '../support/http-world.js';
import { TEST_KEYS } from '../support/test-keys.js';

const KEYS = '/api/v6/services/admin/security/encryption-keys';
const JWKS = '/api/v6/services/securitymanagement/jwks';
const lines: string[] = [];
const logger = pino(
  { level: 'warn' },
  new Writable({ write: (line: Buffer, _, done) => (lines.push(String(line)), done()) }),
);
const world = await HttpWorld.open({ logger });
t.teardown(() => world.close());
const demo = tenantIdOf('demo');
const ANYBODY = { headers: { 'X-Tenant': 'demo' } };

interface Key {
  readonly kid: string;
  readonly use: string;
  readonly algorithm: string;
  readonly status: string;
  readonly retiresAt: string | null;
  readonly publicKey: string;
  readonly jwk: { readonly n: string };
}
const publicKey = async (): Promise<Key> =>
  (await world.send(`${KEYS}/public-key`, ANYBODY, 'NOBODY')).json.data as Key;
const list = async (query = ''): Promise<readonly Key[]> =>
  ((await world.send(`${KEYS}${query}`)).json.data as { keys: readonly Key[] }).keys;

t.test('anybody who names the tenant gets its public keys, in both forms', async (t) => {
  const key = await publicKey();
  t.match(key, { use: 'PAYLOAD', algorithm: 'RSA-OAEP-256', status: 'ACTIVE', retiresAt: null });
  const spki = createPublicKey({ key: Buffer.from(key.publicKey, 'base64'), type: 'spki', format: 'der' });
  t.match(spki.export({ format: 'jwk' }), { n: key.jwk.n, kty: 'RSA' });
  const none = await world.send(`${KEYS}/public-key`, {}, 'NOBODY');
  t.match(none, { status: 422, json: { errors: [{ field: 'X-Tenant' }] } });
  const unknown = await world.send(`${KEYS}/public-key`, { headers: { 'X-Tenant': 'nobody' } }, 'NOBODY');
  t.equal(unknown.status, 403);
  t.equal((await world.send('/.well-known/jwks.json', {}, 'NOBODY')).status, 422);

  const answers = await Promise.all(
    [JWKS, '/.well-known/jwks.json'].map((path) => world.send(path, ANYBODY, 'NOBODY')),
  );
  t.equal(answers[0]?.text, answers[1]?.text);
  const set = JSON.parse(answers[0]?.text ?? '') as JSONWebKeySet;
  t.same(set.keys.map(({ use, alg }) => `${use ?? ''} ${alg ?? ''}`).sort(), [
    'enc ECDH-ES+A256KW',
    'enc RSA-OAEP-256',
    'sig RS256',
  ]);
  t.notMatch(answers[0]?.text, /"(d|p|q|dp|dq|qi|k)":/, 'no private half');
  t.ok(set.keys.some(({ kid }) => kid === key.kid));
  const other = await world.send(JWKS, { headers: { 'X-Tenant': 'other' } }, 'NOBODY');
  const otherKids = (JSON.parse(other.text) as JSONWebKeySet).keys.map(({ kid }) => kid);
  t.notOk(
    set.keys.some(({ kid }) => otherKids.includes(kid)),
    'every tenant has its own',
  );

  const { accessTokens } = world.identity;
  const session = {
    ...{ sessionId: world.ids.eventId(), tenantId: demo, user: { kind: 'employee', id: world.ids.eventId() } as const },
    ...{ device: null, createdAt: '2026-11-22T10:30:00Z', expiresAt: '2999-01-01T00:00:00Z', revokedAt: null },
  };
  const { token, jti } = await accessTokens.issue(session, { roles: ['MANAGER'], lifeSeconds: 60 });
  const { payload } = await jwtVerify(token, createLocalJWKSet(set), {
    issuer: 'https://corebook.test',
    audience: 'corebook-api',
  });
  t.equal(payload.jti, jti, 'others verify our tokens with the JWKS');
});

t.test('rotation and lists are for managers', async (t) => {
  const before = await publicKey();
  const sent = {
    method: 'POST',
    body: { use: 'PAYLOAD', overlapHours: 24 },
    headers: { 'Idempotency-Key': 'rotate-1' },
  };
  const rotated = await world.send(`${KEYS}/rotate`, sent);
  t.match(rotated, { status: 201, json: { data: { use: 'PAYLOAD', status: 'ACTIVE', retiresAt: null } } });
  const { kid } = rotated.json.data as Key;
  t.not(kid, before.kid);
  t.equal((await publicKey()).kid, kid, 'at once');
  const again = await world.send(`${KEYS}/rotate`, sent);
  t.match(again, { status: 201, headers: { 'idempotency-replayed': 'true' }, json: { data: { kid } } });
  t.equal((await list('?use=PAYLOAD')).find((key) => key.kid === before.kid)?.status, 'RETIRING');
  const retiring = (await list()).filter(({ status }) => status === 'RETIRING');
  t.equal(retiring.length, 1);
  const hours = (Date.parse(retiring[0]?.retiresAt ?? '') - Date.now()) / 3_600_000;
  t.ok(hours > 23.9 && hours <= 24);
  t.equal(((await world.send(`${KEYS}?size=1&page=2`)).json.data as { keys: unknown[] }).keys.length, 1);

  const curve = await world.send(`${KEYS}/rotate`, {
    method: 'POST',
    body: { use: 'PAYLOAD', algorithm: 'ECDH-ES+A256KW' },
  });
  t.match(curve, { status: 201, json: { data: { algorithm: 'ECDH-ES+A256KW' } } });
  t.equal((await publicKey()).kid, kid, 'the documented key stays');
  const jwt = await world.send(`${KEYS}/rotate`, { method: 'POST', body: { use: 'JWT' } });
  t.match(jwt, { status: 201, json: { data: { algorithm: 'RS256' } } });
  for (const body of [
    {},
    { use: 'WEBHOOK' },
    { use: 'JWT', algorithm: 'RSA-OAEP-256' },
    { use: 'JWT', overlapHours: -1 },
    { use: 'JWT', overlapHours: 721 },
  ]) {
    t.equal((await world.send(`${KEYS}/rotate`, { method: 'POST', body })).status, 422, JSON.stringify(body));
  }
  for (const role of ['AGENT', 'CUSTOMER', 'AUDITOR', 'NOBODY'] as const) {
    const expected = role === 'NOBODY' ? 401 : 403;
    t.equal((await world.send(KEYS, {}, role)).status, expected, role);
    t.equal((await world.send(`${KEYS}/rotate`, sent, role)).status, expected, role);
  }
  const events = [];
  for await (const { type, data } of world.log.read(demo, { from: 0 }))
    if (type === 'key-introduced') events.push(data);
  t.equal(
    events.filter((data) => (data as { previous?: string }).previous !== undefined).length,
    3,
    'each is in the log once',
  );
  t.notMatch(JSON.stringify(events), /BEGIN|MII/, 'without the keys');
});

t.test('the webhook key', async (t) => {
  const put = (publicKey: unknown) => world.send(`${KEYS}/webhook-key`, { method: 'PUT', body: { publicKey } });
  const [first, second] = TEST_KEYS.rsa2048.slice(5).map(({ publicSpki }) => publicSpki.toString('base64'));
  t.match(await put(first), { status: 200, json: { data: { use: 'WEBHOOK', status: 'ACTIVE' } } });
  t.match(await put(first), { status: 200 }, 'again');
  t.match(await put(second), { status: 200 });
  t.match(await put(first), { status: 422, json: { errors: [{ field: 'publicKey', code: 'ALREADY_USED' }] } });
  t.same((await list('?use=WEBHOOK')).map(({ status }) => status).sort(), ['ACTIVE', 'RETIRED']);
  const ec = TEST_KEYS.ec[0]?.publicSpki.toString('base64');
  for (const bad of [ec, 'AAAA', '', '-----BEGIN PUBLIC KEY-----', 7, 'A'.repeat(3_000)]) {
    t.match(await put(bad), { status: 422, json: { errors: [{ field: 'publicKey' }] } });
  }
});

t.test('secrets of a body', async (t) => {
  const key = await publicKey();
  const encrypt = (text: string, { publicKey: spki }: Key = key) =>
    publicEncrypt(
      {
        key: createPublicKey({ key: Buffer.from(spki, 'base64'), type: 'spki', format: 'der' }),
        ...{ padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      },
      Buffer.from(text),
    ).toString('base64');
  const callOf = (body: unknown, more: object = {}): Call => {
    const endpoint = { id: 'change-password', ...more };
    const caller = { tenantId: demo, subject: 'customer:x' };
    const services = { ...world.deps, identity: world.identity };
    const { headers = {}, idempotencyKey } = more as { headers?: object; idempotencyKey?: string };
    return { body, caller, endpoint, headers, idempotencyKey, services } as unknown as Call;
  };
  const names = ['currentPassword', 'newPassword'] as const;
  const both = { currentPassword: encrypt('old'), newPassword: encrypt('new') };
  t.same(await secretsOf(callOf(both), names), { currentPassword: 'old', newPassword: 'new' });
  const plain = { currentPassword: 'old', newPassword: 'new' };
  t.same(await secretsOf(callOf(plain), names), plain, 'the sandbox takes plain text');
  const named = { headers: { 'x-encryption-key-id': key.kid } };
  t.same(await secretsOf(callOf({ ...both, payloadEncrypted: true }, named), names), {
    currentPassword: 'old',
    newPassword: 'new',
  });

  const undecryptable = {
    kind: 'failure',
    errorCode: 'VALIDATION_ERROR',
    message: 'Unable to decrypt field',
    errors: [{ field: 'newPassword', code: 'UNDECRYPTABLE', message: 'Unable to decrypt field' }],
    headers: [],
  };
  const bad = { ...both, newPassword: Buffer.alloc(384, 1).toString('base64') };
  t.same(await secretsOf(callOf(bad), names), undecryptable);
  t.same(await secretsOf(callOf({ ...both, newPassword: 'plain', payloadEncrypted: true }), names), undecryptable);
  t.match(await secretsOf(callOf(both, { headers: { 'x-encryption-key-id': 'x' } }), names), {
    message: 'Unable to decrypt field',
  });
  t.match(await secretsOf(callOf({ currentPassword: 'old' }), names), {
    errors: [{ field: 'newPassword', code: 'REQUIRED' }],
  });

  const jwe = await new CompactEncrypt(Buffer.from('1234'))
    .setProtectedHeader({
      ...{ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: key.kid },
      ...{ iat: Math.floor(Date.now() / 1000), jti: 'only-once', fld: 'userPin' },
    })
    .encrypt(createPublicKey({ key: Buffer.from(key.publicKey, 'base64'), type: 'spki', format: 'der' }));
  const pin = (more: object) => secretsOf(callOf({ userPin: jwe }, more), ['userPin']);
  t.same(await pin({ idempotencyKey: 'a' }), { userPin: '1234' });
  t.same(await pin({ idempotencyKey: 'a' }), { userPin: '1234' }, 'a retry with its key');
  for (const replay of [
    {},
    { idempotencyKey: 'b' },
    { idempotencyKey: 'a', tightLimit: true },
    { idempotencyKey: 'a', id: 'x' },
  ]) {
    t.match(await pin(replay), { message: 'Unable to decrypt field' }, JSON.stringify(replay));
  }

  await world.identity.keys.rotate('PAYLOAD', 48, {
    tenantId: demo,
    actor: { subject: 'x', roles: [] },
    correlationId: world.ids.eventId(),
  });
  lines.length = 0;
  t.same(await secretsOf(callOf(both), names), { currentPassword: 'old', newPassword: 'new' });
  t.equal(lines.length, 2, 'each use of a retiring key is logged');
  t.match(lines[0], new RegExp(`"endpoint":"change-password".*"kid":"${key.kid}"`));
  t.notMatch(lines.join(''), /"(old|new)"/, 'and no secret');
});
