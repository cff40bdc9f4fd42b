/** One contract for each store of identity, memory and PostgreSQL, and what only PostgreSQL can be asked. */
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { Credentials, CredentialStore } from '../../application/ports/credentials.js';
import { type Device, type DeviceStore, MAX_DEVICES } from '../../application/ports/devices.js';
import type { Outbox } from '../../application/ports/mailer.js';
import type {
  AttemptCounter,
  OneTimePassword,
  OneTimePasswordStore,
} from '../../application/ports/one-time-passwords.js';
import type { Session, SessionStore } from '../../application/ports/sessions.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryAttemptCounter } from '../../infrastructure/memory/attempt-counter.js';
import { MemoryCredentialStore } from '../../infrastructure/memory/credential-store.js';
import { MemoryDeviceStore } from '../../infrastructure/memory/device-store.js';
import { MemoryOneTimePasswordStore } from '../../infrastructure/memory/one-time-passwords.js';
import { MemoryOutbox } from '../../infrastructure/memory/outbox.js';
import { MemorySessionStore } from '../../infrastructure/memory/session-store.js';
import { PostgresAttemptCounter } from '../../infrastructure/postgres/attempt-counter.js';
import { PostgresCredentialStore } from '../../infrastructure/postgres/credential-store.js';
import { type Database, openDatabase } from '../../infrastructure/postgres/database.js';
import { PostgresDeviceStore } from '../../infrastructure/postgres/device-store.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresOneTimePasswordStore } from '../../infrastructure/postgres/one-time-passwords.js';
import { PostgresOutbox } from '../../infrastructure/postgres/outbox.js';
import { PostgresSessionStore } from '../../infrastructure/postgres/session-store.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

const [DEMO, OTHER] = [tenantIdOf('demo'), tenantIdOf('other')];
const START = Date.parse('2026-11-22T10:00:00.000Z');
/** `at(90)` is a minute and a half after ten. */
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();
let time = START;
const ids = createIdSource(() => (time += 1));
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function credentialsOf(more: Partial<Credentials> = {}): Credentials {
  return {
    tenantId: DEMO,
    user: { kind: 'customer', id: ids.eventId() },
    status: 'PENDING',
    roles: ['CUSTOMER'],
    agent: null,
    passwordHash: '$argon2id$one',
    passwordSetAt: at(0),
    passwordHistory: [],
    createdAt: at(0),
    ...more,
  };
}

