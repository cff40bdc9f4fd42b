import type { IncomingHttpHeaders, ServerResponse, IncomingMessage } from 'node:http';
import helmet, { type HelmetOptions } from 'helmet';
import type { IdSource } from '../application/ports/clock.js';
import { isUuid } from '../domain/shared/ids.js';
import { RequestFailed, invalid } from './problem.js';

/** Helmet's headers for these options as a flat list of names and values: computed once, written with every answer. */
export function securityHeaders(options: HelmetOptions): readonly string[] {
  const list: string[] = [];
  const response = {
    setHeader: (name: string, value: string) => list.push(name, value),
    removeHeader: () => undefined,
  } as unknown as ServerResponse;
  helmet(options)({} as IncomingMessage, response, (error?: unknown) => {
    if (error !== undefined) throw error instanceof Error ? error : new Error('helmet refused its options');
  });
  return list;
}

/** Nothing of ours is a document with parts of its own, the reference page aside: browsers may do nothing with it. */
export const API_SECURITY_HEADERS: readonly string[] = [
  ...securityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    frameguard: { action: 'deny' },
  }),
  'Cache-Control',
  'no-store',
];

/** One value of a header, as text. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Visible ASCII, as long as an id may be. */
const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * `x-fapi-interaction-id`; else `uuid`, if it is one (the documented constant `200` is not); else a new id. A value that
 * cannot be an id is ignored rather than refused: the header is never required.
 */
export function correlationIdOf(headers: IncomingHttpHeaders, ids: IdSource): string {
  const interaction = headers['x-fapi-interaction-id'];
  if (typeof interaction === 'string' && CORRELATION_ID.test(interaction)) return interaction;
  const uuid = headers['uuid'];
  if (typeof uuid === 'string' && isUuid(uuid.toLowerCase())) return uuid.toLowerCase();
  return ids.eventId();
}

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

/** The request's idempotency key from one of its spellings; sending two that differ is a 422. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  // Header names are case-insensitive: X-Idempotency-Key and x-idempotency-key are one.
  const plain = headers['idempotency-key'];
  const prefixed = headers['x-idempotency-key'];
  if (plain === undefined && prefixed === undefined) return undefined;
  const key = plain ?? prefixed;
  if (plain !== undefined && prefixed !== undefined && plain !== prefixed) {
    throw new RequestFailed(invalid('Idempotency-Key', 'AMBIGUOUS', 'two different idempotency keys were sent'));
  }
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new RequestFailed(
      invalid('Idempotency-Key', 'INVALID_FORMAT', 'an idempotency key has 1 to 255 printable ASCII characters'),
    );
  }
  return key;
}

/** Positions are opaque, but each log writes them as one or two whole numbers. */
const POSITION = /^\d{1,20}(?:[/:]\d{1,20})?$/;

export function minPositionOf(headers: IncomingHttpHeaders): string | undefined {
  const text = headerText(headers, 'x-min-position');
  if (text === undefined) return undefined;
  if (!POSITION.test(text))
    throw new RequestFailed(invalid('X-Min-Position', 'INVALID_FORMAT', 'X-Min-Position is not a position'));
  return text;
}

export type Format = 'json' | 'problem';

/** How failures are wanted; undefined when nothing we can write is acceptable. */
export function acceptedFormat(accept: string | undefined, files: readonly string[]): Format | undefined {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return 'json';
  let json = false;
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';');
    const type = range.trim().toLowerCase();
    if (parameters.some((parameter) => /^\s*q\s*=\s*0(?:\.0*)?\s*$/i.test(parameter))) continue;
    if (type === 'application/problem+json') return 'problem';
    if (type === '*/*' || type === 'application/*' || type === 'application/json' || files.includes(type)) json = true;
    if (type.endsWith('/*') && files.some((file) => file.startsWith(type.slice(0, -1)))) json = true;
  }
  return json ? 'json' : undefined;
}
