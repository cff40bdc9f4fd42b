import type { Json } from '../../domain/shared/event.js';
import type { SealedPerson } from '../../domain/shared/person.js';
import { type Refusal, refuse } from '../../domain/shared/refusal.js';
import type { UserReference } from '../../domain/access/user-events.js';
import { type KeyVault, SubjectErased } from '../ports/key-vault.js';

/** Seals for a person; undefined when he was erased meanwhile. */
export async function sealFor(
  vault: Pick<KeyVault, 'seal'>,
  tenantId: string,
  subject: string,
  plain: Json,
): Promise<SealedPerson | undefined> {
  try {
    return await vault.seal(tenantId, subject, plain);
  } catch (error) {
    if (error instanceof SubjectErased) return undefined;
    throw error;
  }
}

/** What is answered about a person who is not, or not any more. */
export function noSuchPerson(kind: UserReference['kind']): {
  readonly status: 'refused';
  readonly refusal: Refusal;
  readonly replayed: false;
} {
  const refusal = refuse(kind === 'customer' ? 'customer-not-found' : 'employee-not-found', `there is no such ${kind}`);
  return { status: 'refused', refusal, replayed: false };
}