async function credentialContract(t: Test, store: CredentialStore): Promise<void> {
  await t.test('an address is reserved once, and a forgotten reservation lapses', async (t) => {
    const ada = credentialsOf();
    const email = digestOf('ada');
    t.equal(await store.reserve(ada, email), true);
    t.same(await store.byEmail(DEMO, email), ada);
    t.same(await store.byUser(DEMO, ada.user.id), ada);
    t.equal(await store.emailDigestOf(DEMO, ada.user.id), email);
    t.equal(await store.byEmail(OTHER, email), undefined, 'of one tenant');
    t.equal(await store.reserve(credentialsOf({ createdAt: at(59) }), email), false, 'taken');
    t.equal(await store.reserve(credentialsOf({ tenantId: OTHER }), email), true, 'free in another tenant');
    const late = credentialsOf({ createdAt: at(60) });
    t.equal(await store.reserve(late, email), true, 'still pending after its time');
    t.same(await store.byEmail(DEMO, email), late);
    t.equal(await store.byUser(DEMO, ada.user.id), undefined, 'the one before is gone');
    await store.setStanding(DEMO, late.user.id, { status: 'ACTIVE' });
    t.equal(await store.reserve(credentialsOf({ createdAt: at(9_999) }), email), false, 'an active one stays');
    await store.release(DEMO, late.user.id);
    t.ok(await store.byUser(DEMO, late.user.id), 'only what is pending is released');
    const many = Array.from({ length: 8 }, () => store.reserve(credentialsOf(), digestOf('race')));
    t.equal((await Promise.all(many)).filter(Boolean).length, 1, 'of many at once one has it');
  });

  await t.test('release and delete free the address', async (t) => {
    const email = digestOf('free');
    for (const free of ['release', 'delete'] as const) {
      const one = credentialsOf();
      t.equal(await store.reserve(one, email), true);
      await store[free](OTHER, one.user.id);
      t.ok(await store.byUser(DEMO, one.user.id), 'not by another tenant');
      await store[free](DEMO, one.user.id);
      t.equal(await store.byEmail(DEMO, email), undefined);
    }
  });

  await t.test('standing', async (t) => {
    const bayo = credentialsOf({ user: { kind: 'employee', id: ids.eventId() }, agent: ids.eventId() });
    await store.reserve(bayo, digestOf('bayo'));
    t.equal(await store.setStanding(DEMO, ids.eventId(), { status: 'ACTIVE' }), false);
    t.equal(await store.setStanding(OTHER, bayo.user.id, { status: 'ACTIVE' }), false);
    t.equal(await store.setStanding(DEMO, bayo.user.id, { status: 'ACTIVE' }), true);
    t.same(await store.byUser(DEMO, bayo.user.id), { ...bayo, status: 'ACTIVE' });
    await store.setStanding(DEMO, bayo.user.id, { status: 'INACTIVE', roles: ['CASHIER', 'AGENT'], agent: null });
    t.match(await store.byUser(DEMO, bayo.user.id), { status: 'INACTIVE', roles: ['CASHIER', 'AGENT'], agent: null });
  });

  await t.test('passwords and their history', async (t) => {
    const one = credentialsOf({ passwordHash: null, passwordSetAt: null });
    const { id } = one.user;
    await store.reserve(one, digestOf('history'));
    await store.setPassword(DEMO, id, 'h0', at(1));
    t.match(await store.byUser(DEMO, id), { passwordHash: 'h0', passwordSetAt: at(1), passwordHistory: [] });
    for (let n = 1; n <= 26; n += 1) await store.setPassword(DEMO, id, `h${n}`, at(n));
    const { passwordHistory = [], ...after } = (await store.byUser(DEMO, id)) ?? {};
    t.match(after, { passwordHash: 'h26', passwordSetAt: at(26) });
    t.same([passwordHistory.length, passwordHistory[0], passwordHistory.at(-1)], [24, 'h25', 'h2']);
    await store.rehash(DEMO, id, 'h25', 'other');
    t.equal((await store.byUser(DEMO, id))?.passwordHash, 'h26', 'another one was set meanwhile');
    await store.rehash(DEMO, id, 'h26', 'stronger');
    t.match(await store.byUser(DEMO, id), { passwordHash: 'stronger', passwordSetAt: at(26), passwordHistory });
  });
}

function sessionOf(more: Partial<Session> = {}): Session {
  return {
    sessionId: ids.eventId(),
    tenantId: DEMO,
    user: { kind: 'customer', id: ids.eventId() },
    device: 'phone "1"',
    createdAt: at(0),
    expiresAt: at(1_000),
    revokedAt: null,
    ...more,
  };
}
const token = (): string => digestOf(ids.eventId());

