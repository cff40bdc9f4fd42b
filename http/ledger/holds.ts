import { z } from 'zod';
import type { PlaceHolds } from '../../domain/ledger/commands.js';
import { HOLD_TYPES } from '../../domain/ledger/events.js';
import { Findings, amountIn } from '../amounts.js';
import { agentScope, ownOnly } from '../scope.js';
import { execute, isFailure } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { RequestFailed, invalid } from '../problem.js';
import { amount, currencyCode, instantIn, page, pagedOf, reason, size, uuid } from '../schemas.js';
import { EXAMPLE } from './examples.js';
import {
  HOLD_EXAMPLE,
  HOLD_STATUSES,
  TOTALS_EXAMPLE,
  holdOut,
  holdShape,
  holdWithTotals,
  placedOut,
} from './hold-shape.js';
import { visibleAccount } from './visible.js';

export const MAX_HOLDS_IN_GROUP = 100;

const newHold = z
  .strictObject({
    accountId: uuid,
    amount,
    currencyCode,
    type: z.enum(HOLD_TYPES),
    reason,
    expiresAt: instantIn.optional().meta({ description: 'Holds only; a lien does not expire' }),
  })
  .meta({ id: 'NewHold' });
type NewHold = z.output<typeof newHold>;

function holdIn(hold: NewHold, field: string, findings: Findings): PlaceHolds['holds'][number] {
  return {
    account: hold.accountId,
    currency: hold.currencyCode,
    amount: amountIn(hold.amount, hold.currencyCode, field, findings),
    type: hold.type,
    reason: hold.reason,
    ...(hold.expiresAt === undefined ? {} : { expiresAt: hold.expiresAt }),
  };
}

export const placeHold = defineEndpoint({
  id: 'place-hold',
  group: 'ledger',
  title: 'Place a lien or hold',
  description: 'One hold, or `holds`: several, placed together or not at all as a group that can be released together.',
  method: 'POST',
  path: '/api/v6/services/ledger/holds',
  aliases: [],
  roles: ['MANAGER', 'CASHIER'],
  kind: 'command',
  movesMoney: false,
  hot: true,
  body: z.union([newHold, z.strictObject({ holds: z.array(newHold).min(1).max(MAX_HOLDS_IN_GROUP) })]),
  unknownMembers: 'refuse',
  requestExamples: {
    one: {
      body: {
        accountId: EXAMPLE.accountId,
        amount: 100,
        currencyCode: 'NGN',
        type: 'HOLD',
        reason: 'Card authorisation 8841',
      },
    },
    group: {
      body: {
        holds: [
          {
            accountId: EXAMPLE.accountId,
            amount: '20.00',
            currencyCode: 'NGN',
            type: 'HOLD',
            reason: 'Order 12',
            expiresAt: '2099-01-01T00:00:00Z',
          },
          { accountId: EXAMPLE.counterpartyId, amount: 5, currencyCode: 'NGN', type: 'LIEN', reason: 'Order 12' },
        ],
      },
    },
  },
  success: {
    status: 201,
    description: 'The hold; for a group `{ groupId, holds }`',
    data: z.union([holdWithTotals, z.object({ groupId: z.string().nullable(), holds: z.array(holdWithTotals) })]),
    example: { ...HOLD_EXAMPLE, ...TOTALS_EXAMPLE },
  },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_NOT_USABLE', 'CURRENCY_MISMATCH', 'INSUFFICIENT_FUNDS'],
  async handler(call) {
    const { body } = call;
    const findings = new Findings();
    const group = 'holds' in body;
    const holds = group
      ? body.holds.map((hold, index) => holdIn(hold, `holds.${index}.amount`, findings))
      : [holdIn(body, 'amount', findings)];
    findings.throwIfAny();
    const done = await execute(call, 'place-holds', { holds });
    if (isFailure(done)) return done;
    const shown = done.events.filter(({ type }) => type === 'hold-placed').map(placedOut);
    const data = group ? { groupId: shown[0]?.groupId ?? null, holds: shown } : shown[0];
    return { kind: 'answer', message: 'Placed', data, position: done.position, replayed: done.replayed };
  },
});

export const listHolds = defineEndpoint({
  id: 'list-holds',
  group: 'ledger',
  title: 'List liens and holds',
  description: 'A customer names one of his own accounts, who works for an agent one of a customer of his.',
  method: 'GET',
  path: '/api/v6/services/ledger/holds',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER', 'AUDITOR'],
  kind: 'query',
  movesMoney: false,
  query: z.object({
    accountId: uuid.optional(),
    groupId: uuid.optional(),
    status: z.enum(HOLD_STATUSES).optional(),
    page,
    size,
  }),
  unknownMembers: 'refuse',
  requestExamples: { active: { query: { accountId: EXAMPLE.accountId, status: 'ACTIVE' } } },
  success: {
    status: 200,
    description: 'Holds, newest first',
    data: pagedOf('holds', holdShape),
    example: { holds: [HOLD_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { accountId, groupId, status, page: number, size: most } = call.query;
    if (ownOnly(call.caller) !== undefined || (await agentScope(call)) !== undefined) {
      if (accountId === undefined) throw new RequestFailed(invalid('accountId', 'REQUIRED', 'accountId is required'));
      await visibleAccount(call, accountId);
    }
    const filter = {
      ...(accountId === undefined ? {} : { accountId }),
      ...(groupId === undefined ? {} : { groupId }),
      ...(status === undefined ? {} : { status }),
    };
    const wanted = { page: number, size: most };
    const { items, totalElements } = await call.services.readModels.holds(call.caller.tenantId, filter, wanted);
    return {
      kind: 'answer',
      message: 'Liens and holds',
      data: { holds: items.map(holdOut), ...pageInfo(wanted, totalElements) },
    };
  },
});
