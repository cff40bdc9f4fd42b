import type { TenantSettingsView, TenantView } from '../ports/read-models.js';
import type { PersonalData, PostalAddress } from '../../domain/shared/person.js';
import { type Country, countryOf, servingOf } from '../countries.js';
import { type Fault, fault } from './faults.js';
import { phoneOf } from './phone.js';

const YOUNGEST = 18;
const OLDEST = 120;

/** Full years from a date of birth to a day, both YYYY-MM-DD. Who was born on 29 February has his birthday on 1 March. */
export function ageOn(day: string, dob: string): number {
  const years = Number.parseInt(day.slice(0, 4), 10) - Number.parseInt(dob.slice(0, 4), 10);
  return day.slice(5) < dob.slice(5) ? years - 1 : years;
}

export function dobFault(dob: string, today: string): Fault | undefined {
  if (dob > today) return fault('dob', 'INVALID_DATE', 'the date of birth is in the future');
  const age = ageOn(today, dob);
  if (age < YOUNGEST) return fault('dob', 'TOO_YOUNG', `a customer is at least ${YOUNGEST} years old`);
  return age > OLDEST ? fault('dob', 'INVALID_DATE', `nobody is more than ${OLDEST} years old`) : undefined;
}

/** E.164, or what is wrong. */
export function phoneOrFault(phone: string, dialingCode?: string): string | Fault {
  return (
    phoneOf(phone, dialingCode) ??
    fault('phone', 'INVALID_PHONE', 'is no phone number: international with +, or national with dialingCode')
  );
}

/** The country, if people of this tenant may live there, or what is wrong. */
export function servedCountry(
  iso3: string,
  field: string,
  tenant: Pick<TenantView, 'currencies'>,
  settings: Pick<TenantSettingsView, 'countries'>,
): Country | Fault {
  const country = countryOf(iso3);
  if (country === undefined) return fault(field, 'UNKNOWN_COUNTRY', 'is not an ISO 3166-1 alpha-3 country');
  return servingOf(country, settings.countries, tenant.currencies).active
    ? country
    : fault(field, 'COUNTRY_NOT_ACTIVE', `${country.name} is not served`);
}

export function nationalityFault(iso3: string): Fault | undefined {
  return countryOf(iso3) === undefined
    ? fault('nationality', 'UNKNOWN_COUNTRY', 'is not an ISO 3166-1 alpha-3 country')
    : undefined;
}

export function isFault<T extends object>(value: T | Fault | string | undefined): value is Fault {
  return typeof value === 'object' && 'field' in value && 'code' in value;
}

/** The address with the country's name from the list, where the client sent none. */
export function namedAddress(address: PostalAddress): PostalAddress {
  if (address.countryIso3 === undefined || address.countryCommonName !== undefined) return address;
  const country = countryOf(address.countryIso3);
  return country === undefined ? address : { ...address, countryCommonName: country.name };
}

/** Names of the members that are different. */
export function changedMembers(before: PersonalData, after: PersonalData): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof PersonalData>;
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined };
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The members that are there: what is sealed has no undefined ones. */
export function present<T extends object>(given: T): Present<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Present<T>;
}

/** `after` over `before`, where given. */
export function laidOver<T extends object>(before: T, after: Given<T>): T {
  return { ...before, ...(present(after) as unknown as Partial<T>) };
}
