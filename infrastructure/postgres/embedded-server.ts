/**
 * Runs the embedded PostgreSQL. The server is a process of its own: it ignores Ctrl-C meant for Node (the application
 * drains first) and outlives a `kill -9` of Node, after which the next start adopts it. PostgreSQL's own lock on its
 * data directory decides when two processes start at once; the one that comes second joins the server of the first.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chown, open, rename, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLEAN_ENVIRONMENT } from './embedded-binaries.js';
import type { Binaries, Log } from './embedded-binaries.js';
import { SUPERUSER, existingCluster, prepareCluster, rememberPort } from './embedded-cluster.js';
import type { Cluster } from './embedded-cluster.js';
import { serverSettings } from './embedded-settings.js';
import { enter } from './embedded-users.js';
import type { OsUser } from './os-user.js';
import { dataDirectoryBehind, endOrphans, removeEmptyLock, runningPostmaster, superuserUrl } from './postmaster.js';

const POLL_MS = 15;
/** Recovery after a crash replays up to `max_wal_size` of log; give it time before calling it a failure. */
const START_TIMEOUT_MS = 10 * 60_000;
const PROGRESS_EVERY_MS = 10_000;
/** Starts that lost a race (port taken, processes of the old server still leaving) are repeated this often. */
const MAX_ATTEMPTS = 50;
const RETRY_MS = 200;
const STOP_TIMEOUT_MS = 120_000;
/** How often a server that is looked after is looked at. */
const LOOK_MS = 1_000;
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;
const LOG_TAIL_BYTES = 4000;

const ORPHANS = /shared memory block .* is still in use/;
/** Another server has made its lock and not yet written its number into it; or died, or lost its power, in between. */
const EMPTY_LOCK = /lock file .* is empty|bogus data in lock file/;
/** A lock that stays empty for so many attempts is nobody's: between making and writing it a server does nothing else. */
const EMPTY_LOCK_ATTEMPTS = 10;
const LOST_RACE = new RegExp(
  `already exists|still in use|could not bind|could not create any TCP|could not remove old lock file|${EMPTY_LOCK.source}`,
);

export interface EmbeddedServer {
  readonly port: number;
  readonly superuserUrl: string;
  readonly dataDirectory: string;
  /** True when the server ran already: left behind by a killed process, or shared with a living one. */
  readonly adopted: boolean;
  /** Leaves the server, and stops it (connections are cut, data is safe) unless another process of ours still uses it. */
  stop(): Promise<void>;
}

