import type { SecretSet, UserReference } from '../../domain/access/user-events.js';
import { type Fault, fault } from '../people/faults.js';
import type { Preferences } from '../../domain/tenant/preferences.js';
import type { Asked } from './api-tokens.js';
import { answeredBefore, nowOf } from './as-user.js';
import { loginPinSubject, transactionPinSubject } from './attempts.js';
import { type DeviceNamed, bindDevice, isDeviceRoom } from './device-bindings.js';
import type { Identity } from './identity.js';
import { tryOneTimePassword } from './one-time-password.js';
import { provePassword, proveSecret } from './prove.js';
import { type AccessRefusal, type Done, doneBy } from './refusals.js';

/** Which PIN: the one for transactions, or the log-in PIN of a device. */
export type PinKind =
  { readonly secret: 'TRANSACTION_PIN' } | { readonly secret: 'LOGIN_PIN'; readonly device: DeviceNamed };

export interface NewPin {
  readonly user: UserReference;
  readonly kind: PinKind;
  readonly pin: string;
}

const deviceIdOf = (kind: PinKind): string => (kind.secret === 'LOGIN_PIN' ? kind.device.deviceId : '');

/** Creates a PIN where there is none. The account's password, where it is sent, must be right. */
export async function createPin(
  identity: Identity,
  asked: Asked,
  wanted: NewPin & { readonly password: string | undefined },
): Promise<Done | AccessRefusal> {
  const { user, kind, pin, password } = wanted;
  const before = await answeredBefore(identity, asked, user);
  if (before?.status === 'refused') return before;
  const existing = await identity.devices.pin(asked.tenantId, user.id, deviceIdOf(kind));
  if (existing !== undefined) {
    return before === undefined ? { status: 'exists-already', what: 'PIN' } : doneBy(before);
  }
  if (password !== undefined) {
    const refused = await provePassword(identity, asked, user, password);
    if (refused !== undefined) return refused;
  }
  const faults = pinFaults(pin, await identity.preferences.of(asked.tenantId));
  if (faults.length > 0) return { status: 'faulty', faults: faults.map((one) => ({ ...one, field: fieldOf(kind) })) };
  return setPin(identity, asked, wanted, 'CREATED');
}

const fieldOf = (kind: PinKind): string => (kind.secret === 'LOGIN_PIN' ? 'userPin' : 'transactionPin');

export type PinProof =
  { readonly currentPin: string } | { readonly otp: string; readonly otpReference: string | undefined };

/** Changes a PIN with the present one, or, when it was forgotten, with a code by e-mail. */
export async function changePin(
  identity: Identity,
  asked: Asked,
  wanted: NewPin & { readonly proof: PinProof },
): Promise<Done | AccessRefusal> {
  const { user, kind, pin, proof } = wanted;
  const { tenantId } = asked;
  const before = await answeredBefore(identity, asked, user);
  if (before?.status === 'refused') return before;
  const existing = await identity.devices.pin(tenantId, user.id, deviceIdOf(kind));
  if (existing === undefined) return { status: 'not-there', what: 'PIN' };
  // Judged before a code is used up.
  const faults = pinFaults(pin, await identity.preferences.of(tenantId));
  if ('currentPin' in proof && proof.currentPin === pin) faults.push(fault('', 'UNCHANGED', 'is the present PIN'));
  if (faults.length > 0) return { status: 'faulty', faults: faults.map((one) => ({ ...one, field: 'newPin' })) };
  // A retry finds its PIN set already: what it proves itself with is the one before, or a code that is used up.
  if (before !== undefined && (await identity.hasher.verify(existing, pin))) return doneBy(before);
  const refused =
    'otp' in proof
      ? await proveByMail(identity, asked, user, proof)
      : await proveCurrent(identity, asked, wanted, existing, proof.currentPin);
  if (refused !== undefined) return refused;
  return setPin(identity, asked, wanted, 'otp' in proof ? 'RESET' : 'CHANGED');
}

async function proveCurrent(
  identity: Identity,
  asked: Asked,
  { user, kind }: NewPin,
  hash: string,
  text: string,
): Promise<AccessRefusal | undefined> {
  const subject = await pinSubject(identity, asked.tenantId, user, kind);
  return proveSecret(identity, asked, { hash, text, subject, secret: kind.secret, user });
}

async function proveByMail(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  { otp, otpReference }: Extract<PinProof, { otp: string }>,
): Promise<AccessRefusal | undefined> {
  const emailDigest = await identity.credentials.emailDigestOf(asked.tenantId, user.id);
  if (emailDigest === undefined) return { status: 'wrong-credentials' };
  const attempt = { emailDigest, purposes: ['TRANSACTION'], code: otp, reference: otpReference, user } as const;
  const verdict = await tryOneTimePassword(identity, asked, attempt);
  if (verdict.status === 'right') return undefined;
  return verdict.status === 'spent' ? { status: 'wrong-credentials' } : verdict;
}

async function pinSubject(
  { credentials, master }: Identity,
  tenantId: string,
  user: UserReference,
  kind: PinKind,
): Promise<string> {
  if (kind.secret === 'TRANSACTION_PIN') return transactionPinSubject(user.id);
  const emailDigest = await credentials.emailDigestOf(tenantId, user.id);
  return loginPinSubject(master, emailDigest ?? user.id, kind.device.deviceId);
}

/** The log first, then the store: a crash in between leaves the PIN as it was, and a retry sets it. */
async function setPin(
  identity: Identity,
  asked: Asked,
  { user, kind, pin }: NewPin,
  how: SecretSet['data']['how'],
): Promise<Done | AccessRefusal> {
  const { hasher, bus, devices, attempts } = identity;
  const { tenantId } = asked;
  const device = kind.secret === 'LOGIN_PIN' ? kind.device : undefined;
  if (device !== undefined && !(await isDeviceRoom(identity, tenantId, user, device.deviceId))) {
    return { status: 'too-many-devices' };
  }
  const hash = await hasher.hash(pin);
  const facts = [{ type: 'secret-set', secret: kind.secret, how }] as const;
  const outcome = await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } });
  if (outcome.status === 'refused') return outcome;
  if (device !== undefined) await bindDevice(identity, asked, user, device);
  await devices.setPin(tenantId, user.id, deviceIdOf(kind), hash, nowOf(identity));
  await attempts.clear(tenantId, await pinSubject(identity, tenantId, user, kind));
  return doneBy(outcome);
}

const DIGITS = /^\d*$/;
const UP = '01234567890';
const DOWN = '09876543210';

/** Digits only, as long as the tenant wants, no run (1234, 4321, 7890), no repetition (1111). */
export function pinFaults(pin: string, policy: Preferences): Fault[] {
  const { PIN_MINIMUM_LENGTH: least, PIN_MAXIMUM_LENGTH: most } = policy;
  const add = (code: string, message: string) => [fault('', code, message)];
  if (!DIGITS.test(pin)) return add('NOT_DIGITS', 'a PIN has digits only');
  if (pin.length < least) return add('TOO_SHORT', `a PIN has at least ${least} digits`);
  if (pin.length > Math.max(least, most)) return add('TOO_LONG', `a PIN has at most ${most} digits`);
  const isRun = UP.includes(pin) || DOWN.includes(pin);
  const isRepeat = new Set(pin).size === 1;
  return isRun || isRepeat ? add('SIMPLE_PATTERN', 'a PIN is no run and no repetition of one digit') : [];
}
