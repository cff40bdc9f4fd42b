/** Keys of tenants, access tokens and encrypted fields, on the real processor and the memory log. */
import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CompactEncrypt,
  type CompactJWEHeaderParameters,
  SignJWT,
  UnsecuredJWT,
  decodeJwt,
  decodeProtectedHeader,
} from 'jose';
import t from 'tap';
import { AccessTokens } from '../../application/access/access-tokens.js';
import type { Asked } from '../../application/access/api-tokens.js';
import { readSecret } from '../../application/access/field-secrets.js';
import { decryptOaep } from '../../application/access/oaep.js';
import { KeyRefused, TenantKeys } from '../../application/access/tenant-keys.js';
import { uploadedPublicKey } from '../../application/access/uploaded-key.js';
import type { Clock } from '../../application/ports/clock.js';
import type { Session } from '../../application/ports/sessions.js';
import type { TenantKey, TenantKeyStore } from '../../application/ports/tenant-keys.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import type { PreferenceKey } from '../../domain/tenant/preferences.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { MemoryKeyVault } from '../../infrastructure/memory/key-vault.js';
import { MemoryTenantKeyStore } from '../../infrastructure/memory/tenant-key-store.js';
import { MemoryTokenStore } from '../../infrastructure/memory/token-store.js';
import { HmacTokenSecrets } from '../../infrastructure/security/token-secrets.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { FoldedReadModels } from '../support/folded-read-models.js';
import { memoryIdentity, testSeal } from '../support/identity.js';
import { repositoryRoot } from '../support/repository.js';
import { TEST_KEYS } from '../support/test-keys.js';

const demo = tenantIdOf('demo');
const other = tenantIdOf('other');
const MANAGER = { subject: 'token:manager', roles: ['MANAGER'] } as const;
const states = { load: () => Promise.resolve({ revision: -1, states: new Map<never, never>() }) };
const HOUR = 3_600_000;

/** A log with two tenants, and identity on it at a time that the test sets. */
async function openWorld(sandbox = true) {
  const time = { ms: Date.parse('2026-11-22T10:30:00.000Z') };
  const clock: Clock = { ...systemClock, nowMs: () => time.ms };
  const ids = createIdSource(() => time.ms);
  const log = new MemoryEventLog();
  const processor = new CommandProcessor({ log, states, clock, ids });
  const vault = new MemoryKeyVault(testSeal(), clock);
  const identity = memoryIdentity({
    ...{ bus: processor, readModels: new FoldedReadModels(log, vault), clock, ids, vault, sandbox },
    tokenStore: new MemoryTokenStore(),
    tokenSecrets: new HmacTokenSecrets({ secret: Buffer.alloc(32, 1), kind: 'test' }),
  });
  const asked = (tenantId = demo): Asked => ({ tenantId, actor: MANAGER, correlationId: ids.eventId() });
  for (const slug of ['demo', 'other']) {
    const settings = {
      name: slug,
      baseCurrency: 'NGN',
      currencies: ['NGN'],
      domains: [],
      branding: {},
      emailTemplates: {},
    };
    await processor.execute({ ...asked(tenantIdOf(slug)), name: 'create-tenant', payload: { slug, settings } });
  }
  const prefer = async (key: PreferenceKey, value: string) => {
    await processor.execute({
      ...asked(),
      name: 'change-preferences',
      payload: { changes: [{ key, scope: {}, value }] },
    });
    identity.preferences.forget(demo);
  };
  const introduced = async (tenantId = demo) => {
    const found = [];
    for await (const event of log.read(tenantId, { from: 0 })) if (event.type === 'key-introduced') found.push(event);
    return found;
  };
  const another = (store: TenantKeyStore = identity.keys.ports.store) =>
    new TenantKeys({ ...identity.keys.ports, store, bus: new CommandProcessor({ log, states, clock, ids }) });
  const read = (field: string, value: string, more: Parameters<typeof readSecret>[4] = {}, tenantId = demo) =>
    readSecret(identity, tenantId, field, value, more);
  return { time, clock, ids, log, processor, identity, keys: identity.keys, asked, prefer, introduced, another, read };
}
type World = Awaited<ReturnType<typeof openWorld>>;

