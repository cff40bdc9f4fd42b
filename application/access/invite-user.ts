import type { UserReference } from '../../domain/access/user-events.js';
import type { Asked } from './api-tokens.js';
import { unkeyed } from './as-user.js';
import type { Identity } from './identity.js';
import { sendOneTimePassword } from './one-time-password.js';

/** Mails a new user, whose credentials are active, the link and code by which he sets his first password. */
export async function inviteUser(
  identity: Identity,
  asked: Asked,
  { tenantId, user, email }: { readonly tenantId: string; readonly user: UserReference; readonly email: string },
): Promise<void> {
  const agent = (await identity.credentials.byUser(tenantId, user.id))?.agent ?? undefined;
  const wanted = { email, purpose: 'SET_PASSWORD', hostAgentId: agent } as const;
  // Asked for again it is sent again: the idempotency key stands for making the user.
  await sendOneTimePassword(identity, { ...unkeyed(asked), tenantId }, wanted);
}
