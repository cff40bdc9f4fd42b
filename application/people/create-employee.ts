import type { EmployeeCreated } from '../../domain/employee/events.js';
import type { Role } from '../../domain/shared/decider.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import type { PersonalData } from '../../domain/shared/person.js';
import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import { inviteUser } from '../access/invite-user.js';
import type { CommittedEvent, Outcome } from '../commands.js';
import type { EmployeeView } from '../ports/read-models.js';
import { type Faulty, fault, faulty } from './faults.js';
import { isFault, phoneOrFault, present } from './person-checks.js';
import { reserveAddress, whileReserved } from './reservation.js';
import { noSuchPerson, sealFor } from './seal-person.js';

export interface NewEmployee {
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly phone?: string | undefined;
  readonly dialingCode?: string | undefined;
  readonly roles: readonly Role[];
  readonly agent?: string | undefined;
  readonly branch?: string | undefined;
}

export type EmployeeCreation =
  | {
      readonly status: 'accepted';
      readonly outcome: Extract<Outcome, { status: 'accepted' }>;
      /** As the creation made him. */
      readonly employee: EmployeeView;
    }
  | Faulty
  | Extract<Outcome, { status: 'refused' }>;

/**
 * Creates a member of staff, in the steps of register-customer.ts. He has no password yet: he is sent a link to set one.
 * A retry under the same idempotency key sends it again, since the first call may have ended before it did.
 */
export async function createEmployee(identity: Identity, asked: Asked, wanted: NewEmployee): Promise<EmployeeCreation> {
  const { credentials, vault, bus, ids } = identity;
  const { tenantId, idempotency } = asked;
  const phone = wanted.phone === undefined ? undefined : phoneOrFault(wanted.phone, wanted.dialingCode);
  if (isFault(phone)) return faulty(phone);
  const { firstName, lastName, email, roles, agent, branch } = wanted;
  const id =
    idempotency === undefined
      ? ids.eventId()
      : nameBasedUuid(tenantId, `employee:${idempotency.id}:${idempotency.requestHash}`);
  const user = { kind: 'employee', id } as const;
  const standing = { status: 'ACTIVE', roles, agent: agent ?? null } as const;
  const reservation = await reserveAddress(identity, tenantId, user, standing, email);
  if (reservation === undefined) return faulty(fault('email', 'DUPLICATE', 'somebody has this e-mail'));
  const person: PersonalData = { firstName, lastName, email, ...present({ phone }) };
  const sealed = await whileReserved(identity, reservation, () => sealFor(vault, tenantId, id, person));
  if (sealed === undefined) return noSuchPerson('employee');
  const payload = { employee: id, roles, ...present({ agent, branch }), person: sealed };
  const outcome = await bus.execute({ ...asked, name: 'create-employee', payload });
  if (outcome.status === 'refused') {
    await credentials.release(tenantId, id);
    return outcome;
  }
  // What happened to him since the first call is not undone by a retry.
  if ((await credentials.byUser(tenantId, id))?.status === 'PENDING') {
    await credentials.setStanding(tenantId, id, standing);
  }
  if ((await credentials.byUser(tenantId, id))?.passwordHash == null) {
    await inviteUser(identity, asked, { tenantId, user, email });
  }
  const created = outcome.events.find(({ type }) => type === 'employee-created');
  if (created === undefined) throw new Error('a new employee has his event');
  return { status: 'accepted', outcome, employee: createdEmployee(created, person) };
}

function createdEmployee(event: CommittedEvent, person: PersonalData): EmployeeView {
  const { employee, roles, agent, branch } = event.data as EmployeeCreated['data'];
  return {
    employeeId: employee,
    roles,
    status: 'ACTIVE',
    agentId: agent ?? null,
    branchId: branch ?? null,
    pictureId: null,
    person,
    hasLoginPin: false,
    hasTransactionPin: false,
    lockedUntil: null,
    createdAt: event.recordedAt,
    updatedAt: event.recordedAt,
  };
}
