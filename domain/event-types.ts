import type { ZodType } from 'zod';
import * as access from './access/events.js';
import * as user from './access/user-events.js';
import * as agent from './agent/events.js';
import * as customer from './customer/events.js';
import * as employee from './employee/events.js';
import * as ledger from './ledger/events.js';
import * as loan from './loan/events.js';
import * as loanProduct from './loan-product/events.js';
import type { DomainEvent } from './shared/event.js';
import * as tenant from './tenant/events.js';
import * as withdrawal from './withdrawal/events.js';

/**
 * Every event type ever written, with the schema of each version and the step that lifts a version to the next.
 * A new version adds a schema and an upcaster here and a golden file under tests/golden; old ones stay for ever.
 */
export interface EventType {
  /** Schema by version, from 1. The last is what deciders write now. */
  readonly schemas: readonly ZodType[];
  /** upcasters[n] lifts data of version n + 1 to version n + 2. */
  readonly upcasters: ReadonlyArray<(data: unknown) => unknown>;
}

const only = (schema: ZodType): EventType => ({ schemas: [schema], upcasters: [] });

export const EVENT_TYPES: Readonly<Record<string, EventType>> = {
  'account-opened': {
    schemas: [ledger.accountOpenedV1, ledger.accountOpenedV2],
    // A name in clear is still a name.
    upcasters: [(data) => data],
  },
  'account-closed': only(ledger.accountClosedV1),
  'account-frozen': only(ledger.accountFrozenV1),
  'account-unfrozen': only(ledger.accountUnfrozenV1),
  'account-permission-changed': only(ledger.accountPermissionChangedV1),
  'account-limits-changed': only(ledger.accountLimitsChangedV1),
  'entry-posted': only(ledger.entryPostedV1),
  'hold-placed': only(ledger.holdPlacedV1),
  'hold-released': only(ledger.holdReleasedV1),
  'tenant-created': only(tenant.tenantCreatedV1),
  'tenant-updated': only(tenant.tenantUpdatedV1),
  'tenant-status-set': only(tenant.tenantStatusSetV1),
  'api-token-issued': { schemas: [access.apiTokenIssuedV1, access.apiTokenIssuedV2], upcasters: [(data) => data] },
  'api-token-rotated': only(access.apiTokenRotatedV1),
  'api-token-disabled': only(access.apiTokenDisabledV1),
  'api-token-deleted': only(access.apiTokenDeletedV1),
  'signed-in': only(user.signedInV1),
  'signed-out': only(user.signedOutV1),
  'secret-set': only(user.secretSetV1),
  'user-locked': only(user.userLockedV1),
  'user-unlocked': only(user.userUnlockedV1),
  'step-up-decided': only(user.stepUpDecidedV1),
  'device-registered': only(user.deviceRegisteredV1),
  'device-removed': only(user.deviceRemovedV1),
  'customer-registered': only(customer.customerRegisteredV1),
  'customer-profile-changed': only(customer.customerProfileChangedV1),
  'customer-picture-set': only(customer.customerPictureSetV1),
  'customer-status-set': only(customer.customerStatusSetV1),
  'customer-compliance-set': only(customer.customerComplianceSetV1),
  'bank-details-added': only(customer.bankDetailsAddedV1),
  'bank-details-removed': only(customer.bankDetailsRemovedV1),
  'customer-erased': only(customer.customerErasedV1),
  'employee-created': only(employee.employeeCreatedV1),
  'employee-changed': only(employee.employeeChangedV1),
  'employee-status-set': only(employee.employeeStatusSetV1),
  'employee-picture-set': only(employee.employeePictureSetV1),
  'employee-erased': only(employee.employeeErasedV1),
  'agent-created': only(agent.agentCreatedV1),
  'agent-updated': only(agent.agentUpdatedV1),
  'agent-status-set': only(agent.agentStatusSetV1),
  'preferences-changed': only(tenant.preferencesChangedV1),
  'country-set': only(tenant.countrySetV1),
  'key-introduced': only(tenant.keyIntroducedV1),
  'loan-product-saved': only(loanProduct.loanProductSavedV1),
  'loan-product-status-set': only(loanProduct.loanProductStatusSetV1),
  'loan-conditions-set': only(loanProduct.loanConditionsSetV1),
  'loan-requested': only(loan.loanRequestedV1),
  'loan-assessed': only(loan.loanAssessedV1),
  'loan-approved': only(loan.loanApprovedV1),
  'loan-offer-sent': only(loan.loanOfferSentV1),
  'loan-offer-accepted': only(loan.loanOfferAcceptedV1),
  'loan-conditions-accepted': only(loan.loanConditionsAcceptedV1),
  'loan-ended': only(loan.loanEndedV1),
  'loan-disbursed': only(loan.loanDisbursedV1),
  'loan-operated': only(loan.loanOperatedV1),
  'loan-accrued': only(loan.loanAccruedV1),
  'loan-paid-off': only(loan.loanPaidOffV1),
  'loan-reopened': only(loan.loanReopenedV1),
  'repayment-reported': only(loan.repaymentReportedV1),
  'repayment-verified': only(loan.repaymentVerifiedV1),
  'repayment-rejected': only(loan.repaymentRejectedV1),
  'withdrawal-requested': only(withdrawal.withdrawalRequestedV1),
  'withdrawal-submitted': only(withdrawal.withdrawalSubmittedV1),
  'withdrawal-completed': only(withdrawal.withdrawalCompletedV1),
  'withdrawal-failed': only(withdrawal.withdrawalFailedV1),
  'command-refused': only(access.commandRefusedV1),
  'command-accepted': only(access.commandAcceptedV1),
};

/** Thrown where the log holds an event this code does not know: nothing may be skipped silently. */
export class UnknownEvent extends Error {
  override readonly name = 'UnknownEvent';
}

/** The event in its newest version. Throws `UnknownEvent` for a type or version that this code cannot read. */
export function upcast<E extends DomainEvent>(event: E): E {
  const known = EVENT_TYPES[event.type];
  if (known === undefined) throw new UnknownEvent(`unknown event type ${event.type}`);
  const newest = known.schemas.length;
  if (event.version === newest) return event;
  if (event.version < 1 || event.version > newest) {
    throw new UnknownEvent(`unknown version ${event.version} of ${event.type}`);
  }
  let data: unknown = event.data;
  for (const lift of known.upcasters.slice(event.version - 1)) data = lift(data);
  return { ...event, version: newest, data };
}

/** Checks data against the schema of its version; the message names the member. Used by tests, audit and imports. */
export function checkEvent(event: DomainEvent): string | undefined {
  const schema = EVENT_TYPES[event.type]?.schemas[event.version - 1];
  if (schema === undefined) return `unknown event ${event.type} v${event.version}`;
  const result = schema.safeParse(event.data);
  if (result.success) return undefined;
  const [issue] = result.error.issues;
  return `${event.type} v${event.version}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`;
}
