import { z } from 'zod';
import { logOut } from '../../application/access/log-out.js';
import { refreshSession } from '../../application/access/refresh-session.js';
import { askedBy } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { failure } from '../problem.js';
import { accessFailure, doneAnswer } from './access-failure.js';
import { SECRETS } from './examples.js';
import { refreshToken as refreshTokenIn, nothing } from './schemas.js';
import { TOKENS_EXAMPLE, tokensOut, tokensShape } from './session-shape.js';

const V6 = '/api/v6/services/securitymanagement';

export const refreshTokens = defineEndpoint({
  id: 'refresh-token',
  group: 'auth',
  title: 'Refresh tokens',
  description:
    'A new pair for a refresh token, which is spent by it. One that was spent before is a sign of theft: 403, and every ' +
    'token of that log-in is revoked. A retry with the same idempotency key, before the new pair is used, gets the same refresh token.',
  method: 'PUT',
  path: `${V6}/refresh-token`,
  aliases: [{ method: 'POST', path: `${V6}/refresh-token` }],
  roles: 'PUBLIC',
  tenant: 'named',
  secretMembers: ['refresh_token'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({ refresh_token: refreshTokenIn }),
  unknownMembers: 'refuse',
  requestExamples: { documented: { body: { refresh_token: SECRETS.refreshToken } } },
  success: { status: 200, description: 'Token refreshed successfully', data: tokensShape, example: TOKENS_EXAMPLE },
  errors: ['INVALID_REFRESH_TOKEN', 'TOKEN_ALREADY_USED'],
  async handler(call) {
    const result = await refreshSession(call.services.identity, askedBy(call), call.body.refresh_token);
    if (result.status !== 'refreshed') return accessFailure(result);
    return { kind: 'answer', message: 'Token refreshed successfully', data: tokensOut(result.tokens) };
  },
});

export const logout = defineEndpoint({
  id: 'logout',
  group: 'auth',
  title: 'Log out',
  description:
    'With the access token, the refresh token, or both. The whole log-in ends: all of its tokens are refused from now on ' +
    '(by other servers of the installation within two seconds).',
  method: 'PUT',
  path: `${V6}/logout`,
  aliases: [{ method: 'POST', path: `${V6}/logout` }],
  roles: 'PUBLIC',
  tenant: 'named',
  token: 'optional',
  secretMembers: ['refresh_token'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({ refresh_token: refreshTokenIn.optional() }),
  bodyOptional: true,
  unknownMembers: 'refuse',
  requestExamples: { documented: { body: { refresh_token: SECRETS.refreshToken } } },
  success: { status: 200, description: 'Logged out successfully', data: nothing, example: {} },
  errors: ['AUTH_REQUIRED', 'FORBIDDEN', 'INVALID_REFRESH_TOKEN'],
  async handler(call) {
    const { caller, body, services } = call;
    const { user, sessionId, tokenId: jti, expiresAt } = caller;
    const refreshToken = body.refresh_token;
    const access = user === undefined || sessionId === undefined ? undefined : { jti, sessionId, user, expiresAt };
    if (access === undefined && refreshToken === undefined) {
      return caller.tokenId === ''
        ? failure('AUTH_REQUIRED', 'Send the access token, the refresh token, or both')
        : failure('FORBIDDEN', 'An API token is disabled or deleted, it does not log out');
    }
    const done = await logOut(services.identity, askedBy(call), { refreshToken, access });
    return doneAnswer(call, done, 'Logged out successfully');
  },
});
