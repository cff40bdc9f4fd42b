import { z } from 'zod';
import { present } from '../../application/people/person-checks.js';
import { agentChain } from '../../application/people/standing.js';
import type { Json } from '../../domain/shared/event.js';
import {
  PREFERENCES,
  type PreferenceKey,
  type PreferenceSetting,
  isPreferenceKey,
} from '../../domain/tenant/preferences.js';
import { PEOPLE } from '../ciam/examples.js';
import { countryIso3 } from '../ciam/person-schemas.js';
import { caughtUp, execute, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { type FieldError, RequestFailed, failure, invalid } from '../problem.js';
import { dateIn, reason, uuid } from '../schemas.js';
import { noSuch } from '../scope.js';
import { POLICY_EXAMPLE, policyOut, policyShape } from './password-policy.js';
import {
  DEFINITIONS,
  definitionShape,
  preferencesOut,
  preferencesShape,
  settingShape,
  valueIn,
  valueOut,
} from './preference-shape.js';

const SERVICE = '/api/v6/services/admin/organisation-preference-management';
const MAX_KEYS = 100;

const fetched = z.object({
  preferences: preferencesShape,
  organisation: z.object({ name: z.string(), slug: z.string() }),
  branding: z.record(z.string(), z.string()).meta({ description: 'The tenant’s, with the agent’s laid over it' }),
  terms: z.object({ termsUrl: z.string(), privacyUrl: z.string() }),
  passwordPolicy: policyShape,
});

const FETCHED_EXAMPLE = {
  preferences: { MAX_TRANSACTION_LIMIT: 5000, SELF_REGISTRATION_ENABLED: true, DEFAULT_LANGUAGE: 'en' },
  organisation: { name: 'Demo Remittance', slug: 'demo' },
  branding: { primaryColor: '#0a7f5a' },
  terms: { termsUrl: 'https://demo.example/terms', privacyUrl: 'https://demo.example/privacy' },
  passwordPolicy: POLICY_EXAMPLE,
};

export const fetchPreferences = defineEndpoint({
  id: 'fetch-preferences',
  group: 'security',
  title: 'Fetch organisation preference',
  description:
    'Without a token what everybody may know: branding, toggles, country, terms, password policy. With one all ' +
    'preferences, as they hold for the caller: his agent’s over the tenant’s. `preferences` stands at the root of the body too.',
  method: 'GET',
  path: `${SERVICE}/fetch-organisaction-preference`,
  aliases: [{ method: 'GET', path: `${SERVICE}/fetch-organisation-preference` }],
  roles: 'PUBLIC',
  tenant: 'named',
  token: 'optional',
  kind: 'query',
  movesMoney: false,
  query: z.object({ countryIso3: countryIso3.optional() }),
  unknownMembers: 'refuse',
  requestExamples: { anonymous: {}, country: { query: { countryIso3: 'NGA' } } },
  success: { status: 200, description: 'Preferences fetched', data: fetched, example: FETCHED_EXAMPLE },
  errors: ['AUTH_REQUIRED', 'FORBIDDEN'],
  async handler(call) {
    const { readModels, identity } = call.services;
    const { tenantId, roles } = call.caller;
    const tenant = await readModels.tenant(tenantId);
    if (tenant === undefined) throw noSuch('tenant');
    const agents = await agentChain(readModels, tenantId, await agentOf(call));
    const query = { agents, ...present({ country: call.query.countryIso3 }) };
    const resolved = await identity.preferences.of(tenantId, query);
    const isStranger = roles.length === 0;
    const preferences = preferencesOut(resolved, (key) => !isStranger || PREFERENCES[key].public);
    const brands = await Promise.all(agents.toReversed().map((agent) => readModels.agent(tenantId, agent)));
    const data = {
      preferences,
      organisation: { name: tenant.name, slug: tenant.slug },
      branding: Object.assign({}, tenant.branding, ...brands.map((agent) => agent?.branding)) as Record<string, string>,
      terms: { termsUrl: resolved.TERMS_URL, privacyUrl: resolved.PRIVACY_URL },
      passwordPolicy: policyOut(resolved),
    };
    return { kind: 'answer', message: 'Preferences fetched', data, root: { preferences } };
  },
});

/** Whose preferences hold for the caller: the agent's for whom he works or whose customer he is, or at whose host he is. */
async function agentOf({ caller, hostAgentId, services }: Call): Promise<string | null | undefined> {
  if (caller.agentId !== undefined) return caller.agentId;
  if (caller.customerId === undefined) return hostAgentId;
  return (await services.readModels.customer(caller.tenantId, caller.customerId))?.agentId;
}

const changed = z.object({
  preferences: preferencesShape,
  definitions: z.array(definitionShape),
  settings: z.array(settingShape).meta({ description: 'What was set, at each scope' }),
});

const wireValue = z.union([z.boolean(), z.number(), z.string().max(2000), z.null()]);

export const updatePreferences = defineEndpoint({
  id: 'update-preferences',
  group: 'ciam',
  title: 'Update organisation preference',
  description:
    'Only the keys that are sent change; null takes a value away, and what is less specific holds again. For an agent, a ' +
    'country, a time, or any of them together. Of several the most specific one holds. Answers every key with its type, ' +
    'default and meaning.',
  method: 'PUT',
  path: `${SERVICE}/update-organisaction-preference`,
  aliases: [{ method: 'PUT', path: `${SERVICE}/update-organisation-preference` }],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    preferences: z
      .record(z.string().min(1).max(64), wireValue)
      .meta({ type: 'object', additionalProperties: true, example: { MAX_TRANSACTION_LIMIT: 2500.5 } }),
    agentId: uuid.optional(),
    countryIso3: countryIso3.optional(),
    validFrom: dateIn.optional(),
    validTo: dateIn.optional(),
    reason: reason.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    tenant: { body: { preferences: { MAX_TRANSACTION_LIMIT: 2500.5, SUPPORT_EMAIL: 'help@demo.example' } } },
    agent: {
      body: { preferences: { LOGIN_OTP_REQUIRED: true }, agentId: PEOPLE.agentId, reason: 'Asked for by the agent' },
    },
  },
  success: {
    status: 200,
    description: 'The preferences at this scope',
    data: changed,
    example: {
      preferences: { MAX_TRANSACTION_LIMIT: 2500.5 },
      definitions: DEFINITIONS.filter(({ key }) => key === 'MAX_TRANSACTION_LIMIT'),
      settings: [
        {
          key: 'MAX_TRANSACTION_LIMIT',
          value: 2500.5,
          agentId: null,
          countryIso3: null,
          validFrom: null,
          validTo: null,
        },
      ],
    },
  },
  errors: ['NOT_FOUND', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const { preferences, agentId: agent, countryIso3: country, validFrom, validTo, reason: why } = call.body;
    if (validFrom !== undefined && validTo !== undefined && validFrom > validTo) {
      throw new RequestFailed(invalid('validFrom', 'INVALID_RANGE', 'validFrom is after validTo'));
    }
    const scope = present({ agent, country, validFrom, validTo });
    const changes = checkedValues(preferences).map(({ key, value }) => ({ key, scope, value }));
    await caughtUp(call);
    const done = await execute(call, 'change-preferences', { changes, ...present({ reason: why }) });
    if (isFailure(done)) return done;
    const { readModels, identity, config } = call.services;
    const { tenantId } = call.caller;
    await readModels.waitFor(done.position, config.positionWaitMs);
    identity.preferences.forget(tenantId);
    const agents = await agentChain(readModels, tenantId, agent);
    const resolved = await identity.preferences.of(tenantId, { agents, ...present({ country }) });
    const settings = (await readModels.tenantSettings(tenantId)).preferences.map(settingOut);
    return {
      kind: 'answer',
      message: 'Preferences changed',
      data: { preferences: preferencesOut(resolved, () => true), definitions: DEFINITIONS, settings },
      position: done.position,
      replayed: done.replayed,
    };
  },
});

