/** What processes without the role api answer, and the health check that containers run against them. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { Counter, Registry } from 'prom-client';
import { test, type Test } from 'tap';
import { closeHttpServer } from '../../http/app.js';
import type { ReadinessCheck } from '../../http/deps.js';
import { createLogger } from '../../http/logging.js';
import { createOpsServer } from '../../http/ops-server.js';
import { systemClock } from '../../infrastructure/system/clock.js';

const COMPILED = import.meta.url.endsWith('.js');
const HEALTH = COMPILED ? ['build/main/health.js'] : ['--import', 'tsx', 'main/health.ts'];
const CLI = COMPILED ? ['build/main/cli.js'] : ['--import', 'tsx', 'main/cli.ts'];

async function opsServer(t: Test, readiness: readonly ReadinessCheck[]): Promise<{ url: string; port: number }> {
  const metrics = new Registry();
  new Counter({ name: 'corebook_test_total', help: 'For the test', registers: [metrics] }).inc();
  const logger = createLogger({ level: 'silent', destination: new Writable() });
  const server = createOpsServer({ readiness, metrics, clock: systemClock, logger });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => closeHttpServer(server, { clock: systemClock }));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port };
}

function healthCheck(environment: Record<string, string>): Promise<{ code: number; said: string }> {
  return new Promise((done) => {
    const env = { PATH: process.env['PATH'] ?? '', ...environment };
    execFile(process.execPath, HEALTH, { env }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr }),
    );
  });
}

test('health, readiness and metrics are answered, and nothing else', async (t) => {
  const { url } = await opsServer(t, [{ name: 'log', check: () => Promise.resolve({ ok: true }) }]);
  const health = await fetch(`${url}/health?from=probe`);
  t.equal(health.status, 200);
  t.same(await health.json(), { status: 'UP' });
  const ready = await fetch(`${url}/ready`);
  t.equal(ready.status, 200);
  t.same(await ready.json(), { status: 'READY', checks: [{ name: 'log', ok: true }] });
  t.match(await (await fetch(`${url}/metrics`)).text(), 'corebook_test_total 1');
  t.equal((await fetch(`${url}/openapi.json`)).status, 404);
  t.equal((await fetch(`${url}/ready`, { method: 'POST', body: '{}' })).status, 404);
});

test('not ready: 503, with the name of what fails and nothing of why', async (t) => {
  const { url } = await opsServer(t, [
    { name: 'log', check: () => Promise.reject(new Error('password of db.example is wrong')) },
    { name: 'projection', check: () => Promise.resolve({ ok: true }) },
  ]);
  const ready = await fetch(`${url}/ready`);
  t.equal(ready.status, 503);
  t.same(await ready.json(), {
    status: 'NOT_READY',
    checks: [
      { name: 'log', ok: false, detail: 'failed' },
      { name: 'projection', ok: true },
    ],
  });
  t.equal((await fetch(`${url}/health`)).status, 200, 'a process that is not ready is alive');
});

test('the health check of containers', async (t) => {
  const { port } = await opsServer(t, []);
  t.same(await healthCheck({ ROLES: 'worker', OPS_PORT: String(port) }), { code: 0, said: '' });
  t.same(
    await healthCheck({ ROLES: 'projector,api', PORT: String(port) }),
    { code: 0, said: '' },
    'the API’s own port',
  );

  const failing = createServer((_, response) => response.writeHead(500).end());
  failing.listen(0, '127.0.0.1');
  await once(failing, 'listening');
  const failingPort = (failing.address() as AddressInfo).port;
  t.match(await healthCheck({ PORT: String(failingPort) }), { code: 1, said: /answers 500/ });
  failing.close();
  await once(failing, 'close');
  t.match(await healthCheck({ PORT: String(failingPort) }), { code: 1, said: /ECONNREFUSED/ });
  t.match(await healthCheck({ ROLES: 'worker' }), { code: 1, said: /OPS_PORT is not set/ });
});

test('programs end by exit, with their own code: Node’s clean-up after the last event may take for ever', async (t) => {
  const told =
    'data:text/javascript,const exit=process.reallyExit;process.reallyExit=(code)=>{console.log(`exit ${code}`);exit.call(process,code)}';
  const ended = (...program: string[]): Promise<string> =>
    new Promise((done) => {
      execFile(process.execPath, ['--import', told, ...program], { env: { PATH: process.env['PATH'] } }, (_, stdout) =>
        done(stdout.trim().split('\n').at(-1) ?? ''),
      );
    });
  t.equal(await ended(...CLI, '--help'), 'exit 0');
  t.equal(await ended(...CLI, 'nothing-of-the-kind'), 'exit 2');
  t.equal(await ended(...HEALTH), 'exit 1', 'nobody listens');
});
