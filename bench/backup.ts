/**
 * How long a backup and its restore take and how large it is: `node build/bench/backup.js [events]`. Postings of two lines
 * over 10,000 accounts, the whole product's database, by the commands that an operator types.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tenantIdOf } from '../domain/shared/ids.js';
import { createLogger } from '../http/logging.js';
import { deleteCluster } from '../infrastructure/postgres/embedded-cluster.js';
import { readConfig } from '../main/config.js';
import { COMMAND_LINE, CORRELATION, openCoreHere } from '../main/core.js';
import { corebook } from '../tests/support/command-line.js';
import { createTenant, openAccounts, transfers } from './support/load.js';
import { type Run, SLUG } from './support/open-core.js';

const ACCOUNTS = 10_000;
const CALLERS = 8;
const LIST = 100;
const events = Number(process.argv[2] ?? 200_000);

const [dataDir, target] = await Promise.all(['from', 'to'].map((name) => mkdtemp(join(tmpdir(), `corebook-${name}-`))));
if (dataDir === undefined || target === undefined) throw new Error('no directories');
try {
  const logger = createLogger({ level: 'warn', destination: process.stderr });
  const core = await openCoreHere({ config: readConfig({ DATA_DIR: dataDir }), logger, project: true });
  const asked = { tenantId: tenantIdOf(SLUG), actor: COMMAND_LINE, correlationId: CORRELATION };
  const run: Run = (name, payload) => core.bus.execute({ ...asked, name, payload });
  await createTenant(run);
  await openAccounts(run, ACCOUNTS);
  const fill = async (): Promise<void> => {
    for (let i = 0; i < events / CALLERS / LIST; i += 1) await run('post-entries', transfers(LIST, ACCOUNTS));
  };
  await Promise.all(Array.from({ length: CALLERS }, fill));
  await core.caughtUp();
  await core.close();
  for (const secret of ['master-secret', 'token-secret']) await copyFile(join(dataDir, secret), join(target, secret));

  for (const more of [[], ['--no-read-models']]) {
    const file = join(dataDir, `bench${more.join('')}.backup`);
    const made = await corebook({ DATA_DIR: dataDir }, 'backup', 'create', file, ...more).done;
    tell(`backup ${more.join(' ')}`, made);
    const register = ['--erasures', join(dataDir, 'erasures.jsonl')];
    const restored = await corebook({ DATA_DIR: target }, 'backup', 'restore', file, '--replace', ...register).done;
    tell(`restore ${more.join(' ')}`, restored);
    await corebook({ DATA_DIR: target }, 'backup', 'clean').done;
  }
} finally {
  for (const directory of [dataDir, target]) {
    await deleteCluster(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

function tell(what: string, { code, json, errors }: Awaited<ReturnType<typeof corebook>['done']>): void {
  if (code !== 0) throw new Error(errors);
  const {
    events: count,
    seconds,
    bytes,
    took,
  } = json as {
    events: number;
    seconds: number;
    bytes?: number;
    took?: Record<string, number>;
  };
  const parts = Object.entries(took ?? {}).map(([name, part]) => `, ${name} ${part.toFixed(1)} s`);
  const size =
    bytes === undefined ? '' : `, ${(bytes / 1e6).toFixed(1)} MB, ${Math.round(bytes / count)} bytes an event`;
  const rate = Math.round(count / seconds).toLocaleString('en');
  console.log(
    `${what.padEnd(28)} ${count.toLocaleString('en')} events in ${seconds.toFixed(1)} s (${rate}/s)${size}${parts.join('')}`,
  );
}
