/** What cannot be seen over HTTP: time, crashes between two steps, the rules of passwords, mail under way. */
import t, { type Test } from 'tap';
import { changePassword } from '../../application/access/change-password.js';
import { logIn } from '../../application/access/log-in.js';
import { passwordFaults } from '../../application/access/password-policy.js';
import { pinFaults } from '../../application/access/pins.js';
import { purgeExpired } from '../../application/access/purge-expired.js';
import { completePasswordReset } from '../../application/access/reset-password.js';
import { composeMail } from '../../application/mail/compose-mail.js';
import { JobMailQueue, type MailTask, mailProcessor } from '../../application/mail/mail-queue.js';
import { type Identity, emailDigestOf } from '../../application/access/identity.js';
import type { Mail } from '../../application/ports/mailer.js';
import type { PasswordHasher } from '../../application/ports/password-hasher.js';
import { agentIdOf } from '../../domain/agent/agent.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { resolvePreferences } from '../../domain/tenant/preferences.js';
import { SECRETS } from '../../http/auth/examples.js';
import { Argon2Hasher } from '../../infrastructure/security/argon2-hasher.js';
import { HttpWorld, type WorldOptions } from '../support/http-world.js';
import { testSeal } from '../support/identity.js';
import { newCustomer } from '../support/signed-in.js';

const DEMO = tenantIdOf('demo');
const EMAIL = 'chidi.eze@example.com';
const POLICY = resolvePreferences([], { agents: [], today: '2026-11-22' });

async function open(test: Test, options: WorldOptions = {}) {
  const world = await HttpWorld.open(options);
  test.teardown(() => world.close());
  const chidi = await newCustomer(world, EMAIL);
  const asked = (key?: string) => ({
    tenantId: DEMO,
    actor: { subject: 'anonymous', roles: [] },
    correlationId: 'c',
    ...(key === undefined ? {} : { idempotency: { id: key, requestHash: '0'.repeat(32) } }),
  });
  const by = (email: string, text: string) =>
    ({ email, secret: { kind: 'password', text }, device: undefined, hostAgentId: undefined }) as const;
  return { world, identity: world.identity as Identity, chidi, asked, by };
}
/** An idempotency key as the log knows it. */
const KEY = '0f8fad5b-d9cb-469f-a165-70867728950e';

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
/** Median distance from the median: how much the times of one and the same thing differ. */
const spread = (values: readonly number[]): number => {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
};

const TRIES = 200;
/** What no network lets anybody see. */
const LEAST_NOISE_MS = 0.05;

/** Times of a wrong password for a known address and for ones that nobody has, taken in turn. */
async function timed(
  { identity, asked, by }: Awaited<ReturnType<typeof open>>,
  hasher: PasswordHasher,
  tries = TRIES,
): Promise<{ known: number[]; unknown: number[] }> {
  const times = { known: [] as number[], unknown: [] as number[] };
  const timing = { ...identity, hasher };
  for (let n = 0; n < tries; n += 1) {
    const order = n % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
    for (const which of order) {
      const email = which === 'known' ? EMAIL : 'nobody@example.com';
      const started = process.hrtime.bigint();
      const { status } = await logIn(timing, asked(), by(email, 'Wrong-secret-1!'));
      times[which].push(Number(process.hrtime.bigint() - started) / 1e6);
      if (status !== 'wrong-credentials') throw new Error(status);
    }
    // Neither address is ever locked.
    for (const email of [EMAIL, 'nobody@example.com']) {
      await identity.attempts.clear(DEMO, emailDigestOf(identity.master, DEMO, email));
    }
  }
  return times;
}

