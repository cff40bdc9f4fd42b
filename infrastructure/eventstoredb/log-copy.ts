import type { Position } from '@eventstore/db-client';
import { GENESIS_HASH, type SealedEvent } from '../../application/ports/event-log.js';
import type { Pool } from '../postgres/pool.js';

export interface Standing {
  /** Whether the copy reaches to the event that the batch was sealed upon. */
  readonly reaches: boolean;
  /** Keys and ids of the batch that stand in the log already. */
  readonly keyIds: readonly string[];
  readonly ids: readonly string[];
}

/** What the copy in PostgreSQL is asked beside what every log is asked: keys and ids, ends, and how far was followed. */
export class LogCopy {
  constructor(private readonly pool: Pool) {}

  /** What must be known before a batch is appended. Throws when the log is not at home in EventStoreDB. */
  async standing(tenantId: string, expectedRevision: number, events: readonly SealedEvent[]): Promise<Standing> {
    const keyIds = events.flatMap((event) => (event.keyId === undefined ? [] : [event.keyId]));
    const { rows } = await this.pool.query<[string, string | null, string[], string[]]>({
      name: 'copy-standing',
      text: `select h.home,
                    (select encode(hash, 'hex') from ledger.events where tenant_id = $1 and revision = $2),
                    array(select key_id::text from ledger.events where key_id = any($3::uuid[])),
                    array(select id::text from ledger.events where id = any($4::uuid[]))
               from ledger.log_head h`,
      values: [tenantId, expectedRevision, keyIds, events.map((event) => event.id)],
      rowMode: 'array',
    });
    const [home, hash, keys, ids] = rows[0] ?? ['nowhere', null, [], []];
    if (home !== 'eventstoredb') throw new Error(`the log of this database is kept in ${home}, not in eventstoredb`);
    const reached = expectedRevision === -1 ? GENESIS_HASH : hash;
    return { reaches: reached === events[0]?.previousHash, keyIds: keys, ids };
  }

  /** Where the copies of these tenants' logs end: their last revisions; a tenant without a copy is left out. */
  async ends(tenantIds: readonly string[]): Promise<Map<string, number>> {
    const { rows } = await this.pool.query<[string, string]>({
      name: 'copy-ends',
      text: 'select tenant_id, revision from ledger.log_tenants where tenant_id = any($1::uuid[])',
      values: [tenantIds],
      rowMode: 'array',
    });
    return new Map(rows.map(([tenantId, revision]) => [tenantId, Number(revision)]));
  }

  /** Everything up to this position of $all is in the copy; undefined before the first time. */
  async followedTo(): Promise<Position | undefined> {
    const { rows } = await this.pool.query<[string | null, string | null]>({
      text: 'select commit_position, prepare_position from ledger.log_follower',
      rowMode: 'array',
    });
    const [commit, prepare] = rows[0] ?? [null, null];
    return commit === null || prepare === null ? undefined : { commit: BigInt(commit), prepare: BigInt(prepare) };
  }

  /** Never goes back: several followers may run. */
  async setFollowedTo({ commit, prepare }: Position): Promise<void> {
    await this.pool.query({
      name: 'copy-followed',
      text: `update ledger.log_follower set commit_position = $1, prepare_position = $2
              where commit_position is null or commit_position < $1`,
      values: [commit.toString(), prepare.toString()],
    });
  }
}
