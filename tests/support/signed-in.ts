import { emailDigestOf } from '../../application/access/identity.js';
import type { UserReference } from '../../domain/access/user-events.js';
import type { Role } from '../../domain/shared/decider.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { SECRETS } from '../../http/auth/examples.js';
import { PEOPLE } from '../../http/ciam/examples.js';
import type { HttpWorld, TenantName } from './http-world.js';

const AUTH = '/api/v6/services/securitymanagement';

/** Somebody with an address and a password. */
export interface Person {
  readonly user: UserReference;
  readonly tenant: TenantName;
  readonly email: string;
  readonly password: string;
}

/** Gives a user that the log knows a way to log in. */
async function letIn(
  world: HttpWorld,
  user: UserReference,
  more: { email?: string; password?: string; roles?: readonly Role[]; agent?: string; tenant?: TenantName } = {},
): Promise<Person> {
  const { email = PEOPLE.email, password = SECRETS.password, roles = ['CUSTOMER'], agent, tenant = 'demo' } = more;
  const { credentials, hasher, master, clock } = world.identity;
  const tenantId = tenantIdOf(tenant);
  const now = new Date(clock.nowMs()).toISOString();
  const none = { passwordHash: null, passwordSetAt: null, passwordHistory: [], createdAt: now };
  const standing = { status: 'ACTIVE', roles, agent: agent ?? null } as const;
  await credentials.reserve({ tenantId, user, ...standing, ...none }, emailDigestOf(master, tenantId, email));
  await credentials.setPassword(tenantId, user.id, await hasher.hash(password), now);
  return { user, tenant, email, password };
}

/** A new customer who can log in. */
export async function newCustomer(world: HttpWorld, email: string, tenant: TenantName = 'demo'): Promise<Person> {
  const id = world.ids.eventId();
  const tenantId = tenantIdOf(tenant);
  const person = await world.identity.vault.seal(tenantId, id, { firstName: 'Chidi', lastName: 'Eze', email });
  await world.command(
    'register-customer',
    { customer: id, customerType: 'INDIVIDUAL', country: 'NGA', person },
    tenantId,
  );
  return letIn(world, { kind: 'customer', id }, { email, tenant });
}

/** A new member of staff who can log in. */
export async function newEmployee(
  world: HttpWorld,
  email: string,
  roles: readonly Role[],
  tenant: TenantName = 'demo',
): Promise<Person> {
  const id = world.ids.eventId();
  const tenantId = tenantIdOf(tenant);
  const person = await world.identity.vault.seal(tenantId, id, { firstName: 'Grace', lastName: 'Bello', email });
  await world.command('create-employee', { employee: id, roles, person }, tenantId);
  return letIn(world, { kind: 'employee', id }, { email, roles, tenant });
}

export interface Tokens {
  readonly token: string;
  readonly refreshToken: string;
}

export async function logInAs(world: HttpWorld, { email, password, tenant }: Person, device?: string): Promise<Tokens> {
  const body = { email, currentPassword: password, ...(device === undefined ? {} : { deviceId: device }) };
  const sent = { method: 'PUT', body, headers: { 'X-Tenant': tenant } };
  const answer = await world.send(`${AUTH}/login`, sent, 'NOBODY');
  if (answer.status !== 200) throw new Error(`log-in: ${answer.text}`);
  const data = answer.json.data as { access_token: string; refresh_token: string };
  return { token: data.access_token, refreshToken: data.refresh_token };
}
