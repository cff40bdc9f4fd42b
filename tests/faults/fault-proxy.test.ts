/** The fault proxy itself: a suite that breaks nothing proves nothing. */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { FaultProxy } from '../support/fault-proxy.js';

/** Long enough for anything on loopback to have arrived, had it been let through. */
const SILENCE_MS = 150;

async function withProxy(t: Test): Promise<{ proxy: FaultProxy; server: Server; received: () => string }> {
  let received = '';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      received += piece.toString();
      socket.write(piece);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.start((server.address() as AddressInfo).port);
  t.teardown(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { proxy, server, received: () => received };
}

class Caller {
  readonly socket: Socket;
  heard = '';
  error: NodeJS.ErrnoException | undefined;
  closed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (piece) => (this.heard += piece.toString()));
    this.socket.on('error', (error) => (this.error = error));
    this.socket.on('close', () => (this.closed = true));
  }

  async until(condition: () => boolean, ms = 5_000): Promise<boolean> {
    for (let waited = 0; waited < ms && !condition(); waited += 5) await delay(5);
    return condition();
  }

  async echo(text: string): Promise<boolean> {
    const before = this.heard.length;
    this.socket.write(text);
    return this.until(() => this.heard.slice(before) === text);
  }
}

test('without a fault everything comes through, ends too', async (t) => {
  const { proxy } = await withProxy(t);
  const caller = new Caller(proxy.port);
  t.ok(await caller.echo('hello'));
  const long = 'x'.repeat(3_000_000);
  t.ok(await caller.echo(long), 'more than the window');
  t.match(proxy.counts, { accepted: 1, open: 1, reset: 0, bytesUp: 3_000_005, bytesDown: 3_000_005 });
  caller.socket.end();
  t.ok(await caller.until(() => caller.closed), 'the server’s end comes back');
  t.equal(caller.error, undefined);
  t.ok(await caller.until(() => proxy.counts.open === 0));
});

test('reset tears down what is open and what is opened', async (t) => {
  const { proxy } = await withProxy(t);
  const before = new Caller(proxy.port);
  t.ok(await before.echo('one'));
  await proxy.strike({ kind: 'reset' });
  t.ok(await before.until(() => before.closed));
  t.equal(before.error?.code, 'ECONNRESET');
  const during = new Caller(proxy.port);
  t.ok(await during.until(() => during.closed));
  t.equal(during.error?.code, 'ECONNRESET');
  t.equal(proxy.counts.reset, 2);
  await proxy.heal();
  t.ok(await new Caller(proxy.port).echo('two'));
});

test('refuse: nobody listens, afterwards on the same port again', async (t) => {
  const { proxy } = await withProxy(t);
  const before = new Caller(proxy.port);
  t.ok(await before.echo('one'));
  await proxy.strike({ kind: 'refuse' });
  t.ok(await before.until(() => before.closed));
  const during = new Caller(proxy.port);
  t.ok(await during.until(() => during.closed));
  t.equal(during.error?.code, 'ECONNREFUSED');
  await proxy.heal();
  t.ok(await new Caller(proxy.port).echo('two'));
});

test('blackhole: connected, silent, and all of it late', async (t) => {
  const { proxy, received } = await withProxy(t);
  const before = new Caller(proxy.port);
  t.ok(await before.echo('one'));
  await proxy.strike({ kind: 'blackhole' });
  const during = new Caller(proxy.port);
  before.socket.write('two');
  during.socket.write('three');
  await delay(SILENCE_MS);
  t.equal(received(), 'one');
  t.notOk(during.socket.connecting, 'connected though nobody answers');
  t.notOk(before.closed || during.closed);
  await proxy.heal();
  t.ok(await before.until(() => before.heard === 'onetwo' && during.heard === 'three'));
});

for (const silent of ['up', 'down'] as const) {
  test(`half-open: ${silent} is silent, the other way is not`, async (t) => {
    const { proxy, received } = await withProxy(t);
    const caller = new Caller(proxy.port);
    t.ok(await caller.echo('one'));
    await proxy.strike({ kind: 'half-open', silent });
    caller.socket.write('two');
    if (silent === 'down') t.ok(await caller.until(() => received() === 'onetwo'), 'it has arrived');
    await delay(SILENCE_MS);
    t.equal(received(), silent === 'up' ? 'one' : 'onetwo');
    t.equal(caller.heard, 'one');
    await proxy.heal();
    t.ok(await caller.until(() => caller.heard === 'onetwo'));
  });
}

test('abandon: old connections stay silent after healing, new ones are well', async (t) => {
  const { proxy, received } = await withProxy(t);
  const before = new Caller(proxy.port);
  t.ok(await before.echo('one'));
  await proxy.strike({ kind: 'abandon' });
  before.socket.write('two');
  const during = new Caller(proxy.port);
  t.ok(await during.echo('three'));
  await proxy.heal();
  await delay(SILENCE_MS);
  t.equal(before.heard, 'one');
  t.equal(received(), 'onethree');
  t.notOk(before.closed);
  before.socket.destroy();
  t.ok(await during.echo('four'));
});

test('latency and bandwidth take their time, in order', async (t) => {
  const { proxy } = await withProxy(t);
  const caller = new Caller(proxy.port);
  t.ok(await caller.echo('warm'));
  await proxy.strike({ kind: 'latency', ms: 60, jitterMs: 50 });
  let startedMs = performance.now();
  const pieces = Array.from({ length: 20 }, (_, i) => `${i},`);
  for (const piece of pieces) {
    caller.socket.write(piece);
    await delay(2);
  }
  t.ok(await caller.until(() => caller.heard === `warm${pieces.join('')}`), 'in order in spite of jitter');
  t.ok(performance.now() - startedMs >= 20, 'late');
  await proxy.strike({ kind: 'latency', ms: 100 });
  startedMs = performance.now();
  t.ok(await caller.echo('late'));
  const tookMs = performance.now() - startedMs;
  t.ok(tookMs >= 195, `there and back are two latencies: ${tookMs}`);
  await proxy.strike({ kind: 'bandwidth', bytesPerSecond: 200_000 });
  startedMs = performance.now();
  t.ok(await caller.echo('y'.repeat(30_000)));
  const narrowMs = performance.now() - startedMs;
  t.ok(narrowMs >= 250, `60 kB over 200 kB/s: ${narrowMs}`);
  await proxy.heal();
  t.ok(await caller.echo('z'.repeat(100_000)));
});