async function sessionContract(t: Test, store: SessionStore): Promise<void> {
  await t.test('refresh tokens rotate; a spent one ends the family', async (t) => {
    const session = sessionOf();
    const { sessionId } = session;
    const [one, two, three] = [token(), token(), token()];
    await store.open(session, one);
    await t.rejects(store.open(session, token()), 'a session is opened once');
    t.same(await store.get(DEMO, sessionId), session);
    t.equal(await store.get(OTHER, sessionId), undefined);
    t.same(await store.byRefresh(one), session);
    t.equal(await store.byRefresh(token()), undefined);
    const longer = { ...session, expiresAt: at(2_000) };
    t.same(await store.refresh(one, two, at(10), at(2_000)), { status: 'refreshed', session: longer });
    t.same(await store.get(DEMO, sessionId), longer, 'it slides');
    t.match(await store.refresh(one, two, at(11), at(2_000)), { status: 'refreshed' }, 'the same exchange again');
    t.match(await store.refresh(two, three, at(12), at(2_000)), { status: 'refreshed' });
    const revokedAt = at(13);
    t.same(await store.refresh(one, two, at(13), at(3_000)), { status: 'reused', session: { ...longer, revokedAt } });
    t.same(await store.refresh(three, token(), at(14), at(3_000)), { status: 'invalid' }, 'the whole family');
    t.equal(await store.isRevoked(DEMO, 'jti', sessionId), true);
    t.same(await store.refresh(token(), token(), at(14), at(3_000)), { status: 'invalid' }, 'unknown');
  });

  await t.test('of two exchanges at once one is a reuse; a session ends', async (t) => {
    const [one, last] = [token(), token()];
    const session = sessionOf();
    await store.open(session, one);
    const both = await Promise.all([
      store.refresh(one, token(), at(1), at(2_000)),
      store.refresh(one, token(), at(1), at(2_000)),
    ]);
    t.same(both.map(({ status }) => status).sort(), ['refreshed', 'reused']);
    await store.open(sessionOf({ expiresAt: at(100) }), last);
    t.same(await store.refresh(last, token(), at(100), at(2_000)), { status: 'invalid' }, 'expired');
  });

  await t.test('a repeated log-in gets a token of the same family', async (t) => {
    const session = sessionOf();
    const [one, two] = [token(), token()];
    await store.open(session, one);
    await store.addRefresh(DEMO, session.sessionId, two);
    await store.addRefresh(DEMO, session.sessionId, two);
    await t.rejects(store.addRefresh(DEMO, ids.eventId(), token()));
    t.match(await store.refresh(two, token(), at(1), at(2_000)), { status: 'refreshed' });
    t.match(await store.refresh(two, token(), at(1), at(2_000)), { status: 'reused' });
    t.match(await store.refresh(one, token(), at(1), at(2_000)), { status: 'invalid' });
  });

  await t.test('revoking', async (t) => {
    const user = { kind: 'employee', id: ids.eventId() } as const;
    const [a, b, c, d] = [sessionOf({ user }), sessionOf({ user }), sessionOf({ user, device: 'tablet' }), sessionOf()];
    for (const one of [a, b, c, d]) await store.open(one, token());
    t.equal(await store.revoke(OTHER, a.sessionId, at(5)), false);
    t.equal(await store.revoke(DEMO, a.sessionId, at(5)), true);
    t.equal(await store.revoke(DEMO, a.sessionId, at(6)), false, 'once');
    t.equal((await store.get(DEMO, a.sessionId))?.revokedAt, at(5));
    t.equal(await store.revokeDevice(DEMO, user.id, 'tablet', at(7)), 1);
    t.equal(await store.isRevoked(DEMO, 'j', c.sessionId), true);
    const e = sessionOf({ user });
    await store.open(e, token());
    t.equal(await store.revokeAll(DEMO, user.id, at(8), e.sessionId), 1, 'b; the present one stays');
    t.equal(await store.isRevoked(DEMO, 'j', e.sessionId), false);
    t.equal(await store.revokeAll(OTHER, user.id, at(9)), 0);
    t.equal(await store.revokeAll(DEMO, user.id, at(9)), 1);
    t.equal(await store.isRevoked(DEMO, 'j', d.sessionId), false, 'nobody else');
    await store.denyToken(DEMO, 'j', at(100));
    await store.denyToken(DEMO, 'j', at(100));
    t.equal(await store.isRevoked(DEMO, 'j', d.sessionId), true, 'one access token');
    t.equal(await store.isRevoked(DEMO, 'k', d.sessionId), false);
    t.equal(await store.isRevoked(OTHER, 'k', d.sessionId), true, 'a session nobody knows');
  });

  await t.test('a step-up is good for one action of its session', async (t) => {
    const session = sessionOf();
    const { sessionId } = session;
    await store.open(session, token());
    const digest = token();
    await store.grantStepUp({ tenantId: DEMO, sessionId, digest, expiresAt: at(300) });
    t.equal(await store.spendStepUp(DEMO, sessionId, token(), 'pay', at(1)), false, 'unknown');
    t.equal(await store.spendStepUp(DEMO, ids.eventId(), digest, 'pay', at(1)), false, 'of another session');
    t.equal(await store.spendStepUp(DEMO, sessionId, digest, 'pay', at(300)), false, 'past its time');
    t.equal(await store.spendStepUp(DEMO, sessionId, digest, 'pay', at(299)), true);
    t.equal(await store.spendStepUp(DEMO, sessionId, digest, 'pay', at(299)), true, 'the same action again');
    t.equal(await store.spendStepUp(DEMO, sessionId, digest, 'other', at(299)), false, 'another one');
    const unused = token();
    await store.grantStepUp({ tenantId: DEMO, sessionId, digest: unused, expiresAt: at(300) });
    await store.revoke(DEMO, sessionId, at(2));
    t.equal(await store.spendStepUp(DEMO, sessionId, unused, 'pay', at(3)), false, 'gone with its session');
  });

  await t.test('forgetting', async (t) => {
    const session = sessionOf({ expiresAt: at(50) });
    const refresh = token();
    await store.open(session, refresh);
    await store.denyToken(DEMO, 'old', at(50));
    await store.grantStepUp({ tenantId: DEMO, sessionId: session.sessionId, digest: token(), expiresAt: at(20) });
    await store.purge(at(49));
    t.ok(await store.get(DEMO, session.sessionId));
    t.ok((await store.purge(at(50))) >= 2);
    t.equal(await store.get(DEMO, session.sessionId), undefined);
    t.equal(await store.byRefresh(refresh), undefined);
    t.equal(await store.purge(at(50)), 0);
    const own = sessionOf();
    await store.open(own, token());
    await store.deleteAllOf(OTHER, own.user.id);
    t.ok(await store.get(DEMO, own.sessionId));
    await store.deleteAllOf(DEMO, own.user.id);
    t.equal(await store.get(DEMO, own.sessionId), undefined);
  });
}

