/** What postmaster.pid and the operating system say about a PostgreSQL server, and whether it is ours. */
import { execFile } from 'node:child_process';
import { readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { OsUser } from './os-user.js';

const run = promisify(execFile);

/** Line numbers of postmaster.pid, as in PostgreSQL's src/include/utils/pidfile.h (there counted from 1). */
const PID_LINE = 0;
const PORT_LINE = 3;
const STATUS_LINE = 7;

const CONNECT_TIMEOUT_MS = 5000;

export interface Postmaster {
  readonly pid: number;
  /** 0 until the server has written it. */
  readonly port: number;
  readonly status: 'starting' | 'ready' | 'stopping';
}

/** The server that runs on this data directory, or undefined. Removes a stale lock that PostgreSQL itself would trip over. */
export async function runningPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const file = lockOf(dataDirectory);
  const lines = await linesOf(file);
  const pid = pidIn(lines);
  if (pid === undefined) return undefined;
  const holder = await processOf(pid);
  if (holder === undefined) return undefined; // Stale; PostgreSQL sees that itself.
  if (!holder.alive || !(await mayBePostmaster(pid, holder.name, dataDirectory))) {
    // The number now belongs to another program (usual after a container restart) or to a corpse nobody collected.
    // PostgreSQL only asks "does this process exist?" and would refuse to start. Its shared-memory check still protects
    // the data should a server process have survived.
    await rm(file, { force: true });
    return undefined;
  }
  const status = lines[STATUS_LINE];
  return {
    pid,
    port: Number(lines[PORT_LINE] ?? 0) || 0,
    status: status === 'ready' || status === 'stopping' ? status : 'starting',
  };
}

/**
 * Removes a lock that names no process: what a server leaves that was killed between making its lock and writing it.
 * PostgreSQL takes it for a server that is just starting, for ever. For those who have seen it empty for a while.
 */
export async function removeEmptyLock(dataDirectory: string): Promise<void> {
  const file = lockOf(dataDirectory);
  if (pidIn(await linesOf(file)) === undefined) await rm(file, { force: true });
}

function lockOf(dataDirectory: string): string {
  return join(dataDirectory, 'postmaster.pid');
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8').catch(() => '')).split('\n').map((line) => line.trim());
}

function pidIn(lines: readonly string[]): number | undefined {
  const pid = Number(lines[PID_LINE]);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/**
 * Ends server processes whose postmaster was killed. Most notice by themselves, but one that computes does not look up
 * until its query ends, and as long as it is attached to the shared memory no new server may start. Does nothing without
 * /proc. Runs as the server's user, who may look at his own processes even where root may not (containers).
 */
export async function endOrphans(dataDirectory: string, user: OsUser): Promise<void> {
  const script = `
    for process in /proc/[0-9]*; do
      [ "$(readlink "$process/cwd")" = "$1" ] || continue
      parent=$(sed -n 's/^PPid:[[:space:]]*//p' "$process/status")
      [ "$(readlink "/proc/$parent/cwd")" = "$1" ] && continue
      case "$(tr '\\0' ' ' < "$process/cmdline")" in "postgres: "*) kill -QUIT "\${process#/proc/}" ;; esac
    done`;
  await run('/bin/sh', ['-c', script, 'sh', dataDirectory], { ...user, cwd: '/' }).catch(() => undefined);
}

/** Undefined when there is no such process. `name` and `startTime` are known on Linux only. */
export async function processOf(
  pid: number,
): Promise<{ alive: boolean; name: string | undefined; startTime: string } | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return { alive: true, name: undefined, startTime: '0' };
  // "pid (name) state …"; the name may itself contain brackets. The start time is field 22.
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  return {
    alive: fields[0] !== 'Z' && fields[0] !== 'X',
    name: stat.slice(stat.indexOf('(') + 1, end),
    startTime: fields[19] ?? '0',
  };
}

/** A server's working directory is its data directory. Unreadable (another user's, no SYS_PTRACE): the name decides. */
async function mayBePostmaster(pid: number, name: string | undefined, dataDirectory: string): Promise<boolean> {
  if (name === undefined) return true;
  if (name !== 'postgres') return false;
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return directory === undefined || directory === dataDirectory;
}

export function superuserUrl(port: number, user: string, password: string, database = 'postgres'): string {
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** Connects, asks for the data directory and answers it. SCRAM proves both sides: only our own server knows the password. */
export async function dataDirectoryBehind(url: string): Promise<string> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined); // A server that stops meanwhile is reported by the query.
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory ?? '';
  } finally {
    await client.end().catch(() => undefined);
  }
}
