import t, { type Test } from 'tap';
import { identityProcessor } from '../../application/reactors/identity.js';
import { requestHash } from '../../application/idempotency.js';
import { emailDigestOf } from '../../application/access/identity.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { PEOPLE, PICTURE_BASE64 } from '../../http/ciam/examples.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { type Answered, HttpWorld, OTHER_OWNER, type Sent } from '../support/http-world.js';

const USERS = '/api/v6/services/usermanagement';
const REGISTER = `${USERS}/register-customer`;
const BANK = '/api/v6/services/bankmanagement/customer-bank-details';
const DEMO = tenantIdOf('demo');
const PASSWORD = 'Tr1cky!Bananas';

const CHIDI = {
  customerType: 'INDIVIDUAL',
  payloadEncrypted: false,
  firstName: 'Chidi',
  lastName: "N'Eze-Okonkwo",
  email: 'Chidi.Eze@customers.example',
  dialingCode: '+234',
  phone: '0803 123 4567',
  dob: '1991-04-23',
  password: PASSWORD,
  confirmPassword: PASSWORD,
  address: { address1: '12 Marina', address2: 'Lagos Island', postcode: '101001', countryIso3: 'NGA' },
};

interface Profile {
  readonly id: string;
  readonly customerCode: string;
  readonly agentId: string | null;
  readonly [member: string]: unknown;
}

const say = ({ status, json }: Answered): string =>
  [status, json.errorCode ?? '', ...(json.errors ?? []).map(({ field, code }) => `${field}:${code}`)].join(' ').trim();
const shown = (answer: Answered): Profile => answer.json.data as Profile;
const peopleOf = (answer: Answered): Profile[] => {
  const { customers, employees } = answer.json.data as { customers?: Profile[]; employees?: Profile[] };
  return customers ?? employees ?? [];
};

async function openWorld(t: Test, options: Parameters<typeof HttpWorld.open>[0] = {}): Promise<HttpWorld> {
  const world = await HttpWorld.open(options);
  t.teardown(() => world.close());
  return world;
}

const register = (
  world: HttpWorld,
  more: object = {},
  sent: Sent = {},
  as: Parameters<HttpWorld['send']>[2] = 'NOBODY',
) =>
  world.send(REGISTER, { body: { ...CHIDI, ...more }, ...sent, headers: { 'X-Tenant': 'demo', ...sent.headers } }, as);

/** Events of the demo tenant, so that a refused call can be seen to write none. */
const revisionOf = async (world: HttpWorld): Promise<number> => (await world.log.head(DEMO)).revision;

t.test('people register themselves', async (t) => {
  const world = await openWorld(t);
  const answer = await register(world);
  t.equal(answer.status, 200, answer.text);
  const { id, customerCode } = shown(answer);
  t.match(shown(answer), {
    userType: 'CUSTOMER',
    customerType: 'INDIVIDUAL',
    firstName: 'Chidi',
    lastName: "N'Eze-Okonkwo",
    email: 'Chidi.Eze@customers.example',
    phone: '+2348031234567',
    dob: '1991-04-23',
    address: { countryCommonName: 'Nigeria', countryIso3: 'NGA', postcode: '101001' },
    status: 'PENDING_VERIFICATION',
    complianceStatus: 'INCOMPLETE',
    agentId: null,
    roles: ['CUSTOMER'],
    hasTransactionPin: false,
  });
  t.notMatch(answer.text, PASSWORD, 'secrets are not echoed');
  for (const key of [id, customerCode, customerCode.toLowerCase()]) {
    const found = await world.send(`${USERS}/customer-by-id/${key}`);
    t.same({ ...shown(found), updatedAt: 0 }, { ...shown(answer), updatedAt: 0 }, `by ${key}`);
  }
  const stored = await world.identity.credentials.byUser(DEMO, id);
  t.match(stored, { status: 'ACTIVE', roles: ['CUSTOMER'], agent: null, user: { kind: 'customer', id } });
  t.ok(await world.identity.hasher.verify(stored?.passwordHash ?? '', PASSWORD));
  const events = (await world.send(`/api/v6/services/audit/events/customer/${id}`)).text;
  t.match(events, /customer-registered.*secret-set|secret-set.*customer-registered/s);
  for (const secret of ['Chidi', 'eze@', '2348031234567', '1991-04-23', 'Marina', PASSWORD])
    t.notOk(events.includes(secret), `the log does not say ${secret}`);

  await t.test('once with one address, whatever its case', async (t) => {
    const before = await revisionOf(world);
    t.equal(say(await register(world)), '422 VALIDATION_ERROR email:DUPLICATE');
    t.equal(say(await register(world, { email: CHIDI.email.toUpperCase() })), '422 VALIDATION_ERROR email:DUPLICATE');
    t.equal(await revisionOf(world), before, 'nothing was written');
    const elsewhere = await register(world, {}, { headers: { 'X-Tenant': 'other' } });
    t.equal(elsewhere.status, 200, 'another tenant has customers of its own');
    t.equal((await world.send(`${USERS}/customer-by-id/${shown(elsewhere).id}`)).status, 404, 'whom nobody else sees');
  });

  await t.test('again under the same key: the same customer', async (t) => {
    const twice = { email: 'twice@customers.example' };
    const headers = { 'Idempotency-Key': 'register-1' };
    const first = await register(world, twice, { headers });
    t.equal(first.status, 200, first.text);
    const before = await revisionOf(world);
    const again = await register(world, twice, { headers });
    t.same(shown(again), shown(first));
    t.equal(again.headers['idempotency-replayed'], 'true');
    const other = await register(world, { ...twice, password: 'An0ther!Word' }, { headers });
    t.same(shown(other), shown(first), 'the password is no part of what the key stands for');
    t.equal(await revisionOf(world), before);
    const reused = await register(world, { email: 'third@customers.example' }, { headers });
    t.match(say(reused), /^409 IDEMPOTENCY_KEY_REUSED/);
    const digest = emailDigestOf(world.identity.master, DEMO, 'third@customers.example');
    t.equal(await world.identity.credentials.byEmail(DEMO, digest), undefined, 'and its address is free');
    const both = await Promise.all(
      [1, 2, 3].map(() => register(world, { email: 'a@b.example' }, { headers: { 'Idempotency-Key': 'r2' } })),
    );
    t.equal(new Set(both.map((each) => shown(each).id)).size, 1, 'three at once are one');
    const race = await Promise.all([1, 2, 3].map(() => register(world, { email: 'race@b.example' })));
    t.same(race.map(({ status }) => status).sort(), [200, 422, 422], 'three without a key: one has the address');
  });

  await t.test('as what they say they are', async (t) => {
    const business = {
      customerType: 'BUSINESS',
      email: 'b@b.example',
      dynamicFields: { companyName: 'Eze Ltd', registrationNumber: 'RC 1', staff: 3, regulated: true },
    };
    const company = await register(world, business);
    t.match(shown(company), { customerType: 'COMPANY', dynamicFields: business.dynamicFields }, company.text);
    const abroad = await register(world, { email: 'c@b.example', phone: '+1 212 555 0123', dialingCode: undefined });
    t.match(shown(abroad), { phone: '+12125550123' }, abroad.text);
    const bySlug = await register(
      world,
      { email: 'd@b.example' },
      { headers: { 'X-Tenant': undefined, Host: 'demo.localhost' } },
    );
    t.equal(bySlug.status, 200, 'the host names the tenant');
  });
});

