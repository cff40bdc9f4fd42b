import { z } from 'zod';
import { present } from '../../application/people/person-checks.js';
import type { AgentView } from '../../application/ports/read-models.js';
import { agentIdOf } from '../../domain/agent/agent.js';
import { AGENT_STATUSES } from '../../domain/agent/events.js';
import { PEOPLE } from '../ciam/examples.js';
import { type Accepted, caughtUp, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { RequestFailed, failure, invalid, unavailable } from '../problem.js';
import { page, pagedOf, reason, size, uuid } from '../schemas.js';
import { agentScope, noSuch } from '../scope.js';
import { AGENT_EXAMPLE, agentOut, agentShape } from './agent-shape.js';
import { checkDomains, domainsChanged, whiteLabel } from './domains.js';

const PATH = '/api/v6/services/admin/agents';
const params = z.object({ agentId: uuid });
const MAX_SLUG = 63;

/** An agent in the caller's sight: any of the tenant for a manager; himself and his sub-agents for an agent. */
async function visibleAgent(call: Call, agentId: string): Promise<AgentView> {
  const scope = await agentScope(call);
  const inSight = scope === undefined || scope.includes(agentId);
  const agent = inSight ? await call.services.readModels.agent(call.caller.tenantId, agentId) : undefined;
  if (agent === undefined) throw noSuch('agent');
  return agent;
}

/** The agent once the read model shows the commit. */
async function changedAgent(call: Call, agentId: string, done: Accepted, message: string): Promise<Answer> {
  const { readModels, config } = call.services;
  domainsChanged(call, done.position);
  const caught = await readModels.waitFor(done.position, config.positionWaitMs);
  const agent = caught ? await readModels.agent(call.caller.tenantId, agentId) : undefined;
  if (agent === undefined) throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
  return { kind: 'answer', message, data: agentOut(agent), position: done.position, replayed: done.replayed };
}

export const listAgents = defineEndpoint({
  id: 'list-agents',
  group: 'platform',
  title: 'List agents',
  description: 'By slug. A manager sees all of the tenant; an agent himself and his sub-agents.',
  method: 'GET',
  path: PATH,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'query',
  movesMoney: false,
  query: z.object({
    page,
    size,
    status: z.enum(AGENT_STATUSES).optional(),
    parentAgentId: uuid.optional().meta({ description: 'This agent and its sub-agents only' }),
  }),
  unknownMembers: 'refuse',
  requestExamples: { active: { query: { status: 'ACTIVE', size: '50' } } },
  success: {
    status: 200,
    description: 'Agents',
    data: pagedOf('agents', agentShape),
    example: { agents: [AGENT_EXAMPLE], page: 1, size: 50, totalElements: 1, totalPages: 1 },
  },
  errors: [],
  async handler(call) {
    const { parentAgentId, status, ...slice } = call.query;
    const { tenantId, agentId: own } = call.caller;
    const scope = await agentScope(call);
    const under = parentAgentId ?? (scope === undefined ? undefined : own);
    // Who works for no agent, or asks for another's, sees none.
    const nothing = scope !== undefined && (under === undefined || !scope.includes(under));
    const { items, totalElements } = nothing
      ? { items: [], totalElements: 0 }
      : await call.services.readModels.agents(tenantId, present({ under, status }), slice);
    return {
      kind: 'answer',
      message: 'Agents',
      data: { agents: items.map(agentOut), ...pageInfo(slice, totalElements) },
    };
  },
});

/** A DNS label made from a name; '' where nothing of it can stand in one. */
function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, MAX_SLUG)
    .replace(/-+$/, '');
}

