import type { Aggregate, Json } from '../shared/event.js';
import type { AccessEvent } from './events.js';

/** What may be done with an API token: the fold of events tagged `token:<id>`. */
export interface ApiTokenState {
  readonly status: 'NONE' | 'ACTIVE' | 'DISABLED' | 'DELETED';
  readonly expiresAt: string;
}

export const apiTokenAggregate: Aggregate<ApiTokenState, AccessEvent> = {
  kind: 'token',
  stateVersion: 1,
  initial: () => ({ status: 'NONE', expiresAt: '' }),
  evolve(state, event) {
    switch (event.type) {
      case 'api-token-issued':
        return { status: 'ACTIVE', expiresAt: event.data.expiresAt };
      case 'api-token-disabled':
        return { ...state, status: 'DISABLED' };
      case 'api-token-deleted':
        return { ...state, status: 'DELETED' };
      case 'api-token-rotated':
      case 'command-refused':
      case 'command-accepted':
        return state;
    }
  },
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as ApiTokenState,
};
