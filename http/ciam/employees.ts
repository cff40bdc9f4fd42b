import { z } from 'zod';
import { createEmployee as create } from '../../application/people/create-employee.js';
import { editEmployee as edit } from '../../application/people/edit-employee.js';
import { present } from '../../application/people/person-checks.js';
import { setUserStatus } from '../../application/people/set-user-status.js';
import { EMPLOYEE_STATUSES, STAFF_ROLES } from '../../domain/employee/events.js';
import { type Role, ROLES } from '../../domain/shared/decider.js';
import { acceptedOr, askedBy, caughtUp, isFailure, askedAboutPerson } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { RequestFailed, refusalFailure, unavailable } from '../problem.js';
import { page, pagedOf, size, uuid } from '../schemas.js';
import { noSuch } from '../scope.js';
import { EMPLOYEE_EXAMPLE, employeeOut, employeeShape } from './employee-shape.js';
import { PEOPLE } from './examples.js';
import { faultyFailure } from './person-in-sight.js';
import { dialingCode, email, personName, phone } from './person-schemas.js';

const SERVICE = '/api/v6/services/usermanagement';
const staffRole = z.enum(STAFF_ROLES as [Role, ...Role[]]);
const roles = z.array(staffRole).min(1).max(ROLES.length);
const branchId = z.string().trim().min(1).max(64);

export const listEmployees = defineEndpoint({
  id: 'list-employees',
  group: 'ciam',
  title: 'List employees',
  description: 'Newest first, without erased ones.',
  method: 'GET',
  path: `${SERVICE}/list-employees`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({
    page,
    size,
    role: staffRole.optional(),
    status: z.enum(EMPLOYEE_STATUSES).exclude(['ERASED']).optional(),
  }),
  unknownMembers: 'ignore',
  requestExamples: { cashiers: { query: { role: 'CASHIER', status: 'ACTIVE' } } },
  success: {
    status: 200,
    description: 'Employees',
    data: pagedOf('employees', employeeShape),
    example: { employees: [EMPLOYEE_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 },
  },
  errors: [],
  async handler(call) {
    const { page: number, size: most, ...filter } = call.query;
    const { readModels, clock } = call.services;
    const slice = { page: number, size: most };
    const { items, totalElements } = await readModels.employees(call.caller.tenantId, present(filter), slice);
    const employees = items.map((employee) => employeeOut(employee, clock.nowMs()));
    return { kind: 'answer', message: 'Employees', data: { employees, ...pageInfo(slice, totalElements) } };
  },
});

export const createEmployee = defineEndpoint({
  id: 'create-employee',
  group: 'ciam',
  title: 'Create employee',
  description:
    'He is sent a link to set his first password. Role AGENT goes with an agent; whoever works for an agent is AGENT or CASHIER.',
  method: 'POST',
  path: `${SERVICE}/create-employee`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  body: z.strictObject({
    firstName: personName,
    lastName: personName,
    email,
    phone: phone.optional(),
    dialingCode: dialingCode.optional(),
    roles,
    agentId: uuid.optional(),
    branchId: branchId.optional(),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    cashier: {
      body: {
        firstName: 'Tunde',
        lastName: 'Cole',
        email: PEOPLE.newEmployeeEmail,
        phone: '+2348031234569',
        roles: ['CASHIER'],
        agentId: PEOPLE.agentId,
        branchId: 'LAG-01',
      },
    },
  },
  success: { status: 201, description: 'The employee', data: employeeShape, example: EMPLOYEE_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { agentId: agent, branchId: branch, roles: wantedRoles, ...about } = call.body;
    const { identity, clock } = call.services;
    const wanted = { ...about, agent, branch, roles: [...new Set(wantedRoles)] };
    const result = await create(identity, askedAboutPerson(call), wanted);
    if (result.status === 'faulty') return faultyFailure(result);
    if (result.status === 'refused') return refusalFailure(result.refusal, result.replayed);
    const done = acceptedOr(result.outcome, call);
    if (isFailure(done)) return done;
    return {
      kind: 'answer',
      message: 'Employee created',
      data: employeeOut(result.employee, clock.nowMs()),
      position: done.position,
      replayed: done.replayed,
    };
  },
});

export const editEmployee = defineEndpoint({
  id: 'edit-employee',
  group: 'ciam',
  title: 'Edit employee',
  description:
    'Absent members stay as they are; `branchId: null` takes it away. Who gets other roles, or is deactivated, is logged out.',
  method: 'PUT',
  path: `${SERVICE}/edit-employee/{id}`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ id: uuid }),
  body: z.object({
    firstName: personName.optional(),
    lastName: personName.optional(),
    phone: phone.optional(),
    dialingCode: dialingCode.optional(),
    roles: roles.optional(),
    status: z.enum(['ACTIVE', 'INACTIVE']).optional(),
    branchId: branchId.nullable().optional(),
  }),
  unknownMembers: 'ignore',
  requestExamples: {
    promote: { params: { id: PEOPLE.employeeId }, body: { roles: ['CASHIER', 'AUDITOR'], branchId: 'LAG-02' } },
    deactivate: { params: { id: PEOPLE.employeeId }, body: { status: 'INACTIVE' } },
  },
  success: { status: 200, description: 'The employee', data: employeeShape, example: EMPLOYEE_EXAMPLE },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    await caughtUp(call);
    const { identity, readModels, config, clock } = call.services;
    const { tenantId } = call.caller;
    const employee = await readModels.employee(tenantId, call.params.id);
    if (employee === undefined) throw noSuch('employee');
    const { status, branchId: branch, ...change } = call.body;
    const changed = await edit(identity, askedAboutPerson(call), employee, { ...change, branch });
    if (changed.status === 'faulty') return faultyFailure(changed);
    let done = acceptedOr(changed.status === 'refused' ? changed : changed.outcome, call);
    if (isFailure(done)) return done;
    const { replayed } = done;
    if (status !== undefined) {
      await readModels.waitFor(done.position, config.positionWaitMs);
      const person = { kind: 'employee', ...employee, roles: change.roles ?? employee.roles } as const;
      // A command of its own in the same request: its idempotency key is one of its own too.
      done = acceptedOr(await setUserStatus(identity, askedBy(call, tenantId, '#status'), person, status), call);
      if (isFailure(done)) return done;
    }
    const caught = await readModels.waitFor(done.position, config.positionWaitMs);
    const shown = caught ? await readModels.employee(tenantId, call.params.id) : undefined;
    if (shown === undefined) throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
    const data = employeeOut(shown, clock.nowMs());
    return { kind: 'answer', message: 'Employee changed', data, position: done.position, replayed };
  },
});
