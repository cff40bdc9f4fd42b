/**
 * The process that crash.test.ts kills: processor and log on the embedded PostgreSQL of DATA_DIR (first argument), under
 * load from 16 callers. First it asks again for everything that it is given on its standard input, a name a line.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../../application/commands.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import { openDatabase } from '../../infrastructure/postgres/database.js';
import { PostgresEventLog } from '../../infrastructure/postgres/event-log.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';
import { type Report, deed, foundation } from './deeds.js';

const [dataDir = '', round = '0'] = process.argv.slice(2);
const CALLERS = 16;
/** About 1,000 commands a second: every one is checked afterwards. */
const PAUSE_MS = 8;

const report = (line: Report): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const database = await openDatabase({ dataDir, log: () => undefined });
const log = new PostgresEventLog({ url: database.urls.core });
const states = { load: () => Promise.resolve({ revision: -1, states: new Map<never, never>() }) };
const processor = new CommandProcessor({ log, states, clock: systemClock, ids: createIdSource() });

/** Asks until there is an answer, if it may be asked for more than once. */
async function doIt(name: string): Promise<void> {
  const command = deed(name);
  for (;;) {
    report({ sent: name });
    let outcome: Outcome;
    try {
      outcome = await processor.execute(command);
    } catch (error) {
      report({ error: name, message: String(error) });
      if (name.startsWith('once')) return;
      await sleep(50);
      continue;
    }
    report({ answer: name, outcome });
    return;
  }
}

for (const command of foundation()) {
  const outcome = await processor.execute(command);
  if (outcome.status === 'refused') throw new Error(outcome.refusal.message);
}

const again: string[] = [];
for await (const line of createInterface({ input: process.stdin })) again.push(line);
await Promise.all(again.map(doIt));
report({ ready: true });

const KINDS = ['post', 'post', 'journal', 'once'];
await Promise.all(
  Array.from({ length: CALLERS }, async (_, caller) => {
    for (let count = 0; ; count += 1) {
      await doIt(`${KINDS[(caller + count) % KINDS.length]} ${round} ${caller} ${count}`);
      await sleep(PAUSE_MS);
    }
  }),
);
