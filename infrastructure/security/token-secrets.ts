import { createHmac, randomBytes } from 'node:crypto';
import type { TokenSecrets } from '../../application/ports/token-store.js';

const SECRET_BYTES = 32;
const CHECK_LENGTH = 8;
const FORM = /^(fct_(?:test|live)_[A-Za-z0-9_-]{43})([A-Za-z0-9_-]{8})$/;

/**
 * Tokens are a recognisable prefix, 32 random bytes and a check that only this server can make: what was not issued
 * here is refused without asking the store. Stored is HMAC-SHA-256 of the whole token under the server's secret.
 */
export class HmacTokenSecrets implements TokenSecrets {
  readonly #key: Buffer;
  readonly #kind: 'test' | 'live';

  constructor(options: { secret: Buffer; kind: 'test' | 'live' }) {
    if (options.secret.length < 32) throw new RangeError('the token secret has at least 32 bytes');
    this.#key = options.secret;
    this.#kind = options.kind;
  }

  create(): string {
    const body = `fct_${this.#kind}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
    return body + this.#check(body);
  }

  hash(token: string): string | undefined {
    const [, body, check] = FORM.exec(token) ?? [];
    if (body === undefined || check !== this.#check(body)) return undefined;
    return createHmac('sha256', this.#key).update(`token\u0000${token}`).digest('hex');
  }

  #check(body: string): string {
    return createHmac('sha256', this.#key).update(`check\u0000${body}`).digest('base64url').slice(0, CHECK_LENGTH);
  }
}
