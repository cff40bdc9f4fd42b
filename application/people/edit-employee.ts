import type { Role } from '../../domain/shared/decider.js';
import type { PersonalData } from '../../domain/shared/person.js';
import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import type { EmployeeView } from '../ports/read-models.js';
import { type ProfileEdit, editedPerson, isFaulty } from './edit-profile.js';
import type { Faulty } from './faults.js';
import { changedMembers } from './person-checks.js';
import { noSuchPerson, sealFor } from './seal-person.js';
import { endSessions } from './standing.js';

/** Absent members stay as they are; `branch: null` takes it away. */
export interface EmployeeEdit extends Pick<ProfileEdit, 'firstName' | 'lastName' | 'phone' | 'dialingCode'> {
  readonly roles?: readonly Role[] | undefined;
  readonly branch?: string | null | undefined;
}

export type EmployeeEdited =
  | {
      readonly status: 'accepted';
      readonly outcome: Extract<Outcome, { status: 'accepted' }>;
      readonly person: PersonalData;
    }
  | Faulty
  | Extract<Outcome, { status: 'refused' }>;

/**
 * Changes a member of staff. New roles count from his next log-in on, and he is logged out for it: before his credentials
 * change, so that no crash leaves a log-in with roles that he lost, and after, for one that began in between.
 */
export async function editEmployee(
  identity: Identity,
  asked: Asked,
  employee: EmployeeView,
  edit: EmployeeEdit,
): Promise<EmployeeEdited> {
  const { bus, vault, credentials } = identity;
  const { tenantId } = asked;
  const { roles, branch, ...profile } = edit;
  if (employee.person === null) return noSuchPerson('employee');
  const person = await editedPerson(identity, tenantId, employee.person, profile);
  if (isFaulty(person)) return person;
  const changed = changedMembers(employee.person, person);
  const id = employee.employeeId;
  const sealed = changed.length === 0 ? undefined : await sealFor(vault, tenantId, id, person);
  if (changed.length > 0 && sealed === undefined) return noSuchPerson('employee');
  const payload = {
    employee: id,
    ...(roles === undefined ? {} : { roles }),
    ...(branch === undefined ? {} : { branch }),
    ...(sealed === undefined ? {} : { changed, person: sealed }),
  };
  const outcome = await bus.execute({ ...asked, name: 'change-employee', payload });
  if (outcome.status === 'refused') return outcome;
  const newRoles = outcome.events.some(({ data }) => (data as { readonly roles?: unknown }).roles !== undefined);
  if (roles !== undefined && newRoles && !outcome.replayed) {
    const user = { kind: 'employee', id } as const;
    await endSessions(identity, asked, user, 'ROLES_CHANGED');
    const status = employee.status === 'ACTIVE' ? 'ACTIVE' : 'INACTIVE';
    await credentials.setStanding(tenantId, id, { status, roles, agent: employee.agentId });
    await endSessions(identity, asked, user, 'ROLES_CHANGED');
  }
  return { status: 'accepted', outcome, person };
}
