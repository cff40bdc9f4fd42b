import type { SignedOut, UserReference } from '../../domain/access/user-events.js';
import type { Role } from '../../domain/shared/decider.js';
import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { CustomerView, EmployeeView, ReadModels } from '../ports/read-models.js';

/** What the log says of a user, as credentials mirror it. */
export interface Standing {
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly roles: readonly Role[];
  readonly agent: string | null;
}

/** A customer or employee by his id, with which of the two he is. */
export type PersonView =
  ({ readonly kind: 'customer' } & CustomerView) | ({ readonly kind: 'employee' } & EmployeeView);

export async function personOf(
  readModels: Pick<ReadModels, 'customer' | 'employee'>,
  tenantId: string,
  user: UserReference,
): Promise<PersonView | undefined> {
  if (user.kind === 'customer') {
    const customer = await readModels.customer(tenantId, user.id);
    return customer === undefined ? undefined : { kind: 'customer', ...customer };
  }
  const employee = await readModels.employee(tenantId, user.id);
  return employee === undefined ? undefined : { kind: 'employee', ...employee };
}

export function userOf(person: PersonView): UserReference {
  return person.kind === 'customer'
    ? { kind: 'customer', id: person.customerId }
    : { kind: 'employee', id: person.employeeId };
}

/** Pending customers may log in, to finish their identification (identity-compliance.md 6). */
export function standingOf(person: PersonView): Standing {
  return {
    status: person.status === 'INACTIVE' || person.status === 'ERASED' ? 'INACTIVE' : 'ACTIVE',
    roles: person.kind === 'customer' ? ['CUSTOMER'] : person.roles,
    agent: person.agentId,
  };
}

/**
 * Ends every log-in of a user: refresh tokens at once, access tokens as soon as a process asks for their session again
 * (application/access/token-verifier.ts says how soon). Stated in the log where there was one.
 */
export async function endSessions(
  { sessions, clock, tokenVerifier, bus }: Pick<Identity, 'sessions' | 'clock' | 'tokenVerifier' | 'bus'>,
  { tenantId, actor, correlationId }: Pick<Asked, 'tenantId' | 'actor' | 'correlationId'>,
  user: UserReference,
  why: SignedOut['data']['why'],
): Promise<void> {
  const ended = await sessions.revokeAll(tenantId, user.id, new Date(clock.nowMs()).toISOString());
  tokenVerifier.forgetUser(user.id);
  if (ended === 0) return;
  const payload = { user, facts: [{ type: 'signed-out', why }] } as const;
  await bus.execute({ name: 'record-access', tenantId, actor, correlationId, payload });
}

/** The agent and, for a sub-agent, the one above: nearest first, as preferences are asked for. */
export async function agentChain(
  readModels: Pick<ReadModels, 'agent'>,
  tenantId: string,
  agentId: string | null | undefined,
): Promise<readonly string[]> {
  if (agentId == null) return [];
  const above = (await readModels.agent(tenantId, agentId))?.parentAgentId;
  return above == null ? [agentId] : [agentId, above];
}

/** Whether the people and customers of this agent are kept out: it, or the agent above it, is suspended or unknown. */
export async function isAgentSuspended(
  readModels: Pick<ReadModels, 'agent'>,
  tenantId: string,
  agentId: string | null | undefined,
): Promise<boolean> {
  for (const id of await agentChain(readModels, tenantId, agentId)) {
    if ((await readModels.agent(tenantId, id))?.status !== 'ACTIVE') return true;
  }
  return false;
}
