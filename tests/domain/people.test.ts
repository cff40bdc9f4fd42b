/** Customers, staff, agents, settings: given events, when a command, then events or a refusal; and their folds. */
import fc from 'fast-check';
import { test } from 'tap';
import { servedByDefault, countryOf } from '../../application/countries.js';
import { evolveAccess, NO_ACCESS } from '../../domain/access/user-access.js';
import type { UserEvent } from '../../domain/access/user-events.js';
import { AGGREGATES } from '../../domain/aggregates.js';
import { agentIdOf } from '../../domain/agent/agent.js';
import { MAX_BANK_DETAILS } from '../../domain/customer/customer.js';
import { customerCodeOf } from '../../domain/customer/customer-code.js';
import { STAFF_ROLES } from '../../domain/employee/events.js';
import type { Role } from '../../domain/shared/decider.js';
import type { Json } from '../../domain/shared/event.js';
import { nameBasedUuid, tenantIdOf } from '../../domain/shared/ids.js';
import { REFUSAL_CODES } from '../../domain/shared/refusal.js';
import {
  MAX_PREFERENCE_SETTINGS,
  PREFERENCES,
  PREFERENCE_KEYS,
  type PreferenceKey,
  type PreferenceScope,
  type PreferenceSetting,
  resolvePreferences,
} from '../../domain/tenant/preferences.js';
import { TENANT, given, refusalsMet, tenantCreated, tenantSuspended } from '../support/given.js';
import {
  ADA,
  AGENT_SETTINGS,
  agentCreated,
  agentId,
  agentSuspended,
  bankDetailsAdded,
  compliance,
  customerErased,
  customerIs,
  customerRegistered,
  employed,
  employeeErased,
  employeeIs,
  personId,
  plainlySealed,
  preferred,
} from '../support/given-people.js';
import { isAboutPeople, refusalsIn } from '../support/refusals.js';

const tenant = tenantCreated();
const ada = personId('ada');
const person = plainlySealed(ada, ADA);
const user = (kind: 'customer' | 'employee', name: string) => ({ kind, id: personId(name) });
const byEmployee = (name: string, role: Role = 'MANAGER') => ({
  subject: `employee:${personId(name)}`,
  roles: [role],
});

test('register-customer', (t) => {
  const register = { customer: ada, customerType: 'INDIVIDUAL' as const, country: 'GBR', person };
  given(tenant)
    .when('register-customer', register)
    .then(t, {
      type: 'customer-registered',
      data: { ...register, code: customerCodeOf(1), codeSequence: 1, agent: undefined },
      tags: [`customer:${ada}`, `tenant:${TENANT}`],
    });
  given(tenant, customerRegistered('first', { codeSequence: 41 }))
    .when('register-customer', register)
    .then(t, { type: 'customer-registered', data: { code: customerCodeOf(42), codeSequence: 42 } });
  given(tenant, agentCreated('lagos'))
    .when('register-customer', { ...register, agent: agentId('lagos') })
    .then(t, {
      type: 'customer-registered',
      data: { agent: agentId('lagos') },
      tags: [`customer:${ada}`, `tenant:${TENANT}`, `agent:${agentId('lagos')}`],
    });
  given(tenant)
    .when('register-customer', { ...register, agent: agentId('lagos') })
    .refused(t, 'agent-not-found');
  given(tenant, agentCreated('lagos'), agentSuspended('lagos'))
    .when('register-customer', { ...register, agent: agentId('lagos') })
    .refused(t, 'agent-suspended');
  for (const facts of [[customerRegistered('ada')], [customerRegistered('ada'), customerErased('ada')]]) {
    given(tenant, ...facts)
      .when('register-customer', register)
      .refused(t, 'invalid-state');
  }
  t.end();
});

test('whatever is done to a customer needs a tenant at work and a customer who is there', (t) => {
  const whats = [
    ['change-customer-profile', { changed: ['phone'], country: 'NGA', person }],
    ['set-customer-picture', { file: personId('file'), contentType: 'image/png' }],
    ['set-customer-status', { to: 'INACTIVE' }],
    ['verify-customer', { decision: 'APPROVE' }],
    ['add-bank-details', { bankDetail: personId('bank'), currency: 'GBP', country: 'GBR', person }],
    ['remove-bank-details', { bankDetail: personId('bank') }],
    ['erase-customer', { legalBasis: 'GDPR' }],
  ] as const;
  for (const [name, more] of whats) {
    const payload = { customer: ada, ...more } as never;
    given(tenant).when(name, payload).refused(t, 'customer-not-found');
    given(tenant, customerRegistered('ada'), customerErased('ada'))
      .when(name, payload)
      .refused(t, 'customer-not-found');
    given().when(name, payload).refused(t, 'tenant-not-found');
    given(tenant, customerRegistered('ada'), tenantSuspended).when(name, payload).refused(t, 'tenant-suspended');
  }
  t.end();
});

