import { type EventData, binaryEvent, jsonEvent } from '@eventstore/db-client';
import { z } from 'zod';
import type { SealedEvent } from '../../application/ports/event-log.js';
import { canonicalText, chainHash } from '../../application/processor/seal.js';
import type { Tag } from '../../domain/shared/event.js';
import type { Recorded } from './connection.js';
import { LogDiverged } from './failures.js';

/**
 * How an event lies in EventStoreDB. `data` is the very text that was hashed: as JSON, so that people and projections
 * there can read it, or as bytes where parsing and writing it again would change it. Everything else is in the metadata.
 */
const metadataSchema = z.object({
  version: z.int(),
  recordedAt: z.string(),
  effectiveAt: z.string(),
  /** Joined by one space, as they are hashed. */
  tags: z.string(),
  hash: z.string(),
  /** The meta text that was hashed. */
  meta: z.string(),
  keyId: z.string().optional(),
});

/** An event as it is appended to its tenant's stream. */
export function toEventData(event: SealedEvent): EventData {
  const metadata: z.infer<typeof metadataSchema> = {
    version: event.version,
    recordedAt: event.recordedAt,
    effectiveAt: event.effectiveAt,
    tags: event.tags.join(' '),
    hash: event.hash,
    meta: event.metaText,
    ...(event.keyId === undefined ? {} : { keyId: event.keyId }),
  };
  const { id, type, dataText } = event;
  const data = JSON.parse(dataText) as Record<string, unknown>;
  return JSON.stringify(data) === dataText
    ? jsonEvent({ id, type, data, metadata })
    : binaryEvent({ id, type, data: Buffer.from(dataText, 'utf8'), metadata });
}

/**
 * The event as it was sealed upon `previousHash`. Throws `LogDiverged` if that is not what stands there: somebody else
 * wrote into the stream, or the chain is broken.
 */
export function fromRecorded(tenantId: string, previousHash: string, recorded: Recorded): SealedEvent {
  const { id, type } = recorded;
  const revision = Number(recorded.revision);
  const { version, recordedAt, effectiveAt, tags, hash, meta, keyId } = metadataOf(recorded);
  const sealed: SealedEvent = {
    id,
    type,
    version,
    recordedAt,
    effectiveAt,
    tags: tags === '' ? [] : (tags.split(' ') as Tag[]),
    dataText: recorded.isJson ? JSON.stringify(recorded.data) : Buffer.from(recorded.data).toString('utf8'),
    metaText: meta,
    hash,
    previousHash,
    ...(keyId === undefined ? {} : { keyId }),
  };
  if (chainHash(previousHash, canonicalText({ ...sealed, tenantId, revision })) !== hash) {
    throw new LogDiverged(`the hash chain is broken at ${revision}@${recorded.streamId}`);
  }
  return sealed;
}

/** The hash that an event carries. */
export function hashOf(recorded: Recorded): string {
  return metadataOf(recorded).hash;
}

function metadataOf(recorded: Recorded): z.infer<typeof metadataSchema> {
  const result = metadataSchema.safeParse(recorded.metadata);
  if (result.success) return result.data;
  throw new LogDiverged(`${recorded.revision}@${recorded.streamId} is not an event of ours`);
}
