import type { Credentials } from '../ports/credentials.js';
import type { Asked } from './api-tokens.js';
import { nowOf } from './as-user.js';
import { countWrong, lockOf, loginPinSubject } from './attempts.js';
import { type Identity, emailDigestOf } from './identity.js';
import { sendOneTimePassword } from './one-time-password.js';
import type { AccessRefusal } from './refusals.js';
import { type SignIn, preferencesOf, signIn } from './sign-in.js';

export interface LogIn {
  readonly email: string;
  /** A PIN is good on the device where it was created. */
  readonly secret:
    { readonly kind: 'password'; readonly text: string } | { readonly kind: 'pin'; readonly text: string };
  readonly device: string | undefined;
  /** The agent at whose host this is: how mail looks. */
  readonly hostAgentId: string | undefined;
}

export type LogInResult =
  | SignIn
  | { readonly status: 'otp-required'; readonly credentials: Credentials; readonly otpReference: string }
  | AccessRefusal;

/** Whose PIN is looked for where nobody has the address. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
const DAY_MS = 86_400_000;

/**
 * Logs in by e-mail address and password or PIN. An address that nobody has takes the same steps as one that somebody
 * has: the same look-ups, one slow hash (against the decoy), one attempt counted, the same lock. Who was deactivated, or
 * is not in the log yet, is treated like nobody.
 */
export async function logIn(identity: Identity, asked: Asked, wanted: LogIn): Promise<LogInResult> {
  const { master, credentials, hasher, preferences, attempts } = identity;
  const { tenantId } = asked;
  const { email, secret, device } = wanted;
  const emailDigest = emailDigestOf(master, tenantId, email);
  const pinSubject = loginPinSubject(master, emailDigest, device ?? '');
  const subject = secret.kind === 'pin' ? pinSubject : emailDigest;
  const subjects = secret.kind === 'pin' ? [pinSubject, emailDigest] : [emailDigest];
  const [known, policy, lockedUntil] = await Promise.all([
    credentials.byEmail(tenantId, emailDigest),
    preferences.of(tenantId),
    lockOf(identity, tenantId, subjects),
  ]);
  if (lockedUntil !== null) return { status: 'locked', until: lockedUntil };

  const stored = await storedHash(identity, tenantId, known, wanted);
  const usable = known?.status === 'ACTIVE' ? (stored ?? undefined) : undefined;
  const isRight = await hasher.verify(usable ?? hasher.decoy, secret.text);
  if (!isRight || usable === undefined || known === undefined) {
    const kind = secret.kind === 'pin' ? 'LOGIN_PIN' : 'PASSWORD';
    await countWrong(identity, asked, { subject, secret: kind, user: known?.user });
    const unknown = known === undefined && policy.UNKNOWN_EMAIL_ANSWERS_404;
    return { status: unknown ? 'unknown-email' : 'wrong-credentials' };
  }
  // Others at the same moment may have locked it meanwhile: of a burst of guesses a late right one counts for nothing.
  const lockedNow = await lockOf(identity, tenantId, subjects);
  if (lockedNow !== null) return { status: 'locked', until: lockedNow };
  await attempts.clear(tenantId, subject);
  if (isPasswordExpired(identity, known, policy.PASSWORD_EXPIRY_DAYS)) return { status: 'password-expired' };
  if (secret.kind === 'pin') await noteSeen(identity, known, device ?? '');
  if (secret.kind === 'pin') return signIn(identity, asked, known, { method: 'LOGIN_PIN', device });
  if (hasher.isOutdated(usable)) {
    await credentials.rehash(tenantId, known.user.id, usable, await hasher.hash(secret.text));
  }
  return (
    (await secondStep(identity, asked, known, wanted)) ?? signIn(identity, asked, known, { method: 'PASSWORD', device })
  );
}

/** The hash to verify against; undefined or null when there is none. One look-up more for a PIN, whoever asks. */
async function storedHash(
  { devices }: Pick<Identity, 'devices'>,
  tenantId: string,
  known: Credentials | undefined,
  { secret, device }: LogIn,
): Promise<string | null | undefined> {
  if (secret.kind === 'password') return known?.passwordHash;
  return await devices.pin(tenantId, known?.user.id ?? NOBODY, device ?? '');
}

function isPasswordExpired(identity: Pick<Identity, 'clock'>, { passwordSetAt }: Credentials, days: number): boolean {
  if (days === 0 || passwordSetAt === null) return false;
  return nowOf(identity, -days * DAY_MS) >= passwordSetAt;
}

/** The one-time password that the tenant may ask for after the password. A PIN needs none: the device is the other factor. */
async function secondStep(
  identity: Identity,
  asked: Asked,
  known: Credentials,
  { email, hostAgentId }: LogIn,
): Promise<LogInResult | undefined> {
  const { LOGIN_OTP_REQUIRED } = await preferencesOf(identity, known);
  if (!LOGIN_OTP_REQUIRED) return undefined;
  const sent = await sendOneTimePassword(identity, asked, { email, purpose: 'LOGIN', hostAgentId });
  // One that was sent a moment ago is still on its way.
  return { status: 'otp-required', credentials: known, otpReference: sent.otpReference };
}

async function noteSeen(identity: Identity, { tenantId, user }: Credentials, deviceId: string): Promise<void> {
  const device = await identity.devices.get(tenantId, user.id, deviceId);
  if (device !== undefined) await identity.devices.put({ ...device, lastSeenAt: nowOf(identity) });
}
