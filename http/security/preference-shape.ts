import { z } from 'zod';
import type { Json } from '../../domain/shared/event.js';
import {
  PREFERENCES,
  PREFERENCE_KEYS,
  type PreferenceKey,
  type Preferences,
  isDecimal,
} from '../../domain/tenant/preferences.js';
import { decimalOut } from '../json.js';

/** How preferences look on the wire: decimals, which are text inside, are numbers with all their digits. */
const wireValue = z.union([z.boolean(), z.number(), z.string()]);
export const preferencesShape = z
  .record(z.string(), wireValue)
  .meta({ type: 'object', additionalProperties: true, description: 'UPPER_SNAKE keys and their values' });

export const definitionShape = z
  .object({
    key: z.string(),
    type: z.enum(['boolean', 'integer', 'decimal', 'string']),
    default: wireValue,
    description: z.string(),
    public: z.boolean().meta({ description: 'Shown without a token' }),
    agentMaySet: z.boolean().meta({ description: 'May differ by agent' }),
  })
  .meta({ id: 'PreferenceDefinition' });

export const settingShape = z.object({
  key: z.string(),
  value: wireValue,
  agentId: z.string().nullable(),
  countryIso3: z.string().nullable(),
  validFrom: z.string().nullable(),
  validTo: z.string().nullable(),
});

export function valueOut(key: PreferenceKey, value: Json): Json {
  return isDecimal(key) && typeof value === 'string' ? decimalOut(value) : value;
}

/** Numbers of a decimal preference as the text that is stored: shortest, so that equal values are equal. */
export function valueIn(key: PreferenceKey, value: Json): Json {
  if (!isDecimal(key) || (typeof value !== 'string' && typeof value !== 'number')) return value;
  const text = String(value);
  return /^\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
}

export function preferencesOut(preferences: Preferences, isShown: (key: PreferenceKey) => boolean) {
  return Object.fromEntries(PREFERENCE_KEYS.filter(isShown).map((key) => [key, valueOut(key, preferences[key])]));
}

function typeOf(key: PreferenceKey): z.output<typeof definitionShape>['type'] {
  if (isDecimal(key)) return 'decimal';
  const { default: value } = PREFERENCES[key];
  return typeof value === 'boolean' ? 'boolean' : typeof value === 'number' ? 'integer' : 'string';
}

/** Every key that there is, for those who set them. */
export const DEFINITIONS = PREFERENCE_KEYS.map((key) => {
  const { default: value, description, public: isPublic, agentMaySet } = PREFERENCES[key];
  return { key, type: typeOf(key), default: valueOut(key, value), description, public: isPublic, agentMaySet };
});
