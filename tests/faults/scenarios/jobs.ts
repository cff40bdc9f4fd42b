/** Redis is emptied while holds wait in it for their end. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ONE_PROCESS } from '../kinds.js';
import { holdsEnd, placeHolds } from '../holds.js';
import type { Scenario } from '../scenario.js';

const EXPIRES_AFTER_MS = 6_000;
/** Jobs are enqueued by a reactor within a second. */
const ENQUEUED_MS = 1_500;

let holds: readonly string[] = [];

export const JOB_FAULTS: readonly Scenario[] = [
  {
    name: 'redis-flush',
    fault: 'Redis: FLUSHALL while holds wait for their end',
    rig: ONE_PROCESS,
    serves: 'yes',
    lastsMs: EXPIRES_AFTER_MS,
    strike: async (rig) => {
      holds = await placeHolds(rig, EXPIRES_AFTER_MS);
      await delay(ENQUEUED_MS);
      await promisify(execFile)('redis-cli', ['-p', String(rig.redis?.port), 'FLUSHALL']);
    },
    after: async (rig) => {
      await holdsEnd(rig, holds);
      return [];
    },
    note: 'timers are found again in the read models by a sweep; mail that was waiting is lost: [Redis lost its jobs](../runbooks/README.md#redis-lost-its-jobs)',
  },
];
