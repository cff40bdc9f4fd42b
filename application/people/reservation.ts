import type { UserReference } from '../../domain/access/user-events.js';
import { keyOf, requestHash } from '../idempotency.js';
import type { Asked } from '../access/api-tokens.js';
import { type Identity, emailDigestOf } from '../access/identity.js';
import { Unavailable } from '../commands.js';
import { PENDING_SECONDS } from '../ports/credentials.js';
import type { Standing } from './standing.js';

/**
 * A new user's e-mail address is taken before the log knows him, because the log must not know addresses: it cannot
 * keep them unique. A reservation that nothing came of runs out by itself.
 */
export interface Reservation {
  readonly tenantId: string;
  readonly user: UserReference;
  readonly email: string;
  readonly reservedMs: number;
}

/** Undefined when somebody else has the address. A retry of the same request finds its own reservation. */
export async function reserveAddress(
  { credentials, master, clock }: Pick<Identity, 'credentials' | 'master' | 'clock'>,
  tenantId: string,
  user: UserReference,
  standing: Standing,
  email: string,
): Promise<Reservation | undefined> {
  const reservedMs = clock.nowMs();
  const digest = emailDigestOf(master, tenantId, email);
  const reserved = await credentials.reserve(
    {
      tenantId,
      user,
      status: 'PENDING',
      roles: standing.roles,
      agent: standing.agent,
      passwordHash: null,
      passwordSetAt: null,
      passwordHistory: [],
      createdAt: new Date(reservedMs).toISOString(),
    },
    digest,
  );
  if (!reserved && (await credentials.byEmail(tenantId, digest))?.user.id !== user.id) return undefined;
  return { tenantId, user, email, reservedMs };
}

/** Does what must be done between the reservation and the log; the address is free again when that fails. */
export async function whileReserved<T>(
  { credentials, clock }: Pick<Identity, 'credentials' | 'clock'>,
  { tenantId, user, reservedMs }: Reservation,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const done = await work();
    // What is left of the time must suffice for the log, or another's registration could take the address meanwhile.
    if (clock.nowMs() - reservedMs > (PENDING_SECONDS * 1000) / 2) throw new Unavailable('the reservation ran out');
    return done;
  } catch (error) {
    await credentials.release(tenantId, user.id);
    throw error;
  }
}

/** States once, however often it is done again, that a user's first password was set. */
export async function recordFirstPassword(
  bus: Identity['bus'],
  user: UserReference,
  { tenantId, actor, correlationId }: Asked,
): Promise<void> {
  const idempotency = {
    id: keyOf(tenantId, 'first-password', user.id),
    requestHash: requestHash('', user.id),
  };
  const payload = { user, facts: [{ type: 'secret-set', secret: 'PASSWORD', how: 'CREATED' }] } as const;
  await bus.execute({ name: 'record-access', tenantId, actor, correlationId, idempotency, payload });
}
