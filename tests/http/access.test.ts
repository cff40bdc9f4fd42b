import t from 'tap';
import { type Role, ROLES } from '../../domain/shared/decider.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { DEFAULT_HTTP_CONFIG } from '../../http/deps.js';
import type { Endpoint } from '../../http/endpoint.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { ENDPOINTS, routesOf } from '../../http/registry.js';
import type { Clock } from '../../application/ports/clock.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { type Answered, HttpWorld, OTHER_OWNER, TENANTS, type TenantName, transfer } from '../support/http-world.js';
import { givePassword } from '../support/prepared-examples.js';

const TOKENS = '/api/v6/services/admin/security/api-tokens';
const BALANCE = `/api/v6/services/ledger/account-balance/${EXAMPLE.accountId}`;

/** Path and body of a definition's first example, on one of its routes. */
function exampleOf(endpoint: Endpoint, path = endpoint.path): { path: string; body: unknown } {
  const [example = {}] = Object.values(endpoint.requestExamples);
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => example.params?.[name] ?? '');
  const query = new URLSearchParams(example.query).toString();
  return { path: query === '' ? filled : `${filled}?${query}`, body: example.body };
}

const say = (answer: Answered): string => `${answer.status} ${answer.json.errorCode ?? ''}`;

/** Whether the call was let through to the endpoint: what it then says is the endpoint's business. */
const isLetIn = (answer: Answered): boolean =>
  answer.status !== 401 && answer.status < 500 && answer.json.message?.includes('does not permit this') !== true;

/** What ends a customer, and his tokens with him, comes after all others. */
const DEADLY_LAST = [
  ...ENDPOINTS.filter(({ id }) => id !== 'erase-person'),
  ...ENDPOINTS.filter(({ id }) => id === 'erase-person'),
];
const refusedFirst = (allowed: readonly Role[]): Role[] =>
  ROLES.toSorted((a, b) => Number(allowed.includes(a)) - Number(allowed.includes(b)));

/** Nobody is slowed down: these tests guess a lot. */
const UNLIMITED = {
  config: {
    rateLimits: {
      ...DEFAULT_HTTP_CONFIG.rateLimits,
      ...{ guessesPerAddressPerMinute: 1e6, unauthorisedPerMinute: 1e6 },
    },
  },
};

t.test('every endpoint by every role of the own tenant, by nobody, and by strangers', async (t) => {
  const world = await HttpWorld.open(UNLIMITED);
  // Tokens are events: made before anything is compared.
  for (const tenant of ['root', 'demo', 'other'] as const) for (const role of ROLES) await world.token(role, tenant);
  t.teardown(() => world.close());
  for (const endpoint of DEADLY_LAST) {
    for (const { method, path: pattern } of routesOf(endpoint)) {
      const { path, body } = exampleOf(endpoint, pattern);
      const sent = { method, ...(body === undefined ? {} : { body }) };
      const name = `${method} ${pattern}`;
      if (endpoint.roles === 'PUBLIC') continue;
      const before = await world.log.lastPosition();
      t.equal(say(await world.send(path, sent, 'NOBODY')), '401 AUTH_REQUIRED', `${name}: without a token`);
      t.equal(
        say(await world.send(path, sent, { token: 'fct_test_guess' })),
        '401 AUTH_REQUIRED',
        `${name}: with a wrong token`,
      );
      t.equal(await world.log.lastPosition(), before, `${name}: who has no token writes nothing`);
      for (const role of refusedFirst(endpoint.roles)) {
        const tenant: TenantName = endpoint.rootTenantOnly === true ? 'root' : 'demo';
        const stranger = tenant === 'demo' ? 'other' : 'demo';
        const host = { Host: `pay.${TENANTS[tenant]}.example` };
        const start = await world.log.lastPosition();
        for (const kind of ['expired', 'revoked'] as const) {
          const token = await world.spentToken(role, tenant, kind);
          t.equal(say(await world.send(path, sent, { token })), '401 AUTH_REQUIRED', `${name}: ${role}, ${kind}`);
        }
        const named = await world.send(path, { ...sent, headers: { 'X-Tenant': TENANTS[tenant] } }, role, stranger);
        t.equal(say(named), '403 FORBIDDEN', `${name}: ${role} of another tenant`);
        const elsewhere = await world.send(path, { ...sent, headers: host }, role, stranger);
        t.equal(say(elsewhere), '403 FORBIDDEN', `${name}: ${role} at the host of another tenant`);
        const nowhere = await world.send(path, { ...sent, headers: { Host: 'nobody.example' } }, role, tenant);
        t.equal(say(nowhere), '403 FORBIDDEN', `${name}: ${role} at a host nobody has`);
        t.equal(await world.log.lastPosition(), start, `${name}: ${role}, a refused call writes nothing`);
        const answer = await world.send(path, sent, role, tenant);
        if (endpoint.roles.includes(role)) {
          t.ok(isLetIn(answer), `${name}: ${role} may (${say(answer)})`);
        } else {
          t.equal(say(answer), '403 FORBIDDEN', `${name}: ${role} may not`);
          t.equal(await world.log.lastPosition(), start, `${name}: ${role} writes nothing`);
        }
      }
      if (endpoint.rootTenantOnly === true) {
        t.equal(
          say(await world.send(path, sent, 'MANAGER', 'demo')),
          '403 FORBIDDEN',
          `${name}: a manager of another tenant than the operator's`,
        );
      }
    }
  }
});