test('change-customer-profile', (t) => {
  const known = [tenant, customerRegistered('ada')];
  const change = { customer: ada, changed: ['phone', 'address'], country: 'NGA', person };
  const book = given(...known)
    .when('change-customer-profile', change)
    .then(t, { type: 'customer-profile-changed', data: change, tags: [`customer:${ada}`] });
  t.equal(book.state('customer', ada).country, 'NGA');
  given(...known)
    .when('change-customer-profile', { ...change, changed: [] })
    .then(t);
  const approved = [...known, compliance('ada', 'INCOMPLETE', 'APPROVED')];
  given(...approved)
    .when('change-customer-profile', change)
    .then(t, { type: 'customer-profile-changed' });
  for (const member of ['firstName', 'lastName', 'dob', 'nationality']) {
    given(...approved)
      .when('change-customer-profile', { ...change, changed: ['phone', member] })
      .then(
        t,
        { type: 'customer-profile-changed' },
        { type: 'customer-compliance-set', data: { customer: ada, from: 'APPROVED', to: 'REVIEW_DUE' } },
      );
    given(...known)
      .when('change-customer-profile', { ...change, changed: [member] })
      .then(t, { type: 'customer-profile-changed' });
  }
  t.end();
});

test('status, verification and picture of a customer', (t) => {
  const known = [tenant, customerRegistered('ada')];
  given(...known)
    .when('set-customer-status', { customer: ada, to: 'ACTIVE', reason: 'came by' })
    .then(t, {
      type: 'customer-status-set',
      data: { customer: ada, from: 'PENDING_VERIFICATION', to: 'ACTIVE', reason: 'came by' },
    });
  const active = [...known, customerIs('ada', 'PENDING_VERIFICATION', 'ACTIVE')];
  given(...active)
    .when('set-customer-status', { customer: ada, to: 'ACTIVE' })
    .then(t);
  given(...active)
    .when('set-customer-status', { customer: ada, to: 'INACTIVE' })
    .then(t, { type: 'customer-status-set', data: { from: 'ACTIVE', to: 'INACTIVE' } });

  const approve = { customer: ada, decision: 'APPROVE' as const, note: 'seen' };
  given(...known)
    .when('verify-customer', approve)
    .then(
      t,
      { type: 'customer-compliance-set', data: { from: 'INCOMPLETE', to: 'APPROVED', reason: 'seen' } },
      { type: 'customer-status-set', data: { from: 'PENDING_VERIFICATION', to: 'ACTIVE' } },
    );
  given(...active)
    .when('verify-customer', approve)
    .then(t, { type: 'customer-compliance-set' });
  given(...known)
    .when('verify-customer', { customer: ada, decision: 'REJECT' })
    .then(t, { type: 'customer-compliance-set', data: { to: 'REJECTED' } });
  given(...known, compliance('ada', 'SCREENING', 'APPROVED'))
    .when('verify-customer', approve)
    .refused(t, 'invalid-state');
  given(...known, customerIs('ada', 'ACTIVE', 'INACTIVE'))
    .when('verify-customer', approve)
    .then(t, { type: 'customer-compliance-set' });

  const picture = { customer: ada, file: personId('file'), contentType: 'image/png' };
  const book = given(...known)
    .when('set-customer-picture', picture)
    .then(t, { type: 'customer-picture-set', data: picture });
  t.equal(book.state('customer', ada).picture, picture.file);
  t.end();
});

test('bank details', (t) => {
  const known = [tenant, customerRegistered('ada')];
  const add = { customer: ada, bankDetail: personId('bank'), currency: 'GBP', country: 'GBR', person };
  given(...known)
    .when('add-bank-details', add)
    .then(t, { type: 'bank-details-added', data: add, tags: [`customer:${ada}`] });
  const full = Array.from({ length: MAX_BANK_DETAILS }, (_, i) => bankDetailsAdded('ada', `bank ${i}`));
  given(...known, ...full.slice(1))
    .when('add-bank-details', add)
    .then(t, { type: 'bank-details-added' });
  given(...known, ...full)
    .when('add-bank-details', add)
    .refused(t, 'too-many-bank-details');
  given(...known, ...full)
    .when('add-bank-details', { ...add, bankDetail: personId('bank 3') })
    .then(t);
  const remove = { customer: ada, bankDetail: personId('bank 3') };
  const book = given(...known, ...full)
    .when('remove-bank-details', remove)
    .then(t, { type: 'bank-details-removed', data: remove });
  t.equal(book.state('customer', ada).bankDetails.length, MAX_BANK_DETAILS - 1);
  given(...known, ...full)
    .when('remove-bank-details', { ...remove, bankDetail: personId('another') })
    .refused(t, 'bank-details-not-found');
  given(...known, customerRegistered('bea'), ...full)
    .when('remove-bank-details', { ...remove, customer: personId('bea') })
    .refused(t, 'bank-details-not-found');
  t.end();
});

