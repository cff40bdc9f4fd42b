import type { EntryPosted, Line } from '../../domain/ledger/events.js';
import type { EventLog, StoredEvent } from '../ports/event-log.js';

/**
 * An entry is reversed at most once, by a later entry that mirrors it or a part of it. `reversed` collects the entries
 * reversed so far. The original is fetched: reversals are rare, and all entries would not fit in memory.
 */
export async function checkReversal(
  event: StoredEvent,
  reversed: Set<string>,
  log: Pick<EventLog, 'eventsById'>,
): Promise<string | undefined> {
  if (event.type !== 'entry-posted') return undefined;
  const { reverses, lines } = (event as EntryPosted & StoredEvent).data;
  if (reverses === undefined) return undefined;
  if (reversed.has(reverses)) return `entry ${reverses} is reversed a second time`;
  reversed.add(reverses);
  const [original] = await log.eventsById(event.tenantId, [reverses]);
  if (original === undefined || original.type !== 'entry-posted' || original.revision >= event.revision) {
    return `it reverses ${reverses}, which is no earlier entry`;
  }
  const { data } = original as EntryPosted & StoredEvent;
  if (data.kind === 'reversal') return `it reverses ${reverses}, which is a reversal itself`;
  const left = sumBy(data.lines, (line) => line.side);
  for (const [place, amount] of sumBy(lines, (line) => (line.side === 'debit' ? 'credit' : 'debit'))) {
    if (amount > (left.get(place) ?? 0n)) return `it reverses more of ${reverses} than was posted`;
  }
  return undefined;
}

function sumBy(lines: readonly Line[], sideOf: (line: Line) => string): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const line of lines) {
    const place = `${line.account} ${line.currency} ${sideOf(line)}`;
    sums.set(place, (sums.get(place) ?? 0n) + BigInt(line.amount));
  }
  return sums;
}
