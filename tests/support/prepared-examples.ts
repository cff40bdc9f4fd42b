import { EXAMPLE } from '../../http/ledger/examples.js';
import type { Endpoint, RequestExample } from '../../http/endpoint.js';
import { PEOPLE, PICTURE_BASE64 } from '../../http/ciam/examples.js';
import { type HttpWorld, transfer } from './http-world.js';

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
  const params = { ...example.params };
  const { body } = example;
  await prepareLedger(world, endpoint, params);
  await preparePeople(world, endpoint, params);
  return { params, body };
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
