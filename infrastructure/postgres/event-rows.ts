import type { StoredEvent } from '../../application/ports/event-log.js';
import { type EventRecord, readEvent } from '../../application/processor/read-event.js';
import type { Tag } from '../../domain/shared/event.js';

/** Events as they are read from `ledger.events`, with `rowMode: 'array'`. */
export const EVENT_COLUMNS = `tenant_id, revision, position, id, type, version,
  to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), to_char(effective_at, 'YYYY-MM-DD'), tags, data, meta, encode(hash, 'hex'), key_id`;

export type EventRow = [
  string,
  string,
  string,
  string,
  string,
  number,
  string,
  string,
  string,
  string,
  string,
  string,
  string | null,
];

export function toEvent(row: EventRow): StoredEvent {
  const [
    tenantId,
    revision,
    position,
    id,
    type,
    version,
    recordedAt,
    effectiveAt,
    tags,
    dataText,
    metaText,
    hash,
    keyId,
  ] = row;
  const record: EventRecord = {
    tenantId,
    revision: Number(revision),
    position,
    id,
    type,
    version,
    recordedAt,
    effectiveAt,
    tags: tags === '' ? [] : (tags.split(' ') as Tag[]),
    dataText,
    metaText,
    hash,
    keyId: keyId ?? undefined,
  };
  return readEvent(record);
}
