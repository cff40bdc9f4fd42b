import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { TableDefinition } from '../../application/ports/read-store.js';
import type { AgentEvent, AgentSettings } from '../../domain/agent/events.js';
import { Changes } from '../changes.js';
import type { Projection } from '../projection.js';

/** One row an agent or sub-agent. Lists and settings are JSON text. Whose a host is: see tenants/projection.ts. */
const AGENTS: TableDefinition = {
  name: 'agents',
  comment: 'Agents and sub-agents.',
  columns: {
    tenant_id: 'uuid',
    agent_id: 'uuid',
    slug: 'text',
    parent_agent_id: 'uuid',
    name: 'text',
    domains: 'text',
    branding: 'text',
    email_templates: 'text',
    sms_sender_id: 'text',
    status: 'text',
    created_at: 'timestamptz',
  },
  key: ['tenant_id', 'agent_id'],
  nullable: ['parent_agent_id', 'sms_sender_id'],
  indexes: [
    { columns: ['tenant_id', 'slug'] },
    { columns: ['tenant_id', 'parent_agent_id', 'slug'], where: 'parent_agent_id is not null' },
  ],
};

type Event = ScannedEvent & AgentEvent;

export function agentsProjection(): Projection {
  return {
    name: 'agents',
    version: 1,
    tables: [AGENTS],
    handles: ['agent-created', 'agent-updated', 'agent-status-set'],
    answersQueries: true,
    project(events) {
      const changes = new Changes();
      for (const event of events) projectEvent(event as Event, changes);
      return changes;
    },
  };
}

function projectEvent(event: Event, changes: Changes): void {
  const key = { tenant_id: event.tenantId, agent_id: event.data.agent };
  switch (event.type) {
    case 'agent-created': {
      const { slug, parent = null } = event.data;
      const created = { slug, parent_agent_id: parent, status: 'ACTIVE', created_at: event.recordedAt };
      changes.insert(AGENTS, { ...key, ...created, ...settingsColumns(event.data) });
      return;
    }
    case 'agent-updated':
      changes.patch(AGENTS, { ...key, ...settingsColumns(event.data) });
      return;
    case 'agent-status-set':
      changes.patch(AGENTS, { ...key, status: event.data.to });
  }
}

function settingsColumns(settings: AgentSettings) {
  return {
    name: settings.name,
    domains: JSON.stringify(settings.domains),
    branding: JSON.stringify(settings.branding),
    email_templates: JSON.stringify(settings.emailTemplates),
    sms_sender_id: settings.smsSenderId ?? null,
  };
}