t.test('what is for everybody, of a tenant that must be named', async (t) => {
  const world = await HttpWorld.open(UNLIMITED);
  await world.token('MANAGER', 'other');
  t.teardown(() => world.close());
  for (const endpoint of ENDPOINTS) {
    if (endpoint.roles !== 'PUBLIC') continue;
    for (const { method, path: pattern } of routesOf(endpoint)) {
      const { path, body } = exampleOf(endpoint, pattern);
      const sent = (headers: Record<string, string>) => ({ method, headers, ...(body === undefined ? {} : { body }) });
      const name = `${method} ${pattern}`;
      if (endpoint.tenant !== 'named') {
        t.equal((await world.send(path, sent({}), 'NOBODY')).status, 200, `${name}: for everybody`);
        continue;
      }
      const before = await world.log.lastPosition();
      const unnamed = await world.send(path, sent({}), 'NOBODY');
      t.match(
        unnamed.json,
        { errorCode: 'VALIDATION_ERROR', errors: [{ field: 'X-Tenant' }] },
        `${name}: of which tenant?`,
      );
      const nobody = await world.send(path, sent({ 'X-Tenant': 'nobody' }), 'NOBODY');
      t.equal(say(nobody), '403 FORBIDDEN', `${name}: of a tenant that does not exist`);
      const nowhere = await world.send(path, sent({ Host: 'nobody.example' }), 'NOBODY');
      t.equal(say(nowhere), '403 FORBIDDEN', `${name}: at a host nobody has`);
      if (endpoint.token === 'optional') {
        const guess = await world.send(path, sent({ 'X-Tenant': 'demo' }), { token: 'fct_test_guess' });
        t.equal(say(guess), '401 AUTH_REQUIRED', `${name}: a token that is sent must be good`);
        const stranger = await world.send(path, sent({ 'X-Tenant': 'demo' }), 'MANAGER', 'other');
        t.equal(say(stranger), '403 FORBIDDEN', `${name}: by a stranger`);
      }
      t.equal(await world.log.lastPosition(), before, `${name}: refused calls write nothing`);
      const answer = await world.send(path, sent({ 'X-Tenant': 'demo' }), 'NOBODY');
      t.ok(answer.status !== 403 || answer.json.errorCode !== 'FORBIDDEN', `${name}: at its tenant (${say(answer)})`);
      t.ok(answer.status < 500, `${name}: ${say(answer)}`);
    }
  }
});

const UUIDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const NUMBERS = /\b\d{10}\b/g;

/** A request with every id and number of tenant demo in it replaced by one that nobody has. */
function withUnknownIds<T>(value: T): T {
  const known = new Set<string>(Object.values(EXAMPLE));
  // The tenant itself is nobody's customer: everybody in it knows it.
  known.delete(EXAMPLE.tenantId);
  const text = JSON.stringify(value)
    .replace(UUIDS, (id) => (known.has(id) ? `${id.slice(0, -4)}dead` : id))
    .replace(NUMBERS, (number) => (known.has(number) ? `77${number.slice(2)}` : number));
  return JSON.parse(text) as T;
}