async function otpContract(t: Test, store: OneTimePasswordStore): Promise<void> {
  const emailDigest = digestOf('otp');
  const [right, wrong] = [digestOf('123456'), digestOf('654321')];
  const passwordOf = (seconds: number, more: Partial<OneTimePassword> = {}): OneTimePassword => ({
    reference: ids.eventId(),
    tenantId: DEMO,
    purpose: 'LOGIN',
    emailDigest,
    codeDigest: right,
    createdAt: at(seconds),
    expiresAt: at(seconds + 300),
    maxTries: 3,
    ...more,
  });
  const attempt = (
    code: string | null,
    seconds: number,
    reference?: string,
    purpose: 'LOGIN' | 'TRANSACTION' = 'LOGIN',
  ) =>
    store.attempt(DEMO, purpose, { emailDigest, ...(reference === undefined ? {} : { reference }) }, code, at(seconds));

  await t.test('one at a time, with a pause in between', async (t) => {
    const first = passwordOf(0);
    t.same(await store.issue(first, 60), { status: 'issued' });
    t.same(await store.issue(first, 60), { status: 'repeated' });
    const { reference } = first;
    t.same(await store.issue(passwordOf(45.5), 60), { status: 'too-soon', reference, waitSeconds: 15 });
    t.same(await store.issue(passwordOf(10, { purpose: 'TRANSACTION' }), 60), { status: 'issued' }, 'by purpose');
    t.same(await store.issue(passwordOf(10, { tenantId: OTHER }), 60), { status: 'issued' }, 'by tenant');
    const second = passwordOf(60);
    t.same(await store.issue(second, 60), { status: 'issued' });
    t.same(await attempt(right, 61, reference), { status: 'none' }, 'the old one is void');
    t.same(await attempt(right, 61, second.reference), { status: 'right', reference: second.reference });
    t.same(await attempt(right, 62), { status: 'spent', reference: second.reference }, 'once');
    t.same(await attempt(wrong, 62), { status: 'none' });
    await store.giveBack(DEMO, 'LOGIN', emailDigest, reference);
    t.same(await attempt(right, 62), { status: 'spent', reference: second.reference }, 'another one is given back');
    await store.giveBack(DEMO, 'LOGIN', emailDigest, second.reference);
    t.same(await attempt(right, 63), { status: 'right', reference: second.reference });
    t.same(await store.attempt(DEMO, 'RESET_PASSWORD', { emailDigest }, right, at(61)), { status: 'none' });
  });

  await t.test('tries are counted, time passes', async (t) => {
    const one = passwordOf(1_000);
    await store.issue(one, 60);
    t.same(await attempt(wrong, 1_001), { status: 'wrong' });
    t.same(await attempt(wrong, 1_001), { status: 'wrong' });
    t.same(await attempt(wrong, 1_001), { status: 'wrong' });
    t.same(await attempt(right, 1_001), { status: 'exhausted' }, 'even the right one');
    const two = passwordOf(2_000);
    await store.issue(two, 60);
    t.same(await attempt(right, 2_300), { status: 'expired' });
    t.same(await attempt(null, 2_300), { status: 'expired' }, 'the magic value too');
    t.same(await attempt(null, 2_299), { status: 'right', reference: two.reference });
    t.same(await attempt(null, 2_299), { status: 'spent', reference: two.reference });
    const three = passwordOf(3_000);
    await store.issue(three, 60);
    const many = await Promise.all(Array.from({ length: 6 }, () => attempt(right, 3_001)));
    t.equal(many.filter(({ status }) => status === 'right').length, 1, 'of many at once one is right');
    await store.issue(passwordOf(4_000), 60);
    const guesses = await Promise.all(Array.from({ length: 8 }, () => attempt(wrong, 4_001)));
    t.equal(guesses.filter(({ status }) => status === 'wrong').length, 3, 'no more tries than there are');
  });

  await t.test('purge', async (t) => {
    await store.issue(passwordOf(9_000), 60);
    await store.purge(at(9_300));
    t.same(await attempt(right, 9_300), { status: 'expired' }, 'for a day one is told that it expired');
    await store.purge(at(9_300 + 86_400));
    t.same(await attempt(right, 9_301), { status: 'none' });
  });
}

