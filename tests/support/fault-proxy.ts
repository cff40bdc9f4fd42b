/**
 * A TCP proxy that breaks the network on demand: real sockets on loopback, one fault at a time, switched while it runs.
 * It knows nothing of what flows through it.
 */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** `up` is towards the server behind the proxy, `down` towards its clients. */
export type Way = 'up' | 'down';

export type Fault =
  | { readonly kind: 'none' }
  /** Every piece is late by `ms`, give or take `jitterMs`; pieces stay in order. */
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs?: number }
  /** Both ways together as on one slow line, over all connections. */
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** Every connection is torn down (RST), every new one too as soon as it is made. */
  | { readonly kind: 'reset' }
  /** One way is silent; what was sent arrives after healing. */
  | { readonly kind: 'half-open'; readonly silent: Way }
  /** Connections are accepted and nothing flows; what was sent arrives after healing. */
  | { readonly kind: 'blackhole' }
  /** What is open now stays open and silent for ever, as behind a firewall that forgot it; new connections are well. */
  | { readonly kind: 'abandon' }
  /** Nobody listens, and what was open is torn down. */
  | { readonly kind: 'refuse' };

export interface ProxyCounts {
  readonly accepted: number;
  readonly open: number;
  /** Connections that a fault tore down. */
  readonly reset: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** The end of one way says nothing about the other. */
const LISTENING = { allowHalfOpen: true, noDelay: true };
const HEALTHY: Fault = { kind: 'none' };
/** Bytes of one connection and way that may be under way; beyond it the sender waits, as on a real line. */
const WINDOW_BYTES = 256 * 1024;

export class FaultProxy {
  #fault: Fault = HEALTHY;
  /** Resolves when the fault changes. */
  #change = deferred();
  #lineFreeAtMs = 0;
  readonly #links = new Set<Link>();
  readonly #counts = { accepted: 0, reset: 0, bytesUp: 0, bytesDown: 0 };
  #server: Server | undefined;

  private constructor(
    private readonly target: { readonly host: string; readonly port: number },
    private readonly random: () => number,
    public readonly port: number,
  ) {}

  /** Listens on a free port of loopback before the server at `port` is asked for. */
  static async start(port: number, random: () => number = Math.random): Promise<FaultProxy> {
    const server = createServer(LISTENING);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultProxy({ host: '127.0.0.1', port }, random, (server.address() as AddressInfo).port);
    proxy.#serve(server);
    return proxy;
  }

  get counts(): ProxyCounts {
    return { ...this.#counts, open: this.#links.size };
  }

  async strike(fault: Fault): Promise<void> {
    this.#fault = fault;
    this.#lineFreeAtMs = 0;
    if (fault.kind === 'reset' || fault.kind === 'refuse') for (const link of this.#links) this.#tear(link);
    if (fault.kind === 'abandon') for (const link of this.#links) link.abandoned = true;
    if (fault.kind === 'refuse') await this.#unlisten();
    else await this.#listen();
    const before = this.#change;
    this.#change = deferred();
    before.resolve();
  }

  heal(): Promise<void> {
    return this.strike(HEALTHY);
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.destroy();
    await this.#unlisten();
  }

  #serve(server: Server): void {
    this.#server = server;
    server.on('connection', (client) => this.#accept(client));
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer(LISTENING);
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.#serve(server);
  }

  async #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  #accept(client: Socket): void {
    this.#counts.accepted += 1;
    const link = new Link(client);
    this.#links.add(link);
    // An abandoned connection is still open on the server's side.
    void link.gone.then(() => link.abandoned || this.#links.delete(link));
    if (this.#fault.kind === 'reset' || this.#fault.kind === 'refuse') {
      this.#tear(link);
      return;
    }
    void this.#join(link);
  }

  /** The server is asked for when something may flow, as a lost SYN is sent again. */
  async #join(link: Link): Promise<void> {
    await this.#open('up', link);
    if (link.client.destroyed) return;
    const server = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    link.server = server;
    server.on('error', () => link.abandoned || link.reset());
    server.once('connect', () => {
      void this.#pump(link, link.client, server, 'up');
      void this.#pump(link, server, link.client, 'down');
    });
  }

  #tear(link: Link): void {
    this.#counts.reset += 1;
    link.reset();
  }

  async #pump(link: Link, from: Socket, to: Socket, way: Way): Promise<void> {
    let tail: Promise<unknown> = Promise.resolve();
    let underWay = 0;
    try {
      for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        underWay += piece.length;
        const dueAtMs = this.#dueAtMs(piece.length);
        tail = tail.then(async () => {
          const lateMs = dueAtMs - performance.now();
          if (lateMs > 0) await delay(lateMs); // Healing does not hurry what is on its way already.
          await this.#open(way, link);
          underWay -= piece.length;
          if (to.destroyed) return;
          if (way === 'up') this.#counts.bytesUp += piece.length;
          else this.#counts.bytesDown += piece.length;
          if (!to.write(piece)) await writable(to);
        });
        tail.catch(() => undefined);
        if (underWay >= WINDOW_BYTES) await tail;
      }
      await tail;
      await this.#open(way, link);
      to.end();
    } catch {
      // One side was torn down: so is the other.
      await this.#open(way, link);
      link.reset();
    }
  }

  /** When a piece that is sent now has come through. */
  #dueAtMs(bytes: number): number {
    const nowMs = performance.now();
    const fault = this.#fault;
    if (fault.kind === 'latency') return nowMs + fault.ms + (this.random() * 2 - 1) * (fault.jitterMs ?? 0);
    if (fault.kind !== 'bandwidth') return 0;
    this.#lineFreeAtMs = Math.max(this.#lineFreeAtMs, nowMs) + (bytes * 1_000) / fault.bytesPerSecond;
    return this.#lineFreeAtMs;
  }

  /** Resolves when this way is open. */
  async #open(way: Way, link: Link): Promise<void> {
    while (this.#isShut(way, link)) await this.#change.promise;
  }

  #isShut(way: Way, link: Link): boolean {
    const fault = this.#fault;
    return link.abandoned || fault.kind === 'blackhole' || (fault.kind === 'half-open' && fault.silent === way);
  }
}

/** One connection through the proxy. */
class Link {
  server: Socket | undefined;
  abandoned = false;
  readonly gone: Promise<void>;

  constructor(readonly client: Socket) {
    client.on('error', () => undefined);
    this.gone = new Promise((resolve) => client.once('close', () => resolve()));
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.server?.resetAndDestroy();
  }

  destroy(): void {
    this.client.destroy();
    this.server?.destroy();
  }
}

/** Resolves when a socket takes more, or never will. */
async function writable(socket: Socket): Promise<void> {
  await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