t.test('known and unknown addresses take the same time', async (t) => {
  const hasher = new Argon2Hasher({ memoryKiB: 8_192, passes: 1 });
  const scene = await open(t, { hasher });
  await timed(scene, hasher, 50); // Warm.
  const { known, unknown } = await timed(scene, hasher);
  const difference = Math.abs(median(known) - median(unknown));
  const noise = Math.max((spread(known) + spread(unknown)) / 2, LEAST_NOISE_MS);
  const told = `medians ${median(known).toFixed(3)} and ${median(unknown).toFixed(3)} ms, noise ${noise.toFixed(3)} ms`;
  t.comment(told);
  t.ok(difference < noise, told);

  // The measurement sees what it is there for: without the decoy's hash it is plain who exists.
  const leaky: PasswordHasher = {
    decoy: hasher.decoy,
    hash: (secret) => hasher.hash(secret),
    verify: (hash, secret) => (hash === hasher.decoy ? Promise.resolve(false) : hasher.verify(hash, secret)),
    isOutdated: () => false,
  };
  const seen = await timed(scene, leaky, 50);
  const leak = Math.abs(median(seen.known) - median(seen.unknown));
  t.ok(leak > (spread(seen.known) + spread(seen.unknown)) / 2, `${leak.toFixed(3)} ms`);
});

t.test('a stronger setting hashes anew at the next log-in', async (t) => {
  const { identity, chidi, asked, by } = await open(t);
  const stronger = { ...identity, hasher: new Argon2Hasher({ memoryKiB: 128, passes: 1 }) };
  const before = await identity.credentials.byUser(DEMO, chidi.user.id);
  t.equal((await logIn(stronger, asked(), by(EMAIL, 'wrong'))).status, 'wrong-credentials');
  t.same(await identity.credentials.byUser(DEMO, chidi.user.id), before, 'not by a wrong one');
  t.equal((await logIn(stronger, asked(), by(EMAIL, chidi.password))).status, 'signed-in');
  const after = await identity.credentials.byUser(DEMO, chidi.user.id);
  t.not(after?.passwordHash, before?.passwordHash);
  t.match(after, { passwordHistory: before?.passwordHistory, passwordSetAt: before?.passwordSetAt });
  t.equal((await logIn(stronger, asked(), by(EMAIL, chidi.password))).status, 'signed-in');
});

/** The same store, but that one method of it never gets there. */
function crashingAt<Store extends object>(store: Store, method: keyof Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === method) return () => Promise.reject(new Error('crash'));
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

t.test('a crash between the log and the store is made up for by the retry', async (t) => {
  const { identity, chidi, asked, by, world } = await open(t);
  const { sessions, credentials } = identity;
  const types = async () => {
    const all: string[] = [];
    for await (const { type } of world.log.read(DEMO, { from: 0 })) all.push(type);
    return all.filter((type) => ['signed-in', 'secret-set'].includes(type));
  };

  const broken = { ...identity, sessions: crashingAt(sessions, 'open') };
  await t.rejects(logIn(broken, asked(KEY), by(EMAIL, chidi.password)), { message: 'crash' });
  const retried = await logIn(identity, asked(KEY), by(EMAIL, chidi.password));
  t.match(retried, { status: 'signed-in', replayed: true });
  t.same(await types(), ['signed-in']);
  if (retried.status !== 'signed-in') return;
  const { sessionId } = retried.tokens.session;
  t.ok(await sessions.get(DEMO, sessionId), 'the session is there now');

  const storeless = { ...identity, credentials: crashingAt(credentials, 'setPassword') };
  const change = {
    ...{ user: chidi.user, sessionId },
    ...{ currentPassword: chidi.password, newPassword: SECRETS.newPassword },
  };
  const second = '1f8fad5b-d9cb-469f-a165-70867728950e';
  await t.rejects(changePassword(storeless, asked(second), change), { message: 'crash' });
  t.equal((await logIn(identity, asked(), by(EMAIL, chidi.password))).status, 'signed-in', 'the old one is good still');
  t.match(await changePassword(identity, asked(second), change), { status: 'done', replayed: true });
  t.equal((await logIn(identity, asked(), by(EMAIL, SECRETS.newPassword))).status, 'signed-in');
  t.equal((await types()).filter((type) => type === 'secret-set').length, 1, 'stated once');
});

