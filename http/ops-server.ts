import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../application/ports/clock.js';
import type { ReadinessCheck } from './deps.js';
import { readinessOf } from './platform/readiness.js';

/** A probe sends next to nothing and waits for its answer: whatever takes longer is none. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 };
const MAX_CONNECTIONS = 64;

interface OpsDeps {
  readonly readiness: readonly ReadinessCheck[];
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * /health, /ready and /metrics of a process that serves no API, as the API answers them; nothing else. Not listening
 * yet; closed by `closeHttpServer`.
 */
export function createOpsServer(deps: OpsDeps): Server {
  const server = createServer(LIMITS, (request, response) => {
    request.resume();
    const path = request.method === 'GET' ? request.url?.split('?', 1)[0] : undefined;
    answer(path, response, deps).catch((error: unknown) => {
      deps.logger.error({ err: error }, 'defect');
      response.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function answer(path: string | undefined, response: ServerResponse, deps: OpsDeps): Promise<void> {
  const json = (status: number, value: unknown): void => {
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end(JSON.stringify(value));
  };
  switch (path) {
    case '/health':
      json(200, { status: 'UP' });
      return;
    case '/ready': {
      const verdict = await readinessOf(deps.readiness, deps.clock);
      json(verdict.status === 'READY' ? 200 : 503, verdict);
      return;
    }
    case '/metrics': {
      const text = await deps.metrics.metrics();
      response.writeHead(200, { 'Content-Type': deps.metrics.contentType });
      response.end(text);
      return;
    }
    default:
      json(404, { status: 404, title: 'There is /health, /ready and /metrics' });
  }
}
