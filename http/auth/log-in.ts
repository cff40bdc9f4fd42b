import { z } from 'zod';
import { logIn } from '../../application/access/log-in.js';
import { PEOPLE } from '../ciam/examples.js';
import { email } from '../ciam/person-schemas.js';
import { askedBy } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { invalid } from '../problem.js';
import { secretsOf } from '../secrets.js';
import { accessFailure } from './access-failure.js';
import { SECRETS } from './examples.js';
import { deviceIdOf, requiredDevice } from './logged-in.js';
import { deviceId, password, payloadEncrypted, pin } from './schemas.js';
import { SESSION_EXAMPLE, otpRequiredShape, sessionShape, signedInAnswer } from './session-shape.js';

const V6 = '/api/v6/services';

export const login = defineEndpoint({
  id: 'login',
  group: 'auth',
  title: 'Log in',
  description:
    'With e-mail address and `currentPassword`, or with `userPin` on the device where that PIN was created. ' +
    'A wrong secret and an address that nobody has are answered alike, in the same time; too many of either lock the address for a while. ' +
    'Where the tenant asks for a one-time password besides, `otpRequired` is true and the tokens come from verify-login-otp.',
  method: 'PUT',
  path: `${V6}/securitymanagement/login`,
  aliases: [
    { method: 'POST', path: `${V6}/securitymanagement/login` },
    { method: 'PUT', path: `${V6}/auth/login` },
  ],
  roles: 'PUBLIC',
  tenant: 'named',
  tightLimit: true,
  // The address too: a hash of it in the log would outlive its owner.
  secretMembers: ['email', 'currentPassword', 'userPin'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    email,
    currentPassword: password.optional(),
    userPin: pin.optional(),
    deviceId: deviceId.optional(),
    payloadEncrypted: payloadEncrypted.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: { password: { body: { email: PEOPLE.email, currentPassword: SECRETS.password } } },
  success: {
    status: 200,
    description: 'An access and a refresh token, or that a one-time password is needed',
    data: z.union([sessionShape, otpRequiredShape]),
    example: SESSION_EXAMPLE,
  },
  errors: ['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'FORBIDDEN', 'NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { body, services, hostAgentId } = call;
    const isPin = body.userPin !== undefined;
    if (isPin === (body.currentPassword !== undefined)) {
      return invalid('currentPassword', isPin ? 'AMBIGUOUS' : 'REQUIRED', 'send currentPassword or userPin');
    }
    const device = isPin ? requiredDevice(call, body.deviceId) : deviceIdOf(call, body.deviceId);
    const field = isPin ? 'userPin' : 'currentPassword';
    const secrets = await secretsOf(call, [field]);
    if ('kind' in secrets) return secrets;
    const secret = { kind: isPin ? 'pin' : 'password', text: secrets[field] } as const;
    const result = await logIn(services.identity, askedBy(call), { email: body.email, secret, device, hostAgentId });
    if (result.status === 'otp-required') {
      const data = { otpRequired: true, otpReference: result.otpReference };
      return { kind: 'answer', message: 'A one-time password was sent', data };
    }
    if (result.status === 'signed-in' || result.status === 'session-ended') return signedInAnswer(call, result);
    return accessFailure(result);
  },
});
