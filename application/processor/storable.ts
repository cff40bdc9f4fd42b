import { AppendRejected, type SealedEvent } from '../ports/event-log.js';

/** Tags are joined by spaces and all names by line feeds, in storage and in the text that is hashed. */
const NOT_IN_A_NAME = /[\u0000-\u0020\u007f]/;
/** An escape, not an escaped backslash, of NUL or of half a surrogate pair: text that no text column of ours can hold. */
const NOT_TEXT = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

/**
 * Throws `AppendRejected` for what a log must not hold, the same for every adapter: names with white space or control
 * characters, and texts with NUL or half characters, which the log itself might keep but read models could not.
 */
export function checkStorable(events: readonly SealedEvent[]): void {
  for (const event of events) {
    for (const tag of event.tags)
      if (NOT_IN_A_NAME.test(tag)) reject(event, 'a tag has white space or control characters');
    if (NOT_IN_A_NAME.test(event.type)) reject(event, 'its type has white space or control characters');
    if (!isStorableText(event.dataText)) reject(event, 'its data holds characters that cannot be stored');
    if (!isStorableText(event.metaText)) reject(event, 'its meta holds characters that cannot be stored');
  }
}

function isStorableText(text: string): boolean {
  // Almost no text has any of these: four scans without a regular expression.
  if (text.includes('\n') || text.includes('\u0000')) return false;
  return !text.includes('\\u') || !NOT_TEXT.test(text);
}

function reject(event: SealedEvent, reason: string): never {
  throw new AppendRejected(`event ${event.type} cannot be stored: ${reason}`);
}
