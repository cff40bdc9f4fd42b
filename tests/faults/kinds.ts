/** The ways in which the product is run for the suite. Scenarios of one kind share a rig. */
import { tmpdir } from 'node:os';
import type { RigKind } from './rig.js';

export const ONE_PROCESS: RigKind = { processes: ['api,projector,worker'], log: 'postgres', jobs: 'redis' };

/** One machine: `npm start` with the PostgreSQL that it brings. */
export const EMBEDDED: RigKind = {
  processes: ['api,projector,worker'],
  log: 'postgres',
  jobs: 'postgres',
  postgres: 'embedded',
};

export const ROLES_APART: RigKind = {
  processes: ['api', 'api', 'projector', 'projector', 'worker'],
  log: 'postgres',
  jobs: 'redis',
};

export const EVENT_STORE: RigKind = { processes: ['api,projector,worker'], log: 'eventstoredb', jobs: 'postgres' };

export const SMALL_DISK: RigKind = {
  processes: ['api,projector,worker'],
  log: 'postgres',
  jobs: 'redis',
  tmpfsMb: 320,
};

const MACHINE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
/** Debian’s package `faketime`. */
export const FAKETIME_LIBRARY = `/usr/lib/${MACHINE}-linux-gnu/faketime/libfaketime.so.1`;
export const CLOCK_FILE = `${tmpdir()}/corebook-faults-clock-${process.pid}`;

/** The wall clock of the product’s processes is what CLOCK_FILE says: an offset in seconds. */
export const FAKE_TIME: RigKind = {
  processes: ['api,projector,worker'],
  log: 'postgres',
  jobs: 'redis',
  env: {
    ...{ LD_PRELOAD: FAKETIME_LIBRARY, FAKETIME_TIMESTAMP_FILE: CLOCK_FILE, FAKETIME_NO_CACHE: '1' },
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  },
};

/** What callers see while a process is dead: nobody is there to answer. */
export const NOBODY = /^(?:ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET|connection lost)$/;
