import type { UserReference } from '../../domain/access/user-events.js';

/** That a person was erased. Ids only: they stay in the log as well, and say nothing without the person's key. */
export interface Erasure {
  readonly tenantId: string;
  readonly kind: UserReference['kind'];
  readonly id: string;
  /** ISO 8601. */
  readonly erasedAt: string;
  readonly legalBasis?: string;
}

/**
 * Remembers erasures outside the database: a backup from before an erasure holds the person's key, and whoever restores it
 * must know whom to forget again. Only ever added to.
 */
export interface ErasureRegister {
  /** On disk when it resolves. What is known already may be left out. */
  record(erasure: Erasure): Promise<void>;
}

/** Of several accounts of the same erasure the first with a legal basis counts, else the first. */
export function mergeErasures(...lists: ReadonlyArray<readonly Erasure[]>): Erasure[] {
  const merged = new Map<string, Erasure>();
  for (const erasure of lists.flat()) {
    const key = keyOfErasure(erasure);
    const known = merged.get(key);
    if (known === undefined || (known.legalBasis === undefined && erasure.legalBasis !== undefined))
      merged.set(key, erasure);
  }
  return [...merged.values()];
}

export function keyOfErasure({ tenantId, kind, id }: Pick<Erasure, 'tenantId' | 'kind' | 'id'>): string {
  return `${tenantId} ${kind} ${id}`;
}