t.test('keys are made once on first use, whoever is first, and the log knows', async (t) => {
  const world = await openWorld();
  const { keys, another, introduced } = world;
  const elsewhere = another();
  t.same(await keys.accepted(demo, 'JWT'), [], 'asking what is accepted makes none');
  const made = await Promise.all([keys, elsewhere, keys, elsewhere].map((one) => one.active(demo, 'JWT')));
  const [first] = made;
  t.equal(new Set(made.map(({ kid }) => kid)).size, 1);
  t.match(first, {
    use: 'JWT',
    algorithm: 'RS256',
    status: 'ACTIVE',
    retiresAt: null,
    createdAt: '2026-11-22T10:30:00.000Z',
  });
  t.same(await another().accepted(demo, 'JWT'), [first], 'the store has the same one');
  t.match(await introduced(), [
    { data: { kid: first?.kid, use: 'JWT', algorithm: 'RS256' }, meta: { actor: 'system:keys' } },
  ]);
  t.equal((await introduced()).length, 1);

  const published = await keys.published(demo);
  t.same(published.map(({ use, algorithm }) => `${use} ${algorithm}`).sort(), [
    'JWT RS256',
    'PAYLOAD ECDH-ES+A256KW',
    'PAYLOAD RSA-OAEP-256',
  ]);
  const payload = await keys.active(demo, 'PAYLOAD');
  t.equal(keys.publicKey(payload).asymmetricKeyDetails?.modulusLength, 3072);
  t.notSame(await keys.active(other, 'PAYLOAD'), payload);
  const unknown = keys.active(tenantIdOf('nobody'), 'JWT');
  await t.rejects(unknown, KeyRefused);
  await t.rejects(unknown, /no such tenant/);
});

t.test(
  'a key that the log names and the store lost is passed over; a crash before activation is made good',
  async (t) => {
    const { keys, another, introduced, identity } = await openWorld();
    const lost = await keys.active(demo, 'JWT');
    const restored = another(new MemoryTenantKeyStore(testSeal()));
    const next = await restored.active(demo, 'JWT');
    t.not(next.kid, lost.kid);
    t.equal(next.status, 'ACTIVE');
    t.equal((await introduced()).length, 2);

    const { store } = identity.keys.ports;
    let crashes = 1;
    const crashing: TenantKeyStore = {
      list: (...all) => store.list(...all),
      privateKey: (...all) => store.privateKey(...all),
      add: (...all) => store.add(...all),
      discard: (...all) => store.discard(...all),
      activate: (...all) => (crashes-- > 0 ? Promise.reject(new Error('crash')) : store.activate(...all)),
    };
    const unlucky = another(crashing);
    await t.rejects(unlucky.active(demo, 'PAYLOAD'), /crash/);
    const named = (await introduced()).at(-1)?.data as { kid: string };
    t.equal((await unlucky.active(demo, 'PAYLOAD')).kid, named.kid, 'what the log says is carried out');
  },
);

/** What is added to a store, and taken away again, while something is done. */
async function counted(store: TenantKeyStore, act: (store: TenantKeyStore) => Promise<unknown>) {
  const [added, discarded]: [string[], string[]] = [[], []];
  await act({
    list: (...all) => store.list(...all),
    privateKey: (...all) => store.privateKey(...all),
    add: (key, half) => (added.push(key.kid), store.add(key, half)),
    discard: (tenantId, kid) => (discarded.push(kid), store.discard(tenantId, kid)),
    activate: (...all) => store.activate(...all),
  });
  return { added, discarded };
}

