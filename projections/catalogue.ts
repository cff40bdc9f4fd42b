import { accountsProjection } from './accounts/projection.js';
import { agentsProjection } from './agents/projection.js';
import { aggregateStatesProjection } from './aggregate-states/projection.js';
import { customersProjection } from './customers/projection.js';
import { employeesProjection } from './employees/projection.js';
import { entriesProjection } from './entries/projection.js';
import { historyProjection } from './history/projection.js';
import { holdsProjection } from './holds/projection.js';
import { loanProductsProjection } from './loan-products/projection.js';
import { loansProjection } from './loans/projection.js';
import type { Projection } from './projection.js';
import { tenantsProjection } from './tenants/projection.js';
import { withdrawalsProjection } from './withdrawals/projection.js';

/** Every projection, made anew on each call: an instance belongs to one runner or one rebuild. */
const PROJECTIONS: ReadonlyArray<() => Projection> = [
  // First those that may have rows to read: the others are computed meanwhile.
  aggregateStatesProjection,
  holdsProjection,
  tenantsProjection,
  customersProjection,
  employeesProjection,
  agentsProjection,
  loanProductsProjection,
  loansProjection,
  withdrawalsProjection,
  // Before entries, so that whoever finds a line finds its account.
  accountsProjection,
  entriesProjection,
  historyProjection,
];

export function createProjections(): Projection[] {
  return PROJECTIONS.map((create) => create());
}

/** One projection by its name, for a rebuild. */
export function createProjection(name: string): Projection | undefined {
  return createProjections().find((projection) => projection.name === name);
}
