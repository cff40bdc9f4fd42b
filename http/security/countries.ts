import { z } from 'zod';
import { COUNTRIES, type Country, countryOf, servedByDefault, servingOf } from '../../application/countries.js';
import { present } from '../../application/people/person-checks.js';
import type { CountrySet, CountryServing } from '../../domain/tenant/events.js';
import { countryIso3 } from '../ciam/person-schemas.js';
import { caughtUp, execute, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { RequestFailed, invalid } from '../problem.js';
import { noSuch } from '../scope.js';

const SERVICE = '/api/v6/services/admin/security';

const countryShape = z
  .object({
    countryName: z.string(),
    isoCode2: z.string(),
    isoCode3: z.string(),
    currencyCode: z.string(),
    dialingCode: z.string(),
    active: z.boolean(),
    sending: z.boolean(),
    receiving: z.boolean(),
  })
  .meta({ id: 'Country' });

const COUNTRY_EXAMPLE = {
  countryName: 'Nigeria',
  isoCode2: 'NG',
  isoCode3: 'NGA',
  currencyCode: 'NGN',
  dialingCode: '+234',
  active: true,
  sending: true,
  receiving: true,
};

function countryOut({ name, iso2, iso3, currency, dialingCode }: Country, serving: CountryServing) {
  return { countryName: name, isoCode2: iso2, isoCode3: iso3, currencyCode: currency, dialingCode, ...serving };
}

/** How the tenant serves countries. */
async function servingIn(
  call: Call,
): Promise<{ readonly currencies: readonly string[]; of(country: Country): CountryServing }> {
  const { readModels } = call.services;
  const { tenantId } = call.caller;
  const [tenant, settings] = await Promise.all([readModels.tenant(tenantId), readModels.tenantSettings(tenantId)]);
  const currencies = tenant?.currencies ?? [];
  return { currencies, of: (country) => servingOf(country, settings.countries, currencies) };
}

const list = {
  group: 'security',
  method: 'GET',
  aliases: [],
  roles: 'PUBLIC',
  tenant: 'named',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'ignore',
  errors: ['FORBIDDEN'],
} as const;

export const activeCountries = defineEndpoint({
  ...list,
  id: 'active-countries',
  title: 'Active countries',
  description: 'Countries that the tenant serves, by name.',
  path: `${SERVICE}/active-countries`,
  requestExamples: { all: {} },
  success: { status: 200, description: 'Countries', data: z.array(countryShape), example: [COUNTRY_EXAMPLE] },
  async handler(call) {
    const serving = await servingIn(call);
    const active = COUNTRIES.map((country) => countryOut(country, serving.of(country))).filter(({ active }) => active);
    return { kind: 'answer', message: 'Active countries', data: active };
  },
});

export const listCountries = defineEndpoint({
  ...list,
  id: 'list-countries',
  title: 'List countries',
  description: 'All countries of ISO 3166-1 by name, and how the tenant serves them.',
  path: `${SERVICE}/list-countries`,
  requestExamples: { all: {} },
  success: { status: 200, description: 'Countries', data: z.array(countryShape), example: [COUNTRY_EXAMPLE] },
  async handler(call) {
    const serving = await servingIn(call);
    const countries = COUNTRIES.map((country) => countryOut(country, serving.of(country)));
    return { kind: 'answer', message: 'Countries', data: countries };
  },
});

export const updateCountry = defineEndpoint({
  id: 'update-country',
  group: 'security',
  title: 'Switch a country',
  description:
    'Absent members stay as they are. A country that was never switched is served where its currency is one of the tenant’s.',
  method: 'PUT',
  path: `${SERVICE}/countries/{iso3}`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ iso3: countryIso3 }),
  body: z.strictObject({
    active: z.boolean().optional(),
    sending: z.boolean().optional(),
    receiving: z.boolean().optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: { open: { params: { iso3: 'NGA' }, body: { active: true, sending: false, receiving: true } } },
  success: {
    status: 200,
    description: 'The country',
    data: countryShape,
    example: { ...COUNTRY_EXAMPLE, sending: false },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const country = countryOf(call.params.iso3);
    if (country === undefined) throw noSuch('country');
    const wanted = present(call.body);
    if (Object.keys(wanted).length === 0) {
      throw new RequestFailed(invalid('', 'REQUIRED', 'one of active, sending and receiving is required'));
    }
    await caughtUp(call);
    const serving = await servingIn(call);
    const byDefault = servedByDefault(country, serving.currencies);
    const done = await execute(call, 'set-country', { country: country.iso3, serving: wanted, byDefault });
    if (isFailure(done)) return done;
    const set = done.events[0]?.data as CountrySet['data'] | undefined;
    return {
      kind: 'answer',
      message: 'Country switched',
      data: countryOut(country, set?.to ?? serving.of(country)),
      position: done.position,
      replayed: done.replayed,
    };
  },
});
