import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { TokenVerifier } from '../application/access/token-verifier.js';
import { tenantIdOf } from '../domain/shared/ids.js';
import { writeClientError } from './client-error.js';
import type { HttpDeps, HttpServices } from './deps.js';
import { docsRouter } from './docs-page.js';
import { Edge } from './edge.js';
import type { Endpoint } from './endpoint.js';
import { createExpressApp } from './express-app.js';
import { NodeRequest, send, splitTarget } from './node-request.js';
import { openApiDocument } from './openapi.js';
import { ENDPOINTS, routesOf } from './registry.js';
import { decodeParams, Router } from './router.js';
import { ClientGone } from './wire.js';

/**
 * The HTTP server, not listening yet. Requests for definitions marked hot go from `node:http` straight to the edge; all
 * others pass through Express to the same edge. Close it with `closeHttpServer`.
 */
export function createHttpServer(deps: HttpDeps): Server {
  const { config, logger } = deps;
  const services = servicesOf(deps);
  const edge = new Edge(services);
  const all = routerOf(ENDPOINTS);
  const hot = routerOf(config.hotPath ? ENDPOINTS.filter((endpoint) => endpoint.hot === true) : []);
  const cold = ENDPOINTS.filter((endpoint) => !config.hotPath || endpoint.hot !== true);
  const closing = (): boolean => !server.listening || deps.stopping?.() === true;
  const app = createExpressApp(edge, cold, all, docsRouter(), closing);

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { path, search } = splitTarget(request.url ?? '/');
    const match = hot.match(request.method ?? 'GET', path);
    if (match?.found === undefined) {
      app(request, response);
      return;
    }
    const params = decodeParams(match.names ?? [], match.values ?? []);
    const wire = new NodeRequest(request, path, search, params, config);
    edge.run(match.found, wire).then(
      (answer) => send(response, answer, closing()),
      (error: unknown) => {
        if (!(error instanceof ClientGone)) logger.error({ err: error }, 'defect');
        response.destroy();
      },
    );
  };

  const server = createServer(
    {
      maxHeaderSize: config.server.maxHeaderBytes,
      headersTimeout: config.server.headersTimeoutMs,
      requestTimeout: config.server.requestTimeoutMs,
      keepAliveTimeout: config.server.keepAliveTimeoutMs,
      noDelay: true,
    },
    onRequest,
  );
  server.maxConnections = config.server.maxConnections;
  server.on('clientError', (error, socket) => writeClientError(error, socket, services));
  return server;
}

/**
 * Stops accepting connections, lets running requests finish (at most `graceMs`), closes idle connections at once and
 * what is left at the end. Resolves when every connection is closed.
 */
export async function closeHttpServer(server: Server, deps: Pick<HttpDeps, 'clock'>, graceMs = 10_000): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const done = new AbortController();
  const forced = deps.clock.sleep(graceMs, done.signal).then(
    () => server.closeAllConnections(),
    () => undefined,
  );
  await closed;
  done.abort();
  await forced;
}

function servicesOf(deps: HttpDeps): HttpServices {
  let text: string | undefined;
  return {
    ...deps,
    tokenVerifier: deps.tokenVerifier ?? new TokenVerifier(deps.tokenStore, deps.tokenSecrets, deps.clock),
    rootTenantId: tenantIdOf(deps.config.rootTenant),
    positions: new Map(),
    openApiText: () => (text ??= JSON.stringify(openApiDocument(ENDPOINTS, deps.config.version))),
  };
}

function routerOf(endpoints: readonly Endpoint[]): Router<Endpoint> {
  const router = new Router<Endpoint>();
  for (const endpoint of endpoints) for (const route of routesOf(endpoint)) router.add(route, endpoint);
  return router;
}
