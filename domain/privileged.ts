/**
 * Acts of staff and operators that change what others may do, own or see: auditors ask for them by name
 * (`GET /audit/events?privileged=true`). Each event says who (`actor`), what and why; before and after stand in its data.
 */
export const PRIVILEGED_EVENTS: ReadonlySet<string> = new Set([
  'account-closed',
  'account-frozen',
  'account-limits-changed',
  'account-permission-changed',
  'account-unfrozen',
  'agent-created',
  'agent-status-set',
  'agent-updated',
  'api-token-deleted',
  'api-token-disabled',
  'api-token-issued',
  'api-token-rotated',
  'country-set',
  'customer-compliance-set',
  'customer-erased',
  'customer-status-set',
  'employee-changed',
  'employee-created',
  'employee-erased',
  'employee-status-set',
  'key-introduced',
  'preferences-changed',
  'tenant-created',
  'tenant-status-set',
  'tenant-updated',
  'user-unlocked',
]);
