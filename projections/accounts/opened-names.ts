import type { KeyVault } from '../../application/ports/key-vault.js';
import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';

/**
 * Queries whose rows have columns `name`, `sealed_name` and `owner` get the name that is sealed for the owner put in its
 * place. Read models keep it sealed, so that it is gone with the owner's key: then the name is empty.
 */
export function openingNames(db: TenantQueries, vault: Pick<KeyVault, 'open'>): TenantQueries {
  return {
    async query(tenantId, query) {
      const rows = await db.query(tenantId, query);
      if (tenantId === null || !rows.some(hasSealedName)) return rows;
      const sealed = rows.filter(hasSealedName);
      const names = await vault.open(
        sealed.map(({ owner, sealed_name }) => ({ tenantId, person: { subject: owner, sealed: sealed_name } })),
      );
      const opened = new Map(sealed.map((row, index) => [row as QueryRow, names[index]]));
      return rows.map((row) => {
        if (!opened.has(row)) return row;
        const name = opened.get(row);
        return { ...row, name: typeof name === 'string' ? name : '' };
      });
    },
  };
}

function hasSealedName(row: QueryRow): row is QueryRow & { owner: string; sealed_name: string } {
  return typeof row['sealed_name'] === 'string' && typeof row['owner'] === 'string';
}