/** The values as they are stored; all that is wrong is told at once. */
function checkedValues(wanted: Readonly<Record<string, Json>>): Array<{ key: PreferenceKey; value: Json }> {
  const names = Object.keys(wanted);
  if (names.length === 0 || names.length > MAX_KEYS) {
    throw new RequestFailed(invalid('preferences', 'REQUIRED', `1 to ${MAX_KEYS} preferences are required`));
  }
  const errors: FieldError[] = [];
  const values: Array<{ key: PreferenceKey; value: Json }> = [];
  for (const key of names) {
    const field = `preferences.${key}`;
    if (!isPreferenceKey(key)) {
      errors.push({ field, code: 'UNKNOWN_PREFERENCE', message: 'there is no such preference' });
      continue;
    }
    const value = valueIn(key, wanted[key] ?? null);
    const parsed = value === null ? undefined : PREFERENCES[key].schema.safeParse(value);
    const message = parsed?.error?.issues[0]?.message;
    if (message === undefined) values.push({ key, value });
    else errors.push({ field, code: 'INVALID_VALUE', message });
  }
  if (errors.length > 0) throw new RequestFailed(failure('VALIDATION_ERROR', 'Validation failed', { errors }));
  return values;
}

function settingOut({ key, value, scope }: PreferenceSetting) {
  const { agent = null, country = null, validFrom = null, validTo = null } = scope;
  return { key, value: valueOut(key, value), agentId: agent, countryIso3: country, validFrom, validTo };
}
