import type { KeyVault } from '../../application/ports/key-vault.js';
import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';

/**
 * Queries whose rows have columns `sealed_applicant` and `customer_id` get what is sealed there for the customer as JSON
 * text in `applicant`. The read model keeps it sealed, so that it is gone with the customer's key: then it is null.
 */
export function openingApplicants(db: TenantQueries, vault: Pick<KeyVault, 'open'>): TenantQueries {
  return {
    async query(tenantId, query) {
      const rows = await db.query(tenantId, query);
      if (tenantId === null || !rows.some(hasSealedApplicant)) return rows;
      const sealed = rows.filter(hasSealedApplicant);
      const told = await vault.open(
        sealed.map(({ customer_id: subject, sealed_applicant }) => ({
          tenantId,
          person: { subject, sealed: sealed_applicant },
        })),
      );
      const opened = new Map(sealed.map((row, index) => [row as QueryRow, told[index]]));
      return rows.map((row) => {
        const applicant = opened.get(row);
        return { ...row, applicant: applicant === undefined ? null : JSON.stringify(applicant) };
      });
    },
  };
}

function hasSealedApplicant(row: QueryRow): row is QueryRow & { customer_id: string; sealed_applicant: string } {
  return typeof row['sealed_applicant'] === 'string' && typeof row['customer_id'] === 'string';
}
