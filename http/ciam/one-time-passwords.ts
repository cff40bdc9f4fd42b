import { z } from 'zod';
import { sendOneTimePassword } from '../../application/access/one-time-password.js';
import { verifyLoginOtp } from '../../application/access/verify-login-otp.js';
import { accessFailure } from '../auth/access-failure.js';
import { SECRETS } from '../auth/examples.js';
import { deviceIdOf } from '../auth/logged-in.js';
import { deviceId, otp, otpReference } from '../auth/schemas.js';
import { SESSION_EXAMPLE, sessionShape, signedInAnswer } from '../auth/session-shape.js';
import { askedBy } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { type Failure, invalid } from '../problem.js';
import { PEOPLE } from './examples.js';
import { email } from './person-schemas.js';

const V6 = '/api/v6/services/securitymanagement';

export const otpSentShape = z
  .object({
    otpReference: z.string(),
    expiresIn: z.int().meta({ description: 'Seconds' }),
    resendAfter: z.int().meta({ description: 'Seconds until another may be asked for' }),
  })
  .meta({ id: 'OtpSent' });
export const OTP_SENT_EXAMPLE = { otpReference: SECRETS.otpReference, expiresIn: 300, resendAfter: 60 };

/** Sends, or answers as if it had: nobody learns whether there is such an address. */
export async function sendAndAnswer(
  call: Call,
  {
    address,
    purpose,
  }: { readonly address: string | undefined; readonly purpose: 'LOGIN' | 'RESET_PASSWORD' | 'TRANSACTION' },
  message: string,
): Promise<Answer | Failure> {
  if (address === undefined) return invalid('email', 'REQUIRED', 'email is required');
  const wanted = { email: address, purpose, hostAgentId: call.hostAgentId };
  const sent = await sendOneTimePassword(call.services.identity, askedBy(call), wanted);
  if (sent.status === 'too-soon') return accessFailure({ status: 'too-soon', waitSeconds: sent.waitSeconds });
  const { otpReference: reference, expiresInSeconds: expiresIn, waitSeconds: resendAfter } = sent;
  return { kind: 'answer', message, data: { otpReference: reference, expiresIn, resendAfter } };
}

export const generateOtp = defineEndpoint({
  id: 'generate-otp-email',
  group: 'ciam',
  title: 'Generate and send OTP by e-mail',
  description:
    'The answer is the same whether somebody has the address or not. A new one voids the one before; between two there is a pause. ' +
    'The documented GET has the address in its path, which is kept out of logs; POST takes `email` and `purpose` (default LOGIN).',
  method: 'GET',
  path: `${V6}/generate-and-send-otp-toemail/{email}`,
  aliases: [{ method: 'POST', path: `${V6}/generate-and-send-otp` }],
  roles: 'PUBLIC',
  tenant: 'named',
  tightLimit: true,
  hidesPath: true,
  secretMembers: ['email'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ email: email.optional() }),
  body: z.object({
    email: email.optional(),
    purpose: z.enum(['LOGIN', 'RESET_PASSWORD', 'TRANSACTION']).default('LOGIN'),
  }),
  bodyOptional: true,
  unknownMembers: 'ignore',
  requestExamples: { login: { params: { email: PEOPLE.email }, body: { email: PEOPLE.email, purpose: 'LOGIN' } } },
  success: {
    status: 200,
    description: 'Sent, if somebody has the address',
    data: otpSentShape,
    example: OTP_SENT_EXAMPLE,
  },
  errors: [],
  handler(call) {
    const { params, body } = call;
    const wanted = { address: params.email ?? body.email, purpose: body.purpose };
    return sendAndAnswer(call, wanted, 'A one-time password was sent if somebody has this address');
  },
});

export const verifyOtp = defineEndpoint({
  id: 'verify-login-otp',
  group: 'ciam',
  title: 'Verify login OTP',
  description: 'The tokens for a code of purpose LOGIN. Five wrong tries void it.',
  method: 'POST',
  path: `${V6}/verify-login-otp`,
  aliases: [],
  roles: 'PUBLIC',
  tenant: 'named',
  tightLimit: true,
  secretMembers: ['email', 'otp', 'otpReference'],
  kind: 'command',
  movesMoney: false,
  body: z.object({ email, otp, otpReference: otpReference.optional(), deviceId: deviceId.optional() }),
  unknownMembers: 'ignore',
  requestExamples: { sandbox: { body: { email: PEOPLE.email, otp: SECRETS.otp } } },
  success: { status: 200, description: 'Logged in', data: sessionShape, example: SESSION_EXAMPLE },
  errors: ['INVALID_CREDENTIALS', 'OTP_EXPIRED', 'FORBIDDEN', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { body } = call;
    const device = deviceIdOf(call, body.deviceId);
    const wanted = { email: body.email, code: body.otp, reference: body.otpReference, device };
    const result = await verifyLoginOtp(call.services.identity, askedBy(call), wanted);
    if (result.status === 'signed-in' || result.status === 'session-ended') return signedInAnswer(call, result);
    return accessFailure(result);
  },
});
