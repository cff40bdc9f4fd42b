import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import { type SandboxFile, readSandbox } from '../../main/sandbox.js';

const LAUNCHER = fileURLToPath(new URL('../../../main/corebook.mjs', import.meta.url));

export interface RunningServer {
  readonly sandbox: SandboxFile;
  readonly dataDir: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** `npm start` on a data directory and port of its own; everything is removed on stop. */
export async function startServer(environment: Record<string, string> = {}): Promise<RunningServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'corebook-bench-'));
  const server = spawn(
    process.execPath,
    ['--max-semi-space-size=128', ...(process.env['SERVER_FLAGS'] ?? '').split(' ').filter(Boolean), LAUNCHER, 'start'],
    {
      env: { ...process.env, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  let sandbox: SandboxFile | undefined;
  for (let waited = 0; waited < 60_000 && sandbox === undefined; waited += 100) {
    if (server.exitCode !== null) throw new Error('the server ended before it was ready');
    await new Promise((resolve) => setTimeout(resolve, 100));
    sandbox = await readSandbox(dataDir);
  }
  if (sandbox === undefined) throw new Error('the server was not ready within a minute');
  return {
    sandbox,
    dataDir,
    pid: server.pid ?? 0,
    async stop() {
      server.kill('SIGTERM');
      await ended;
      await deleteCluster(dataDir);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** One JSON call; throws on any status that is not 2xx. */
export async function call<T>(url: string, token: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: { 'X-Auth-Token': token, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}
