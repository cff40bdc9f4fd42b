import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { HttpConfig } from './deps.js';
import { type Failure, failure } from './problem.js';

const WINDOW_SECONDS = 60;

/** Buckets in this process's memory: per address before anything else is done for it, and per token. */
export class RateLimits {
  readonly #addresses: RateLimiterMemory;
  readonly #tokens: RateLimiterMemory;
  readonly #unauthorised: RateLimiterMemory;

  constructor(config: HttpConfig['rateLimits']) {
    const limiter = (keyPrefix: string, points: number): RateLimiterMemory =>
      new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS });
    this.#addresses = limiter('address', config.perAddressPerMinute);
    this.#tokens = limiter('token', config.perTokenPerMinute);
    this.#unauthorised = limiter('unauthorised', config.unauthorisedPerMinute);
  }

  address(address: string): Promise<Failure | undefined> {
    return consume(this.#addresses, address);
  }

  token(tokenId: string): Promise<Failure | undefined> {
    return consume(this.#tokens, tokenId);
  }

  /** A call without a good token was answered 401: after enough of them, 429. */
  unauthorised(address: string): Promise<Failure | undefined> {
    return consume(this.#unauthorised, address);
  }
}

/** The `RateLimit-*` headers stand on the limited answer only: nobody else needs to pay for them. */
async function consume(limiter: RateLimiterMemory, key: string): Promise<Failure | undefined> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (limited) {
    if (!(limited instanceof RateLimiterRes)) throw limited;
    const seconds = String(Math.max(1, Math.ceil(limited.msBeforeNext / 1000)));
    return failure('RATE_LIMIT_EXCEEDED', 'Too many requests', {
      headers: [
        ...['Retry-After', seconds],
        ...['RateLimit-Limit', String(limiter.points), 'RateLimit-Remaining', '0', 'RateLimit-Reset', seconds],
      ],
    });
  }
}
