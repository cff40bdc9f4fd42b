import { agentIdOf } from '../../domain/agent/agent.js';
import { customerCodeOf } from '../../domain/customer/customer-code.js';
import { EXAMPLE } from '../ledger/examples.js';

/**
 * People that the documentation's examples name, beside http/ledger/examples.ts: the tests serve a tenant `demo` that has
 * them. The first customer of a tenant has this code.
 */
export const PEOPLE = {
  customerId: EXAMPLE.ownerId,
  customerCode: customerCodeOf(1),
  employeeId: '5d0c2a5e-3f0b-4d6c-8a0e-2b7f1c9d4e60',
  agentId: agentIdOf(EXAMPLE.tenantId, 'north'),
  subAgentId: agentIdOf(EXAMPLE.tenantId, 'north-shop'),
  bankDetailId: '019aac3d-2c40-7b11-9d50-3e5f6a7b0000',
  email: 'ada@customers.example',
  newEmail: 'chidi.eze@customers.example',
  employeeEmail: 'grace.bello@staff.example',
  newEmployeeEmail: 'tunde.cole@staff.example',
  phone: '+2348031234567',
} as const;

/** A picture of one dot. */
export const PICTURE_BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
