import type { TableDefinition } from '../../application/ports/read-store.js';
import { PRIVILEGED_EVENTS } from '../../domain/privileged.js';
import { Changes } from '../changes.js';
import type { Projection } from '../projection.js';

/**
 * Which events carry a tag. Beside the events' own tags: `correlation:<id>` for every event (history by interaction id)
 * and `type:<type>` for all but entries, `privileged` for acts of staff that auditors ask for. The `account:` tags of entries are not here: `entries` knows them, and there
 * are two of them a posting. The key is all there is to a row, so its index answers by itself.
 */
export const EVENT_TAGS: TableDefinition = {
  name: 'event_tags',
  comment: 'Revisions of the events that carry a tag; entries are found by account in ledger.entries.',
  columns: { tenant_id: 'uuid', tag: 'text', revision: 'bigint' },
  key: ['tenant_id', 'tag', 'revision'],
  appendOnly: true,
};

export const correlationTag = (correlationId: string): string => `correlation:${correlationId}`;
export const PRIVILEGED_TAG = 'privileged';
export const typeTag = (type: string): string => `type:${type}`;

export function historyProjection(): Projection {
  return {
    name: 'history',
    version: 2,
    tables: [EVENT_TAGS],
    handles: 'all',
    answersQueries: true,
    project(events) {
      const changes = new Changes();
      for (const { tenantId: tenant_id, revision, type, tags, meta } of events) {
        const isEntry = type === 'entry-posted';
        for (const tag of new Set(tags)) {
          if (!isEntry || !tag.startsWith('account:')) changes.insert(EVENT_TAGS, { tenant_id, tag, revision });
        }
        if (!isEntry) changes.insert(EVENT_TAGS, { tenant_id, tag: typeTag(type), revision });
        if (PRIVILEGED_EVENTS.has(type)) changes.insert(EVENT_TAGS, { tenant_id, tag: PRIVILEGED_TAG, revision });
        const { correlation } = meta;
        if (correlation !== undefined) {
          changes.insert(EVENT_TAGS, { tenant_id, tag: correlationTag(correlation), revision });
        }
      }
      return changes;
    },
  };
}
