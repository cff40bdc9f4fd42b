/** Several processes of the product over one data directory, each with roles of its own, as an installation has them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type DatabaseUrls, joinDatabase } from '../../infrastructure/postgres/database.js';
import { deleteCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import type { SandboxFile } from '../../main/sandbox.js';
import { serverEnvironment } from './server-environment.js';

/** Beside this file: compiled like it, or a source like it. */
const OWN = fileURLToPath(import.meta.url);
const CLI = join(OWN, '..', '..', '..', 'main', OWN.endsWith('.ts') ? 'cli.ts' : 'cli.js');
const START_MS = 90_000;

export interface Member {
  readonly roles: string;
  /** Where it serves: the API, or /health, /ready and /metrics only. */
  readonly url: string;
  readonly pid: number;
  readonly sandbox: SandboxFile | undefined;
  /** Resolves with the exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** What it wrote to its log so far. */
  log(): string;
  signal(name: NodeJS.Signals): void;
}

export class Fleet {
  readonly #members: Member[] = [];

  private constructor(
    readonly dataDir: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async open(environment: Readonly<Record<string, string>> = {}): Promise<Fleet> {
    return new Fleet(await mkdtemp(join(tmpdir(), 'corebook-fleet-')), environment);
  }

  /** Starts a process and waits until it serves. `port`: the one of a process that was stopped. */
  async start(roles: string, options: { readonly port?: number; readonly env?: Record<string, string> } = {}) {
    const port = options.port ?? (await freePort());
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [...process.execArgv, '--max-semi-space-size=128', CLI, 'start', '--json'], {
      env: {
        ...{ PATH, HOME, DATA_DIR: this.dataDir, HOST: '127.0.0.1', LOG_LEVEL: 'warn', ROLES: roles },
        ...{ PORT: String(port), OPS_PORT: String(port), ...serverEnvironment(this.dataDir) },
        ...{ ...this.environment, ...options.env },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const member = await served(child, roles, `http://127.0.0.1:${port}`);
    this.#members.push(member);
    return member;
  }

  /** The addresses of its database. */
  async database(): Promise<DatabaseUrls> {
    const urls = await joinDatabase({ dataDir: this.dataDir });
    if (urls === undefined) throw new Error('the database of the fleet does not run');
    return urls;
  }

  /** Stops what still runs and removes everything. */
  async close(): Promise<void> {
    for (const member of this.#members) member.signal('SIGTERM');
    await Promise.all(this.#members.map(({ exited }) => exited));
    await deleteCluster(this.dataDir);
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

async function served(child: ChildProcess, roles: string, url: string): Promise<Member> {
  let printed = '';
  let errors = '';
  child.stdout?.on('data', (piece: Buffer) => (printed += piece.toString()));
  child.stderr?.on('data', (piece: Buffer) => (errors += piece.toString()));
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const isApi = roles.includes('api');
  for (let waited = 0; ; waited += 50) {
    if (child.exitCode !== null) throw new Error(`${roles} ended with ${child.exitCode}: ${errors}`);
    if (waited > START_MS) {
      child.kill('SIGKILL');
      throw new Error(`${roles} does not serve: ${errors}`);
    }
    if (isApi ? printed.endsWith('\n') : await answers(`${url}/health`)) break;
    await delay(50);
  }
  return {
    roles,
    url,
    pid: child.pid ?? 0,
    sandbox: isApi ? (JSON.parse(printed) as SandboxFile) : undefined,
    exited,
    log: () => errors,
    signal: (name) => void child.kill(name),
  };
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    async (response) => (await response.text(), response.ok),
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