t.test('a registration that is refused leaves nothing', async (t) => {
  const world = await openWorld(t);
  const registered = async () => {
    const { json } = await world.send('/api/v6/services/audit/events?type=customer-registered');
    return (json.data as { totalElements: number }).totalElements;
  };
  const before = await registered();
  const year = new Date(world.clock.nowMs()).getUTCFullYear();
  const address = (countryIso3: string) => ({ address: { countryIso3 } });
  const refused: ReadonlyArray<readonly [more: object, expected: RegExp]> = [
    [{ firstName: 'X' }, /firstName:TOO_SHORT/],
    [{ firstName: 'x'.repeat(51) }, /firstName:TOO_LONG/],
    [{ firstName: 'R2D2' }, /firstName:INVALID_FORMAT/],
    [{ lastName: '<b>Eze</b>' }, /lastName:INVALID_FORMAT/],
    [{ lastName: '--' }, /lastName:INVALID_FORMAT/],
    [{ email: 'nobody' }, /email:INVALID_FORMAT/],
    [{ email: `${'a'.repeat(250)}@b.example` }, /email:(TOO_LONG|INVALID_FORMAT)/],
    [{ phone: '984 573 63733' }, /phone:INVALID_PHONE/],
    [{ phone: '0803 123 4567', dialingCode: undefined }, /phone:INVALID_PHONE/],
    [{ phone: '+447911123456', dialingCode: '+234' }, /phone:INVALID_PHONE/],
    [{ phone: '0803 123 4567', dialingCode: '+999' }, /phone:INVALID_PHONE/],
    [{ phone: 'call me' }, /phone:INVALID_PHONE/],
    [{ dob: `${year - 17}-01-01` }, /dob:TOO_YOUNG/],
    [{ dob: `${year - 122}-01-01` }, /dob:INVALID_DATE/],
    [{ dob: `${year + 1}-01-01` }, /dob:INVALID_DATE/],
    [{ dob: '1991-02-30' }, /dob:INVALID_DATE/],
    [{ confirmPassword: 'Tr1cky!Banana5' }, /confirmPassword:MISMATCH/],
    [{ password: 'short', confirmPassword: 'short' }, /password:TOO_SHORT/],
    [{ password: 'Password1!', confirmPassword: 'Password1!' }, /password:COMMON_PASSWORD/],
    [{ password: 'Okonkwo12!x', confirmPassword: 'Okonkwo12!x', lastName: 'Okonkwo' }, /password:PERSONAL_WORD/],
    [{ password: undefined }, /password:REQUIRED/],
    [{ payloadEncrypted: true }, /password:UNDECRYPTABLE/],
    [{ payloadEncrypted: undefined }, /payloadEncrypted:REQUIRED/],
    [address('ATA'), /address\.countryIso3:COUNTRY_NOT_ACTIVE/],
    [address('GBR'), /address\.countryIso3:COUNTRY_NOT_ACTIVE/],
    [address('ZZZ'), /address\.countryIso3:UNKNOWN_COUNTRY/],
    [{ address: {} }, /address\.countryIso3:REQUIRED/],
    [{ nationality: 'ZZZ' }, /nationality:UNKNOWN_COUNTRY/],
    [{ customerType: 'COMPANY' }, /dynamicFields\.companyName:REQUIRED dynamicFields\.registrationNumber:REQUIRED/],
    [{ customerType: 'ROBOT' }, /customerType:INVALID_VALUE/],
    [{ nickname: 'Chi' }, /nickname:UNKNOWN_MEMBER/],
  ];
  for (const [more, expected] of refused) {
    const answer = await register(world, more);
    t.match(say(answer), /^422 VALIDATION_ERROR /, JSON.stringify(more));
    t.match(say(answer), expected, JSON.stringify(more));
    t.notMatch(answer.text, PASSWORD);
  }
  t.match(say(await world.send(REGISTER, { body: CHIDI }, 'NOBODY')), /X-Tenant:REQUIRED/, 'the tenant must be known');
  t.equal(say(await register(world, {}, { headers: { 'X-Tenant': 'nobody' } })), '403 FORBIDDEN');
  t.equal(
    say(await register(world, {}, {}, { token: 'fct_test_guess' })),
    '401 AUTH_REQUIRED',
    'a bad token is no token',
  );

  const preferences = { SELF_REGISTRATION_ENABLED: false };
  await setPreferences(world, { preferences });
  t.match(say(await register(world)), /^403 FORBIDDEN/, 'registration is closed');
  t.equal((await register(world, {}, {}, 'CASHIER')).status, 200, 'but for staff');
  t.equal(await registered(), before + 1, 'of all these one was registered');
  await world.command('set-agent-status', { agent: world.agentId('own'), status: 'SUSPENDED', reason: 'r' }, DEMO);
  t.match(say(await register(world, { email: 'x@b.example' }, {}, 'AGENT')), /^403 FORBIDDEN :AGENT_SUSPENDED/);
  await world.command('set-agent-status', { agent: world.agentId('own'), status: 'ACTIVE', reason: 'r' }, DEMO);
  t.equal((await register(world, { email: 'x@b.example' }, {}, 'AGENT')).status, 200, 'the address was given up');
});

