import { EXAMPLE } from '../../http/ledger/examples.js';
import type { Endpoint, RequestExample } from '../../http/endpoint.js';
import { emailDigestOf } from '../../application/access/identity.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { SECRETS } from '../../http/auth/examples.js';
import { PEOPLE, PICTURE_BASE64 } from '../../http/ciam/examples.js';
import { type HttpWorld, transfer } from './http-world.js';
import { prepareLending } from './prepared-lending.js';

/** An example as it is sent: with ids that exist now, and as somebody for whom it makes sense. */
export interface PreparedExample {
  readonly params: Record<string, string>;
  readonly body: unknown;
  /** Undefined: a token of the endpoint's first role. */
  readonly token?: string;
}

const V6 = '/api/v6/services';

/** Does what an example takes for granted. */
export async function prepareExample(
  world: HttpWorld,
  endpoint: Endpoint,
  example: RequestExample,
): Promise<PreparedExample> {
  const lent = endpoint.group === 'lending' ? await prepareLending(world, endpoint, example) : example;
  const params = { ...lent.params };
  const { body } = lent;
  await prepareLedger(world, endpoint, params);
  await preparePeople(world, endpoint, params);
  return await prepareLogIn(world, endpoint, params, body);
}

/** What a user needs first, by the id of the endpoint. */
const BEFORE: Readonly<Record<string, readonly [method: string, path: string, body: object]>> = {
  'remove-device': ['POST', '/usermanagement/devices', { deviceId: SECRETS.deviceId, platform: 'IOS', name: 'phone' }],
  'change-transaction-pin': [
    'POST',
    '/usermanagement/create-transaction-pin',
    { transactionPin: SECRETS.pin, confirmTransactionPin: SECRETS.pin },
  ],
  'change-user-pin': [
    'POST',
    '/securitymanagement/create-user-pin',
    { userPin: SECRETS.userPin, confirmUserPin: SECRETS.userPin, deviceId: SECRETS.deviceId },
  ],
};
const OTP = '/securitymanagement/generate-and-send-otp';
const OTP_BEFORE: Readonly<Record<string, string>> = {
  'verify-login-otp': 'LOGIN',
  'complete-password-reset': 'RESET_PASSWORD',
};

/** Calls of people who logged in are made by the documents' Ada, with the secrets of the examples. */
async function prepareLogIn(
  world: HttpWorld,
  endpoint: Endpoint,
  params: Record<string, string>,
  body: unknown,
): Promise<PreparedExample> {
  const isTheirs = endpoint.group === 'auth' || /password|pin|otp/.test(endpoint.id);
  if (!isTheirs) return { params, body };
  await givePassword(world);
  const purpose = OTP_BEFORE[endpoint.id];
  const headers = { 'X-Tenant': 'demo' };
  if (purpose !== undefined) {
    await world.send(V6 + OTP, { body: { email: PEOPLE.email, purpose }, headers }, 'NOBODY');
  }
  if (endpoint.id === 'login' || purpose !== undefined) return { params, body };
  const credentials = { email: PEOPLE.email, currentPassword: SECRETS.password };
  const opened = await world.send(`${V6}/securitymanagement/login`, { body: credentials, headers }, 'NOBODY');
  const { access_token: token, refresh_token } = opened.json.data as { access_token: string; refresh_token: string };
  const before = BEFORE[endpoint.id];
  if (before !== undefined) {
    const [method, path, wanted] = before;
    await world.send(V6 + path, { method, body: wanted }, { token });
  }
  const withToken = JSON.parse(JSON.stringify(body ?? null).replaceAll(SECRETS.refreshToken, refresh_token)) as unknown;
  const sent = { params, body: withToken ?? undefined };
  return endpoint.roles === 'PUBLIC' ? sent : { ...sent, token };
}

/** Ada was registered by staff of an agent: she has no way to log in before this. */
export async function givePassword(world: HttpWorld): Promise<void> {
  const { credentials, hasher, master } = world.identity;
  const tenantId = tenantIdOf('demo');
  const createdAt = new Date(world.clock.nowMs()).toISOString();
  const agent = world.agentId('own');
  await credentials.reserve(
    {
      ...{ tenantId, user: { kind: 'customer', id: PEOPLE.customerId }, roles: ['CUSTOMER'], agent, createdAt },
      ...{ status: 'PENDING', passwordHash: null, passwordSetAt: null, passwordHistory: [] },
    },
    emailDigestOf(master, tenantId, PEOPLE.email),
  );
  await credentials.setPassword(tenantId, PEOPLE.customerId, await hasher.hash(SECRETS.password), createdAt);
  await credentials.setStanding(tenantId, PEOPLE.customerId, { status: 'ACTIVE' });
}

async function prepareLedger(world: HttpWorld, endpoint: Endpoint, params: Record<string, string>): Promise<void> {
  if ('holdId' in params || 'groupId' in params) {
    const hold = { accountId: EXAMPLE.accountId, amount: 100, currencyCode: 'NGN', type: 'HOLD', reason: 'r' };
    const { data } = (await world.send(`${V6}/ledger/holds`, { body: { holds: [hold, hold] } })).json;
    const { groupId, holds } = data as { groupId: string; holds: Array<{ holdId: string }> };
    if ('groupId' in params) params['groupId'] = groupId;
    else params['holdId'] = holds[0]?.holdId ?? '';
  }
  if ('postingGroupId' in params) {
    const { data } = (await world.send(`${V6}/gateway/post-account`, { body: [transfer(5)] })).json;
    params['postingGroupId'] = (data as Array<{ postingGroupId: string }>)[0]?.postingGroupId ?? '';
  }
  if ('tokenId' in params) {
    const wanted = { name: 'n', roles: ['AUDITOR'], expiry: 'M1' };
    const { data } = (await world.send(`${V6}/admin/security/api-tokens`, { body: wanted })).json;
    params['tokenId'] = (data as { tokenId: string }).tokenId;
  }
  if (endpoint.id === 'unfreeze-account') {
    await world.send(`${V6}/account-maintenance/freeze-account/${EXAMPLE.spareId}`, {
      method: 'PUT',
      body: { scope: 'ALL', reason: 'r' },
    });
  }
}

async function preparePeople(world: HttpWorld, endpoint: Endpoint, params: Record<string, string>): Promise<void> {
  if (params['id'] === PEOPLE.employeeId) {
    const grace = { firstName: 'Grace', lastName: 'Bello', email: PEOPLE.employeeEmail, roles: ['CASHIER'] };
    const { data } = (await world.send(`${V6}/usermanagement/create-employee`, { body: grace })).json;
    params['id'] = (data as { id: string }).id;
  }
  if ('bankDetailId' in params) {
    const account = {
      ...{ customerCode: PEOPLE.customerCode, currencyCode: 'NGN', country: 'NGA' },
      bankAccountMetaData: [{ key: 'bankaccountno', value: '0123456789' }],
    };
    const { data } = (await world.send(`${V6}/bankmanagement/customer-bank-details`, { body: account })).json;
    params['bankDetailId'] = (data as { bankDetailId: string }).bankDetailId;
  }
  if (endpoint.id === 'profile-picture') {
    const picture = { name: 'ada.png', file_base64: PICTURE_BASE64 };
    await world.send(`${V6}/usermanagement/upload-profile-picture`, { body: picture }, 'CUSTOMER');
  }
}
