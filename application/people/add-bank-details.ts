import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import { countryOf } from '../countries.js';
import { type Fault, type Faulty, fault, faulty } from './faults.js';
import { VERIFIED_KEY } from '../payouts/bank-accounts.js';
import { isIban } from './iban.js';
import { noSuchPerson, sealFor } from './seal-person.js';

export interface NewBankDetails {
  readonly customer: string;
  readonly currency: string;
  /** ISO 3166-1 alpha-3. */
  readonly country: string;
  readonly details: ReadonlyArray<{ readonly key: string; readonly value: string }>;
}

export type BankDetailsAdded =
  | { readonly status: 'accepted'; readonly outcome: Extract<Outcome, { status: 'accepted' }> }
  | Faulty
  | Extract<Outcome, { status: 'refused' }>;

/** Remembers a bank account of a customer's own; what it says is sealed with his key. */
export async function addBankDetails(
  { bus, vault, ids }: Identity,
  asked: Asked,
  wanted: NewBankDetails,
): Promise<BankDetailsAdded> {
  const faults = faultsOf(wanted);
  if (faults.length > 0) return faulty(...faults);
  const { customer, currency, country, details } = wanted;
  const person = await sealFor(vault, asked.tenantId, customer, details);
  if (person === undefined) return noSuchPerson('customer');
  const payload = { customer, bankDetail: ids.eventId(), currency, country, person };
  const outcome = await bus.execute({ ...asked, name: 'add-bank-details', payload });
  return outcome.status === 'refused' ? outcome : { status: 'accepted', outcome };
}

function faultsOf({ country, details }: NewBankDetails): Fault[] {
  const faults: Fault[] = [];
  if (countryOf(country) === undefined) faults.push(fault('country', 'UNKNOWN_COUNTRY', 'is no country'));
  const keys = new Set<string>();
  details.forEach(({ key, value }, index) => {
    const name = key.toLowerCase();
    if (keys.has(name)) faults.push(fault(`bankAccountMetaData.${index}.key`, 'DUPLICATE', 'the key is named twice'));
    if (name === VERIFIED_KEY.toLowerCase()) {
      faults.push(fault(`bankAccountMetaData.${index}.key`, 'RESERVED', 'this key is not for clients'));
    }
    keys.add(name);
    if (name === 'iban' && !isIban(value)) {
      faults.push(
        fault(`bankAccountMetaData.${index}.value`, 'INVALID_IBAN', 'the check digits of the IBAN are wrong'),
      );
    }
  });
  return faults;
}