const setPreferences = async (world: HttpWorld, body: object): Promise<Answered> =>
  world.send('/api/v6/services/admin/organisation-preference-management/update-organisation-preference', {
    method: 'PUT',
    body,
  });

t.test('what a crash leaves of a registration', async (t) => {
  let failing: 'register-customer' | 'record-access' | undefined;
  const world = await openWorld(t);
  const { bus } = world.identity;
  const execute = bus.execute.bind(bus);
  bus.execute = (command) =>
    command.name === failing ? Promise.reject(new Error('the process died')) : execute(command);
  const headers = { 'Idempotency-Key': 'crash-1' };

  failing = 'register-customer';
  t.equal((await register(world, {}, { headers })).status, 500, 'before the log');
  t.equal(say(await register(world)), '422 VALIDATION_ERROR email:DUPLICATE', 'the address is held for a while');
  failing = undefined;
  const done = await register(world, {}, { headers });
  t.equal(done.status, 200, 'a retry of the same request goes on');
  t.equal((await world.identity.credentials.byUser(DEMO, shown(done).id))?.status, 'ACTIVE');

  failing = 'record-access';
  const second = { email: 'second@b.example' };
  t.equal((await register(world, second, { headers: { 'Idempotency-Key': 'crash-2' } })).status, 500, 'after the log');
  failing = undefined;
  const [late] = peopleOf(await world.send(`${USERS}/list-customers`));
  t.equal(late?.['email'], 'second@b.example');
  const stored = await world.identity.credentials.byUser(DEMO, late?.id ?? '');
  t.ok(await world.identity.hasher.verify(stored?.passwordHash ?? '', PASSWORD), 'he has his password');
  const again = await register(world, second, { headers: { 'Idempotency-Key': 'crash-2' } });
  t.equal(shown(again).id, late?.id, 'a retry finds him');
});

t.test('a reservation runs out', async (t) => {
  let aheadMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const world = await openWorld(t, { clock });
  const { bus, hasher } = world.identity;
  const execute = bus.execute.bind(bus);
  let dies = true;
  bus.execute = (command) =>
    dies && command.name === 'register-customer' ? Promise.reject(new Error('the process died')) : execute(command);
  t.equal((await register(world)).status, 500);
  dies = false;
  aheadMs += 59_000;
  t.equal(say(await register(world)), '422 VALIDATION_ERROR email:DUPLICATE', 'not yet');
  aheadMs += 2_000;
  t.equal((await register(world)).status, 200, 'a minute later the address is anybody’s');

  const hash = hasher.hash.bind(hasher);
  t.intercept(hasher, 'hash', {
    value: (secret: string) => {
      aheadMs += 40_000;
      return hash(secret);
    },
  });
  const slow = await register(world, { email: 'slow@b.example' });
  t.match(
    say(slow),
    /^503 SERVICE_UNAVAILABLE/,
    'who is too slow gives up before somebody else could take the address',
  );
  const digest = emailDigestOf(world.identity.master, DEMO, 'slow@b.example');
  t.equal(await world.identity.credentials.byEmail(DEMO, digest), undefined);
});

t.test('the log keeps no plain hash of what a person said', async (t) => {
  const world = await openWorld(t);
  await register(world, {}, { headers: { 'Idempotency-Key': 'guess-1' } });
  const { dob, password: _, confirmPassword: __, ...rest } = CHIDI;
  const inOrder = {
    ...{ customerType: rest.customerType, payloadEncrypted: rest.payloadEncrypted, firstName: rest.firstName },
    ...{ lastName: rest.lastName, email: rest.email, dialingCode: rest.dialingCode, phone: rest.phone, dob },
    address: { address1: '12 Marina', address2: 'Lagos Island', postcode: '101001', countryIso3: 'NGA' },
  };
  const guess = requestHash('anonymous', JSON.stringify([null, null, inOrder, '']));
  const events = await world.log.readAll({ after: '', limit: 10_000 });
  t.equal(guess.length, 32);
  t.notOk(JSON.stringify(events).includes(guess), 'who knows everything about him cannot find him');
});

