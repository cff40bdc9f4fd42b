/** People, agents and settings as facts of `given`; ids are made from any short name. */
import { agentIdOf } from '../../domain/agent/agent.js';
import type { CustomerRegistered } from '../../domain/customer/events.js';
import type { EmployeeCreated } from '../../domain/employee/events.js';
import type { Json } from '../../domain/shared/event.js';
import type { PersonalData, SealedPerson } from '../../domain/shared/person.js';
import { tagOf } from '../../domain/aggregates.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import { type Fact, TENANT } from './given.js';

export const personId = (name: string): string => nameBasedUuid(TENANT, `person ${name}`);
export const agentId = (slug: string): string => agentIdOf(TENANT, slug);

/** Not sealed at all: what stands there can be read by `openPlain`. */
export const plainlySealed = (subject: string, plain: Json): SealedPerson => ({
  subject,
  sealed: JSON.stringify(plain),
});
export const ADA: PersonalData = {
  firstName: 'Ada',
  lastName: 'Obi',
  email: 'Ada@Example.com',
  phone: '+447911123456',
};

/** A vault for what is sealed plainly; subjects that are `erased` have no key any more. */
export class PlainVault {
  readonly erased = new Set<string>();

  open(items: ReadonlyArray<{ readonly person: SealedPerson }>): Promise<Array<Json | undefined>> {
    return Promise.resolve(
      items.map(({ person: { subject, sealed } }) =>
        this.erased.has(subject) ? undefined : (JSON.parse(sealed) as Json),
      ),
    );
  }
}

const customerFact =
  (type: string, name: string, data: object): Fact =>
  () => ({ type, data: { customer: personId(name), ...data }, tags: [tagOf('customer', personId(name))] });
const employeeFact =
  (type: string, name: string, data: object): Fact =>
  () => ({ type, data: { employee: personId(name), ...data }, tags: [tagOf('employee', personId(name))] });

export const customerRegistered =
  (name: string, more: Partial<CustomerRegistered['data']> = {}): Fact =>
  () => ({
    type: 'customer-registered',
    data: {
      customer: personId(name),
      code: 'C1',
      codeSequence: 1,
      customerType: 'INDIVIDUAL',
      country: 'GBR',
      person: plainlySealed(personId(name), ADA),
      ...more,
    },
    tags: [tagOf('customer', personId(name)), tagOf('tenant', TENANT)],
  });
export const customerIs = (name: string, from: string, to: string): Fact =>
  customerFact('customer-status-set', name, { from, to });
export const compliance = (name: string, from: string, to: string): Fact =>
  customerFact('customer-compliance-set', name, { from, to });
export const bankDetailsAdded = (name: string, bankDetail: string): Fact =>
  customerFact('bank-details-added', name, {
    bankDetail: personId(bankDetail),
    currency: 'GBP',
    country: 'GBR',
    person: plainlySealed(personId(name), { iban: 'GB00' }),
  });
export const customerErased = (name: string): Fact => customerFact('customer-erased', name, { legalBasis: 'the law' });

export const employed = (name: string, more: Partial<EmployeeCreated['data']> = {}): Fact =>
  employeeFact('employee-created', name, {
    roles: ['CASHIER'],
    person: plainlySealed(personId(name), ADA),
    ...more,
  });
export const employeeIs = (name: string, from: string, to: string): Fact =>
  employeeFact('employee-status-set', name, { from, to });
export const employeeErased = (name: string): Fact => employeeFact('employee-erased', name, { legalBasis: 'the law' });

export const AGENT_SETTINGS = { name: 'Agent', domains: [], branding: {}, emailTemplates: {} };
export const agentCreated =
  (slug: string, parent?: string): Fact =>
  () => ({
    type: 'agent-created',
    data: {
      agent: agentId(slug),
      slug,
      ...(parent === undefined ? {} : { parent: agentId(parent) }),
      ...AGENT_SETTINGS,
    },
    tags: [tagOf('agent', agentId(slug)), ...(parent === undefined ? [] : [tagOf('agent', agentId(parent))])],
  });
export const agentSuspended =
  (slug: string): Fact =>
  () => ({
    type: 'agent-status-set',
    data: { agent: agentId(slug), from: 'ACTIVE', to: 'SUSPENDED', reason: 'test' },
    tags: [tagOf('agent', agentId(slug))],
  });

type Change = { readonly key: string; readonly scope?: object; readonly from?: Json; readonly to: Json };
export const preferred =
  (...changes: Change[]): Fact =>
  () => ({
    type: 'preferences-changed',
    data: { changes: changes.map((change) => ({ scope: {}, from: null, ...change })) },
    tags: [tagOf('tenant', TENANT)],
  });
