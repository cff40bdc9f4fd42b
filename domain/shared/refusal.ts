/**
 * Refusals are values: a command that may not happen says why with one of these codes. The HTTP edge has a total
 * map over this union, so a new code does not compile until it has an HTTP answer.
 */
export const REFUSAL_CODES = [
  'account-closed',
  'account-exists',
  'account-frozen',
  'account-has-balance',
  'account-has-holds',
  'account-not-activated',
  'account-not-found',
  'account-permission-denied',
  'agent-exists',
  'agent-not-found',
  'agent-suspended',
  'already-reversed',
  'amount-out-of-range',
  'authority-required',
  'balance-above-maximum',
  'bank-details-not-found',
  'currency-mismatch',
  'currency-not-enabled',
  'customer-not-found',
  'domain-taken',
  'employee-not-found',
  'entry-not-found',
  'hold-amount-exceeded',
  'hold-not-active',
  'hold-not-found',
  'idempotency-key-reused',
  'insufficient-funds',
  'invalid-argument',
  'invalid-state',
  'loan-not-found',
  'loan-product-exists',
  'loan-product-not-active',
  'loan-product-not-found',
  'offer-expired',
  'payoff-amount-differs',
  'permission-widening-denied',
  'product-unknown',
  'repayment-exists',
  'repayment-not-found',
  'repayment-not-permitted',
  'reversal-invalid',
  'tenant-exists',
  'tenant-not-found',
  'tenant-suspended',
  'token-not-found',
  'too-many-bank-details',
  'too-many-lines',
  'too-many-operations',
  'too-many-repayments',
  'too-many-settings',
  'unbalanced',
  'unknown-preference',
  'user-not-active',
  'value-date-out-of-range',
  'withdrawal-not-found',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** A command that was understood and may not happen. `field` points into the request where one member is at fault. */
export interface Refusal {
  readonly refused: RefusalCode;
  readonly message: string;
  readonly field?: string;
  /** Facts for the caller, as text: never secrets, never personal data. */
  readonly details?: Readonly<Record<string, string>>;
}

export function refuse(
  refused: RefusalCode,
  message: string,
  more: { field?: string; details?: Readonly<Record<string, string>> } = {},
): Refusal {
  return { refused, message, ...more };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}
