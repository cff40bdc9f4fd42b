import type { Role } from '../shared/decider.js';

export interface IssueApiToken {
  /** Id of the token, made by the caller together with the secret, whose hash is stored beside the log. */
  readonly token: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** For CUSTOMER tokens: whose accounts. */
  readonly customer?: string;
  /** For those who work for an agent: whose customers. AGENT always has one. */
  readonly agent?: string;
  readonly ipAllowList: readonly string[];
  readonly expiresAt: string;
}
export interface RotateApiToken {
  readonly token: string;
  readonly graceUntil: string;
}
export interface DisableApiToken {
  readonly token: string;
}
export interface DeleteApiToken {
  readonly token: string;
}
