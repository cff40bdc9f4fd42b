/** Faults of the network before each server that the product stands on. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../../support/fault-proxy.js';
import { jobsRun } from '../holds.js';
import { EVENT_STORE, ONE_PROCESS } from '../kinds.js';
import type { Rig } from '../rig.js';
import type { Scenario } from '../scenario.js';

const OUTAGE_MS = 7_000;

type Target = 'postgres' | 'redis' | 'eventstore';
const PROXIES = {
  postgres: (rig: Rig) => rig.postgresProxy,
  redis: (rig: Rig) => rig.redisProxy,
  eventstore: (rig: Rig) => rig.eventStoreProxy,
} as const;

const TITLES: Readonly<Record<Target, string>> = {
  postgres: 'PostgreSQL',
  redis: 'Redis',
  eventstore: 'EventStoreDB (fake)',
};

function against(
  target: Target,
  name: string,
  fault: Fault,
  rest: Pick<Scenario, 'fault' | 'serves'> & Partial<Scenario>,
): Scenario {
  return {
    rig: target === 'eventstore' ? EVENT_STORE : ONE_PROCESS,
    lastsMs: OUTAGE_MS,
    ...rest,
    name: `${target}-${name}`,
    fault: `${TITLES[target]}: ${rest.fault}`,
    strike: async (rig) => {
      await PROXIES[target](rig)?.strike(fault);
    },
  };
}

/** Of a server that no command can do without. */
function needed(target: 'postgres' | 'eventstore', bytesPerSecond: number): Scenario[] {
  return [
    against(
      target,
      'latency',
      { kind: 'latency', ms: 40, jitterMs: 30 },
      { fault: '40 ± 30 ms each way', serves: 'yes', lastsMs: 4_000 },
    ),
    against(
      target,
      'bandwidth',
      { kind: 'bandwidth', bytesPerSecond },
      { fault: `a line of ${bytesPerSecond / 1_000} kB/s`, serves: 'yes', ready: 'either', lastsMs: 5_000 },
    ),
    against(
      target,
      'reset',
      { kind: 'reset' },
      { fault: 'connections reset, new ones too', serves: 'no', lastsMs: 5_000 },
    ),
    against(target, 'refuse', { kind: 'refuse' }, { fault: 'connections refused', serves: 'no', lastsMs: 5_000 }),
    against(
      target,
      'silent-answers',
      { kind: 'half-open', silent: 'down' },
      { fault: 'half-open: it hears us, we do not hear it', serves: 'no' },
    ),
    against(
      target,
      'silent-requests',
      { kind: 'half-open', silent: 'up' },
      { fault: 'half-open: we hear it, it does not hear us', serves: 'no' },
    ),
    against(target, 'blackhole', { kind: 'blackhole' }, { fault: 'accepted, nothing flows', serves: 'no' }),
    against(
      target,
      'abandon',
      { kind: 'abandon' },
      { fault: 'open connections silent for ever, new ones well', serves: 'partly', lastsMs: 100 },
    ),
    against(
      target,
      'blackhole-long',
      { kind: 'blackhole' },
      { fault: 'accepted, nothing flows, for longer than any patience', serves: 'no', lastsMs: 35_000 },
    ),
  ];
}

export const POSTGRES_NETWORK: readonly Scenario[] = [
  ...needed('postgres', 150_000),
  {
    ...against(
      'postgres',
      'abandon-in-transaction',
      { kind: 'abandon' },
      {
        fault: 'connections lost for ever in the middle of what they carried',
        serves: 'partly',
        lastsMs: 100,
      },
    ),
    strike: async ({ postgresProxy }) => {
      await postgresProxy.strike({ kind: 'bandwidth', bytesPerSecond: 30_000 });
      await delay(3_000);
      await postgresProxy.strike({ kind: 'abandon' });
    },
  },
];

/** Jobs wait for Redis: commands and look-ups do not. */
const WITHOUT_JOBS = { serves: 'yes', ready: 'no', after: jobsRun } as const;

export const REDIS_NETWORK: readonly Scenario[] = [
  against(
    'redis',
    'latency',
    { kind: 'latency', ms: 60, jitterMs: 50 },
    { fault: '60 ± 50 ms each way', serves: 'yes', lastsMs: 3_000 },
  ),
  against('redis', 'reset', { kind: 'reset' }, { fault: 'connections reset, new ones too', ...WITHOUT_JOBS }),
  against('redis', 'refuse', { kind: 'refuse' }, { fault: 'connections refused', ...WITHOUT_JOBS }),
  against('redis', 'blackhole', { kind: 'blackhole' }, { fault: 'accepted, nothing flows', ...WITHOUT_JOBS }),
  against(
    'redis',
    'silent-answers',
    { kind: 'half-open', silent: 'down' },
    { fault: 'half-open: it hears us, we do not hear it', ...WITHOUT_JOBS },
  ),
  against(
    'redis',
    'abandon',
    { kind: 'abandon' },
    {
      fault: 'open connections silent for ever, new ones well',
      serves: 'yes',
      ready: 'either',
      lastsMs: 100,
      after: jobsRun,
    },
  ),
];

export const EVENT_STORE_NETWORK: readonly Scenario[] = needed('eventstore', 100_000);
