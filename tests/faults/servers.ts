/** The servers that the product stands on, as processes that can be killed and started again on the same port. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { deleteCluster, existingCluster } from '../../infrastructure/postgres/embedded-cluster.js';
import {
  type EmbeddedServer,
  findRunningServer,
  startEmbeddedServer,
} from '../../infrastructure/postgres/embedded-server.js';
import { runningPostmaster } from '../../infrastructure/postgres/postmaster.js';
import { until } from './until.js';

const run = promisify(execFile);
const DATABASE = 'corebook';
const START_MS = 20_000;

/** PostgreSQL under a supervisor (this suite): what is killed stays dead until `start`. */
export class PostgresServer {
  #servers: EmbeddedServer[] = [];
  readonly #directory: string;
  readonly #mount: string | undefined;

  private constructor(
    directory: string,
    mount: string | undefined,
    private readonly isAttached = false,
  ) {
    this.#directory = directory;
    this.#mount = mount;
  }

  /** `tmpfsMb`: the data is on a file system of this size, which must be mountable here. */
  static async open(options: { readonly tmpfsMb?: number | undefined } = {}): Promise<PostgresServer> {
    const directory = await mkdtemp(join(tmpdir(), 'corebook-faults-pg-'));
    await chmod(directory, 0o755);
    const mount = options.tmpfsMb === undefined ? undefined : directory;
    if (mount !== undefined) {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${options.tmpfsMb}m,mode=755`, 'tmpfs', mount]);
    }
    const server = new PostgresServer(directory, mount);
    await server.start();
    const client = new pg.Client({ connectionString: server.#last.superuserUrl });
    await client.connect();
    await client.query(`create database ${DATABASE}`);
    await client.end();
    return server;
  }

  /** The one that the product has started in its DATA_DIR, and looks after. */
  static async attach(dataDir: string): Promise<PostgresServer> {
    const server = new PostgresServer(dataDir, undefined, true);
    const [cluster, running] = [await existingCluster(dataDir), await findRunningServer(dataDir)];
    if (cluster === undefined || running === undefined) throw new Error('the product runs no PostgreSQL');
    const { dataDirectory } = cluster;
    server.#servers.push({ ...running, dataDirectory, adopted: true, stop: () => server.#end() });
    return server;
  }

  /** What is attached only: nobody else is left to end it. */
  async #end(): Promise<void> {
    const postmaster = await runningPostmaster(this.#last.dataDirectory);
    if (postmaster === undefined) return;
    process.kill(postmaster.pid, 'SIGINT');
    await until('PostgreSQL has ended', START_MS, async () => !(await this.isUp()));
  }

  get #last(): EmbeddedServer {
    const server = this.#servers.at(-1);
    if (server === undefined) throw new Error('PostgreSQL was not started');
    return server;
  }

  get port(): number {
    return this.#last.port;
  }

  /** The file system's folder, for what fills it. */
  get directory(): string {
    return this.#directory;
  }

  /** The address of the database, by this port (a proxy's). */
  url(port = this.port): string {
    const url = new URL(this.#last.superuserUrl);
    url.pathname = `/${DATABASE}`;
    url.port = String(port);
    return url.href;
  }

  async start(): Promise<void> {
    const server = await startEmbeddedServer({
      dataDir: join(this.#directory, 'data'),
      log: () => undefined,
      // A projection's log of WAL must fit on a small file system.
      ...(this.#mount === undefined ? {} : { settings: { max_wal_size: '64MB', min_wal_size: '32MB' } }),
    });
    if (this.#servers.length > 0 && server.port !== this.port) throw new Error('PostgreSQL came back on another port');
    this.#servers.push(server);
  }

  async isUp(): Promise<boolean> {
    return (await runningPostmaster(this.#last.dataDirectory)) !== undefined;
  }

  async killPostmaster(): Promise<void> {
    const postmaster = await runningPostmaster(this.#last.dataDirectory);
    if (postmaster === undefined) throw new Error('PostgreSQL does not run');
    process.kill(postmaster.pid, 'SIGKILL');
    const { pid } = postmaster;
    await until('the postmaster is dead', START_MS, async () => {
      const now = await runningPostmaster(this.#last.dataDirectory);
      return now?.pid !== pid;
    });
  }

  /** kill -9 of one server process, which has the others restart too. */
  async killBackend(applicationName: string): Promise<void> {
    const [row] = await this.rows<{ pid: number }>('select pid from pg_stat_activity where application_name = $1', [
      applicationName,
    ]);
    if (row === undefined) throw new Error(`no backend serves ${applicationName}`);
    process.kill(row.pid, 'SIGKILL');
  }

  /** Asks by a connection of its own, past every proxy. */
  async rows<T extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    types?: pg.CustomTypesConfig,
  ): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.url(), connectionTimeoutMillis: 10_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const query = { text, values: [...values], ...(types === undefined ? {} : { types }) };
      return (await client.query<T>(query)).rows;
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await server.stop().catch(() => undefined);
    if (this.isAttached) await deleteCluster(this.#directory);
    else if (this.#mount === undefined) await deleteCluster(join(this.#directory, 'data')).catch(() => undefined);
    else await run('umount', ['-l', this.#mount]);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A server that is a child process on a port of its own: Redis, the fake of EventStoreDB. */
export class ServerProcess {
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly command: (port: number, directory: string) => readonly [string, ...string[]],
    private readonly answers: (port: number) => Promise<boolean>,
  ) {}

  static async open(
    name: string,
    command: (port: number, directory: string) => readonly [string, ...string[]],
    answers: (port: number) => Promise<boolean>,
  ): Promise<ServerProcess> {
    const directory = await mkdtemp(join(tmpdir(), `corebook-faults-${name}-`));
    const server = new ServerProcess(await freePort(), directory, command, answers);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    const [program, ...parameters] = this.command(this.port, this.directory);
    const child = spawn(program, parameters, { stdio: 'ignore' });
    this.#child = child;
    await once(child, 'spawn');
    await until(`${program} answers`, START_MS, () => this.answers(this.port));
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
