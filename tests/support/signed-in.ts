import { emailDigestOf } from '../../application/access/identity.js';
import type { UserReference } from '../../domain/access/user-events.js';
import type { Role } from '../../domain/shared/decider.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { SECRETS } from '../../http/auth/examples.js';
import { PEOPLE } from '../../http/ciam/examples.js';
import type { Endpoint, RequestExample } from '../../http/endpoint.js';
import type { HttpWorld, TenantName } from './http-world.js';

const AUTH = '/api/v6/services/securitymanagement';
const USERS = '/api/v6/services/usermanagement';

/** Somebody with an address and a password. */
export interface Person {
  readonly user: UserReference;
  readonly tenant: TenantName;
  readonly email: string;
  readonly password: string;
}

/** Gives a user that the log knows a way to log in. */
export async function letIn(
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

/** What an example of these endpoints takes for granted; undefined for others. */
export async function prepareSignIn(
  world: HttpWorld,
  endpoint: Endpoint,
  example: RequestExample,
): Promise<{ readonly token?: string; readonly body: unknown } | undefined> {
  const { body } = example;
  const isOurs = [...ALONE, ...WITH_TOKEN].includes(endpoint.id);
  if (!isOurs) return undefined;
  const ada = await letIn(world, { kind: 'customer', id: PEOPLE.customerId });
  const post = (path: string, sent: unknown, token?: string) => {
    const headers = { 'X-Tenant': 'demo' };
    return world.send(path, { method: 'POST', body: sent, headers }, token === undefined ? 'NOBODY' : { token });
  };
  const purpose = { 'verify-login-otp': 'LOGIN', 'complete-password-reset': 'RESET_PASSWORD' }[endpoint.id];
  if (purpose !== undefined) await post(`${AUTH}/generate-and-send-otp`, { email: ada.email, purpose });
  if (endpoint.id === 'login' || purpose !== undefined || endpoint.hidesPath === true) return { body };
  const { token, refreshToken } = await logInAs(world, ada);
  if (ALONE.includes(endpoint.id)) return { body: { refresh_token: refreshToken } };
  if (endpoint.id === 'change-transaction-pin') {
    const sent = { transactionPin: SECRETS.pin, confirmTransactionPin: SECRETS.pin };
    await post(`${USERS}/create-transaction-pin`, sent, token);
  }
  if (endpoint.id === 'change-user-pin') {
    const sent = { userPin: SECRETS.userPin, confirmUserPin: SECRETS.userPin, deviceId: SECRETS.deviceId };
    await post(`${AUTH}/create-user-pin`, sent, token);
  }
  if (endpoint.id === 'remove-device') {
    await post(`${USERS}/devices`, { deviceId: SECRETS.deviceId, platform: 'IOS' }, token);
  }
  return { token, body };
}

const ALONE = [
  ...['login', 'refresh-token', 'logout', 'generate-otp-email', 'verify-login-otp', 'reset-password'],
  'complete-password-reset',
];
const WITH_TOKEN = [
  ...['change-password', 'step-up', 'list-devices', 'register-device', 'remove-device'],
  ...['create-transaction-pin', 'change-transaction-pin', 'create-user-pin', 'change-user-pin'],
];
