import t, { type Test } from 'tap';
import { COUNTRIES } from '../../application/countries.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { PREFERENCES, PREFERENCE_KEYS } from '../../domain/tenant/preferences.js';
import { DEFAULT_HTTP_CONFIG } from '../../http/deps.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { type Answered, HttpWorld, type Sent, transfer } from '../support/http-world.js';

const AGENTS = '/api/v6/services/admin/agents';
const PREFERENCE = '/api/v6/services/admin/organisation-preference-management';
const SECURITY = '/api/v6/services/admin/security';
const RANDOM = '00000000-0000-4000-8000-000000000000';
const DEMO = tenantIdOf('demo');

interface Agent {
  readonly agentId: string;
  readonly slug: string;
  readonly [member: string]: unknown;
}

const say = ({ status, json }: Answered): string =>
  [status, json.errorCode ?? '', ...(json.errors ?? []).map(({ field, code }) => `${field}:${code}`)].join(' ').trim();
const agentOf = (answer: Answered): Agent => answer.json.data as Agent;

async function openWorld(t: Test): Promise<HttpWorld> {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  return world;
}

t.test('agents and sub-agents', async (t) => {
  const world = await openWorld(t);
  const own = { token: await world.token('AGENT', 'demo', { agentId: world.agentId('own') }) };
  const sub = { token: await world.token('AGENT', 'demo', { agentId: world.agentId('sub') }) };
  const create = (body: object, as: Parameters<HttpWorld['send']>[2] = 'MANAGER', sent: Sent = {}) =>
    world.send(AGENTS, { body, ...sent }, as);
  const list = async (as: Parameters<HttpWorld['send']>[2], query = '') =>
    ((await world.send(`${AGENTS}${query}`, {}, as)).json.data as { agents: Agent[] }).agents.map(({ slug }) => slug);

  const made = await create({ name: 'Épargne & Cie 24/7', domains: ['Pay.Epargne.example'], smsSenderId: 'EPARGNE' });
  t.equal(made.status, 201, made.text);
  t.match(agentOf(made), {
    slug: 'epargne-cie-24-7',
    parentAgentId: null,
    domains: ['pay.epargne.example'],
    status: 'ACTIVE',
  });
  t.match(say(await create({ name: 'Épargne & Cie 24-7' })), /^422 VALIDATION_ERROR slug:DUPLICATE/);
  t.match(say(await create({ name: '支付' })), /slug:REQUIRED/);
  t.match(say(await create({ name: 'X', slug: 'No' })), /slug:INVALID_FORMAT/);
  t.match(say(await create({ name: 'X', parentAgentId: RANDOM })), /^404 NOT_FOUND parentAgentId:/);
  t.match(
    say(await create({ name: 'X', parentAgentId: world.agentId('sub') })),
    /parentAgentId:INVALID_ARGUMENT/,
    'two levels',
  );
  t.match(
    agentOf(await create({ name: 'Shop 2' }, own)),
    { parentAgentId: world.agentId('own') },
    'an agent’s are his own',
  );
  t.equal((await create({ name: 'Shop 3', parentAgentId: world.agentId('other') }, own)).status, 404);
  t.match(say(await create({ name: 'Shop 4' }, sub)), /parentAgentId:INVALID_ARGUMENT/, 'a sub-agent has none below');
  const keyed = { headers: { 'Idempotency-Key': 'a1' } };
  const [first, again] = [await create({ name: 'Once' }, own, keyed), await create({ name: 'Once' }, own, keyed)];
  t.same(agentOf(again), agentOf(first));
  t.equal(again.headers['idempotency-replayed'], 'true');

  t.same(await list('MANAGER'), ['epargne-cie-24-7', 'north', 'north-shop', 'once', 'shop-2', 'south']);
  t.same(await list(own), ['north', 'north-shop', 'once', 'shop-2']);
  t.same(await list(sub), ['north-shop']);
  t.same(await list(own, `?parentAgentId=${world.agentId('other')}`), []);
  t.same(await list('MANAGER', `?parentAgentId=${world.agentId('other')}`), ['south']);
  t.same(await list('MANAGER', '?status=SUSPENDED'), []);
  for (const [id, as, status] of [
    [world.agentId('own'), own, 200],
    [world.agentId('sub'), own, 200],
    [world.agentId('other'), own, 404],
    [world.agentId('own'), sub, 404],
    [RANDOM, 'MANAGER', 404],
    [world.agentId('own', 'other'), 'MANAGER', 404],
  ] as const) {
    t.equal((await world.send(`${AGENTS}/${id}`, {}, as)).status, status);
    const updated = await world.send(`${AGENTS}/${id}`, { method: 'PUT', body: { branding: { n: 'x' } } }, as);
    t.equal(updated.status, status, 'what may not be seen may not be changed');
    t.equal(
      (await world.send(`${AGENTS}/${id}/status`, { method: 'PUT', body: { status: 'SUSPENDED', reason: 'r' } }, own))
        .status,
      403,
    );
  }

  await t.test('a host name is one tenant’s or agent’s', async (t) => {
    const { agentId } = agentOf(made);
    const put = (id: string, domains: string[]) => world.send(`${AGENTS}/${id}`, { method: 'PUT', body: { domains } });
    t.match(
      say(await put(world.agentId('own'), ['new.example', 'pay.epargne.example'])),
      /domains\.1:DUPLICATE/,
      'an agent’s',
    );
    t.match(say(await put(world.agentId('own'), ['pay.demo.example'])), /domains\.0:DUPLICATE/, 'the tenant’s own');
    t.match(say(await put(world.agentId('own'), ['pay.other.example'])), /domains\.0:DUPLICATE/, 'another tenant’s');
    t.equal((await put(agentId, ['pay.epargne.example', 'b.example'])).status, 200, 'his own');
    const tenant = await world.send(
      `/api/v6/services/admin/tenants/${DEMO}`,
      { method: 'PUT', body: { domains: ['b.example'] } },
      'MANAGER',
      'root',
    );
    t.match(say(tenant), /domains\.0:DUPLICATE/, 'nor may the tenant take an agent’s');
    t.match(say(await put(agentId, ['not a host'])), /domains\.0:INVALID_FORMAT/);
  });

  await t.test('suspended', async (t) => {
    const set = (status: string) =>
      world.send(`${AGENTS}/${world.agentId('own')}/status`, { method: 'PUT', body: { status, reason: 'r' } });
    t.match(agentOf(await set('SUSPENDED')), { status: 'SUSPENDED' });
    t.match(say(await set('SUSPENDED')), /^409 INVALID_STATE_TRANSITION/);
    t.match(say(await create({ name: 'Late' }, own)), /^403 FORBIDDEN :AGENT_SUSPENDED/);
    t.match(agentOf(await set('ACTIVE')), { status: 'ACTIVE' });
  });
});

