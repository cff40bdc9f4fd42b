import type { Aggregate, Json } from '../shared/event.js';
import { nameBasedUuid } from '../shared/ids.js';
import type { CustomerRegistered } from '../customer/events.js';
import type { EmployeeCreated } from '../employee/events.js';
import type { AgentEvent, AgentSettings, AgentStatus } from './events.js';

/** An agent or sub-agent: the fold of events tagged `agent:<id>`. */
export interface AgentState {
  readonly status: 'NONE' | AgentStatus;
  readonly slug: string;
  /** For a sub-agent: the agent above it. A sub-agent has none below. */
  readonly parent?: string;
  readonly settings: AgentSettings;
}

const NONE: AgentState = {
  status: 'NONE',
  slug: '',
  settings: { name: '', domains: [], branding: {}, emailTemplates: {} },
};

/** Name-based, so that a slug's uniqueness in its tenant is the id's. */
export function agentIdOf(tenantId: string, slug: string): string {
  return nameBasedUuid(tenantId, `agent:${slug}`);
}

export const agentAggregate: Aggregate<AgentState, AgentEvent | CustomerRegistered | EmployeeCreated> = {
  kind: 'agent',
  stateVersion: 1,
  initial: () => NONE,
  evolve(state, event, id) {
    // The agent above carries a sub-agent's events in its history, and customers and employees tag their agent.
    if (event.data.agent !== id) return state;
    switch (event.type) {
      case 'agent-created': {
        const { agent: _, slug, parent, ...settings } = event.data;
        return { status: 'ACTIVE', slug, settings, ...(parent === undefined ? {} : { parent }) };
      }
      case 'agent-updated': {
        const { agent: _, ...settings } = event.data;
        return { ...state, settings };
      }
      case 'agent-status-set':
        return { ...state, status: event.data.to };
      default:
        return state;
    }
  },
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as AgentState,
};
