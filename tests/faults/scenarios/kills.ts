/** kill -9 of every process there is; whoever supervises it (here: the suite) starts it again. */
import { setTimeout as delay } from 'node:timers/promises';
import { jobsRun } from '../holds.js';
import { EMBEDDED, EVENT_STORE, NOBODY, ONE_PROCESS, ROLES_APART } from '../kinds.js';
import type { Product } from '../product.js';
import type { Rig } from '../rig.js';
import type { Scenario } from '../scenario.js';

const DEAD_MS = 2_000;

function killing(
  name: string,
  victims: (rig: Rig) => readonly Product[],
  rest: Pick<Scenario, 'fault' | 'serves'> & Partial<Scenario>,
): Scenario {
  return {
    rig: ROLES_APART,
    lastsMs: DEAD_MS,
    ...rest,
    name,
    fault: `kill -9: ${rest.fault}`,
    strike: async (rig) => {
      await Promise.all(victims(rig).map((product) => product.end('SIGKILL')));
    },
    heal: async (rig) => {
      await Promise.all(victims(rig).map((product) => product.start()));
    },
  };
}

const withRole = (role: string) => (rig: Rig) => rig.products.filter(({ roles }) => roles === role);
const firstOf = (role: string) => (rig: Rig) => withRole(role)(rig).slice(0, 1);

export const PROCESS_KILLS: readonly Scenario[] = [
  killing('kill-api', (rig) => withRole('api')(rig).slice(1), {
    fault: 'one of two API processes',
    serves: 'yes',
    callersMaySee: NOBODY,
  }),
  killing('kill-projector', firstOf('projector'), { fault: 'one of two projectors', serves: 'yes' }),
  killing('kill-projectors', withRole('projector'), {
    fault: 'all projectors',
    serves: 'yes',
    ready: 'either',
  }),
  killing('kill-worker', withRole('worker'), { fault: 'the only worker', serves: 'yes', after: jobsRun }),
  {
    name: 'freeze-projector',
    fault: 'the active projector is frozen (SIGSTOP) and wakes up to a world that went on',
    rig: ROLES_APART,
    serves: 'yes',
    ready: 'either',
    lastsMs: 15_000,
    strike: (rig) => signal(firstOf('projector')(rig), 'SIGSTOP'),
    heal: (rig) => signal(firstOf('projector')(rig), 'SIGCONT'),
  },
  {
    name: 'freeze-api',
    fault: 'one of two API processes is frozen (SIGSTOP)',
    rig: ROLES_APART,
    serves: 'yes',
    ready: 'either',
    // Whoever leads a tenant is replaced when he has been silent for 10 s; what was handed to him is answered after 15 s.
    lastsMs: 20_000,
    strike: (rig) => signal(withRole('api')(rig).slice(1), 'SIGSTOP'),
    heal: (rig) => signal(withRole('api')(rig).slice(1), 'SIGCONT'),
  },
];

export const SERVER_KILLS: readonly Scenario[] = [
  killing('kill-process', (rig) => rig.products, {
    rig: ONE_PROCESS,
    fault: 'the one process with all roles',
    serves: 'no',
    callersMaySee: NOBODY,
    processDies: true,
  }),
  {
    name: 'kill-postmaster',
    fault: 'kill -9: PostgreSQL (postmaster)',
    rig: ONE_PROCESS,
    serves: 'no',
    lastsMs: 3_000,
    strike: (rig) => rig.postgres.killPostmaster(),
    heal: (rig) => rig.postgres.start(),
  },
  {
    name: 'kill-embedded-postgres',
    fault: 'kill -9: the embedded PostgreSQL; the product starts it again by itself',
    rig: EMBEDDED,
    serves: 'partly',
    lastsMs: 500,
    strike: (rig) => rig.postgres.killPostmaster(),
    heal: () => Promise.resolve(),
  },
  {
    name: 'kill-both',
    fault: 'kill -9: the process and its embedded PostgreSQL; only the process is started again',
    rig: EMBEDDED,
    serves: 'no',
    lastsMs: DEAD_MS,
    callersMaySee: NOBODY,
    processDies: true,
    strike: async (rig) => {
      await rig.api.end('SIGKILL');
      await rig.postgres.killPostmaster();
    },
    heal: (rig) => rig.api.start(),
  },
  {
    name: 'kill-backend',
    fault: 'kill -9: the PostgreSQL process that appends (the server restarts all of them)',
    rig: ONE_PROCESS,
    serves: 'partly',
    lastsMs: 1_500,
    strike: (rig) => rig.postgres.killBackend('corebook append'),
    heal: () => Promise.resolve(),
  },
  {
    name: 'kill-redis',
    fault: 'kill -9: Redis, whose jobs were in memory only',
    rig: ONE_PROCESS,
    serves: 'yes',
    ready: 'no',
    lastsMs: 5_000,
    strike: async (rig) => {
      await rig.redis?.kill();
    },
    heal: async (rig) => {
      await rig.redis?.start();
    },
    after: jobsRun,
  },
];

export const EVENT_STORE_KILLS: readonly Scenario[] = [
  {
    name: 'kill-eventstore',
    fault: 'kill -9: EventStoreDB (fake)',
    rig: EVENT_STORE,
    serves: 'no',
    lastsMs: 4_000,
    strike: async (rig) => {
      await rig.eventStore?.kill();
    },
    heal: async (rig) => {
      await rig.eventStore?.start();
    },
  },
  {
    name: 'kill-process-eventstore',
    fault: 'kill -9: the one process, its log in EventStoreDB (fake)',
    rig: EVENT_STORE,
    serves: 'no',
    lastsMs: DEAD_MS,
    callersMaySee: NOBODY,
    processDies: true,
    strike: async (rig) => {
      await rig.api.end('SIGKILL');
    },
    heal: (rig) => rig.api.start(),
  },
];

async function signal(products: readonly Product[], name: NodeJS.Signals): Promise<void> {
  for (const product of products) process.kill(product.pid, name);
  await delay(0);
}