t.test('the customers of another agent, and what is theirs, are like nobody', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const { ownToken, otherToken } = {
    ownToken: (role: Role) => world.token(role, 'demo', { agentId: world.agentId('own') }),
    otherToken: (role: Role) => world.token(role, 'demo', { agentId: world.agentId('other') }),
  };
  for (const role of ['AGENT', 'CASHIER'] as const) await Promise.all([ownToken(role), otherToken(role)]);
  let compared = 0;
  for (const endpoint of ENDPOINTS) {
    if (endpoint.roles === 'PUBLIC') continue;
    for (const role of ['AGENT', 'CASHIER'] as const) {
      if (!endpoint.roles.includes(role)) continue;
      for (const { method, path: pattern } of routesOf(endpoint)) {
        const { path, body } = exampleOf(endpoint, pattern);
        const unknown = withUnknownIds({ path, body });
        if (JSON.stringify(unknown) === JSON.stringify({ path, body })) continue;
        const sent = (of: { body?: unknown }) => ({ method, ...(of.body === undefined ? {} : { body: of.body }) });
        const name = `${method} ${pattern} by ${role}`;
        const before = await deeds(world);
        const foreign = await world.send(path, sent({ body }), { token: await otherToken(role) });
        const nobodys = await world.send(unknown.path, sent(unknown), { token: await otherToken(role) });
        t.same(gist(foreign), gist(nobodys), `${name}: another agent's like nobody's`);
        t.equal(await deeds(world), before, `${name}: nothing was done`);
        const own = await world.send(path, sent({ body }), { token: await ownToken(role) });
        t.ok(isLetIn(own), `${name}: of his own (${say(own)})`);
        compared += 1;
      }
    }
  }
  t.ok(compared > 20, `${compared} calls were compared`);
});

/** What an answer tells, without what names the request itself. */
function gist({ status, json }: Answered): unknown {
  const { errorCode, errors, message, data } = json;
  const text = JSON.stringify({ status, errorCode, errors, message, data });
  return JSON.parse(text.replace(UUIDS, '?').replace(NUMBERS, '?'));
}

/** Events but the evidence of refusals: that is written for what does not exist just the same. */
async function deeds(world: HttpWorld): Promise<number> {
  const events = await world.log.readAll({ after: '', limit: 100_000 });
  return events.filter(({ type }) => type !== 'command-refused').length;
}

