import { z } from 'zod';
import type { Preferences } from '../../domain/tenant/preferences.js';
import { defineEndpoint } from '../endpoint.js';

export const policyShape = z
  .object({
    minimumLength: z.int(),
    maximumLength: z.int(),
    requiresUppercase: z.boolean(),
    requiresLowercase: z.boolean(),
    requiresDigit: z.boolean(),
    requiresSpecialCharacter: z.boolean(),
    allowedSpecialCharacters: z.string(),
    passwordExpiryDays: z.int().meta({ description: '0: never' }),
    historyCount: z.int(),
    maxFailedAttempts: z.int(),
    lockoutMinutes: z.int(),
  })
  .meta({ id: 'PasswordPolicy' });

export const POLICY_EXAMPLE = {
  minimumLength: 8,
  maximumLength: 128,
  requiresUppercase: true,
  requiresLowercase: true,
  requiresDigit: true,
  requiresSpecialCharacter: true,
  allowedSpecialCharacters: '!@#$%^&*',
  passwordExpiryDays: 0,
  historyCount: 5,
  maxFailedAttempts: 5,
  lockoutMinutes: 30,
};

export function policyOut(preferences: Preferences): z.output<typeof policyShape> {
  return {
    minimumLength: preferences.PASSWORD_MINIMUM_LENGTH,
    maximumLength: preferences.PASSWORD_MAXIMUM_LENGTH,
    requiresUppercase: preferences.PASSWORD_REQUIRES_UPPERCASE,
    requiresLowercase: preferences.PASSWORD_REQUIRES_LOWERCASE,
    requiresDigit: preferences.PASSWORD_REQUIRES_DIGIT,
    requiresSpecialCharacter: preferences.PASSWORD_REQUIRES_SPECIAL_CHARACTER,
    allowedSpecialCharacters: preferences.PASSWORD_SPECIAL_CHARACTERS,
    passwordExpiryDays: preferences.PASSWORD_EXPIRY_DAYS,
    historyCount: preferences.PASSWORD_HISTORY_COUNT,
    maxFailedAttempts: preferences.MAX_FAILED_ATTEMPTS,
    lockoutMinutes: preferences.LOCKOUT_MINUTES,
  };
}

export const passwordPolicy = defineEndpoint({
  id: 'password-policy',
  group: 'security',
  title: 'View password policy',
  description: 'Anonymous. The fields stand at the root of the body too, where the documents read them.',
  method: 'GET',
  path: '/api/v6/services/admin/security/view-password-policy',
  aliases: [{ method: 'GET', path: '/api/v6/services/admin/security/password-policy' }],
  roles: 'PUBLIC',
  tenant: 'named',
  kind: 'query',
  movesMoney: false,
  unknownMembers: 'refuse',
  requestExamples: { one: {} },
  success: { status: 200, description: 'Password policy', data: policyShape, example: POLICY_EXAMPLE },
  errors: ['FORBIDDEN'],
  async handler(call) {
    const policy = policyOut(await call.services.identity.preferences.of(call.caller.tenantId));
    return { kind: 'answer', message: 'Password policy', data: policy, root: policy };
  },
});
