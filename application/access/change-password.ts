import type { UserReference } from '../../domain/access/user-events.js';
import type { Asked } from './api-tokens.js';
import { answeredBefore } from './as-user.js';
import type { Identity } from './identity.js';
import { provePassword } from './prove.js';
import { type AccessRefusal, type Done, doneBy } from './refusals.js';
import { isStored, mailPasswordChanged, newPasswordFaults, setPassword } from './set-password.js';

export interface PasswordChange {
  readonly user: UserReference;
  /** The present session: it stays. */
  readonly sessionId: string;
  readonly currentPassword: string;
  readonly newPassword: string;
}

/** Changes the password of somebody who is logged in and knows the present one. */
export async function changePassword(
  identity: Identity,
  asked: Asked,
  { user, sessionId, currentPassword, newPassword }: PasswordChange,
): Promise<Done | AccessRefusal> {
  const before = await answeredBefore(identity, asked, user);
  if (before?.status === 'refused') return before;
  const known = await identity.credentials.byUser(asked.tenantId, user.id);
  if (known?.status !== 'ACTIVE') return { status: 'wrong-credentials' };
  if (before !== undefined && isStored(before, known)) return doneBy(before);
  const refused = await provePassword(identity, asked, user, currentPassword);
  if (refused !== undefined) return refused;
  const faults = await newPasswordFaults(identity, known, newPassword);
  if (faults.length > 0) return { status: 'faulty', faults };
  const wanted = { password: newPassword, how: 'CHANGED', keepSession: sessionId } as const;
  const done = await setPassword(identity, asked, known, wanted);
  if (done.status === 'done') await mailPasswordChanged(identity, known, user);
  return done;
}
