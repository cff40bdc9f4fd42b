import { AppendRejected, type SealedEvent } from '../../application/ports/event-log.js';
import { checkStorable } from '../../application/processor/storable.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** `smallint`. */
const MAX_VERSION = 32_767;

/**
 * Throws `AppendRejected` for what the copy could not hold. EventStoreDB would take it, and then the copy would stand
 * still at it: this must be known before.
 */
export function checkCopyable(events: readonly SealedEvent[]): void {
  checkStorable(events);
  const ids = new Set<string>();
  for (const event of events) {
    if (!UUID.test(event.id)) reject(event, 'its id is not a UUID in lower case');
    if (event.keyId !== undefined && !UUID.test(event.keyId)) reject(event, 'its key is not a UUID in lower case');
    if (!isDate(event.effectiveAt)) reject(event, `${event.effectiveAt} is no date`);
    if (!isInstant(event.recordedAt)) reject(event, `${event.recordedAt} is no time`);
    if (!Number.isInteger(event.version) || event.version < 1 || event.version > MAX_VERSION)
      reject(event, 'its version is out of range');
    if (ids.has(event.id)) reject(event, 'its id stands twice in the batch');
    ids.add(event.id);
  }
}

/** A day of the calendar, of the years 1 to 9999. */
function isDate(text: string): boolean {
  if (!DATE.test(text) || text < '0001') return false;
  const time = Date.parse(`${text}T00:00:00.000Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function isInstant(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}

function reject(event: SealedEvent, reason: string): never {
  throw new AppendRejected(`event ${event.type} cannot be stored: ${reason}`);
}