t.test('ids of another tenant are unknown', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const posted = await world.send('/api/v6/services/gateway/post-account', { body: [transfer(5)] });
  const [posting] = posted.json.data as Array<{
    postingGroupId: string;
    entries: Array<{ externalCorrelationId: string; idempotencyKey: string }>;
  }>;
  const entry = posting?.entries[0];
  const held = await world.send('/api/v6/services/ledger/holds', {
    body: {
      holds: [0, 1].map(() => ({
        accountId: EXAMPLE.accountId,
        amount: 1,
        currencyCode: 'NGN',
        type: 'HOLD',
        reason: 'r',
      })),
    },
  });
  const { groupId, holds } = held.json.data as { groupId: string; holds: Array<{ holdId: string }> };
  const holdId = holds[0]?.holdId ?? '';
  const counterParties = [{ accountNumber: EXAMPLE.accountNumber, currencyCode: 'NGN' }];
  const foreign: ReadonlyArray<readonly [method: string, path: string, body?: unknown]> = [
    ['GET', BALANCE],
    ['GET', `/api/v6/services/account-maintenance/account/${EXAMPLE.accountId}`],
    ['GET', `/api/v6/services/ledger/account-ledger-history/${EXAMPLE.accountId}/0/10`],
    ['GET', `/api/v6/services/ledger/account-statement/${EXAMPLE.accountId}`],
    ['GET', `/api/v6/services/ledger/balance-explanation/${EXAMPLE.accountId}`],
    ['GET', `/api/v6/services/ledger/posting-group/${posting?.postingGroupId}`],
    ['GET', `/api/v6/services/audit/replay/account/${EXAMPLE.accountId}`],
    ['GET', `/api/v6/services/account-maintenance/change-account-permission/${EXAMPLE.accountId}/READ_ONLY`],
    ['PUT', `/api/v6/services/account-maintenance/freeze-account/${EXAMPLE.accountId}`, { scope: 'ALL', reason: 'r' }],
    ['PUT', `/api/v6/services/account-maintenance/unfreeze-account/${EXAMPLE.accountId}`],
    ['PUT', `/api/v6/services/account-maintenance/close-account/${EXAMPLE.accountId}`],
    ['PUT', `/api/v6/services/account-maintenance/overdraft-limit/${EXAMPLE.accountId}`, { overDraftLimit: 1 }],
    ['PUT', `/api/v6/services/account-maintenance/balance-limits/${EXAMPLE.accountId}`, { maximumBalance: 1 }],
    [
      'POST',
      '/api/v6/services/ledger/holds',
      { accountId: EXAMPLE.accountId, amount: 1, currencyCode: 'NGN', type: 'HOLD', reason: 'r' },
    ],
    ['POST', `/api/v6/services/ledger/holds/${holdId}/capture`, { counterParties }],
    ['POST', `/api/v6/services/ledger/holds/${holdId}/release`],
    ['POST', `/api/v6/services/ledger/hold-groups/${groupId}/release`],
    ['POST', `/api/v6/services/gateway/reverse-posting/${posting?.postingGroupId}`, { reason: 'r' }],
    [
      'POST',
      `${TOKENS}/${(await world.tokenStore.list(tenantIdOf('demo'), {}, { page: 1, size: 1 })).items[0]?.tokenId}/rotate`,
    ],
  ];
  for (const [method, path, body] of foreign) {
    const answer = await world.send(path, { method, ...(body === undefined ? {} : { body }) }, 'MANAGER', 'other');
    t.equal(answer.status, 404, `${method} ${path} ${say(answer)}`);
  }
  const empty = ['?accountId=', '?groupId='].map(
    (query, index) => `/api/v6/services/ledger/holds${query}${[EXAMPLE.accountId, groupId][index]}`,
  );
  for (const path of empty) t.match((await world.send(path, {}, 'MANAGER', 'other')).json.data, { holds: [] });
  for (const query of [
    `interaction-id?interactionId=${entry?.externalCorrelationId}`,
    `idempotency-key?idempotencyKey=${entry?.idempotencyKey}`,
  ]) {
    const path = `/api/v6/services/ledger/account-ledger-history-${query}`;
    t.match((await world.send(path, {}, 'MANAGER', 'other')).json.data, { entries: [] });
    t.equal(
      ((await world.send(path)).json.data as { entries: unknown[] }).entries.length,
      2,
      'the own tenant finds them',
    );
  }
});