t.test('preferences', async (t) => {
  const world = await openWorld(t);
  const FETCH = `${PREFERENCE}/fetch-organisaction-preference`;
  const fetch = async (as: Parameters<HttpWorld['send']>[2], query = '', headers: Record<string, string> = {}) => {
    const answer = await world.send(FETCH + query, { headers: { 'X-Tenant': 'demo', ...headers } }, as);
    t.equal(answer.status, 200, answer.text);
    const data = answer.json.data as {
      preferences: Record<string, unknown>;
      branding: unknown;
      passwordPolicy: unknown;
    };
    t.same((answer.json as { preferences?: unknown }).preferences, data.preferences, 'at the root too');
    return { ...data, text: answer.text };
  };
  const update = (body: object, as: 'MANAGER' | 'AGENT' = 'MANAGER') =>
    world.send(`${PREFERENCE}/update-organisaction-preference`, { method: 'PUT', body }, as);

  const shown = PREFERENCE_KEYS.filter((key) => PREFERENCES[key].public);
  t.same(
    Object.keys((await fetch('NOBODY')).preferences).sort(),
    [...shown].sort(),
    'without a token: what everybody may know',
  );
  t.same(Object.keys((await fetch('CUSTOMER')).preferences).sort(), [...PREFERENCE_KEYS].sort(), 'with one: all');
  t.match(await fetch('NOBODY'), {
    preferences: { MAX_TRANSACTION_LIMIT: 5000 },
    passwordPolicy: { minimumLength: 8 },
  });
  t.equal(
    (await world.send(`${PREFERENCE}/fetch-organisation-preference`, { headers: { 'X-Tenant': 'demo' } }, 'NOBODY'))
      .status,
    200,
  );
  t.equal((await world.send(FETCH, {}, 'NOBODY')).status, 422, 'of which tenant?');
  t.equal((await world.send(FETCH, { headers: { 'X-Tenant': 'demo' } }, { token: 'fct_test_guess' })).status, 401);
  t.equal((await world.send(FETCH, { headers: { 'X-Tenant': 'other' } }, 'MANAGER')).status, 403);

  const changed = await update({
    preferences: { MAX_TRANSACTION_LIMIT: 2500.5, TERMS_URL: 'https://t.example' },
    reason: 'law',
  });
  t.equal(changed.status, 200, changed.text);
  const { definitions, settings } = changed.json.data as { definitions: unknown[]; settings: unknown[] };
  t.equal(definitions.length, PREFERENCE_KEYS.length);
  t.match(
    definitions.find((each) => (each as { key: string }).key === 'MAX_TRANSACTION_LIMIT'),
    { type: 'decimal', default: 5000, description: /transaction/, agentMaySet: true },
  );
  t.match(settings, [{ key: 'MAX_TRANSACTION_LIMIT', value: 2500.5, agentId: null }, { key: 'TERMS_URL' }]);
  t.match(
    await fetch('NOBODY'),
    { preferences: { MAX_TRANSACTION_LIMIT: 2500.5 }, terms: { termsUrl: 'https://t.example' } },
    'at once',
  );
  await update({ preferences: { MAX_TRANSACTION_LIMIT: '900719925474099312.0100' } });
  t.match((await fetch('NOBODY')).text, /"MAX_TRANSACTION_LIMIT":900719925474099312\.01\b/, 'every digit');
  const events = await world.send('/api/v6/services/audit/events?type=preferences-changed');
  t.match((events.json.data as { events: unknown[] }).events.at(-1), {
    data: { reason: 'law', changes: [{ from: null, to: '2500.5' }, {}] },
  });

  await t.test('the most specific one holds', async (t) => {
    const agentId = world.agentId('own');
    const of = async (agent: 'own' | 'sub' | 'other', query = '') =>
      (await fetch({ token: await world.token('AGENT', 'demo', { agentId: world.agentId(agent) }) }, query))
        .preferences['MAX_TRANSACTION_LIMIT'];
    await update({ preferences: { MAX_TRANSACTION_LIMIT: 1 } });
    await update({ preferences: { MAX_TRANSACTION_LIMIT: 2 }, agentId });
    await update({ preferences: { MAX_TRANSACTION_LIMIT: 3 }, agentId, countryIso3: 'GHA' });
    await update({
      preferences: { MAX_TRANSACTION_LIMIT: 4 },
      agentId: world.agentId('sub'),
      validFrom: '2000-01-01',
      validTo: '2999-12-31',
    });
    await update({ preferences: { MAX_TRANSACTION_LIMIT: 5 }, agentId: world.agentId('sub'), validTo: '2000-12-31' });
    t.same([await of('own'), await of('own', '?countryIso3=GHA'), await of('sub'), await of('other')], [2, 3, 4, 1]);
    t.equal((await fetch('CUSTOMER')).preferences['MAX_TRANSACTION_LIMIT'], 2, 'his agent’s');
    t.equal((await fetch('MANAGER')).preferences['MAX_TRANSACTION_LIMIT'], 1);
    await update({ preferences: { MAX_TRANSACTION_LIMIT: null }, agentId });
    t.equal(await of('own'), 1, 'taken away: the tenant’s again');
    await world.send(`${AGENTS}/${agentId}`, {
      method: 'PUT',
      body: { branding: { color: 'red' }, domains: ['north.example'] },
    });
    t.match((await fetch('AGENT')).branding, { color: 'red' }, 'and his brand');
    t.match((await fetch('NOBODY', '', { Host: 'north.example' })).branding, { color: 'red' }, 'at his host too');
    t.same((await fetch('NOBODY')).branding, {});
  });

  await t.test('refused', async (t) => {
    const refused: ReadonlyArray<readonly [object, RegExp]> = [
      [
        { preferences: { NO_SUCH: 1, MAX_TRANSACTION_LIMIT: 'x' } },
        /preferences\.NO_SUCH:UNKNOWN_PREFERENCE preferences\.MAX_TRANSACTION_LIMIT:INVALID_VALUE/,
      ],
      [{ preferences: { __proto__x: 1 } }, /UNKNOWN_PREFERENCE/],
      [{ preferences: { OTP_LENGTH: '6' } }, /preferences\.OTP_LENGTH:INVALID_VALUE/],
      [{ preferences: { OTP_LENGTH: 99 } }, /INVALID_VALUE/],
      [{ preferences: { MAX_TRANSACTION_LIMIT: -1 } }, /INVALID_VALUE/],
      [{ preferences: {} }, /preferences:REQUIRED/],
      [{}, /preferences:REQUIRED/],
      [{ preferences: { OTP_LENGTH: 6 }, agentId: world.agentId('own') }, /preferences\.OTP_LENGTH:INVALID_ARGUMENT/],
      [{ preferences: { SUPPORT_EMAIL: 'a' }, agentId: RANDOM }, /^404 NOT_FOUND/],
      [{ preferences: { SUPPORT_EMAIL: 'a' }, agentId: world.agentId('own', 'other') }, /^404 NOT_FOUND/],
      [
        { preferences: { SUPPORT_EMAIL: 'a' }, validFrom: '2026-02-01', validTo: '2026-01-01' },
        /validFrom:INVALID_RANGE/,
      ],
      [{ preferences: { SUPPORT_EMAIL: 'a' }, branchId: 'x' }, /branchId:UNKNOWN_MEMBER/],
    ];
    for (const [body, expected] of refused) t.match(say(await update(body)), expected, JSON.stringify(body));
    t.equal((await update({ preferences: { SUPPORT_EMAIL: 'a' } }, 'AGENT')).status, 403);
  });
});

