import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { AgentView, Page, Paged } from '../../application/ports/read-models.js';
import type { AgentStatus } from '../../domain/agent/events.js';
import { MAX_COUNTED, count, instant, limitOf, offsetOf, optionalText, text } from '../rows.js';

const MAX_AGENTS_UNDER = 1_000;
const COLUMNS = `agent_id, slug, parent_agent_id, name, domains, branding, email_templates, sms_sender_id, status,
  ${instant('created_at')} as created_at`;

export async function agent(db: TenantQueries, tenantId: string, agentId: string): Promise<AgentView | undefined> {
  const [row] = await db.query(tenantId, {
    name: 'agent-by-id',
    text: `select ${COLUMNS} from ledger.agents where tenant_id = $1 and agent_id = $2`,
    values: [tenantId, agentId],
  });
  return row === undefined ? undefined : agentView(row);
}

const MATCHES = `tenant_id = $1 and ($2::uuid is null or agent_id = $2 or parent_agent_id = $2)
  and ($3::text is null or status = $3)`;

/** By slug. */
export async function agents(
  db: TenantQueries,
  tenantId: string,
  filter: { readonly under?: string; readonly status?: AgentStatus },
  page: Page,
): Promise<Paged<AgentView>> {
  const values = [tenantId, filter.under ?? null, filter.status ?? null];
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: 'agents-count',
      text: `select count(*) as n from (select from ledger.agents where ${MATCHES} limit ${MAX_COUNTED}) a`,
      values,
    }),
    db.query(tenantId, {
      name: 'agents-page',
      text: `select ${COLUMNS} from ledger.agents where ${MATCHES} order by slug limit $4 offset $5`,
      values: [...values, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(agentView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

/** The agent first, then its sub-agents by slug; none when there is no such agent. */
export async function agentIdsUnder(db: TenantQueries, tenantId: string, agentId: string): Promise<string[]> {
  const rows = await db.query(tenantId, {
    name: 'agent-ids-under',
    text: `select agent_id from ledger.agents where tenant_id = $1 and (agent_id = $2 or parent_agent_id = $2)
            order by agent_id <> $2, slug limit ${MAX_AGENTS_UNDER}`,
    values: [tenantId, agentId],
  });
  return rows.map((row) => text(row, 'agent_id'));
}

function agentView(row: QueryRow): AgentView {
  const json = (column: string): unknown => JSON.parse(text(row, column));
  return {
    agentId: text(row, 'agent_id'),
    slug: text(row, 'slug'),
    parentAgentId: optionalText(row, 'parent_agent_id'),
    name: text(row, 'name'),
    domains: json('domains') as string[],
    branding: json('branding') as Record<string, string>,
    emailTemplates: json('email_templates') as Record<string, string>,
    smsSenderId: optionalText(row, 'sms_sender_id'),
    status: text(row, 'status') as AgentStatus,
    createdAt: text(row, 'created_at'),
  };
}
