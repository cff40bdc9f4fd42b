import type { ScannedEvent } from '../../application/ports/event-scan.js';
import type { Row, TableDefinition } from '../../application/ports/read-store.js';
import type { SecretSet, UserLocked, UserUnlocked } from '../../domain/access/user-events.js';
import type { EmployeeChanged, EmployeeCreated, EmployeeEvent } from '../../domain/employee/events.js';
import { Changes } from '../changes.js';
import { accessChange, personText } from '../people.js';
import type { Projection } from '../projection.js';

/** One row a member of staff. `person` is JSON text, null once the person is erased; roles are joined by spaces. */
const EMPLOYEES: TableDefinition = {
  name: 'employees',
  comment: 'Staff; the person is JSON text, null once erased.',
  columns: {
    tenant_id: 'uuid',
    employee_id: 'uuid',
    roles: 'text',
    status: 'text',
    agent_id: 'uuid',
    branch_id: 'text',
    picture_id: 'uuid',
    person: 'text',
    has_login_pin: 'bool',
    has_transaction_pin: 'bool',
    locked_until: 'timestamptz',
    created_revision: 'bigint',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
  },
  key: ['tenant_id', 'employee_id'],
  nullable: ['agent_id', 'branch_id', 'picture_id', 'person', 'locked_until'],
  indexes: [{ columns: ['tenant_id', 'created_revision'] }],
  fillFactor: 80,
};

type Event = ScannedEvent & (EmployeeEvent | SecretSet | UserLocked | UserUnlocked);

export function employeesProjection(): Projection {
  return {
    name: 'employees',
    version: 1,
    tables: [EMPLOYEES],
    handles: [
      'employee-created',
      'employee-changed',
      'employee-status-set',
      'employee-picture-set',
      'employee-erased',
      'secret-set',
      'user-locked',
      'user-unlocked',
    ],
    answersQueries: true,
    opensPersons: true,
    project(events) {
      const changes = new Changes();
      for (const event of events) projectEvent(event as Event, changes);
      return changes;
    },
  };
}

function projectEvent(event: Event, changes: Changes): void {
  const { tenantId: tenant_id, recordedAt: updated_at } = event;
  const patch = (employee_id: string, columns: Row): void =>
    changes.patch(EMPLOYEES, { tenant_id, employee_id, ...columns });
  switch (event.type) {
    case 'employee-created':
      changes.insert(EMPLOYEES, createdRow(event));
      return;
    case 'employee-changed':
      patch(event.data.employee, { ...changedColumns(event), updated_at });
      return;
    case 'employee-status-set':
      patch(event.data.employee, { status: event.data.to, updated_at });
      return;
    case 'employee-picture-set':
      patch(event.data.employee, { picture_id: event.data.file, updated_at });
      return;
    case 'employee-erased':
      patch(event.data.employee, {
        ...{ status: 'ERASED', person: null, picture_id: null, updated_at },
        ...{ has_login_pin: false, has_transaction_pin: false, locked_until: null },
      });
      return;
    case 'secret-set':
    case 'user-locked':
    case 'user-unlocked': {
      const change = accessChange(event);
      if (event.data.user.kind === 'employee' && change !== undefined) patch(event.data.user.id, change);
    }
  }
}

function changedColumns(event: ScannedEvent & EmployeeChanged): Row {
  const { roles, branch, person } = event.data;
  return {
    ...(roles === undefined ? {} : { roles: roles.to.join(' ') }),
    ...(branch === undefined ? {} : { branch_id: branch.to }),
    ...(person === undefined ? {} : { person: personText(event.opened) }),
  };
}

function createdRow(event: ScannedEvent & EmployeeCreated): Row {
  const { tenantId, recordedAt, revision, data } = event;
  return {
    tenant_id: tenantId,
    employee_id: data.employee,
    roles: data.roles.join(' '),
    status: 'ACTIVE',
    agent_id: data.agent ?? null,
    branch_id: data.branch ?? null,
    picture_id: null,
    person: personText(event.opened),
    has_login_pin: false,
    has_transaction_pin: false,
    locked_until: null,
    created_revision: revision,
    created_at: recordedAt,
    updated_at: recordedAt,
  };
}
