/** Log-in, sessions, one-time passwords, passwords, PINs, devices and step-up, over HTTP. */
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import type { Clock } from '../../application/ports/clock.js';
import type { PreferenceKey } from '../../domain/tenant/preferences.js';
import type { Json } from '../../domain/shared/event.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { SECRETS } from '../../http/auth/examples.js';
import { checkStepUp } from '../../http/auth/step-up.js';
import type { Call } from '../../http/endpoint.js';
import { createLogger } from '../../http/logging.js';
import { Overloaded } from '../../application/commands.js';
import { Argon2Hasher } from '../../infrastructure/security/argon2-hasher.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { type Answered, HttpWorld, type Sent, type WorldOptions } from '../support/http-world.js';
import { type Person, type Tokens, logInAs, newCustomer, newEmployee } from '../support/signed-in.js';

const AUTH = '/api/v6/services/securitymanagement';
const USERS = '/api/v6/services/usermanagement';
const PROFILE = `${USERS}/profile`;
const DEMO = tenantIdOf('demo');
const EMAIL = 'chidi.eze@example.com';
const NEW = SECRETS.newPassword;

const say = ({ status, json }: Answered): string => `${status} ${json.errorCode ?? ''}`.trim();
const codes = ({ json }: Answered): string[] => (json.errors ?? []).map(({ code }) => code);

/** A clock that stands where it is put; nobody waits. */
function movableClock(): Clock & { now: number; waited: number } {
  return {
    ...systemClock,
    now: Date.parse('2026-11-22T10:30:00Z'),
    waited: 0,
    nowMs() {
      return this.now;
    },
    sleep(ms) {
      this.waited += ms;
      return Promise.resolve();
    },
  };
}

