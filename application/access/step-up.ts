import type { StepUpDecided, UserReference } from '../../domain/access/user-events.js';
import type { Asked } from './api-tokens.js';
import { answeredBefore, nowOf, secretFrom, unkeyed } from './as-user.js';
import type { Identity } from './identity.js';
import { tryOneTimePassword } from './one-time-password.js';
import { provePassword, proveTransactionPin } from './prove.js';
import type { AccessRefusal } from './refusals.js';

export interface StepUpProof {
  readonly method: StepUpDecided['data']['method'];
  readonly text: string;
  readonly otpReference?: string | undefined;
}

export type SteppedUp =
  | {
      readonly status: 'stepped-up';
      readonly token: string;
      readonly expiresInSeconds: number;
      readonly position: string;
      readonly replayed: boolean;
    }
  | AccessRefusal;

const PREFIX = 'fcs_';
/** A code that was right before: good for the retry of the request that it was used with. */
type Spent = { readonly status: 'spent' };

/**
 * Proves once more that the user himself is there, for what is worth it. The token is bound to the session and good for one
 * action (and its retries) within STEP_UP_MINUTES. Passed or not, the log says so.
 */
export async function stepUp(
  identity: Identity,
  asked: Asked,
  { user, sessionId }: { readonly user: UserReference; readonly sessionId: string },
  proof: StepUpProof,
): Promise<SteppedUp> {
  const { bus, sessions, ids, master, preferences } = identity;
  const { tenantId, idempotency } = asked;
  const refused = await prove(identity, asked, user, proof);
  if (refused?.status === 'spent') {
    const before = await answeredBefore(identity, asked, user);
    if (before === undefined) return { status: 'wrong-credentials' };
  } else if (refused !== undefined) {
    await recordDecision(identity, unkeyed(asked), user, proof.method, false);
    return refused;
  }
  const facts = [{ type: 'step-up-decided', method: proof.method, passed: true }] as const;
  const outcome = await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } });
  if (outcome.status === 'refused') return outcome;
  const { STEP_UP_MINUTES } = await preferences.of(tenantId);
  const seed = idempotency === undefined ? ids.eventId() : `${idempotency.id} ${idempotency.requestHash} ${sessionId}`;
  const token = PREFIX + secretFrom(identity, 'step-up', seed);
  const expiresAt = nowOf(identity, STEP_UP_MINUTES * 60_000);
  await sessions.grantStepUp({ tenantId, sessionId, digest: master.digest('step-up', token), expiresAt });
  const { position, replayed } = outcome;
  return { status: 'stepped-up', token, expiresInSeconds: STEP_UP_MINUTES * 60, position, replayed };
}

/** Whether the token of header X-Step-Up-Token is good for this action. */
export async function isSteppedUp(
  identity: Identity,
  tenantId: string,
  sessionId: string,
  token: string,
  action: string,
): Promise<boolean> {
  const digest = identity.master.digest('step-up', token);
  return identity.sessions.spendStepUp(tenantId, sessionId, digest, action, nowOf(identity));
}

const PIN = /^\d{4,12}$/;

/**
 * The documented `password` header: the password, or the transaction PIN where the user has one and it looks like one.
 * Undefined when it is right.
 */
export async function provePasswordHeader(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  text: string,
): Promise<AccessRefusal | undefined> {
  const isPin = PIN.test(text) && (await identity.devices.pin(asked.tenantId, user.id, '')) !== undefined;
  const method = isPin ? 'TRANSACTION_PIN' : 'PASSWORD';
  const refused = await (isPin ? proveTransactionPin : provePassword)(identity, asked, user, text);
  await recordDecision(identity, unkeyed(asked), user, method, refused === undefined);
  return refused;
}

async function prove(
  identity: Identity,
  asked: Asked,
  user: UserReference,
  { method, text, otpReference }: StepUpProof,
): Promise<AccessRefusal | Spent | undefined> {
  if (method === 'PASSWORD') return provePassword(identity, asked, user, text);
  if (method === 'TRANSACTION_PIN') return proveTransactionPin(identity, asked, user, text);
  const emailDigest = await identity.credentials.emailDigestOf(asked.tenantId, user.id);
  if (emailDigest === undefined) return { status: 'wrong-credentials' };
  const attempt = { emailDigest, purposes: ['TRANSACTION'], code: text, reference: otpReference, user } as const;
  const verdict = await tryOneTimePassword(identity, asked, attempt);
  if (verdict.status === 'right') return undefined;
  return verdict.status === 'spent' ? { status: 'spent' } : verdict;
}

async function recordDecision(
  { bus }: Identity,
  asked: Asked,
  user: UserReference,
  method: StepUpDecided['data']['method'],
  passed: boolean,
): Promise<void> {
  const facts = [{ type: 'step-up-decided', method, passed }] as const;
  await bus.execute({ ...asked, name: 'record-access', payload: { user, facts } });
}
