import { type TLSSocket, type TlsOptions, connect, createServer } from 'node:tls';
import type { Server } from 'node:net';
import type { Command, Outcome } from '../../application/commands.js';
import { NotHanded } from '../../application/ports/relay.js';
import { FrameSender, readFrames } from './frames.js';
import { type Handed, type Reply, errorOf, failureReply } from './messages.js';

/** Who knows the key is one of us; there are no certificates. The key exchange is fresh each time. */
const CIPHER = 'ECDHE-PSK-CHACHA20-POLY1305';
const TLS = { ciphers: CIPHER, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const CONNECT_MS = 1_000;
/** Longer than any command that is still alive: its leader is stopped or cut off. */
const REPLY_MS = 15_000;
const KEEP_ALIVE_MS = 2_000;
const MAX_CONNECTIONS = 256;
/** A process to which there was no way (another version, a firewall) is not tried again for so long. */
const SHUT_MS = 10_000;

/** Both ends: the key, and the code's version: processes of different code hand each other nothing. */
export interface Credentials {
  readonly key: Buffer;
  readonly version: string;
}

/**
 * Takes commands from other processes of this installation and answers each when it is done. Not listening yet; aborted,
 * it sends what it has answered and ends.
 */
export function createRelayServer(
  { key, version }: Credentials,
  execute: (command: Command) => Promise<Outcome>,
  signal: AbortSignal,
): Server {
  const options: TlsOptions = { ...TLS, pskCallback: (_socket, identity) => (identity === version ? key : null) };
  const server = createServer(options, (socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    const end = (): void => void socket.end(() => socket.destroy());
    signal.addEventListener('abort', end);
    socket.on('close', () => signal.removeEventListener('abort', end));
    const replies = new FrameSender(socket);
    const answer = (reply: Reply): void => {
      if (socket.writable) replies.send(reply);
    };
    readFrames(socket, (value) => {
      const { id, command } = value as Handed;
      execute(command).then(
        (outcome) => answer({ id, outcome }),
        (error: unknown) => answer(failureReply(id, error)),
      );
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('tlsClientError', () => undefined);
  signal.addEventListener('abort', () => server.close());
  return server;
}

interface Pending {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  readonly atMs: number;
}

/** The way to one other process. Opened by the first command, gone for good when it breaks. */
export class RelayChannel {
  readonly #pending = new Map<number, Pending>();
  readonly #opened: Promise<FrameSender>;
  readonly #socket: TLSSocket;
  #next = 0;
  #isOpen = true;
  #wasOpen = false;
  #closedMs = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(address: { readonly host: string; readonly port: number }, { key, version }: Credentials) {
    const socket = (this.#socket = connect({
      ...{ ...TLS, ...address, timeout: CONNECT_MS },
      pskCallback: () => ({ psk: key, identity: version }),
      checkServerIdentity: () => undefined,
    }));
    this.#opened = new Promise((resolve, reject) => {
      socket.once('secureConnect', () => {
        socket.setTimeout(0);
        socket.setNoDelay(true);
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        this.#wasOpen = true;
        resolve(new FrameSender(socket));
      });
      socket.once('timeout', () => socket.destroy(new Error('no answer')));
      socket.once('error', reject);
    });
    this.#opened.catch(() => undefined);
    readFrames(socket, (value) => this.#replied(value as Reply));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
    this.#watch = setInterval(() => this.#expire(socket), CONNECT_MS);
    this.#watch.unref();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** There was no way, a moment ago. */
  get isShut(): boolean {
    return !this.#isOpen && !this.#wasOpen && performance.now() - this.#closedMs < SHUT_MS;
  }

  async hand(command: Command): Promise<Outcome> {
    let commands: FrameSender;
    try {
      commands = await this.#opened;
    } catch (error) {
      throw new NotHanded('the leading process cannot be reached', { cause: error });
    }
    if (!this.#isOpen) throw new NotHanded('the leading process is gone');
    return await new Promise((resolve, reject) => {
      this.#next += 1;
      this.#pending.set(this.#next, { resolve, reject, atMs: performance.now() });
      commands.send({ id: this.#next, command } satisfies Handed);
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  #replied(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('outcome' in reply) pending?.resolve(reply.outcome);
    else pending?.reject(errorOf(reply));
  }

  /** The oldest comes first: if that one is late the process does not answer any more. */
  #expire(socket: TLSSocket): void {
    const [oldest] = this.#pending.values();
    if (oldest !== undefined && performance.now() - oldest.atMs > REPLY_MS) socket.destroy();
  }

  #closed(): void {
    this.#isOpen = false;
    this.#closedMs = performance.now();
    clearInterval(this.#watch);
    for (const { reject } of this.#pending.values()) reject(new Error('the leading process was lost'));
    this.#pending.clear();
  }
}
