import type { TableDefinition } from '../../application/ports/read-store.js';
import { BookCheck, type PostedEntry } from '../book-event.js';
import { Changes } from '../changes.js';
import type { Projection } from '../projection.js';

/**
 * One lean row a line, two or more a posting: what sorts, sums and filters. Time, narration, reference, actor … of the
 * lines of a page come from the log by (tenant, revision). Keyed by the line's number in its account, so any
 * page of any account is one short range of the key, and a number cannot be there twice.
 */
export const ENTRIES: TableDefinition = {
  name: 'entries',
  comment: 'Lines of entries by account: signed amount and balance after it (credit-positive minor units).',
  columns: {
    tenant_id: 'uuid',
    account_id: 'uuid',
    sequence: 'bigint',
    revision: 'bigint',
    line_index: 'int',
    value_date: 'date',
    amount: 'numeric',
    balance_after: 'numeric',
  },
  key: ['tenant_id', 'account_id', 'sequence'],
  appendOnly: true,
};

/**
 * Turnover by account and value date: trial balances and balances by value date are short sums over it. The first and
 * last line numbers of a day tell where in `entries` its lines are, without an index by date on the hot table.
 */
export const ACCOUNT_DAYS: TableDefinition = {
  name: 'account_days',
  comment: 'Debits, credits and number of lines by account and value date (minor units).',
  columns: {
    tenant_id: 'uuid',
    account_id: 'uuid',
    value_date: 'date',
    lines: 'bigint',
    first_sequence: 'bigint',
    last_sequence: 'bigint',
    debits: 'numeric',
    credits: 'numeric',
  },
  key: ['tenant_id', 'account_id', 'value_date'],
  merge: { lines: 'sum', debits: 'sum', credits: 'sum', first_sequence: 'min', last_sequence: 'max' },
  fillFactor: 60,
};

export const REVERSALS: TableDefinition = {
  name: 'reversals',
  comment: 'Which entry reversed which.',
  columns: { tenant_id: 'uuid', entry_id: 'uuid', reversed_by: 'uuid', revision: 'bigint' },
  key: ['tenant_id', 'entry_id'],
};

/** Lines, turnover and reversals in one projection: a statement's totals and its lines are always of the same moment. */
export function entriesProjection(): Projection {
  const check = new BookCheck();
  return {
    name: 'entries',
    version: 1,
    tables: [ENTRIES, ACCOUNT_DAYS, REVERSALS],
    handles: ['entry-posted'],
    answersQueries: true,
    project(events) {
      const changes = new Changes();
      for (const event of events) projectEntry(event as PostedEntry, changes, check);
      check.trim();
      return changes;
    },
    forget: () => check.forget(),
  };
}

function projectEntry(event: PostedEntry, changes: Changes, check: BookCheck): void {
  const { tenantId: tenant_id, revision, data } = event;
  const amounts = check.entry(event);
  const { lines, valueDate: value_date } = data;
  for (let line_index = 0; line_index < lines.length; line_index += 1) {
    const line = lines[line_index] as (typeof lines)[number];
    const amount = amounts[line_index] as bigint;
    const { account: account_id, sequence, balance: balance_after } = line;
    changes.insert(ENTRIES, {
      tenant_id,
      account_id,
      sequence,
      revision,
      line_index,
      value_date,
      amount,
      balance_after,
    });
    changes.add(ACCOUNT_DAYS, {
      tenant_id,
      account_id,
      value_date,
      lines: 1,
      first_sequence: sequence,
      last_sequence: sequence,
      debits: amount < 0n ? -amount : 0n,
      credits: amount > 0n ? amount : 0n,
    });
  }
  if (data.reverses !== undefined) {
    changes.insert(REVERSALS, { tenant_id, entry_id: data.reverses, reversed_by: event.id, revision });
  }
}
