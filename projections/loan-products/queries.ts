import type { LoanConditionsView, LoanProductView, Page, Paged } from '../../application/ports/read-models.js';
import type { QueryRow, TenantQueries } from '../../application/ports/queries.js';
import type { LoanProductSettings, ProductStatus } from '../../domain/loan-product/events.js';
import { isUuid } from '../../domain/shared/ids.js';
import { MAX_COUNTED, count, instant, limitOf, offsetOf, text } from '../rows.js';

const COLUMNS = `p.product_id, v.version, p.status, v.settings, ${instant('p.created_at')} as created_at,
  ${instant('greatest(v.saved_at, case when v.version = p.version then p.updated_at end)')} as updated_at`;
const VERSIONS = `join ledger.loan_product_versions v on v.tenant_id = p.tenant_id and v.product_id = p.product_id`;

export async function loanProduct(
  db: TenantQueries,
  tenantId: string,
  productId: string,
): Promise<LoanProductView | undefined> {
  if (!isUuid(productId)) return undefined;
  const [row] = await db.query(tenantId, {
    name: 'loan-product-by-id',
    text: `select ${COLUMNS} from ledger.loan_products p ${VERSIONS} and v.version = p.version
            where p.tenant_id = $1 and p.product_id = $2`,
    values: [tenantId, productId],
  });
  return row === undefined ? undefined : productView(row);
}

export async function loanProductVersion(
  db: TenantQueries,
  tenantId: string,
  productId: string,
  version: number,
): Promise<LoanProductView | undefined> {
  if (!isUuid(productId)) return undefined;
  const [row] = await db.query(tenantId, {
    name: 'loan-product-by-version',
    text: `select ${COLUMNS} from ledger.loan_products p ${VERSIONS}
            where p.tenant_id = $1 and p.product_id = $2 and v.version = $3`,
    values: [tenantId, productId, version],
  });
  return row === undefined ? undefined : productView(row);
}

/** A tenant has few products: they are looked through in the order in which they are shown. */
const MATCHES = `p.tenant_id = $1 and ($2::text is null or p.status = $2) and ($3::text is null or p.currency = $3)`;

export async function loanProducts(
  db: TenantQueries,
  tenantId: string,
  filter: { readonly status?: ProductStatus; readonly currency?: string },
  page: Page,
): Promise<Paged<LoanProductView>> {
  const values = [tenantId, filter.status ?? null, filter.currency ?? null];
  const [[counted], rows] = await Promise.all([
    db.query(tenantId, {
      name: 'loan-products-count',
      text: `select count(*) as n from (select from ledger.loan_products p where ${MATCHES} limit ${MAX_COUNTED}) p`,
      values,
    }),
    db.query(tenantId, {
      name: 'loan-products-page',
      text: `select ${COLUMNS} from ledger.loan_products p ${VERSIONS} and v.version = p.version
              where ${MATCHES} order by p.created_revision limit $4 offset $5`,
      values: [...values, limitOf(page), offsetOf(page)],
    }),
  ]);
  return { items: rows.map(productView), totalElements: counted === undefined ? 0 : count(counted, 'n') };
}

export async function loanConditions(db: TenantQueries, tenantId: string): Promise<LoanConditionsView | undefined> {
  const [row] = await db.query(tenantId, {
    name: 'loan-conditions-newest',
    text: `select version, text, details, ${instant('set_at')} as set_at from ledger.loan_conditions
            where tenant_id = $1 order by version desc limit 1`,
    values: [tenantId],
  });
  if (row === undefined) return undefined;
  return {
    conditionsVersion: count(row, 'version'),
    text: text(row, 'text'),
    details: JSON.parse(text(row, 'details')) as LoanConditionsView['details'],
    updatedAt: text(row, 'set_at'),
  };
}

function productView(row: QueryRow): LoanProductView {
  return {
    productId: text(row, 'product_id'),
    version: count(row, 'version'),
    status: text(row, 'status') as ProductStatus,
    settings: JSON.parse(text(row, 'settings')) as LoanProductSettings,
    createdAt: text(row, 'created_at'),
    updatedAt: text(row, 'updated_at'),
  };
}
