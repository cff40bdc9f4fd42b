import fc from 'fast-check';
import t from 'tap';
import type { JobQueue, NewJob } from '../../application/ports/job-queue.js';
import { isIban } from '../../application/people/iban.js';
import { ageOn, changedMembers, dobFault, laidOver, present } from '../../application/people/person-checks.js';
import { phoneOf } from '../../application/people/phone.js';
import { pictureTypeOf } from '../../application/people/set-picture.js';
import { agentChain, isAgentSuspended, standingOf } from '../../application/people/standing.js';
import type { CustomerView } from '../../application/ports/read-models.js';
import type { ScannedEvent } from '../../application/ports/event-scan.js';
import { type IdentityTask, identityReactor } from '../../application/reactors/identity.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

t.test('phone numbers as people write them', async (t) => {
  const known: ReadonlyArray<readonly [string, string | undefined, string | undefined]> = [
    ['+447911123456', undefined, '+447911123456'],
    ['+44 (0) 7911 123456', undefined, '+447911123456'],
    ['00447911123456', undefined, '+447911123456'],
    ['07911 123456', '+44', '+447911123456'],
    ['7911-123-456', '44', '+447911123456'],
    ['0803 123 4567', '+234', '+2348031234567'],
    ['8031234567', '+234', '+2348031234567'],
    ['212-555-0123', '+1', '+12125550123'],
    ['+447911123456', '+44', '+447911123456'],
    ['+447911123456', '+234', undefined],
    ['0803 123 4567', undefined, undefined],
    ['984 573 63733', '+44', undefined],
    ['0803 123 4567', '+999', undefined],
    ['01', '2', undefined],
    ['+447911123456', '+999', undefined],
    ['+80012345678', '+800', '+80012345678'],
    ['+4479111234567', undefined, undefined],
    ['+999123456789', undefined, undefined],
    ['+44 7911 12345x', undefined, undefined],
    ['', '+44', undefined],
    ['+', undefined, undefined],
    ['1'.repeat(41), '+44', undefined],
  ];
  for (const [text, dialingCode, expected] of known)
    t.equal(phoneOf(text, dialingCode), expected, `${text} ${dialingCode}`);
  fc.assert(
    fc.property(
      fc.string({ maxLength: 60 }),
      fc.option(fc.string({ maxLength: 6 }), { nil: undefined }),
      (text, code) => {
        const found = phoneOf(text, code);
        return found === undefined || /^\+[1-9]\d{5,14}$/.test(found);
      },
    ),
  );
});

t.test('ages by the calendar', async (t) => {
  t.equal(ageOn('2026-11-22', '2008-11-22'), 18);
  t.equal(ageOn('2026-11-21', '2008-11-22'), 17);
  t.equal(ageOn('2026-02-28', '2008-02-29'), 17);
  t.equal(ageOn('2026-03-01', '2008-02-29'), 18);
  t.match(dobFault('2008-11-23', '2026-11-22'), { code: 'TOO_YOUNG' });
  t.equal(dobFault('2008-11-22', '2026-11-22'), undefined);
  t.equal(dobFault('1906-01-01', '2026-11-22'), undefined);
  t.match(dobFault('1905-11-22', '2026-11-22'), { code: 'INVALID_DATE' });
  t.match(dobFault('2026-11-23', '2026-11-22'), { code: 'INVALID_DATE' });
});

t.test('what changed of a person', async (t) => {
  const ada = { firstName: 'Ada', lastName: 'Obi', email: 'a@b.example', address: { city: 'Lagos' } };
  t.same(changedMembers(ada, { ...ada, address: { city: 'Lagos' } }), []);
  t.same(changedMembers(ada, { ...ada, lastName: 'Eze', dob: '1990-01-01' }), ['lastName', 'dob']);
  t.same(changedMembers({ ...ada, phone: '+1' }, ada), ['phone']);
  t.same(present({ a: 1, b: undefined, c: null }), { a: 1, c: null });
  t.same(laidOver({ a: 1, b: 2 }, { b: undefined, a: 3 }), { a: 3, b: 2 });
});

