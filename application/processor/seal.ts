import * as crypto from 'node:crypto';
import type { DomainEvent } from '../../domain/shared/event.js';
import type { SealedEvent, StoredEvent } from '../ports/event-log.js';

/**
 * The canonical text of an event: its fields joined by line feeds. None can contain one: ids, dates and tags have no
 * control characters, and JSON text escapes them. What is stored is what was hashed, byte for byte.
 */
export function canonicalText(event: {
  tenantId: string;
  revision: number;
  id: string;
  type: string;
  version: number;
  recordedAt: string;
  effectiveAt: string;
  tags: readonly string[];
  metaText: string;
  dataText: string;
}): string {
  return `${event.tenantId}\n${event.revision}\n${event.id}\n${event.type}\n${event.version}\n${event.recordedAt}\n${event.effectiveAt}\n${event.tags.join(' ')}\n${event.metaText}\n${event.dataText}`;
}

/** `crypto.hash` (Node 20.12) spares the hash object. */
const sha256Hex: (text: string) => string =
  typeof crypto.hash === 'function'
    ? (text) => crypto.hash('sha256', text, 'hex')
    : (text) => crypto.createHash('sha256').update(text, 'utf8').digest('hex');

/** SHA-256 (hex) of the previous hash (hex text), a line feed and the canonical text. */
export function chainHash(previousHash: string, canonical: string): string {
  return sha256Hex(`${previousHash}\n${canonical}`);
}

/** Makes an event ready to append at `revision` after an event with `previousHash`. */
export function seal(
  tenantId: string,
  revision: number,
  previousHash: string,
  recordedAt: string,
  event: DomainEvent,
  metaText: string,
  keyId: string | undefined,
): SealedEvent {
  const dataText = JSON.stringify(event.data);
  const effectiveAt = event.effectiveAt ?? recordedAt.slice(0, 10);
  const { id, type, version, tags } = event;
  const canonical = canonicalText({
    tenantId,
    revision,
    id,
    type,
    version,
    recordedAt,
    effectiveAt,
    tags,
    metaText,
    dataText,
  });
  const hash = chainHash(previousHash, canonical);
  return {
    id,
    type,
    version,
    recordedAt,
    effectiveAt,
    tags,
    dataText,
    metaText,
    hash,
    previousHash,
    ...(keyId === undefined ? {} : { keyId }),
  };
}

/** Whether a stored event is what was hashed after `previousHash`. */
export function isChained(previousHash: string, event: StoredEvent): boolean {
  return chainHash(previousHash, canonicalText({ ...event, version: event.storedVersion })) === event.hash;
}
