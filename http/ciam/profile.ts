import { z } from 'zod';
import { editProfile } from '../../application/people/edit-profile.js';
import { caughtUp, askedAboutPerson } from '../commands.js';
import { defineEndpoint } from '../endpoint.js';
import { RequestFailed, invalid } from '../problem.js';
import { dateIn } from '../schemas.js';
import { PEOPLE } from './examples.js';
import { changedPerson, faultyFailure, subjectOf } from './person-in-sight.js';
import { addressLines, countryIso3, customerCode, dialingCode, gender, personName, phone } from './person-schemas.js';
import { PROFILE_EXAMPLE, profileOut, profileShape } from './person-shape.js';

const EVERYBODY = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'] as const;

export const customerProfile = defineEndpoint({
  id: 'customer-profile',
  group: 'ciam',
  title: 'Customer profile',
  description:
    'Of who logged in, or of the customer that an API token speaks for. Staff may name a customer in their sight.',
  method: 'GET',
  path: '/api/v6/services/usermanagement/profile',
  aliases: [],
  roles: EVERYBODY,
  kind: 'query',
  movesMoney: false,
  query: z.object({ customerCode: customerCode.optional() }),
  unknownMembers: 'refuse',
  requestExamples: { customer: { query: { customerCode: PEOPLE.customerCode } } },
  success: { status: 200, description: 'User profile details', data: profileShape, example: PROFILE_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const person = await subjectOf(call, call.query.customerCode);
    return { kind: 'answer', message: 'Profile', data: profileOut(person, call.services.clock.nowMs()) };
  },
});

export const editCustomerProfile = defineEndpoint({
  id: 'edit-customer-profile',
  group: 'ciam',
  title: 'Edit customer profile',
  description:
    'Absent members stay as they are, members of the address too. The e-mail address cannot be changed. After verification ' +
    'a change of name, date of birth or nationality sets `complianceStatus` to `REVIEW_DUE`. Staff name the customer.',
  method: 'PUT',
  path: '/api/v6/services/usermanagement/profile-edit',
  aliases: [{ method: 'PUT', path: '/api/v6/services/usermanagement/profile' }],
  roles: EVERYBODY,
  kind: 'command',
  movesMoney: false,
  // The documented page could be read in part: it may know more members.
  body: z.object({
    customerCode: customerCode.optional(),
    firstName: personName.optional(),
    lastName: personName.optional(),
    phone: phone.optional(),
    dialingCode: dialingCode.optional(),
    dob: dateIn.optional(),
    nationality: countryIso3.optional(),
    customerGender: gender.optional(),
    address: z.object({ ...addressLines, countryIso3: countryIso3.optional() }).optional(),
    email: z.unknown().optional().meta({ type: 'string', description: 'Refused: it cannot be changed' }),
  }),
  unknownMembers: 'ignore',
  requestExamples: {
    move: {
      body: {
        customerCode: PEOPLE.customerCode,
        phone: '+2348031234568',
        nationality: 'NGA',
        customerGender: 'FEMALE',
        address: { address1: '4 Broad Street', city: 'Lagos' },
      },
    },
  },
  success: { status: 200, description: 'The profile', data: profileShape, example: PROFILE_EXAMPLE },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { customerCode: code, customerGender, email, ...edit } = call.body;
    if (email !== undefined) {
      throw new RequestFailed(invalid('email', 'IMMUTABLE', 'the e-mail address cannot be changed'));
    }
    await caughtUp(call);
    const person = await subjectOf(call, code);
    const { identity } = call.services;
    const result = await editProfile(identity, askedAboutPerson(call), person, { ...edit, gender: customerGender });
    if (result.status === 'faulty') return faultyFailure(result);
    const outcome = result.status === 'refused' ? result : result.outcome;
    return changedPerson(call, person, outcome, 'Profile changed');
  },
});
