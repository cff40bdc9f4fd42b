import { z } from 'zod';
import { addBankAccount } from '../../application/payouts/add-bank-account.js';
import { type BankAccount, bankAccountsOf } from '../../application/payouts/bank-accounts.js';
import type { BankDetailsAdded } from '../../domain/customer/events.js';
import { acceptedOr, askedAboutPerson, caughtUp, isFailure } from '../commands.js';
import { faultyFailure } from '../ciam/person-in-sight.js';
import { customerCode } from '../ciam/person-schemas.js';
import { PEOPLE } from '../ciam/examples.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { RequestFailed, unavailable } from '../problem.js';
import { uuid } from '../schemas.js';
import { visibleCustomer } from '../scope.js';
import { BANKING, TRANSFERS } from './bank-examples.js';
import { bankAccountNumber, bankCode, holderName, shownNumber, visibleBankAccount } from './bank-pieces.js';
import { banksOf, fromPartner } from './banks.js';

const SERVICE = '/api/v1/services/user';
const VIEWERS = ['MANAGER', 'AGENT', 'CUSTOMER'] as const;
const MASKED = 'Staff sees the last four digits of `accountNumber`, the customer all of them.';

const added = {
  accountId: z.string(),
  customerId: z.string(),
  accountNumber: z.string(),
  accountName: z.string(),
  bankCode: z.string(),
  bankName: z.string(),
  isDefault: z.boolean(),
  isVerified: z.boolean(),
};
const bankAccountShape = z
  .object({ ...added, accountType: z.string().nullable(), currencyCode: z.string(), createdDate: z.string() })
  .meta({ id: 'BankAccount' });

const ACCOUNT_EXAMPLE = {
  accountId: TRANSFERS.bankAccountId,
  customerId: PEOPLE.customerId,
  ...BANKING,
  accountType: 'SAVINGS',
  isDefault: true,
  isVerified: true,
  currencyCode: 'NGN',
  createdDate: EXAMPLE.at,
};

function bankAccountOut(call: Call, account: BankAccount) {
  const { accountId, customerId, accountNumber, accountName, bankCode: code, bankName, accountType } = account;
  return {
    ...{ accountId, customerId, accountNumber: shownNumber(call, accountNumber), accountName },
    ...{ bankCode: code, bankName, accountType, isDefault: account.isDefault, isVerified: account.isVerified },
    ...{ currencyCode: account.currency, createdDate: account.createdAt },
  };
}

export const addBankAccountEndpoint = defineEndpoint({
  id: 'add-bank-account',
  group: 'lending',
  title: 'Add bank account',
  description:
    'An account of the customer’s own: `accountName` and the name that the bank’s side tells must both have the last ' +
    'name and the first first name of his profile, in any order, beside whatever other words (422 `NAME_MISMATCH`). A ' +
    'Nigerian number must have the right check digit for the bank (NUBAN). `bankName` is the directory’s, whatever is ' +
    'sent. `isVerified` is false where a bank tells no names: nothing is paid out to such an account.',
  method: 'POST',
  path: `${SERVICE}/create-bank-account`,
  aliases: [],
  roles: ['CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    customerId: customerCode,
    accountNumber: bankAccountNumber,
    accountName: holderName,
    bankCode,
    bankName: z.string().max(128).optional(),
    accountType: z.enum(['SAVINGS', 'CURRENT', 'CHECKING']).optional(),
    isDefault: z.boolean().default(false),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    savings: { body: { customerId: PEOPLE.customerId, ...BANKING, accountType: 'SAVINGS', isDefault: true } },
  },
  success: { status: 201, description: 'Bank account added', data: bankAccountShape, example: ACCOUNT_EXAMPLE },
  errors: ['NOT_FOUND', 'LIMIT_EXCEEDED', 'SERVICE_UNAVAILABLE'],
  async handler(call) {
    await caughtUp(call);
    const { customerId: customerCode_, bankName: _, ...wanted } = call.body;
    const customer = await visibleCustomer(call, customerCode_);
    const { identity, readModels, config } = call.services;
    const asked = askedAboutPerson(call);
    const result = await fromPartner(addBankAccount(identity, banksOf(call), asked, customer, wanted));
    if (result.status === 'faulty') return faultyFailure(result);
    const done = acceptedOr(result.status === 'refused' ? result : result.outcome, call);
    if (isFailure(done)) return done;
    const event = done.events.find(({ type }) => type === 'bank-details-added');
    if (event === undefined) throw new Error('a new bank account has its event');
    const { bankDetail } = event.data as BankDetailsAdded['data'];
    if (!(await readModels.waitFor(done.position, config.positionWaitMs))) {
      throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
    }
    const data = bankAccountOut(call, await visibleBankAccount(call, bankDetail));
    const { position, replayed } = done;
    return { kind: 'answer', message: 'Bank account added', data, position, replayed };
  },
});

export const viewBankAccount = defineEndpoint({
  id: 'view-bank-account',
  group: 'lending',
  title: 'View bank account',
  description: MASKED,
  method: 'GET',
  path: `${SERVICE}/view-bank-account/{accountId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ accountId: uuid }),
  unknownMembers: 'ignore',
  requestExamples: { one: { params: { accountId: TRANSFERS.bankAccountId } } },
  success: { status: 200, description: 'The bank account', data: bankAccountShape, example: ACCOUNT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const account = await visibleBankAccount(call, call.params.accountId);
    return { kind: 'answer', message: 'Bank account', data: bankAccountOut(call, account) };
  },
});

export const listBankAccounts = defineEndpoint({
  id: 'list-bank-accounts',
  group: 'lending',
  title: 'List bank accounts',
  description: `Accounts that a customer may withdraw to, oldest first. ${MASKED}`,
  method: 'GET',
  path: `${SERVICE}/list-customer-bank-accounts/{customerId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ customerId: customerCode }),
  unknownMembers: 'ignore',
  requestExamples: { customer: { params: { customerId: PEOPLE.customerId } } },
  success: {
    status: 200,
    description: 'The bank accounts',
    data: z.array(bankAccountShape),
    example: [ACCOUNT_EXAMPLE],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerId } = await visibleCustomer(call, call.params.customerId);
    const details = await call.services.readModels.bankDetailsOf(call.caller.tenantId, customerId);
    const data = bankAccountsOf(details).map((account) => bankAccountOut(call, account));
    return { kind: 'answer', message: 'Bank accounts', data };
  },
});
