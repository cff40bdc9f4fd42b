import { z } from 'zod';
import { registerCustomer } from '../../application/people/register-customer.js';
import { present } from '../../application/people/person-checks.js';
import { acceptedOr, isFailure, askedAboutPerson } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import { RequestFailed, refusalFailure } from '../problem.js';
import { dateIn } from '../schemas.js';
import { secretsOf } from '../secrets.js';
import { PEOPLE } from './examples.js';
import { faultyFailure } from './person-in-sight.js';
import {
  addressLines,
  countryIso3,
  dialingCode,
  dynamicFields,
  email,
  gender,
  personName,
  phone,
} from './person-schemas.js';
import { PROFILE_EXAMPLE, customerOut, profileShape } from './person-shape.js';

/** A password or its ciphertext: RSA or JWE, of the largest keys. */
const secret = z.string().min(1).max(4096);
const short = z.string().max(128).optional();

const body = z.strictObject({
  devicePlatform: short,
  appVersion: short,
  appId: short,
  customerType: z.enum(['INDIVIDUAL', 'COMPANY', 'BUSINESS']).meta({ description: 'BUSINESS is read as COMPANY' }),
  payloadEncrypted: z.boolean().meta({ description: 'Whether the passwords are ciphertext' }),
  firstName: personName,
  lastName: personName,
  email,
  dialingCode: dialingCode.optional(),
  phone,
  dob: dateIn,
  nationality: countryIso3.optional(),
  customerGender: gender.optional(),
  password: secret.meta({ example: 'Tr1cky!Bananas' }),
  confirmPassword: secret.meta({ example: 'Tr1cky!Bananas' }),
  address: z.strictObject({ ...addressLines, countryIso3 }),
  dynamicFields: dynamicFields.optional(),
});

const INDIVIDUAL = {
  devicePlatform: 'IOS',
  appVersion: '1',
  appId: 'com.fincode.remitjunction',
  customerType: 'INDIVIDUAL',
  payloadEncrypted: false,
  firstName: 'Chidi',
  lastName: 'Eze',
  email: PEOPLE.newEmail,
  dialingCode: '+234',
  phone: '0803 123 4567',
  dob: '1991-04-23',
  password: 'Tr1cky!Bananas',
  confirmPassword: 'Tr1cky!Bananas',
  address: { address1: '12 Marina', address2: 'Lagos Island', countryCommonName: 'Nigeria', countryIso3: 'NGA' },
  dynamicFields: {},
};

/** Roles whose customers are registered by them, not by themselves. */
const REGISTRARS = ['MANAGER', 'AGENT', 'CASHIER'] as const;

/** Whose customer he becomes: of the agent whose people register him, else of the agent at whose host he does it himself. */
function registrarOf({ caller, hostAgentId }: Call): { readonly agent: string | undefined; readonly byStaff: boolean } {
  const byStaff = REGISTRARS.some((role) => caller.roles.includes(role));
  return { agent: (byStaff ? caller.agentId : undefined) ?? hostAgentId, byStaff };
}

async function passwordsOf(call: Call): Promise<{ readonly password: string; readonly confirmPassword: string }> {
  const secrets = await secretsOf(call, ['password', 'confirmPassword']);
  if ('kind' in secrets) throw new RequestFailed(secrets);
  return secrets;
}

export const createCustomer = defineEndpoint({
  id: 'create-customer',
  group: 'ciam',
  title: 'Create customer',
  description:
    'Anonymous: people register themselves, at the host of the tenant or of one of its agents. With the token of staff ' +
    'the customer is that agent’s. An e-mail address is one customer’s of a tenant (422, code `DUPLICATE`). A company has ' +
    '`companyName` and `registrationNumber` in `dynamicFields`.',
  method: 'POST',
  path: '/api/v6/services/usermanagement/register-customer',
  aliases: [{ method: 'POST', path: '/api/v6/services/usermanagement/create-customer' }],
  roles: 'PUBLIC',
  tenant: 'named',
  token: 'optional',
  // The answer tells whether an address is known, and a password costs a slow hash.
  tightLimit: true,
  secretMembers: ['password', 'confirmPassword'],
  kind: 'command',
  movesMoney: false,
  body,
  unknownMembers: 'refuse',
  requestExamples: {
    individual: { body: INDIVIDUAL },
    company: {
      body: {
        ...INDIVIDUAL,
        customerType: 'BUSINESS',
        dynamicFields: { companyName: 'Eze Textiles Ltd', registrationNumber: 'RC 1234567' },
      },
    },
  },
  success: {
    status: 200,
    description: 'Customer registered successfully',
    data: profileShape,
    example: { ...PROFILE_EXAMPLE, firstName: 'Chidi', lastName: 'Eze', email: PEOPLE.newEmail, createdAt: EXAMPLE.at },
  },
  errors: ['AUTH_REQUIRED', 'FORBIDDEN', 'NOT_FOUND'],
  async handler(call) {
    const { customerType, firstName, lastName, dob, address, customerGender, ...rest } = call.body;
    const wanted = {
      customerType: customerType === 'BUSINESS' ? 'COMPANY' : customerType,
      firstName,
      lastName,
      email: rest.email,
      phone: rest.phone,
      dialingCode: rest.dialingCode,
      dob,
      nationality: rest.nationality,
      gender: customerGender,
      address: present(address),
      dynamicFields: rest.dynamicFields,
      ...registrarOf(call),
    } as const;
    const { identity, clock } = call.services;
    const result = await registerCustomer(identity, askedAboutPerson(call), wanted, () => passwordsOf(call));
    if (result.status === 'faulty') return faultyFailure(result);
    if (result.status === 'refused') return refusalFailure(result.refusal, result.replayed);
    const done = acceptedOr(result.outcome, call);
    if (isFailure(done)) return done;
    return {
      kind: 'answer',
      message: 'Customer registered successfully',
      data: customerOut(result.customer, clock.nowMs()),
      position: done.position,
      replayed: done.replayed,
    };
  },
});
