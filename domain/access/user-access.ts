import type { UserEvent } from './user-events.js';

/** What a customer's or employee's state remembers of his ways in. */
export interface UserAccess {
  /** Until when he is locked out of logging in; absent: he never was, or was unlocked. */
  readonly lockedUntil?: string;
  readonly hasPassword: boolean;
  readonly hasLoginPin: boolean;
  readonly hasTransactionPin: boolean;
}

export const NO_ACCESS: UserAccess = { hasPassword: false, hasLoginPin: false, hasTransactionPin: false };

const HAS = { PASSWORD: 'hasPassword', LOGIN_PIN: 'hasLoginPin', TRANSACTION_PIN: 'hasTransactionPin' } as const;

export function evolveAccess(access: UserAccess, event: UserEvent): UserAccess {
  switch (event.type) {
    case 'secret-set':
      return { ...access, [HAS[event.data.secret]]: true };
    case 'user-locked':
      return event.data.secret === 'PASSWORD' ? { ...access, lockedUntil: event.data.until } : access;
    case 'user-unlocked': {
      const { lockedUntil: _, ...rest } = access;
      return rest;
    }
    case 'signed-in':
    case 'signed-out':
    case 'step-up-decided':
    case 'device-registered':
    case 'device-removed':
      return access;
  }
}
