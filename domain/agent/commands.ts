import type { AgentSettings, AgentStatus } from './events.js';

export interface CreateAgent {
  readonly slug: string;
  /** Makes it a sub-agent. */
  readonly parent?: string;
  readonly settings: AgentSettings;
}
/** Absent members stay as they are. */
export interface UpdateAgent {
  readonly agent: string;
  readonly settings: Partial<AgentSettings>;
}
export interface SetAgentStatus {
  readonly agent: string;
  readonly status: AgentStatus;
  readonly reason: string;
}
