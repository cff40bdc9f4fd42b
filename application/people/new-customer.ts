import type { CustomerType } from '../../domain/customer/events.js';
import type { Json } from '../../domain/shared/event.js';
import type { PersonalData, PostalAddress } from '../../domain/shared/person.js';
import type { Identity } from '../access/identity.js';
import { type Fault, fault } from './faults.js';
import {
  dobFault,
  isFault,
  namedAddress,
  nationalityFault,
  phoneOrFault,
  present,
  servedCountry,
} from './person-checks.js';

export interface NewCustomer {
  readonly customerType: CustomerType;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly phone: string;
  readonly dialingCode?: string | undefined;
  readonly dob: string;
  readonly nationality?: string | undefined;
  readonly gender?: PersonalData['gender'] | undefined;
  readonly address: PostalAddress & { readonly countryIso3: string };
  readonly dynamicFields?: { readonly [name: string]: Json } | undefined;
  /** Whose customer he becomes; absent: the principal's own. */
  readonly agent?: string | undefined;
  /** Registered by a member of staff, not by himself. */
  readonly byStaff: boolean;
}

/** What a company says of itself beside its representative. */
const COMPANY_FIELDS = ['companyName', 'registrationNumber'] as const;

/** The person as he will be sealed, and all that is wrong with what was said of him. */
export async function checkedPerson(
  { readModels, clock }: Pick<Identity, 'readModels' | 'clock'>,
  tenantId: string,
  wanted: NewCustomer,
): Promise<{ readonly person: PersonalData; readonly faults: readonly Fault[] }> {
  const [tenant, settings] = await Promise.all([readModels.tenant(tenantId), readModels.tenantSettings(tenantId)]);
  const today = new Date(clock.nowMs()).toISOString().slice(0, 10);
  const phone = phoneOrFault(wanted.phone, wanted.dialingCode);
  const currencies = tenant?.currencies ?? [];
  const found: Array<Fault | undefined> = [
    isFault(phone) ? phone : undefined,
    dobFault(wanted.dob, today),
    wanted.nationality === undefined ? undefined : nationalityFault(wanted.nationality),
    ...(wanted.customerType === 'COMPANY' ? companyFaults(wanted.dynamicFields ?? {}) : []),
  ];
  const country = servedCountry(wanted.address.countryIso3, 'address.countryIso3', { currencies }, settings);
  if (isFault(country)) found.push(country);
  const { firstName, lastName, email, dob, nationality, gender, address, dynamicFields } = wanted;
  const person: PersonalData = {
    firstName,
    lastName,
    email,
    ...(isFault(phone) ? {} : { phone }),
    dob,
    ...present({ nationality, gender, dynamicFields }),
    address: namedAddress(address),
  };
  return { person, faults: found.filter((each) => each !== undefined) };
}

function companyFaults(fields: { readonly [name: string]: Json }): Array<Fault | undefined> {
  return COMPANY_FIELDS.map((name) => {
    const value = fields[name];
    const isThere = typeof value === 'string' && value.trim() !== '';
    return isThere ? undefined : fault(`dynamicFields.${name}`, 'REQUIRED', `a company says its ${name}`);
  });
}
