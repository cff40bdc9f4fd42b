import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpConfig } from './deps.js';
import type { Failure } from './problem.js';
import { readBytes } from './request-body.js';
import type { WireAnswer, WireRequest } from './wire.js';

/** A `node:http` request as the edge sees it. A class, so that a request costs one object and no closures. */
export class NodeRequest implements WireRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: IncomingMessage['headers'];
  readonly address: string;
  readonly params: Readonly<Record<string, string>> | undefined;
  readonly #request: IncomingMessage;

  constructor(
    request: IncomingMessage,
    path: string,
    search: string,
    params: WireRequest['params'],
    config: HttpConfig,
  ) {
    this.#request = request;
    this.method = request.method ?? 'GET';
    this.path = path;
    this.search = search;
    this.params = params;
    this.headers = request.headers;
    this.address = addressOf(request, config.trustedProxies);
  }

  body(limit: number): Promise<Buffer | Failure> {
    return readBytes(this.#request, limit);
  }
}

/** The connection's address, or the one that the outermost of our own proxies saw. */
function addressOf(request: IncomingMessage, trustedProxies: number): string {
  const own = request.socket.remoteAddress ?? '';
  if (trustedProxies === 0) return own;
  const forwarded = request.headers['x-forwarded-for'];
  const hops = typeof forwarded === 'string' ? forwarded.split(',') : [];
  return hops[hops.length - trustedProxies]?.trim() ?? own;
}

/** Path and query of a request target. */
export function splitTarget(url: string): { path: string; search: string } {
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, search: '' } : { path: url.slice(0, mark), search: url.slice(mark + 1) };
}

export function send(response: ServerResponse, answer: WireAnswer, closing: boolean): void {
  // The client may be gone by now, or Express may have begun to answer.
  if (response.headersSent || response.destroyed) return;
  const { headers, content } = answer;
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
  headers.push('Content-Length', String(bytes));
  if (closing) headers.push('Connection', 'close');
  response.writeHead(answer.status, headers);
  // As many bytes as characters: nothing beyond ASCII, so there is nothing to encode.
  response.end(content, bytes === content.length ? 'latin1' : 'utf8');
}
