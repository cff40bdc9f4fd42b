import type { Json } from '../../domain/shared/event.js';
import type { EventLog, StoredEvent } from './event-log.js';

/** What projections read of an event: all but the texts and hashes that only `verify` needs. */
export type ScannedEvent = Omit<StoredEvent, 'hash' | 'dataText' | 'metaText' | 'storedVersion'> & {
  /** What `data.person` says, opened by the runner; undefined where nothing is sealed or the person was erased. */
  readonly opened?: Json | undefined;
};

export interface ScanOptions {
  /** Strictly after this position; '' from the beginning. */
  readonly after: string;
  /** Most events looked at. */
  readonly limit: number;
  readonly types: readonly string[] | 'all';
}

export interface ScanPage {
  /** Events of the wanted types, in order. */
  readonly events: readonly ScannedEvent[];
  /** Position up to which all events were looked at; `after` again when there are no more. */
  readonly next: string;
}

/** Reads the whole log in bulk, for rebuilds. */
export interface EventScan {
  scan(options: ScanOptions): Promise<ScanPage>;
}

/** A scan over any log. */
export function scanOf(log: EventLog): EventScan {
  return {
    async scan({ after, limit, types }) {
      const all = await log.readAll({ after, limit });
      const events = types === 'all' ? all : all.filter((event) => types.includes(event.type));
      return { events, next: all.at(-1)?.position ?? after };
    },
  };
}
