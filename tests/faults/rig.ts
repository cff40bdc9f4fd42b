/** The product with everything it stands on, a fault proxy before each of them. */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { DemoTenant } from '../../application/sandbox/seed.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { Product } from './product.js';
import { FreshFold } from './proof.js';
import { PostgresServer, ServerProcess } from './servers.js';
import { until } from './until.js';

export interface RigKind {
  /** Roles of each process of the product. */
  readonly processes: readonly string[];
  readonly log: 'postgres' | 'eventstoredb';
  readonly jobs: 'postgres' | 'redis';
  /** `embedded`: the product’s own, without a proxy before it. Default: one that the suite supervises. */
  readonly postgres?: 'embedded';
  /** The database’s file system has this size. */
  readonly tmpfsMb?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const READY_MS = 60_000;
const SELF_AUDIT_SECONDS = '5';

export class Rig {
  readonly fold = new FreshFold();
  readonly products: Product[] = [];
  demo: DemoTenant | undefined;

  private constructor(
    readonly kind: RigKind,
    readonly postgres: PostgresServer,
    readonly postgresProxy: FaultProxy,
    readonly redis: ServerProcess | undefined,
    readonly redisProxy: FaultProxy | undefined,
    readonly eventStore: ServerProcess | undefined,
    readonly eventStoreProxy: FaultProxy | undefined,
    private readonly secrets: Readonly<Record<string, string>>,
  ) {}

  static async open(kind: RigKind): Promise<Rig> {
    if (kind.postgres === 'embedded') return Rig.#embedded(kind);
    const postgres = await PostgresServer.open({ tmpfsMb: kind.tmpfsMb });
    const redis = kind.jobs === 'redis' ? await openRedis() : undefined;
    const eventStore = kind.log === 'eventstoredb' ? await openEventStore() : undefined;
    const before = (port: number | undefined) => (port === undefined ? undefined : FaultProxy.start(port));
    const rig = new Rig(
      kind,
      postgres,
      await FaultProxy.start(postgres.port),
      redis,
      await before(redis?.port),
      eventStore,
      await before(eventStore?.port),
      secretsOf(),
    );
    try {
      await rig.#start();
    } catch (error) {
      await rig.close();
      throw error;
    }
    return rig;
  }

  /** The product first: it makes the database. */
  static async #embedded(kind: RigKind): Promise<Rig> {
    const secrets = secretsOf();
    const product = await Product.of(kind.processes.join(), { ...secrets, SELF_AUDIT_SECONDS, ...kind.env });
    try {
      await product.start();
      const postgres = await PostgresServer.attach(product.directory);
      const proxy = await FaultProxy.start(postgres.port);
      const none = undefined;
      const rig = new Rig(kind, postgres, proxy, none, none, none, none, { ...secrets, DATA_DIR: product.directory });
      rig.products.push(product);
      rig.demo = await product.sandbox();
      await rig.#allReady();
      return rig;
    } catch (error) {
      await product.close();
      throw error;
    }
  }

  async #start(): Promise<void> {
    if (this.kind.env?.['FAKETIME_TIMESTAMP_FILE'] !== undefined) {
      await writeFile(this.kind.env['FAKETIME_TIMESTAMP_FILE'], '+0\n');
    }
    for (const roles of this.kind.processes) this.products.push(await Product.of(roles, this.#proxied()));
    for (const product of this.products) product.launch();
    await Promise.all(this.products.map((product) => product.started()));
    this.demo = await this.api.sandbox();
    await this.#allReady();
  }

  async #allReady(): Promise<void> {
    await until('everything is ready', READY_MS, async () =>
      (await this.readiness()).every((status) => status === 200),
    );
  }

  /** The processes' environment, past the proxies: for proofs and the command line. */
  get direct(): Readonly<Record<string, string>> {
    return this.#env(this.postgres.port, this.redis?.port, this.eventStore?.port);
  }

  #proxied(): Readonly<Record<string, string>> {
    return this.#env(this.postgresProxy.port, this.redisProxy?.port, this.eventStoreProxy?.port);
  }

  #env(postgres: number, redis: number | undefined, eventStore: number | undefined): Record<string, string> {
    return {
      ...this.secrets,
      ...(this.kind.postgres === 'embedded' ? {} : { DATABASE_URL: this.postgres.url(postgres) }),
      ...(redis === undefined ? {} : { REDIS_URL: `redis://127.0.0.1:${redis}` }),
      ...(eventStore === undefined ? {} : { LOG_URL: `esdb://127.0.0.1:${eventStore}?tls=false` }),
      SELF_AUDIT_SECONDS,
      ...this.kind.env,
    };
  }

  get api(): Product {
    return this.productOf('api');
  }

  /** The first process with this role. */
  productOf(role: string): Product {
    const product = this.products.find(({ roles }) => roles.includes(role));
    if (product === undefined) throw new Error(`no process has role ${role}`);
    return product;
  }

  get urls(): string[] {
    return this.products.filter(({ servesApi }) => servesApi).map(({ url }) => url);
  }

  /** What each process says of itself: 0 for no answer. */
  readiness(): Promise<number[]> {
    return Promise.all(
      this.products.map(({ url }) =>
        fetch(`${url}/ready`, { signal: AbortSignal.timeout(5_000) }).then(
          ({ status }) => status,
          () => 0,
        ),
      ),
    );
  }

  async heal(): Promise<void> {
    for (const proxy of [this.postgresProxy, this.redisProxy, this.eventStoreProxy]) await proxy?.heal();
  }

  async close(): Promise<void> {
    for (const product of this.products) await product.close();
    for (const proxy of [this.postgresProxy, this.redisProxy, this.eventStoreProxy]) await proxy?.close();
    for (const server of [this.redis, this.eventStore, this.postgres]) await server?.close();
    for (const product of this.products) await product.remove();
    const clock = this.kind.env?.['FAKETIME_TIMESTAMP_FILE'];
    if (clock !== undefined) await rm(clock, { force: true });
  }
}

function secretsOf(): Record<string, string> {
  return { MASTER_SECRET: randomBytes(32).toString('hex'), TOKEN_SECRET: randomBytes(32).toString('hex') };
}

/** Without persistence: whoever loses it has lost every job. */
function openRedis(): Promise<ServerProcess> {
  return ServerProcess.open(
    'redis',
    (port, directory) => [
      ...(['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', directory] as const),
      ...['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
    ],
    listens,
  );
}

/** The protocol fake: not EventStoreDB. Its events are on disk. */
function openEventStore(): Promise<ServerProcess> {
  return ServerProcess.open(
    'esdb',
    (port, directory) => [
      ...([process.execPath, '--import', 'tsx', 'tests/support/eventstore-fake/serve.ts'] as const),
      ...['--port', String(port), '--file', `${directory}/events`],
    ],
    listens,
  );
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
