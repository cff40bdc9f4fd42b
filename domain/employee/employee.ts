import { NO_ACCESS, type UserAccess, evolveAccess } from '../access/user-access.js';
import type { UserEvent } from '../access/user-events.js';
import type { Role } from '../shared/decider.js';
import type { Aggregate, Json } from '../shared/event.js';
import type { EmployeeEvent, EmployeeStatus } from './events.js';

/** A member of staff without the person: the fold of events tagged `employee:<id>`. */
export interface EmployeeState {
  readonly status: 'NONE' | EmployeeStatus;
  readonly roles: readonly Role[];
  readonly agent?: string;
  readonly branch?: string;
  readonly picture?: string;
  readonly access: UserAccess;
}

const NONE: EmployeeState = { status: 'NONE', roles: [], access: NO_ACCESS };

export const employeeAggregate: Aggregate<EmployeeState, EmployeeEvent | UserEvent> = {
  kind: 'employee',
  stateVersion: 1,
  initial: () => NONE,
  evolve(state, event) {
    switch (event.type) {
      case 'employee-created': {
        const { roles, agent, branch } = event.data;
        return {
          ...NONE,
          status: 'ACTIVE',
          roles,
          ...(agent === undefined ? {} : { agent }),
          ...(branch === undefined ? {} : { branch }),
        };
      }
      case 'employee-changed': {
        const { roles, branch } = event.data;
        const { branch: before, ...rest } = state;
        const now = branch === undefined ? before : (branch.to ?? undefined);
        return { ...rest, roles: roles?.to ?? state.roles, ...(now === undefined ? {} : { branch: now }) };
      }
      case 'employee-status-set':
        return { ...state, status: event.data.to };
      case 'employee-picture-set':
        return { ...state, picture: event.data.file };
      case 'employee-erased': {
        const { picture: _, ...rest } = state;
        return { ...rest, status: 'ERASED', access: NO_ACCESS };
      }
      default:
        return { ...state, access: evolveAccess(state.access, event) };
    }
  },
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as EmployeeState,
};
