import type { Actor, Role } from '../../domain/shared/decider.js';
import type { Command, CommandBus, Outcome } from '../commands.js';
import type { Clock, IdSource } from '../ports/clock.js';
import type { StoredToken, TokenSecrets, TokenStore } from '../ports/token-store.js';
import type { TokenVerifier } from './token-verifier.js';

/** What the use cases of API tokens need. */
export interface TokenServices {
  readonly bus: CommandBus;
  readonly tokenStore: TokenStore;
  readonly tokenSecrets: TokenSecrets;
  readonly tokenVerifier: TokenVerifier;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Who asks, for which tenant, under which idempotency key. */
export type Asked = Pick<Command, 'tenantId' | 'actor' | 'correlationId' | 'idempotency'>;

type Accepted = Extract<Outcome, { status: 'accepted' }>;
export type TokenOutcome =
  | {
      readonly status: 'accepted';
      readonly outcome: Accepted;
      readonly stored: StoredToken;
      readonly token: string | null;
    }
  | Extract<Outcome, { status: 'refused' }>;

/** How long a token may live, by the codes of the wire (platform.md 3.3). Months are calendar months. */
export const TOKEN_LIVES = {
  H24: { hours: 24 },
  M1: { months: 1 },
  M3: { months: 3 },
  M6: { months: 6 },
  Y1: { months: 12 },
} as const;
export type TokenLife = keyof typeof TOKEN_LIVES;

export function expiryOf(nowMs: number, life: TokenLife): string {
  const span = TOKEN_LIVES[life];
  const date = new Date(nowMs);
  if ('hours' in span) date.setUTCHours(date.getUTCHours() + span.hours);
  else {
    const day = date.getUTCDate();
    date.setUTCMonth(date.getUTCMonth() + span.months);
    // 31 January plus a month is the last day of February, not a day of March.
    if (date.getUTCDate() !== day) date.setUTCDate(0);
  }
  return date.toISOString();
}

/** MANAGER may grant any role of the tenant, everybody else only roles of their own (platform.md 3.3: a subset). */
export function mayGrant(actor: Pick<Actor, 'roles'>, roles: readonly Role[]): boolean {
  return actor.roles.includes('MANAGER') || roles.every((role) => actor.roles.includes(role));
}

/** What lists show of a token: enough to recognise it, far too little to use it. */
export function shownPrefix(token: string): string {
  return `${token.slice(0, 13)}…`;
}
