import type { QueryRow } from '../../application/ports/queries.js';
import type { EntryLineView } from '../../application/ports/read-models.js';
import type { EntryPosted } from '../../domain/ledger/events.js';
import { lineIdOf } from '../../domain/shared/ids.js';
import { count, instant, minor, optionalText, text } from '../rows.js';

/**
 * What a list of lines selects: the row of `ledger.entries` (l), and from the entry's event (e) only the members that are
 * shown, in one pass over its JSON. Members stay JSON text: it may hold characters that a Postgres text may not.
 */
export const LINE_COLUMNS = `l.account_id, l.sequence, l.revision, l.line_index, l.value_date, l.amount, l.balance_after,
  ${instant('e.recorded_at')} as recorded_at, e.id, e.meta, d.kind, d.narration, d.reference, d."instructionKey", d.reverses,
  d.lines -> l.line_index as line, r.reversed_by`;
export const LINE_SOURCES = `join ledger.events e on e.tenant_id = l.tenant_id and e.revision = l.revision
  cross join lateral json_to_record(e.data::json)
    as d(kind json, narration json, reference json, "instructionKey" json, reverses json, lines json)
  left join ledger.reversals r on r.tenant_id = l.tenant_id and r.entry_id = e.id`;

export function lineView(row: QueryRow): EntryLineView {
  const entryId = text(row, 'id');
  const lineIndex = count(row, 'line_index');
  const signed = minor(row, 'amount');
  const balanceAfter = minor(row, 'balance_after');
  const { currency, narration } = JSON.parse(text(row, 'line')) as { currency: string; narration?: string };
  const { actor = '', correlation = '' } = JSON.parse(text(row, 'meta')) as Record<string, string>;
  return {
    lineId: lineIdOf(entryId, lineIndex),
    entryId,
    revision: count(row, 'revision'),
    lineIndex,
    accountId: text(row, 'account_id'),
    currency,
    side: signed < 0n ? 'debit' : 'credit',
    amount: signed < 0n ? -signed : signed,
    balanceBefore: balanceAfter - signed,
    balanceAfter,
    sequence: count(row, 'sequence'),
    valueDate: text(row, 'value_date'),
    recordedAt: text(row, 'recorded_at'),
    kind: json(row, 'kind') ?? '',
    narration: narration ?? json(row, 'narration'),
    reference: json(row, 'reference'),
    instructionKey: json(row, 'instructionKey'),
    correlationId: correlation,
    actor,
    reverses: json(row, 'reverses'),
    reversedBy: optionalText(row, 'reversed_by'),
  };
}

function json(row: QueryRow, column: string): string | null {
  const value = row[column] ?? null;
  return value === null ? null : (JSON.parse(value) as string);
}

/** What a list of whole entries selects from their events (e); the lines are in the event. */
export const ENTRY_COLUMNS = `e.id, e.revision, e.meta, e.data, ${instant('e.recorded_at')} as recorded_at, r.reversed_by`;
export const ENTRY_SOURCES = `left join ledger.reversals r on r.tenant_id = e.tenant_id and r.entry_id = e.id`;

/** All lines of an entry, in its order. */
export function entryLines(row: QueryRow): EntryLineView[] {
  const entryId = text(row, 'id');
  const data = JSON.parse(text(row, 'data')) as EntryPosted['data'];
  const { actor = '', correlation = '' } = JSON.parse(text(row, 'meta')) as Record<string, string>;
  const whole = {
    entryId,
    revision: count(row, 'revision'),
    valueDate: data.valueDate,
    recordedAt: text(row, 'recorded_at'),
    kind: data.kind,
    reference: data.reference ?? null,
    instructionKey: data.instructionKey ?? null,
    correlationId: correlation,
    actor,
    reverses: data.reverses ?? null,
    reversedBy: optionalText(row, 'reversed_by'),
  };
  return data.lines.map((line, lineIndex) => {
    const amount = BigInt(line.amount);
    const balanceAfter = BigInt(line.balance);
    return {
      ...whole,
      lineId: lineIdOf(entryId, lineIndex),
      lineIndex,
      accountId: line.account,
      currency: line.currency,
      side: line.side,
      amount,
      balanceBefore: line.side === 'credit' ? balanceAfter - amount : balanceAfter + amount,
      balanceAfter,
      sequence: line.sequence,
      narration: line.narration ?? data.narration ?? null,
    };
  });
}