export const createAgent = defineEndpoint({
  id: 'create-agent',
  group: 'platform',
  title: 'Create agent or sub-agent',
  description:
    'With `parentAgentId` a sub-agent. An agent creates sub-agents of his own only. The slug is made from the name where ' +
    'none is sent; it cannot be changed.',
  method: 'POST',
  path: PATH,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    name: whiteLabel.name,
    slug: z
      .string()
      .min(1)
      .max(MAX_SLUG)
      .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, 'is not a DNS label of lower-case letters, digits and hyphens')
      .optional(),
    parentAgentId: uuid.optional(),
    domains: whiteLabel.domains.optional(),
    branding: whiteLabel.branding.optional(),
    emailTemplates: whiteLabel.emailTemplates.optional(),
    smsSenderId: whiteLabel.smsSenderId.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    agent: { body: { name: 'Lagos Island', domains: ['island.example'], branding: { primaryColor: '#0a7f5a' } } },
    subAgent: { body: { name: 'North Branch 2', slug: 'north-2', parentAgentId: PEOPLE.agentId } },
  },
  success: { status: 201, description: 'The agent', data: agentShape, example: AGENT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { name, slug: wantedSlug, domains = [], branding = {}, emailTemplates = {}, smsSenderId } = call.body;
    const { tenantId } = call.caller;
    const slug = wantedSlug ?? slugOf(name);
    if (slug === '') throw new RequestFailed(invalid('slug', 'REQUIRED', 'no slug can be made from this name'));
    await caughtUp(call);
    const parent = await parentOf(call, call.body.parentAgentId);
    const agentId = agentIdOf(tenantId, slug);
    await checkDomains(call, { tenantId, agentId }, domains);
    const settings = { name, domains, branding, emailTemplates, ...present({ smsSenderId }) };
    const done = await execute(call, 'create-agent', { slug, settings, ...present({ parent }) });
    return isFailure(done) ? done : changedAgent(call, agentId, done, 'Agent created');
  },
});

/** Under whom: an agent creates under himself whatever else he sees. */
async function parentOf(call: Call, wanted: string | undefined): Promise<string | undefined> {
  if ((await agentScope(call)) === undefined) return wanted;
  const { agentId: own } = call.caller;
  if (own === undefined) throw new RequestFailed(failure('FORBIDDEN', 'This token works for no agent'));
  if (wanted !== undefined && wanted !== own) throw noSuch('agent');
  return own;
}

export const getAgent = defineEndpoint({
  id: 'get-agent',
  group: 'platform',
  title: 'Get agent',
  method: 'GET',
  path: `${PATH}/{agentId}`,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'query',
  movesMoney: false,
  params,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { agentId: PEOPLE.agentId } } },
  success: { status: 200, description: 'The agent', data: agentShape, example: AGENT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    return { kind: 'answer', message: 'Agent', data: agentOut(await visibleAgent(call, call.params.agentId)) };
  },
});

export const updateAgent = defineEndpoint({
  id: 'update-agent',
  group: 'platform',
  title: 'Update agent',
  description: 'Absent members stay as they are. An agent updates himself and his sub-agents.',
  method: 'PUT',
  path: `${PATH}/{agentId}`,
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject(whiteLabel).partial(),
  unknownMembers: 'refuse',
  requestExamples: {
    brand: {
      params: { agentId: PEOPLE.agentId },
      body: { name: 'North Transfers', branding: { primaryColor: '#123456' }, domains: ['north.example'] },
    },
  },
  success: { status: 200, description: 'The agent', data: agentShape, example: AGENT_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    await caughtUp(call);
    const { agentId } = await visibleAgent(call, call.params.agentId);
    await checkDomains(call, { tenantId: call.caller.tenantId, agentId }, call.body.domains);
    const done = await execute(call, 'update-agent', { agent: agentId, settings: present(call.body) });
    return isFailure(done) ? done : changedAgent(call, agentId, done, 'Agent updated');
  },
});

export const setAgentStatus = defineEndpoint({
  id: 'set-agent-status',
  group: 'platform',
  title: 'Set agent status',
  description:
    'The people and customers of a suspended agent, and of its sub-agents, cannot log in or refresh a log-in, and nobody ' +
    'can be registered for it. Access tokens that were given out before run out by themselves.',
  method: 'PUT',
  path: `${PATH}/{agentId}/status`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject({ status: z.enum(AGENT_STATUSES), reason }),
  unknownMembers: 'refuse',
  requestExamples: {
    suspend: { params: { agentId: PEOPLE.agentId }, body: { status: 'SUSPENDED', reason: 'Contract under review' } },
  },
  success: {
    status: 200,
    description: 'The agent',
    data: agentShape,
    example: { ...AGENT_EXAMPLE, status: 'SUSPENDED' },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { agentId } = call.params;
    const done = await execute(call, 'set-agent-status', { agent: agentId, ...call.body });
    return isFailure(done) ? done : changedAgent(call, agentId, done, 'Status set');
  },
});