t.test('an agent sees his own and his sub-agents’ people', async (t) => {
  const world = await openWorld(t);
  const as = async (agent: 'own' | 'sub' | 'other', role: 'AGENT' | 'CASHIER' = 'AGENT') => ({
    token: await world.token(role, 'demo', { agentId: world.agentId(agent) }),
  });
  const [own, sub, other] = [await as('own'), await as('sub'), await as('other')];
  const made = new Map<string, Profile>();
  for (const [name, token] of [
    ['own', own],
    ['sub', sub],
    ['other', other],
    ['sub-cashier', await as('sub', 'CASHIER')],
    ['nobody', 'NOBODY'],
    ['manager', 'MANAGER'],
  ] as const) {
    const answer = await register(world, { email: `${name}@b.example`, firstName: 'Zainab' }, {}, token);
    t.equal(answer.status, 200, answer.text);
    made.set(name, shown(answer));
  }
  t.same(
    [...made.values()].map(({ agentId }) => agentId),
    [world.agentId('own'), world.agentId('sub'), world.agentId('other'), world.agentId('sub'), null, null],
    'whose customers they are',
  );
  const seen = async (token: { token: string } | 'MANAGER'): Promise<string[]> => {
    const found = peopleOf(await world.send(`${USERS}/find-customer-by-name-or-phone-no?query=zainab`, {}, token));
    const listed = peopleOf(await world.send(`${USERS}/list-customers?size=100`, {}, token));
    const emails = listed.filter(({ firstName }) => firstName === 'Zainab').map(({ email }) => String(email));
    t.same(found.map(({ email }) => String(email)).sort(), emails.sort(), 'the search and the list agree');
    return emails.map((email) => email.replace('@b.example', '')).sort();
  };
  t.same(await seen(own), ['own', 'sub', 'sub-cashier']);
  t.same(await seen(sub), ['sub', 'sub-cashier']);
  t.same(await seen(other), ['other']);
  t.same(await seen('MANAGER'), ['manager', 'nobody', 'other', 'own', 'sub', 'sub-cashier']);

  const random = '00000000-0000-4000-8000-000000000000';
  const hidden = made.get('other')?.id ?? '';
  const calls = (id: string): ReadonlyArray<readonly [string, Sent]> => [
    [`${USERS}/customer-by-id/${id}`, {}],
    [`${USERS}/profile?customerCode=${id}`, {}],
    [`${USERS}/profile-edit`, { method: 'PUT', body: { customerCode: id, firstName: 'Eve' } }],
    [`${USERS}/upload-profile-picture`, { body: { customerCode: id, file_base64: PICTURE_BASE64 } }],
    [`${USERS}/profile-picture/${id}`, {}],
    [`${BANK}?customerCode=${id}`, {}],
    [
      BANK,
      {
        body: {
          customerCode: id,
          currencyCode: 'NGN',
          country: 'NGA',
          bankAccountMetaData: [{ key: 'a', value: 'b' }],
        },
      },
    ],
  ];
  const before = await revisionOf(world);
  for (const [index, [path, sent]] of calls(hidden).entries()) {
    const [unknownPath, unknownSent] = calls(random)[index] ?? ['', {}];
    const [answer, unknown] = [await world.send(path, sent, own), await world.send(unknownPath, unknownSent, own)];
    t.equal(say(answer), say(unknown), path);
    t.equal(answer.status, 404, path);
    t.same({ ...answer.json, metadata: 0 }, { ...unknown.json, metadata: 0 }, 'word for word');
    t.equal(await world.send(path, sent, own, 'demo').then(({ status }) => status), 404);
  }
  t.equal(await revisionOf(world), before, 'and nothing was written');
  t.equal((await world.send(`${USERS}/customer-by-id/${made.get('sub')?.id}`, {}, own)).status, 200);
  t.equal((await world.send(`${USERS}/customer-by-id/${made.get('own')?.id}`, {}, sub)).status, 404, 'not upwards');
  t.equal((await world.send(`${USERS}/customer-by-id/${hidden}`, {}, 'MANAGER', 'other')).status, 404, 'other tenant');
});

t.test('lists and search', async (t) => {
  const world = await openWorld(t);
  await register(world, { firstName: 'Élodie', lastName: 'Martin', email: 'elodie@b.example' });
  const found = async (query: string) =>
    peopleOf(
      await world.send(
        `${USERS}/find-customer-by-name-or-phone-no?query=${encodeURIComponent(query)}`,
        {},
        'CASHIER',
        'demo',
      ),
    ).map(({ firstName }) => firstName);
  for (const query of [
    'elodie',
    'MART',
    'martin elo',
    '0803 123 4567',
    '+234 803 123',
    '8031234',
    'elodie@b',
    '002348031234567',
  ])
    t.same(await found(query), ['Élodie'], query);
  for (const query of ['lodie', 'martin bayo', '0803 999 9999', 'b.example']) t.same(await found(query), [], query);
  t.match(say(await world.send(`${USERS}/find-customer-by-name-or-phone-no?query=x`)), /query:TOO_SHORT/);
  const list = (query: string) => world.send(`${USERS}/list-customers?${query}`);
  t.equal((await list('customerType=COMPANY')).json.data?.['totalElements' as never], 0);
  t.equal((await list('status=PENDING_VERIFICATION&size=2')).json.data?.['totalPages' as never], 2);
  t.equal((await list('toDate=2000-01-01')).json.data?.['totalElements' as never], 0);
  t.match(say(await list('fromDate=2026-02-01&toDate=2026-01-01')), /fromDate:INVALID_RANGE/);
  t.match(say(await list('status=ERASED')), /status:INVALID_VALUE/);
  t.equal((await list('futureFilter=1')).status, 200, 'the original may have more');
});