t.test('a customer sees what is his; the rest answers like what does not exist', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const body = [transfer(5, { instructionIdempotencykey: 'shared-key' })];
  const posted = await world.send('/api/v6/services/gateway/post-account', {
    body,
    headers: { 'x-fapi-interaction-id': 'shared-interaction' },
  });
  const [posting] = posted.json.data as Array<{ postingGroupId: string }>;
  const paths = (accountId: string) => [
    `/api/v6/services/ledger/account-balance/${accountId}`,
    `/api/v6/services/account-maintenance/account/${accountId}`,
    `/api/v6/services/ledger/account-ledger-history/${accountId}`,
    `/api/v6/services/ledger/account-statement/${accountId}`,
    `/api/v6/services/ledger/balance-explanation/${accountId}`,
    `/api/v6/services/ledger/holds?accountId=${accountId}`,
  ];
  const unknown = '00000000-0000-4000-8000-000000000000';
  for (const [index, path] of paths(EXAMPLE.accountId).entries()) {
    t.equal((await world.send(path, {}, 'CUSTOMER')).status, 200, `own: ${path}`);
    const [other, none] = [paths(EXAMPLE.counterpartyId)[index] ?? '', paths(unknown)[index] ?? ''];
    const [a, b] = [await world.send(other, {}, 'CUSTOMER'), await world.send(none, {}, 'CUSTOMER')];
    t.same(
      [a.status, a.json.errorCode, a.json.message, a.json.errors],
      [b.status, b.json.errorCode, b.json.message, b.json.errors],
      other,
    );
    t.equal(a.status, 404);
  }
  t.equal((await world.send('/api/v6/services/ledger/holds', {}, 'CUSTOMER')).status, 422, 'he names an account');
  const list = '/api/v6/services/account-maintenance/list-accounts';
  t.equal(((await world.send(`${list}/${EXAMPLE.ownerId}`, {}, 'CUSTOMER')).json.data as unknown[]).length > 0, true);
  t.same((await world.send(`${list}/${OTHER_OWNER}`, {}, 'CUSTOMER')).json.data, []);
  for (const path of [
    `/api/v6/services/ledger/posting-group/${posting?.postingGroupId}`,
    '/api/v6/services/ledger/account-ledger-history-interaction-id?interactionId=shared-interaction',
    '/api/v6/services/ledger/account-ledger-history-idempotency-key?idempotencyKey=shared-key',
  ]) {
    const { entries } = (await world.send(path, {}, 'CUSTOMER')).json.data as { entries: Array<{ accountId: string }> };
    t.same(
      entries.map(({ accountId }) => accountId),
      [EXAMPLE.accountId],
      `only his line: ${path}`,
    );
  }
  const stranger = await world.token('CUSTOMER', 'demo', { customerId: '99999999-2222-4333-8444-555555555555' });
  t.equal(
    (await world.send(`/api/v6/services/ledger/posting-group/${posting?.postingGroupId}`, {}, { token: stranger }))
      .status,
    404,
  );
});

t.test('a customer restricts his account; what staff restricted stays', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const set = (permission: string, as: Role, id: string = EXAMPLE.spareId) =>
    world.send(
      `/api/v6/services/account-maintenance/change-account-permission/${id}/${permission}`,
      { method: 'PUT' },
      as,
    );
  t.match((await set('READ_ONLY', 'CUSTOMER')).json.data, { permission: 'READ_ONLY' });
  t.match((await set('FULL_ACCESS', 'CUSTOMER')).json.data, { permission: 'FULL_ACCESS' });
  t.match((await set('CREDIT_ONLY', 'MANAGER')).json.data, { permission: 'CREDIT_ONLY' });
  t.equal(say(await set('FULL_ACCESS', 'CUSTOMER')), '403 FORBIDDEN');
  t.equal(say(await set('READ_ONLY', 'CUSTOMER', EXAMPLE.counterpartyId)), '404 ACCOUNT_NOT_FOUND');
});

t.test('an API token of a customer is as good as he is', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  await givePassword(world);
  const set = (to: string) =>
    world.send(`/api/v6/services/usermanagement/${to}-user-account/${EXAMPLE.ownerId}`, { method: 'PUT' });
  t.equal((await world.send(BALANCE, {}, 'CUSTOMER')).status, 200);
  t.equal((await set('deactivate')).status, 200);
  t.equal(say(await world.send(BALANCE, {}, 'CUSTOMER')), '401 AUTH_REQUIRED', 'at once');
  t.equal((await set('activate')).status, 200);
  t.equal((await world.send(BALANCE, {}, 'CUSTOMER')).status, 200, 'and again');
});

