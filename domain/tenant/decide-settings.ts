import { tagOf } from '../aggregates.js';
import { checkTenant } from '../ledger/guards.js';
import type { Decide } from '../shared/decider.js';
import type { Json } from '../shared/event.js';
import { refuse } from '../shared/refusal.js';
import type { ChangePreferences, IntroduceKey, SetCountry } from './commands.js';
import type { PreferencesChanged } from './events.js';
import {
  MAX_PREFERENCE_SETTINGS,
  PREFERENCES,
  type PreferenceSetting,
  isPreferenceKey,
  sameScope,
} from './preferences.js';
import { changedPreferences } from './tenant.js';

export const decideChangePreferences: Decide<ChangePreferences> = (command, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const { preferences } = context.state('tenant', context.tenantId);
  const changes: PreferencesChanged['data']['changes'] = [];
  for (const { key, scope, value } of command.changes) {
    if (!isPreferenceKey(key)) return refuse('unknown-preference', 'there is no such preference', { field: key });
    const { schema, agentMaySet } = PREFERENCES[key];
    if (value !== null && !schema.safeParse(value).success) {
      return refuse('invalid-argument', `the value does not fit ${key}`, { field: `preferences.${key}` });
    }
    if (scope.agent !== undefined) {
      if (!agentMaySet) {
        return refuse('invalid-argument', `${key} is the same for all agents`, { field: `preferences.${key}` });
      }
      if (context.state('agent', scope.agent).status === 'NONE') {
        return refuse('agent-not-found', 'there is no such agent', { field: 'agentId' });
      }
    }
    const from = valueAt(preferences, key, scope);
    if (JSON.stringify(from) !== JSON.stringify(value)) changes.push({ key, scope, from, to: value });
  }
  if (changes.length === 0) return undefined;
  const { reason } = command;
  const data = { changes, ...(reason === undefined ? {} : { reason }) };
  if (changedPreferences(preferences, { data }).length > MAX_PREFERENCE_SETTINGS) {
    return refuse('too-many-settings', `a tenant has at most ${MAX_PREFERENCE_SETTINGS} settings`);
  }
  context.emit({ type: 'preferences-changed', version: 1, data, tags: [tagOf('tenant', context.tenantId)] });
  return undefined;
};

function valueAt(settings: readonly PreferenceSetting[], key: string, scope: PreferenceSetting['scope']): Json {
  return settings.find((setting) => setting.key === key && sameScope(setting.scope, scope))?.value ?? null;
}

export const decideSetCountry: Decide<SetCountry> = ({ country, serving, byDefault }, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const from = context.state('tenant', context.tenantId).countries[country] ?? byDefault;
  const to = {
    active: serving.active ?? from.active,
    sending: serving.sending ?? from.sending,
    receiving: serving.receiving ?? from.receiving,
  };
  if (from.active === to.active && from.sending === to.sending && from.receiving === to.receiving) return undefined;
  context.emit({
    type: 'country-set',
    version: 1,
    data: { country, from, to },
    tags: [tagOf('tenant', context.tenantId)],
  });
  return undefined;
};

/** The log keeps that a key was made or uploaded, and which it replaced; private halves are in the key store. */
export const decideIntroduceKey: Decide<IntroduceKey> = (command, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const { kid, use, algorithm, previous, previousUntil } = command;
  context.emit({
    type: 'key-introduced',
    version: 1,
    data: {
      kid,
      use,
      algorithm,
      ...(previous === undefined ? {} : { previous }),
      ...(previousUntil === undefined ? {} : { previousUntil }),
    },
    tags: [tagOf('tenant', context.tenantId)],
  });
  return undefined;
};