t.test('a profile is edited in part', async (t) => {
  const world = await openWorld(t);
  const { id, customerCode } = shown(await register(world));
  const token = { token: await world.token('CUSTOMER', 'demo', { customerId: id }) };
  const edit = (body: object, as: Parameters<HttpWorld['send']>[2] = token, sent: Sent = {}) =>
    world.send(`${USERS}/profile-edit`, { method: 'PUT', body, ...sent }, as);
  t.match(shown(await world.send(`${USERS}/profile`, {}, token)), { id, firstName: 'Chidi' }, 'his own');

  const edited = await edit({
    phone: '0803 123 4568',
    dialingCode: '234',
    nationality: 'GHA',
    customerGender: 'MALE',
    address: { city: 'Lagos' },
  });
  t.match(
    shown(edited),
    {
      firstName: 'Chidi',
      phone: '+2348031234568',
      nationality: 'GHA',
      customerGender: 'MALE',
      address: { address1: '12 Marina', city: 'Lagos', countryIso3: 'NGA', countryCommonName: 'Nigeria' },
    },
    edited.text,
  );
  const before = await revisionOf(world);
  t.match(shown(await edit({ nationality: 'GHA' })), { nationality: 'GHA' }, 'what is so already');
  t.equal(await revisionOf(world), before, 'changes nothing');
  const moved = await edit({ address: { countryIso3: 'USA' } });
  t.match(shown(moved), { address: { countryIso3: 'USA', countryCommonName: 'United States' } }, moved.text);

  const refused: ReadonlyArray<readonly [object, RegExp]> = [
    [{ email: 'new@b.example' }, /^422 VALIDATION_ERROR email:IMMUTABLE/],
    [{ firstName: '1' }, /firstName:/],
    [{ dob: '2025-01-01' }, /dob:TOO_YOUNG/],
    [{ phone: '12' }, /phone:TOO_SHORT/],
    [{ phone: '1234567' }, /phone:INVALID_PHONE/],
    [{ address: { countryIso3: 'GBR' } }, /address\.countryIso3:COUNTRY_NOT_ACTIVE/],
    [{ customerGender: 'YES' }, /customerGender:INVALID_VALUE/],
    [{ customerCode: PEOPLE.customerCode, firstName: 'Eve' }, /^404 NOT_FOUND/],
  ];
  for (const [body, expected] of refused) t.match(say(await edit(body)), expected, JSON.stringify(body));
  t.equal((await edit({ favouriteColour: 'blue' })).status, 200, 'the page could be read in part only');

  t.match(shown(await edit({ customerCode, lastName: 'Eze' }, 'CASHIER')), { id, lastName: 'Eze' }, 'by staff');
  t.equal(say(await edit({ firstName: 'Eve' }, 'MANAGER')), '403 FORBIDDEN', 'a token that speaks for nobody');
  const nobody = {
    token: await world.token('CUSTOMER', 'demo', { customerId: '00000000-0000-4000-8000-000000000000' }),
  };
  t.equal(say(await world.send(`${USERS}/profile`, {}, nobody)), '404 NOT_FOUND', 'or for a customer who is not there');

  await t.test('after verification a change of what was verified is looked at again', async (t) => {
    const verify = (body: object, as: 'MANAGER' | 'AGENT' = 'MANAGER') =>
      world.send(`${USERS}/verify-customer/${customerCode}`, { method: 'PUT', body }, as);
    t.equal((await verify({ decision: 'APPROVE' }, 'AGENT')).status, 403);
    t.match(shown(await verify({ decision: 'APPROVE', note: 'seen' })), {
      status: 'ACTIVE',
      complianceStatus: 'APPROVED',
    });
    t.match(say(await verify({ decision: 'APPROVE' })), /^409 INVALID_STATE_TRANSITION/);
    t.match(shown(await edit({ phone: '+2348031234567' })), { complianceStatus: 'APPROVED' });
    t.match(shown(await edit({ dob: '1991-04-24' })), { complianceStatus: 'REVIEW_DUE', dob: '1991-04-24' });
    t.match(shown(await verify({ decision: 'REJECT' })), { status: 'ACTIVE', complianceStatus: 'REJECTED' });
    t.match(say(await verify({ decision: 'MAYBE' })), /decision:INVALID_VALUE/);
  });
});

function form(parts: ReadonlyArray<{ name: string; fileName?: string; content: Buffer | string }>): Sent {
  const boundary = 'form-boundary-1';
  const body = Buffer.concat([
    ...parts.flatMap(({ name, fileName, content }) => [
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"` +
          `${fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: application/octet-stream`}\r\n\r\n`,
      ),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
  return { method: 'POST', body, headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` } };
}

t.test('profile pictures', async (t) => {
  const world = await openWorld(t);
  const UPLOAD = `${USERS}/upload-profile-picture`;
  const png = Buffer.from(PICTURE_BASE64, 'base64');
  const jpg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(1000, 7)]);
  const get = (as: Parameters<HttpWorld['send']>[2], id: string = EXAMPLE.ownerId) =>
    world.send(`${USERS}/profile-picture/${id}`, {}, as);
  t.equal((await get('CUSTOMER')).status, 404, 'none yet');
  const sent = await world.send(UPLOAD, { body: { name: 'me.png', file_base64: PICTURE_BASE64 } }, 'CUSTOMER');
  t.equal(shown(sent)['profilePictureUrl'], `${USERS}/profile-picture/${EXAMPLE.ownerId}`, sent.text);
  const read = await get('CUSTOMER');
  t.equal(read.headers['content-type'], 'image/png');
  t.equal(read.headers['x-content-type-options'], 'nosniff');
  t.equal((await get('MANAGER', PEOPLE.customerCode)).status, 200, 'staff');
  t.equal((await get('AGENT')).status, 200, 'his agent');
  const stranger = { token: await world.token('AGENT', 'demo', { agentId: world.agentId('other') }) };
  t.equal((await get(stranger)).status, 404, 'another agent');
  const other = { token: await world.token('CUSTOMER', 'demo', { customerId: OTHER_OWNER }) };
  t.equal((await get(other)).status, 404, 'another customer');

  const uploaded = await world.send(
    UPLOAD,
    form([{ name: 'picture', fileName: 'a/../me.jpg', content: jpg }]),
    'CUSTOMER',
  );
  t.equal(uploaded.status, 200, uploaded.text);
  t.equal((await get('CUSTOMER')).headers['content-type'], 'image/jpeg', 'the new one');
  const byStaff = form([
    { name: 'customerCode', content: PEOPLE.customerCode },
    { name: 'file', fileName: 'x.png', content: png },
  ]);
  t.equal((await world.send(UPLOAD, byStaff, 'CASHIER')).status, 200);
  const keyed = { ...byStaff, headers: { ...byStaff.headers, 'Idempotency-Key': 'p1' } };
  const [first, again] = [await world.send(UPLOAD, keyed, 'CASHIER'), await world.send(UPLOAD, keyed, 'CASHIER')];
  t.equal(again.headers['idempotency-replayed'], 'true', first.text);
  t.equal((await get('CUSTOMER')).status, 200);

  const bytes = (length: number) => Buffer.concat([jpg, Buffer.alloc(length)]).subarray(0, length);
  const refused: ReadonlyArray<readonly [Sent, RegExp]> = [
    [{ body: { name: 'me.png' } }, /file_base64:REQUIRED/],
    [{ body: { file_base64: '!!' } }, /file_base64:INVALID_FORMAT/],
    [{ body: { file_base64: Buffer.from('<svg/>').toString('base64') } }, /file:UNSUPPORTED_FORMAT/],
    [{ body: { file: { name: 'x', contentType: 'image/png', content: 'abc' } } }, /file:/],
    [form([{ name: 'file', fileName: 'me.png', content: 'MZ not a picture' }]), /file:UNSUPPORTED_FORMAT/],
    [form([{ name: 'file', fileName: 'big.jpg', content: bytes(5 * 1024 * 1024 + 1) }]), /file:TOO_LARGE/],
    [form([{ name: 'file', fileName: 'huge.jpg', content: bytes(8 * 1024 * 1024) }]), /^413 PAYLOAD_TOO_LARGE/],
    [form([1, 2].map(() => ({ name: 'file', fileName: 'a.png', content: png }))), /file:DUPLICATE/],
    [form([{ name: 'file', content: 'a field' }]), /file:/],
    [form(Array.from({ length: 70 }, (_, n) => ({ name: `f${n}`, content: 'x' }))), /TOO_MANY_PARTS/],
    [{ ...form([]), body: Buffer.from('--form-boundary-1\r\nbroken') }, /MALFORMED_MULTIPART|REQUIRED/],
    [
      { ...form([{ name: 'a', content: 'b' }]), headers: { 'Content-Type': 'multipart/form-data; charset=x' } },
      /MALFORMED_MULTIPART/,
    ],
  ];
  for (const [wrong, expected] of refused) t.match(say(await world.send(UPLOAD, wrong, 'CUSTOMER')), expected);
  const max = await world.send(
    UPLOAD,
    { body: { file_base64: bytes(5 * 1024 * 1024).toString('base64') } },
    'CUSTOMER',
  );
  t.equal(max.status, 200, 'five megabytes fit');
  t.equal(
    (await world.send(REGISTER, form([{ name: 'a', content: 'b' }]), 'NOBODY')).status,
    422,
    'forms only where they are meant',
  );
});