t.test('host and tenant', async (t) => {
  const world = await HttpWorld.open({
    config: { baseDomains: ['book.example'], tenantlessHosts: ['api.internal.example'] },
  });
  const trusting = await HttpWorld.open({ config: { trustForwardedHost: true } });
  t.teardown(() => Promise.all([world.close(), trusting.close()]));
  const by = (headers: Record<string, string>, to = world) => to.send(BALANCE, { headers });
  t.equal((await by({ Host: 'demo.book.example' })).status, 200, 'the tenant as sub-domain');
  t.equal(say(await by({ Host: 'other.book.example' })), '403 FORBIDDEN', "another tenant's sub-domain");
  t.equal((await by({ Host: 'DEMO.Book.Example.:443' })).status, 200, 'a host name in any spelling');
  t.equal((await by({ Host: 'pay.demo.example' })).status, 200, 'its own domain');
  t.equal(say(await by({ Host: 'pay.other.example' })), '403 FORBIDDEN', "another tenant's domain");
  t.equal(say(await by({ Host: 'evil.example' })), '403 FORBIDDEN', 'a domain nobody has');
  t.equal((await by({ Host: 'api.internal.example' })).status, 200, 'a host without a tenant');
  t.equal(
    say(await by({ Host: 'demo.book.example', 'X-Tenant': 'other' })),
    '200 ',
    'X-Tenant counts on localhost only',
  );
  for (const host of ['localhost:3000', '127.0.0.1', '[::1]:80', 'corebook', 'localhost.'])
    t.equal((await by({ Host: host })).status, 200, host);
  t.equal((await by({ 'X-Tenant': 'demo' })).status, 200);
  t.equal((await by({ 'X-Tenant': tenantIdOf('demo') })).status, 200);
  for (const tenant of ['other', 'nobody', tenantIdOf('other'), '../demo'])
    t.equal(say(await by({ 'X-Tenant': tenant })), '403 FORBIDDEN', tenant);
  t.equal((await by({ 'X-Forwarded-Host': 'pay.other.example' })).status, 200, 'a forwarded host is not believed');
  t.equal(say(await by({ 'X-Forwarded-Host': 'pay.other.example' }, trusting)), '403 FORBIDDEN', 'unless told to');
});

t.test('where the token stands', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const [token, other] = [await world.token('MANAGER'), await world.token('AUDITOR')];
  const by = async (headers: Record<string, string>) => (await world.send(BALANCE, { headers }, 'NOBODY')).status;
  t.equal(await by({ 'X-Auth-Token': token }), 200);
  t.equal(await by({ Authorization: `Bearer ${token}` }), 200);
  t.equal(await by({ Authorization: `bearer ${token}`, 'X-Auth-Token': token }), 200);
  t.equal(await by({ Authorization: `Bearer ${token}`, 'X-Auth-Token': other }), 401, 'two different ones');
  t.equal(await by({ Authorization: `Basic ${token}` }), 401);
  const changed = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
  t.equal(await by({ 'X-Auth-Token': changed }), 401, 'a letter changed');
  t.equal(await by({ Cookie: `token=${token}` }), 401);
});

/** A clock that stands where it is put. */
function movableClock(): Clock & { now: number } {
  return {
    ...systemClock,
    now: Date.parse('2026-11-22T10:30:00Z'),
    nowMs() {
      return this.now;
    },
  };
}

