import { z } from 'zod';
import { defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { EXAMPLE } from '../ledger/examples.js';
import { noSuch } from '../scope.js';
import { RequestFailed, invalid } from '../problem.js';
import { instantIn, page, pagedOf, revision, size } from '../schemas.js';

const READERS = ['MANAGER', 'AUDITOR'] as const;

const eventShape = z
  .object({
    revision: z.int(),
    id: z.string(),
    type: z.string(),
    version: z.int(),
    recordedAt: z.string(),
    effectiveAt: z.string(),
    actor: z.string(),
    correlationId: z.string(),
    tags: z.array(z.string()),
    data: z.unknown().meta({ type: 'object' }),
    previousHash: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEvent' });

const EVENT_EXAMPLE = {
  revision: 41,
  id: EXAMPLE.entryId,
  type: 'account-frozen',
  version: 1,
  recordedAt: EXAMPLE.at,
  effectiveAt: EXAMPLE.date,
  actor: `token:${EXAMPLE.tokenId}`,
  correlationId: EXAMPLE.interactionId,
  tags: [`account:${EXAMPLE.accountId}`],
  data: { account: EXAMPLE.accountId, scope: 'DEBIT', reason: 'Court order 17/2026' },
  previousHash: '1f3a0b6d0d5c4f6f8a7f3f7f5f0f0e3f5ad1c1e6a4e1d0c9b8a7968574635241',
  hash: '9c1185a5c5e9fc54612808977ee8f548b2258d31ddadef707ba62c166051b9e3',
};
const PAGE_EXAMPLE = { events: [EVENT_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 };

const aggregate = z.object({
  aggregateType: z
    .string()
    .max(32)
    .regex(/^[a-z][a-z-]*$/, 'is not a kind of aggregate'),
  aggregateId: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9:._-]+$/, 'is not an id'),
});
const AGGREGATE_EXAMPLE = { aggregateType: 'account', aggregateId: EXAMPLE.accountId };

export const auditEvents = defineEndpoint({
  id: 'audit-events',
  group: 'platform',
  title: 'Event history of the tenant',
  description: 'Newest first. With `privileged=true` the acts of staff: who, what, before and after, why.',
  method: 'GET',
  path: '/api/v6/services/audit/events',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  query: z.object({
    from: instantIn.optional(),
    to: instantIn.optional(),
    type: z.string().max(64).optional(),
    actor: z.string().max(128).optional(),
    privileged: z
      .enum(['true', 'false'])
      .optional()
      .meta({ description: 'Acts of staff only: settings, people, keys, tokens, limits. Not together with type' }),
    page,
    size,
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    privileged: { query: { privileged: 'true' } },
    opened: { query: { type: 'account-opened', from: '2026-01-01T00:00:00Z' } },
  },
  success: {
    status: 200,
    description: 'Events, newest first',
    data: pagedOf('events', eventShape),
    example: PAGE_EXAMPLE,
  },
  errors: [],
  async handler(call) {
    const { page: number, size: most, from, to, type, actor } = call.query;
    const privileged = call.query.privileged === 'true';
    if (privileged && type !== undefined) return invalid('type', 'AMBIGUOUS', 'type and privileged exclude each other');
    const filter = {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(type === undefined ? {} : { type }),
      ...(actor === undefined ? {} : { actor }),
      ...(privileged ? { privileged } : {}),
    };
    const wanted = { page: number, size: most };
    const { items, totalElements } = await call.services.readModels.auditEvents(call.caller.tenantId, filter, wanted);
    return { kind: 'answer', message: 'Events', data: { events: items, ...pageInfo(wanted, totalElements) } };
  },
});

export const auditAggregateEvents = defineEndpoint({
  id: 'audit-aggregate-events',
  group: 'platform',
  title: 'Event history of an aggregate',
  description: 'All events that an account, hold, posting, tenant, token or customer is part of.',
  method: 'GET',
  path: '/api/v6/services/audit/events/{aggregateType}/{aggregateId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params: aggregate,
  query: z.object({ page, size }),
  unknownMembers: 'refuse',
  requestExamples: { account: { params: AGGREGATE_EXAMPLE } },
  success: {
    status: 200,
    description: 'Events, oldest first',
    data: pagedOf('events', eventShape),
    example: PAGE_EXAMPLE,
  },
  errors: [],
  async handler(call) {
    const { aggregateType, aggregateId } = call.params;
    const { readModels } = call.services;
    const { items, totalElements } = await readModels.auditEventsByTag(
      call.caller.tenantId,
      `${aggregateType}:${aggregateId}`,
      call.query,
    );
    return { kind: 'answer', message: 'Events', data: { events: items, ...pageInfo(call.query, totalElements) } };
  },
});

export const auditReplay = defineEndpoint({
  id: 'audit-replay',
  group: 'platform',
  title: 'State at a point in time',
  description:
    'The fold of the events up to `revision`, or recorded up to `at`; default: all of them. Amounts in it are minor units.',
  method: 'GET',
  path: '/api/v6/services/audit/replay/{aggregateType}/{aggregateId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params: aggregate,
  query: z.object({ at: instantIn.optional(), revision: revision.optional() }),
  unknownMembers: 'refuse',
  requestExamples: {
    now: { params: AGGREGATE_EXAMPLE },
    then: { params: AGGREGATE_EXAMPLE, query: { at: '2099-01-01T00:00:00Z' } },
  },
  success: {
    status: 200,
    description: 'The state',
    data: z.object({
      aggregateType: z.string(),
      aggregateId: z.string(),
      revision: z.int(),
      recordedAt: z.string(),
      events: z.int(),
      state: z.unknown().meta({ type: 'object' }),
    }),
    example: {
      ...AGGREGATE_EXAMPLE,
      revision: 41,
      recordedAt: EXAMPLE.at,
      events: 3,
      state: { status: 'ACTIVATED', ledger: '150000' },
    },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { aggregateType, aggregateId } = call.params;
    const { at, revision: last } = call.query;
    if (at !== undefined && last !== undefined) {
      throw new RequestFailed(invalid('revision', 'AMBIGUOUS', 'either at or revision'));
    }
    const until = { ...(at === undefined ? {} : { at }), ...(last === undefined ? {} : { revision: last }) };
    const replayed = await call.services.audit.replay(call.caller.tenantId, aggregateType, aggregateId, until);
    if (replayed === undefined) throw noSuch('state');
    return { kind: 'answer', message: 'State', data: replayed };
  },
});

export const auditVerifyChain = defineEndpoint({
  id: 'audit-verify-chain',
  group: 'platform',
  title: 'Verify the hash chain',
  description:
    'Recomputes the hashes of the tenant’s log. A long log is checked in parts: ask again from `checkedTo` + 1.',
  method: 'GET',
  path: '/api/v6/services/audit/verify-chain',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  query: z.object({ from: revision.optional(), to: revision.optional() }),
  unknownMembers: 'refuse',
  requestExamples: { all: {} },
  success: {
    status: 200,
    description: 'Whether the chain holds',
    data: z.object({
      ok: z.boolean(),
      checkedFrom: z.int(),
      checkedTo: z.int(),
      head: z.string(),
      firstBreak: z.object({ revision: z.int(), reason: z.string() }).optional(),
    }),
    example: { ok: true, checkedFrom: 0, checkedTo: 41, head: EVENT_EXAMPLE.hash },
  },
  errors: [],
  async handler(call) {
    const { from, to } = call.query;
    if (from !== undefined && to !== undefined && from > to) {
      throw new RequestFailed(invalid('from', 'INVALID_RANGE', 'from is after to'));
    }
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const data = await call.services.audit.verifyChain(call.caller.tenantId, range);
    return { kind: 'answer', message: data.ok ? 'The chain holds' : 'The chain is broken', data };
  },
});
