import { z } from 'zod';
import { ROLES } from '../shared/decider.js';
import type { DomainEvent } from '../shared/event.js';
import { sealedPerson } from '../shared/person.js';

/** Facts about the tenant's staff. Who the person is stands sealed in `person`. */
const id = z.string().length(36);
const reason = z.string().min(1).max(512);

export const EMPLOYEE_STATUSES = ['ACTIVE', 'INACTIVE', 'ERASED'] as const;
export type EmployeeStatus = (typeof EMPLOYEE_STATUSES)[number];
/** Roles an employee may have: a customer is no employee. */
export const STAFF_ROLES = ROLES.filter((role) => role !== 'CUSTOMER');

const position = {
  roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
  /** The agent he works for; absent: the principal. Role AGENT goes with an agent. */
  agent: id.optional(),
  /** The branch (pay centre) he works at. */
  branch: z.string().max(64).optional(),
};
export const employeeCreatedV1 = z.strictObject({ employee: id, ...position, person: sealedPerson });
/** What changed, with what it was: absent members stayed as they were. */
export const employeeChangedV1 = z.strictObject({
  employee: id,
  roles: z.strictObject({ from: position.roles, to: position.roles }).optional(),
  branch: z.strictObject({ from: z.string().max(64).nullable(), to: z.string().max(64).nullable() }).optional(),
  /** Names of the members of `PersonalData` that changed. */
  changed: z.array(z.string().max(64)).max(50).optional(),
  person: sealedPerson.optional(),
});
export const employeeStatusSetV1 = z.strictObject({
  employee: id,
  from: z.enum(EMPLOYEE_STATUSES),
  to: z.enum(EMPLOYEE_STATUSES),
  reason: reason.optional(),
});
export const employeePictureSetV1 = z.strictObject({ employee: id, file: id, contentType: z.string().max(64) });
export const employeeErasedV1 = z.strictObject({
  employee: id,
  legalBasis: z.string().min(1).max(256),
  reason: reason.optional(),
});

export type EmployeeCreated = DomainEvent<'employee-created', z.infer<typeof employeeCreatedV1>>;
export type EmployeeChanged = DomainEvent<'employee-changed', z.infer<typeof employeeChangedV1>>;
export type EmployeeStatusSet = DomainEvent<'employee-status-set', z.infer<typeof employeeStatusSetV1>>;
export type EmployeePictureSet = DomainEvent<'employee-picture-set', z.infer<typeof employeePictureSetV1>>;
export type EmployeeErased = DomainEvent<'employee-erased', z.infer<typeof employeeErasedV1>>;
export type EmployeeEvent = EmployeeCreated | EmployeeChanged | EmployeeStatusSet | EmployeePictureSet | EmployeeErased;
