import { z } from 'zod';
import type { BankAccount } from '../../application/payouts/bank-accounts.js';
import { bankAccountsOf } from '../../application/payouts/bank-accounts.js';
import type { Call } from '../endpoint.js';
import { RequestFailed } from '../problem.js';
import { noSuch, ownOnly, visibleCustomer } from '../scope.js';

/** Pieces that the schemas of bank accounts and transfers have in common. */
export const bankCode = z
  .union([z.string(), z.int().nonnegative()])
  // A number has lost the zeros in front: codes have at least three digits.
  .transform((code) => (typeof code === 'number' ? String(code).padStart(3, '0') : code))
  .pipe(z.string().regex(/^[A-Za-z0-9]{1,12}$/, 'is not the code of a bank'))
  .meta({
    type: 'string',
    description: 'As get-available-banks has it; a whole number is understood too',
    example: '058',
  });
export const bankAccountNumber = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9]{4,34}$/, 'is not the number of a bank account')
  .meta({ example: '0123456785' });
export const holderName = z.string().trim().min(1).max(128).meta({ example: 'Ada Obi' });

/** All but the last four characters hidden. */
export function masked(number: string): string {
  return number.slice(-4).padStart(number.length, '*');
}

/** The customer himself sees his numbers; staff sees as much as it takes to recognise them. */
export function shownNumber(call: Call, number: string): string {
  return ownOnly(call.caller) === undefined ? masked(number) : number;
}

/** A bank account in sight of the caller; somebody else's answers like one that does not exist, word for word. */
export async function visibleBankAccount(call: Call, accountId: string): Promise<BankAccount> {
  const { readModels } = call.services;
  const detail = await readModels.bankDetail(call.caller.tenantId, accountId);
  if (detail === undefined) throw noSuch('bank account');
  const customer = await visibleCustomer(call, detail.customerId).catch((error: unknown) => {
    throw error instanceof RequestFailed ? noSuch('bank account') : error;
  });
  const all = bankAccountsOf(await readModels.bankDetailsOf(call.caller.tenantId, customer.customerId));
  const account = all.find((each) => each.accountId === detail.bankDetailId);
  if (account === undefined) throw noSuch('bank account');
  return account;
}
