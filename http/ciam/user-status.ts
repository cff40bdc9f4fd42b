import { z } from 'zod';
import { setUserStatus } from '../../application/people/set-user-status.js';
import { askedBy } from '../commands.js';
import { type Call, type Method, defineEndpoint } from '../endpoint.js';
import { PEOPLE } from './examples.js';
import { changedPerson, personById } from './person-in-sight.js';
import { personId } from './person-schemas.js';
import { PROFILE_EXAMPLE, profileShape } from './person-shape.js';

const SERVICE = '/api/v6/services/usermanagement';

async function setStatus(call: Call<{ id: string }>, to: 'ACTIVE' | 'INACTIVE', message: string) {
  const person = await personById(call, call.params.id);
  return changedPerson(call, person, await setUserStatus(call.services.identity, askedBy(call), person, to), message);
}

const also = (path: string) =>
  (['PUT', 'POST'] as const satisfies readonly Method[]).map((method) => ({ method, path }));

const definition = {
  group: 'ciam',
  method: 'GET',
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ id: personId }),
  unknownMembers: 'ignore',
  requestExamples: { customer: { params: { id: PEOPLE.customerId } } },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
} as const;

const ACTIVATE_PATH = `${SERVICE}/activate-user-account/{id}`;
export const activateUser = defineEndpoint({
  ...definition,
  id: 'activate-user',
  title: 'Activate user account',
  description:
    'Of a customer (id or code) or a member of staff. An active one stays so. The documented GET changes state; PUT and POST do the same.',
  path: ACTIVATE_PATH,
  aliases: also(ACTIVATE_PATH),
  success: {
    status: 200,
    description: 'The user',
    data: profileShape,
    example: { ...PROFILE_EXAMPLE, status: 'ACTIVE' },
  },
  handler: (call) => setStatus(call, 'ACTIVE', 'User activated'),
});

const DEACTIVATE_PATH = `${SERVICE}/deactivate-user-account/{id}`;
export const deactivateUser = defineEndpoint({
  ...definition,
  id: 'deactivate-user',
  title: 'Deactivate user account',
  description: 'He is logged out everywhere and cannot log in. Nobody deactivates himself.',
  path: DEACTIVATE_PATH,
  aliases: also(DEACTIVATE_PATH),
  success: {
    status: 200,
    description: 'The user',
    data: profileShape,
    example: { ...PROFILE_EXAMPLE, status: 'INACTIVE' },
  },
  handler: (call) => setStatus(call, 'INACTIVE', 'User deactivated'),
});