interface Scene {
  readonly world: HttpWorld;
  readonly clock: ReturnType<typeof movableClock>;
  readonly chidi: Person;
  /** As nobody in tenant demo. */
  ask(path: string, body?: unknown, sent?: Sent): Promise<Answered>;
  as(tokens: Pick<Tokens, 'token'>, path: string, body?: unknown, sent?: Sent): Promise<Answered>;
  logIn(more?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answered>;
  prefer(changes: Partial<Record<PreferenceKey, Json>>): Promise<void>;
  /** Types of the events since the scene began, with what they say. */
  facts(): Promise<string[]>;
  /** The newest code that was mailed to the address. */
  code(to?: string): Promise<string>;
}

async function open(t: Test, options: WorldOptions = {}): Promise<Scene> {
  const clock = movableClock();
  const config = { rateLimits: { ...GENEROUS } };
  const world = await HttpWorld.open({ clock, config, ...options });
  t.teardown(() => world.close());
  const chidi = await newCustomer(world, EMAIL);
  const start = (await eventsOf(world)).length;
  const tenant = { 'X-Tenant': 'demo' };
  const scene: Scene = {
    world,
    clock,
    chidi,
    ask: (path, body, sent = {}) =>
      world.send(path, { method: 'POST', body, ...sent, headers: { ...tenant, ...sent.headers } }, 'NOBODY'),
    as: (tokens, path, body, sent = {}) =>
      world.send(path, { ...(body === undefined ? {} : { method: 'POST', body }), ...sent }, { token: tokens.token }),
    logIn: (more = {}, headers = {}) =>
      scene.ask(
        `${AUTH}/login`,
        { email: EMAIL, currentPassword: chidi.password, ...more },
        { method: 'PUT', headers },
      ),
    async prefer(changes) {
      const list = Object.entries(changes).map(([key, value]) => ({ key: key as PreferenceKey, scope: {}, value }));
      await world.command('change-preferences', { changes: list }, DEMO);
      world.identity.preferences.forget(DEMO);
    },
    async facts() {
      return (await eventsOf(world)).slice(start);
    },
    async code(to = EMAIL) {
      const [mail] = (await world.identity.outbox.list(DEMO, { to }, { page: 1, size: 1 })).items;
      return /\b(\d{4,12})\b/.exec(mail?.text ?? '')?.[1] ?? '';
    },
  };
  return scene;
}

const GENEROUS = {
  perTokenPerMinute: 100_000,
  perAddressPerMinute: 100_000,
  unauthorisedPerMinute: 100_000,
  guessesPerAddressPerMinute: 100_000,
  perTenantPerMinute: 100_000,
};

async function eventsOf(world: HttpWorld): Promise<string[]> {
  const all: string[] = [];
  for await (const { type, data } of world.log.read(DEMO, { from: 0 })) {
    if (type === 'key-introduced') continue;
    const { why, secret, how, method, passed } = data as Record<string, unknown>;
    all.push([type, why, secret, how, method, passed].filter((part) => part !== undefined).join(' '));
  }
  return all;
}

const tokensOf = ({ json }: Answered): Tokens => {
  const data = json.data as { access_token: string; refresh_token: string };
  return { token: data.access_token, refreshToken: data.refresh_token };
};
const right = async ({ world, chidi }: Scene, device?: string): Promise<Tokens> => logInAs(world, chidi, device);
const key = (text: string): Sent => ({ headers: { 'Idempotency-Key': text } });

t.test('log-in answers as documented', async (t) => {
  const scene = await open(t);
  const answer = await scene.logIn();
  t.equal(answer.status, 200, answer.text);
  t.match(answer.json.data, {
    ...{ token_type: 'Bearer', expires_in: 3600, refresh_expires_in: 2_592_000, otpRequired: false },
    refresh_token: /^fcr_[\w-]{43}$/,
    user: {
      ...{ id: scene.chidi.user.id, firstName: 'Chidi', lastName: 'Eze', email: EMAIL, roles: ['CUSTOMER'] },
      ...{ status: 'PENDING_VERIFICATION', complianceStatus: 'INCOMPLETE', countryIsoCode3: 'NGA', tenancyId: DEMO },
    },
  });
  const tokens = tokensOf(answer);
  t.match(JSON.parse(Buffer.from(tokens.token.split('.')[1] ?? '', 'base64url').toString()), {
    'user-id': scene.chidi.user.id,
    'tenancy-id': DEMO,
    roles: ['CUSTOMER'],
    'customer-code': /./,
  });
  t.equal((await scene.as(tokens, PROFILE)).status, 200, 'the token works');
  for (const [method, path] of [
    ['POST', `${AUTH}/login`],
    ['PUT', '/api/v6/services/auth/login'],
  ] as const) {
    const body = { email: ` ${EMAIL}`.trim().toUpperCase(), currentPassword: scene.chidi.password };
    t.equal((await scene.ask(path, body, { method })).status, 200, `${method} ${path}, address in capitals`);
  }
  t.same(
    await scene.facts(),
    Array.from({ length: 3 }, () => 'signed-in PASSWORD'),
  );
  const employee = await newEmployee(scene.world, 'grace@example.com', ['CASHIER', 'AUDITOR']);
  const staff = await scene.ask(`${AUTH}/login`, { email: employee.email, currentPassword: employee.password });
  t.match(staff.json.data, { user: { customerCode: null, complianceStatus: null, roles: ['CASHIER', 'AUDITOR'] } });
  t.equal(say(await scene.ask(`${AUTH}/login`, { email: EMAIL })), '422 VALIDATION_ERROR');
  t.equal(say(await scene.logIn({ userPin: '1' })), '422 VALIDATION_ERROR', 'one or the other');
  t.equal(say(await scene.logIn({ hat: 1 })), '422 VALIDATION_ERROR');
  t.equal(say(await scene.logIn({}, { 'X-Tenant': 'other' })), '401 INVALID_CREDENTIALS', 'in another tenant');
});

t.test('wrong secrets, unknown addresses and deactivated users are answered alike, and locked alike', async (t) => {
  const scene = await open(t);
  const { world, clock, chidi } = scene;
  const wrong = await scene.logIn({ currentPassword: 'x' });
  const unknown = await scene.logIn({ email: 'nobody@example.com' });
  const blank = ({ text }: Answered) => text.replace(/"metadata".*/, '');
  t.equal(say(wrong), '401 INVALID_CREDENTIALS');
  t.equal(blank(unknown), blank(wrong));
  const gone = await newCustomer(world, 'gone@example.com');
  await world.identity.credentials.setStanding(DEMO, gone.user.id, { status: 'INACTIVE' });
  t.equal(blank(await scene.logIn({ email: gone.email })), blank(wrong));

  for (const email of [EMAIL, 'nobody@example.com']) {
    for (let n = 2; n <= 5; n += 1) t.equal(say(await scene.logIn({ email, currentPassword: 'x' })), say(wrong));
    const locked = await scene.logIn({ email });
    t.equal(say(locked), '403 ACCOUNT_LOCKED', 'even with the right password');
    t.same(locked.json.errors?.[0]?.details, { lockedUntil: '2026-11-22T11:00:00.000Z' });
  }
  t.equal(clock.waited, 1000, 'the attempts that lock take as long as each other');
  t.same(
    (await scene.facts()).filter((fact) => fact.startsWith('user-locked')),
    ['user-locked PASSWORD'],
  );
  clock.now += 29 * 60_000;
  t.equal(say(await scene.logIn()), '403 ACCOUNT_LOCKED');
  clock.now += 60_000;
  t.equal(say(await scene.logIn()), '200', 'a lock passes');
  for (let n = 1; n <= 4; n += 1) await scene.logIn({ currentPassword: 'x' });
  t.equal(say(await scene.logIn()), '200');
  for (let n = 1; n <= 4; n += 1) await scene.logIn({ currentPassword: 'x' });
  t.equal(say(await scene.logIn()), '200', 'a right log-in clears');
  await scene.prefer({ UNKNOWN_EMAIL_ANSWERS_404: true, MAX_FAILED_ATTEMPTS: 3 });
  t.equal(say(await scene.logIn({ email: 'none@example.com' })), '404 NOT_FOUND', 'as documented, where it is wanted');
  t.equal(say(await scene.logIn({ currentPassword: 'x' })), '401 INVALID_CREDENTIALS');

  const manager = await newEmployee(world, 'boss@example.com', ['MANAGER']);
  for (let n = 1; n <= 3; n += 1) await scene.logIn({ currentPassword: 'x' });
  t.equal(say(await scene.logIn()), '403 ACCOUNT_LOCKED');
  const boss = await logInAs(world, manager);
  const path = `${USERS}/unlock-user-account/${chidi.user.id}`;
  t.match((await scene.as(boss, path, { reason: 'Called' })).json.data, { id: chidi.user.id, lockedUntil: null });
  t.equal(say(await scene.logIn()), '200', 'unlocked by a manager');
  t.equal(say(await scene.as(boss, `${USERS}/unlock-user-account/${DEMO}`, {})), '404 NOT_FOUND');
  t.equal(say(await world.send(path, { method: 'POST' }, 'AGENT')), '403 FORBIDDEN');
});

t.test('a burst of guesses gets no more tries than there are', async (t) => {
  const scene = await open(t);
  const guesses = await Promise.all(
    Array.from({ length: 12 }, (_, n) => scene.logIn(n === 11 ? {} : { currentPassword: `x${n}` })),
  );
  t.notOk(
    guesses.some(({ status }) => status === 200),
    'the right one came after the lock',
  );
});

t.test('a password expires; the second factor', async (t) => {
  const scene = await open(t);
  const { clock, world } = scene;
  await scene.prefer({ PASSWORD_EXPIRY_DAYS: 30 });
  clock.now += 30 * 86_400_000;
  const expired = await scene.logIn();
  t.equal(say(expired), '403 FORBIDDEN');
  t.same(codes(expired), ['PASSWORD_EXPIRED']);
  await scene.prefer({ PASSWORD_EXPIRY_DAYS: 0, LOGIN_OTP_REQUIRED: true });
  t.equal(say(await scene.logIn({ currentPassword: 'x' })), '401 INVALID_CREDENTIALS');
  t.equal(await scene.code(), '', 'a wrong password sends nothing');
  const half = await scene.logIn();
  const { otpReference } = half.json.data as { otpReference: string };
  t.same(half.json.data, { otpRequired: true, otpReference }, 'no tokens, nothing of the user');
  t.match(
    (await scene.logIn()).json.data,
    { otpRequired: true, otpReference },
    'one that is under way is not sent again',
  );
  const otp = await scene.code();
  t.match(otp, /^\d{6}$/);
  const verify = (more: Record<string, unknown>, sent: Sent = {}) =>
    scene.ask(`${AUTH}/verify-login-otp`, { email: EMAIL, otp, otpReference, ...more }, sent);
  t.equal(say(await verify({ otp: otp === '123456' ? '123457' : '123456' })), '401 INVALID_CREDENTIALS');
  t.equal(say(await verify({ otpReference: '-'.repeat(36) })), '422 VALIDATION_ERROR');
  t.equal(say(await verify({ otpReference: DEMO })), '401 INVALID_CREDENTIALS', 'of another log-in');
  t.equal(say(await verify({ email: 'nobody@example.com' })), '401 INVALID_CREDENTIALS');
  const done = await verify({}, key('otp-1'));
  t.match(done.json.data, { otpRequired: false, user: { email: EMAIL } }, done.text);
  t.equal((await scene.as(tokensOf(done), PROFILE)).status, 200);
  t.equal(say(await verify({})), '401 INVALID_CREDENTIALS', 'once');
  t.equal(say(await verify({}, key('otp-2'))), '401 INVALID_CREDENTIALS', 'with another key too');
  const again = await verify({}, key('otp-1'));
  t.equal(again.headers['idempotency-replayed'], 'true', 'but for a retry');
  t.same(
    (await scene.facts()).filter((fact) => fact.startsWith('signed-in')),
    ['signed-in LOGIN_OTP'],
  );
  t.equal((await world.identity.outbox.list(DEMO, {}, { page: 1, size: 10 })).totalElements, 1);
});

t.test('one-time passwords by e-mail', async (t) => {
  const scene = await open(t);
  const { clock, world } = scene;
  const ask = (email: string, sent: Sent = {}) =>
    scene.ask(`${AUTH}/generate-and-send-otp-toemail/${encodeURIComponent(email)}`, undefined, {
      method: 'GET',
      ...sent,
    });
  const first = await ask(EMAIL, key('a'));
  t.match(first.json.data, { otpReference: /^[0-9a-f-]{36}$/, expiresIn: 300, resendAfter: 60 });
  t.same((await ask(EMAIL, key('a'))).json.data, first.json.data, 'a retry is answered the same');
  const unknown = await ask('nobody@example.com');
  t.match(unknown.json.data, { otpReference: /^[0-9a-f-]{36}$/, expiresIn: 300, resendAfter: 60 });
  t.equal(unknown.json.message, first.json.message);
  for (const email of [EMAIL, 'nobody@example.com']) {
    const soon = await ask(email);
    t.equal(say(soon), '429 RATE_LIMIT_EXCEEDED');
    t.equal(soon.headers['retry-after'], '60');
  }
  const mails = await world.identity.outbox.list(DEMO, {}, { page: 1, size: 10 });
  t.same(
    mails.items.map(({ to }) => to),
    [EMAIL],
    'sent once, and to those who exist',
  );
  const old = await scene.code();
  clock.now += 60_000;
  t.equal((await scene.ask(`${AUTH}/generate-and-send-otp`, { email: EMAIL, purpose: 'LOGIN' })).status, 200);
  const verify = (otp: string, email = EMAIL) => scene.ask(`${AUTH}/verify-login-otp`, { email, otp });
  if (old !== (await scene.code()))
    t.equal(say(await verify(old)), '401 INVALID_CREDENTIALS', 'a new one voids the old');
  const wrong = (await scene.code()) === '111112' ? '111113' : '111112';
  const tries: string[] = [];
  for (let n = 0; n < 5; n += 1) tries.push(say(await verify(wrong)));
  t.ok(tries.includes('429 RATE_LIMIT_EXCEEDED') || say(await verify(wrong)) === '429 RATE_LIMIT_EXCEEDED');
  t.equal(say(await verify(await scene.code())), '429 RATE_LIMIT_EXCEEDED', 'void after five wrong tries');
  const nobody: string[] = [];
  clock.now += 60_000;
  await ask('nobody@example.com');
  for (let n = 0; n < 6; n += 1) nobody.push(say(await verify(wrong, 'nobody@example.com')));
  t.same(
    nobody,
    [...Array.from({ length: 5 }, () => '401 INVALID_CREDENTIALS'), '429 RATE_LIMIT_EXCEEDED'],
    'like anybody',
  );
  clock.now += 3_600_000;
  await ask(EMAIL);
  clock.now += 300_000;
  t.equal(say(await verify(await scene.code())), '410 OTP_EXPIRED');
  await ask(EMAIL);
  t.equal(say(await verify('000000')), '200', 'the magic code of the sandbox');
  t.equal(say(await verify('000000')), '401 INVALID_CREDENTIALS', 'once');
  await ask('none@example.com');
  t.equal(say(await verify('000000', 'none@example.com')), '401 INVALID_CREDENTIALS', 'not for nobody');
  const live = await open(t, { sandbox: false });
  await live.ask(`${AUTH}/generate-and-send-otp`, { email: EMAIL });
  if ((await live.code()) !== '000000') {
    t.equal(
      say(await live.ask(`${AUTH}/verify-login-otp`, { email: EMAIL, otp: '000000' })),
      '401 INVALID_CREDENTIALS',
    );
  }
});

t.test('guessing codes locks, however many codes are asked for', async (t) => {
  const scene = await open(t);
  let last = '';
  let tried = 0;
  for (let round = 0; round < 6; round += 1) {
    await scene.ask(`${AUTH}/generate-and-send-otp`, { email: EMAIL });
    const wrong = (await scene.code()) === '111112' ? '111113' : '111112';
    for (let n = 0; n < 5; n += 1) {
      last = say(await scene.ask(`${AUTH}/verify-login-otp`, { email: EMAIL, otp: wrong }));
      if (last === '401 INVALID_CREDENTIALS') tried += 1;
    }
    scene.clock.now += 60_000;
  }
  t.same([tried, last], [15, '429 RATE_LIMIT_EXCEEDED']);
  t.ok((await scene.facts()).includes('user-locked OTP'));
});

t.test('refresh tokens rotate; reuse ends the log-in', async (t) => {
  const scene = await open(t);
  const refresh = (refreshToken: string, sent: Sent = {}) =>
    scene.ask(`${AUTH}/refresh-token`, { refresh_token: refreshToken }, { method: 'PUT', ...sent });
  const first = await right(scene);
  const second = await refresh(first.refreshToken);
  t.match(second.json, {
    message: 'Token refreshed successfully',
    data: { token_type: 'Bearer', expires_in: 3600, refresh_expires_in: 2_592_000 },
  });
  const next = tokensOf(second);
  t.not(next.refreshToken, first.refreshToken);
  t.equal((await scene.as(next, PROFILE)).status, 200);
  const third = await refresh(next.refreshToken, key('r1'));
  t.same(tokensOf(await refresh(next.refreshToken, key('r1'))).refreshToken, tokensOf(third).refreshToken, 'a retry');
  t.equal(say(await refresh(first.refreshToken)), '403 TOKEN_ALREADY_USED');
  t.equal(say(await refresh(tokensOf(third).refreshToken)), '401 INVALID_REFRESH_TOKEN', 'the whole family');
  t.equal(say(await scene.as(next, PROFILE)), '401 AUTH_REQUIRED', 'and its access tokens, at once');
  t.ok((await scene.facts()).includes('signed-out REFRESH_TOKEN_REUSED'));
  t.equal(say(await refresh('fcr_nobody')), '401 INVALID_REFRESH_TOKEN');
  const other = await right(scene);
  t.equal(say(await refresh(other.refreshToken, { headers: { 'X-Tenant': 'other' } })), '401 INVALID_REFRESH_TOKEN');
  t.equal(say(await refresh(other.refreshToken)), '200', 'which changed nothing');

  const race = await right(scene);
  const both = await Promise.all([refresh(race.refreshToken), refresh(race.refreshToken)]);
  t.same(both.map(say).sort(), ['200', '403 TOKEN_ALREADY_USED'], 'of two at once one is a reuse');
  const retried = await right(scene);
  const same = await Promise.all([refresh(retried.refreshToken, key('k')), refresh(retried.refreshToken, key('k'))]);
  t.same(same.map(say), ['200', '200'], 'unless it is a retry');

  const sliding = await right(scene);
  scene.clock.now += 29 * 86_400_000;
  const later = tokensOf(await refresh(sliding.refreshToken));
  scene.clock.now += 29 * 86_400_000;
  const latest = tokensOf(await refresh(later.refreshToken));
  scene.clock.now += 30 * 86_400_000;
  t.equal(say(await refresh(latest.refreshToken)), '401 INVALID_REFRESH_TOKEN', 'expired');
});

t.test('who was deactivated or got other roles', async (t) => {
  const scene = await open(t);
  const { world } = scene;
  const grace = await newEmployee(world, 'grace@example.com', ['CASHIER']);
  const tokens = await logInAs(world, grace);
  const refresh = (refreshToken: string) => scene.ask(`${AUTH}/refresh-token`, { refresh_token: refreshToken });
  await world.identity.credentials.setStanding(DEMO, grace.user.id, { status: 'ACTIVE', roles: ['MANAGER'] });
  const promoted = tokensOf(await refresh(tokens.refreshToken));
  t.match(Buffer.from(promoted.token.split('.')[1] ?? '', 'base64url').toString(), '"roles":["MANAGER"]');
  await world.identity.credentials.setStanding(DEMO, grace.user.id, { status: 'INACTIVE' });
  t.equal(say(await refresh(promoted.refreshToken)), '401 INVALID_REFRESH_TOKEN');
  t.equal(say(await scene.as(promoted, PROFILE)), '401 AUTH_REQUIRED');
});

t.test('log-out works at once, with either token', async (t) => {
  const scene = await open(t);
  const out = (body: unknown, token?: string, sent: Sent = {}) =>
    token === undefined
      ? scene.ask(`${AUTH}/logout`, body, { method: 'PUT', ...sent })
      : scene.as({ token }, `${AUTH}/logout`, undefined, {
          method: 'PUT',
          ...(body === undefined ? {} : { body }),
          ...sent,
        });
  const refresh = async ({ refreshToken }: Tokens) =>
    say(await scene.ask(`${AUTH}/refresh-token`, { refresh_token: refreshToken }));
  const profile = async (tokens: Tokens) => (await scene.as(tokens, PROFILE)).status;
  const ways: ReadonlyArray<(tokens: Tokens) => Promise<Answered>> = [
    ({ token }) => out(undefined, token),
    ({ refreshToken }) => out({ refresh_token: refreshToken }),
    ({ token, refreshToken }) => out({ refresh_token: refreshToken }, token),
  ];
  for (const way of ways) {
    const [tokens, other] = [await right(scene), await right(scene)];
    t.same([await profile(tokens), await profile(other)], [200, 200]);
    const answer = await way(tokens);
    t.match(answer.json, { message: 'Logged out successfully', data: {} });
    t.same([await profile(tokens), await refresh(tokens)], [401, '401 INVALID_REFRESH_TOKEN']);
    t.same([await profile(other), await refresh(other)], [200, '200'], 'the other log-in goes on');
  }
  t.equal((await scene.facts()).filter((fact) => fact === 'signed-out LOGOUT').length, 3);
  t.equal(say(await out({})), '401 AUTH_REQUIRED');
  t.equal(say(await out({ refresh_token: 'fcr_x' })), '401 INVALID_REFRESH_TOKEN');
  t.equal(
    say(await scene.world.send(`${AUTH}/logout`, { method: 'PUT' }, 'CUSTOMER')),
    '403 FORBIDDEN',
    'an API token',
  );
  const last = await right(scene);
  const done = await out({ refresh_token: last.refreshToken }, undefined, key('out'));
  t.equal(done.status, 200);
  const again = await out({ refresh_token: last.refreshToken }, undefined, key('out'));
  t.same([again.status, again.headers['idempotency-replayed']], [200, 'true']);
});

t.test('a log-in is repeated under its key, by its owner alone', async (t) => {
  const scene = await open(t);
  const first = await scene.logIn({}, { 'Idempotency-Key': 'same' });
  const second = await scene.logIn({}, { 'Idempotency-Key': 'same' });
  t.equal(second.headers['idempotency-replayed'], 'true');
  t.same(await scene.facts(), ['signed-in PASSWORD'], 'one log-in');
  t.equal((await scene.as(tokensOf(second), PROFILE)).status, 200);
  t.equal(say(await scene.logIn({ currentPassword: 'x' }, { 'Idempotency-Key': 'same' })), '401 INVALID_CREDENTIALS');
  const other = await newCustomer(scene.world, 'other@example.com');
  t.equal(
    say(await scene.logIn({ email: other.email }, { 'Idempotency-Key': 'same' })),
    '409 IDEMPOTENCY_KEY_REUSED',
    'somebody else with the same key does not get these tokens',
  );
  await scene.as(tokensOf(first), `${AUTH}/logout`, undefined, { method: 'PUT' });
  t.equal((await scene.as(tokensOf(second), PROFILE)).status, 401, 'both are of the one log-in');
  t.equal(say(await scene.logIn({}, { 'Idempotency-Key': 'same' })), '409 INVALID_STATE_TRANSITION');
});

t.test('change password', async (t) => {
  const scene = await open(t);
  const { world, chidi } = scene;
  const [here, there] = [await right(scene), await right(scene)];
  const change = (body: Record<string, unknown>, sent: Sent = {}) =>
    scene.as(
      here,
      `${AUTH}/change-password`,
      { currentPassword: chidi.password, newPassword: NEW, ...body },
      { method: 'PUT', ...sent },
    );
  const before = (await scene.facts()).length;
  const refused: ReadonlyArray<readonly [Record<string, unknown>, string, string[]]> = [
    [
      { newPassword: 'tiny' },
      '422 VALIDATION_ERROR',
      ['TOO_SHORT', 'NO_UPPERCASE', 'NO_DIGIT', 'NO_SPECIAL_CHARACTER'],
    ],
    [{ newPassword: 'Password1!' }, '422 VALIDATION_ERROR', ['COMMON_PASSWORD']],
    [{ newPassword: 'Abcd!2345' }, '422 VALIDATION_ERROR', ['SIMPLE_PATTERN']],
    [{ newPassword: 'My#Chidi-99' }, '422 VALIDATION_ERROR', ['PERSONAL_WORD']],
    [{ newPassword: chidi.password }, '422 VALIDATION_ERROR', ['PASSWORD_REUSED']],
    [{ confirmPassword: 'other' }, '422 VALIDATION_ERROR', ['MISMATCH']],
    [{ currentPassword: 'wrong' }, '401 INVALID_CREDENTIALS', []],
  ];
  for (const [body, status, found] of refused) {
    const answer = await change(body);
    t.same([say(answer), codes(answer)], [status, found], JSON.stringify(body));
  }
  t.equal((await scene.facts()).length, before, 'nothing was written by the refused calls');
  t.match((await change({}, key('c1'))).json, { message: 'Password changed', data: {} });
  t.equal((await scene.as(here, PROFILE)).status, 200, 'this log-in stays');
  t.equal((await scene.as(there, PROFILE)).status, 401, 'others end');
  t.equal(say(await scene.logIn()), '401 INVALID_CREDENTIALS');
  t.equal(say(await scene.logIn({ currentPassword: NEW })), '200');
  const again = await change({}, key('c1'));
  t.same([again.status, again.headers['idempotency-replayed']], [200, 'true'], 'a retry');
  t.same(
    (await scene.facts()).filter((fact) => /secret-set|signed-out/.test(fact)),
    ['secret-set PASSWORD CHANGED', 'signed-out PASSWORD_CHANGED'],
  );
  t.same(codes(await change({ currentPassword: NEW, newPassword: chidi.password })), ['PASSWORD_REUSED'], 'history');
  t.match((await world.identity.outbox.list(DEMO, { to: EMAIL }, { page: 1, size: 1 })).items, [
    { subject: /changed/ },
  ]);
  for (let n = 0; n < 5; n += 1) await change({ currentPassword: 'wrong' });
  t.equal(say(await change({ currentPassword: NEW })), '403 ACCOUNT_LOCKED', 'guessing here locks, too');
  t.equal(
    say(
      await world.send(
        `${AUTH}/change-password`,
        { method: 'PUT', body: { currentPassword: 'a', newPassword: 'b' } },
        'MANAGER',
      ),
    ),
    '403 FORBIDDEN',
  );
});

t.test('forgotten passwords', async (t) => {
  const scene = await open(t);
  const tokens = await right(scene);
  for (let n = 0; n < 5; n += 1) await scene.logIn({ currentPassword: 'x' });
  t.equal(say(await scene.logIn()), '403 ACCOUNT_LOCKED');
  const asked = await scene.ask(`${AUTH}/reset-password/${EMAIL}`, undefined, { method: 'GET' });
  t.match(asked.json.data, { otpReference: /./, expiresIn: 300 });
  const { json } = await scene.ask(`${AUTH}/reset-password`, { email: 'nobody@example.com' });
  t.match(json, { message: asked.json.message, data: { expiresIn: 300 } });
  const otp = await scene.code();
  const [mail] = (await scene.world.identity.outbox.list(DEMO, { to: EMAIL }, { page: 1, size: 1 })).items;
  t.match(mail?.text, `https://pay.demo.example/reset-password#email=chidi.eze%40example.com&otp=${otp}`);
  const complete = (more: Record<string, unknown> = {}, sent: Sent = {}) =>
    scene.ask(
      `${AUTH}/reset-password`,
      { email: EMAIL, otp, newPassword: NEW, confirmPassword: NEW, ...more },
      { method: 'PUT', ...sent },
    );
  t.equal(say(await complete({ confirmPassword: 'other' })), '422 VALIDATION_ERROR');
  t.same(
    codes(await complete({ newPassword: 'password', confirmPassword: 'password' })).includes('COMMON_PASSWORD'),
    true,
  );
  const present = { newPassword: scene.chidi.password, confirmPassword: scene.chidi.password };
  t.same(codes(await complete(present)), ['PASSWORD_REUSED'], 'and the code is still good:');
  t.equal(say(await complete({ otp: otp === '123456' ? '123457' : '123456' })), '401 INVALID_CREDENTIALS');
  t.equal(say(await complete({ email: 'nobody@example.com' })), '401 INVALID_CREDENTIALS');
  t.match((await complete({}, key('reset'))).json, { status: 'SUCCESS', data: {} });
  t.equal((await complete({}, key('reset'))).headers['idempotency-replayed'], 'true', 'a retry');
  t.equal(say(await complete()), '401 INVALID_CREDENTIALS', 'the code is used up');
  t.equal((await scene.as(tokens, PROFILE)).status, 401, 'all log-ins end');
  t.equal(say(await scene.logIn({ currentPassword: NEW })), '200', 'and the lock is gone');
  t.same(
    (await scene.facts()).filter((fact) => !fact.startsWith('signed-in')),
    ['user-locked PASSWORD', 'secret-set PASSWORD RESET', 'user-unlocked', 'signed-out PASSWORD_CHANGED'],
  );
});

t.test('a new member of staff sets his password by the mailed link', async (t) => {
  const scene = await open(t);
  const body = { firstName: 'Grace', lastName: 'Bello', email: 'grace@example.com', roles: ['CASHIER'] };
  t.equal((await scene.world.send(`${USERS}/create-employee`, { body })).status, 201);
  const otp = await scene.code('grace@example.com');
  t.match(otp, /^\d{10}$/);
  scene.clock.now += 2 * 86_400_000;
  const sent = { email: 'grace@example.com', otp, newPassword: NEW, confirmPassword: NEW };
  t.equal(
    say(await scene.ask(`${AUTH}/login`, { email: sent.email, currentPassword: NEW })),
    '401 INVALID_CREDENTIALS',
  );
  t.equal(say(await scene.ask(`${AUTH}/reset-password`, sent, { method: 'PUT' })), '200');
  t.equal(say(await scene.ask(`${AUTH}/login`, { email: sent.email, currentPassword: NEW })), '200');
  t.ok((await scene.facts()).includes('secret-set PASSWORD CREATED'));
});

t.test('PINs', async (t) => {
  const scene = await open(t);
  const tokens = await right(scene);
  const create = (pin: string, more: Record<string, unknown> = {}, sent: Sent = {}) =>
    scene.as(
      tokens,
      `${USERS}/create-transaction-pin`,
      { transactionPin: pin, confirmTransactionPin: pin, ...more },
      sent,
    );
  for (const [pin, code] of [
    ['1234', 'SIMPLE_PATTERN'],
    ['987654', 'SIMPLE_PATTERN'],
    ['7890', 'SIMPLE_PATTERN'],
    ['1111', 'SIMPLE_PATTERN'],
    ['123', 'TOO_SHORT'],
    ['1357924', 'TOO_LONG'],
    ['48a6', 'NOT_DIGITS'],
  ] as const)
    t.same(codes(await create(pin)), [code], pin);
  t.same(codes(await create('4826', { confirmTransactionPin: '4827' })), ['MISMATCH']);
  t.equal(say(await create('4826', { password: 'wrong' })), '401 INVALID_CREDENTIALS');
  t.equal(say(await create('4826', { password: scene.chidi.password }, key('p'))), '201');
  t.equal((await create('4826', {}, key('p'))).headers['idempotency-replayed'], 'true');
  t.equal(say(await create('5937')), '409 INVALID_STATE_TRANSITION', 'there is one');
  t.match((await scene.as(tokens, PROFILE)).json.data, { hasTransactionPin: true, hasUserPin: false });
  const change = (body: Record<string, unknown>, sent: Sent = {}) =>
    scene.as(
      tokens,
      `${USERS}/change-transaction-pin`,
      { newPin: '7391', confirmPin: '7391', ...body },
      { method: 'PUT', ...sent },
    );
  t.equal(say(await change({})), '422 VALIDATION_ERROR');
  t.equal(say(await change({ currentPin: '0852' })), '401 INVALID_CREDENTIALS');
  t.same(codes(await change({ currentPin: '4826', newPin: '4826', confirmPin: '4826' })), ['UNCHANGED']);
  t.equal(say(await change({ currentPin: '4826' }, key('ch'))), '200');
  t.equal((await change({ currentPin: '4826' }, key('ch'))).headers['idempotency-replayed'], 'true');
  await scene.ask(`${AUTH}/generate-and-send-otp`, { email: EMAIL, purpose: 'TRANSACTION' });
  const otp = await scene.code();
  t.equal(
    say(await change({ otp, newPin: '1111', confirmPin: '1111' })),
    '422 VALIDATION_ERROR',
    'the code is not used up',
  );
  t.equal(say(await change({ otp, newPin: '2580', confirmPin: '2580' })), '200');
  t.equal(say(await change({ otp, newPin: '2468', confirmPin: '2468' })), '401 INVALID_CREDENTIALS');
  for (let n = 0; n < 5; n += 1) await change({ currentPin: '0000' });
  t.equal(say(await change({ currentPin: '2580' })), '403 ACCOUNT_LOCKED');
  t.equal(say(await scene.logIn()), '200', 'the account itself is not');
  scene.clock.now += 30 * 60_000;
  t.equal(say(await change({ currentPin: '2580' })), '200', 'for the lock-out time');
  const facts = (await scene.facts()).filter((fact) => /secret-set|user-locked/.test(fact));
  t.same(facts, [
    ...['secret-set TRANSACTION_PIN CREATED', 'secret-set TRANSACTION_PIN CHANGED', 'secret-set TRANSACTION_PIN RESET'],
    ...['user-locked TRANSACTION_PIN', 'secret-set TRANSACTION_PIN CHANGED'],
  ]);
});

t.test('log-in PINs work on their device', async (t) => {
  const scene = await open(t);
  const tokens = await right(scene);
  const device = { headers: { uuid: 'phone-1', platform: 'IOS' } };
  const pin = { userPin: '5082', confirmUserPin: '5082' };
  t.same(codes(await scene.as(tokens, `${AUTH}/create-user-pin`, pin)), ['REQUIRED'], 'which device?');
  t.equal(say(await scene.as(tokens, `${AUTH}/create-user-pin`, pin, device)), '201');
  t.match((await scene.as(tokens, `${USERS}/devices`)).json.data, [{ deviceId: 'phone-1', platform: 'IOS' }]);
  const logIn = (userPin: string, uuid: string | undefined, email = EMAIL) =>
    scene.ask(`${AUTH}/login`, { email, userPin }, { method: 'PUT', headers: uuid === undefined ? {} : { uuid } });
  const byPin = await logIn('5082', 'phone-1');
  t.equal(say(byPin), '200', byPin.text);
  t.equal(say(await scene.ask(`${AUTH}/login`, { email: EMAIL, userPin: '5082', deviceId: 'phone-1' })), '200');
  t.equal(say(await logIn('5082', 'phone-2')), '401 INVALID_CREDENTIALS', 'elsewhere');
  t.equal(say(await logIn('5082', undefined)), '422 VALIDATION_ERROR');
  t.equal(say(await logIn('5082', 'phone-1', 'nobody@example.com')), '401 INVALID_CREDENTIALS');
  t.equal(say(await logIn('0000', 'phone-1')), '401 INVALID_CREDENTIALS');
  const change = { currentPin: '5082', newPin: '7391', confirmPin: '7391', deviceId: 'phone-1' };
  t.equal(
    say(await scene.as(tokens, `${AUTH}/change-user-pin`, { ...change, deviceId: 'phone-2' }, { method: 'PUT' })),
    '404 NOT_FOUND',
  );
  t.equal(say(await scene.as(tokens, `${AUTH}/change-user-pin`, change, { method: 'PUT' })), '200');
  t.equal(say(await logIn('7391', 'phone-1')), '200');
  for (const email of [EMAIL, 'nobody@example.com']) {
    for (let n = 0; n < 5; n += 1) await logIn('0000', 'phone-1', email);
    t.equal(say(await logIn('7391', 'phone-1', email)), '403 ACCOUNT_LOCKED');
  }
  t.equal(say(await scene.logIn()), '200', 'the password still works');
  const boss = await logInAs(scene.world, await newEmployee(scene.world, 'boss@example.com', ['MANAGER']));
  await scene.as(boss, `${USERS}/unlock-user-account/${scene.chidi.user.id}`, {});
  const onPhone = tokensOf(await logIn('7391', 'phone-1'));
  t.equal((await scene.as(onPhone, PROFILE)).status, 200, 'unlocked');
  const remove = (id: string, sent: Sent = {}) =>
    scene.as(tokens, `${USERS}/devices/${id}`, undefined, { method: 'DELETE', ...sent });
  t.equal(say(await remove('phone-9')), '404 NOT_FOUND');
  t.equal(say(await remove('phone-1', key('rm'))), '200');
  t.equal((await remove('phone-1', key('rm'))).headers['idempotency-replayed'], 'true');
  t.equal((await scene.as(onPhone, PROFILE)).status, 401, 'what is logged in there is out');
  t.equal((await scene.as(tokens, PROFILE)).status, 200);
  t.equal(say(await logIn('7391', 'phone-1')), '401 INVALID_CREDENTIALS', 'its PIN is gone');
  t.ok((await scene.facts()).includes('signed-out DEVICE_REMOVED'));
});

t.test('devices', async (t) => {
  const scene = await open(t);
  const tokens = await right(scene);
  const put = (body: Record<string, unknown>, sent: Sent = {}) =>
    scene.as(tokens, `${USERS}/devices`, { platform: 'ANDROID', ...body }, sent);
  const first = await put({ deviceId: 'd1', name: 'Phone', pushToken: 'secret-push' }, key('d'));
  t.match(first.json.data, { deviceId: 'd1', name: 'Phone', hasPushToken: true });
  t.notMatch(first.text, 'secret-push');
  t.equal((await put({ deviceId: 'd1', name: 'Phone' }, key('d'))).headers['idempotency-replayed'], 'true');
  await put({ deviceId: 'd1', name: 'New name' });
  t.match((await scene.as(tokens, `${USERS}/devices`)).json.data, [{ name: 'New name', hasPushToken: true }]);
  t.equal((await scene.facts()).filter((fact) => fact.startsWith('device-registered')).length, 1);
  for (let n = 2; n <= 20; n += 1) await put({ deviceId: `d${n}` });
  t.equal(say(await put({ deviceId: 'd21' })), '422 LIMIT_EXCEEDED');
  const pin = { userPin: '5082', confirmUserPin: '5082', deviceId: 'd21' };
  t.equal(say(await scene.as(tokens, `${AUTH}/create-user-pin`, pin)), '422 LIMIT_EXCEEDED');
  t.equal(say(await scene.as(tokens, `${USERS}/devices`, { deviceId: 'a b', platform: 'X' })), '422 VALIDATION_ERROR');
});

t.test('step-up', async (t) => {
  const scene = await open(t);
  const { world, chidi, clock } = scene;
  const [tokens, elsewhere] = [await right(scene), await right(scene)];
  const prove = (body: unknown, sent: Sent = {}) => scene.as(tokens, `${AUTH}/step-up`, body, sent);
  const pin = { transactionPin: '4826', confirmTransactionPin: '4826' };
  t.equal(say(await prove({ transactionPin: '4826' })), '401 INVALID_CREDENTIALS', 'there is none');
  await scene.as(tokens, `${USERS}/create-transaction-pin`, pin);
  t.equal(say(await prove({})), '422 VALIDATION_ERROR');
  t.equal(say(await prove({ password: 'x', transactionPin: '1' })), '422 VALIDATION_ERROR');
  t.equal(say(await prove({ password: 'wrong' })), '401 INVALID_CREDENTIALS');
  const byPassword = await prove({ password: chidi.password }, key('s'));
  t.match(byPassword.json.data, { stepUpToken: /^fcs_[\w-]{43}$/, expiresIn: 300 });
  t.same((await prove({ password: chidi.password }, key('s'))).json.data, byPassword.json.data, 'a retry');
  const stepUpTokenOf = (answer: Answered) => (answer.json.data as { stepUpToken: string }).stepUpToken;
  await scene.ask(`${AUTH}/generate-and-send-otp`, { email: EMAIL, purpose: 'TRANSACTION' });
  const otp = await scene.code();
  const byOtp = await prove({ otp }, key('o'));
  t.equal(stepUpTokenOf(await prove({ otp }, key('o'))), stepUpTokenOf(byOtp), 'a retry, although the code is used up');
  t.equal(say(await prove({ otp }, key('o2'))), '401 INVALID_CREDENTIALS');

  const verified = await world.tokenVerifier.verify(tokens.token, '127.0.0.1');
  const verifiedElsewhere = await world.tokenVerifier.verify(elsewhere.token, '127.0.0.1');
  const call = (headers: Record<string, string>, more: Partial<Call> = {}): Call =>
    ({
      endpoint: { id: 'pay' },
      caller: verified,
      headers,
      correlationId: 'c',
      idempotencyKey: 'pay-1',
      services: { ...world.deps, identity: world.identity, positions: new Map() },
      ...more,
    }) as unknown as Call;
  const check = async (headers: Record<string, string>, more: Partial<Call> = {}) => {
    const failure = await checkStepUp(call(headers, more));
    return failure === undefined ? 'passed' : `${failure.errorCode} ${failure.errors[0]?.code ?? ''}`.trim();
  };
  const required = 'FORBIDDEN STEP_UP_REQUIRED';
  const header = { 'x-step-up-token': stepUpTokenOf(byPassword) };
  t.equal(await check({}), required);
  t.equal(await check({ 'x-step-up-token': 'fcs_x' }), required);
  if (verifiedElsewhere !== undefined)
    t.equal(await check(header, { caller: verifiedElsewhere }), required, 'its own log-in');
  t.equal(await check(header), 'passed');
  t.equal(await check(header), 'passed', 'the same action again');
  t.equal(await check(header, { idempotencyKey: 'pay-2' }), required, 'one action');
  const late = { 'x-step-up-token': stepUpTokenOf(byOtp) };
  clock.now += 300_000;
  t.equal(await check(late), required, 'past its time');
  t.equal(await check({ password: chidi.password }), 'passed', 'the documented header');
  t.equal(await check({ password: '4826' }), 'passed', 'with the transaction PIN');
  t.equal(await check({ password: '0852' }), 'INVALID_CREDENTIALS');
  t.equal(await check({ password: 'nonsense' }), 'INVALID_CREDENTIALS');
  const decided = (await scene.facts()).filter((fact) => fact.startsWith('step-up-decided'));
  t.same(decided, [
    ...['step-up-decided TRANSACTION_PIN false', 'step-up-decided PASSWORD false', 'step-up-decided PASSWORD true'],
    ...['step-up-decided OTP true', 'step-up-decided PASSWORD true', 'step-up-decided TRANSACTION_PIN true'],
    ...['step-up-decided TRANSACTION_PIN false', 'step-up-decided PASSWORD false'],
  ]);
});

t.test('secrets are echoed nowhere: not in answers, events, logs', async (t) => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: 'trace', destination });
  const config = { rateLimits: GENEROUS, accessLog: { mode: 'all', sampleEvery: 1, slowMs: 0 } } as const;
  const scene = await open(t, { logger, config });
  const answers: string[] = [];
  const say = async (answer: Promise<Answered>) => answers.push((await answer).text);
  const tokens = await right(scene);
  await say(scene.logIn({ currentPassword: 'Wrong-secret-1!' }));
  await say(
    scene.as(
      tokens,
      `${AUTH}/change-password`,
      { currentPassword: 'Wrong-secret-1!', newPassword: 'weak-secret' },
      { method: 'PUT' },
    ),
  );
  await say(
    scene.as(
      tokens,
      `${USERS}/create-transaction-pin`,
      { transactionPin: '48265', confirmTransactionPin: '48265' },
      key('k'),
    ),
  );
  await say(scene.ask(`${AUTH}/reset-password/${EMAIL}`, undefined, { method: 'GET' }));
  const otp = await scene.code();
  await say(
    scene.ask(
      `${AUTH}/reset-password`,
      { email: EMAIL, otp, newPassword: NEW, confirmPassword: NEW },
      { method: 'PUT', ...key('r') },
    ),
  );
  const events: string[] = [];
  for await (const event of scene.world.log.read(DEMO, { from: 0 })) events.push(JSON.stringify(event));
  const secrets = [
    scene.chidi.password,
    'Wrong-secret-1!',
    'weak-secret',
    '48265',
    NEW,
    otp,
    tokens.token,
    tokens.refreshToken,
  ];
  for (const secret of secrets) {
    // As a whole word: five digits stand in some hash or other by accident.
    const word = new RegExp(`(?<![0-9A-Za-z])${secret.replaceAll(/[^0-9A-Za-z]/g, '\\$&')}(?![0-9A-Za-z])`);
    t.notOk(
      answers.some((answer) => word.test(answer)),
      'an answer',
    );
    t.notOk(
      events.some((event) => word.test(event)),
      'an event',
    );
    t.notOk(
      lines.some((line) => word.test(line)),
      'a log line',
    );
  }
  t.ok(
    lines.some((line) => line.includes('reset-password')),
    'the access log was written',
  );
  t.notOk(
    lines.some((line) => line.includes(EMAIL)),
    'without the address in the path',
  );
  t.notOk(events.some((event) => event.includes(EMAIL)));
});

