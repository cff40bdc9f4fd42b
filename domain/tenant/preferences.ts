import { z } from 'zod';
import type { Json } from '../shared/event.js';

/**
 * The organisation's preferences: every key with its type, default and meaning. A key that is not here does not exist.
 * Values are settings at a scope; the most specific one that applies wins: a sub-agent's beats its agent's beats the
 * tenant's; among those of one level one for a country beats one for all, then one for a time beats one for ever.
 */
export interface PreferenceDefinition {
  readonly schema: z.ZodType<Json>;
  readonly default: Json;
  readonly description: string;
  /** Shown without a token. */
  readonly public: boolean;
  /** An agent may set it for his own customers. */
  readonly agentMaySet: boolean;
}

const define = <Schema extends z.ZodType<Json>>(
  schema: Schema,
  fallback: z.output<Schema>,
  description: string,
  more: { public?: boolean; agentMaySet?: boolean } = {},
) => ({ schema, default: fallback, description, public: more.public ?? false, agentMaySet: more.agentMaySet ?? false });

const flag = z.boolean();
const whole = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
const text = (length: number) => z.string().max(length);
/** A decimal as text in its shortest form; the wire shows it as a number. */
const decimal = z.string().regex(/^(?:0|[1-9]\d{0,17})(?:\.\d{0,3}[1-9])?$/, 'is not a decimal');
const shown = { public: true };
const branded = { public: true, agentMaySet: true };

