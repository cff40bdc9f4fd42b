import type { UserReference } from '../../domain/access/user-events.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import { type MailTemplate, composeMail } from '../mail/compose-mail.js';
import type { OtpPurpose, OtpVerdict } from '../ports/one-time-passwords.js';
import type { Asked } from './api-tokens.js';
import { nowOf, secretFrom } from './as-user.js';
import { countWrong, lockOf, otpSubject } from './attempts.js';
import { type Identity, emailDigestOf } from './identity.js';
import type { AccessRefusal } from './refusals.js';

export interface OtpWanted {
  readonly email: string;
  readonly purpose: OtpPurpose;
  readonly hostAgentId: string | undefined;
}

export interface OtpSent {
  readonly status: 'sent' | 'too-soon';
  readonly otpReference: string;
  readonly expiresInSeconds: number;
  /** Until the next one may be asked for. */
  readonly waitSeconds: number;
}

const TEMPLATES: Readonly<Record<OtpPurpose, MailTemplate>> = {
  LOGIN: 'LOGIN_OTP',
  TRANSACTION: 'TRANSACTION_OTP',
  RESET_PASSWORD: 'PASSWORD_RESET',
  SET_PASSWORD: 'INVITATION',
};
/** People are invited while they are away: longer code, longer life. */
const INVITATION = { length: 10, minutes: 3 * 24 * 60 };
/** Passwords are sent as a link and a code; others as a code. */
const SECONDS = 60;

/**
 * Makes a one-time password and mails it. For an address that nobody can use it does the same work, stores it, and mails
 * nothing: the answer and its time are the same. A retry with the same idempotency key sends nothing more.
 */
export async function sendOneTimePassword(identity: Identity, asked: Asked, wanted: OtpWanted): Promise<OtpSent> {
  const { master, otps, credentials, preferences, ids, mail } = identity;
  const { tenantId, idempotency } = asked;
  const { email, purpose } = wanted;
  const emailDigest = emailDigestOf(master, tenantId, email);
  const [known, policy] = await Promise.all([credentials.byEmail(tenantId, emailDigest), preferences.of(tenantId)]);
  const { length, minutes } =
    purpose === 'SET_PASSWORD' ? INVITATION : { length: policy.OTP_LENGTH, minutes: policy.OTP_MINUTES };
  const reference =
    idempotency === undefined
      ? ids.eventId()
      : nameBasedUuid(tenantId, `otp:${purpose}:${idempotency.id}:${emailDigest}`);
  const code = digitsFrom(secretFrom(identity, 'otp', ids.eventId()), length);
  const issued = await otps.issue(
    {
      ...{ reference, tenantId, purpose, emailDigest },
      codeDigest: codeDigestOf(identity, tenantId, purpose, emailDigest, code),
      createdAt: nowOf(identity),
      expiresAt: nowOf(identity, minutes * SECONDS * 1000),
      maxTries: policy.OTP_MAX_TRIES,
    },
    // Who was invited twice needs the newer link.
    purpose === 'SET_PASSWORD' ? 0 : policy.OTP_RESEND_SECONDS,
  );
  const life = { expiresInSeconds: minutes * SECONDS };
  if (issued.status === 'too-soon') {
    return { status: 'too-soon', otpReference: issued.reference, ...life, waitSeconds: issued.waitSeconds };
  }
  if (issued.status === 'issued') {
    const values = { otp: code, minutes: String(minutes), email: email.trim(), otpReference: reference };
    const composed = await composeMail(identity, tenantId, wanted.hostAgentId, TEMPLATES[purpose], values);
    const isSomebody = known?.status === 'ACTIVE';
    const addressed = { ...composed, to: email.trim(), ...(isSomebody ? { owner: known.user.id } : {}) };
    await (isSomebody ? mail.enqueue(addressed) : mail.decoy(addressed));
  }
  return { status: 'sent', otpReference: reference, ...life, waitSeconds: policy.OTP_RESEND_SECONDS };
}

/** Decimal digits of a secret of 256 bits: even as far as anybody could tell. */
function digitsFrom(secret: string, length: number): string {
  const number = BigInt(`0x${Buffer.from(secret, 'base64url').toString('hex')}`);
  return (number % 10n ** BigInt(length)).toString().padStart(length, '0');
}

function codeDigestOf(
  { master }: Pick<Identity, 'master'>,
  tenantId: string,
  purpose: OtpPurpose,
  emailDigest: string,
  code: string,
): string {
  return master.digest('otp', `${tenantId} ${purpose} ${emailDigest} ${code}`);
}

/** In the sandbox it is right for every one-time password that was asked for (platform.md 14). */
const MAGIC_OTP = '000000';
/** An address is locked when this many of its one-time passwords were guessed away within the lock-out time. */
const VOIDED_UNTIL_LOCK = 3;

export interface OtpTry {
  readonly emailDigest: string;
  /** What it may have been sent for, in the order to try. */
  readonly purposes: readonly [OtpPurpose, ...OtpPurpose[]];
  readonly code: string;
  readonly reference: string | undefined;
  readonly user: UserReference | undefined;
}

export type RightOtp = { readonly purpose: OtpPurpose; readonly reference: string };
export type OtpTried =
  | ({ readonly status: 'right' } & RightOtp)
  /** It was right before and is used up, which a retry may be told apart by. */
  | ({ readonly status: 'spent' } & RightOtp)
  | AccessRefusal;

/**
 * Tries a code. Wrong ones are counted by the address over all its codes, so that asking for ever new ones does not help
 * to guess.
 */
export async function tryOneTimePassword(identity: Identity, asked: Asked, attempt: OtpTry): Promise<OtpTried> {
  const { attempts, preferences } = identity;
  const { tenantId } = asked;
  const { purposes, emailDigest, user } = attempt;
  const subject = otpSubject(emailDigest);
  if ((await lockOf(identity, tenantId, [subject])) !== null) return { status: 'too-many-tries' };
  let verdict: OtpVerdict['status'] = 'none';
  for (const purpose of purposes) {
    const tried = await judge(identity, tenantId, purpose, attempt);
    if (tried.status === 'right') await attempts.clear(tenantId, subject);
    if (tried.status === 'right' || tried.status === 'spent') {
      return { status: tried.status, purpose, reference: tried.reference };
    }
    if (verdict === 'none') verdict = tried.status;
  }
  if (verdict === 'expired') return { status: 'otp-expired' };
  if (verdict === 'exhausted') return { status: 'too-many-tries' };
  const { OTP_MAX_TRIES } = await preferences.of(tenantId);
  await countWrong(identity, asked, { subject, secret: 'OTP', user, limit: OTP_MAX_TRIES * VOIDED_UNTIL_LOCK });
  return { status: 'wrong-credentials' };
}

async function judge(
  identity: Identity,
  tenantId: string,
  purpose: OtpPurpose,
  { emailDigest, code, reference }: OtpTry,
): Promise<OtpVerdict> {
  const isMagic = identity.sandbox && code === MAGIC_OTP;
  const digest = isMagic ? null : codeDigestOf(identity, tenantId, purpose, emailDigest, code);
  const by = { emailDigest, ...(reference === undefined ? {} : { reference }) };
  return identity.otps.attempt(tenantId, purpose, by, digest, nowOf(identity));
}
