import { agentIdOf } from '../../domain/agent/agent.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import type { PersonalData } from '../../domain/shared/person.js';
import type { Book } from './busy-book.js';
import { plainlySealed } from './given-people.js';

/** Who they are; some would not be found by a careless search, some would spoil a careless statement. */
const PEOPLE: ReadonlyArray<Partial<PersonalData>> = [
  { firstName: 'Ada', lastName: 'Obi', email: 'Ada.Obi@Example.com', phone: '+447911123456' },
  { firstName: 'Adaeze', lastName: 'Okafor', phone: '+2348031234567' },
  { firstName: 'Zoë', lastName: 'Núñez-García', email: 'zoe@example.org', phone: '+34600112233' },
  { firstName: 'Seán', lastName: "O'Brien", phone: '+353861234567' },
  { firstName: 'Łukasz', lastName: 'Żółć', dynamicFields: { companyName: '24-7 Größe GmbH', registrationNumber: '1' } },
  { firstName: 'ΑΣΤΡΟΣ', lastName: 'Παπαδόπουλος' },
  { firstName: '李', lastName: '小龙' },
  { firstName: '100%', lastName: '_x\\y' },
  { firstName: '\u0000\u001e\u001f', lastName: '\ud800 \u{10ffff}' },
  { firstName: 'Ada', lastName: 'Abiola', phone: '+390612345678' },
  { firstName: 'Ада', lastName: 'Ёлкина', dynamicFields: { companyName: 7 } },
  { firstName: 'No', lastName: 'Phone' },
];

/** What `busyPeople` has made; ids by running number or name. */
export interface BusyPeople {
  readonly customers: readonly string[];
  readonly employees: readonly string[];
  readonly agents: { readonly lagos: string; readonly ikeja: string; readonly kano: string };
  readonly bankDetails: readonly string[];
  /** Customers and staff whose keys were destroyed. */
  readonly erased: readonly string[];
}

/** Some of everything that can happen to people, agents and settings, about ninety events; `name` makes ids differ. */
export async function busyPeople(book: Book, name = 'people'): Promise<BusyPeople> {
  const { tenantId } = book;
  const id = (what: string): string => nameBasedUuid(tenantId, `${name} ${what}`);
  const agents = {
    lagos: agentIdOf(tenantId, 'lagos'),
    ikeja: agentIdOf(tenantId, 'ikeja'),
    kano: agentIdOf(tenantId, 'kano'),
  };
  const settings = { name: 'An “agent”\n', domains: [], branding: { logo: 'x' }, emailTemplates: { hi: '{{name}}' } };
  await book.run('create-agent', { slug: 'lagos', settings: { ...settings, domains: [`Lagos.${name}.example`] } });
  await book.run('create-agent', { slug: 'ikeja', parent: agents.lagos, settings });
  await book.run('create-agent', { slug: 'kano', settings: { ...settings, smsSenderId: 'KANO' } });
  const customers = await registerAll(book, id, [undefined, agents.lagos, agents.ikeja, agents.kano]);
  const bankDetails = await changeCustomers(book, id, customers);
  const employees = await employAll(book, id, agents.lagos);
  await book.run('update-agent', {
    agent: agents.lagos,
    settings: { name: 'Lagos', domains: [`new.${name}.example`], emailTemplates: {} },
  });
  await book.run('set-agent-status', { agent: agents.kano, status: 'SUSPENDED', reason: 'licence' });
  await book.run('change-preferences', {
    changes: [
      { key: 'OTP_LENGTH', scope: {}, value: 8 },
      { key: 'SUPPORT_EMAIL', scope: { agent: agents.lagos, country: 'NGA' }, value: 'help@lagos.example' },
    ],
  });
  await book.run('change-preferences', { changes: [{ key: 'OTP_LENGTH', scope: {}, value: 7 }] });
  const byDefault = { active: false, sending: false, receiving: false };
  await book.run('set-country', { country: 'NGA', serving: { active: true, sending: true }, byDefault });
  await book.run('set-country', { country: 'GBR', serving: { active: true }, byDefault });
  return { customers, employees, agents, bankDetails, erased: [customers[1] as string, employees[2] as string] };
}

type Name = (what: string) => string;

async function registerAll(book: Book, id: Name, agents: ReadonlyArray<string | undefined>): Promise<string[]> {
  const customers = PEOPLE.map((_, i) => id(`customer ${i}`));
  for (const [i, customer] of customers.entries()) {
    const agent = agents[i % agents.length];
    await book.run('register-customer', {
      customer,
      customerType: i % 5 === 4 ? 'COMPANY' : 'INDIVIDUAL',
      country: i % 2 === 0 ? 'GBR' : 'NGA',
      ...(agent === undefined ? {} : { agent }),
      person: plainlySealed(customer, personOf(i)),
    });
  }
  return customers;
}

