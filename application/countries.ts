import { type TCountryCode, getCountryDataList } from 'countries-list';
import { getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js';
import type { CountryServing } from '../domain/tenant/events.js';

/** A country of ISO 3166-1. */
export interface Country {
  readonly name: string;
  readonly iso2: string;
  readonly iso3: string;
  /** ISO 4217; the first where there are several. */
  readonly currency: string;
  readonly currencies: readonly string[];
  /** With the plus sign; '' where there is none. */
  readonly dialingCode: string;
}

/** User-assigned codes that the list has beside ISO 3166-1's. */
const NOT_ISO: ReadonlySet<string> = new Set(['XK']);

/** All countries by name. */
export const COUNTRIES: readonly Country[] = getCountryDataList()
  .filter(({ iso2 }) => !NOT_ISO.has(iso2))
  .map(({ iso2, iso3, name, currency }) => ({
    name,
    iso2,
    iso3,
    currency: currency[0] ?? '',
    currencies: currency,
    dialingCode: dialingCodeOf(iso2),
  }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

function dialingCodeOf(iso2: TCountryCode): string {
  return isSupportedCountry(iso2) ? `+${getCountryCallingCode(iso2)}` : '';
}

const BY_ISO3: ReadonlyMap<string, Country> = new Map(COUNTRIES.map((country) => [country.iso3, country]));

export function countryOf(iso3: string): Country | undefined {
  return BY_ISO3.get(iso3);
}

/** What holds for a country that a tenant has not set: it is served where its currency is one of the tenant's. */
export function servedByDefault(country: Country, tenantCurrencies: readonly string[]): CountryServing {
  const active = country.currencies.some((currency) => tenantCurrencies.includes(currency));
  return { active, sending: active, receiving: active };
}

export function servingOf(
  country: Country,
  set: Readonly<Record<string, CountryServing>>,
  tenantCurrencies: readonly string[],
): CountryServing {
  return set[country.iso3] ?? servedByDefault(country, tenantCurrencies);
}
