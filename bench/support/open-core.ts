import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command, CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { ProcessorObserver } from '../../application/processor/processor-ports.js';
import type { StateStore } from '../../application/ports/state-store.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

/** States are kept in memory only: for measuring the write path by itself. */
const noStates: StateStore = { load: () => Promise.resolve({ revision: -1, states: new Map() }) };

export const SLUG = 'bench';
export const TENANT = tenantIdOf(SLUG);

/** A core on a database of its own under the temporary directory, removed on close. */
export async function openCore(options: { states?: StateStore; observer?: ProcessorObserver } = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-bench-'));
  const database = await openDatabase({ dataDir, log: () => undefined });
  const log = new PostgresEventLog({ url: database.urls.core });
  const processor = new CommandProcessor(
    {
      log,
      states: options.states ?? noStates,
      clock: systemClock,
      ids: createIdSource(),
      ...(options.observer === undefined ? {} : { observer: options.observer }),
    },
    { maxCachedAggregates: 2_000_000 },
  );
  const run = runner(processor);
  return {
    database,
    log,
    processor,
    run,
    async close(): Promise<void> {
      await processor.close();
      await log.close();
      await database.close();
      await deleteCluster(dataDir);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export type Run = <N extends CommandName>(name: N, payload: CommandPayloads[N]) => Promise<Outcome>;

/** Commands of the bench's tenant to a processor. */
export function runner(processor: CommandProcessor): Run {
  return <N extends CommandName>(name: N, payload: CommandPayloads[N]) =>
    processor.execute({
      name,
      tenantId: TENANT,
      payload,
      actor: { subject: 'bench', roles: ['MANAGER'] },
      correlationId: '00000000-0000-4000-8000-000000000000',
    } as Command<N>);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
