import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { TableDefinition } from '../../application/ports/read-store.js';
import type { WithdrawalEvent } from '../../domain/withdrawal/events.js';
import { Changes } from '../changes.js';
import type { Projection } from '../projection.js';

/** Where the money goes is personal and stays in the log, sealed: here is only which bank details it were. */
const WITHDRAWALS: TableDefinition = {
  name: 'withdrawals',
  comment: 'Transfers from loan wallets to bank accounts (minor units).',
  columns: {
    tenant_id: 'uuid',
    withdrawal_id: 'uuid',
    reference: 'text',
    customer_id: 'uuid',
    wallet: 'uuid',
    bank_detail_id: 'uuid',
    currency: 'text',
    amount: 'numeric',
    fee: 'numeric',
    entry_id: 'uuid',
    status: 'text',
    partner: 'text',
    partner_reference: 'text',
    failure: 'text',
    returned_to: 'uuid',
    requested_revision: 'bigint',
    requested_at: 'timestamptz',
    updated_at: 'timestamptz',
    completed_at: 'timestamptz',
  },
  key: ['tenant_id', 'withdrawal_id'],
  nullable: ['partner', 'partner_reference', 'failure', 'returned_to', 'completed_at'],
  indexes: [{ columns: ['tenant_id', 'reference'] }, { columns: ['tenant_id', 'customer_id', 'requested_revision'] }],
  fillFactor: 80,
};

type Event = ScannedEvent & WithdrawalEvent;

export function withdrawalsProjection(): Projection {
  return {
    name: 'withdrawals',
    version: 1,
    tables: [WITHDRAWALS],
    handles: ['withdrawal-requested', 'withdrawal-submitted', 'withdrawal-completed', 'withdrawal-failed'],
    answersQueries: true,
    project(events) {
      const changes = new Changes();
      for (const event of events) projectEvent(event as Event, changes);
      return changes;
    },
  };
}

function projectEvent(event: Event, changes: Changes): void {
  const { tenantId: tenant_id, recordedAt: updated_at, data } = event;
  const key = { tenant_id, withdrawal_id: data.withdrawal };
  switch (event.type) {
    case 'withdrawal-requested': {
      const { reference, customer, wallet, bankDetail, currency, amount, fee, entry } = event.data;
      changes.insert(WITHDRAWALS, {
        ...{ ...key, reference, customer_id: customer, wallet, bank_detail_id: bankDetail, currency, amount, fee },
        ...{ entry_id: entry, status: 'PENDING', partner: null, partner_reference: null, failure: null },
        ...{ returned_to: null, requested_revision: event.revision, requested_at: updated_at, updated_at },
        completed_at: null,
      });
      return;
    }
    case 'withdrawal-submitted': {
      const { partner, partnerReference: partner_reference } = event.data;
      changes.patch(WITHDRAWALS, { ...key, status: 'PROCESSING', partner, partner_reference, updated_at });
      return;
    }
    case 'withdrawal-completed':
      changes.patch(WITHDRAWALS, { ...key, status: 'COMPLETED', completed_at: updated_at, updated_at });
      return;
    case 'withdrawal-failed': {
      const { reason: failure, creditedTo: returned_to = null } = event.data;
      changes.patch(WITHDRAWALS, { ...key, status: 'FAILED', failure, returned_to, updated_at });
    }
  }
}
