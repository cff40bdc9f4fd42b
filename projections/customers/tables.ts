import type { TableDefinition } from '../../application/ports/read-store.js';

/** One row a customer. Personal are `person` and `sort_name`: both are gone when the person is erased. */
export const CUSTOMERS: TableDefinition = {
  name: 'customers',
  comment: 'Customers; the person is JSON text, null once erased.',
  columns: {
    tenant_id: 'uuid',
    customer_id: 'uuid',
    code: 'text',
    customer_type: 'text',
    status: 'text',
    compliance_status: 'text',
    country: 'text',
    agent_id: 'uuid',
    picture_id: 'uuid',
    person: 'text',
    sort_name: 'text',
    has_login_pin: 'bool',
    has_transaction_pin: 'bool',
    locked_until: 'timestamptz',
    registered_revision: 'bigint',
    registered_at: 'timestamptz',
    updated_at: 'timestamptz',
    term_slots: 'int',
    bank_detail_ids: 'text',
  },
  key: ['tenant_id', 'customer_id'],
  nullable: ['agent_id', 'picture_id', 'person', 'sort_name', 'locked_until'],
  indexes: [
    { columns: ['tenant_id', 'code'] },
    { columns: ['tenant_id', 'registered_at', 'registered_revision'] },
    { columns: ['tenant_id', 'agent_id', 'registered_at', 'registered_revision'], where: 'agent_id is not null' },
  ],
  fillFactor: 80,
};

/** What finds a customer: see search-terms.ts. Rows are never deleted, so a slot that is not needed any more is null. */
export const CUSTOMER_TERMS: TableDefinition = {
  name: 'customer_terms',
  comment: 'Words that find customers; null: an empty slot.',
  columns: { tenant_id: 'uuid', customer_id: 'uuid', slot: 'int', term: 'text' },
  key: ['tenant_id', 'customer_id', 'slot'],
  nullable: ['term'],
  indexes: [{ columns: ['tenant_id', 'term', 'customer_id'], where: 'term is not null' }],
};

export const CUSTOMER_BANK_DETAILS: TableDefinition = {
  name: 'customer_bank_details',
  comment: 'Bank details of customers; the details are JSON text, null once removed or the person erased.',
  columns: {
    tenant_id: 'uuid',
    bank_detail_id: 'uuid',
    customer_id: 'uuid',
    currency: 'text',
    country: 'text',
    details: 'text',
    added_revision: 'bigint',
    added_at: 'timestamptz',
    removed_at: 'timestamptz',
  },
  key: ['tenant_id', 'bank_detail_id'],
  nullable: ['details', 'removed_at'],
  indexes: [{ columns: ['tenant_id', 'customer_id', 'added_revision'] }],
};
