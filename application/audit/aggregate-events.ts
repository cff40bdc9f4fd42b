import type { Tag } from '../../domain/shared/event.js';
import type { EventLog, StoredEvent } from '../ports/event-log.js';
import type { ReadModels } from '../ports/read-models.js';

/** Finds the events that carry a tag, oldest first. What an event says always comes from the log itself. */
export interface AggregateEvents {
  /** Events with this tag up to revision `to`: all of them, or (where that is cheaper) at least the newest `last`. */
  events(tenantId: string, tag: Tag, to: number, last?: number): AsyncIterable<StoredEvent>;
}

const PAGE = 500;
/** Beyond, one pass over the log costs less than finding so many events one by one. */
const MOST_BY_INDEX = 20_000;

/** By reading the whole log: always right, and slow where the log is long. */
export function scannedEvents(log: Pick<EventLog, 'read'>): AggregateEvents {
  return {
    events: (tenantId, tag, to) => log.read(tenantId, { tags: [tag], to }),
  };
}

/** By the read model's index of tags; it must have seen the log up to `to` (`waitFor`). */
export function indexedEvents(
  log: Pick<EventLog, 'read' | 'eventsById'>,
  readModels: Pick<ReadModels, 'auditEventsByTag'>,
): AggregateEvents {
  return {
    async *events(tenantId, tag, to, last = Number.MAX_SAFE_INTEGER) {
      const size = Math.min(PAGE, last);
      const first = await readModels.auditEventsByTag(tenantId, tag, { page: 1, size });
      if (first.totalElements > MOST_BY_INDEX && last > MOST_BY_INDEX) {
        yield* log.read(tenantId, { tags: [tag], to });
        return;
      }
      const skipped = Math.max(0, Math.floor((first.totalElements - last) / size));
      for (let page = skipped + 1; ; page += 1) {
        const { items } = page === 1 ? first : await readModels.auditEventsByTag(tenantId, tag, { page, size });
        const ids = items.filter((item) => item.revision <= to).map((item) => item.id);
        if (ids.length > 0) {
          const events = await log.eventsById(tenantId, ids);
          yield* [...events].sort((a, b) => a.revision - b.revision);
        }
        if (ids.length < size) return;
      }
    },
  };
}
