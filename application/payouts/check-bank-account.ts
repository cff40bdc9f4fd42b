import { type NubanError, nubanError } from '../../domain/loan/nuban.js';
import { type Fault, fault } from '../people/faults.js';
import type { Bank, BankDirectory } from '../ports/bank-directory.js';
import type { CustomerView } from '../ports/read-models.js';
import { isNameOf } from './account-name.js';

const NUBAN_MESSAGES: Readonly<Record<NubanError, string>> = {
  'not-ten-digits': 'a Nigerian account number has ten digits',
  'not-a-bank-code': 'the code of the bank is none of the Central Bank of Nigeria',
  'wrong-check-digit': 'the check digit is wrong for this bank (NUBAN)',
};

/** Which bank, and what cannot be an account number of it. It does not say that the account exists. */
export async function bankOf(banks: BankDirectory, bankCode: string): Promise<Bank | undefined> {
  return (await banks.banks()).find((bank) => bank.bankCode === bankCode);
}

export function numberFault(banks: BankDirectory, bank: Bank, accountNumber: string): Fault | undefined {
  if (bank.country !== 'NGA' || banks.isTestNumber(accountNumber)) return undefined;
  const error = nubanError(accountNumber, bank.bankCode);
  return error === null ? undefined : fault('accountNumber', 'INVALID_ACCOUNT_NUMBER', NUBAN_MESSAGES[error]);
}

/** The names under which a customer may hold an account: his own; a company's, and no longer his representative's. */
export function isHeldBy(holder: string, { customerType, person }: CustomerView): boolean {
  if (person === null) return false;
  const company = person.dynamicFields?.['companyName'];
  return customerType === 'COMPANY' && typeof company === 'string'
    ? isNameOf(holder, { firstName: company, lastName: company })
    : isNameOf(holder, person);
}

/** The name that he goes by. */
export function nameOf({ customerType, person }: CustomerView): string | undefined {
  if (person === null) return undefined;
  const company = person.dynamicFields?.['companyName'];
  return customerType === 'COMPANY' && typeof company === 'string' ? company : `${person.firstName} ${person.lastName}`;
}