async function attemptContract(t: Test, store: AttemptCounter): Promise<void> {
  const fail = (subject: string, seconds: number, tenant = DEMO) => store.fail(tenant, subject, 3, 10, at(seconds));
  await t.test('the third wrong attempt locks', async (t) => {
    t.same([await fail('a', 0), await fail('a', 1)], [null, null]);
    t.equal(await store.lockedUntil(DEMO, 'a', at(1)), null);
    t.equal(await fail('a', 2), at(602), 'who locks it learns until when');
    t.equal(await fail('a', 3), null, 'nothing is counted while it lasts');
    t.equal(await store.lockedUntil(DEMO, 'a', at(601)), at(602));
    t.equal(await store.lockedUntil(OTHER, 'a', at(601)), null);
    t.equal(await store.lockedUntil(DEMO, 'a', at(602)), null, 'it passes');
    t.equal(await fail('a', 603), null, 'and counting begins anew');
    t.equal(await fail('a', 604), null);
    await store.clear(OTHER, 'a');
    t.equal(await fail('a', 605), at(1_205));
    await store.clear(DEMO, 'a');
    t.equal(await store.lockedUntil(DEMO, 'a', at(606)), null);
  });
  await t.test('attempts far apart do not add up', async (t) => {
    t.same(
      [await fail('b', 0), await fail('b', 1), await fail('b', 600), await fail('b', 601)],
      [null, null, null, null],
    );
    t.equal(await fail('b', 602), at(1_202));
  });
  await t.test('of many at once exactly one is told of the lock', async (t) => {
    const many = await Promise.all(Array.from({ length: 12 }, () => fail('c', 0)));
    t.same(
      many.filter((until) => until !== null),
      [at(600)],
    );
  });
  await t.test('purge', async (t) => {
    await fail('d', 5_000);
    await store.purge(at(5_599));
    await fail('d', 5_001);
    t.equal(await fail('d', 5_002), at(5_602), 'what counts stays');
    t.ok((await store.purge(at(5_602))) >= 1);
    t.equal(await store.purge(at(5_602)), 0);
  });
}