function personOf(i: number, more: Partial<PersonalData> = {}): PersonalData {
  return { firstName: 'First', lastName: 'Last', email: `person${i}@example.net`, ...PEOPLE[i], ...more };
}

async function changeCustomers(book: Book, id: Name, customers: readonly string[]): Promise<string[]> {
  const [ada = '', adaeze = '', zoe = '', sean = ''] = customers;
  const bankDetails = Array.from({ length: 5 }, (_, i) => id(`bank details ${i}`));
  for (const [i, bankDetail] of bankDetails.entries()) {
    const customer = i < 3 ? ada : adaeze;
    const person = plainlySealed(customer, { iban: `GB00 ${i}`, holder: 'Ada Obi\u0000' });
    await book.run('add-bank-details', { customer, bankDetail, currency: 'GBP', country: 'GBR', person });
  }
  await book.run('remove-bank-details', { customer: ada, bankDetail: bankDetails[1] as string });
  // Fewer terms than before, then more.
  for (const [customer, i, changed] of [
    [zoe, 2, { lastName: 'Li', phone: '+1202555' }],
    [sean, 3, { firstName: 'Seán Pádraig Ó', phone: '+353861239999' }],
  ] as const) {
    const person = plainlySealed(customer, personOf(i, changed));
    const payload = { customer, changed: Object.keys(changed), country: 'IRL', person };
    await book.run('change-customer-profile', payload);
  }
  await book.run('set-customer-picture', { customer: ada, file: id('picture'), contentType: 'image/png' });
  await book.run('set-customer-picture', { customer: adaeze, file: id('another'), contentType: 'image/png' });
  await book.run('verify-customer', { customer: ada, decision: 'APPROVE' });
  await book.run('verify-customer', { customer: zoe, decision: 'REJECT', note: 'blurred' });
  await book.run('set-customer-status', { customer: sean, to: 'INACTIVE' });
  await access(book, 'customer', ada);
  await access(book, 'customer', adaeze);
  await book.run('record-access', { user: { kind: 'customer', id: ada }, facts: [{ type: 'user-unlocked' }] });
  await book.run('open-account', { owner: ada, currency: 'EUR', product: 'WALLET', name: 'Wallet of the principal’s' });
  await book.run('open-account', { owner: adaeze, currency: 'EUR', product: 'WALLET', name: 'Wallet of an agent’s' });
  await book.run('open-account', { owner: zoe, currency: 'JPY', product: 'CURRENT', name: 'Current of a sub-agent’s' });
  await book.run('erase-customer', { customer: adaeze, legalBasis: 'GDPR Art. 17(1)(a)' });
  return bankDetails;
}

async function access(book: Book, kind: 'customer' | 'employee', id: string): Promise<void> {
  await book.run('record-access', {
    user: { kind, id },
    facts: [
      { type: 'secret-set', secret: 'PASSWORD', how: 'CREATED' },
      { type: 'secret-set', secret: 'LOGIN_PIN', how: 'CREATED' },
      { type: 'secret-set', secret: 'TRANSACTION_PIN', how: 'CREATED' },
      { type: 'user-locked', secret: 'TRANSACTION_PIN', until: '2026-01-06T00:00:00.000Z' },
      { type: 'user-locked', secret: 'PASSWORD', until: '2026-01-05T12:00:00Z' },
    ],
  });
}

async function employAll(book: Book, id: Name, agent: string): Promise<string[]> {
  const employees = Array.from({ length: 5 }, (_, i) => id(`employee ${i}`));
  for (const [i, employee] of employees.entries()) {
    await book.run('create-employee', {
      employee,
      roles: i === 1 ? ['AGENT', 'CASHIER'] : i === 2 ? ['MANAGER'] : ['CASHIER'],
      ...(i === 1 ? { agent } : {}),
      branch: `B-${i}`,
      person: plainlySealed(employee, personOf(i)),
    });
  }
  const [first = '', , third = '', fourth = ''] = employees;
  const person = plainlySealed(first, personOf(0, { lastName: 'Obi-Ade' }));
  await book.run('change-employee', { employee: first, roles: ['CASHIER', 'AUDITOR'], branch: null, changed: ['lastName'], person }); // prettier-ignore
  await book.run('change-employee', { employee: fourth, branch: 'B-9' });
  await book.run('set-employee-status', { employee: fourth, to: 'INACTIVE' });
  await book.run('set-employee-picture', { employee: third, file: id('face'), contentType: 'image/png' });
  await access(book, 'employee', first);
  await access(book, 'employee', third);
  await book.run('erase-employee', { employee: third, legalBasis: 'GDPR Art. 17(1)(a)' });
  return employees;
}
