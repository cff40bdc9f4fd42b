import { z } from 'zod';
import { addBankDetails } from '../../application/people/add-bank-details.js';
import type { BankDetailView } from '../../application/ports/read-models.js';
import type { BankDetailsAdded } from '../../domain/customer/events.js';
import { acceptedOr, caughtUp, execute, isFailure, askedAboutPerson } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { currencyCode, uuid } from '../schemas.js';
import { noSuch, ownPerson, visibleCustomer } from '../scope.js';
import { PEOPLE } from './examples.js';
import { faultyFailure } from './person-in-sight.js';
import { countryIso3, customerCode } from './person-schemas.js';

const SERVICE = '/api/v6/services/bankmanagement';
const PATH = `${SERVICE}/customer-bank-details`;
const MAX_PAIRS = 30;

const pairsIn = z
  .array(
    z.strictObject({
      key: z.string().trim().min(1).max(64),
      value: z
        .string()
        .max(512)
        .nullable()
        .transform((text) => text ?? ''),
    }),
  )
  .min(1)
  .max(MAX_PAIRS);

const bankDetailShape = z
  .object({
    bankDetailId: z.string(),
    customerId: z.string(),
    currencyCode: z.string(),
    country: z.string(),
    bankAccountMetaData: z.array(z.object({ key: z.string(), value: z.string() })),
    createdAt: z.string(),
  })
  .meta({ id: 'CustomerBankDetails' });

const PAIRS_EXAMPLE = [
  { key: 'bankname', value: 'First Bank' },
  { key: 'bankaccountno', value: '3001234567' },
  { key: 'accountholdername', value: 'Adaobi Obi' },
];
const BANK_DETAIL_EXAMPLE = {
  bankDetailId: PEOPLE.bankDetailId,
  customerId: PEOPLE.customerId,
  currencyCode: 'NGN',
  country: 'NGA',
  bankAccountMetaData: PAIRS_EXAMPLE,
  createdAt: EXAMPLE.at,
};

type Pairs = ReadonlyArray<{ readonly key: string; readonly value: string }>;

function bankDetailOut({ bankDetailId, customerId, currency, country, details, addedAt }: BankDetailView) {
  const pairs = (details ?? []) as Pairs;
  return { bankDetailId, customerId, currencyCode: currency, country, bankAccountMetaData: pairs, createdAt: addedAt };
}

/** Whose bank details a call is about: the customer that it names, or the one who calls. */
async function customerOf(call: Call, code: string | undefined): Promise<string> {
  const own = code === undefined ? ownPerson(call) : undefined;
  if (own?.kind === 'employee') throw noSuch('customer');
  return (await visibleCustomer(call, code ?? own?.id ?? '')).customerId;
}

export const addCustomerBankDetails = defineEndpoint({
  id: 'add-customer-bank-details',
  group: 'ciam',
  title: 'Add customer bank details',
  description: 'A bank account of the customer’s own. The check digits of a value under key `iban` are checked.',
  method: 'POST',
  path: PATH,
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    customerCode: customerCode.optional(),
    currencyCode,
    country: countryIso3,
    bankAccountMetaData: pairsIn,
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    account: {
      body: {
        customerCode: PEOPLE.customerCode,
        currencyCode: 'NGN',
        country: 'NGA',
        bankAccountMetaData: PAIRS_EXAMPLE,
      },
    },
  },
  success: { status: 201, description: 'The bank details', data: bankDetailShape, example: BANK_DETAIL_EXAMPLE },
  errors: ['NOT_FOUND', 'LIMIT_EXCEEDED'],
  async handler(call) {
    await caughtUp(call);
    const { currencyCode: currency, country, bankAccountMetaData: details } = call.body;
    const customer = await customerOf(call, call.body.customerCode);
    const wanted = { customer, currency, country, details };
    const result = await addBankDetails(call.services.identity, askedAboutPerson(call), wanted);
    if (result.status === 'faulty') return faultyFailure(result);
    const done = acceptedOr(result.status === 'refused' ? result : result.outcome, call);
    if (isFailure(done)) return done;
    const added = done.events.find(({ type }) => type === 'bank-details-added');
    if (added === undefined) throw new Error('new bank details have their event');
    const { bankDetail } = added.data as BankDetailsAdded['data'];
    const view = {
      bankDetailId: bankDetail,
      customerId: customer,
      currency,
      country,
      details,
      addedAt: added.recordedAt,
    };
    return {
      kind: 'answer',
      message: 'Bank details added',
      data: bankDetailOut(view),
      position: done.position,
      replayed: done.replayed,
    };
  },
});

export const listCustomerBankDetails = defineEndpoint({
  id: 'list-customer-bank-details',
  group: 'ciam',
  title: 'List customer bank details',
  method: 'GET',
  path: PATH,
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CUSTOMER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ customerCode: customerCode.optional() }),
  unknownMembers: 'refuse',
  requestExamples: { customer: { query: { customerCode: PEOPLE.customerCode } } },
  success: {
    status: 200,
    description: 'Bank details, oldest first',
    data: z.array(bankDetailShape),
    example: [BANK_DETAIL_EXAMPLE],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const customer = await customerOf(call, call.query.customerCode);
    const details = await call.services.readModels.bankDetailsOf(call.caller.tenantId, customer);
    return { kind: 'answer', message: 'Bank details', data: details.map(bankDetailOut) };
  },
});

export const deleteCustomerBankDetails = defineEndpoint({
  id: 'delete-customer-bank-details',
  group: 'ciam',
  title: 'Delete customer bank details',
  method: 'DELETE',
  path: `${SERVICE}/delete-customer-bank-details/{bankDetailId}`,
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ bankDetailId: uuid }),
  unknownMembers: 'ignore',
  requestExamples: { one: { params: { bankDetailId: PEOPLE.bankDetailId } } },
  success: {
    status: 200,
    description: 'The bank details are gone',
    data: z.object({ bankDetailId: z.string(), deleted: z.literal(true) }),
    example: { bankDetailId: PEOPLE.bankDetailId, deleted: true },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    await caughtUp(call);
    const { bankDetailId } = call.params;
    const detail = await call.services.readModels.bankDetail(call.caller.tenantId, bankDetailId);
    if (detail === undefined) throw noSuch('bank details');
    const customer = await visibleCustomer(call, detail.customerId).catch(() => {
      // Somebody else's answer like none at all, word for word.
      throw noSuch('bank details');
    });
    const payload = { customer: customer.customerId, bankDetail: bankDetailId };
    const done = await execute(call, 'remove-bank-details', payload);
    if (isFailure(done)) return done;
    return {
      kind: 'answer',
      message: 'Bank details deleted',
      data: { bankDetailId, deleted: true },
      position: done.position,
      replayed: done.replayed,
    };
  },
});
