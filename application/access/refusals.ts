import type { Outcome } from '../commands.js';
import type { Fault } from '../people/faults.js';

/** Why somebody was not let in, or may not do what he asked for. Values: the HTTP edge has a total map over them. */
export type AccessRefusal =
  /** Wrong password, PIN or code; or nobody to whom they could belong. */
  | { readonly status: 'wrong-credentials' }
  /** Said only where the tenant wants it said (UNKNOWN_EMAIL_ANSWERS_404). */
  | { readonly status: 'unknown-email' }
  | { readonly status: 'locked'; readonly until: string }
  | { readonly status: 'password-expired' }
  | { readonly status: 'otp-expired' }
  | { readonly status: 'too-many-tries' }
  | { readonly status: 'too-soon'; readonly waitSeconds: number }
  | { readonly status: 'invalid-refresh-token' }
  | { readonly status: 'token-already-used' }
  /** This idempotency key stands for a log-in that was ended since. */
  | { readonly status: 'session-ended' }
  | { readonly status: 'exists-already'; readonly what: string }
  | { readonly status: 'not-there'; readonly what: string }
  | { readonly status: 'too-many-devices' }
  | { readonly status: 'faulty'; readonly faults: readonly Fault[] }
  | Extract<Outcome, { status: 'refused' }>;

/** Done. `replayed`: it was done before, under the same key. */
export interface Done {
  readonly status: 'done';
  readonly replayed: boolean;
  /** Of the commit, if there was one. */
  readonly position?: string;
}

export function doneBy({ position, replayed }: Extract<Outcome, { status: 'accepted' }>): Done {
  return { status: 'done', replayed, position };
}
