import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import { forgetPerson } from './forget-person.js';
import { type PersonView, userOf } from './standing.js';

/**
 * Erases a person: the log states it with its legal basis, then his key is destroyed and all that is kept of him beside
 * the log is deleted; the reactor finishes what a crash leaves. Accounts, postings and the fact that somebody was there
 * stay, and the hash chain, which covers ciphertext, still verifies.
 */
export async function erasePerson(
  identity: Identity,
  asked: Asked,
  person: PersonView,
  why: { readonly legalBasis: string; readonly reason?: string },
): Promise<Outcome> {
  const user = userOf(person);
  const outcome = await (user.kind === 'customer'
    ? identity.bus.execute({ ...asked, name: 'erase-customer', payload: { customer: user.id, ...why } })
    : identity.bus.execute({ ...asked, name: 'erase-employee', payload: { employee: user.id, ...why } }));
  if (outcome.status === 'accepted') {
    const { legalBasis } = why;
    await forgetPerson(identity, asked.tenantId, user, { legalBasis });
  }
  return outcome;
}
