import type { Asked } from '../access/api-tokens.js';
import { answeredBefore } from '../access/as-user.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import { type Fault, type Faulty, fault, faulty } from '../people/faults.js';
import { noSuchPerson, sealFor } from '../people/seal-person.js';
import type { Bank, BankDirectory } from '../ports/bank-directory.js';
import type { CustomerView } from '../ports/read-models.js';
import { bankAccountPairs, bankAccountsOf } from './bank-accounts.js';
import { bankOf, isHeldBy, nameOf, numberFault } from './check-bank-account.js';

export interface NewBankAccount {
  readonly accountNumber: string;
  readonly accountName: string;
  readonly bankCode: string;
  readonly accountType?: string | undefined;
  readonly isDefault: boolean;
}

export type BankAccountAdded =
  | { readonly status: 'accepted'; readonly outcome: Extract<Outcome, { status: 'accepted' }> }
  | Faulty
  | Extract<Outcome, { status: 'refused' }>;

interface Checked {
  readonly bank: Bank;
  /** As the bank's side tells it, else as the customer does. */
  readonly accountName: string;
  readonly isVerified: boolean;
}

/**
 * Remembers an account of the customer's own at a bank, if it is his: the name that the client sends and the name that the
 * bank's side tells must both be the profile's (account-name.ts). Where a bank tells no names it is remembered unverified,
 * and nothing is paid out to it.
 */
export async function addBankAccount(
  identity: Identity,
  banks: BankDirectory,
  asked: Asked,
  customer: CustomerView,
  wanted: NewBankAccount,
): Promise<BankAccountAdded> {
  const { bus, vault, ids } = identity;
  const { customerId } = customer;
  const before = await answeredBefore(identity, asked, { kind: 'customer', id: customerId });
  if (before !== undefined) return before.status === 'refused' ? before : { status: 'accepted', outcome: before };
  const checked = await check(identity, banks, asked.tenantId, customer, wanted);
  if ('status' in checked) return checked;
  const { bank, accountName, isVerified } = checked;
  const pairs = bankAccountPairs({ ...wanted, accountName, bankName: bank.bankName, isVerified });
  const person = await sealFor(vault, asked.tenantId, customerId, pairs);
  if (person === undefined) return noSuchPerson('customer');
  const payload = {
    ...{ customer: customerId, bankDetail: ids.eventId(), currency: bank.currency, country: bank.country, person },
  };
  const outcome = await bus.execute({ ...asked, name: 'add-bank-details', payload });
  return outcome.status === 'refused' ? outcome : { status: 'accepted', outcome };
}

async function check(
  { readModels }: Identity,
  banks: BankDirectory,
  tenantId: string,
  customer: CustomerView,
  { bankCode, accountNumber, accountName }: NewBankAccount,
): Promise<Checked | Faulty> {
  const bank = await bankOf(banks, bankCode);
  if (bank === undefined) return faulty(fault('bankCode', 'UNKNOWN_BANK', 'is none of get-available-banks'));
  const faults: Fault[] = [];
  const wrong = numberFault(banks, bank, accountNumber);
  if (wrong !== undefined) faults.push(wrong);
  if (!isHeldBy(accountName, customer)) faults.push(notHis);
  const others = bankAccountsOf(await readModels.bankDetailsOf(tenantId, customer.customerId));
  if (others.some((other) => other.bankCode === bankCode && other.accountNumber === accountNumber)) {
    faults.push(fault('accountNumber', 'DUPLICATE', 'the customer has this account already'));
  }
  if (faults.length > 0) return faulty(...faults);
  const holder = await banks.holderOf(bankCode, accountNumber, nameOf(customer));
  switch (holder.status) {
    case 'not-told':
      return { bank, accountName, isVerified: false };
    case 'no-such-account':
      return faulty(fault('accountNumber', 'ACCOUNT_NOT_FOUND', 'there is no such account at this bank'));
    case 'found':
      return isHeldBy(holder.accountName, customer)
        ? { bank, accountName: holder.accountName, isVerified: true }
        : faulty(notHis);
  }
}

/** Who really holds it is not told. */
const notHis = fault('accountName', 'NAME_MISMATCH', 'the account is not in the name of the customer');
