import { type CollectionAccount, collectionAccountOf } from '../../application/loan/collection-account.js';
import type { Call } from '../endpoint.js';

/** Where this tenant's borrowers transfer their repayments to. */
export async function collectionAccount({ services, caller }: Call): Promise<CollectionAccount | null> {
  return collectionAccountOf(await services.identity.preferences.of(caller.tenantId));
}
