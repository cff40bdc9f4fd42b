/** The operating system's user that runs PostgreSQL, which refuses to run as root. */
import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const NAME = 'postgres';

/** What belongs to this machine and not to one DATA_DIR. Only used when we are root. */
export const SYSTEM_DIRECTORY = '/var/lib/corebook';

/** Undefined ids mean: whoever runs Node. */
export interface OsUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** OS user `postgres`, created when the machine has none. Call as root only. */
export async function postgresUser(): Promise<OsUser> {
  const found = await idsOf(NAME);
  if (found !== undefined) return found;
  const home = SYSTEM_DIRECTORY;
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--home-dir', home, '--shell', '/bin/false', NAME]],
    ['adduser', ['-S', '-D', '-H', '-h', home, '-s', '/bin/false', NAME]], // BusyBox
    ['adduser', ['--system', '--group', '--no-create-home', NAME]], // Debian without useradd
  ];
  const failures: string[] = [];
  for (const [program, parameters] of ways) {
    await run(program, parameters).catch((error: { stderr?: string; message: string }) => {
      failures.push(`${program}: ${error.stderr?.trim() || error.message}`);
    });
    const created = await idsOf(NAME);
    if (created !== undefined) return created;
  }
  throw new Error(
    `PostgreSQL may not run as root, and OS user "${NAME}" could not be created (${failures.join('; ')}). ` +
      'Create it, run Corebook as another user, or set DATABASE_URL.',
  );
}

/** Tries it, since modes alone do not tell (folders above, access lists, mounts). */
export async function canEnter(directory: string, user: OsUser): Promise<boolean> {
  return run('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/** A folder of ours that every user may pass through, whatever the umask says. Folders that exist stay as they are. */
export async function makePassableFolder(path: string): Promise<void> {
  if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, 0o711);
}

async function idsOf(name: string): Promise<OsUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}