test('erase-customer leaves what is no person', (t) => {
  const erase = { customer: ada, legalBasis: 'GDPR Art. 17(1)(a)', reason: 'asked' };
  const book = given(
    tenant,
    customerRegistered('ada', { code: 'RZ0LNK', country: 'NGA' }),
    bankDetailsAdded('ada', 'bank'),
  )
    .when('erase-customer', erase)
    .then(t, { type: 'customer-erased', data: erase, tags: [`customer:${ada}`] });
  t.match(book.state('customer', ada), { status: 'ERASED', code: 'RZ0LNK', bankDetails: [], access: NO_ACCESS });
  t.end();
});

test('customer codes', (t) => {
  const pages = [1, 5_000_000, 2 ** 30 - 50_000, 2 ** 30, 2 ** 30 * 7];
  const codes = new Set<string>();
  let count = 0;
  for (const first of pages) {
    for (let sequence = first; sequence < first + 50_000; sequence += 1, count += 1)
      codes.add(customerCodeOf(sequence));
  }
  t.equal(codes.size, count, 'no two customers have the same');
  t.ok(
    [...codes].every((code) => /^[0-9A-HJKMNP-TV-Z]{6}\d*$/.test(code)),
    'no letters that are read wrongly',
  );
  t.ok(
    Array.from({ length: 1_000 }, (_, i) => customerCodeOf(i + 1)).every((code) => code.length === 6),
    'short ones first',
  );
  // It permutes: each of the 2^30 comes from one number only, which the factor's inverse finds again.
  const modulus = 2n ** 30n;
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const inverse = Array.from({ length: 30 }).reduce<bigint>((x) => (x * (2n - 693_147_181n * x)) % modulus, 1n);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 30 - 1 }), (sequence) => {
      const number = [...customerCodeOf(sequence)].reduce(
        (sum, sign) => sum * 32n + BigInt(alphabet.indexOf(sign)),
        0n,
      );
      const found = ((((number - 271_828_183n) * inverse) % modulus) + modulus) % modulus;
      return found === BigInt(sequence);
    }),
    { numRuns: 2_000 },
  );
  const neighbours = Array.from({ length: 100 }, (_, i) => customerCodeOf(i + 1));
  t.ok(new Set(neighbours.map((code) => code.slice(0, 2))).size > 50, 'neighbours do not look like neighbours');
  t.end();
});

test('create-employee', (t) => {
  const employee = personId('eve');
  const create = { employee, roles: ['CASHIER' as Role], person };
  given(tenant)
    .when('create-employee', { ...create, branch: 'LAG-1' })
    .then(t, { type: 'employee-created', data: { ...create, branch: 'LAG-1' }, tags: [`employee:${employee}`] });
  given(tenant, agentCreated('lagos'))
    .when('create-employee', { ...create, roles: ['AGENT', 'CASHIER'], agent: agentId('lagos') })
    .then(t, {
      type: 'employee-created',
      data: { agent: agentId('lagos') },
      tags: [`employee:${employee}`, `agent:${agentId('lagos')}`],
    });
  for (const role of STAFF_ROLES) {
    const alone = given(tenant).when('create-employee', { ...create, roles: [role] });
    if (role === 'AGENT') alone.refused(t, 'invalid-argument', { field: 'agentId' });
    else alone.then(t, { type: 'employee-created' });
    const withAgent = given(tenant, agentCreated('lagos')).when('create-employee', {
      ...create,
      roles: [role],
      agent: agentId('lagos'),
    });
    if (role === 'AGENT' || role === 'CASHIER') withAgent.then(t, { type: 'employee-created' });
    else withAgent.refused(t, 'invalid-argument', { field: 'roles' });
  }
  given(tenant)
    .when('create-employee', { ...create, roles: ['CASHIER', 'CUSTOMER'] })
    .refused(t, 'invalid-argument', { field: 'roles' });
  given(tenant)
    .when('create-employee', { ...create, agent: agentId('lagos') })
    .refused(t, 'agent-not-found', { field: 'agentId' });
  given(tenant, employed('eve')).when('create-employee', create).refused(t, 'invalid-state');
  given(tenant, employed('eve'), employeeErased('eve')).when('create-employee', create).refused(t, 'invalid-state');
  given().when('create-employee', create).refused(t, 'tenant-not-found');
  t.end();
});

