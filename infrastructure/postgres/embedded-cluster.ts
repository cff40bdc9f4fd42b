/**
 * The place of the embedded cluster on disk and who owns it.
 *
 *   DATA_DIR/postgres.json          where the cluster is, and its port
 *   DATA_DIR/postgres-users/        one file per process that uses the server (see embedded-server.ts)
 *   <home>/data                     PostgreSQL's data directory
 *   <home>/superuser-password       mode 0600
 *   <home>/server.log
 *
 * <home> is DATA_DIR/postgres. Only when we are root and OS user `postgres` cannot enter DATA_DIR, it is a folder of
 * /var/lib/corebook/clusters instead. A cluster appears by one rename, so it is never half made.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, link, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { CLEAN_ENVIRONMENT, executableBinaries } from './embedded-binaries.js';
import type { Binaries, Log } from './embedded-binaries.js';
import { SYSTEM_DIRECTORY, canEnter, makePassableFolder, postgresUser } from './os-user.js';
import type { OsUser } from './os-user.js';

const run = promisify(execFile);

export const SUPERUSER = 'corebook_admin';

export interface Cluster {
  /** DATA_DIR, absolute and without links. */
  readonly dataDir: string;
  readonly home: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly password: string;
  /** The port it had last, if any. */
  readonly port: number | undefined;
}

/** `home` is relative when it is inside DATA_DIR, so that DATA_DIR may be moved. */
interface Placement {
  readonly home: string;
  readonly initialised: boolean;
  readonly port?: number;
}

/** The cluster recorded in DATA_DIR, or undefined when none was made yet. Throws when it was made and is gone. */
export async function existingCluster(dataDir: string): Promise<Cluster | undefined> {
  const directory = await realpath(dataDir).catch(() => undefined);
  if (directory === undefined) return undefined;
  const record = await readRecord(directory);
  if (record === undefined) return undefined;
  const home = isAbsolute(record.home) ? record.home : join(directory, record.home);
  if (!(await exists(join(home, 'data')))) {
    if (!record.initialised) return undefined;
    throw new Error(
      `The PostgreSQL cluster of ${directory} should be in ${home} but is not there. Restore it, or delete ` +
        `${join(directory, 'postgres.json')} to begin with an empty one.`,
    );
  }
  const password = await readOwn(join(home, 'superuser-password'));
  return {
    dataDir: directory,
    home: await realpath(home),
    dataDirectory: await realpath(join(home, 'data')),
    logFile: join(home, 'server.log'),
    password,
    port: record.port,
  };
}

/** Finds the cluster of DATA_DIR or makes it; answers it with the user and the programs that run it. */
export async function prepareCluster(
  dataDir: string,
  log: Log,
): Promise<{ cluster: Cluster; binaries: Binaries; user: OsUser }> {
  await makePassableFolder(dataDir);
  const directory = await realpath(dataDir);
  await existingCluster(directory); // Refuses when the recorded cluster is gone: an empty book is no replacement.
  const isRoot = process.getuid?.() === 0;
  const defaultUser = isRoot ? await postgresUser() : {};
  const home = await chooseHome(directory, defaultUser, log);
  // A cluster that exists keeps its owner, so a DATA_DIR made by another user or image keeps working under root.
  const user = isRoot ? await ownerOf(home, defaultUser) : {};
  const binaries = await executableBinaries({ user, copyParent: isRoot ? SYSTEM_DIRECTORY : directory, log });
  if (!(await exists(join(home, 'data')))) await createCluster(home, binaries, user, log);
  if (!(await canEnter(join(home, 'data'), user))) {
    throw new Error(
      `The cluster in ${home} cannot be entered by its owner (uid ${user.uid ?? process.getuid?.()}): a folder above it ` +
        'is closed to him. Make those folders executable for all (chmod o+x) or move DATA_DIR.',
    );
  }
  const record = await readRecord(directory);
  if (record?.initialised !== true)
    await writeRecord(directory, { ...record, home: asRecorded(directory, home), initialised: true });
  const cluster = await existingCluster(directory);
  if (cluster === undefined) throw new Error(`The cluster of ${directory} vanished while it was being opened.`);
  return { cluster, binaries, user };
}