/** Starts the server of `dataDir` or adopts the one that runs; answers when it accepts connections. */
export async function startEmbeddedServer(options: {
  dataDir: string;
  log: Log;
  /** Overrides of `serverSettings`; without effect on a server that is adopted. */
  settings?: Record<string, string>;
  /** Start it again when it ends by itself (killed, out of memory, a disk that was full). */
  lookAfter?: boolean;
}): Promise<EmbeddedServer> {
  const { cluster, binaries, user } = await prepareCluster(options.dataDir, options.log);
  // Entered before the server is looked for, so that another process that is leaving does not stop it under us.
  const leave = await enter(cluster.dataDir);
  try {
    const settings = { ...(await serverSettings(cluster.home)), ...options.settings };
    const launch = { cluster, binaries, user, settings, log: options.log };
    const { port, adopted } = await joinOrStart(launch);
    await rememberPort(cluster, port);
    const leaveAlone = options.lookAfter === true ? lookAfter({ ...launch, cluster: { ...cluster, port } }) : undefined;
    return {
      port,
      superuserUrl: superuserUrl(port, SUPERUSER, cluster.password),
      dataDirectory: cluster.dataDirectory,
      adopted,
      stop: async () => {
        await leaveAlone?.();
        if (await leave()) await shutDown(cluster.dataDirectory);
      },
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** Looks after a server until told to leave it alone. Several processes may: PostgreSQL's lock decides who starts it. */
function lookAfter(launch: Launch): () => Promise<void> {
  const { cluster, log } = launch;
  const told = new AbortController();
  const { signal } = told;
  const done = (async () => {
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      try {
        if (signal.aborted || (await runningPostmaster(cluster.dataDirectory)) !== undefined) continue;
        log('PostgreSQL has ended by itself: starting it again', { cluster: cluster.home });
        await joinOrStart(launch);
      } catch (error) {
        log('PostgreSQL could not be started again, trying on', { error: String(error) });
      }
    }
  })();
  return async () => {
    told.abort();
    await done;
  };
}

/** The server that another process of ours runs on `dataDir`. The finder is a guest: it neither keeps nor stops it. */
export async function findRunningServer(dataDir: string): Promise<{ port: number; superuserUrl: string } | undefined> {
  const cluster = await existingCluster(dataDir);
  const postmaster = cluster && (await runningPostmaster(cluster.dataDirectory));
  if (cluster === undefined || postmaster?.status !== 'ready') return undefined;
  const url = superuserUrl(postmaster.port, SUPERUSER, cluster.password);
  return (await answers(cluster, postmaster.port)) ? { port: postmaster.port, superuserUrl: url } : undefined;
}

interface Launch {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly user: OsUser;
  readonly settings: Record<string, string>;
  readonly log: Log;
}

async function joinOrStart(launch: Launch): Promise<{ port: number; adopted: boolean }> {
  const { cluster, log } = launch;
  const startedAt = performance.now();
  let reportedAt = startedAt;
  let attempts = 0;
  let emptyLocks = 0;
  let child: { process: ChildProcess; logFrom: number } | undefined;
  while (performance.now() - startedAt < START_TIMEOUT_MS) {
    const postmaster = await runningPostmaster(cluster.dataDirectory);
    if (postmaster?.status === 'ready' && (await answers(cluster, postmaster.port))) {
      const adopted = postmaster.pid !== child?.process.pid;
      const ms = Math.round(performance.now() - startedAt);
      log(adopted ? 'PostgreSQL joined' : 'PostgreSQL started', { port: postmaster.port, pid: postmaster.pid, ms });
      return { port: postmaster.port, adopted };
    }
    if (child !== undefined && hasEnded(child.process)) {
      const tail = await logTail(cluster, child.logFrom);
      if (!LOST_RACE.test(tail) || attempts >= MAX_ATTEMPTS) {
        throw new Error(`PostgreSQL did not start. The end of ${cluster.logFile}:\n${tail}`);
      }
      child = undefined;
      if (ORPHANS.test(tail)) await endOrphans(cluster.dataDirectory, launch.user);
      emptyLocks = EMPTY_LOCK.test(tail) ? emptyLocks + 1 : 0;
      if (emptyLocks === EMPTY_LOCK_ATTEMPTS) await removeEmptyLock(cluster.dataDirectory);
      await sleep(RETRY_MS);
    } else if (child === undefined && postmaster === undefined) {
      attempts += 1;
      child = await launchPostmaster(launch);
    } else if (performance.now() - reportedAt > PROGRESS_EVERY_MS) {
      reportedAt = performance.now();
      log('Waiting for PostgreSQL (it may be recovering from a crash)', { state: postmaster?.status ?? 'launched' });
    }
    await sleep(POLL_MS);
  }
  const tail = await logTail(cluster, 0);
  throw new Error(
    `PostgreSQL did not accept connections in ${START_TIMEOUT_MS / 1000} s. The end of ${cluster.logFile}:\n${tail}`,
  );
}

async function launchPostmaster(launch: Launch): Promise<{ process: ChildProcess; logFrom: number }> {
  const { cluster, binaries, user, settings } = launch;
  const { size } = await stat(cluster.logFile).catch(() => ({ size: 0 }));
  if (size > LOG_LIMIT_BYTES) await rename(cluster.logFile, `${cluster.logFile}.1`);
  const logFile = await open(cluster.logFile, 'a', 0o600);
  try {
    if (user.uid !== undefined && user.gid !== undefined) await chown(cluster.logFile, user.uid, user.gid);
    const port = await freePort(cluster.port);
    const all = { ...settings, port: String(port) };
    const parameters = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const logFrom = (await logFile.stat()).size;
    const server = spawn(binaries.postgres, ['-D', cluster.dataDirectory, ...parameters], {
      ...user,
      env: CLEAN_ENVIRONMENT,
      cwd: cluster.home,
      detached: true, // A session of its own: signals of the terminal are for Node.
      stdio: ['ignore', logFile.fd, logFile.fd],
    });
    server.on('error', () => undefined); // hasEnded() sees it: a process that could not be spawned has no pid.
    server.unref();
    return { process: server, logFrom };
  } finally {
    await logFile.close();
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** False while it cannot be told; throws when a server runs here that does not know us. */
async function answers(cluster: Cluster, port: number): Promise<boolean> {
  let directory: string;
  try {
    directory = await dataDirectoryBehind(superuserUrl(port, SUPERUSER, cluster.password));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== '28P01' && code !== '28000') return false; // Refused, starting up or shutting down: ask again later.
    throw new Error(
      `A PostgreSQL server runs on ${cluster.dataDirectory} (port ${port}) and refuses our password: ${message}. ` +
        `The right one belongs in ${cluster.home}/superuser-password.`,
    );
  }
  return directory === cluster.dataDirectory;
}

/** Fast shutdown: connections are cut, everything committed is on disk already. */
async function shutDown(dataDirectory: string): Promise<void> {
  const postmaster = await runningPostmaster(dataDirectory);
  if (postmaster === undefined) return;
  process.kill(postmaster.pid, 'SIGINT');
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while ((await runningPostmaster(dataDirectory))?.pid === postmaster.pid) {
    if (performance.now() > deadline) {
      throw new Error(
        `PostgreSQL (process ${postmaster.pid}) is still shutting down after ${STOP_TIMEOUT_MS / 1000} s.`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** `preferred` when nobody listens there, else one that the system chooses. */
async function freePort(preferred: number | undefined): Promise<number> {
  const probe = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        const chosen = typeof address === 'object' && address !== null ? address.port : port;
        server.close(() => resolve(chosen));
      });
    });
  return preferred === undefined ? await probe(0) : await probe(preferred).catch(() => probe(0));
}

async function logTail(cluster: Cluster, from: number): Promise<string> {
  const file = await open(cluster.logFile, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOG_TAIL_BYTES), 0, LOG_TAIL_BYTES, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}
