import { z } from 'zod';
import {
  TOKEN_LIVES,
  type TokenLife,
  type TokenOutcome,
  expiryOf,
  mayGrant,
} from '../../application/access/api-tokens.js';
import { issueApiToken } from '../../application/access/issue-api-token.js';
import { revokeApiToken } from '../../application/access/revoke-api-token.js';
import { rotateApiToken } from '../../application/access/rotate-api-token.js';
import { isAddressOrBlock } from '../../application/access/token-verifier.js';
import type { StoredToken } from '../../application/ports/token-store.js';
import { ROLES } from '../../domain/shared/decider.js';
import { acceptedOr, askedBy, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { EXAMPLE } from '../ledger/examples.js';
import { noSuch } from '../scope.js';
import { type Failure, failure, invalid } from '../problem.js';
import { page, pagedOf, size, uuid } from '../schemas.js';
import { SECRET_EXAMPLE, TOKEN_EXAMPLE, tokenOut, tokenShape, withSecret } from './token-shape.js';

const PATH = '/api/v6/services/admin/security/api-tokens';
const MAX_GRACE_MINUTES = 7 * 24 * 60;
const DEFAULT_GRACE_MINUTES = 60;

function tokenAnswer(
  call: Call,
  result: TokenOutcome,
  message: string,
  shown: 'with-secret' | 'without',
): Answer | Failure {
  const tenantId = result.status === 'accepted' ? result.stored.tenantId : call.caller.tenantId;
  const done = acceptedOr(result.status === 'accepted' ? result.outcome : result, call, tenantId);
  if (isFailure(done) || result.status !== 'accepted') return done as Failure;
  const token = tokenOut(result.stored, call.services.clock.nowMs());
  const data = shown === 'with-secret' ? { ...token, token: result.token } : token;
  return { kind: 'answer', message, data, position: done.position, replayed: done.replayed };
}

/** A manager deals with every token of his tenant, others with those they made. */
function ownFilter(call: Call): { createdBy?: string } {
  return call.caller.roles.includes('MANAGER') ? {} : { createdBy: call.caller.subject };
}

async function visibleToken(call: Call, tokenId: string): Promise<StoredToken> {
  const token = await call.services.tokenStore.get(call.caller.tenantId, tokenId);
  const { createdBy } = ownFilter(call);
  if (token === undefined || (createdBy !== undefined && token.createdBy !== createdBy)) throw noSuch('token');
  return token;
}

const params = z.object({ tokenId: uuid });

export const listApiTokens = defineEndpoint({
  id: 'list-api-tokens',
  group: 'security',
  title: 'List API tokens',
  description: 'A manager sees all of the tenant, an agent those he made. Deleted ones are not listed.',
  method: 'GET',
  path: PATH,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ page, size }),
  unknownMembers: 'refuse',
  requestExamples: { first: { query: { size: '50' } } },
  success: {
    status: 200,
    description: 'Tokens, newest first',
    data: pagedOf('tokens', tokenShape),
    example: { tokens: [TOKEN_EXAMPLE], page: 1, size: 50, totalElements: 1, totalPages: 1 },
  },
  errors: [],
  async handler(call) {
    const { tokenStore, clock } = call.services;
    const { items, totalElements } = await tokenStore.list(call.caller.tenantId, ownFilter(call), call.query);
    const now = clock.nowMs();
    const tokens = items.map((token) => tokenOut(token, now));
    return { kind: 'answer', message: 'API tokens', data: { tokens, ...pageInfo(call.query, totalElements) } };
  },
});

const lives = Object.keys(TOKEN_LIVES) as [TokenLife, ...TokenLife[]];