export const PREFERENCES = {
  PASSWORD_MINIMUM_LENGTH: define(whole(8, 128), 8, 'Shortest password', shown),
  PASSWORD_MAXIMUM_LENGTH: define(whole(32, 1024), 128, 'Longest password', shown),
  PASSWORD_REQUIRES_UPPERCASE: define(flag, true, 'A password has an upper-case letter', shown),
  PASSWORD_REQUIRES_LOWERCASE: define(flag, true, 'A password has a lower-case letter', shown),
  PASSWORD_REQUIRES_DIGIT: define(flag, true, 'A password has a digit', shown),
  PASSWORD_REQUIRES_SPECIAL_CHARACTER: define(flag, true, 'A password has a special character', shown),
  PASSWORD_SPECIAL_CHARACTERS: define(
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^[!-/:-@[-`{-~]+$/, 'are printable ASCII signs'),
    '!@#$%^&*',
    'Which characters count as special',
    shown,
  ),
  PASSWORD_EXPIRY_DAYS: define(whole(0, 3650), 0, 'Days until a password must be changed; 0: never', shown),
  PASSWORD_HISTORY_COUNT: define(whole(0, 24), 5, 'How many earlier passwords may not be used again', shown),
  MAX_FAILED_ATTEMPTS: define(whole(3, 100), 5, 'Wrong passwords or PINs until the account is locked', shown),
  LOCKOUT_MINUTES: define(whole(1, 10_080), 30, 'How long a lock lasts', shown),
  LOGIN_OTP_REQUIRED: define(flag, false, 'Log-in asks for a one-time password sent by e-mail', branded),
  UNKNOWN_EMAIL_ANSWERS_404: define(
    flag,
    false,
    'Log-in tells an unknown e-mail address (404) from a wrong password (401), as the documents do. Lets strangers find out who is a customer',
  ),
  ALLOW_PLAINTEXT_SECRETS: define(
    z.enum(['BY_ENVIRONMENT', 'YES', 'NO']),
    'BY_ENVIRONMENT',
    'Whether passwords and PINs may come unencrypted (over TLS); by environment: in the sandbox only',
    shown,
  ),
  ACCESS_TOKEN_MINUTES: define(whole(1, 1440), 60, 'Life of an access token'),
  REFRESH_TOKEN_DAYS: define(whole(1, 365), 30, 'Life of a refresh token, from its last use'),
  OTP_LENGTH: define(whole(4, 10), 6, 'Digits of a one-time password', shown),
  OTP_MINUTES: define(whole(1, 60), 5, 'Life of a one-time password', shown),
  OTP_RESEND_SECONDS: define(whole(1, 3600), 60, 'Time between two one-time passwords to one address', shown),
  OTP_MAX_TRIES: define(whole(1, 20), 5, 'Wrong tries until a one-time password is void', shown),
  PIN_MINIMUM_LENGTH: define(whole(4, 12), 4, 'Shortest PIN', shown),
  PIN_MAXIMUM_LENGTH: define(whole(4, 12), 6, 'Longest PIN', shown),
  STEP_UP_MINUTES: define(whole(1, 60), 5, 'Life of a step-up token'),
  KEY_OVERLAP_HOURS: define(whole(0, 720), 48, 'How long a replaced key still works'),
  IDEMPOTENCY_KEY_REQUIRED: define(flag, false, 'Money-moving calls without an idempotency key are refused', shown),
  REQUESTS_PER_MINUTE: define(whole(0, 100_000_000), 0, 'Rate limit of the whole tenant; 0: the installation’s'),
  SELF_REGISTRATION_ENABLED: define(flag, true, 'Customers may register themselves', branded),
  TRANSACTION_PIN_REQUIRED: define(
    flag,
    false,
    'Paying off a loan and transfers to a bank ask for the transaction PIN of users who have one',
    branded,
  ),
  LOAN_COLLECTION_ACCOUNT_NUMBER: define(
    text(64),
    '',
    'Account that loans are repaid to by bank transfer; empty: none',
  ),
  LOAN_COLLECTION_ACCOUNT_NAME: define(text(128), '', 'Name of that account'),
  LOAN_COLLECTION_BANK_CODE: define(text(32), '', 'Code of its bank'),
  LOAN_COLLECTION_BANK_NAME: define(text(128), '', 'Name of its bank'),
  MAX_TRANSACTION_LIMIT: define(decimal, '5000', 'Largest transaction, in the base currency; 0: no limit', branded),
  WITHDRAWAL_FEE: define(
    decimal,
    '0',
    'Fee of a transfer to a bank on top of the amount, in the base currency; free in others',
    branded,
  ),
  DEFAULT_COUNTRY: define(
    z.string().regex(/^(?:[A-Z]{3})?$/),
    '',
    'Country that forms begin with (ISO 3166-1 alpha-3)',
    branded,
  ),
  DEFAULT_LANGUAGE: define(
    z.string().regex(/^[a-z]{2}(?:-[A-Z]{2})?$/),
    'en',
    'Language of messages (BCP 47)',
    branded,
  ),
  SUPPORT_EMAIL: define(text(255), '', 'Where customers are told to write to', branded),
  TERMS_URL: define(text(2000), '', 'Terms and conditions', branded),
  PRIVACY_URL: define(text(2000), '', 'Privacy notice', branded),
} as const satisfies Record<string, PreferenceDefinition>;

export type PreferenceKey = keyof typeof PREFERENCES;
export type Preferences = { readonly [K in PreferenceKey]: z.output<(typeof PREFERENCES)[K]['schema']> };

export const PREFERENCE_KEYS = Object.keys(PREFERENCES) as readonly PreferenceKey[];
export function isPreferenceKey(text: string): text is PreferenceKey {
  return Object.hasOwn(PREFERENCES, text);
}

/** Whether values of this key are decimals: text inside, numbers on the wire. */
export function isDecimal(key: PreferenceKey): boolean {
  return PREFERENCES[key].schema === decimal;
}

/** What a value is for: absent members mean any. */
export interface PreferenceScope {
  readonly agent?: string | undefined;
  /** ISO 3166-1 alpha-3. */
  readonly country?: string | undefined;
  /** YYYY-MM-DD, inclusive. */
  readonly validFrom?: string | undefined;
  readonly validTo?: string | undefined;
}
export interface PreferenceSetting {
  readonly key: PreferenceKey;
  readonly scope: PreferenceScope;
  readonly value: Json;
}

/** Most settings that a tenant may have. */
export const MAX_PREFERENCE_SETTINGS = 2_000;

/** For whom preferences are asked. */
export interface PreferenceQuery {
  /** The agent and, for a sub-agent, the one above: nearest first. */
  readonly agents: readonly string[];
  readonly country?: string;
  /** YYYY-MM-DD. */
  readonly today: string;
}

/** The value of every key for this query. */
export function resolvePreferences(settings: readonly PreferenceSetting[], query: PreferenceQuery): Preferences {
  const best = new Map<PreferenceKey, { rank: number; value: Json }>();
  for (const { key, scope, value } of settings) {
    const rank = rankOf(scope, query);
    const known = best.get(key);
    // Of two that are equally specific the later one counts.
    if (rank !== undefined && (known === undefined || rank >= known.rank)) best.set(key, { rank, value });
  }
  return Object.fromEntries(
    PREFERENCE_KEYS.map((key) => [key, best.get(key)?.value ?? PREFERENCES[key].default]),
  ) as unknown as Preferences;
}

/** How specific a scope is for this query; undefined when it does not apply. */
function rankOf(scope: PreferenceScope, { agents, country, today }: PreferenceQuery): number | undefined {
  const level = scope.agent === undefined ? 0 : agents.length - agents.indexOf(scope.agent);
  if (scope.agent !== undefined && !agents.includes(scope.agent)) return undefined;
  if (scope.country !== undefined && scope.country !== country) return undefined;
  if (scope.validFrom !== undefined && today < scope.validFrom) return undefined;
  if (scope.validTo !== undefined && today > scope.validTo) return undefined;
  const timed = scope.validFrom !== undefined || scope.validTo !== undefined;
  return level * 4 + (scope.country === undefined ? 0 : 2) + (timed ? 1 : 0);
}

/** Whether two scopes are the same: a second value for one replaces the first. */
export function sameScope(a: PreferenceScope, b: PreferenceScope): boolean {
  return a.agent === b.agent && a.country === b.country && a.validFrom === b.validFrom && a.validTo === b.validTo;
}
