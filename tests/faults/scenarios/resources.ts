/** The disk is full, the clock jumps. */
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { schedulesRun } from '../holds.js';
import { CLOCK_FILE, FAKE_TIME, SMALL_DISK } from '../kinds.js';
import type { Rig } from '../rig.js';
import type { Scenario } from '../scenario.js';

const PIECE_BYTES = 64 * 1024;

export const DISK_FAULTS: readonly Scenario[] = [
  {
    name: 'disk-full',
    fault: 'the disk of PostgreSQL is full',
    rig: SMALL_DISK,
    serves: 'no',
    lastsMs: 8_000,
    strike: async (rig) => {
      await fill(rig);
    },
    heal: async (rig) => {
      await rm(ballast(rig));
      // PostgreSQL ends itself when it cannot write ahead; its supervisor starts it again.
      if (!(await rig.postgres.isUp())) await rig.postgres.start();
    },
    note: 'a person makes room: [the disk is full](../runbooks/README.md#the-disk-is-full)',
  },
];

const ballast = (rig: Rig): string => join(rig.postgres.directory, 'ballast');

/** The file system’s own bookkeeping takes some of what is free. */
async function fill(rig: Rig): Promise<void> {
  const file = await open(ballast(rig), 'w');
  const piece = Buffer.alloc(PIECE_BYTES);
  try {
    for (;;) await file.write(piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await file.close();
  }
}

/** Debian's package `faketime`: the product's own processes see another wall clock; its timers go on as they did. */
function jump(name: string, offsetSeconds: number, fault: string): Scenario {
  return {
    name,
    fault: `clock: ${fault}`,
    rig: FAKE_TIME,
    serves: 'yes',
    ready: 'either',
    lastsMs: 4_000,
    strike: () => setClock(offsetSeconds),
    heal: () => Promise.resolve(),
    after: schedulesRun,
  };
}

const HOUR = 3_600;

/** One after another on the same log. */
export const CLOCK_FAULTS: readonly Scenario[] = [
  jump('clock-forward', 2 * HOUR, 'two hours forward'),
  jump('clock-backward', 0, 'two hours back again'),
  jump('clock-behind', -24 * HOUR, 'a day back'),
  jump('clock-right', 0, 'right again'),
];

async function setClock(offsetSeconds: number): Promise<void> {
  await writeFile(CLOCK_FILE, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`);
}
