import { z } from 'zod';
import type { StoredToken } from '../../application/ports/token-store.js';
import { ROLES } from '../../domain/shared/decider.js';
import { EXAMPLE } from '../ledger/examples.js';

const HOUR_MS = 3_600_000;
/** Staff are warned in lists this long before a token expires. */
const WARN_BEFORE_MS = 7 * 24 * HOUR_MS;

export const tokenShape = z
  .object({
    tokenId: z.string(),
    name: z.string(),
    prefix: z.string(),
    roles: z.array(z.enum(ROLES)),
    customerId: z.string().nullable(),
    agentId: z.string().nullable(),
    ipAllowList: z.array(z.string()),
    status: z.enum(['ACTIVE', 'DISABLED', 'EXPIRED', 'DELETED']),
    createdAt: z.string(),
    createdBy: z.string(),
    expiresAt: z.string(),
    expiresSoon: z.boolean(),
    lastUsedAt: z.string().nullable(),
    previousGraceUntil: z.string().nullable(),
  })
  .meta({ id: 'ApiToken' });
export const withSecret = tokenShape.extend({
  token: z
    .string()
    .nullable()
    .meta({ description: 'Shown this once; null where an idempotency key repeats an earlier call' }),
});

export const TOKEN_EXAMPLE = {
  tokenId: EXAMPLE.tokenId,
  name: 'Back office',
  prefix: 'fct_test_4f1c…',
  roles: ['CASHIER'],
  customerId: null,
  agentId: null,
  ipAllowList: ['203.0.113.0/24'],
  status: 'ACTIVE',
  createdAt: EXAMPLE.at,
  createdBy: `token:${EXAMPLE.tokenId}`,
  expiresAt: '2027-02-22T10:30:00.000Z',
  expiresSoon: false,
  lastUsedAt: null,
  previousGraceUntil: null,
};
export const SECRET_EXAMPLE = {
  ...TOKEN_EXAMPLE,
  token: 'fct_test_4f1cJkV9cD0mB2h1sZ7yQpW3xN6rT8uE5aLgKfHiOjM_0aB1cD2',
};

export function tokenOut(token: StoredToken, nowMs: number) {
  const left = Date.parse(token.expiresAt) - nowMs;
  const status = token.status === 'ACTIVE' && left <= 0 ? 'EXPIRED' : token.status;
  return {
    tokenId: token.tokenId,
    name: token.name,
    prefix: token.prefix,
    roles: token.roles,
    customerId: token.customerId,
    agentId: token.agentId,
    ipAllowList: token.ipAllowList,
    status,
    createdAt: token.createdAt,
    createdBy: token.createdBy,
    expiresAt: token.expiresAt,
    expiresSoon: status === 'ACTIVE' && left < WARN_BEFORE_MS,
    lastUsedAt: token.lastUsedAt,
    previousGraceUntil: token.previousGraceUntil,
  };
}