t.test('rotation: the old key is accepted until its time, in this process at once and in others soon', async (t) => {
  const world = await openWorld();
  const { time, identity, keys, another, asked, introduced } = world;
  const elsewhere = another();
  const old = await keys.active(demo, 'PAYLOAD');
  t.equal((await elsewhere.active(demo, 'PAYLOAD')).kid, old.kid);
  time.ms += 1;
  const idempotency = { id: '00000000-0000-4000-8000-000000000001', requestHash: 'a'.repeat(32) };
  const rotated = await keys.rotate('PAYLOAD', 48, { ...asked(), idempotency });
  if (rotated.status !== 'accepted') return t.fail('refused');
  const retiresAt = new Date(time.ms + 48 * HOUR).toISOString();
  t.not(rotated.key.kid, old.kid);
  const kids = (all: readonly TenantKey[]) => all.map(({ kid, status }) => `${kid} ${status}`);
  const expected = [`${rotated.key.kid} ACTIVE`, `${old.kid} RETIRING`];
  t.same(kids(await keys.accepted(demo, 'PAYLOAD')), expected);
  t.match((await introduced()).at(-1), {
    data: { kid: rotated.key.kid, previous: old.kid, previousUntil: retiresAt },
    meta: { actor: 'token:manager' },
  });
  const again = await keys.rotate('PAYLOAD', 48, { ...asked(), idempotency });
  t.match(
    again,
    { status: 'accepted', outcome: { replayed: true }, key: { kid: rotated.key.kid } },
    'a retry rotates no further',
  );
  t.equal((await keys.all(demo)).length, 2);
  const unused = await counted(identity.keys.ports.store, (store) =>
    another(store).rotate('PAYLOAD', 48, { ...asked(), idempotency }),
  );
  t.match(unused, { added: [/^[\w-]{43}$/] });
  t.same(unused.discarded, unused.added, 'a pair that is not needed is taken away');
  t.equal((await elsewhere.active(demo, 'PAYLOAD')).kid, old.kid, 'for a moment');
  t.equal(await elsewhere.acceptedKey(demo, 'PAYLOAD', rotated.key.kid), undefined, 'asked a moment ago');
  time.ms += 600;
  t.equal(
    (await elsewhere.acceptedKey(demo, 'PAYLOAD', rotated.key.kid))?.kid,
    rotated.key.kid,
    'an unknown id is asked for',
  );
  time.ms += 48 * HOUR;
  t.same(kids(await keys.accepted(demo, 'PAYLOAD')), expected.slice(0, 1));
  t.same(kids(await keys.all(demo)), [`${rotated.key.kid} ACTIVE`, `${old.kid} RETIRED`]);
  await keys.rotate('PAYLOAD', 0, asked());
  t.equal((await keys.accepted(demo, 'PAYLOAD')).length, 1, 'no overlap');
  t.equal(await another().privateKey(old), undefined, 'its private half is gone');
  const refused = await keys.rotate('JWT', 1, asked(tenantIdOf('nobody')));
  t.match(refused, { status: 'refused', refusal: { refused: 'tenant-not-found' } });
  return undefined;
});

t.test('the tenant’s own webhook key', async (t) => {
  const { keys, asked, introduced } = await openWorld();
  const keyOf = (index: number) => uploadedPublicKey(TEST_KEYS.rsa2048[index]?.publicSpki.toString('base64') ?? '');
  const [first, second] = [keyOf(0), keyOf(1)];
  if (first === undefined || second === undefined) return t.fail('test keys are good');
  t.match(await keys.setWebhookKey(first, asked()), { status: 'accepted', key: { use: 'WEBHOOK', status: 'ACTIVE' } });
  t.match(await keys.setWebhookKey(first, asked()), { status: 'ACTIVE' }, 'the same again changes nothing');
  t.match(await keys.setWebhookKey(second, asked()), { status: 'accepted' });
  t.equal((await keys.accepted(demo, 'WEBHOOK')).length, 1);
  t.equal(await keys.setWebhookKey(first, asked()), 'replaced');
  t.equal((await introduced()).length, 2);
  const ec = TEST_KEYS.ec[0]?.publicSpki.toString('base64') ?? '';
  const weak = createPublicKey({
    key: { kty: 'RSA', n: randomBytes(128).toString('base64url'), e: 'AQAB' },
    format: 'jwk',
  });
  const small = createPublicKey({
    key: { kty: 'RSA', n: Buffer.alloc(256, 0xff).toString('base64url'), e: 'Aw' },
    format: 'jwk',
  });
  const spki = (key: typeof weak) => key.export({ type: 'spki', format: 'der' }).toString('base64');
  for (const bad of ['', 'AAAA', ec, spki(weak), spki(small)])
    t.equal(uploadedPublicKey(bad), undefined, bad.slice(0, 20));
  return undefined;
});