t.test('the life of a token', async (t) => {
  const clock = movableClock();
  const world = await HttpWorld.open({ clock });
  t.teardown(() => world.close());
  const create = async (body: unknown, as: Role = 'MANAGER') => await world.send(TOKENS, { body }, as);
  const created = await create({ name: 'Back office', roles: ['CASHIER'], expiry: 'H24' });
  t.equal(created.status, 201);
  const { tokenId, token } = created.json.data as { tokenId: string; token: string };
  t.match(token, /^fct_test_[A-Za-z0-9_-]{51}$/);
  t.match(created.json.data, {
    status: 'ACTIVE',
    expiresAt: '2026-11-23T10:30:00.000Z',
    expiresSoon: true,
    prefix: `${token.slice(0, 13)}…`,
  });
  const works = async (secret: string) => (await world.send(BALANCE, {}, { token: secret })).status === 200;
  t.ok(await works(token));

  const stored = JSON.stringify(await world.tokenStore.get(tenantIdOf('demo'), tokenId));
  t.notMatch(stored, token, 'the token is not stored');
  const events = await world.send(`/api/v6/services/audit/events?type=api-token-issued`);
  t.match(events.text, tokenId, 'the log says it was issued');
  t.notMatch(events.text, token, 'and does not know it');
  const listed = await world.send(`${TOKENS}?size=100`);
  t.notMatch(listed.text, token);
  t.match(
    (listed.json.data as { tokens: Array<{ tokenId: string }> }).tokens.find((one) => one.tokenId === tokenId),
    { lastUsedAt: '2026-11-22T10:30:00.000Z' },
  );

  const rotated = await world.send(`${TOKENS}/${tokenId}/rotate`, { body: { graceMinutes: 10 } });
  const fresh = (rotated.json.data as { token: string }).token;
  t.not(fresh, token);
  t.ok(await works(fresh));
  t.ok(await works(token), 'the old secret is good for its grace');
  clock.now += 11 * 60_000;
  t.notOk(await works(token), 'and no longer');
  t.ok(await works(fresh));

  t.match((await world.send(`${TOKENS}/${tokenId}/disable`, { method: 'PUT' })).json.data, { status: 'DISABLED' });
  t.notOk(await works(fresh), 'disabled at once');
  t.equal(say(await world.send(`${TOKENS}/${tokenId}/disable`, { method: 'PUT' })), '409 INVALID_STATE_TRANSITION');
  t.equal(say(await world.send(`${TOKENS}/${tokenId}/rotate`, { method: 'POST' })), '409 INVALID_STATE_TRANSITION');
  t.match((await world.send(`${TOKENS}/${tokenId}`, { method: 'DELETE' })).json.data, { status: 'DELETED' });
  t.equal(say(await world.send(`${TOKENS}/${tokenId}`, { method: 'DELETE' })), '404 NOT_FOUND');
  t.notMatch((await world.send(`${TOKENS}?size=100`)).text, tokenId, 'deleted ones are not listed');

  const short = (await create({ name: 'x', roles: ['AUDITOR'], expiry: 'H24' })).json.data as { token: string };
  t.ok(await works(short.token));
  clock.now += 25 * 3_600_000;
  t.notOk(await works(short.token), 'expired');
});

t.test('what a token may be given', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const create = async (body: Record<string, unknown>, as: Role, tenant: TenantName = 'demo') =>
    say(await world.send(TOKENS, { body: { name: 'n', expiry: 'M1', ...body } }, as, tenant));
  t.equal(await create({ roles: ['AGENT'] }, 'AGENT'), '201 ', 'an agent’s tokens are his by themselves');
  t.equal(await create({ roles: ['AGENT'] }, 'MANAGER'), '422 VALIDATION_ERROR', 'which agent?');
  t.equal(await create({ roles: ['AGENT'], agentId: world.agentId('sub') }, 'MANAGER'), '201 ');
  t.equal(await create({ roles: ['AGENT'], agentId: EXAMPLE.ownerId }, 'MANAGER'), '404 NOT_FOUND', 'no such agent');
  t.equal(await create({ roles: ['MANAGER'], agentId: world.agentId('own') }, 'MANAGER'), '422 VALIDATION_ERROR');
  t.equal(await create({ roles: ['AGENT'], agentId: world.agentId('other') }, 'AGENT'), '403 FORBIDDEN');
  t.equal(await create({ roles: ['AGENT', 'MANAGER'] }, 'AGENT'), '403 FORBIDDEN', 'more than the creator has');
  t.equal(await create({ roles: ['CUSTOMER'], customerId: EXAMPLE.ownerId }, 'MANAGER'), '201 ');
  t.equal(await create({ roles: ['CUSTOMER'] }, 'MANAGER'), '422 VALIDATION_ERROR', 'whose accounts?');
  t.equal(await create({ roles: ['AUDITOR'], customerId: EXAMPLE.ownerId }, 'MANAGER'), '422 VALIDATION_ERROR');
  t.equal(
    await create({ roles: ['AUDITOR'], tenantId: tenantIdOf('other') }, 'MANAGER'),
    '403 FORBIDDEN',
    'in another tenant',
  );
  t.equal(
    await create({ roles: ['AUDITOR'], tenantId: tenantIdOf('other') }, 'MANAGER', 'root'),
    '201 ',
    "by the operator's manager",
  );
  t.equal(await create({ roles: ['AUDITOR'], tenantId: tenantIdOf('nobody') }, 'MANAGER', 'root'), '404 NOT_FOUND');
  t.equal(await create({ roles: ['KING'] }, 'MANAGER'), '422 VALIDATION_ERROR');
  t.equal(await create({ roles: [] }, 'MANAGER'), '422 VALIDATION_ERROR');
  t.equal(await create({ roles: ['AUDITOR'], expiry: 'Y9' }, 'MANAGER'), '422 VALIDATION_ERROR');
  t.equal(await create({ roles: ['AUDITOR'], ipAllowList: ['300.1.1.1'] }, 'MANAGER'), '422 VALIDATION_ERROR');

  const own = (await world.send(TOKENS, { body: { name: 'mine', roles: ['AGENT'], expiry: 'M1' } }, 'AGENT')).json
    .data as { tokenId: string };
  const managers = (
    await world.send(TOKENS, {
      body: { name: 'theirs', roles: ['AGENT'], expiry: 'M1', agentId: world.agentId('own') },
    })
  ).json.data as { tokenId: string };
  const seen = (await world.send(`${TOKENS}?size=100`, {}, 'AGENT')).text;
  t.match(seen, own.tokenId);
  t.notMatch(seen, managers.tokenId, 'an agent sees the tokens he made');
  t.equal(say(await world.send(`${TOKENS}/${managers.tokenId}/disable`, { method: 'PUT' }, 'AGENT')), '404 NOT_FOUND');

  const elsewhere = await world.token('MANAGER', 'demo', { ipAllowList: ['203.0.113.0/24', '2001:db8::/32'] });
  t.equal((await world.send(BALANCE, {}, { token: elsewhere })).status, 401, 'from an address that is not allowed');
  const here = await world.token('MANAGER', 'demo', { ipAllowList: ['127.0.0.0/8'] });
  t.equal((await world.send(BALANCE, {}, { token: here })).status, 200);
});

