import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { TableDefinition } from '../../application/ports/read-store.js';
import type { LoanConditionsSet, LoanProductEvent } from '../../domain/loan-product/events.js';
import { Changes } from '../changes.js';
import type { Projection } from '../projection.js';

const LOAN_PRODUCTS: TableDefinition = {
  name: 'loan_products',
  comment: 'Loan products: their newest version and whether they are offered.',
  columns: {
    tenant_id: 'uuid',
    product_id: 'uuid',
    version: 'int',
    status: 'text',
    currency: 'text',
    created_revision: 'bigint',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
  },
  key: ['tenant_id', 'product_id'],
  indexes: [{ columns: ['tenant_id', 'created_revision'] }],
};

/** Every version that ever was: a loan keeps the one it was made with. */
const LOAN_PRODUCT_VERSIONS: TableDefinition = {
  name: 'loan_product_versions',
  comment: 'Versions of loan products; the settings are JSON text.',
  columns: {
    tenant_id: 'uuid',
    product_id: 'uuid',
    version: 'int',
    name: 'text',
    settings: 'text',
    saved_at: 'timestamptz',
  },
  key: ['tenant_id', 'product_id', 'version'],
  appendOnly: true,
};

const LOAN_CONDITIONS: TableDefinition = {
  name: 'loan_conditions',
  comment: 'Versions of the terms and conditions of loans; the details are JSON text.',
  columns: { tenant_id: 'uuid', version: 'int', text: 'text', details: 'text', set_at: 'timestamptz' },
  key: ['tenant_id', 'version'],
  appendOnly: true,
};

type Event = ScannedEvent & (LoanProductEvent | LoanConditionsSet);

export function loanProductsProjection(): Projection {
  return {
    name: 'loan-products',
    version: 1,
    tables: [LOAN_PRODUCTS, LOAN_PRODUCT_VERSIONS, LOAN_CONDITIONS],
    handles: ['loan-product-saved', 'loan-product-status-set', 'loan-conditions-set'],
    answersQueries: true,
    project(events) {
      const changes = new Changes();
      for (const event of events) projectEvent(event as Event, changes);
      return changes;
    },
  };
}

function projectEvent(event: Event, changes: Changes): void {
  const { tenantId: tenant_id, recordedAt } = event;
  switch (event.type) {
    case 'loan-product-saved': {
      const { product: product_id, productVersion: version, settings } = event.data;
      const { name, currency } = settings;
      const key = { tenant_id, product_id };
      changes.insert(LOAN_PRODUCT_VERSIONS, {
        ...{ ...key, version, name, settings: JSON.stringify(settings), saved_at: recordedAt },
      });
      if (version > 1) {
        changes.patch(LOAN_PRODUCTS, { ...key, version, currency, updated_at: recordedAt });
        return;
      }
      changes.insert(LOAN_PRODUCTS, {
        ...{ ...key, version, status: 'INACTIVE', currency, created_revision: event.revision },
        ...{ created_at: recordedAt, updated_at: recordedAt },
      });
      return;
    }
    case 'loan-product-status-set': {
      const { product: product_id, to: status } = event.data;
      changes.patch(LOAN_PRODUCTS, { tenant_id, product_id, status, updated_at: recordedAt });
      return;
    }
    case 'loan-conditions-set': {
      const { conditionsVersion: version, text, details } = event.data;
      changes.insert(LOAN_CONDITIONS, {
        ...{ tenant_id, version, text, details: JSON.stringify(details), set_at: recordedAt },
      });
    }
  }
}