t.test('activate and deactivate', async (t) => {
  const world = await openWorld(t);
  const { id } = shown(await register(world));
  const { credentials, sessions } = world.identity;
  const session = {
    ...{ sessionId: world.ids.eventId(), tenantId: DEMO, user: { kind: 'customer', id } as const, device: null },
    ...{ createdAt: '2026-01-01T00:00:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z', revokedAt: null },
  };
  await sessions.open(session, 'digest');
  const set = (
    verb: 'activate' | 'deactivate',
    method = 'GET',
    who = id,
    as: Parameters<HttpWorld['send']>[2] = 'MANAGER',
  ) => world.send(`${USERS}/${verb}-user-account/${who}`, { method }, as);
  t.match(shown(await set('deactivate')), { id, status: 'INACTIVE' });
  t.equal((await credentials.byUser(DEMO, id))?.status, 'INACTIVE');
  t.not((await sessions.get(DEMO, session.sessionId))?.revokedAt, null, 'his log-ins are over');
  const before = await revisionOf(world);
  t.match(shown(await set('deactivate', 'POST')), { status: 'INACTIVE' }, 'idempotent');
  t.equal(await revisionOf(world), before);
  for (const method of ['GET', 'PUT', 'POST'])
    t.match(shown(await set('activate', method)), { status: 'ACTIVE' }, method);
  t.equal((await credentials.byUser(DEMO, id))?.status, 'ACTIVE');
  t.equal((await set('deactivate', 'GET', id, 'AGENT')).status, 403);
  t.equal((await set('deactivate', 'GET', '00000000-0000-4000-8000-000000000000')).status, 404);
  t.equal(
    (await world.send(`${USERS}/deactivate-user-account/${id}`, {}, 'MANAGER', 'other')).status,
    404,
    'other tenant',
  );

  await t.test('a replay of an old call does not undo a newer one', async (t) => {
    const headers = { 'Idempotency-Key': 'off-1' };
    const call = () => world.send(`${USERS}/deactivate-user-account/${id}`, { headers });
    t.match(shown(await call()), { status: 'INACTIVE' });
    await set('activate');
    t.equal((await call()).headers['idempotency-replayed'], 'true');
    t.equal((await credentials.byUser(DEMO, id))?.status, 'ACTIVE');
  });
});

t.test('bank details of customers', async (t) => {
  const world = await openWorld(t);
  const body = {
    currencyCode: 'NGN',
    country: 'NGA',
    bankAccountMetaData: [
      { key: 'bankaccountno', value: '3001234567' },
      { key: 'branch', value: null },
      { key: 'iban', value: 'GB82 WEST 1234 5698 7654 32' },
    ],
  };
  const add = (more: object = {}, as: Parameters<HttpWorld['send']>[2] = 'CUSTOMER') =>
    world.send(BANK, { body: { ...body, ...more } }, as);
  const list = async (as: Parameters<HttpWorld['send']>[2], query = '') =>
    (await world.send(BANK + query, {}, as)).json.data as Array<{ bankDetailId: string }>;
  const added = await add();
  t.equal(added.status, 201, added.text);
  const { bankDetailId } = added.json.data as { bankDetailId: string };
  t.match(added.json.data, {
    customerId: EXAMPLE.ownerId,
    currencyCode: 'NGN',
    bankAccountMetaData: [{}, { key: 'branch', value: '' }, {}],
  });
  t.same(await list('CUSTOMER'), [added.json.data]);
  t.same(await list('AGENT', `?customerCode=${PEOPLE.customerCode}`), [added.json.data], 'for his agent');
  t.equal((await add({ customerCode: PEOPLE.customerCode }, 'AGENT')).status, 201);

  const pair = (key: string, value: string) => ({ bankAccountMetaData: [{ key, value }] });
  const refused: ReadonlyArray<readonly [object, RegExp]> = [
    [pair('IBAN', 'GB82 WEST 1234 5698 7654 33'), /bankAccountMetaData\.0\.value:INVALID_IBAN/],
    [pair('iban', '12'), /INVALID_IBAN/],
    [{ country: 'ZZZ' }, /country:UNKNOWN_COUNTRY/],
    [{ currencyCode: 'ABC' }, /currencyCode:UNKNOWN_CURRENCY/],
    [{ bankAccountMetaData: [] }, /bankAccountMetaData:TOO_SHORT/],
    [
      {
        bankAccountMetaData: [
          { key: 'a', value: '1' },
          { key: 'A', value: '2' },
        ],
      },
      /bankAccountMetaData\.1\.key:DUPLICATE/,
    ],
    [{ bankAccountMetaData: Array.from({ length: 31 }, (_, n) => ({ key: `k${n}`, value: 'v' })) }, /TOO_LONG/],
    [{ iban: 'x' }, /iban:UNKNOWN_MEMBER/],
  ];
  for (const [more, expected] of refused) t.match(say(await add(more)), expected, JSON.stringify(more));

  const remove = (as: Parameters<HttpWorld['send']>[2], id = bankDetailId) =>
    world.send(`/api/v6/services/bankmanagement/delete-customer-bank-details/${id}`, { method: 'DELETE' }, as);
  const other = { token: await world.token('CUSTOMER', 'demo', { customerId: OTHER_OWNER }) };
  const [foreign, random] = [await remove(other), await remove(other, '00000000-0000-4000-8000-000000000000')];
  t.same({ ...foreign.json, metadata: 0 }, { ...random.json, metadata: 0 }, 'of another customer: like none');
  t.equal(foreign.status, 404);
  t.match((await remove('CUSTOMER')).json.data, { bankDetailId, deleted: true });
  t.equal((await remove('CUSTOMER')).status, 404, 'gone');
  t.equal((await list('CUSTOMER')).length, 1);
  for (let n = 1; n < 20; n += 1) await add();
  t.match(say(await add()), /^422 LIMIT_EXCEEDED/, 'twenty');
  t.equal(say(await world.send(BANK)), '403 FORBIDDEN', 'a manager’s token has none of its own');
});

