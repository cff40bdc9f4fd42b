/** The event store's own streams against the copy in PostgreSQL, read past the product. */
import { EventStoreDBClient, FORWARDS, START } from '@eventstore/db-client';
import type { PostgresServer } from './servers.js';

const PAGE = 100_000;

/** Every event is in its stream once, at the revision that the copy says. */
export async function compareStreams(url: string, postgres: PostgresServer): Promise<string[]> {
  const client = EventStoreDBClient.connectionString(url);
  const problems: string[] = [];
  try {
    const tenants = await postgres.rows<{ tenant_id: string }>('select tenant_id from ledger.log_tenants');
    for (const { tenant_id: tenantId } of tenants) {
      const rows = await postgres.rows<{ id: string }>(
        'select id from ledger.events where tenant_id = $1 order by revision',
        [tenantId],
      );
      const ids: string[] = [];
      const options = { direction: FORWARDS, fromRevision: START, maxCount: PAGE } as const;
      for await (const { event } of client.readStream(`corebook_tenant-${tenantId}`, options)) {
        if (event !== undefined) ids.push(event.id);
      }
      const differs = ids.findIndex((id, revision) => rows[revision]?.id !== id);
      if (ids.length !== rows.length || differs >= 0) {
        problems.push(`the stream of ${tenantId} has ${ids.length} events, the copy ${rows.length} (${differs})`);
      }
    }
  } finally {
    await client.dispose();
  }
  return problems;
}
