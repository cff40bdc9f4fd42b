import { z } from 'zod';
import { changePassword } from '../../application/access/change-password.js';
import { completePasswordReset } from '../../application/access/reset-password.js';
import { doneAnswer, mismatch } from '../auth/access-failure.js';
import { SECRETS } from '../auth/examples.js';
import { loggedIn } from '../auth/logged-in.js';
import { nothing, otp, otpReference, password, payloadEncrypted } from '../auth/schemas.js';
import { askedBy } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { secretsOf } from '../secrets.js';
import { PEOPLE } from './examples.js';
import { OTP_SENT_EXAMPLE, otpSentShape, sendAndAnswer } from './one-time-passwords.js';
import { email } from './person-schemas.js';

const V6 = '/api/v6/services/securitymanagement';

export const changeOwnPassword = defineEndpoint({
  id: 'change-password',
  group: 'ciam',
  title: 'Change password',
  description: 'Policy and history are checked. All other log-ins of the user end; this one stays.',
  method: 'PUT',
  path: `${V6}/change-password`,
  aliases: [{ method: 'POST', path: `${V6}/change-password` }],
  roles: ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'],
  secretMembers: ['currentPassword', 'newPassword', 'confirmPassword'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    currentPassword: password,
    newPassword: password,
    confirmPassword: password.optional(),
    payloadEncrypted: payloadEncrypted.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    documented: { body: { currentPassword: SECRETS.password, newPassword: SECRETS.newPassword } },
  },
  success: { status: 200, description: 'Password changed', data: nothing, example: {} },
  errors: ['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED'],
  async handler(call) {
    const who = loggedIn(call.caller);
    const secrets = await secretsOf(call, ['currentPassword', 'newPassword']);
    if ('kind' in secrets) return secrets;
    if (call.body.confirmPassword !== undefined) {
      const confirmed = await secretsOf(call, ['confirmPassword']);
      if ('kind' in confirmed) return confirmed;
      if (confirmed.confirmPassword !== secrets.newPassword) return mismatch('confirmPassword');
    }
    const done = await changePassword(call.services.identity, askedBy(call), { ...who, ...secrets });
    return doneAnswer(call, done, 'Password changed');
  },
});

export const askForPasswordReset = defineEndpoint({
  id: 'reset-password',
  group: 'ciam',
  title: 'Ask for a password reset',
  description:
    'Mails a link and a code. The answer is the same whether somebody has the address or not. ' +
    'The documented GET has the address in its path, which is kept out of logs; POST takes it in the body.',
  method: 'GET',
  path: `${V6}/reset-password/{email}`,
  aliases: [{ method: 'POST', path: `${V6}/reset-password` }],
  roles: 'PUBLIC',
  tenant: 'named',
  tightLimit: true,
  hidesPath: true,
  secretMembers: ['email'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ email: email.optional() }),
  body: z.object({ email: email.optional() }),
  bodyOptional: true,
  unknownMembers: 'ignore',
  requestExamples: { forgotten: { params: { email: PEOPLE.email }, body: { email: PEOPLE.email } } },
  success: {
    status: 200,
    description: 'Sent, if somebody has the address',
    data: otpSentShape,
    example: OTP_SENT_EXAMPLE,
  },
  errors: [],
  handler(call) {
    const wanted = { address: call.params.email ?? call.body.email, purpose: 'RESET_PASSWORD' } as const;
    return sendAndAnswer(call, wanted, 'A link and a code were sent if somebody has this address');
  },
});

export const completeReset = defineEndpoint({
  id: 'complete-password-reset',
  group: 'auth',
  title: 'Complete a password reset',
  description:
    'Sets a password with the code that was mailed (on a reset, or to a new member of staff). Unlocks the account and ends all log-ins. ' +
    'A password that the policy refuses leaves the code good.',
  method: 'PUT',
  path: `${V6}/reset-password`,
  aliases: [],
  roles: 'PUBLIC',
  tenant: 'named',
  tightLimit: true,
  secretMembers: ['email', 'otp', 'otpReference', 'newPassword', 'confirmPassword'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    email,
    otp,
    otpReference: otpReference.optional(),
    newPassword: password,
    confirmPassword: password,
    payloadEncrypted: payloadEncrypted.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    sandbox: {
      body: {
        email: PEOPLE.email,
        otp: SECRETS.otp,
        newPassword: SECRETS.newPassword,
        confirmPassword: SECRETS.newPassword,
      },
    },
  },
  success: { status: 200, description: 'Password set', data: nothing, example: {} },
  errors: ['INVALID_CREDENTIALS', 'OTP_EXPIRED', 'FORBIDDEN'],
  async handler(call) {
    const { body, services } = call;
    const secrets = await secretsOf(call, ['newPassword', 'confirmPassword']);
    if ('kind' in secrets) return secrets;
    if (secrets.newPassword !== secrets.confirmPassword) return mismatch('confirmPassword');
    const { newPassword } = secrets;
    const wanted = { email: body.email, code: body.otp, reference: body.otpReference, newPassword };
    const done = await completePasswordReset(services.identity, askedBy(call), wanted);
    return doneAnswer(call, done, 'Password set: log in with it');
  },
});
