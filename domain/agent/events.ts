import { z } from 'zod';
import type { DomainEvent } from '../shared/event.js';

/** Facts about agents: businesses under the tenant (the principal), and their sub-agents. */
const id = z.string().length(36);
const settings = {
  name: z.string().min(1).max(512),
  /** Hosts at which this agent's customers are served. */
  domains: z.array(z.string().max(253)).max(20),
  branding: z.record(z.string().max(64), z.string().max(2000)),
  emailTemplates: z.record(z.string().max(64), z.string().max(20_000)),
  smsSenderId: z.string().max(32).optional(),
};
export const AGENT_STATUSES = ['ACTIVE', 'SUSPENDED'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export const agentCreatedV1 = z.strictObject({
  agent: id,
  slug: z.string().max(63),
  parent: id.optional(),
  ...settings,
});
export const agentUpdatedV1 = z.strictObject({ agent: id, ...settings });
export const agentStatusSetV1 = z.strictObject({
  agent: id,
  from: z.enum(AGENT_STATUSES),
  to: z.enum(AGENT_STATUSES),
  reason: z.string().min(1).max(512),
});

const plain = z.strictObject(settings);
export type AgentSettings = z.infer<typeof plain>;
export type AgentCreated = DomainEvent<'agent-created', z.infer<typeof agentCreatedV1>>;
export type AgentUpdated = DomainEvent<'agent-updated', z.infer<typeof agentUpdatedV1>>;
export type AgentStatusSet = DomainEvent<'agent-status-set', z.infer<typeof agentStatusSetV1>>;
export type AgentEvent = AgentCreated | AgentUpdated | AgentStatusSet;
