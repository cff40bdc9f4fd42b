import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import { type PersonView, endSessions, standingOf, userOf } from './standing.js';

/**
 * Activates or deactivates a customer or employee: the log, then his credentials, then his log-ins. To the status he has
 * already nothing happens in the log, and what a crash left undone beside it is done. A replay of an earlier call does
 * nothing: it may not be true any more.
 */
export async function setUserStatus(
  identity: Identity,
  asked: Asked,
  person: PersonView,
  to: 'ACTIVE' | 'INACTIVE',
  reason?: string,
): Promise<Outcome> {
  const { bus, credentials } = identity;
  const why = { to, ...(reason === undefined ? {} : { reason }) };
  const outcome = await (person.kind === 'customer'
    ? bus.execute({ ...asked, name: 'set-customer-status', payload: { customer: person.customerId, ...why } })
    : bus.execute({ ...asked, name: 'set-employee-status', payload: { employee: person.employeeId, ...why } }));
  if (outcome.status === 'refused' || outcome.replayed) return outcome;
  const user = userOf(person);
  await credentials.setStanding(asked.tenantId, user.id, { ...standingOf(person), status: to });
  if (to === 'INACTIVE') await endSessions(identity, asked, user, 'DEACTIVATED');
  return outcome;
}
