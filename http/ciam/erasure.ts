import { z } from 'zod';
import { erasePerson } from '../../application/people/erase-person.js';
import { present } from '../../application/people/person-checks.js';
import { userOf } from '../../application/people/standing.js';
import { acceptedOr, askedBy } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { reason } from '../schemas.js';
import { PEOPLE } from './examples.js';
import { personById } from './person-in-sight.js';
import { personId } from './person-schemas.js';

export const erasePersonEndpoint = defineEndpoint({
  id: 'erase-person',
  group: 'ciam',
  title: 'Erase a person',
  description:
    'For good: the key under which everything about the person is sealed is destroyed, files, log-ins, devices and mail are ' +
    'deleted. Accounts, postings and the record of the erasure stay, without him. The legal basis and the reason stay ' +
    'in the log: they must not name people.',
  method: 'POST',
  path: '/api/v6/services/usermanagement/erase-person/{id}',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ id: personId }),
  body: z.strictObject({ legalBasis: z.string().min(1).max(256), reason: reason.optional() }),
  unknownMembers: 'refuse',
  requestExamples: {
    request: {
      params: { id: PEOPLE.customerId },
      body: { legalBasis: 'GDPR Art. 17(1)(a)', reason: 'Asked for by the customer, retention is over' },
    },
  },
  success: {
    status: 200,
    description: 'The person is erased',
    data: z.object({
      id: z.string(),
      userType: z.enum(['CUSTOMER', 'EMPLOYEE']),
      status: z.literal('ERASED'),
      legalBasis: z.string(),
      erasedAt: z.string(),
    }),
    example: {
      id: PEOPLE.customerId,
      userType: 'CUSTOMER',
      status: 'ERASED',
      legalBasis: 'GDPR Art. 17(1)(a)',
      erasedAt: EXAMPLE.at,
    },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { identity, readModels, config } = call.services;
    const person = await personById(call, call.params.id);
    const { legalBasis, reason: why } = call.body;
    const wanted = { legalBasis, ...present({ reason: why }) };
    const done = acceptedOr(await erasePerson(identity, askedBy(call), person, wanted), call);
    if ('kind' in done) return done;
    // Who is told that it is done finds nothing any more.
    await readModels.waitFor(done.position, config.positionWaitMs);
    const { id, kind } = userOf(person);
    const userType = kind === 'customer' ? 'CUSTOMER' : 'EMPLOYEE';
    const erasedAt = done.events[0]?.recordedAt ?? '';
    return {
      kind: 'answer',
      message: 'The person is erased',
      data: { id, userType, status: 'ERASED', legalBasis, erasedAt },
      position: done.position,
      replayed: done.replayed,
    };
  },
});
