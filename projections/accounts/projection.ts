import type { TableDefinition } from '../../application/ports/read-store.js';
import type { ScannedEvent } from '../../application/ports/event-scan.js';
import { type BookEvent, BookCheck, type PostedEntry } from '../book-event.js';
import { Changes } from '../changes.js';
import type { Projection } from '../projection.js';

/** One row an account: what it is and where it stands. The balance columns are in no index, so updates stay in the page. */
export const ACCOUNTS: TableDefinition = {
  name: 'accounts',
  comment: 'Accounts and their balances (credit-positive minor units), from the events tagged account:<id>.',
  columns: {
    tenant_id: 'uuid',
    account_id: 'uuid',
    ledger: 'numeric',
    held: 'numeric',
    liens: 'numeric',
    sequence: 'bigint',
    opened_revision: 'bigint',
    opened_at: 'timestamptz',
    closed_at: 'timestamptz',
    number: 'text',
    name: 'text',
    sealed_name: 'text',
    owner: 'text',
    currency: 'text',
    kind: 'text',
    product: 'text',
    system_role: 'text',
    status: 'text',
    permission: 'text',
    frozen: 'text',
    overdraft_limit: 'numeric',
    minimum_balance: 'numeric',
    maximum_balance: 'numeric',
  },
  key: ['tenant_id', 'account_id'],
  nullable: ['closed_at', 'sealed_name', 'system_role', 'frozen', 'minimum_balance', 'maximum_balance'],
  indexes: [
    { columns: ['tenant_id', 'number'] },
    { columns: ['tenant_id', 'owner', 'opened_revision'] },
    { columns: ['tenant_id', 'opened_revision'] },
  ],
  fillFactor: 50,
};

export function accountsProjection(): Projection {
  const check = new BookCheck();
  return {
    name: 'accounts',
    version: 2,
    tables: [ACCOUNTS],
    handles: [
      'account-opened',
      'account-closed',
      'account-frozen',
      'account-unfrozen',
      'account-permission-changed',
      'account-limits-changed',
      'entry-posted',
      'hold-placed',
      'hold-released',
    ],
    answersQueries: true,
    project(events) {
      const changes = new Changes();
      for (const event of events) projectEvent(event as BookEvent, changes, check);
      check.trim();
      return changes;
    },
    forget: () => check.forget(),
  };
}

function projectEvent(event: BookEvent, changes: Changes, check: BookCheck): void {
  const { tenantId: tenant_id, recordedAt } = event;
  switch (event.type) {
    case 'account-opened':
      changes.insert(ACCOUNTS, openedRow(event));
      return;
    case 'account-closed':
      changes.patch(ACCOUNTS, { tenant_id, account_id: event.data.account, status: 'CLOSED', closed_at: recordedAt });
      return;
    case 'account-frozen':
      changes.patch(ACCOUNTS, { tenant_id, account_id: event.data.account, frozen: event.data.scope });
      return;
    case 'account-unfrozen':
      changes.patch(ACCOUNTS, { tenant_id, account_id: event.data.account, frozen: null });
      return;
    case 'account-permission-changed':
      changes.patch(ACCOUNTS, { tenant_id, account_id: event.data.account, permission: event.data.to });
      return;
    case 'account-limits-changed':
      changes.patch(ACCOUNTS, { tenant_id, account_id: event.data.account, ...limits(event.data) });
      return;
    case 'hold-placed':
    case 'hold-released': {
      const { account: account_id, held, liens } = event.data;
      changes.patch(ACCOUNTS, { tenant_id, account_id, held, liens });
      return;
    }
    case 'entry-posted':
      projectEntry(event, changes, check);
  }
}

function projectEntry(event: PostedEntry, changes: Changes, check: BookCheck): void {
  const { tenantId: tenant_id, data } = event;
  check.entry(event);
  for (const { account, balance, sequence } of data.lines) {
    changes.patch(ACCOUNTS, { tenant_id, account_id: account, ledger: balance, sequence });
  }
  if (data.capture !== undefined) {
    const { account: account_id, held, liens } = data.capture;
    changes.patch(ACCOUNTS, { tenant_id, account_id, held, liens });
  }
}

function openedRow(event: Extract<BookEvent, { type: 'account-opened' }> & ScannedEvent) {
  const { data } = event;
  return {
    tenant_id: event.tenantId,
    account_id: data.account,
    ledger: '0',
    held: '0',
    liens: '0',
    sequence: 0,
    opened_revision: event.revision,
    opened_at: event.recordedAt,
    closed_at: null,
    number: data.number,
    name: data.name ?? '',
    // Opened where it is read: the name of an erased person is gone without a change here.
    sealed_name: data.person?.sealed ?? null,
    owner: data.owner,
    currency: data.currency,
    kind: data.kind,
    product: data.product,
    system_role: data.systemRole ?? null,
    status: 'ACTIVATED',
    permission: data.permission,
    frozen: null,
    ...limits(data),
  };
}

function limits(data: {
  overdraftLimit: string;
  minimumBalance?: string | undefined;
  maximumBalance?: string | undefined;
}) {
  return {
    overdraft_limit: data.overdraftLimit,
    minimum_balance: data.minimumBalance ?? null,
    maximum_balance: data.maximumBalance ?? null,
  };
}
