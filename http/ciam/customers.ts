import { z } from 'zod';
import type { CustomerFilter } from '../../application/ports/read-models.js';
import { present } from '../../application/people/person-checks.js';
import { CUSTOMER_STATUSES, CUSTOMER_TYPES } from '../../domain/customer/events.js';
import { caughtUp, execute, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { RequestFailed, invalid } from '../problem.js';
import { dateIn, page, pagedOf, reason, size } from '../schemas.js';
import { agentScope, visibleCustomer } from '../scope.js';
import { PEOPLE } from './examples.js';
import { changedPerson } from './person-in-sight.js';
import { personId } from './person-schemas.js';
import { PROFILE_EXAMPLE, customerOut, profileShape } from './person-shape.js';

const SERVICE = '/api/v6/services/usermanagement';
const customersShape = pagedOf('customers', profileShape);
const CUSTOMERS_EXAMPLE = { customers: [PROFILE_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 };

export const customerById = defineEndpoint({
  id: 'customer-by-id',
  group: 'ciam',
  title: 'Customer by id',
  description: 'By UUID or customer code. An agent sees his own customers only.',
  method: 'GET',
  path: `${SERVICE}/customer-by-id/{id}`,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'query',
  movesMoney: false,
  params: z.object({ id: personId }),
  unknownMembers: 'ignore',
  requestExamples: {
    id: { params: { id: PEOPLE.customerId } },
    code: { params: { id: PEOPLE.customerCode } },
  },
  success: { status: 200, description: 'The customer', data: profileShape, example: PROFILE_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const customer = await visibleCustomer(call, call.params.id);
    return { kind: 'answer', message: 'Customer', data: customerOut(customer, call.services.clock.nowMs()) };
  },
});

/** The agents whose customers the caller sees, as a filter; null: he sees none. */
async function inSight(call: Call): Promise<Pick<CustomerFilter, 'agentIds'> | null> {
  const agentIds = await agentScope(call);
  if (agentIds === undefined) return {};
  return agentIds.length === 0 ? null : { agentIds };
}

const NOBODY = { items: [], totalElements: 0 };

export const listCustomers = defineEndpoint({
  id: 'list-customers',
  group: 'ciam',
  title: 'List customers',
  description: 'Newest first. An agent sees his own and his sub-agents’ customers.',
  method: 'GET',
  path: `${SERVICE}/list-customers`,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'query',
  movesMoney: false,
  query: z.object({
    page,
    size,
    status: z.enum(CUSTOMER_STATUSES).exclude(['ERASED']).optional(),
    customerType: z.enum(CUSTOMER_TYPES).optional(),
    fromDate: dateIn.optional(),
    toDate: dateIn.optional(),
  }),
  unknownMembers: 'ignore',
  requestExamples: { pending: { query: { status: 'PENDING_VERIFICATION', fromDate: '01/01/2026' } } },
  success: { status: 200, description: 'Customers', data: customersShape, example: CUSTOMERS_EXAMPLE },
  errors: [],
  async handler(call) {
    const { page: number, size: most, ...wanted } = call.query;
    const { fromDate, toDate } = wanted;
    if (fromDate !== undefined && toDate !== undefined && fromDate > toDate) {
      throw new RequestFailed(invalid('fromDate', 'INVALID_RANGE', 'fromDate is after toDate'));
    }
    const agents = await inSight(call);
    const { readModels, clock } = call.services;
    const slice = { page: number, size: most };
    const filter = { ...present(wanted), ...agents };
    const found = agents === null ? NOBODY : await readModels.customers(call.caller.tenantId, filter, slice);
    const customers = found.items.map((customer) => customerOut(customer, clock.nowMs()));
    return { kind: 'answer', message: 'Customers', data: { customers, ...pageInfo(slice, found.totalElements) } };
  },
});

const MAX_WORDS = 5;
/** What can only be a phone number: digits and the signs that people put between them. */
const NUMBER = /^\+?[\d\s().-]{3,}$/;

/** The words to look for. Of a number its digits: without the zeros that are dialled before it and not part of it. */
function wordsOf(query: string): readonly string[] {
  const text = query.trim();
  if (NUMBER.test(text) && /\d/.test(text)) return [text.replace(/\D/g, '').replace(/^0{1,2}(?=\d{3})/, '')];
  return text.split(/\s+/).slice(0, MAX_WORDS);
}

export const findCustomer = defineEndpoint({
  id: 'find-customer',
  group: 'ciam',
  title: 'Find customer by name or phone',
  description:
    'Customers all of whose words begin a word of the name, or are part of the phone number, or begin the e-mail address; ' +
    'without regard to case and accents.',
  method: 'GET',
  path: `${SERVICE}/find-customer-by-name-or-phone-no`,
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ query: z.string().trim().min(2).max(100), page, size }),
  unknownMembers: 'ignore',
  requestExamples: {
    name: { query: { query: 'ada o' } },
    phone: { query: { query: '0803 123 4567' } },
  },
  success: { status: 200, description: 'Customers by name', data: customersShape, example: CUSTOMERS_EXAMPLE },
  errors: [],
  async handler(call) {
    const { query, ...slice } = call.query;
    const agents = await inSight(call);
    const { readModels, clock } = call.services;
    const { tenantId } = call.caller;
    const found = agents === null ? NOBODY : await readModels.findCustomers(tenantId, wordsOf(query), agents, slice);
    const customers = found.items.map((customer) => customerOut(customer, clock.nowMs()));
    return { kind: 'answer', message: 'Customers', data: { customers, ...pageInfo(slice, found.totalElements) } };
  },
});

export const verifyCustomer = defineEndpoint({
  id: 'verify-customer',
  group: 'compliance',
  title: 'Verify customer',
  description:
    'Staff’s decision on who he is. APPROVE also activates a pending customer. The note stays in the log: it must not name people.',
  method: 'PUT',
  path: `${SERVICE}/verify-customer/{id}`,
  aliases: [{ method: 'POST', path: `${SERVICE}/verify-customer/{id}` }],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ id: personId }),
  body: z.object({ decision: z.enum(['APPROVE', 'REJECT']), note: reason.optional() }),
  unknownMembers: 'ignore',
  requestExamples: {
    approve: { params: { id: PEOPLE.customerCode }, body: { decision: 'APPROVE', note: 'Documents checked' } },
  },
  success: {
    status: 200,
    description: 'The customer',
    data: profileShape,
    example: { ...PROFILE_EXAMPLE, status: 'ACTIVE', complianceStatus: 'APPROVED' },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    await caughtUp(call);
    const customer = await visibleCustomer(call, call.params.id);
    const { decision, note } = call.body;
    const payload = { customer: customer.customerId, decision, ...present({ note }) };
    const done = await execute(call, 'verify-customer', payload);
    if (isFailure(done)) return done;
    return changedPerson(call, { kind: 'customer', ...customer }, done, 'Customer verified');
  },
});