test('change-employee', (t) => {
  const employee = personId('eve');
  const eve = [tenant, employed('eve', { roles: ['CASHIER', 'AUDITOR'], branch: 'A' })];
  const change = (more: object) => ({ employee, ...more });
  const book = given(...eve)
    .when('change-employee', change({ roles: ['MANAGER'], branch: 'B', changed: ['phone'], person }))
    .then(t, {
      type: 'employee-changed',
      data: {
        employee,
        roles: { from: ['CASHIER', 'AUDITOR'], to: ['MANAGER'] },
        branch: { from: 'A', to: 'B' },
        changed: ['phone'],
        person,
      },
    });
  t.match(book.state('employee', employee), { roles: ['MANAGER'], branch: 'B' });
  const moved = given(...eve)
    .when('change-employee', change({ branch: null }))
    .then(t, { type: 'employee-changed', data: { branch: { from: 'A', to: null }, roles: undefined } });
  t.notOk('branch' in moved.state('employee', employee));
  t.same(moved.state('employee', employee).roles, ['CASHIER', 'AUDITOR'], 'what is not named stays');
  for (const same of [{}, { roles: ['AUDITOR', 'CASHIER'] }, { branch: 'A' }, { changed: [], person }]) {
    given(...eve)
      .when('change-employee', change(same))
      .then(t);
  }
  given(...eve)
    .when('change-employee', change({ roles: ['AGENT'] }))
    .refused(t, 'invalid-argument', { field: 'agentId' });
  given(...eve)
    .when('change-employee', change({ roles: ['CUSTOMER'] }))
    .refused(t, 'invalid-argument', { field: 'roles' });
  const manager = [tenant, employed('eve', { roles: ['MANAGER'] })];
  given(...manager)
    .as(byEmployee('eve'))
    .when('change-employee', change({ roles: ['CASHIER'] }))
    .refused(t, 'invalid-state', { field: 'roles' });
  given(...manager)
    .as(byEmployee('eve'))
    .when('change-employee', change({ roles: ['MANAGER', 'CASHIER'] }))
    .then(t, { type: 'employee-changed' });
  given(...manager)
    .as(byEmployee('other'))
    .when('change-employee', change({ roles: ['CASHIER'] }))
    .then(t, { type: 'employee-changed' });
  t.end();
});

test('status, picture and erasure of staff', (t) => {
  const employee = personId('eve');
  const eve = [tenant, employed('eve')];
  const inactive = { employee, to: 'INACTIVE' as const, reason: 'on leave' };
  given(...eve)
    .when('set-employee-status', inactive)
    .then(t, { type: 'employee-status-set', data: { ...inactive, from: 'ACTIVE' } });
  given(...eve, employeeIs('eve', 'ACTIVE', 'INACTIVE'))
    .when('set-employee-status', inactive)
    .then(t);
  given(...eve)
    .as(byEmployee('eve'))
    .when('set-employee-status', inactive)
    .refused(t, 'invalid-state');
  const picture = { employee, file: personId('file'), contentType: 'image/png' };
  given(...eve)
    .when('set-employee-picture', picture)
    .then(t, { type: 'employee-picture-set', data: picture });
  const erase = { employee, legalBasis: 'GDPR', reason: 'left' };
  const book = given(...eve)
    .when('erase-employee', erase)
    .then(t, { type: 'employee-erased', data: erase });
  t.match(book.state('employee', employee), { status: 'ERASED', access: NO_ACCESS });
  given(...eve)
    .as(byEmployee('eve'))
    .when('erase-employee', erase)
    .refused(t, 'invalid-state');
  for (const facts of [[], [employed('eve'), employeeErased('eve')]]) {
    const all = given(tenant, ...facts);
    all.when('change-employee', { employee, branch: 'A' }).refused(t, 'employee-not-found');
    all.when('set-employee-status', inactive).refused(t, 'employee-not-found');
    all.when('set-employee-picture', picture).refused(t, 'employee-not-found');
    all.when('erase-employee', erase).refused(t, 'employee-not-found');
  }
  given(...eve, tenantSuspended)
    .when('erase-employee', erase)
    .refused(t, 'tenant-suspended');
  t.end();
});

