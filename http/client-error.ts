import type { Duplex } from 'node:stream';
import type { HttpServices } from './deps.js';
import { failureText } from './envelope.js';
import { API_SECURITY_HEADERS } from './headers.js';
import { ERROR_CODES, type Failure, failure } from './problem.js';

const REASONS: Readonly<Record<string, Failure>> = {
  HPE_HEADER_OVERFLOW: failure('HEADERS_TOO_LARGE', 'The headers are too large'),
  ERR_HTTP_REQUEST_TIMEOUT: failure('REQUEST_TIMEOUT', 'The request took too long to arrive'),
};
const MALFORMED = failure('VALIDATION_ERROR', 'This is not an HTTP request', {
  errors: [{ field: '', code: 'MALFORMED_REQUEST', message: 'this is not an HTTP request' }],
});
const STATUS_TEXT: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  422: 'Unprocessable Entity',
  431: 'Request Header Fields Too Large',
};

/** Answers what `node:http` could not parse, in the common envelope, and closes the connection. */
export function writeClientError(error: Error, socket: Duplex, services: Pick<HttpServices, 'clock' | 'ids'>): void {
  if (!socket.writable || (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? MALFORMED;
  const { status } = ERROR_CODES[reason.errorCode];
  const nowMs = services.clock.nowMs();
  const requestId = services.ids.eventId();
  const text = failureText(reason, { requestId, startedMs: nowMs, nowMs });
  const headers = [
    ...API_SECURITY_HEADERS,
    ...['Content-Type', 'application/json; charset=utf-8', 'x-fapi-interaction-id', requestId],
    ...['Content-Length', String(Buffer.byteLength(text)), 'Connection', 'close'],
  ];
  let head = `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? 'Error'}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.end(`${head}\r\n${text}`);
}
