import type { Row, TableDefinition } from '../../application/ports/read-store.js';
import type { HoldType } from '../../domain/ledger/events.js';
import { type HoldState, holdAggregate, remainingOf } from '../../domain/ledger/hold.js';
import type { BookEvent } from '../book-event.js';
import { Changes } from '../changes.js';
import { InvariantViolation, type Projection, textOf } from '../projection.js';

export const HOLDS: TableDefinition = {
  name: 'holds',
  comment: 'Holds and liens: what was placed, captured and released (minor units).',
  columns: {
    tenant_id: 'uuid',
    hold_id: 'uuid',
    account_id: 'uuid',
    currency: 'text',
    type: 'text',
    status: 'text',
    reason: 'text',
    group_id: 'text',
    placed: 'numeric',
    captured: 'numeric',
    released: 'numeric',
    placed_revision: 'bigint',
    placed_at: 'timestamptz',
    expires_at: 'timestamptz',
  },
  key: ['tenant_id', 'hold_id'],
  nullable: ['group_id', 'expires_at'],
  indexes: [
    { columns: ['tenant_id', 'account_id', 'placed_revision'] },
    { columns: ['tenant_id', 'placed_revision'] },
    { columns: ['tenant_id', 'group_id', 'placed_revision'], where: 'group_id is not null' },
    { columns: ['tenant_id', 'placed_revision'], where: "status = 'ACTIVE'" },
  ],
  fillFactor: 70,
};

/** The hold's own fold (domain/ledger/hold.ts), row by row: what a status means is decided in one place. */
export function holdsProjection(): Projection {
  return {
    name: 'holds',
    version: 1,
    tables: [HOLDS],
    handles: ['hold-placed', 'hold-released', 'entry-posted'],
    answersQueries: true,
    needs(events) {
      const keys = events.flatMap((event) => {
        const hold = holdOf(event as BookEvent);
        return hold === undefined || event.type === 'hold-placed' ? [] : [{ tenant_id: event.tenantId, hold_id: hold }];
      });
      return [{ table: HOLDS, keys }];
    },
    project(events, loaded) {
      const changes = new Changes();
      const rows = new Map<string, Row>();
      for (const event of events) {
        const hold_id = holdOf(event as BookEvent);
        if (hold_id === undefined) continue;
        const key = { tenant_id: event.tenantId, hold_id };
        const row = next(event as BookEvent, key, rows.get(hold_id) ?? loaded.get(HOLDS, key));
        rows.set(hold_id, row);
        changes.put(HOLDS, row);
      }
      return changes;
    },
  };
}

function holdOf(event: BookEvent): string | undefined {
  if (event.type === 'entry-posted') return event.data.capture?.hold;
  return event.type === 'hold-placed' || event.type === 'hold-released' ? event.data.hold : undefined;
}

function next(event: BookEvent, key: { tenant_id: string; hold_id: string }, before: Row | undefined): Row {
  if ((event.type === 'hold-placed') !== (before === undefined)) {
    throw new InvariantViolation(`hold ${key.hold_id}: ${event.type} ${before === undefined ? 'without' : 'on'} a row`);
  }
  const state = holdAggregate.evolve(stateOf(before, key.hold_id), event, key.hold_id);
  if (remainingOf(state) < 0n) throw new InvariantViolation(`hold ${key.hold_id} gave more than was placed`);
  return {
    ...key,
    account_id: state.account,
    currency: state.currency,
    type: state.type,
    status: state.status,
    reason: state.reason,
    group_id: state.group ?? null,
    placed: state.placed,
    captured: state.captured,
    released: state.released,
    placed_revision: before?.['placed_revision'] ?? event.revision,
    placed_at: before?.['placed_at'] ?? event.recordedAt,
    expires_at: state.expiresAt ?? null,
  };
}

function stateOf(row: Row | undefined, id: string): HoldState {
  if (row === undefined) return holdAggregate.initial(id);
  return {
    status: textOf(row['status']) as HoldState['status'],
    account: textOf(row['account_id']),
    currency: textOf(row['currency']),
    type: textOf(row['type']) as HoldType,
    reason: textOf(row['reason']),
    group: (row['group_id'] as string | null) ?? undefined,
    expiresAt: (row['expires_at'] as string | null) ?? undefined,
    placed: row['placed'] as bigint,
    captured: row['captured'] as bigint,
    released: row['released'] as bigint,
  };
}