interface Fixture {
  readonly by: string;
  readonly key: 'rsa2048' | 'rsa3072';
  readonly index: number;
  readonly text: string;
  readonly ciphertext: string;
}
const fixtures = JSON.parse(
  readFileSync(join(repositoryRoot, 'tests/reference/oaep/ciphertexts.json'), 'utf8'),
) as readonly Fixture[];
const privateOf = (pkcs8: Buffer | undefined) =>
  createPrivateKey({ key: pkcs8 ?? Buffer.alloc(0), type: 'pkcs8', format: 'der' });

/** An OAEP encoding (RFC 8017, 7.1.1) for 2048 bits of whatever block. */
function encodedBy(maskHash: string, first: number, block: Buffer): Buffer {
  const mask = (seed: Buffer, length: number) =>
    Buffer.concat(
      Array.from({ length: 12 }, (_, index) =>
        createHash(maskHash)
          .update(seed)
          .update(Buffer.of(0, 0, 0, index))
          .digest(),
      ),
    ).subarray(0, length);
  const xor = (a: Buffer, b: Buffer) => Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)));
  const seed = randomBytes(32);
  const masked = xor(block, mask(seed, block.length));
  return Buffer.concat([Buffer.of(first), xor(seed, mask(masked, 32)), masked]);
}

t.test('OAEP: what Java and Python encrypted, both masks; as Node decides', async (t) => {
  t.same([...new Set(fixtures.map(({ by }) => by))].sort(), [
    'java-default',
    'java-explicit',
    'python-sha1',
    'python-sha256',
  ]);
  for (const { by, key, index, text, ciphertext } of fixtures) {
    const privateKey = privateOf(TEST_KEYS[key][index]?.privatePkcs8);
    t.equal(decryptOaep(privateKey, Buffer.from(ciphertext, 'base64'))?.toString('utf8'), text, `${by} ${key}`);
    const wrong = privateOf(TEST_KEYS[key][0]?.privatePkcs8);
    t.equal(decryptOaep(wrong, Buffer.from(ciphertext, 'base64')), undefined, `${by} ${key}: wrong key`);
  }
  const [pair] = TEST_KEYS.rsa2048;
  const privateKey = privateOf(pair?.privatePkcs8);
  const publicKey = createPublicKey(privateKey);
  const oaep = (oaepHash: string, plain: Buffer) =>
    publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plain);
  for (const length of [0, 1, 100, 190]) {
    const plain = randomBytes(length);
    t.same(decryptOaep(privateKey, oaep('sha256', plain)), plain, `${String(length)} bytes`);
    t.equal(decryptOaep(privateKey, oaep('sha1', plain)), undefined, 'another label hash');
  }
  // Encodings that are wrong in one place each, made by hand: our verdict is OpenSSL's.
  const raw = (encoded: Buffer) => publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, encoded);
  const encoded = privateDecrypt(
    { key: privateKey, padding: constants.RSA_NO_PADDING },
    oaep('sha256', Buffer.from('text')),
  );
  let refused = 0;
  for (let at = 1; at < encoded.length; at += 3) {
    const changed = Buffer.from(encoded);
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    const ciphertext = raw(changed);
    let expected: Buffer | undefined;
    try {
      expected = privateDecrypt(
        { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
        ciphertext,
      );
    } catch {
      refused += 1;
    }
    t.same(decryptOaep(privateKey, ciphertext), expected, `byte ${String(at)}`);
  }
  t.ok(refused > 50, 'most of them are refused');
  for (const maskHash of ['sha256', 'sha1']) {
    const made = (first: number, block: Buffer) => decryptOaep(privateKey, raw(encodedBy(maskHash, first, block)));
    const label = createHash('sha256').digest();
    const rest = (...bytes: number[]) =>
      Buffer.concat([label, Buffer.alloc(223 - 32 - bytes.length), Buffer.from(bytes)]);
    t.same(made(0, rest(1, 65, 66)), Buffer.from('AB'), `${maskHash}: made by hand`);
    t.same(made(0, rest(1)), Buffer.alloc(0), 'an empty message');
    t.equal(made(1, rest(1, 65, 66)), undefined, 'first byte');
    t.equal(made(0, rest(2, 1, 65, 66)), undefined, 'padding');
    t.equal(made(0, rest()), undefined, 'no end of the padding');
    t.equal(made(0, rest(1, 65).fill(7, 0, 1)), undefined, 'label');
  }
  for (const bad of [
    Buffer.alloc(0),
    Buffer.alloc(256),
    Buffer.alloc(256, 0xff),
    Buffer.alloc(255, 1),
    Buffer.alloc(257, 1),
  ]) {
    t.equal(decryptOaep(privateKey, bad), undefined);
  }
});

