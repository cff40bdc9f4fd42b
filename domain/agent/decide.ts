import { tagOf } from '../aggregates.js';
import { checkTenant } from '../ledger/guards.js';
import type { Decide, DecisionContext } from '../shared/decider.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { type AgentState, agentIdOf } from './agent.js';
import type { CreateAgent, SetAgentStatus, UpdateAgent } from './commands.js';
import type { AgentSettings } from './events.js';

const SLUG = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Two levels below the principal: an agent, and its sub-agents. */
export const decideCreateAgent: Decide<CreateAgent> = (command, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  if (!SLUG.test(command.slug)) {
    return refuse('invalid-argument', 'a slug is a DNS label of lower-case letters, digits and hyphens', {
      field: 'slug',
    });
  }
  const agent = agentIdOf(context.tenantId, command.slug);
  if (context.state('agent', agent).status !== 'NONE') {
    return refuse('agent-exists', `there is an agent ${command.slug} already`, { field: 'slug' });
  }
  if (command.parent !== undefined) {
    const parent = context.state('agent', command.parent);
    if (parent.status === 'NONE')
      return refuse('agent-not-found', 'there is no such agent', { field: 'parentAgentId' });
    if (parent.status !== 'ACTIVE') return refuse('agent-suspended', 'the agent above is suspended');
    if (parent.parent !== undefined) {
      return refuse('invalid-argument', 'a sub-agent has no agents below it', { field: 'parentAgentId' });
    }
  }
  context.emit({
    type: 'agent-created',
    version: 1,
    data: {
      agent,
      slug: command.slug,
      ...(command.parent === undefined ? {} : { parent: command.parent }),
      ...command.settings,
    },
    tags: [tagOf('agent', agent), ...(command.parent === undefined ? [] : [tagOf('agent', command.parent)])],
  });
  return undefined;
};

function knownAgent(id: string, context: DecisionContext): AgentState | Refusal {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const agent = context.state('agent', id);
  return agent.status === 'NONE' ? refuse('agent-not-found', 'there is no such agent') : agent;
}

export const decideUpdateAgent: Decide<UpdateAgent> = (command, context) => {
  const agent = knownAgent(command.agent, context);
  if (isRefusal(agent)) return agent;
  const given = Object.fromEntries(Object.entries(command.settings).filter(([, value]) => value !== undefined));
  const settings: AgentSettings = { ...agent.settings, ...given };
  if (JSON.stringify(settings) === JSON.stringify(agent.settings)) return undefined;
  context.emit({
    type: 'agent-updated',
    version: 1,
    data: { agent: command.agent, ...settings },
    tags: [tagOf('agent', command.agent)],
  });
  return undefined;
};

export const decideSetAgentStatus: Decide<SetAgentStatus> = (command, context) => {
  const agent = knownAgent(command.agent, context);
  if (isRefusal(agent)) return agent;
  if (agent.status === command.status) {
    return refuse('invalid-state', `the agent is ${agent.status} already`, { field: 'status' });
  }
  context.emit({
    type: 'agent-status-set',
    version: 1,
    data: { agent: command.agent, from: agent.status, to: command.status, reason: command.reason },
    tags: [tagOf('agent', command.agent)],
  });
  return undefined;
};
