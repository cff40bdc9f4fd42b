/** A tiny balancer before several processes: by turns, to those whose /ready is 200; on with the next when one refuses. */
import { Agent, type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const CHECK_MS = 100;

export class RoundRobin {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #ready = new Set<string>();
  readonly #server = createServer((incoming, outgoing) => {
    const body: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => body.push(piece));
    incoming.on('end', () => this.#pass(incoming, Buffer.concat(body), outgoing, this.backends.length));
  });
  readonly #checking: NodeJS.Timeout;
  #next = 0;
  /** Requests that another backend was given because one refused the connection. */
  refused = 0;

  constructor(private readonly backends: readonly string[]) {
    for (const backend of backends) this.#ready.add(backend);
    this.#checking = setInterval(() => void this.#check(), CHECK_MS);
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#checking);
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
    this.#agent.destroy();
  }

  async #check(): Promise<void> {
    for (const backend of this.backends) {
      const ok = await fetch(`${backend}/ready`).then(
        async (response) => (await response.text(), response.ok),
        () => false,
      );
      if (ok) this.#ready.add(backend);
      else this.#ready.delete(backend);
    }
  }

  #pass(incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse, tries: number): void {
    const backend = this.#pick();
    const { method, url, headers } = incoming;
    const passed = request(`${backend}${url ?? ''}`, { method, headers, agent: this.#agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain' });
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    passed.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && tries > 1) {
        this.refused += 1;
        this.#ready.delete(backend);
        this.#pass(incoming, body, outgoing, tries - 1);
      } else if (!outgoing.headersSent) outgoing.writeHead(502).end(error.code);
    });
    passed.end(body);
  }

  #pick(): string {
    const candidates = this.#ready.size > 0 ? [...this.#ready] : this.backends;
    this.#next += 1;
    return candidates[this.#next % candidates.length] ?? '';
  }
}
