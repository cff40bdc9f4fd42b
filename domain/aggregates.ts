import { apiTokenAggregate } from './access/api-token.js';
import { agentAggregate } from './agent/agent.js';
import { customerAggregate } from './customer/customer.js';
import { employeeAggregate } from './employee/employee.js';
import { accountAggregate } from './ledger/account.js';
import { holdAggregate } from './ledger/hold.js';
import { postingAggregate } from './ledger/posting.js';
import { loanAggregate } from './loan/loan.js';
import { loanProductAggregate } from './loan-product/loan-product.js';
import { tenantAggregate } from './tenant/tenant.js';
import { withdrawalAggregate } from './withdrawal/withdrawal.js';
import type { Aggregate, DomainEvent, Tag } from './shared/event.js';

/** Every aggregate by the kind that its tags start with. A new aggregate is one line here. */
export const AGGREGATES = {
  account: accountAggregate,
  agent: agentAggregate,
  customer: customerAggregate,
  employee: employeeAggregate,
  hold: holdAggregate,
  loan: loanAggregate,
  'loan-product': loanProductAggregate,
  posting: postingAggregate,
  tenant: tenantAggregate,
  token: apiTokenAggregate,
  withdrawal: withdrawalAggregate,
} as const;

export type AggregateKind = keyof typeof AGGREGATES;
export type StateOf<K extends AggregateKind> = ReturnType<(typeof AGGREGATES)[K]['initial']>;

const BY_KIND: ReadonlyMap<string, Aggregate<unknown>> = new Map(
  Object.entries(AGGREGATES) as unknown as Array<[string, Aggregate<unknown>]>,
);

/** The aggregate that a tag names and the id in it; undefined for tags that are no aggregates. */
export function aggregateOf(tag: string): { aggregate: Aggregate<unknown>; id: string } | undefined {
  const colon = tag.indexOf(':');
  const aggregate = BY_KIND.get(tag.slice(0, colon));
  return aggregate === undefined ? undefined : { aggregate, id: tag.slice(colon + 1) };
}

export function tagOf(kind: AggregateKind, id: string): Tag {
  return `${kind}:${id}`;
}

/** One step of the fold of the aggregate that `tag` names. */
export function evolveTag(tag: Tag, state: unknown, event: DomainEvent): unknown {
  const found = aggregateOf(tag);
  return found === undefined ? state : found.aggregate.evolve(state, event, found.id);
}
