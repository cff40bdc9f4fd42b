import type { ColumnType, TableDefinition } from '../../application/ports/read-store.js';
import { BUCKETS } from '../../domain/loan/terms.js';
import { BOOKED_COLUMNS } from './booked.js';

function numerics(columns: readonly string[]): Record<string, ColumnType> {
  return Object.fromEntries(columns.map((column) => [column, 'numeric']));
}

/**
 * One row a loan. What only its projection and whole views read is JSON text. What the daily accrual changes
 * (`accrued_to` and the booked totals) is in no index, so that those updates stay in the page.
 */
export const LOANS: TableDefinition = {
  name: 'loans',
  comment: 'Loans from the application on, with what was booked for them (minor units).',
  columns: {
    tenant_id: 'uuid',
    loan_id: 'uuid',
    code: 'text',
    customer_id: 'uuid',
    agent_id: 'uuid',
    product_id: 'uuid',
    product_version: 'int',
    currency: 'text',
    requested_amount: 'numeric',
    requested_instalments: 'int',
    repayment_method: 'text',
    status: 'text',
    risk: 'text',
    approved: 'text',
    terms: 'text',
    offer_sent_at: 'timestamptz',
    offer_expires_at: 'timestamptz',
    conditions_accepted_at: 'timestamptz',
    conditions_version: 'int',
    disbursed_at: 'timestamptz',
    disbursed_date: 'date',
    operations: 'text',
    wallet: 'uuid',
    accounts: 'text',
    accrued_to: 'date',
    ...numerics(BOOKED_COLUMNS),
    written_off: 'bool',
    paid_off_date: 'date',
    maturity_date: 'date',
    oldest_open_date: 'date',
    instalment_slots: 'int',
    history: 'text',
    requested_revision: 'bigint',
    requested_at: 'timestamptz',
    updated_at: 'timestamptz',
  },
  key: ['tenant_id', 'loan_id'],
  nullable: [
    ...['agent_id', 'risk', 'approved', 'terms', 'offer_sent_at', 'offer_expires_at', 'conditions_accepted_at'],
    ...['conditions_version', 'disbursed_at', 'disbursed_date', 'wallet', 'accounts', 'accrued_to', 'paid_off_date'],
    ...['maturity_date', 'oldest_open_date'],
  ],
  indexes: [
    { columns: ['tenant_id', 'code'] },
    { columns: ['tenant_id', 'requested_revision'] },
    { columns: ['tenant_id', 'status', 'requested_revision'] },
    { columns: ['tenant_id', 'customer_id', 'requested_revision'] },
    { columns: ['tenant_id', 'product_id', 'requested_revision'] },
    { columns: ['tenant_id', 'agent_id', 'requested_revision'], where: 'agent_id is not null' },
    { columns: ['tenant_id', 'oldest_open_date'], where: 'oldest_open_date is not null' },
    // What the daily work looks for, over all tenants.
    { columns: ['tenant_id', 'loan_id'], where: `status = 'DISBURSED' and not written_off` },
    { columns: ['offer_expires_at', 'tenant_id'], where: `status = 'OFFER_SENT'` },
  ],
  fillFactor: 60,
};

/** What was told and found at the application: apart, so that it need not be read whenever the loan changes. */
export const LOAN_APPLICATIONS: TableDefinition = {
  name: 'loan_applications',
  comment: 'What applicants told, sealed for the customer, and what the checks found (JSON text).',
  columns: { tenant_id: 'uuid', loan_id: 'uuid', sealed_applicant: 'text', assessment: 'text' },
  key: ['tenant_id', 'loan_id'],
  nullable: ['assessment'],
};

/** Columns of amounts by bucket, such as `principal_due`. */
export const byBucket = (suffix: string): readonly string[] => BUCKETS.map((bucket) => `${bucket}_${suffix}`);

/**
 * The schedule as it is now. Rows are never deleted: those that a new schedule does not need are surplus, and zero.
 * `is_open`: of a running loan that is still owed, and not paid in full.
 */
export const LOAN_INSTALMENTS: TableDefinition = {
  name: 'loan_instalments',
  comment: 'Instalments of loans: due, paid and waived by bucket (minor units).',
  columns: {
    tenant_id: 'uuid',
    loan_id: 'uuid',
    number: 'int',
    kind: 'text',
    customer_id: 'uuid',
    currency: 'text',
    from_date: 'date',
    due_date: 'date',
    ...numerics([...byBucket('due'), ...byBucket('paid'), ...byBucket('waived')]),
    paid_in_advance: 'numeric',
    paid_late: 'numeric',
    balance: 'numeric',
    paid_date: 'date',
    is_open: 'bool',
    surplus: 'bool',
  },
  key: ['tenant_id', 'loan_id', 'number'],
  nullable: ['paid_date'],
  indexes: [
    { columns: ['tenant_id', 'due_date'], where: 'is_open' },
    { columns: ['tenant_id', 'customer_id', 'due_date'], where: 'is_open' },
  ],
};