/** Remembers the port, so that tools configured by hand find the server where it was yesterday. */
export async function rememberPort(cluster: Cluster, port: number): Promise<void> {
  const record = await readRecord(cluster.dataDir);
  if (record !== undefined && record.port !== port) await writeRecord(cluster.dataDir, { ...record, port });
}

/** Deletes the data for good, wherever it lives. The server must be stopped. For tests and `corebook reset`. */
export async function deleteCluster(dataDir: string): Promise<void> {
  const cluster = await existingCluster(dataDir);
  if (cluster === undefined) return;
  await rm(cluster.home, { recursive: true, force: true });
  await rm(join(cluster.dataDir, 'postgres.json'), { force: true });
  await rm(join(cluster.dataDir, 'postgres-users'), { recursive: true, force: true });
}

async function chooseHome(dataDir: string, user: OsUser, log: Log): Promise<string> {
  const recorded = await readRecord(dataDir);
  if (recorded !== undefined) return isAbsolute(recorded.home) ? recorded.home : join(dataDir, recorded.home);
  const inside = join(dataDir, 'postgres');
  const relocate = !(await exists(inside)) && !(await canEnter(dataDir, user));
  const home = relocate ? join(SYSTEM_DIRECTORY, 'clusters', randomBytes(8).toString('hex')) : inside;
  const draft = join(dataDir, `postgres.json.${randomBytes(4).toString('hex')}`);
  await writeFile(draft, JSON.stringify({ home: asRecorded(dataDir, home), initialised: false }), { mode: 0o600 });
  try {
    await link(draft, join(dataDir, 'postgres.json')); // Fails when another process was first: then its choice counts.
    if (relocate) {
      log(
        'PostgreSQL may not run as root and OS user "postgres" cannot enter DATA_DIR, so the cluster lives elsewhere',
        {
          dataDir,
          cluster: home,
        },
      );
    }
    return home;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await chooseHome(dataDir, user, log);
  } finally {
    await rm(draft, { force: true });
  }
}

async function createCluster(home: string, binaries: Binaries, user: OsUser, log: Log): Promise<void> {
  if (home.startsWith(SYSTEM_DIRECTORY)) await makePassableFolder(SYSTEM_DIRECTORY);
  await makePassableFolder(dirname(home));
  const draft = `${home}.${randomBytes(4).toString('hex')}`;
  const passwordFile = join(draft, 'superuser-password');
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (user.uid !== undefined && user.gid !== undefined) {
      for (const path of [draft, passwordFile]) await chown(path, user.uid, user.gid);
    }
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--auth=scram-sha-256', `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`];
    const options = ['--data-checksums', '--no-instructions', `--pgdata=${join(draft, 'data')}`];
    await run(binaries.initdb, [...locale, ...access, ...options], { ...user, env: CLEAN_ENVIRONMENT, cwd: draft });
    await rename(draft, home);
    log('PostgreSQL cluster created', { cluster: home });
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process of ours was faster: its cluster is the cluster.
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`The PostgreSQL cluster in ${home} could not be created: ${stderr?.trim() || message}`, {
      cause: error,
    });
  }
}

async function ownerOf(home: string, otherwise: OsUser): Promise<OsUser> {
  const owner = await stat(join(home, 'data')).catch(() => undefined);
  return owner === undefined || owner.uid === 0 ? otherwise : { uid: owner.uid, gid: owner.gid };
}

function asRecorded(dataDir: string, home: string): string {
  return home === join(dataDir, 'postgres') ? 'postgres' : home;
}

async function readRecord(dataDir: string): Promise<Placement | undefined> {
  const text = await readOwn(join(dataDir, 'postgres.json')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Placement;
  } catch (error) {
    throw new Error(`${join(dataDir, 'postgres.json')} is not valid JSON. Restore it from a backup.`, { cause: error });
  }
}

async function writeRecord(dataDir: string, record: Placement): Promise<void> {
  const draft = join(dataDir, `postgres.json.${randomBytes(4).toString('hex')}`);
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, join(dataDir, 'postgres.json'));
}

async function readOwn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new Error(`${file} belongs to another user. Run Corebook as the user who made it.`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    },
  );
}
