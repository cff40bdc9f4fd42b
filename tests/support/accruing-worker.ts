// A process that accrues loans and says so, for the tests that kill it or run two: argv[2] is { url, tenantId, nowMs } as JSON.
import { once } from 'node:events';
import pg from 'pg';
import type { CommandBus } from '../../application/commands.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import { loanAccrualProcessor } from '../../application/reactors/loan-accrual.js';
import { PostgresDueLoans } from '../../infrastructure/postgres/due-loans.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

const { url, nowMs } = JSON.parse(process.argv[2] ?? '') as { url: string; nowMs: number };
const log = new PostgresEventLog({ url });
const clock = { ...systemClock, nowMs: () => nowMs };
const states = { load: () => Promise.resolve({ revision: -1, states: new Map() }) };
// Small batches, so that there is a middle to be killed in.
const processor = new CommandProcessor({ log, states, clock, ids: createIdSource() }, { maxBatchCommands: 4 });
const bus: CommandBus = {
  async execute(command) {
    const outcome = await processor.execute(command);
    process.stdout.write(`${command.name}\n`);
    return outcome;
  },
};
// Whoever runs two lets them begin at once.
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
const pool = new pg.Pool({ connectionString: url, max: 1 });
await loanAccrualProcessor({ bus, dueLoans: new PostgresDueLoans(pool), clock })({
  id: 'sweep',
  data: { task: 'sweep' },
  attempt: 1,
  signal: new AbortController().signal,
});
await processor.close();
await log.close();
await pool.end();
