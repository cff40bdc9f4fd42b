import { tagOf } from '../aggregates.js';
import type { DecisionContext, Role } from '../shared/decider.js';
import type { Tag } from '../shared/event.js';
import { type Refusal, refuse } from '../shared/refusal.js';
import type { AccountState } from './account.js';

/** Checks that several deciders share. Each answers a refusal or undefined. */

export function checkTenant(context: DecisionContext): Refusal | undefined {
  const tenant = context.state('tenant', context.tenantId);
  if (tenant.status === 'ACTIVE') return undefined;
  return tenant.status === 'NONE'
    ? refuse('tenant-not-found', 'there is no such tenant')
    : refuse('tenant-suspended', 'the tenant is suspended');
}

/**
 * Whether an account is hidden from the actor: who works for an agent sees the accounts of that agent's customers and of
 * its sub-agents', and the system's. What is hidden is refused like what does not exist.
 */
export function isOutOfSight(account: AccountState, context: DecisionContext): boolean {
  if (context.actor.agentId === undefined || account.status === 'NONE' || account.systemRole !== undefined)
    return false;
  return isCustomerOutOfSight(account.owner, context);
}

/** Whether a customer is hidden from the actor: see `isOutOfSight`. */
export function isCustomerOutOfSight(customer: string, context: DecisionContext): boolean {
  const { agentId } = context.actor;
  if (agentId === undefined) return false;
  const { agent } = context.state('customer', customer);
  if (agent === undefined) return true;
  return agent !== agentId && context.state('agent', agent).parent !== agentId;
}

/** The account if it exists and is open; `account-not-found` and `account-closed` otherwise. */
export function openAccountState(id: string, context: DecisionContext): AccountState | Refusal {
  const account = context.state('account', id);
  if (account.status === 'NONE' || isOutOfSight(account, context)) {
    return refuse('account-not-found', 'Account Not Found', { details: { account: id } });
  }
  if (account.status === 'CLOSED') return refuse('account-closed', `account ${account.number} is closed`);
  return account;
}

export function hasRole(context: DecisionContext, ...roles: readonly Role[]): boolean {
  return context.actor.roles.some((role) => roles.includes(role));
}

/** Tags of an event of one account: the account, and its owner's aggregate of record. */
export function accountTags(id: string): Tag[] {
  return [tagOf('account', id)];
}
