import { z } from 'zod';
import type { BankDirectory, HolderAnswer } from '../../application/ports/bank-directory.js';
import { PartnerUnavailable } from '../../application/ports/payout-partner.js';
import { bankOf, nameOf, numberFault } from '../../application/payouts/check-bank-account.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { RequestFailed, unavailable } from '../problem.js';
import { noSuch } from '../scope.js';
import { BANKING } from './bank-examples.js';
import { bankAccountNumber, bankCode } from './bank-pieces.js';

/** The directory of banks; where the installation has none nothing can be looked up, added or paid out. */
export function banksOf(call: Call): BankDirectory {
  const { banks } = call.services;
  if (banks === undefined) {
    throw new RequestFailed(unavailable('This installation has no partner for bank accounts', 3600));
  }
  return banks;
}

/** What a bank partner answers; his silence is a 503. */
export async function fromPartner<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof PartnerUnavailable) throw new RequestFailed(unavailable('The bank’s side does not answer', 5));
    throw error;
  }
}

export const availableBanks = defineEndpoint({
  id: 'available-banks',
  group: 'lending',
  title: 'Available banks',
  description: 'Banks that accounts can be registered at and money can be sent to, by name.',
  method: 'GET',
  path: '/api/v1/services/user/get-available-banks',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'],
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'ignore',
  requestExamples: { all: {} },
  success: {
    status: 200,
    description: 'The banks',
    data: z.array(
      z
        .object({ bankCode: z.string(), bankName: z.string(), country: z.string(), currencyCode: z.string() })
        .meta({ id: 'Bank' }),
    ),
    example: [{ bankCode: BANKING.bankCode, bankName: BANKING.bankName, country: 'NGA', currencyCode: 'NGN' }],
  },
  errors: ['SERVICE_UNAVAILABLE'],
  async handler(call) {
    const banks = await fromPartner(banksOf(call).banks());
    const data = banks.map(({ currency, ...bank }) => ({ ...bank, currencyCode: currency }));
    return { kind: 'answer', message: 'Available banks', data };
  },
});

export const verifyBankAccount = defineEndpoint({
  id: 'verify-bank-account',
  group: 'lending',
  title: 'Verify bank account',
  description:
    'The name of the holder as the bank’s side tells it, to be sent as `accountName` of create-bank-account. `valid` is ' +
    'false, and the name null, for a number that cannot be one of this bank (in Nigeria by its check digit) and for an ' +
    'account that is not there. Some banks confirm a name and tell none: a customer is asked for by his profile’s name.',
  method: 'GET',
  path: '/api/v1/services/user/verify-bank-account/{bankCode}/{accountNumber}',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'],
  // Whoever asks for one number after the other collects names.
  tightLimit: true,
  hidesPath: true,
  kind: 'query',
  movesMoney: false,
  params: z.object({ bankCode, accountNumber: bankAccountNumber }),
  unknownMembers: 'ignore',
  requestExamples: { account: { params: { bankCode: BANKING.bankCode, accountNumber: BANKING.accountNumber } } },
  success: {
    status: 200,
    description: 'Account verified',
    data: z
      .object({
        accountNumber: z.string(),
        accountName: z.string().nullable(),
        bankCode: z.string(),
        bankName: z.string(),
        valid: z.boolean(),
      })
      .meta({ id: 'BankAccountVerification' }),
    example: { ...BANKING, accountName: BANKING.accountName, valid: true },
  },
  errors: ['NOT_FOUND', 'SERVICE_UNAVAILABLE'],
  async handler(call) {
    const { bankCode: code, accountNumber } = call.params;
    const banks = banksOf(call);
    const bank = await fromPartner(bankOf(banks, code));
    if (bank === undefined) throw noSuch('bank');
    const holder: HolderAnswer =
      numberFault(banks, bank, accountNumber) === undefined
        ? await fromPartner(banks.holderOf(code, accountNumber, await ownName(call)))
        : { status: 'no-such-account' };
    const accountName = holder.status === 'found' ? holder.accountName : null;
    const data = { accountNumber, accountName, bankCode: code, bankName: bank.bankName, valid: accountName !== null };
    return { kind: 'answer', message: data.valid ? 'Account verified' : 'No such account', data };
  },
});

/** The profile's name of a customer who calls. */
async function ownName({ caller, services }: Call): Promise<string | undefined> {
  if (caller.customerId === undefined) return undefined;
  const customer = await services.readModels.customer(caller.tenantId, caller.customerId);
  return customer === undefined ? undefined : nameOf(customer);
}
