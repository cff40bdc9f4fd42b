import { type DestinationStream, type Logger, pino } from 'pino';
import type { HttpConfig } from './deps.js';

/** Members that are never written, wherever they stand in a logged object (two levels deep). */
export const REDACTED = [
  'x-auth-token',
  'authorization',
  'cookie',
  'set-cookie',
  'x-step-up-token',
  'token',
  'access_token',
  'refresh_token',
  'password',
  'currentPassword',
  'newPassword',
  'confirmPassword',
  'transactionPin',
  'userPin',
  'otp',
  'secret',
  'hash',
].flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

/** The program's logger: JSON lines, redacted. */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const settings = {
    level: options.level,
    base: { service: 'corebook' },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { err: describeError },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

/** What is logged of an error: drivers hang whole connections on theirs, with addresses and more. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

export interface AccessFacts {
  readonly method: string;
  /** Without the query, which may hold what people search for. */
  readonly path: string;
  readonly endpoint: string;
  readonly status: number;
  readonly ms: number;
  readonly correlationId: string;
  readonly tenantId: string;
  readonly subject: string;
}

/** Access lines, thinned out so that they cost nothing where microseconds count. Failures of ours are always written. */
export class AccessLog {
  readonly #logger: Logger;
  readonly #config: HttpConfig['accessLog'];
  #count = 0;

  constructor(logger: Logger, config: HttpConfig['accessLog']) {
    this.#logger = logger;
    this.#config = config;
  }

  /** Whether this request is to be written: asked first, so that the facts are gathered for those only. */
  wants(status: number, ms: number): boolean {
    const { mode, sampleEvery, slowMs } = this.#config;
    if (mode === 'off') return status >= 500;
    if (mode === 'all' || status >= 500 || ms >= slowMs) return true;
    this.#count += 1;
    return this.#count % sampleEvery === 0;
  }

  write(facts: AccessFacts): void {
    if (facts.status >= 500) this.#logger.warn(facts, 'request failed');
    else this.#logger.info(facts, 'request');
  }
}