test('record-access', (t) => {
  const facts = [
    { type: 'signed-in', session: personId('session'), method: 'PASSWORD' },
    { type: 'secret-set', secret: 'LOGIN_PIN', how: 'CREATED' },
    { type: 'user-locked', secret: 'PASSWORD', until: '2026-03-15T11:00:00.000Z' },
  ] as const;
  for (const [kind, fact] of [
    ['customer', customerRegistered('ada')],
    ['employee', employed('ada')],
  ] as const) {
    const of = user(kind, 'ada');
    const book = given(tenant, fact)
      .when('record-access', { user: of, facts })
      .then(
        t,
        ...facts.map(({ type, ...data }) => ({ type, data: { user: of, ...data }, tags: [`${kind}:${of.id}`] })),
      );
    t.same(book.state(kind, of.id).access, {
      ...NO_ACCESS,
      hasLoginPin: true,
      lockedUntil: '2026-03-15T11:00:00.000Z',
    });
    given(tenant, fact)
      .when('record-access', { user: of, facts: [] })
      .refused(t, 'invalid-argument', { field: 'facts' });
    given(tenant).when('record-access', { user: of, facts }).refused(t, `${kind}-not-found`);
    const erased = kind === 'customer' ? customerErased('ada') : employeeErased('ada');
    given(tenant, fact, erased).when('record-access', { user: of, facts }).refused(t, `${kind}-not-found`);
    given(tenant, fact, tenantSuspended).when('record-access', { user: of, facts }).refused(t, 'tenant-suspended');
  }
  given(tenant, customerRegistered('ada'))
    .when('record-access', { user: user('employee', 'ada'), facts })
    .refused(t, 'employee-not-found');
  t.end();
});

test('what is remembered of a user’s ways in', (t) => {
  const of = user('customer', 'ada');
  const after = (...events: ReadonlyArray<readonly [UserEvent['type'], object]>) =>
    events.reduce(
      (access, [type, data]) =>
        evolveAccess(access, { type, version: 1, id: '', tags: [], data: { user: of, ...data } } as never),
      NO_ACCESS,
    );
  t.same(after(['secret-set', { secret: 'PASSWORD' }]), { ...NO_ACCESS, hasPassword: true });
  t.same(after(['secret-set', { secret: 'TRANSACTION_PIN' }]), { ...NO_ACCESS, hasTransactionPin: true });
  const until = '2026-03-15T11:00:00.000Z';
  t.same(after(['user-locked', { secret: 'PASSWORD', until }]), { ...NO_ACCESS, lockedUntil: until });
  t.same(after(['user-locked', { secret: 'TRANSACTION_PIN', until }]), NO_ACCESS, 'a locked PIN locks nobody out');
  t.same(after(['user-locked', { secret: 'PASSWORD', until }], ['user-unlocked', {}]), NO_ACCESS);
  for (const type of ['signed-in', 'signed-out', 'step-up-decided', 'device-registered', 'device-removed'] as const) {
    t.equal(after([type, {}]), NO_ACCESS, type);
  }
  t.end();
});

test('agents', (t) => {
  const create = { slug: 'lagos', settings: AGENT_SETTINGS };
  const lagos = agentId('lagos');
  given(tenant)
    .when('create-agent', create)
    .then(t, {
      type: 'agent-created',
      data: { agent: lagos, slug: 'lagos', ...AGENT_SETTINGS },
      tags: [`agent:${lagos}`],
    });
  t.not(agentIdOf(tenantIdOf('another'), 'lagos'), lagos, 'another tenant’s is another');
  const ikeja = { ...create, slug: 'ikeja', parent: lagos };
  given(tenant, agentCreated('lagos'))
    .when('create-agent', ikeja)
    .then(t, {
      type: 'agent-created',
      data: { parent: lagos },
      tags: [`agent:${agentId('ikeja')}`, `agent:${lagos}`],
    });
  for (const slug of ['', 'Lagos', '-lagos', 'lagos-', 'la gos', '1agos', 'a'.repeat(64)]) {
    given(tenant)
      .when('create-agent', { ...create, slug })
      .refused(t, 'invalid-argument', { field: 'slug' });
  }
  given(tenant, agentCreated('lagos')).when('create-agent', create).refused(t, 'agent-exists', { field: 'slug' });
  given(tenant).when('create-agent', ikeja).refused(t, 'agent-not-found', { field: 'parentAgentId' });
  given(tenant, agentCreated('lagos'), agentSuspended('lagos'))
    .when('create-agent', ikeja)
    .refused(t, 'agent-suspended');
  given(tenant, agentCreated('top'), agentCreated('lagos', 'top'))
    .when('create-agent', ikeja)
    .refused(t, 'invalid-argument', { field: 'parentAgentId' });
  given().when('create-agent', create).refused(t, 'tenant-not-found');

  const both = [tenant, agentCreated('lagos'), agentCreated('ikeja', 'lagos')];
  const renamed = given(...both)
    .when('update-agent', { agent: lagos, settings: { name: 'Lagos', domains: ['lagos.example'] } })
    .then(t, {
      type: 'agent-updated',
      data: { ...AGENT_SETTINGS, agent: lagos, name: 'Lagos', domains: ['lagos.example'] },
    });
  t.match(renamed.state('agent', lagos), { status: 'ACTIVE', slug: 'lagos', settings: { name: 'Lagos' } });
  t.match(renamed.state('agent', agentId('ikeja')), { parent: lagos, settings: { name: 'Agent' } });
  given(...both)
    .when('update-agent', { agent: lagos, settings: { name: 'Agent' } })
    .then(t);
  const suspend = { agent: lagos, status: 'SUSPENDED' as const, reason: 'licence' };
  const suspended = given(...both)
    .when('set-agent-status', suspend)
    .then(t, { type: 'agent-status-set', data: { agent: lagos, from: 'ACTIVE', to: 'SUSPENDED', reason: 'licence' } });
  t.equal(suspended.state('agent', agentId('ikeja')).status, 'ACTIVE');
  given(...both, agentSuspended('lagos'))
    .when('set-agent-status', suspend)
    .refused(t, 'invalid-state', { field: 'status' });
  given(tenant).when('set-agent-status', suspend).refused(t, 'agent-not-found');
  given(tenant).when('update-agent', { agent: lagos, settings: {} }).refused(t, 'agent-not-found');
  t.end();
});