t.test('a log that is away leaves everything as it was', async (t) => {
  const { identity, chidi, asked, by } = await open(t);
  const bus = { execute: () => Promise.reject(new Error('the log is away')) };
  const before = await identity.credentials.byUser(DEMO, chidi.user.id);
  await t.rejects(logIn({ ...identity, bus }, asked(), by(EMAIL, chidi.password)), /away/);
  const change = {
    user: chidi.user,
    sessionId: KEY,
    currentPassword: chidi.password,
    newPassword: SECRETS.newPassword,
  };
  await t.rejects(changePassword({ ...identity, bus }, asked(), change), /away/);
  t.same(await identity.credentials.byUser(DEMO, chidi.user.id), before);
  t.equal(await identity.sessions.revokeAll(DEMO, chidi.user.id, new Date().toISOString()), 0, 'no session was opened');
});

t.test('people of a suspended agent are kept out; a suspended tenant lets nobody in', async (t) => {
  const { identity, chidi, asked, by, world } = await open(t);
  const agent = agentIdOf(DEMO, 'north');
  await identity.credentials.setStanding(DEMO, chidi.user.id, { status: 'ACTIVE', agent });
  t.equal((await logIn(identity, asked(), by(EMAIL, chidi.password))).status, 'signed-in');
  await world.command('set-agent-status', { agent, status: 'SUSPENDED', reason: 'r' }, DEMO);
  t.match(await logIn(identity, asked(), by(EMAIL, chidi.password)), { refusal: { refused: 'agent-suspended' } });
  await identity.credentials.setStanding(DEMO, chidi.user.id, { status: 'ACTIVE', agent: null });
  await world.command('set-tenant-status', { status: 'SUSPENDED', reason: 'r' }, DEMO);
  t.match(await logIn(identity, asked(), by(EMAIL, chidi.password)), { refusal: { refused: 'tenant-suspended' } });
});

t.test('an answer given to a reset is given to nobody else', async (t) => {
  const { identity, asked } = await open(t);
  const wanted = {
    email: 'nobody@example.com',
    code: '123456',
    reference: undefined,
    newPassword: SECRETS.newPassword,
  };
  t.match(await completePasswordReset(identity, asked(KEY), wanted), { status: 'wrong-credentials' });
});

t.test('passwords', async (t) => {
  const found = (password: string, words: string[] = [], policy = POLICY) =>
    passwordFaults(password, policy, words).map(({ code }) => code);
  for (const good of [SECRETS.password, SECRETS.newPassword, 'Tr0ub4dor&3x', 'Ünder#Wasser7Igel', 'vX9!kq2LmZ'])
    t.same(found(good), [], good);
  const bad: ReadonlyArray<readonly [string, string]> = [
    ['Ab1!xyz', 'TOO_SHORT'],
    [`Aa1!${'xq'.repeat(63)}`, 'TOO_LONG'],
    ['harbour-7!lamp', 'NO_UPPERCASE'],
    ['HARBOUR-7!LAMP', 'NO_LOWERCASE'],
    ['Harbour-x!Lamp', 'NO_DIGIT'],
    ['Harbour-7-Lamp', 'NO_SPECIAL_CHARACTER'],
    ['Password1!', 'COMMON_PASSWORD'],
    ['P@ssw0rd1!', 'COMMON_PASSWORD'],
    ['!!Dragon2026', 'COMMON_PASSWORD'],
    ['Welcome123!', 'COMMON_PASSWORD'],
    ['Qwertyuiop1!', 'SIMPLE_PATTERN'],
    ['Abcdefgh1!', 'SIMPLE_PATTERN'],
    ['9876543210!Aa', 'SIMPLE_PATTERN'],
    ['Ab1!Ab1!Ab1!', 'SIMPLE_PATTERN'],
    ['Aaaaaaa1!', 'SIMPLE_PATTERN'],
  ];
  for (const [password, code] of bad)
    t.ok(found(password).includes(code), `${password} ${code}: ${found(password).join()}`);
  const own = ['Chidi', 'Ezé-Okafor', 'chidi.okafor@example.com'];
  for (const password of ['x7#Chidi!Qm', 'x7#0kafor!Qm', 'x7#OKAFOR!qm', 'ch1d1#Qm77x'])
    t.ok(found(password, own).includes('PERSONAL_WORD'), password);
  t.same(found('x7#Eze!Qm29b', own), [], 'what is short stands in many words');
  const lax = { ...POLICY, PASSWORD_REQUIRES_SPECIAL_CHARACTER: false, PASSWORD_MINIMUM_LENGTH: 12 };
  t.same(found('Harbour7Lamp', [], lax), []);
  t.same(found('Harbour7Lam', [], lax), ['TOO_SHORT']);
  t.same(pinFaults('0246', POLICY), []);
  t.same(
    pinFaults('3210', POLICY).map(({ code }) => code),
    ['SIMPLE_PATTERN'],
  );
});