t.test('IBANs of the registry, and what is none', async (t) => {
  for (const iban of [
    'GB82 WEST 1234 5698 7654 32',
    'DE89370400440532013000',
    'FR1420041010050500013M02606',
    'nl91abna0417164300',
  ])
    t.ok(isIban(iban), iban);
  for (const text of [
    'GB82 WEST 1234 5698 7654 33',
    'DE8937040044053201300',
    '',
    'GB82',
    '82GBWEST12345698765432',
    'GB82WEST1234569876543!',
  ])
    t.notOk(isIban(text), text);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 21 }), fc.integer({ min: 1, max: 9 }), (at, add) => {
      const iban = 'GB82WEST12345698765432';
      const digit = iban.charAt(at);
      if (!/\d/.test(digit)) return true;
      const other = String((Number(digit) + add) % 10);
      return !isIban(iban.slice(0, at) + other + iban.slice(at + 1));
    }),
  );
});

t.test('what a picture is', async (t) => {
  t.equal(pictureTypeOf(Buffer.from([0xff, 0xd8, 0xff, 0xe1])), 'image/jpeg');
  t.equal(pictureTypeOf(Buffer.from('\x89PNG\r\n\x1a\nrest', 'latin1')), 'image/png');
  for (const text of ['', 'GIF89a', '<svg xmlns="http://www.w3.org/2000/svg"/>', '\x89PNG', '%PDF-1.7', 'MZ'])
    t.equal(pictureTypeOf(Buffer.from(text, 'latin1')), undefined, text);
});

t.test('standing of people and agents', async (t) => {
  const customer = { kind: 'customer', status: 'PENDING_VERIFICATION', agentId: 'a' } as CustomerView & {
    kind: 'customer';
  };
  t.same(standingOf(customer), { status: 'ACTIVE', roles: ['CUSTOMER'], agent: 'a' }, 'pending ones may log in');
  t.equal(standingOf({ ...customer, status: 'INACTIVE' }).status, 'INACTIVE');
  const agents: Record<string, { parentAgentId: string | null; status: string }> = {
    top: { parentAgentId: null, status: 'ACTIVE' },
    shop: { parentAgentId: 'top', status: 'ACTIVE' },
  };
  const readModels = { agent: (_: string, id: string) => Promise.resolve(agents[id]) } as never;
  t.same(await agentChain(readModels, 't', 'shop'), ['shop', 'top'], 'nearest first');
  t.same(await agentChain(readModels, 't', null), []);
  const suspended = async () => [
    await isAgentSuspended(readModels, 't', 'shop'),
    await isAgentSuspended(readModels, 't', 'top'),
  ];
  t.same(await suspended(), [false, false]);
  agents['shop'] = { parentAgentId: 'top', status: 'SUSPENDED' };
  t.same(await suspended(), [true, false]);
  agents['shop'] = { parentAgentId: 'top', status: 'ACTIVE' };
  agents['top'] = { parentAgentId: null, status: 'SUSPENDED' };
  t.same(await suspended(), [true, true], 'with the agent above');
  t.equal(await isAgentSuspended(readModels, 't', undefined), false, 'the principal’s own');
});

t.test('the identity reactor asks for one job an event', async (t) => {
  const added: NewJob<IdentityTask>[] = [];
  const queue = {
    addAll: (jobs: NewJob<IdentityTask>[]) => Promise.resolve(void added.push(...jobs)),
  } as never as JobQueue<IdentityTask>;
  const ids = createIdSource();
  const event = (type: string, data: object) =>
    ({ id: ids.eventId(), type, data, tenantId: 't', position: '7', meta: {} }) as unknown as ScannedEvent;
  const events = [
    event('customer-registered', { customer: 'c' }),
    event('employee-erased', { employee: 'e' }),
    event('account-opened', { account: 'a' }),
  ];
  await identityReactor(queue).react(events);
  t.match(added, [
    { id: `follow-${events[0]?.id}`, data: { tenantId: 't', kind: 'customer', id: 'c', position: '7' } },
    { id: `follow-${events[1]?.id}`, data: { kind: 'employee', id: 'e' } },
  ]);
  t.equal(added.length, 2);
  added.length = 0;
  await identityReactor(queue).react(
    Array.from({ length: 2_500 }, () => event('customer-status-set', { customer: 'c' })),
  );
  t.equal(added.length, 2_500);
  const personal = JSON.stringify(added[0]);
  t.notMatch(personal, /email|name/i, 'jobs name people by id only');
});