t.test('a token is made once per idempotency key, and shown once', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const sent = { body: { name: 'n', roles: ['AUDITOR'], expiry: 'M1' }, headers: { 'Idempotency-Key': 'token-1' } };
  const first = await world.send(TOKENS, sent);
  const second = await world.send(TOKENS, sent);
  t.equal(second.headers['idempotency-replayed'], 'true');
  const [a, b] = [first.json.data, second.json.data] as Array<{ tokenId: string; token: string | null }>;
  t.equal(b?.tokenId, a?.tokenId);
  t.equal(b?.token, null, 'only its hash is known');
  t.equal((await world.send(BALANCE, {}, { token: a?.token ?? '' })).status, 200);
  const { totalElements } = (await world.send(TOKENS)).json.data as { totalElements: number };
  const rotate = { method: 'POST', body: {}, headers: { 'Idempotency-Key': 'rotate-1' } };
  const rotated = (await world.send(`${TOKENS}/${a?.tokenId}/rotate`, rotate)).json.data as { token: string };
  const again = (await world.send(`${TOKENS}/${a?.tokenId}/rotate`, rotate)).json.data as { token: string | null };
  t.equal(again.token, null);
  t.equal((await world.send(BALANCE, {}, { token: rotated.token })).status, 200, 'a repeated rotation changes nothing');
  t.equal(((await world.send(TOKENS)).json.data as { totalElements: number }).totalElements, totalElements);
});

t.test('a token disabled elsewhere is refused within two seconds', async (t) => {
  const clock = movableClock();
  const world = await HttpWorld.open({ clock });
  t.teardown(() => world.close());
  const token = await world.token('AUDITOR');
  const status = async () => (await world.send(BALANCE, {}, { token })).status;
  t.equal(await status(), 200);
  const [stored] = (await world.tokenStore.list(tenantIdOf(TENANTS.demo), {}, { page: 1, size: 1 })).items;
  await world.tokenStore.setStatus(tenantIdOf(TENANTS.demo), stored?.tokenId ?? '', 'DISABLED');
  t.equal(await status(), 200, 'what is remembered still counts for a moment');
  clock.now += 2_000;
  t.equal(await status(), 401);
});

t.test('a store that is away is not an answer about the token', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const token = await world.token('AUDITOR');
  world.tokenStore.findByHash = () => Promise.reject(new Error('the database is away'));
  t.equal(say(await world.send(BALANCE, {}, { token })), '503 SERVICE_UNAVAILABLE');
});