test('change-preferences', (t) => {
  const set = (key: string, value: Json, scope: PreferenceScope = {}) => ({ key: key as PreferenceKey, scope, value });
  const book = given(tenant, agentCreated('lagos'))
    .when('change-preferences', {
      changes: [
        set('OTP_LENGTH', 8),
        set('LOGIN_OTP_REQUIRED', true, { agent: agentId('lagos') }),
        set('LOGIN_OTP_REQUIRED', true, { agent: agentId('lagos'), country: 'NGA' }),
      ],
      reason: 'policy 12',
    })
    .then(t, {
      type: 'preferences-changed',
      data: {
        changes: [
          { key: 'OTP_LENGTH', scope: {}, from: null, to: 8 },
          { key: 'LOGIN_OTP_REQUIRED', scope: { agent: agentId('lagos') }, from: null, to: true },
          { key: 'LOGIN_OTP_REQUIRED', scope: { agent: agentId('lagos'), country: 'NGA' }, from: null, to: true },
        ],
        reason: 'policy 12',
      },
      tags: [`tenant:${TENANT}`],
    });
  t.equal(book.state('tenant', TENANT).preferences.length, 3);

  const eight = [tenant, preferred({ key: 'OTP_LENGTH', to: 8 })];
  given(...eight)
    .when('change-preferences', { changes: [set('OTP_LENGTH', 9)] })
    .then(t, { type: 'preferences-changed', data: { changes: [{ from: 8, to: 9 }] } });
  for (const same of [[set('OTP_LENGTH', 8)], [set('OTP_MINUTES', null)], []]) {
    given(...eight)
      .when('change-preferences', { changes: same })
      .then(t);
  }
  const taken = given(...eight)
    .when('change-preferences', { changes: [set('OTP_LENGTH', null)] })
    .then(t, { type: 'preferences-changed', data: { changes: [{ from: 8, to: null }] } });
  t.same(taken.state('tenant', TENANT).preferences, []);

  for (const key of ['NOTHING_SUCH', 'toString', '__proto__']) {
    given(tenant)
      .when('change-preferences', { changes: [set(key, 1)] })
      .refused(t, 'unknown-preference', { field: key });
  }
  for (const [key, value] of [
    ['OTP_LENGTH', 3],
    ['OTP_LENGTH', '6'],
    ['OTP_LENGTH', 6.5],
    ['LOGIN_OTP_REQUIRED', 1],
    ['MAX_TRANSACTION_LIMIT', '1e3'],
    ['MAX_TRANSACTION_LIMIT', '5.00'],
    ['MAX_TRANSACTION_LIMIT', 5000],
    ['DEFAULT_COUNTRY', 'GB'],
    ['PASSWORD_SPECIAL_CHARACTERS', 'ab'],
  ] as const) {
    given(tenant)
      .when('change-preferences', { changes: [set(key, value)] })
      .refused(t, 'invalid-argument', { field: `preferences.${key}` });
  }
  given(tenant, agentCreated('lagos'))
    .when('change-preferences', { changes: [set('OTP_LENGTH', 8, { agent: agentId('lagos') })] })
    .refused(t, 'invalid-argument', { field: 'preferences.OTP_LENGTH' });
  given(tenant)
    .when('change-preferences', { changes: [set('LOGIN_OTP_REQUIRED', true, { agent: agentId('lagos') })] })
    .refused(t, 'agent-not-found');
  given(tenant, tenantSuspended)
    .when('change-preferences', { changes: [set('OTP_LENGTH', 8)] })
    .refused(t, 'tenant-suspended');

  const countries = Array.from({ length: MAX_PREFERENCE_SETTINGS }, (_, i) => i.toString().padStart(4, '0'));
  const many = (from: number, to: number) =>
    countries.slice(from, to).map((n) => ({
      key: 'MAX_TRANSACTION_LIMIT',
      scope: { validFrom: `2${n.slice(0, 3)}-01-0${(Number(n.slice(3)) % 9) + 1}`, validTo: `9${n.slice(1)}-01-01` },
      to: '5',
    }));
  const full = [tenant, ...Array.from({ length: 10 }, (_, i) => preferred(...many(i * 200, (i + 1) * 200)))];
  given(...full)
    .when('change-preferences', { changes: [set('OTP_LENGTH', 8)] })
    .refused(t, 'too-many-settings');
  given(...full)
    .when('change-preferences', { changes: [set('MAX_TRANSACTION_LIMIT', '6', many(3, 4)[0]?.scope)] })
    .then(t, { type: 'preferences-changed' });
  t.end();
});

