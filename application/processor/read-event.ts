import { upcast } from '../../domain/event-types.js';
import type { Tag } from '../../domain/shared/event.js';
import type { EventMeta, StoredEvent } from '../ports/event-log.js';

/** An event as a storage holds it: all text. */
export interface EventRecord {
  readonly tenantId: string;
  readonly revision: number;
  readonly position: string;
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly recordedAt: string;
  readonly effectiveAt: string;
  readonly tags: readonly Tag[];
  readonly dataText: string;
  readonly metaText: string;
  readonly hash: string;
  readonly keyId: string | undefined;
}

/** Parses a stored event and lifts it to its newest version. Throws `UnknownEvent` for what this code cannot read. */
export function readEvent(record: EventRecord): StoredEvent {
  // Member by member, always in this order: spreads cost as much as parsing the texts.
  const event: { -readonly [K in keyof StoredEvent]: StoredEvent[K] } = {
    tenantId: record.tenantId,
    revision: record.revision,
    position: record.position,
    id: record.id,
    type: record.type,
    version: record.version,
    recordedAt: record.recordedAt,
    effectiveAt: record.effectiveAt,
    tags: record.tags,
    dataText: record.dataText,
    metaText: record.metaText,
    hash: record.hash,
    data: JSON.parse(record.dataText) as unknown,
    meta: JSON.parse(record.metaText) as EventMeta,
    storedVersion: record.version,
  };
  if (record.keyId !== undefined) event.keyId = record.keyId;
  return upcast(event);
}
