import { tagOf } from '../aggregates.js';
import { checkTenant, hasRole } from '../ledger/guards.js';
import type { Decide, DecisionContext, Role } from '../shared/decider.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import type {
  ChangeEmployee,
  CreateEmployee,
  EraseEmployee,
  SetEmployeePicture,
  SetEmployeeStatus,
} from './commands.js';
import type { EmployeeState } from './employee.js';
import type { EmployeeStatus } from './events.js';

export const decideCreateEmployee: Decide<CreateEmployee> = (command, context) => {
  const refusal = checkTenant(context) ?? checkRoles(command.roles, command.agent);
  if (refusal !== undefined) return refusal;
  if (context.state('employee', command.employee).status !== 'NONE') {
    return refuse('invalid-state', 'there is such an employee');
  }
  if (command.agent !== undefined && context.state('agent', command.agent).status === 'NONE') {
    return refuse('agent-not-found', 'there is no such agent', { field: 'agentId' });
  }
  const { employee, roles, agent, branch, person } = command;
  context.emit({
    type: 'employee-created',
    version: 1,
    data: {
      employee,
      roles: [...roles],
      ...(agent === undefined ? {} : { agent }),
      ...(branch === undefined ? {} : { branch }),
      person,
    },
    tags: [tagOf('employee', employee), ...(agent === undefined ? [] : [tagOf('agent', agent)])],
  });
  return undefined;
};

/** An agent's people are his: role AGENT needs an agent, and whoever works for an agent manages no tenant. */
function checkRoles(roles: readonly Role[], agent: string | undefined): Refusal | undefined {
  if (roles.includes('CUSTOMER')) {
    return refuse('invalid-argument', 'a customer is no employee', { field: 'roles' });
  }
  if (agent === undefined) {
    return roles.includes('AGENT')
      ? refuse('invalid-argument', 'role AGENT goes with an agent', { field: 'agentId' })
      : undefined;
  }
  return roles.every((role) => role === 'AGENT' || role === 'CASHIER')
    ? undefined
    : refuse('invalid-argument', 'who works for an agent is AGENT or CASHIER', { field: 'roles' });
}

function knownEmployee(id: string, context: DecisionContext): EmployeeState | Refusal {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const employee = context.state('employee', id);
  return employee.status === 'NONE' || employee.status === 'ERASED'
    ? refuse('employee-not-found', 'there is no such employee')
    : employee;
}

export const decideChangeEmployee: Decide<ChangeEmployee> = (command, context) => {
  const employee = knownEmployee(command.employee, context);
  if (isRefusal(employee)) return employee;
  const { roles, branch, changed = [], person } = command;
  const newRoles = roles !== undefined && !sameRoles(roles, employee.roles) ? roles : undefined;
  if (newRoles !== undefined) {
    const refusal = checkRoles(newRoles, employee.agent) ?? checkOwnRoles(command.employee, newRoles, context);
    if (refusal !== undefined) return refusal;
  }
  const branchBefore = employee.branch ?? null;
  const movesBranch = branch !== undefined && branch !== branchBefore;
  const isNewPerson = person !== undefined && changed.length > 0;
  if (newRoles === undefined && !movesBranch && !isNewPerson) return undefined;
  context.emit({
    type: 'employee-changed',
    version: 1,
    data: {
      employee: command.employee,
      ...(newRoles === undefined ? {} : { roles: { from: [...employee.roles], to: [...newRoles] } }),
      ...(movesBranch ? { branch: { from: branchBefore, to: branch } } : {}),
      ...(isNewPerson ? { changed: [...changed], person } : {}),
    },
    tags: [tagOf('employee', command.employee)],
  });
  return undefined;
};

function sameRoles(a: readonly Role[], b: readonly Role[]): boolean {
  return a.length === b.length && a.every((role) => b.includes(role));
}

/** Nobody makes more, or less, of himself: a tenant's last manager could lock everybody out. */
function checkOwnRoles(employee: string, roles: readonly Role[], context: DecisionContext): Refusal | undefined {
  const isOwn = context.actor.subject === `employee:${employee}`;
  return isOwn && hasRole(context, 'MANAGER') && !roles.includes('MANAGER')
    ? refuse('invalid-state', 'a manager cannot take the role from himself', { field: 'roles' })
    : undefined;
}

export const decideSetEmployeeStatus: Decide<SetEmployeeStatus> = (command, context) => {
  const employee = knownEmployee(command.employee, context);
  if (isRefusal(employee)) return employee;
  if (employee.status === command.to) return undefined;
  if (command.to === 'INACTIVE' && context.actor.subject === `employee:${command.employee}`) {
    return refuse('invalid-state', 'nobody deactivates himself');
  }
  context.emit({
    type: 'employee-status-set',
    version: 1,
    data: {
      employee: command.employee,
      from: employee.status as EmployeeStatus,
      to: command.to,
      ...(command.reason === undefined ? {} : { reason: command.reason }),
    },
    tags: [tagOf('employee', command.employee)],
  });
  return undefined;
};

export const decideSetEmployeePicture: Decide<SetEmployeePicture> = (command, context) => {
  const employee = knownEmployee(command.employee, context);
  if (isRefusal(employee)) return employee;
  const { employee: id, file, contentType } = command;
  context.emit({
    type: 'employee-picture-set',
    version: 1,
    data: { employee: id, file, contentType },
    tags: [tagOf('employee', id)],
  });
  return undefined;
};

export const decideEraseEmployee: Decide<EraseEmployee> = (command, context) => {
  const employee = knownEmployee(command.employee, context);
  if (isRefusal(employee)) return employee;
  if (context.actor.subject === `employee:${command.employee}`) {
    return refuse('invalid-state', 'nobody erases himself');
  }
  const { employee: id, legalBasis, reason } = command;
  context.emit({
    type: 'employee-erased',
    version: 1,
    data: { employee: id, legalBasis, ...(reason === undefined ? {} : { reason }) },
    tags: [tagOf('employee', id)],
  });
  return undefined;
};