const encrypted = (world: World, key: TenantKey, text: string | Buffer) =>
  publicEncrypt(
    { key: world.keys.publicKey(key), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    Buffer.from(text),
  ).toString('base64');

t.test('encrypted fields: current key, then retiring ones; one answer for every failure', async (t) => {
  const world = await openWorld();
  const { keys, asked, read, time } = world;
  const old = await keys.active(demo, 'PAYLOAD');
  const secret = 'Pässwörd 🔑';
  const value = encrypted(world, old, secret);
  t.match(await read('password', value), { status: 'read', secret, key: { kid: old.kid, status: 'ACTIVE' } });
  t.match(await read('password', value, { encrypted: true, keyId: old.kid }), { status: 'read', secret });
  await keys.rotate('PAYLOAD', 48, asked());
  const fresh = await keys.active(demo, 'PAYLOAD');
  t.match(await read('password', value), { status: 'read', secret, key: { status: 'RETIRING' } }, 'overlap');
  t.match(await read('password', encrypted(world, fresh, secret)), { status: 'read', secret, key: { kid: fresh.kid } });

  const UNDECRYPTABLE = { status: 'undecryptable' };
  const bytes = Buffer.from(value, 'base64');
  const changed = Buffer.from(bytes);
  changed[100] = (changed[100] ?? 0) ^ 1;
  const foreign = encrypted(world, await keys.active(other, 'PAYLOAD'), secret);
  const failures: ReadonlyArray<[string, string, Parameters<typeof readSecret>[4]?]> = [
    ['changed', changed.toString('base64')],
    ['of another tenant', foreign],
    ['with the other key', value, { keyId: fresh.kid }],
    ['with an unknown key', value, { keyId: 'nobody' }],
    ['truncated, and said to be encrypted', bytes.subarray(0, -1).toString('base64'), { encrypted: true }],
    ['plain, and said to be encrypted', secret, { encrypted: true }],
    ['of a key size that is not in use', randomBytes(256).toString('base64')],
    ['no UTF-8', encrypted(world, fresh, Buffer.of(0xff, 0xfe))],
  ];
  for (const [why, text, more] of failures) t.same(await read('password', text, more), UNDECRYPTABLE, why);
  time.ms += 48 * HOUR;
  t.same(await read('password', value), UNDECRYPTABLE, 'past its time');
});

t.test('plain text, where the tenant allows it', async (t) => {
  const [sandbox, production] = [await openWorld(true), await openWorld(false)];
  const plain = (secret: string) => ({ status: 'read', secret, key: undefined });
  const refused = { status: 'plaintext-not-allowed' };
  t.same(await sandbox.read('password', 'Sup3r$ecret!'), plain('Sup3r$ecret!'));
  t.same(await production.read('password', 'Sup3r$ecret!'), refused);
  await sandbox.prefer('ALLOW_PLAINTEXT_SECRETS', 'NO');
  await production.prefer('ALLOW_PLAINTEXT_SECRETS', 'YES');
  t.same(await sandbox.read('password', 'Sup3r$ecret!'), refused);
  t.same(await production.read('password', 'Sup3r$ecret!'), plain('Sup3r$ecret!'));
  const shaped = encrypted(production, await production.keys.active(demo, 'PAYLOAD'), 'text');
  t.same(await production.read('password', shaped, { encrypted: false }), plain(shaped), 'payloadEncrypted decides');
  t.same(await production.read('password', 'abcd'.repeat(4)), plain('abcd'.repeat(4)), 'Base64 of another length');
});

t.test('sealed fields (JWE): fresh, for one field, once', async (t) => {
  const world = await openWorld(false);
  const { keys, read, time, ids, asked } = world;
  const rsa = await keys.active(demo, 'PAYLOAD');
  const ec = await keys.active(demo, 'PAYLOAD', 'ECDH-ES+A256KW');
  const seal = async (more: Record<string, unknown> = {}, key: TenantKey = rsa, text = 'Sup3r$ecret!') => {
    const header = {
      alg: key.algorithm,
      enc: 'A256GCM',
      kid: key.kid,
      iat: Math.floor(time.ms / 1000),
      jti: ids.eventId(),
      fld: 'password',
    };
    const merged = Object.fromEntries(
      Object.entries({ ...header, ...more }).filter(([, value]) => value !== undefined),
    );
    return await new CompactEncrypt(Buffer.from(text))
      .setProtectedHeader(merged as unknown as CompactJWEHeaderParameters)
      .encrypt(keys.publicKey(key));
  };
  const UNDECRYPTABLE = { status: 'undecryptable' };
  const GOOD = { status: 'read', secret: 'Sup3r$ecret!' };
  for (const key of [rsa, ec]) {
    const sealed = await seal({}, key);
    t.match(await read('password', sealed), GOOD, key.algorithm);
    t.same(await read('password', sealed), UNDECRYPTABLE, 'replayed');
  }
  const retried = await seal();
  t.match(await read('password', retried, { use: 'request 1', encrypted: true, keyId: rsa.kid }), GOOD);
  t.match(await read('password', retried, { use: 'request 1' }), GOOD, 'a retry of the same request');
  t.same(await read('password', retried, { use: 'request 2' }), UNDECRYPTABLE);
  t.same(await read('password', retried), UNDECRYPTABLE);

  const swapped = await seal();
  t.same(await read('confirmPassword', swapped), UNDECRYPTABLE, 'another field');
  t.same(await read('password', swapped, {}, other), UNDECRYPTABLE, 'another tenant');
  t.same(await read('password', swapped, { keyId: ec.kid }), UNDECRYPTABLE, 'another key id');
  const good = await seal();
  const parts = good.split('.');
  const header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const moved = { ...header, fld: 'confirmPassword' };
  const reheaded = [Buffer.from(JSON.stringify(moved)).toString('base64url'), ...parts.slice(1)].join('.');
  t.same(await read('confirmPassword', reheaded), UNDECRYPTABLE, 'the header is authenticated');
  t.same(await read('password', good.slice(0, -4)), UNDECRYPTABLE, 'truncated');
  t.same(await read('password', parts.slice(0, 4).join('.'), { encrypted: true }), UNDECRYPTABLE);
  t.match(await read('password', good), GOOD, 'and none of these spent it');
  const now = Math.floor(time.ms / 1000);
  const bad: ReadonlyArray<[string, Record<string, unknown>, TenantKey?]> = [
    ['too old', { iat: now - 301 }],
    ['of the future', { iat: now + 61 }],
    ...['iat', 'jti', 'fld', 'kid'].map((name): [string, Record<string, unknown>] => [
      `no ${name}`,
      { [name]: undefined },
    ]),
    ['an unknown key', { kid: 'nobody' }],
    ['the id of another key', { kid: ec.kid }],
    ['AES-CBC', { enc: 'A256CBC-HS512' }],
    ['AES-128', { enc: 'A128GCM' }],
    ['OAEP with SHA-1', { alg: 'RSA-OAEP' }],
    ['direct agreement', { alg: 'ECDH-ES' }, ec],
    ['iat as text', { iat: String(now) }],
    ['a short jti', { jti: '1' }],
  ];
  for (const [why, more, key] of bad) t.same(await read('password', await seal(more, key)), UNDECRYPTABLE, why);
  t.match(await read('password', await seal({ iat: now - 300 })), GOOD, 'five minutes are fresh');
  t.same(await read('password', await seal({ zip: 'DEF' })), UNDECRYPTABLE, 'compressed');

  const before = await seal({}, ec);
  await keys.rotate('PAYLOAD', 48, asked(), 'ECDH-ES+A256KW');
  t.match(await read('password', before), { ...GOOD, key: { status: 'RETIRING' } }, 'overlap');
  t.equal((await keys.active(demo, 'PAYLOAD')).kid, rsa.kid, 'the other pair stays');
});

const sessionOf = (world: World, more: Partial<Session> = {}): Session => ({
  ...{
    sessionId: world.ids.eventId(),
    tenantId: demo,
    user: { kind: 'customer', id: world.ids.eventId() },
    device: null,
  },
  ...{ createdAt: '2026-11-22T10:30:00.000Z', expiresAt: '2026-12-22T10:30:00.000Z', revokedAt: null, ...more },
});

t.test('access tokens say who it is, as documented', async (t) => {
  const world = await openWorld();
  const { identity, keys, asked, time } = world;
  const { accessTokens } = identity;
  const session = sessionOf(world);
  const agentId = world.ids.eventId();
  const claims = { roles: ['CUSTOMER'], customerCode: 'RZ0LNK', agentId, lifeSeconds: 3600 } as const;
  const { token, jti, expiresAt } = await accessTokens.issue(session, claims);
  const key = await keys.active(demo, 'JWT');
  const { id } = session.user;
  t.same(decodeProtectedHeader(token), { alg: 'RS256', typ: 'JWT', kid: key.kid });
  const iat = Date.parse('2026-11-22T10:30:00Z') / 1000;
  t.same(decodeJwt(token), {
    ...{
      iss: 'https://corebook.test',
      aud: 'corebook-api',
      sub: id,
      'user-id': id,
      jti,
      'tenancy-id': demo,
      'client-id': demo,
    },
    ...{ roles: ['CUSTOMER'], iat, exp: iat + 3600, 'customer-code': 'RZ0LNK', 'agent-id': agentId },
    ...{ sid: session.sessionId, kind: 'customer' },
  });
  t.equal(expiresAt, '2026-11-22T11:30:00.000Z');
  t.same(await accessTokens.verify(token), {
    ...{
      jti,
      tenantId: demo,
      userId: id,
      userKind: 'customer',
      sessionId: session.sessionId,
      roles: ['CUSTOMER'],
      agentId,
      expiresAt,
    },
  });
  await keys.rotate('JWT', 48, asked());
  t.ok(await accessTokens.verify(token), 'overlap');
  const next = await accessTokens.issue(session, { roles: ['MANAGER'], lifeSeconds: 3600 });
  t.not((decodeProtectedHeader(next.token) as { kid: string }).kid, key.kid);
  t.match(await accessTokens.verify(next.token), { roles: ['MANAGER'], agentId: undefined });
  const elsewhere = new AccessTokens({ ...accessTokens.ports, keys: world.another() });
  t.ok(await elsewhere.verify(next.token), 'another process knows the new key');
  time.ms += 3_604_000;
  t.ok(await accessTokens.verify(next.token), 'clocks may differ a little');
  time.ms += 2_000;
  t.equal(await accessTokens.verify(next.token), undefined, 'expired');
  const short = await accessTokens.issue(session, { roles: ['CUSTOMER'], lifeSeconds: 3600 });
  await keys.rotate('JWT', 0, asked());
  t.equal(await accessTokens.verify(short.token), undefined, 'a key that was replaced at once');
});

t.test('attacks on access tokens', async (t) => {
  const world = await openWorld();
  const { identity, keys, time } = world;
  const { accessTokens } = identity;
  const session = sessionOf(world);
  const { token } = await accessTokens.issue(session, { roles: ['CUSTOMER'], lifeSeconds: 3600 });
  const key = await keys.active(demo, 'JWT');
  const foreignKey = await keys.active(other, 'JWT');
  const privateKey = (await keys.privateKey(key)) ?? t.fail('a private half');
  const foreign = (await keys.privateKey(foreignKey)) ?? t.fail('a private half');
  const claims = decodeJwt(token);
  const header = { alg: 'RS256', typ: 'JWT', kid: key.kid };
  type Signer = Parameters<SignJWT['sign']>[0];
  const sign = (more: object, moreHeader: object = {}, by: unknown = privateKey) =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader({ ...header, ...moreHeader }).sign(by as Signer);
  t.ok(await accessTokens.verify(await sign({})), 'made like this it is good');
  const [head = '', payload = '', signature = ''] = token.split('.');
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const confused = `${encode({ ...header, alg: 'HS256' })}.${payload}`;
  const hmac = (secret: string | Buffer) =>
    `${confused}.${createHmac('sha256', secret).update(confused).digest('base64url')}`;
  const publicKey = keys.publicKey(key);
  const now = Math.floor(time.ms / 1000);
  const attacks: Record<string, string> = {
    'alg none': new UnsecuredJWT(claims).encode(),
    'alg none with kid': `${encode({ ...header, alg: 'none' })}.${payload}.`,
    'alg NONE, signature kept': `${encode({ ...header, alg: 'NONE' })}.${payload}.${signature}`,
    'HS256 with the public key (PEM)': hmac(publicKey.export({ type: 'spki', format: 'pem' })),
    'HS256 with the public key (DER)': hmac(publicKey.export({ type: 'spki', format: 'der' })),
    'PS256 by the same key': await sign({}, { alg: 'PS256' }),
    'RS512 by the same key': await sign({}, { alg: 'RS512' }),
    'no typ': await sign({}, { typ: undefined }),
    'another typ': await sign({}, { typ: 'at+jwt' }),
    'the kid of another tenant': await sign({}, { kid: foreignKey.kid }, foreign),
    'signed by another tenant': await sign({}, {}, foreign),
    'another tenant named': await sign({ 'tenancy-id': other, 'client-id': other }),
    'another tenant named, its kid': await sign({ 'tenancy-id': other, 'client-id': other }, { kid: foreignKey.kid }),
    'client-id of another tenant': await sign({ 'client-id': other }),
    'no kid': await sign({}, { kid: undefined }),
    'unknown kid': await sign({}, { kid: 'x' }),
    'the payload key’s kid': await sign({}, { kid: (await keys.active(demo, 'PAYLOAD')).kid }),
    'a key of its own': await sign({}, { jwk: publicKey.export({ format: 'jwk' }), kid: undefined }, foreign),
    'critical header': await sign({}, { crit: ['exp'], exp: 1 }).catch(
      () => `${encode({ ...header, crit: ['x'], x: 1 })}.${payload}.${signature}`,
    ),
    expired: await sign({ exp: now - 6 }),
    'no exp': await sign({ exp: undefined }),
    'exp as text': await sign({ exp: String(now + 60) }).catch(() => ''),
    'not yet': await sign({ nbf: now + 60 }),
    'wrong audience': await sign({ aud: 'another-api' }),
    'no audience': await sign({ aud: undefined }),
    'wrong issuer': await sign({ iss: 'https://elsewhere.test' }),
    'no issuer': await sign({ iss: undefined }),
    'no session': await sign({ sid: undefined }),
    'unknown role': await sign({ roles: ['ROOT'] }),
    'no roles': await sign({ roles: [] }),
    'another user-id': await sign({ 'user-id': world.ids.eventId() }),
    'unknown kind': await sign({ kind: 'robot' }),
    'changed payload': `${head}.${encode({ ...claims, roles: ['MANAGER'] })}.${signature}`,
    'no signature': `${head}.${payload}.`,
    'two parts': `${head}.${payload}`,
    cut: token.slice(0, -1),
    'signature of another': `${head}.${payload}.${(await sign({ roles: ['MANAGER'] })).split('.')[2] ?? ''}`,
    empty: '',
    dots: '..',
    'no JSON': `${head}.e30x.${signature}`,
    'an API token': `fct_test_${'a'.repeat(51)}`,
    megabytes: `${head}.${'a'.repeat(1_000_000)}.${signature}`,
  };
  for (const [name, attack] of Object.entries(attacks)) t.equal(await accessTokens.verify(attack), undefined, name);
  t.ok(await accessTokens.verify(token), 'the good one is still good');
});

t.test('what is too long is not decoded', async (t) => {
  const world = await openWorld();
  for (const long of ['A'.repeat(100_000), `eyJ${'a'.repeat(9_000)}.a.a.a.a`]) {
    t.same(await world.read('password', long, { encrypted: true }), { status: 'undecryptable' });
  }
});