t.test('the password policy', async (t) => {
  const world = await openWorld(t);
  const view = (path = `${SECURITY}/view-password-policy`) =>
    world.send(path, { headers: { 'X-Tenant': 'demo' } }, 'NOBODY');
  const policy = {
    ...{ minimumLength: 8, maximumLength: 128, requiresUppercase: true, requiresLowercase: true, requiresDigit: true },
    ...{ requiresSpecialCharacter: true, allowedSpecialCharacters: '!@#$%^&*', passwordExpiryDays: 0, historyCount: 5 },
    ...{ maxFailedAttempts: 5, lockoutMinutes: 30 },
  };
  const answer = await view();
  t.same(answer.json.data, policy);
  t.match(answer.json, { ...policy, status: 'SUCCESS' }, 'where the documents read it');
  t.same((await view(`${SECURITY}/password-policy`)).json.data, policy);
  await world.send(`${PREFERENCE}/update-organisation-preference`, {
    method: 'PUT',
    body: { preferences: { PASSWORD_MINIMUM_LENGTH: 12 } },
  });
  t.equal((await view()).json.data?.['minimumLength' as never], 12);
});

t.test('countries', async (t) => {
  const world = await openWorld(t);
  const get = async (which: 'active' | 'list', tenant = 'demo') =>
    (await world.send(`${SECURITY}/${which}-countries`, { headers: { 'X-Tenant': tenant } }, 'NOBODY')).json
      .data as Array<Record<string, unknown>>;
  const put = (iso3: string, body: object) => world.send(`${SECURITY}/countries/${iso3}`, { method: 'PUT', body });
  const names = (list: Array<Record<string, unknown>>) => list.map(({ isoCode3 }) => isoCode3);
  t.equal((await get('list')).length, COUNTRIES.length);
  t.same(
    (await get('list')).find(({ isoCode3 }) => isoCode3 === 'GBR'),
    {
      ...{ countryName: 'United Kingdom', isoCode2: 'GB', isoCode3: 'GBR', currencyCode: 'GBP', dialingCode: '+44' },
      ...{ active: false, sending: false, receiving: false },
    },
  );
  t.ok(names(await get('active')).includes('NGA'), 'its currency is the tenant’s');
  t.notOk(names(await get('active')).includes('GBR'));
  t.match((await put('gbr', { active: true, sending: true })).json.data, {
    isoCode3: 'GBR',
    active: true,
    sending: true,
    receiving: false,
  });
  t.ok(names(await get('active')).includes('GBR'));
  t.notOk(names(await get('active', 'other')).includes('GBR'), 'of this tenant only');
  t.match((await put('GBR', { sending: false })).json.data, { active: true, sending: false });
  t.match((await put('GBR', { sending: false })).json.data, { active: true, sending: false }, 'again');
  t.match((await put('NGA', { active: false })).json.data, { active: false, sending: true });
  t.match(say(await put('GBR', {})), /:REQUIRED/);
  t.match(say(await put('GBR', { open: true })), /open:UNKNOWN_MEMBER/);
  t.equal((await put('XKX', { active: true })).status, 404);
  t.match(say(await put('G1', { active: true })), /iso3:/);
});