async function deviceContract(t: Test, store: DeviceStore): Promise<void> {
  const userId = ids.eventId();
  const deviceOf = (deviceId: string, more: Partial<Device> = {}): Device => ({
    tenantId: DEMO,
    userId,
    deviceId,
    platform: 'IOS',
    name: 'Phone',
    pushToken: null,
    createdAt: at(0),
    lastSeenAt: at(0),
    ...more,
  });
  await t.test('devices', async (t) => {
    t.equal(await store.put(deviceOf('one', { pushToken: 'push' })), true);
    t.same(await store.get(DEMO, userId, 'one'), deviceOf('one', { pushToken: 'push' }));
    t.equal(await store.put(deviceOf('one', { name: 'New', createdAt: at(9), lastSeenAt: at(9) })), true);
    const one = deviceOf('one', { name: 'New', pushToken: 'push', lastSeenAt: at(9) });
    t.same(await store.get(DEMO, userId, 'one'), one, 'first seen and push token stay');
    t.equal(await store.get(OTHER, userId, 'one'), undefined);
    for (let n = 2; n <= MAX_DEVICES; n += 1) await store.put(deviceOf(`d${n}`, { createdAt: at(n) }));
    t.equal(await store.put(deviceOf('too many')), false);
    t.equal(await store.put(one), true, 'one that is there may change');
    const all = await store.list(DEMO, userId);
    t.same([all.length, all[0], all[1]?.deviceId], [MAX_DEVICES, one, 'd2'], 'oldest first');
    t.same(await store.list(OTHER, userId), []);
    t.equal(await store.remove(OTHER, userId, 'one'), false);
    t.equal(await store.remove(DEMO, userId, 'one'), true);
    t.equal(await store.remove(DEMO, userId, 'one'), false);
  });
  await t.test('PINs', async (t) => {
    await store.put(deviceOf('p'));
    await store.setPin(DEMO, userId, 'p', 'login', at(1));
    await store.setPin(DEMO, userId, '', 'transaction', at(1));
    t.same([await store.pin(DEMO, userId, 'p'), await store.pin(DEMO, userId, '')], ['login', 'transaction']);
    await store.setPin(DEMO, userId, 'p', 'next', at(2));
    t.equal(await store.pin(DEMO, userId, 'p'), 'next');
    t.equal(await store.pin(DEMO, ids.eventId(), 'p'), undefined);
    t.equal(await store.pin(OTHER, userId, 'p'), undefined);
    await store.remove(DEMO, userId, 'p');
    t.equal(await store.pin(DEMO, userId, 'p'), undefined, 'gone with its device');
    t.equal(await store.pin(DEMO, userId, ''), 'transaction');
    await store.deleteAllOf(OTHER, userId);
    t.equal(await store.pin(DEMO, userId, ''), 'transaction');
    await store.deleteAllOf(DEMO, userId);
    t.equal(await store.pin(DEMO, userId, ''), undefined);
    t.same(await store.list(DEMO, userId), []);
  });
}