t.test('employees', async (t) => {
  const world = await openWorld(t);
  const GRACE = {
    firstName: 'Grace',
    lastName: 'Bello',
    email: 'grace@staff.example',
    phone: '+2348031234567',
    roles: ['CASHIER', 'AUDITOR'],
    branchId: 'LAG-01',
  };
  const create = (more: object = {}, sent: Sent = {}) =>
    world.send(`${USERS}/create-employee`, { body: { ...GRACE, ...more }, ...sent });
  const edit = (id: string, body: object) => world.send(`${USERS}/edit-employee/${id}`, { method: 'PUT', body });
  const made = await create();
  t.equal(made.status, 201, made.text);
  const { id } = shown(made);
  t.match(shown(made), {
    firstName: 'Grace',
    roles: ['CASHIER', 'AUDITOR'],
    status: 'ACTIVE',
    branchId: 'LAG-01',
    agentId: null,
  });
  t.match(await world.identity.credentials.byUser(DEMO, id), {
    status: 'ACTIVE',
    passwordHash: null,
    roles: GRACE.roles,
  });
  const mails = await world.identity.outbox.list(DEMO, { to: GRACE.email }, { page: 1, size: 10 });
  t.equal(mails.totalElements, 1, 'he is invited');
  t.equal(say(await create()), '422 VALIDATION_ERROR email:DUPLICATE');
  t.equal(say(await register(world, { email: GRACE.email })), '422 VALIDATION_ERROR email:DUPLICATE', 'customers too');
  const keyed = { headers: { 'Idempotency-Key': 'e1' } };
  const [first, again] = [
    await create({ email: 'k@staff.example' }, keyed),
    await create({ email: 'k@staff.example' }, keyed),
  ];
  t.same(shown(again), shown(first));

  const refused: ReadonlyArray<readonly [object, RegExp]> = [
    [{ roles: [] }, /roles:TOO_SHORT/],
    [{ roles: ['CUSTOMER'] }, /roles\.0:INVALID_VALUE/],
    [{ roles: ['AGENT'] }, /agentId:INVALID_ARGUMENT/],
    [{ roles: ['MANAGER'], agentId: world.agentId('own') }, /roles:INVALID_ARGUMENT/],
    [{ agentId: '00000000-0000-4000-8000-000000000000', roles: ['CASHIER'] }, /^404 NOT_FOUND agentId:AGENT_NOT_FOUND/],
    [{ phone: '123456' }, /phone:INVALID_PHONE/],
    [{ firstName: '' }, /firstName:/],
    [{ salary: 1 }, /salary:UNKNOWN_MEMBER/],
  ];
  for (const [more, expected] of refused)
    t.match(say(await create({ email: 'x@staff.example', ...more })), expected, JSON.stringify(more));
  t.equal((await create({ email: 'x@staff.example' })).status, 201, 'refused ones leave the address free');
  const agent = await create({ email: 'agent@staff.example', roles: ['AGENT'], agentId: world.agentId('sub') });
  t.match(shown(agent), { agentId: world.agentId('sub'), roles: ['AGENT'] });

  await world.identity.sessions.open(
    {
      ...{ sessionId: 'session-1', tenantId: DEMO, user: { kind: 'employee', id }, device: null, revokedAt: null },
      ...{ createdAt: '2026-01-01T00:00:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z' },
    },
    'digest-1',
  );
  t.match(shown(await edit(id, { lastName: 'Ade', branchId: null })), {
    lastName: 'Ade',
    branchId: null,
    roles: GRACE.roles,
  });
  t.equal((await world.identity.sessions.get(DEMO, 'session-1'))?.revokedAt, null);
  t.match(shown(await edit(id, { roles: ['CASHIER'] })), { roles: ['CASHIER'] });
  t.match(await world.identity.credentials.byUser(DEMO, id), { roles: ['CASHIER'], status: 'ACTIVE' });
  t.not((await world.identity.sessions.get(DEMO, 'session-1'))?.revokedAt, null, 'new roles: he logs in again');
  t.match(shown(await edit(id, { status: 'INACTIVE', roles: ['AUDITOR'] })), {
    status: 'INACTIVE',
    roles: ['AUDITOR'],
  });
  t.match(await world.identity.credentials.byUser(DEMO, id), { roles: ['AUDITOR'], status: 'INACTIVE' });
  t.match(shown(await world.send(`${USERS}/activate-user-account/${id}`)), { status: 'ACTIVE', userType: 'EMPLOYEE' });
  t.match(say(await edit(id, { roles: ['AGENT'] })), /agentId:INVALID_ARGUMENT/);
  t.match(say(await edit(shown(agent).id, { roles: ['MANAGER'] })), /roles:INVALID_ARGUMENT/);
  t.match(say(await edit(id, { phone: '1234' })), /phone:INVALID_PHONE/);
  t.equal((await edit('00000000-0000-4000-8000-000000000000', { lastName: 'Nobody' })).status, 404);
  const list = async (query = '') =>
    peopleOf(await world.send(`${USERS}/list-employees?${query}`)).map(({ email }) => email);
  t.same(await list('role=AGENT'), ['agent@staff.example']);
  t.same(await list('status=INACTIVE'), []);
  t.equal((await list()).length, 4);
  t.same(
    peopleOf(await world.send(`${USERS}/list-employees`, {}, 'MANAGER', 'other')),
    [],
    'another tenant has none of them',
  );
  t.equal(
    (await world.send(`${USERS}/edit-employee/${id}`, { method: 'PUT', body: { lastName: 'Eve' } }, 'MANAGER', 'other'))
      .status,
    404,
  );
});