export const createApiToken = defineEndpoint({
  id: 'create-api-token',
  group: 'security',
  title: 'Create API token',
  description:
    'The token is shown once and stored as a keyed hash. Roles are a subset of the caller’s; a MANAGER may grant any role of his tenant. ' +
    'A CUSTOMER token names the customer whose data it may see, an AGENT token the agent (an agent’s own tokens are his by themselves). Managers of the operator’s own tenant may name another tenant.',
  method: 'POST',
  path: PATH,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    name: z.string().min(1).max(128),
    roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
    expiry: z.enum(lives).meta({ description: '24 hours, 1, 3 or 6 months, 1 year' }),
    ipAllowList: z
      .array(z.string().max(64).refine(isAddressOrBlock, 'is not an IP address or CIDR block'))
      .max(50)
      .optional(),
    customerId: uuid.optional(),
    agentId: uuid.optional(),
    tenantId: uuid.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    cashier: { body: { name: 'Back office', roles: ['CASHIER'], expiry: 'M3', ipAllowList: ['203.0.113.0/24'] } },
    customer: { body: { name: 'Wallet app', roles: ['CUSTOMER'], expiry: 'H24', customerId: EXAMPLE.ownerId } },
  },
  success: { status: 201, description: 'The token, shown once', data: withSecret, example: SECRET_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { body, caller, services } = call;
    const { customerId, expiry, ipAllowList = [], name } = body;
    const roles = [...new Set(body.roles)];
    const tenantId = body.tenantId ?? caller.tenantId;
    const isOperator = caller.tenantId === services.rootTenantId && caller.roles.includes('MANAGER');
    if (tenantId !== caller.tenantId && !isOperator)
      return failure('FORBIDDEN', 'The token would belong to another tenant');
    if (!mayGrant(caller, roles)) return failure('FORBIDDEN', 'A role of the token is not a role of the caller');
    if (roles.includes('CUSTOMER') !== (customerId !== undefined)) {
      return invalid(
        'customerId',
        customerId === undefined ? 'REQUIRED' : 'INVALID',
        'customerId goes with role CUSTOMER and with no other',
      );
    }
    const agentId = caller.agentId ?? body.agentId;
    if (caller.agentId !== undefined && body.agentId !== undefined && body.agentId !== caller.agentId)
      return failure('FORBIDDEN', 'The token would belong to another agent');
    if (agentId !== undefined && !roles.every((role) => role === 'AGENT' || role === 'CASHIER'))
      return invalid('agentId', 'INVALID', 'agentId goes with roles AGENT and CASHIER');
    if (agentId === undefined && roles.includes('AGENT'))
      return invalid('agentId', 'REQUIRED', 'role AGENT goes with an agent');
    const expiresAt = expiryOf(services.clock.nowMs(), expiry);
    const wanted = {
      ...{ name, roles, ipAllowList, expiresAt },
      ...(customerId === undefined ? {} : { customerId }),
      ...(agentId === undefined ? {} : { agentId }),
    };
    const result = await issueApiToken(wanted, askedBy(call, tenantId), services);
    return tokenAnswer(call, result, 'Token created', 'with-secret');
  },
});

export const rotateToken = defineEndpoint({
  id: 'rotate-api-token',
  group: 'security',
  title: 'Rotate API token',
  description: `A new secret for the same token; the old one stays good for \`graceMinutes\` (default ${DEFAULT_GRACE_MINUTES}). The expiry stays.`,
  method: 'POST',
  path: `${PATH}/{tokenId}/rotate`,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject({ graceMinutes: z.int().min(0).max(MAX_GRACE_MINUTES).optional() }),
  bodyOptional: true,
  unknownMembers: 'refuse',
  requestExamples: { hour: { params: { tokenId: EXAMPLE.tokenId }, body: { graceMinutes: 60 } } },
  success: {
    status: 200,
    description: 'The token with its new secret, shown once',
    data: withSecret,
    example: SECRET_EXAMPLE,
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const token = await visibleToken(call, call.params.tokenId);
    const { graceMinutes = DEFAULT_GRACE_MINUTES } = call.body;
    const graceUntil = new Date(call.services.clock.nowMs() + graceMinutes * 60_000).toISOString();
    const result = await rotateApiToken(token, graceUntil, askedBy(call), call.services);
    return tokenAnswer(call, result, 'Token rotated', 'with-secret');
  },
});

export const disableToken = defineEndpoint({
  id: 'disable-api-token',
  group: 'security',
  title: 'Disable API token',
  description: 'Refused at once by this server, within two seconds by others.',
  method: 'PUT',
  path: `${PATH}/{tokenId}/disable`,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  params,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { tokenId: EXAMPLE.tokenId } } },
  success: {
    status: 200,
    description: 'The token',
    data: tokenShape,
    example: { ...TOKEN_EXAMPLE, status: 'DISABLED' },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const token = await visibleToken(call, call.params.tokenId);
    return tokenAnswer(
      call,
      await revokeApiToken(token, 'DISABLED', askedBy(call), call.services),
      'Token disabled',
      'without',
    );
  },
});

export const deleteToken = defineEndpoint({
  id: 'delete-api-token',
  group: 'security',
  title: 'Delete API token',
  method: 'DELETE',
  path: `${PATH}/{tokenId}`,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  params,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { tokenId: EXAMPLE.tokenId } } },
  success: {
    status: 200,
    description: 'The token as it was',
    data: tokenShape,
    example: { ...TOKEN_EXAMPLE, status: 'DELETED' },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const token = await visibleToken(call, call.params.tokenId);
    return tokenAnswer(
      call,
      await revokeApiToken(token, 'DELETED', askedBy(call), call.services),
      'Token deleted',
      'without',
    );
  },
});