async function outboxContract(t: Test, store: Outbox): Promise<void> {
  const owner = ids.eventId();
  const mail = { tenantId: DEMO, to: 'Ada@example.com', fromName: 'Demo', subject: 'Hello', text: 'one\ntwo' };
  await store.send({ ...mail, owner });
  await store.send({ ...mail, to: 'bayo@example.com', subject: 'Second' });
  await store.send({ ...mail, tenantId: OTHER });
  const page = { page: 1, size: 10 };
  const { items, totalElements } = await store.list(DEMO, {}, page);
  t.equal(totalElements, 2);
  t.match(items, [{ subject: 'Second' }, { ...mail, owner }], 'newest first');
  t.notOk('owner' in (items[0] ?? {}));
  t.match(await store.list(DEMO, { to: 'ada@EXAMPLE.com' }, page), { items: [{ owner }], totalElements: 1 });
  t.match(await store.list(DEMO, {}, { page: 2, size: 1 }), { items: [{ owner }], totalElements: 2 });
  await store.deleteAllOf(OTHER, owner);
  t.equal((await store.list(DEMO, {}, page)).totalElements, 2);
  await store.deleteAllOf(DEMO, owner);
  t.match(await store.list(DEMO, {}, page), { items: [{ subject: 'Second' }], totalElements: 1 });
}

interface Stores {
  credentials: CredentialStore;
  sessions: SessionStore;
  otps: OneTimePasswordStore;
  attempts: AttemptCounter;
  devices: DeviceStore;
  outbox: Outbox;
}

async function contract(t: Test, stores: Stores): Promise<void> {
  await t.test('credentials', (t) => credentialContract(t, stores.credentials));
  await t.test('sessions', (t) => sessionContract(t, stores.sessions));
  await t.test('one-time passwords', (t) => otpContract(t, stores.otps));
  await t.test('attempts', (t) => attemptContract(t, stores.attempts));
  await t.test('devices', (t) => deviceContract(t, stores.devices));
  await t.test('outbox', (t) => outboxContract(t, stores.outbox));
}

t.test('memory', (t) =>
  contract(t, {
    credentials: new MemoryCredentialStore(),
    sessions: new MemorySessionStore(),
    otps: new MemoryOneTimePasswordStore(),
    attempts: new MemoryAttemptCounter(),
    devices: new MemoryDeviceStore(),
    outbox: new MemoryOutbox(systemClock, ids),
  }),
);

async function openTestDatabase(t: Test): Promise<Database> {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-identity-'));
  await chmod(dataDir, 0o755); // The server runs as another user when we are root.
  const database = await openDatabase({ dataDir, log: () => undefined });
  t.teardown(async () => {
    await database.close();
    await deleteCluster(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });
  return database;
}

const TABLES = [
  ...['credentials', 'sessions', 'refresh_tokens', 'step_ups', 'denied_tokens', 'one_time_passwords'],
  ...['attempts', 'devices', 'pins', 'outbox'],
];

t.test('postgres', async (t) => {
  const database = await openTestDatabase(t);
  const pool = new pg.Pool({ connectionString: database.urls.core, max: 4 });
  // An idle connection may hear of the server's end before the pool is closed.
  pool.on('error', () => undefined);
  t.teardown(() => pool.end());
  await contract(t, {
    credentials: new PostgresCredentialStore(pool),
    sessions: new PostgresSessionStore(pool),
    otps: new PostgresOneTimePasswordStore(pool),
    attempts: new PostgresAttemptCounter(pool),
    devices: new PostgresDeviceStore(pool),
    outbox: new PostgresOutbox(pool, systemClock, ids),
  });

  await t.test('the tables are for the core role alone', async (t) => {
    for (const role of ['api', 'analyst'] as const) {
      const client = new pg.Client({ connectionString: database.urls[role] });
      await client.connect();
      for (const table of TABLES) {
        await t.rejects(client.query(`select 1 from ledger.${table}`), /permission denied/, `${role} ${table}`);
      }
      await client.end();
    }
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'ledger'::regnamespace and relrowsecurity
          and relforcerowsecurity and relname = any($1)`,
      [TABLES],
    );
    t.same(rows.map(({ name }) => name).sort(), [...TABLES].sort());
  });
});