test('preferences: every key has a default that fits, and a meaning', (t) => {
  for (const key of PREFERENCE_KEYS) {
    const { schema, default: fallback, description } = PREFERENCES[key];
    t.ok(schema.safeParse(fallback).success, `${key}: ${JSON.stringify(fallback)}`);
    t.match(key, /^[A-Z][A-Z0-9_]+$/);
    t.ok(description.length > 10, key);
  }
  t.end();
});

const [OWN, ABOVE, OTHER] = ['ikeja', 'lagos', 'kano'].map(agentId) as [string, string, string];
const query = { agents: [OWN, ABOVE], country: 'NGA', today: '2026-03-15' };
const limit = (value: string, scope: PreferenceScope): PreferenceSetting => ({
  key: 'MAX_TRANSACTION_LIMIT',
  scope,
  value,
});
const resolved = (settings: readonly PreferenceSetting[], asked: Parameters<typeof resolvePreferences>[1] = query) =>
  resolvePreferences(settings, asked).MAX_TRANSACTION_LIMIT;

/** Scopes that apply to `query`, the least specific first. */
const RANKED: readonly PreferenceScope[] = [undefined, ABOVE, OWN].flatMap((agent) =>
  [undefined, 'NGA'].flatMap((country) =>
    [undefined, '2026-03-01'].map((validFrom) => ({
      ...(agent === undefined ? {} : { agent }),
      ...(country === undefined ? {} : { country }),
      ...(validFrom === undefined ? {} : { validFrom }),
    })),
  ),
);
/** Scopes that do not. */
const FOREIGN: readonly PreferenceScope[] = [
  { agent: OTHER },
  { agent: OTHER, country: 'NGA' },
  { country: 'GBR' },
  { agent: OWN, country: 'GBR' },
  { validFrom: '2026-03-16' },
  { validTo: '2026-03-14' },
  { agent: OWN, validFrom: '2026-03-01', validTo: '2026-03-14' },
];

test('preferences: the most specific setting wins', (t) => {
  t.equal(resolved([]), PREFERENCES.MAX_TRANSACTION_LIMIT.default);
  const settings = RANKED.map((scope, rank) => limit(String(rank), scope));
  for (let rank = 0; rank < settings.length; rank += 1) {
    t.equal(resolved(settings.slice(0, rank + 1)), String(rank), JSON.stringify(RANKED[rank]));
    t.equal(resolved(settings.slice(0, rank + 1).reverse()), String(rank));
  }
  for (const scope of FOREIGN) t.equal(resolved([limit('7', {}), limit('8', scope)]), '7', JSON.stringify(scope));
  t.equal(resolved([limit('1', { validFrom: '2026-03-15', validTo: '2026-03-15' })]), '1', 'both ends are in');
  t.equal(resolved([limit('1', { validTo: '2026-03-15' }), limit('2', {})]), '1');
  t.equal(resolved([limit('1', {}), limit('2', { country: 'NGA' })], { agents: [], today: query.today }), '1');
  t.equal(resolved(settings, { agents: [], country: 'NGA', today: query.today }), '3', 'the tenant’s own only');
  t.equal(resolved(settings, { agents: [ABOVE], country: 'NGA', today: query.today }), '7', 'the agent’s');
  t.end();
});

