import type { Refusal, RefusalCode } from '../domain/shared/refusal.js';

/** Every error code with its HTTP status (platform.md 1.2), and whether the same call may succeed later. */
export const ERROR_CODES = {
  AUTH_REQUIRED: { status: 401, retryable: false, title: 'Authentication required' },
  INVALID_CREDENTIALS: { status: 401, retryable: false, title: 'Wrong e-mail, password, PIN or one-time password' },
  INVALID_REFRESH_TOKEN: { status: 401, retryable: false, title: 'Refresh token unknown, expired or revoked' },
  FORBIDDEN: { status: 403, retryable: false, title: 'Not allowed' },
  ACCOUNT_LOCKED: { status: 403, retryable: false, title: 'Locked after too many failed attempts' },
  TOKEN_ALREADY_USED: { status: 403, retryable: false, title: 'Token Already Used' },
  NOT_FOUND: { status: 404, retryable: false, title: 'No such resource' },
  ACCOUNT_NOT_FOUND: { status: 404, retryable: false, title: 'Account Not Found' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, title: 'Method not allowed' },
  NOT_ACCEPTABLE: { status: 406, retryable: false, title: 'No acceptable representation' },
  REQUEST_TIMEOUT: { status: 408, retryable: true, title: 'The request took too long to arrive' },
  INVALID_STATE_TRANSITION: { status: 409, retryable: false, title: 'Not possible in the present state' },
  IDEMPOTENCY_KEY_REUSED: { status: 409, retryable: false, title: 'Idempotency key used for another request' },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, retryable: true, title: 'The first call with this key is still running' },
  OTP_EXPIRED: { status: 410, retryable: false, title: 'One-time password past its time' },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, title: 'Body too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, title: 'Unsupported media type' },
  VALIDATION_ERROR: { status: 422, retryable: false, title: 'Validation failed' },
  INSUFFICIENT_FUNDS: { status: 422, retryable: false, title: 'Insufficient funds' },
  LIMIT_EXCEEDED: { status: 422, retryable: false, title: 'Limit exceeded' },
  ACCOUNT_NOT_USABLE: { status: 422, retryable: false, title: 'The account does not permit this' },
  CURRENCY_MISMATCH: { status: 422, retryable: false, title: 'Currencies differ' },
  RATE_LIMIT_EXCEEDED: { status: 429, retryable: true, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, retryable: false, title: 'Headers too large' },
  SERVER_ERROR: { status: 500, retryable: true, title: 'Internal error' },
  SERVICE_UNAVAILABLE: { status: 503, retryable: true, title: 'Temporarily unavailable' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What is wrong with one member of the request; `field` is a path such as `0.counterParties.1.amount`, '' for the whole. */
export interface FieldError {
  readonly field: string;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** A request that was answered with an error. A value, so that a refusal on the hot path costs no stack trace. */
export interface Failure {
  readonly kind: 'failure';
  readonly errorCode: ErrorCode;
  readonly message: string;
  readonly errors: readonly FieldError[];
  /** Extra headers, name and value in turn. */
  readonly headers: readonly string[];
}

export function failure(
  errorCode: ErrorCode,
  message: string,
  more: { errors?: readonly FieldError[]; headers?: readonly string[] } = {},
): Failure {
  return { kind: 'failure', errorCode, message, errors: more.errors ?? [], headers: more.headers ?? [] };
}

/** Validation failure of one member. */
export function invalid(field: string, code: string, message: string): Failure {
  return failure('VALIDATION_ERROR', message, { errors: [{ field, code, message }] });
}

export function unavailable(message: string, retryAfterSeconds = 1): Failure {
  return failure('SERVICE_UNAVAILABLE', message, { headers: ['Retry-After', String(retryAfterSeconds)] });
}

/** Thrown where a failure is found deep inside a handler; the edge answers with the failure. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** What each refusal of the domain is on the wire. Total: a new refusal code does not compile until it has its line. */
export const REFUSALS: Readonly<Record<RefusalCode, ErrorCode>> = {
  'account-closed': 'ACCOUNT_NOT_USABLE',
  'account-exists': 'VALIDATION_ERROR',
  'account-frozen': 'ACCOUNT_NOT_USABLE',
  'account-has-balance': 'INVALID_STATE_TRANSITION',
  'account-has-holds': 'INVALID_STATE_TRANSITION',
  'account-not-activated': 'ACCOUNT_NOT_USABLE',
  'account-not-found': 'ACCOUNT_NOT_FOUND',
  'account-permission-denied': 'ACCOUNT_NOT_USABLE',
  'agent-exists': 'VALIDATION_ERROR',
  'agent-not-found': 'NOT_FOUND',
  'agent-suspended': 'FORBIDDEN',
  'already-reversed': 'INVALID_STATE_TRANSITION',
  'amount-out-of-range': 'VALIDATION_ERROR',
  'authority-required': 'FORBIDDEN',
  'balance-above-maximum': 'LIMIT_EXCEEDED',
  'bank-details-not-found': 'NOT_FOUND',
  'currency-mismatch': 'CURRENCY_MISMATCH',
  'currency-not-enabled': 'VALIDATION_ERROR',
  'customer-not-found': 'NOT_FOUND',
  'domain-taken': 'VALIDATION_ERROR',
  'employee-not-found': 'NOT_FOUND',
  'entry-not-found': 'NOT_FOUND',
  'hold-amount-exceeded': 'VALIDATION_ERROR',
  'hold-not-active': 'INVALID_STATE_TRANSITION',
  'hold-not-found': 'NOT_FOUND',
  'idempotency-key-reused': 'IDEMPOTENCY_KEY_REUSED',
  'insufficient-funds': 'INSUFFICIENT_FUNDS',
  'invalid-argument': 'VALIDATION_ERROR',
  'invalid-state': 'INVALID_STATE_TRANSITION',
  'loan-not-found': 'NOT_FOUND',
  'loan-product-exists': 'VALIDATION_ERROR',
  'loan-product-not-active': 'INVALID_STATE_TRANSITION',
  'loan-product-not-found': 'NOT_FOUND',
  'offer-expired': 'INVALID_STATE_TRANSITION',
  'payoff-amount-differs': 'VALIDATION_ERROR',
  'permission-widening-denied': 'FORBIDDEN',
  'product-unknown': 'VALIDATION_ERROR',
  'repayment-exists': 'VALIDATION_ERROR',
  'repayment-not-found': 'NOT_FOUND',
  'repayment-not-permitted': 'INVALID_STATE_TRANSITION',
  'reversal-invalid': 'VALIDATION_ERROR',
  'tenant-exists': 'VALIDATION_ERROR',
  'tenant-not-found': 'NOT_FOUND',
  'tenant-suspended': 'FORBIDDEN',
  'token-not-found': 'NOT_FOUND',
  'too-many-bank-details': 'LIMIT_EXCEEDED',
  'too-many-lines': 'VALIDATION_ERROR',
  'too-many-operations': 'LIMIT_EXCEEDED',
  'too-many-repayments': 'LIMIT_EXCEEDED',
  'too-many-settings': 'LIMIT_EXCEEDED',
  unbalanced: 'VALIDATION_ERROR',
  'unknown-preference': 'VALIDATION_ERROR',
  'user-not-active': 'INVALID_STATE_TRANSITION',
  'value-date-out-of-range': 'VALIDATION_ERROR',
  'withdrawal-not-found': 'NOT_FOUND',
};

/** Refusals that mean "there is one already", in the documents' own word. */
const DUPLICATES: ReadonlySet<RefusalCode> = new Set([
  'account-exists',
  'agent-exists',
  'tenant-exists',
  'domain-taken',
  'loan-product-exists',
  'repayment-exists',
]);

/** The refusal as a failure: its exact code stands in `errors[0].code`, upper case. */
export function refusalFailure(refusal: Refusal, replayed = false): Failure {
  const { refused, message, field = '', details } = refusal;
  const code = DUPLICATES.has(refused) ? 'DUPLICATE' : refused.toUpperCase().replaceAll('-', '_');
  return {
    kind: 'failure',
    errorCode: REFUSALS[refused],
    message,
    errors: [details === undefined ? { field, code, message } : { field, code, message, details }],
    headers: replayed ? ['Idempotency-Replayed', 'true'] : [],
  };
}
