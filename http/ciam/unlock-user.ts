import { z } from 'zod';
import { unlockUser as unlock } from '../../application/access/unlock-user.js';
import { userOf } from '../../application/people/standing.js';
import { askedBy } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { reason } from '../schemas.js';
import { PEOPLE } from './examples.js';
import { changedPerson, personById } from './person-in-sight.js';
import { PROFILE_EXAMPLE, profileShape } from './person-shape.js';

export const unlockUser = defineEndpoint({
  id: 'unlock-user',
  group: 'ciam',
  title: 'Unlock user account',
  description:
    'Takes every lock off a customer or a member of staff: password, PINs, one-time passwords. By id, or a customer by code. The reason is kept in the log: it must not name people.',
  method: 'POST',
  path: '/api/v6/services/usermanagement/unlock-user-account/{id}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ id: z.string().min(1).max(64) }),
  body: z.strictObject({ reason: reason.optional() }),
  bodyOptional: true,
  unknownMembers: 'refuse',
  requestExamples: { called: { params: { id: PEOPLE.customerId }, body: { reason: 'Identified on the telephone' } } },
  success: { status: 200, description: 'The user', data: profileShape, example: PROFILE_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const person = await personById(call, call.params.id);
    const outcome = await unlock(call.services.identity, askedBy(call), userOf(person), call.body.reason);
    return changedPerson(call, person, outcome, 'Unlocked');
  },
});