t.test('mail is written as the tenant or agent wants it, and is sealed on its way', async (t) => {
  const { identity, world } = await open(t);
  const values = { otp: '493021', minutes: '5', email: EMAIL };
  const own = await composeMail(identity, DEMO, undefined, 'PASSWORD_RESET', values);
  t.match(own, {
    fromName: 'demo',
    subject: 'Set a new password at demo',
    text: /493021[^]*https:\/\/pay\.demo\.example/,
  });
  await world.command(
    'update-tenant',
    { settings: { emailTemplates: { LOGIN_OTP: 'Hello, {{ otp }}!\n{{link}}\n{{nothing}} here' } } },
    DEMO,
  );
  const agent = agentIdOf(DEMO, 'north');
  const templates = { emailTemplates: { PASSWORD_RESET: 'Subject: North\n\nGo {{link}}' } };
  const branding = { branding: { passwordResetUrl: 'https://north.example/new' } };
  await world.command('update-agent', { agent, settings: { ...templates, ...branding } }, DEMO);
  const texts = async (template: 'LOGIN_OTP' | 'PASSWORD_RESET', by?: string) => {
    const { subject, text } = await composeMail(identity, DEMO, by, template, values);
    return [subject, text];
  };
  t.same(await texts('LOGIN_OTP'), [
    'demo',
    'Hello, 493021!\nhttps://pay.demo.example/reset-password#email=chidi.eze%40example.com&otp=493021',
  ]);
  t.same(await texts('PASSWORD_RESET', agentIdOf(DEMO, 'north-shop')), [
    'North',
    'Go https://north.example/new#email=chidi.eze%40example.com&otp=493021',
  ]);

  const jobs: MailTask[] = [];
  const add = ({ data }: { data: MailTask }) => {
    jobs.push(data);
    return Promise.resolve();
  };
  const queue = new JobMailQueue({ add }, testSeal());
  const mail: Mail = { ...own, to: EMAIL, owner: KEY };
  await queue.enqueue(mail);
  await queue.decoy(mail);
  t.notMatch(JSON.stringify(jobs), EMAIL);
  t.ok(Math.abs((jobs[0]?.sealed.length ?? 0) - (jobs[1]?.sealed.length ?? 0)) <= 4, 'a decoy looks like a mail');
  const sent: Mail[] = [];
  const send = (one: Mail) => {
    sent.push(one);
    return Promise.resolve();
  };
  const work = mailProcessor({ send }, testSeal());
  for (const data of jobs) await work({ id: '1', data, attempt: 1, signal: new AbortController().signal });
  t.same(sent, [mail], 'the decoy is sent to nobody');
});

t.test('what has expired is taken away', async (t) => {
  const { identity, chidi, asked, by } = await open(t);
  await logIn(identity, asked(), by(EMAIL, chidi.password));
  await logIn(identity, asked(), by('nobody@example.com', 'x'));
  t.equal(await purgeExpired(identity), 0);
  const later = { ...identity, clock: { ...identity.clock, nowMs: () => Date.now() + 40 * 86_400_000 } };
  t.ok((await purgeExpired(later)) >= 2);
});
