import { z } from 'zod';
import type { EmployeeView } from '../../application/ports/read-models.js';
import { ROLES } from '../../domain/shared/decider.js';
import { EXAMPLE } from '../ledger/examples.js';
import { PEOPLE } from './examples.js';
import { PICTURE_PATH, statusOut } from './person-shape.js';

/** A member of staff as managers see him. */
export const employeeShape = z
  .object({
    id: z.string(),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    roles: z.array(z.enum(ROLES)),
    status: z.enum(['ACTIVE', 'INACTIVE', 'LOCKED', 'ERASED']),
    lockedUntil: z.string().nullable(),
    agentId: z.string().nullable(),
    branchId: z.string().nullable(),
    profilePictureUrl: z.string().nullable(),
    hasTransactionPin: z.boolean(),
    hasUserPin: z.boolean(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Employee' });

export const EMPLOYEE_EXAMPLE = {
  id: PEOPLE.employeeId,
  firstName: 'Grace',
  lastName: 'Bello',
  email: PEOPLE.employeeEmail,
  phone: '+2348031234569',
  roles: ['CASHIER'],
  status: 'ACTIVE',
  lockedUntil: null,
  agentId: null,
  branchId: 'LAG-01',
  profilePictureUrl: null,
  hasTransactionPin: false,
  hasUserPin: false,
  createdAt: EXAMPLE.at,
  updatedAt: EXAMPLE.at,
};

export function employeeOut(employee: EmployeeView, nowMs: number) {
  const { employeeId, person, roles, agentId, branchId, pictureId, createdAt, updatedAt } = employee;
  return {
    id: employeeId,
    firstName: person?.firstName ?? null,
    lastName: person?.lastName ?? null,
    email: person?.email ?? null,
    phone: person?.phone ?? null,
    roles,
    ...statusOut(employee, nowMs),
    agentId,
    branchId,
    profilePictureUrl: pictureId === null ? null : `${PICTURE_PATH}/${employeeId}`,
    hasTransactionPin: employee.hasTransactionPin,
    hasUserPin: employee.hasLoginPin,
    createdAt,
    updatedAt,
  };
}
