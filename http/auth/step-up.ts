import { z } from 'zod';
import { type StepUpProof, isSteppedUp, provePasswordHeader, stepUp } from '../../application/access/step-up.js';
import { readSecret } from '../../application/access/field-secrets.js';
import { askedBy } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { headerText } from '../headers.js';
import { type Failure, RequestFailed, failure, invalid } from '../problem.js';
import { secretsOf } from '../secrets.js';
import { accessFailure, shown } from './access-failure.js';
import { SECRETS } from './examples.js';
import { loggedIn } from './logged-in.js';
import { otp, otpReference, password, payloadEncrypted, pin } from './schemas.js';

const body = z.strictObject({
  password: password.optional(),
  transactionPin: pin.optional(),
  otp: otp.optional(),
  otpReference: otpReference.optional(),
  payloadEncrypted: payloadEncrypted.optional(),
});

export const stepUpToken = defineEndpoint({
  id: 'step-up',
  group: 'auth',
  title: 'Get a step-up token',
  description:
    'Proves once more that the user himself is there: with his password, his transaction PIN, or a one-time password of purpose TRANSACTION. ' +
    'The token goes in `X-Step-Up-Token`, within its life, from the same log-in, for one action (and its retries under one idempotency key).',
  method: 'POST',
  path: '/api/v6/services/securitymanagement/step-up',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'],
  secretMembers: ['password', 'transactionPin', 'otp', 'otpReference'],
  kind: 'command',
  movesMoney: false,
  body,
  unknownMembers: 'refuse',
  requestExamples: { password: { body: { password: SECRETS.password } } },
  success: {
    status: 200,
    description: 'The token',
    data: z.object({ stepUpToken: z.string(), expiresIn: z.int().meta({ description: 'Seconds' }) }),
    example: { stepUpToken: SECRETS.stepUpToken, expiresIn: 300 },
  },
  errors: ['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'OTP_EXPIRED'],
  async handler(call) {
    const who = loggedIn(call.caller);
    const proof = await proofOf(call);
    if ('kind' in proof) return proof;
    const result = await stepUp(call.services.identity, askedBy(call), who, proof);
    if (result.status !== 'stepped-up') return accessFailure(result);
    const data = { stepUpToken: result.token, expiresIn: result.expiresInSeconds };
    return shown(call, result, 'Confirmed', data);
  },
});

async function proofOf(call: Call<unknown, unknown, z.output<typeof body>>): Promise<StepUpProof | Failure> {
  const sent = (['password', 'transactionPin', 'otp'] as const).filter((name) => call.body[name] !== undefined);
  const [field] = sent;
  if (field === undefined || sent.length > 1) {
    return invalid('password', field === undefined ? 'REQUIRED' : 'AMBIGUOUS', 'send password, transactionPin or otp');
  }
  if (field === 'otp') return { method: 'OTP', text: call.body.otp ?? '', otpReference: call.body.otpReference };
  const secrets = await secretsOf(call, [field]);
  if ('kind' in secrets) return secrets;
  return { method: field === 'password' ? 'PASSWORD' : 'TRANSACTION_PIN', text: secrets[field] };
}

/**
 * For endpoints that want a second proof: header `X-Step-Up-Token`, or the documented header `password` with the password
 * or the transaction PIN. Undefined when it was given.
 */
export async function checkStepUp(call: Call): Promise<Failure | undefined> {
  const { caller, headers, services, endpoint, idempotencyKey } = call;
  const { user, sessionId } = loggedIn(caller);
  const { identity, ids } = services;
  const token = headerText(headers, 'x-step-up-token');
  if (token !== undefined && token.length <= 128) {
    const action = `${endpoint.id} ${idempotencyKey ?? ids.eventId()}`;
    if (await isSteppedUp(identity, caller.tenantId, sessionId, token, action)) return undefined;
  }
  const header = token === undefined ? headerText(headers, 'password') : undefined;
  if (header === undefined || header === '') return stepUpRequired();
  const keyId = headerText(headers, 'x-encryption-key-id');
  const reading = await readSecret(identity, caller.tenantId, 'password', header, { keyId });
  if (reading.status !== 'read')
    throw new RequestFailed(invalid('password', 'UNDECRYPTABLE', 'Unable to decrypt field'));
  const refused = await provePasswordHeader(identity, askedBy(call), user, reading.secret);
  return refused === undefined ? undefined : accessFailure(refused);
}

function stepUpRequired(): Failure {
  const message = 'Confirm with header password (password or transaction PIN), or X-Step-Up-Token';
  return failure('FORBIDDEN', message, { errors: [{ field: 'X-Step-Up-Token', code: 'STEP_UP_REQUIRED', message }] });
}
