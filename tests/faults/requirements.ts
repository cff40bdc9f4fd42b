/** What this machine must have for the suite: installed where that is possible, said where it is not. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FAKETIME_LIBRARY, FAKE_TIME } from './kinds.js';
import type { RigKind } from './rig.js';

const run = promisify(execFile);

/** Why rigs of a kind cannot be set up here; undefined where they can. */
export class Requirements {
  readonly #mayMount: boolean;

  private constructor(mayMount: boolean) {
    this.#mayMount = mayMount;
  }

  /** Installs Debian’s redis-server and faketime if they are missing and we may. */
  static async prepare(): Promise<Requirements> {
    const missing = [
      ...((await hasRedis()) ? [] : ['redis-server']),
      ...(existsSync(FAKETIME_LIBRARY) ? [] : ['faketime']),
    ];
    if (missing.length > 0 && process.getuid?.() === 0) {
      console.log(`installing ${missing.join(' ')}`);
      await run('apt-get', ['update', '-qq']).catch(() => undefined);
      await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing]).catch((error: unknown) =>
        console.log(`could not install: ${String(error).split('\n')[0]}`),
      );
    }
    return new Requirements(await mayMount());
  }

  async lacking(kind: RigKind): Promise<string | undefined> {
    if (kind.jobs === 'redis' && !(await hasRedis())) return 'redis-server is not installed';
    if (kind === FAKE_TIME && !existsSync(FAKETIME_LIBRARY)) return 'faketime is not installed';
    if (kind.tmpfsMb !== undefined && !this.#mayMount) return 'no file system may be mounted here';
    return undefined;
  }
}

function hasRedis(): Promise<boolean> {
  return run('redis-server', ['--version']).then(
    () => true,
    () => false,
  );
}

async function mayMount(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'corebook-faults-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
    await run('umount', [directory]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
