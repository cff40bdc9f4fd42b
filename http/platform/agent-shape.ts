import { z } from 'zod';
import type { AgentView } from '../../application/ports/read-models.js';
import { AGENT_STATUSES } from '../../domain/agent/events.js';
import { PEOPLE } from '../ciam/examples.js';
import { EXAMPLE } from '../ledger/examples.js';

export const agentShape = z
  .object({
    agentId: z.string(),
    slug: z.string(),
    parentAgentId: z.string().nullable().meta({ description: 'Of a sub-agent: the agent above it' }),
    name: z.string(),
    domains: z.array(z.string()),
    branding: z.record(z.string(), z.string()),
    emailTemplates: z.record(z.string(), z.string()),
    smsSenderId: z.string().nullable(),
    status: z.enum(AGENT_STATUSES),
    createdAt: z.string(),
  })
  .meta({ id: 'Agent' });

export const AGENT_EXAMPLE = {
  agentId: PEOPLE.agentId,
  slug: 'north',
  parentAgentId: null,
  name: 'North',
  domains: ['north.example'],
  branding: { primaryColor: '#0a7f5a' },
  emailTemplates: {},
  smsSenderId: null,
  status: 'ACTIVE',
  createdAt: EXAMPLE.at,
};

export function agentOut(agent: AgentView) {
  const { agentId, slug, parentAgentId, name, domains, branding, emailTemplates, smsSenderId, status, createdAt } =
    agent;
  return { agentId, slug, parentAgentId, name, domains, branding, emailTemplates, smsSenderId, status, createdAt };
}
