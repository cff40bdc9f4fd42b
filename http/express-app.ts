import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { Edge } from './edge.js';
import type { Endpoint } from './endpoint.js';
import { API_SECURITY_HEADERS } from './headers.js';
import { NodeRequest, send, splitTarget } from './node-request.js';
import { failure, invalid } from './problem.js';
import { routesOf } from './registry.js';
import type { Router } from './router.js';
import { ClientGone, type WireAnswer, type WireRequest } from './wire.js';

/**
 * Serves what is not hot: the same definitions through the same edge, the reference page, and the answers to what
 * nobody serves. `closing` says whether the server is on its way out.
 */
export function createExpressApp(
  edge: Edge,
  endpoints: readonly Endpoint[],
  routes: Router<Endpoint>,
  docs: express.Router,
  closing: () => boolean,
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.set('query parser', false);

  // Express would answer OPTIONS by itself, for its own routes only.
  app.use((request: Request, response: Response, next) => {
    const match = request.method === 'OPTIONS' ? routes.match('OPTIONS', wireOf(request, {}, edge).path) : undefined;
    if (match === undefined) next();
    else
      send(
        response,
        { status: 200, headers: [...API_SECURITY_HEADERS, 'Allow', match.allowed.join(', ')], content: '' },
        closing(),
      );
  });
  for (const endpoint of endpoints) {
    for (const { method, path } of routesOf(endpoint)) {
      const handler = async (request: Request, response: Response): Promise<void> => {
        await answer(
          response,
          closing,
          edge.run(endpoint, wireOf(request, request.params as Record<string, string>, edge)),
        );
      };
      app[METHODS[method]](path.replace(/\{(\w+)\}/g, ':$1'), handler);
    }
  }
  app.use('/docs', docs);
  app.use((request: Request, response: Response) => {
    const wire = wireOf(request, {}, edge);
    const match = routes.match(wire.method, wire.path);
    send(response, edge.reject(match === undefined ? unknownPath() : wrongMethod(match.allowed), wire), closing());
  });
  const onError: ErrorRequestHandler = (error: unknown, request: Request, response: Response, next) => {
    if (response.headersSent) return next(error);
    const wire = wireOf(request, {}, edge);
    // Express itself fails only where it decodes the path.
    const status = (error as { status?: unknown }).status;
    const reason = status === 400 ? malformedPath() : failure('SERVER_ERROR', 'Internal error');
    if (status !== 400) edge.services.logger.error({ err: error }, 'defect');
    send(response, edge.reject(reason, wire), closing());
  };
  app.use(onError);
  return app;
}

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', DELETE: 'delete' } as const;

function wireOf(request: Request, params: WireRequest['params'], edge: Edge): NodeRequest {
  const { path, search } = splitTarget(request.originalUrl);
  return new NodeRequest(request, path, search, params, edge.services.config);
}

async function answer(response: Response, closing: () => boolean, running: Promise<WireAnswer>): Promise<void> {
  try {
    send(response, await running, closing());
  } catch (error) {
    if (!(error instanceof ClientGone)) throw error;
  }
}

const malformedPath = () => invalid('path', 'MALFORMED', 'the path is not properly percent-encoded');
const unknownPath = () => failure('NOT_FOUND', 'There is nothing at this path');
const wrongMethod = (allowed: readonly string[]) =>
  failure('METHOD_NOT_ALLOWED', `This path answers ${allowed.join(', ')}`, { headers: ['Allow', allowed.join(', ')] });
