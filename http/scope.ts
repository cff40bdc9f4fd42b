import type { CustomerView } from '../application/ports/read-models.js';
import type { UserReference } from '../domain/access/user-events.js';
import type { Role } from '../domain/shared/decider.js';
import type { Call, Caller } from './endpoint.js';
import { RequestFailed, failure } from './problem.js';

/**
 * What a caller sees (platform.md 3.2): a customer his own data, who works for an agent the customers of that agent and
 * its sub-agents, everybody else the tenant. What is out of sight answers exactly like what does not exist.
 */
export const noSuch = (what: string) => new RequestFailed(failure('NOT_FOUND', `There is no such ${what}`));

/** Roles that see more than their own data. */
const STAFF: readonly Role[] = ['MANAGER', 'AGENT', 'CASHIER', 'AUDITOR', 'ANALYST'];
/** Roles that see the whole tenant even for somebody who works for an agent (nobody has both: domain/employee). */
const TENANT_WIDE: readonly Role[] = ['MANAGER', 'AUDITOR', 'ANALYST'];

/** For a caller who sees his own data only: whose. Undefined for staff. */
export function ownOnly(caller: Caller): { readonly customerId: string } | undefined {
  if (STAFF.some((role) => caller.roles.includes(role))) return undefined;
  return { customerId: caller.customerId ?? '' };
}

/**
 * Ids of the agents whose customers the caller sees: his own agent and its sub-agents. Undefined: no bound, the whole
 * tenant. An AGENT without an agent sees no customers.
 */
export async function agentScope(call: Call): Promise<readonly string[] | undefined> {
  const { caller, services } = call;
  if (TENANT_WIDE.some((role) => caller.roles.includes(role))) return undefined;
  if (caller.agentId !== undefined) return services.readModels.agentIdsUnder(caller.tenantId, caller.agentId);
  return caller.roles.includes('AGENT') ? [] : undefined;
}

/** Whether the caller sees this customer. */
export async function seesCustomer(call: Call, customer: CustomerView): Promise<boolean> {
  const own = ownOnly(call.caller);
  if (own !== undefined) return customer.customerId === own.customerId;
  const agents = await agentScope(call);
  return agents === undefined || (customer.agentId !== null && agents.includes(customer.agentId));
}

/** A customer by id or code; somebody else's answers like one that does not exist. */
export async function visibleCustomer(call: Call, idOrCode: string): Promise<CustomerView> {
  const customer = await call.services.readModels.customer(call.caller.tenantId, idOrCode);
  if (customer === undefined || !(await seesCustomer(call, customer))) throw noSuch('customer');
  return customer;
}

/** Whether the caller sees what belongs to this owner (of an account): the customer himself, or staff in scope. */
export async function seesOwner(call: Call, owner: string): Promise<boolean> {
  const own = ownOnly(call.caller);
  if (own !== undefined) return owner === own.customerId;
  const agents = await agentScope(call);
  if (agents === undefined) return true;
  const customer = await call.services.readModels.customer(call.caller.tenantId, owner);
  return customer !== undefined && customer.agentId !== null && agents.includes(customer.agentId);
}

/** Who calls, as a person: somebody who logged in, or the customer that an API token speaks for. */
export function ownPerson(call: Call): UserReference {
  const { user, customerId } = call.caller;
  if (user !== undefined) return user;
  if (customerId !== undefined) return { kind: 'customer', id: customerId };
  throw new RequestFailed(failure('FORBIDDEN', 'This token speaks for no person: log in'));
}
