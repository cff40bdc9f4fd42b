import type { AccessRefusal, Done } from '../../application/access/refusals.js';
import type { Answer, Call } from '../endpoint.js';
import { type Failure, failure, invalid, refusalFailure } from '../problem.js';

type Ways = { readonly [S in AccessRefusal['status']]: (refusal: Extract<AccessRefusal, { status: S }>) => Failure };

const tooMany = (code: string, message: string, headers: readonly string[] = []) =>
  failure('RATE_LIMIT_EXCEEDED', message, { errors: [{ field: '', code, message }], headers });

/** Why somebody was not let in, as an answer. Total: a new refusal does not compile until it has its line. */
const WAYS: Ways = {
  'wrong-credentials': () => failure('INVALID_CREDENTIALS', 'Invalid Credentials'),
  'unknown-email': () => failure('NOT_FOUND', 'User Not Found'),
  locked: ({ until }) => {
    const message = 'Locked after too many failed attempts: wait, ask an administrator, or set a new password';
    const error = { field: '', code: 'ACCOUNT_LOCKED', message, details: { lockedUntil: until } };
    return failure('ACCOUNT_LOCKED', message, { errors: [error] });
  },
  'password-expired': () => {
    const message = 'The password has expired: set a new one by reset-password';
    return failure('FORBIDDEN', message, { errors: [{ field: 'currentPassword', code: 'PASSWORD_EXPIRED', message }] });
  },
  'otp-expired': () => failure('OTP_EXPIRED', 'The one-time password has expired: ask for another'),
  'too-many-tries': () => tooMany('TOO_MANY_TRIES', 'Too many wrong tries: ask for another one-time password, later'),
  'too-soon': ({ waitSeconds }) =>
    tooMany('TOO_SOON', 'One was sent a moment ago', ['Retry-After', String(waitSeconds)]),
  'invalid-refresh-token': () => failure('INVALID_REFRESH_TOKEN', 'Invalid Refresh Token'),
  'token-already-used': () => failure('TOKEN_ALREADY_USED', 'Token Already Used'),
  'session-ended': () =>
    failure('INVALID_STATE_TRANSITION', 'The log-in that this idempotency key stands for has ended: use another key'),
  'exists-already': ({ what }) => failure('INVALID_STATE_TRANSITION', `There is a ${what} already: change it instead`),
  'not-there': ({ what }) => failure('NOT_FOUND', `There is no such ${what}`),
  'too-many-devices': () => {
    const message = 'The user has as many devices as he may have: remove one';
    return failure('LIMIT_EXCEEDED', message, { errors: [{ field: 'deviceId', code: 'TOO_MANY_DEVICES', message }] });
  },
  faulty: ({ faults }) => failure('VALIDATION_ERROR', 'Validation failed', { errors: faults }),
  refused: ({ refusal, replayed }) => refusalFailure(refusal, replayed),
};

export function accessFailure<S extends AccessRefusal['status']>(
  refusal: Extract<AccessRefusal, { status: S }>,
): Failure {
  return (WAYS[refusal.status] as (one: typeof refusal) => Failure)(refusal);
}

/** What was done without anything to show, or why it was not. */
export function doneAnswer(call: Call, done: Done | AccessRefusal, message: string): Answer | Failure {
  return done.status === 'done' ? shown(call, done, message, {}) : accessFailure(done);
}

/** Remembers how far the log has come, so that later look-ups of this process see it. */
export function shown(
  call: Call,
  { position, replayed }: Omit<Done, 'status'>,
  message: string,
  data: unknown,
): Answer {
  if (position === undefined) return { kind: 'answer', message, data, replayed };
  call.services.positions.set(call.caller.tenantId, position);
  return { kind: 'answer', message, data, replayed, position };
}

/** Two members that must be the same secret. */
export function mismatch(field: string): Failure {
  return invalid(field, 'MISMATCH', 'the two differ');
}