t.test('the outbox is there in the sandbox, for managers', async (t) => {
  const scene = await open(t);
  await scene.ask(`${AUTH}/generate-and-send-otp`, { email: EMAIL });
  const path = '/api/v6/services/sandbox/outbox';
  t.match((await scene.world.send(`${path}?to=${EMAIL}`)).json.data, {
    mails: [{ to: EMAIL, subject: /log-in code/ }],
    totalElements: 1,
  });
  t.match((await scene.world.send(`${path}?to=none@example.com`)).json.data, { mails: [], totalElements: 0 });
  t.match((await scene.world.send(path, {}, 'MANAGER', 'other')).json.data, { totalElements: 0 }, 'by tenant');
  t.equal(say(await scene.world.send(path, {}, 'CASHIER')), '403 FORBIDDEN');
});

t.test('a flood of log-ins is told to come back later', async (t) => {
  const hasher = new Argon2Hasher({ memoryKiB: 64, passes: 1 });
  const scene = await open(t, { hasher });
  const { verify } = hasher;
  hasher.verify = () => Promise.reject(new Overloaded(2));
  const answer = await scene.logIn();
  t.equal(say(answer), '503 SERVICE_UNAVAILABLE');
  hasher.verify = verify.bind(hasher);
  t.equal(say(await scene.logIn()), '200', 'and nothing was counted');
});
