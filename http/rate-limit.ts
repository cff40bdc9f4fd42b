import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { HttpConfig } from './deps.js';
import { type Failure, failure } from './problem.js';

const WINDOW_SECONDS = 60;

/** Buckets in this process's memory: per address before anything else is done for it, per token and per tenant. */
export class RateLimits {
  readonly #addresses: RateLimiterMemory;
  readonly #tokens: RateLimiterMemory;
  readonly #unauthorised: RateLimiterMemory;
  readonly #tight: RateLimiterMemory;
  readonly #tenantDefault: number;
  /** A limiter per limit: tenants choose their own. */
  readonly #tenants = new Map<number, RateLimiterMemory>();

  constructor(config: HttpConfig['rateLimits']) {
    this.#addresses = limiter('address', config.perAddressPerMinute);
    this.#tokens = limiter('token', config.perTokenPerMinute);
    this.#unauthorised = limiter('unauthorised', config.unauthorisedPerMinute);
    this.#tight = limiter('tight', config.guessesPerAddressPerMinute);
    this.#tenantDefault = config.perTenantPerMinute;
  }

  address(address: string): Promise<Failure | undefined> {
    return consume(this.#addresses, address);
  }

  token(tokenId: string): Promise<Failure | undefined> {
    return consume(this.#tokens, tokenId);
  }

  /** `preferred`: the tenant's own limit; 0: the installation's, which is also the highest. */
  tenant(tenantId: string, preferred: number): Promise<Failure | undefined> {
    const points = preferred === 0 ? this.#tenantDefault : Math.min(preferred, this.#tenantDefault);
    let tenants = this.#tenants.get(points);
    if (tenants === undefined) this.#tenants.set(points, (tenants = limiter(`tenant ${points}`, points)));
    return consume(tenants, tenantId);
  }

  /** Calls that invite guessing: log-in, one-time passwords, resets. */
  guess(address: string): Promise<Failure | undefined> {
    return consume(this.#tight, address);
  }

  /** A call without a good token was answered 401: after enough of them, 429. */
  unauthorised(address: string): Promise<Failure | undefined> {
    return consume(this.#unauthorised, address);
  }
}

function limiter(keyPrefix: string, points: number): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS });
}

/** The `RateLimit-*` headers stand on the limited answer only: nobody else needs to pay for them. */
async function consume(limits: RateLimiterMemory, key: string): Promise<Failure | undefined> {
  try {
    await limits.consume(key);
    return undefined;
  } catch (limited) {
    if (!(limited instanceof RateLimiterRes)) throw limited;
    return tooMany(limits.points, limited.msBeforeNext);
  }
}

function tooMany(points: number, msBeforeNext: number): Failure {
  const seconds = String(Math.max(1, Math.ceil(msBeforeNext / 1000)));
  return failure('RATE_LIMIT_EXCEEDED', 'Too many requests', {
    headers: [
      ...['Retry-After', seconds],
      ...['RateLimit-Limit', String(points), 'RateLimit-Remaining', '0', 'RateLimit-Reset', seconds],
    ],
  });
}