test('preferences: properties of the resolution', (t) => {
  const scope = fc.constantFrom(...RANKED, ...FOREIGN);
  const settings = fc.uniqueArray(fc.record({ scope, value: fc.nat({ max: 10_000 }) }), {
    selector: (one) => JSON.stringify(one.scope),
    maxLength: RANKED.length + FOREIGN.length,
  });
  fc.assert(
    fc.property(settings, fc.nat(), (drawn, seed) => {
      const all = drawn.map((one) => limit(String(one.value), one.scope));
      const applying = RANKED.filter((one) => drawn.some((other) => other.scope === one));
      const best = drawn.find((one) => one.scope === applying.at(-1));
      // Whatever else is set, and in whatever order it was set.
      const shuffled = all.map((one, i) => ({ one, at: (i * 7919 + seed) % 104_729 })).sort((a, b) => a.at - b.at);
      const wanted = best === undefined ? PREFERENCES.MAX_TRANSACTION_LIMIT.default : String(best.value);
      return (
        resolved(all) === wanted &&
        resolved(shuffled.map(({ one }) => one)) === wanted &&
        resolvePreferences(all, query).OTP_LENGTH === PREFERENCES.OTP_LENGTH.default
      );
    }),
    { numRuns: 500 },
  );
  t.end();
});

test('set-country', (t) => {
  const nigeria = countryOf('NGA');
  t.ok(nigeria);
  const byDefault = servedByDefault(nigeria as never, ['NGN']);
  t.same(byDefault, { active: true, sending: true, receiving: true });
  const off = { active: true, sending: false, receiving: true };
  const book = given(tenant)
    .when('set-country', { country: 'NGA', serving: { sending: false }, byDefault })
    .then(t, { type: 'country-set', data: { country: 'NGA', from: byDefault, to: off }, tags: [`tenant:${TENANT}`] });
  t.same(book.state('tenant', TENANT).countries, { NGA: off });
  given(tenant)
    .when('set-country', { country: 'NGA', serving: { active: true }, byDefault })
    .then(t);
  const was = () => ({
    type: 'country-set',
    data: { country: 'NGA', from: byDefault, to: off },
    tags: [`tenant:${TENANT}` as const],
  });
  given(tenant, was)
    .when('set-country', { country: 'NGA', serving: { receiving: false }, byDefault })
    .then(t, { type: 'country-set', data: { from: off, to: { active: true, sending: false, receiving: false } } });
  given(tenant, was).when('set-country', { country: 'NGA', serving: off, byDefault }).then(t);
  given().when('set-country', { country: 'NGA', serving: off, byDefault }).refused(t, 'tenant-not-found');
  t.end();
});

test('introduce-key', (t) => {
  const key = { kid: 'k2', use: 'JWT' as const, algorithm: 'RS256' };
  given(tenant)
    .when('introduce-key', key)
    .then(t, { type: 'key-introduced', data: { ...key, previous: undefined }, tags: [`tenant:${TENANT}`] });
  const next = { ...key, previous: 'k1', previousUntil: '2026-03-17T10:00:00.000Z' };
  given(tenant).when('introduce-key', next).then(t, { type: 'key-introduced', data: next });
  given(tenant, tenantSuspended).when('introduce-key', key).refused(t, 'tenant-suspended');
  t.end();
});

test('states survive storage', (t) => {
  const full = [
    tenant,
    agentCreated('lagos'),
    customerRegistered('ada', { agent: agentId('lagos') }),
    compliance('ada', 'INCOMPLETE', 'APPROVED'),
    bankDetailsAdded('ada', 'bank'),
    employed('eve', { roles: ['MANAGER'], branch: 'A' }),
    preferred({ key: 'OTP_LENGTH', to: 8 }),
  ];
  const kinds = [
    ['customer', ada],
    ['customer', nameBasedUuid(TENANT, 'nobody')],
    ['employee', personId('eve')],
    ['agent', agentId('lagos')],
    ['tenant', TENANT],
  ] as const;
  const facts = [{ type: 'secret-set', secret: 'PASSWORD', how: 'CREATED' }] as const;
  for (const more of [[], [agentSuspended('lagos'), employeeErased('eve')]]) {
    const book = given(...full, ...more)
      .when('record-access', { user: user('customer', 'ada'), facts })
      .then(t, { type: 'secret-set' });
    for (const [kind, id] of kinds) {
      const state = book.state(kind, id);
      const aggregate = AGGREGATES[kind] as { toJson(s: unknown): Json; fromJson(j: Json): unknown };
      const stored = JSON.stringify(aggregate.toJson(state));
      t.strictSame(aggregate.fromJson(JSON.parse(stored) as Json), state, kind);
      t.notMatch(stored, /ada@|Obi|447911/i, 'and tell nothing of the person');
    }
  }
  t.end();
});

test('no refusal about people that a decider can give was left out', (t) => {
  const codes = refusalsIn(isAboutPeople);
  t.ok(codes.length > 10, `${codes.length} codes`);
  t.same(
    codes.filter((code) => !refusalsMet.has(code)),
    [],
    'met by a scenario',
  );
  t.same(
    codes.filter((code) => !(REFUSAL_CODES as readonly string[]).includes(code)),
    [],
  );
  t.end();
});
