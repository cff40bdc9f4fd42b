/**
 * A FAKE of EventStoreDB for tests: its protocol on the loopback interface, its rules in memory, faults on demand.
 * README.md says what it does not fake.
 */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, type Server as TcpServer, type Socket, createServer } from 'node:net';
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { handleAppend } from './appending.js';
import { handleBatchAppend } from './batch-appending.js';
import { handleDelete, handleTombstone } from './deleting.js';
import { Faults } from './faults.js';
import type { AnyCall, FakeNode, Member } from './node.js';
import { handleGossip, handleSupportedMethods } from './node-services.js';
import { handleRead } from './reading.js';
import type { Endpoint } from './refusals.js';
import { FakeStore } from './store.js';
import { hasBatchAppend } from './version.js';

const HOST = 'localhost';
const LOOPBACK = '127.0.0.1';
const MAX_APPEND_SIZE = 1024 * 1024;
/** The server takes messages as large as its log takes records. */
const MAX_MESSAGE_SIZE = 17 * 1024 * 1024;

export interface FakeOptions {
  readonly port?: number;
  /** Shared with other fakes, or kept from one to the next. */
  readonly store?: FakeStore;
  readonly users?: Readonly<Record<string, string>>;
  /** PEM texts. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly maxAppendSize?: number;
  /** 24.10.0 unless given; 'unimplemented': a server that does not know how to say its version. */
  readonly version?: string;
}

export async function startEventStoreFake(options: FakeOptions = {}): Promise<EventStoreFake> {
  const fake = new EventStoreFake(options);
  await fake.start();
  return fake;
}

export class EventStoreFake {
  readonly store: FakeStore;
  readonly faults: Faults;
  readonly instanceId = randomUUID();
  #port: number;
  #running: { readonly grpc: Server; readonly tcp: TcpServer; readonly sockets: Map<number, Socket> } | undefined;
  #members = (): readonly Member[] => [
    { endpoint: this.endpoint, instanceId: this.instanceId, isAlive: true, isLeader: true },
  ];

  constructor(private readonly options: FakeOptions) {
    this.store = options.store ?? new FakeStore();
    this.faults = new Faults(() => this.store.bell.ring());
    this.#port = options.port ?? 0;
  }

  get endpoint(): Endpoint {
    return { host: HOST, port: this.#port };
  }

  /** Without credentials and, with TLS, without the certificate to trust. */
  get url(): string {
    return `esdb://${HOST}:${this.#port}?tls=${this.options.tls !== undefined}`;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Makes this a node of a cluster. */
  join(members: () => readonly Member[]): void {
    this.#members = members;
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    const grpc = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE_SIZE });
    this.#serve(grpc);
    const { tls } = this.options;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) }]);
    const injector = grpc.createConnectionInjector(credentials);
    const sockets = new Map<number, Socket>();
    const tcp = createServer((socket) => {
      const port = socket.remotePort ?? 0;
      sockets.set(port, socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(port));
      injector.injectConnection(socket);
    });
    await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(this.#port, LOOPBACK, resolve));
    this.#port = (tcp.address() as AddressInfo).port;
    this.#running = { grpc, tcp, sockets };
  }

  /** Like pulling the plug: connections are cut, the store is kept. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.dropConnections(running.sockets);
    const closed = new Promise((resolve) => running.tcp.close(resolve));
    running.grpc.forceShutdown();
    this.store.bell.ring();
    await closed;
  }

  /** The same port, the same store. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Cuts all connections; new ones are taken. */
  dropConnections(sockets = this.#running?.sockets): void {
    for (const socket of sockets?.values() ?? []) socket.destroy();
  }

  #serve(grpc: Server): void {
    const { users, maxAppendSize = MAX_APPEND_SIZE, version = '24.10.0' } = this.options;
    const hangUp = (call: AnyCall): void => {
      const port = Number.parseInt(/:(\d+)$/.exec(call.getPeer())?.[1] ?? '', 10);
      this.#running?.sockets.get(port)?.destroy();
    };
    const { store, faults } = this;
    const own = (): Endpoint => this.endpoint;
    const members = (): readonly Member[] => this.#members();
    const node: FakeNode = {
      ...{ store, faults, users, maxAppendSize, version, hangUp, members },
      get endpoint() {
        return own();
      },
    };
    grpc.addService(StreamsService, {
      ...{ append: handleAppend(node), read: handleRead(node) },
      ...{ delete: handleDelete(node), tombstone: handleTombstone(node) },
      ...(hasBatchAppend(version) && { batchAppend: handleBatchAppend(node) }),
    });
    grpc.addService(GossipService, { read: handleGossip(node) });
    if (version === 'unimplemented') return;
    grpc.addService(ServerFeaturesService, { getSupportedMethods: handleSupportedMethods(node) });
  }
}