t.test('the reactor finishes what a crash left', async (t) => {
  const world = await openWorld(t);
  const { id } = shown(await register(world));
  const { credentials, vault, readModels } = world.identity;
  const follow = async (who = id, kind: 'customer' | 'employee' = 'customer') => {
    const { position } = (await world.log.readAll({ after: '', limit: 10_000 })).at(-1) ?? { position: '' };
    const data = { tenantId: DEMO, kind, id: who, position, correlation: 'c' };
    await identityProcessor(world.identity)({ id: 'j', data, attempt: 1, signal: new AbortController().signal });
  };
  const before = await revisionOf(world);
  await follow();
  t.equal(await revisionOf(world), before, 'where nothing is amiss nothing happens');
  await world.command('set-customer-status', { customer: id, to: 'INACTIVE' }, DEMO);
  await world.identity.sessions.open(
    {
      ...{ sessionId: 's', tenantId: DEMO, user: { kind: 'customer', id }, device: null, revokedAt: null },
      ...{ createdAt: '2026-01-01T00:00:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z' },
    },
    'd',
  );
  await follow();
  t.equal((await credentials.byUser(DEMO, id))?.status, 'INACTIVE', 'deactivated');
  t.not((await world.identity.sessions.get(DEMO, 's'))?.revokedAt, null, 'and logged out');
  await world.command('set-customer-status', { customer: id, to: 'ACTIVE' }, DEMO);
  await credentials.delete(DEMO, id);
  await follow();
  t.match(
    await credentials.byUser(DEMO, id),
    { status: 'ACTIVE', passwordHash: null },
    'a reservation that ran out is made again',
  );
  const digest = emailDigestOf(world.identity.master, DEMO, CHIDI.email);
  t.equal((await credentials.byEmail(DEMO, digest))?.user.id, id, 'with his address');
  await credentials.delete(DEMO, id);
  t.equal((await register(world)).status, 200, 'unless somebody has it');
  await t.rejects(follow(), /belongs to somebody else/);
  await world.command('erase-customer', { customer: id, legalBasis: 'test' }, DEMO);
  await follow();
  t.equal((await readModels.customer(DEMO, id))?.person, null);
  await t.rejects(vault.seal(DEMO, id, {}), 'his key is gone');
  await t.rejects(follow('00000000-0000-4000-8000-000000000000'), /do not know/, 'who is unknown is not erased');
});

t.test('who may log in', async (t) => {
  const world = await openWorld(t);
  const { id } = shown(await register(world, {}, {}, 'AGENT'));
  const headers = { 'X-Tenant': 'demo' };
  const logIn = () =>
    world.send(
      '/api/v6/services/securitymanagement/login',
      { method: 'PUT', body: { email: CHIDI.email, currentPassword: PASSWORD }, headers },
      'NOBODY',
    );
  const first = await logIn();
  t.equal(first.status, 200, first.text);
  const token = { token: (first.json.data as { access_token: string }).access_token };
  const profile = () => world.send(`${USERS}/profile`, {}, token);
  t.match(shown(await profile()), { id, status: 'PENDING_VERIFICATION' }, 'pending customers may');
  await world.send(`${USERS}/deactivate-user-account/${id}`, { method: 'POST' });
  t.equal((await profile()).status, 401, 'deactivated: out at once');
  t.equal((await logIn()).status, 401);
  await world.send(`${USERS}/activate-user-account/${id}`, { method: 'POST' });
  t.equal((await profile()).status, 401, 'an old log-in stays over');
  t.equal((await logIn()).status, 200);
  const suspend = (status: 'SUSPENDED' | 'ACTIVE') =>
    world.command('set-agent-status', { agent: world.agentId('own'), status, reason: 'r' }, DEMO);
  await suspend('SUSPENDED');
  t.match(say(await logIn()), /^403 FORBIDDEN :AGENT_SUSPENDED/);
  await suspend('ACTIVE');
  t.equal((await logIn()).status, 200);

  const manager = { legalBasis: 'GDPR Art. 17(1)(a)' };
  const erase = (who: string) => world.send(`${USERS}/erase-person/${who}`, { body: manager });
  t.match((await erase(id)).json.data, { id, status: 'ERASED', userType: 'CUSTOMER' });
  t.equal((await logIn()).status, 401, 'erased: nobody');
  t.match(say(await erase(id)), /^404 NOT_FOUND/, 'once');
  t.match(shown(await world.send(`${USERS}/customer-by-id/${id}`)), {
    id,
    status: 'ERASED',
    firstName: null,
    email: null,
    dynamicFields: {},
  });
  t.match(
    say(await world.send(`${USERS}/profile-edit`, { method: 'PUT', body: { customerCode: id, firstName: 'Eve' } })),
    /^404/,
  );
  t.equal((await world.send(`${USERS}/activate-user-account/${id}`)).status, 404);
  const grace = { firstName: 'Grace', lastName: 'Bello', email: 'grace@staff.example', roles: ['CASHIER'] };
  const employee = shown(await world.send(`${USERS}/create-employee`, { body: grace }));
  t.match((await erase(employee.id)).json.data, { userType: 'EMPLOYEE' });
  t.same(peopleOf(await world.send(`${USERS}/list-employees`)), []);
  t.equal(
    (await world.identity.outbox.list(DEMO, { to: grace.email }, { page: 1, size: 1 })).totalElements,
    0,
    'his mail too',
  );
  t.match(say(await erase('00000000-0000-4000-8000-000000000000')), /^404/);
});
