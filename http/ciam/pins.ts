import { z } from 'zod';
import { type PinKind, type PinProof, changePin, createPin } from '../../application/access/pins.js';
import { doneAnswer, mismatch } from '../auth/access-failure.js';
import { SECRETS } from '../auth/examples.js';
import { loggedIn, platformOf, requiredDevice } from '../auth/logged-in.js';
import { deviceId, nothing, otp, otpReference, password, payloadEncrypted, pin } from '../auth/schemas.js';
import { askedBy } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { type Failure, invalid } from '../problem.js';
import { secretsOf } from '../secrets.js';

const USERS = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'] as const;
const RULES = 'Digits only, as many as the tenant wants (4 to 6), no run (1234), no repetition (1111).';
const CREATE_ERRORS = ['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'INVALID_STATE_TRANSITION'] as const;

export const createTransactionPin = defineEndpoint({
  id: 'create-transaction-pin',
  group: 'ciam',
  title: 'Create transaction PIN',
  description: `${RULES} A \`password\` that is sent must be right. Wrong uses of the PIN lock it for the tenant's lock-out time.`,
  method: 'POST',
  path: '/api/v6/services/usermanagement/create-transaction-pin',
  aliases: [],
  roles: USERS,
  secretMembers: ['transactionPin', 'confirmTransactionPin', 'password'],
  kind: 'command',
  movesMoney: false,
  body: z.object({
    transactionPin: pin,
    confirmTransactionPin: pin,
    password: password.optional(),
    payloadEncrypted: payloadEncrypted.optional(),
  }),
  unknownMembers: 'ignore',
  requestExamples: {
    plain: { body: { transactionPin: SECRETS.pin, confirmTransactionPin: SECRETS.pin, payloadEncrypted: false } },
  },
  success: { status: 201, description: 'Transaction PIN created', data: nothing, example: {} },
  errors: [...CREATE_ERRORS],
  async handler(call) {
    const { user } = loggedIn(call.caller);
    const secrets = await secretsOf(call, ['transactionPin', 'confirmTransactionPin']);
    if ('kind' in secrets) return secrets;
    if (secrets.transactionPin !== secrets.confirmTransactionPin) return mismatch('confirmTransactionPin');
    const account = call.body.password === undefined ? undefined : await secretsOf(call, ['password']);
    if (account !== undefined && 'kind' in account) return account;
    const kind = { secret: 'TRANSACTION_PIN' } as const;
    const wanted = { user, kind, pin: secrets.transactionPin, password: account?.password };
    return doneAnswer(call, await createPin(call.services.identity, askedBy(call), wanted), 'Transaction PIN created');
  },
});

export const createUserPin = defineEndpoint({
  id: 'create-user-pin',
  group: 'ciam',
  title: 'Create login PIN',
  description: `${RULES} It is good on one device: \`deviceId\`, else header \`uuid\`. The device is registered by it.`,
  method: 'POST',
  path: '/api/v6/services/securitymanagement/create-user-pin',
  aliases: [],
  roles: USERS,
  secretMembers: ['userPin', 'confirmUserPin'],
  kind: 'command',
  movesMoney: false,
  body: z.object({
    userPin: pin,
    confirmUserPin: pin,
    deviceId: deviceId.optional(),
    payloadEncrypted: payloadEncrypted.optional(),
  }),
  unknownMembers: 'ignore',
  requestExamples: {
    phone: { body: { userPin: SECRETS.userPin, confirmUserPin: SECRETS.userPin, deviceId: SECRETS.deviceId } },
  },
  success: { status: 201, description: 'Login PIN created', data: nothing, example: {} },
  errors: [...CREATE_ERRORS, 'LIMIT_EXCEEDED'],
  async handler(call) {
    const { user } = loggedIn(call.caller);
    const kind = loginPinOf(call, call.body.deviceId);
    const secrets = await secretsOf(call, ['userPin', 'confirmUserPin']);
    if ('kind' in secrets) return secrets;
    if (secrets.userPin !== secrets.confirmUserPin) return mismatch('confirmUserPin');
    const wanted = { user, kind, pin: secrets.userPin, password: undefined };
    return doneAnswer(call, await createPin(call.services.identity, askedBy(call), wanted), 'Login PIN created');
  },
});

function loginPinOf(call: Call, inBody: string | undefined): PinKind {
  const device = { deviceId: requiredDevice(call, inBody), platform: platformOf(call) };
  return { secret: 'LOGIN_PIN', device };
}

const change = {
  currentPin: pin.optional(),
  otp: otp.optional().meta({ description: 'In place of the present PIN: a code of purpose TRANSACTION' }),
  otpReference: otpReference.optional(),
  newPin: pin,
  confirmPin: pin,
  payloadEncrypted: payloadEncrypted.optional(),
};
const CHANGE_SECRETS = ['currentPin', 'otp', 'otpReference', 'newPin', 'confirmPin'];
const CHANGE_ERRORS = ['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'OTP_EXPIRED', 'NOT_FOUND'] as const;
const CHANGE_EXAMPLE = { newPin: SECRETS.newPin, confirmPin: SECRETS.newPin };
const changeBody = z.strictObject(change);
type Change = Call<unknown, unknown, z.output<typeof changeBody>>;

export const changeTransactionPin = defineEndpoint({
  id: 'change-transaction-pin',
  group: 'auth',
  title: 'Change transaction PIN',
  description: `With the present PIN, or with a one-time password where it was forgotten. ${RULES}`,
  method: 'PUT',
  path: '/api/v6/services/usermanagement/change-transaction-pin',
  aliases: [],
  roles: USERS,
  secretMembers: CHANGE_SECRETS,
  kind: 'command',
  movesMoney: false,
  body: changeBody,
  unknownMembers: 'refuse',
  requestExamples: { present: { body: { currentPin: SECRETS.pin, ...CHANGE_EXAMPLE } } },
  success: { status: 200, description: 'Transaction PIN changed', data: nothing, example: {} },
  errors: [...CHANGE_ERRORS],
  handler: (call) => changed(call, { secret: 'TRANSACTION_PIN' }, 'Transaction PIN changed'),
});

export const changeUserPin = defineEndpoint({
  id: 'change-user-pin',
  group: 'auth',
  title: 'Change login PIN',
  description: `Of one device, with the present PIN, or with a one-time password where it was forgotten. ${RULES}`,
  method: 'PUT',
  path: '/api/v6/services/securitymanagement/change-user-pin',
  aliases: [],
  roles: USERS,
  secretMembers: CHANGE_SECRETS,
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({ ...change, deviceId: deviceId.optional() }),
  unknownMembers: 'refuse',
  requestExamples: {
    present: { body: { currentPin: SECRETS.userPin, ...CHANGE_EXAMPLE, deviceId: SECRETS.deviceId } },
  },
  success: { status: 200, description: 'Login PIN changed', data: nothing, example: {} },
  errors: [...CHANGE_ERRORS, 'LIMIT_EXCEEDED'],
  handler: (call) => changed(call, loginPinOf(call, call.body.deviceId), 'Login PIN changed'),
});

async function changed(call: Change, kind: PinKind, message: string): Promise<Answer | Failure> {
  const { user } = loggedIn(call.caller);
  const secrets = await secretsOf(call, ['newPin', 'confirmPin']);
  if ('kind' in secrets) return secrets;
  if (secrets.newPin !== secrets.confirmPin) return mismatch('confirmPin');
  const proof = await proofOf(call);
  if ('kind' in proof) return proof;
  const done = await changePin(call.services.identity, askedBy(call), { user, kind, pin: secrets.newPin, proof });
  return doneAnswer(call, done, message);
}

async function proofOf(call: Change): Promise<PinProof | Failure> {
  const { otp: code, otpReference: reference, currentPin } = call.body;
  if ((code === undefined) === (currentPin === undefined)) {
    return invalid('currentPin', code === undefined ? 'REQUIRED' : 'AMBIGUOUS', 'send currentPin or otp');
  }
  return code === undefined ? secretsOf(call, ['currentPin']) : { otp: code, otpReference: reference };
}
