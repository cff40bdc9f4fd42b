import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Endpoint } from './endpoint.js';
import { MAX_DEPTH, type JsonError, parseJson } from './json.js';
import { isMultipart, parseMultipart } from './multipart.js';
import { type Failure, failure, invalid } from './problem.js';
import { ClientGone, type WireRequest } from './wire.js';

const JSON_TYPE = /^application\/json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?\s*$/i;

const MESSAGES: Readonly<Record<JsonError, string>> = {
  MALFORMED_JSON: 'the body is not JSON',
  TOO_DEEP: `the body is nested more than ${MAX_DEPTH} deep`,
  INVALID_TEXT: 'a text in the body has control characters or lone surrogates',
};

/** What is left of a body that is too large is read and dropped up to this many times the limit, so that the answer arrives. */
const DRAIN_FACTOR = 16;

function tooLarge(limit: number, closing: boolean): Failure {
  const headers = closing ? ['Connection', 'close'] : [];
  return failure('PAYLOAD_TOO_LARGE', `A body has at most ${limit} bytes`, { headers });
}

/** Reads the body of a request as bytes, at most `limit` of them. */
export function readBytes(request: IncomingMessage, limit: number): Promise<Buffer | Failure> {
  const announced = Number.parseInt(request.headers['content-length'] ?? '0', 10);
  if (announced > limit) return Promise.resolve(tooLarge(limit, announced > limit * DRAIN_FACTOR));
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let chunks: Buffer[] | undefined;
    let length = 0;
    let complete = false;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        complete = true;
        resolve(tooLarge(limit, true));
        if (length > limit * DRAIN_FACTOR) request.destroy();
      } else if (first === undefined) first = chunk;
      else (chunks ??= [first]).push(chunk);
    });
    request.on('end', () => {
      complete = true;
      resolve(chunks === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(chunks, length));
    });
    request.on('close', () => {
      if (!complete) reject(new ClientGone());
    });
  });
}

/** The body as the definition's schema is to see it: parsed, unwrapped, in its one shape. */
export async function parseBody(
  endpoint: Endpoint,
  wire: WireRequest,
  limit: number,
): Promise<{ readonly value: unknown } | Failure> {
  const { headers } = wire;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return failure('UNSUPPORTED_MEDIA_TYPE', 'Compressed bodies are not accepted');
  }
  if (endpoint.multipart === true && isMultipart(headers)) {
    const form = await parseMultipart(wire, limit);
    return 'kind' in form ? form : normalised(endpoint, form.value);
  }
  const bytes = await wire.body(limit);
  if ('kind' in bytes) return bytes;
  if (bytes.length === 0) {
    return endpoint.bodyOptional === true ? { value: {} } : invalid('', 'REQUIRED', 'a body is required');
  }
  const type = headers['content-type'];
  if (type !== 'application/json' && (type === undefined || !JSON_TYPE.test(type))) {
    const types = endpoint.multipart === true ? 'application/json or multipart/form-data' : 'application/json';
    return failure('UNSUPPORTED_MEDIA_TYPE', `A body is sent as ${types}`);
  }
  if (!isUtf8(bytes)) return invalid('', 'MALFORMED_JSON', 'the body is not UTF-8');
  const result = parseJson(bytes.toString('utf8'));
  if ('error' in result) return invalid('', result.error, MESSAGES[result.error]);
  return normalised(endpoint, unwrap(result.value));
}

function normalised(endpoint: Endpoint, value: unknown): { readonly value: unknown } {
  return { value: endpoint.normalise === undefined ? value : endpoint.normalise(value) };
}

/** A body whose only members are `data` and `metadata` is the wrapper of the general reference page (platform.md 1.1). */
function unwrap(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const names = Object.keys(body);
  return names.length === 2 && 'data' in body && 'metadata' in body ? body.data : body;
}

/** The same body with a clean spelling moved to the documented one. Where both are sent and differ, the clean one is left to be refused. */
export function renamed(body: unknown, spellings: Readonly<Record<string, string>>): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  let copy: Record<string, unknown> | undefined;
  for (const clean in spellings) {
    if (!Object.hasOwn(body, clean)) continue;
    const wire = spellings[clean] ?? '';
    copy ??= { ...(body as Record<string, unknown>) };
    const value = copy[clean];
    if (Object.hasOwn(copy, wire) && JSON.stringify(copy[wire]) !== JSON.stringify(value)) continue;
    delete copy[clean];
    copy[wire] = value;
  }
  return copy ?? body;
}