t.test('what preferences the edge itself keeps to', async (t) => {
  const world = await openWorld(t);
  const set = (preferences: object) =>
    world.send(`${PREFERENCE}/update-organisaction-preference`, { method: 'PUT', body: { preferences } });
  const post = (headers: Record<string, string> = {}) =>
    world.send('/api/v6/services/gateway/post-account', { body: [transfer(1)], headers });
  t.equal((await post()).status, 200, 'a key is not needed by default');
  t.equal((await set({ IDEMPOTENCY_KEY_REQUIRED: true })).status, 200);
  const before = (await world.log.head(DEMO)).revision;
  t.equal(say(await post()), '422 VALIDATION_ERROR Idempotency-Key:REQUIRED');
  t.equal((await world.log.head(DEMO)).revision, before, 'nothing was posted');
  t.equal((await post({ 'Idempotency-Key': 'k-1' })).status, 200);
  const hold = { accountId: EXAMPLE.accountId, amount: 1, currencyCode: 'NGN', type: 'HOLD', reason: 'r' };
  t.equal((await world.send('/api/v6/services/ledger/holds', { body: hold })).status, 201, 'that moves no money');

  t.equal((await set({ REQUESTS_PER_MINUTE: 3 })).status, 200);
  const statuses = [];
  for (let i = 0; i < 5; i += 1) statuses.push((await world.send(`${SECURITY}/api-tokens`)).status);
  t.same(statuses, [200, 200, 200, 429, 429], 'counted from the change on');
  const limited = await world.send(`${SECURITY}/api-tokens`);
  t.match(limited.headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': '0', 'retry-after': /^\d+$/ });
  t.equal(
    (await world.send(`${SECURITY}/api-tokens`, {}, 'MANAGER', 'other')).status,
    200,
    'another tenant has its own',
  );
});

t.test('guessing is slowed down by address', async (t) => {
  const rateLimits = { ...DEFAULT_HTTP_CONFIG.rateLimits, guessesPerAddressPerMinute: 2 };
  const world = await HttpWorld.open({ config: { rateLimits } });
  t.teardown(() => world.close());
  const body = { email: 'nobody@x.example', currentPassword: 'Wrong-Pass1!' };
  const login = () =>
    world.send(
      '/api/v6/services/securitymanagement/login',
      { method: 'PUT', body, headers: { 'X-Tenant': 'demo' } },
      'NOBODY',
    );
  t.same([(await login()).status, (await login()).status, (await login()).status], [401, 401, 429]);
  t.equal((await world.send('/health', {}, 'NOBODY')).status, 200, 'other calls go on');
});
