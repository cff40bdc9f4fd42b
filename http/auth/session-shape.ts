import { z } from 'zod';
import type { SignIn, TokenPair } from '../../application/access/sign-in.js';
import { type PersonView, personOf } from '../../application/people/standing.js';
import type { Credentials } from '../../application/ports/credentials.js';
import { COMPLIANCE_STATUSES, CUSTOMER_STATUSES } from '../../domain/customer/events.js';
import { ROLES } from '../../domain/shared/decider.js';
import { PEOPLE } from '../ciam/examples.js';
import { caughtUp } from '../commands.js';
import type { Answer, Call } from '../endpoint.js';
import { EXAMPLE } from '../ledger/examples.js';
import type { Failure } from '../problem.js';
import { accessFailure, shown } from './access-failure.js';
import { SECRETS } from './examples.js';

const userShape = z
  .object({
    id: z.string(),
    customerCode: z.string().nullable(),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    email: z.string().nullable(),
    roles: z.array(z.enum(ROLES)),
    status: z.enum(CUSTOMER_STATUSES),
    complianceStatus: z.enum(COMPLIANCE_STATUSES).nullable(),
    countryIsoCode3: z.string().nullable(),
    tenancyId: z.string(),
  })
  .meta({ id: 'LoggedInUser' });

const tokens = {
  access_token: z.string().meta({ description: 'JWT for X-Auth-Token' }),
  refresh_token: z.string().meta({ description: 'Opaque, good once' }),
  token_type: z.literal('Bearer'),
  expires_in: z.int().meta({ description: 'Seconds' }),
  refresh_expires_in: z.int().meta({ description: 'Seconds' }),
};

export const sessionShape = z
  .object({ ...tokens, otpRequired: z.literal(false), user: userShape })
  .meta({ id: 'LogIn' });
export const otpRequiredShape = z
  .object({ otpRequired: z.literal(true), otpReference: z.string() })
  .meta({ id: 'LogInOtpRequired', description: 'The tokens come from verify-login-otp' });
export const tokensShape = z.object(tokens).meta({ id: 'TokenPair' });

export const TOKENS_EXAMPLE = {
  access_token: SECRETS.accessToken,
  refresh_token: SECRETS.refreshToken,
  token_type: 'Bearer',
  expires_in: 3600,
  refresh_expires_in: 2_592_000,
};
export const SESSION_EXAMPLE = {
  ...TOKENS_EXAMPLE,
  otpRequired: false,
  user: {
    id: PEOPLE.customerId,
    customerCode: PEOPLE.customerCode,
    firstName: 'Adaobi',
    lastName: 'Obi',
    email: PEOPLE.email,
    roles: ['CUSTOMER'],
    status: 'PENDING_VERIFICATION',
    complianceStatus: 'INCOMPLETE',
    countryIsoCode3: 'NGA',
    tenancyId: EXAMPLE.tenantId,
  },
};

export function tokensOut({ accessToken, refreshToken, expiresInSeconds, refreshExpiresInSeconds }: TokenPair) {
  return {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    refresh_expires_in: refreshExpiresInSeconds,
  };
}

export async function signedInAnswer(call: Call, result: SignIn): Promise<Answer | Failure> {
  if (result.status !== 'signed-in') return accessFailure(result);
  const { tokens: pair, credentials } = result;
  const answer = shown(call, result, 'Logged in', undefined);
  const data = { ...tokensOut(pair), otpRequired: false, user: userOut(credentials, await viewOf(call, credentials)) };
  return { ...answer, data };
}

/** Somebody who has just registered may be ahead of the read models. */
async function viewOf(call: Call, { tenantId, user }: Credentials): Promise<PersonView | undefined> {
  const { readModels } = call.services;
  const view = await personOf(readModels, tenantId, user);
  if (view !== undefined) return view;
  await caughtUp(call);
  return personOf(readModels, tenantId, user);
}

function userOut({ tenantId, user, roles }: Credentials, view: PersonView | undefined) {
  const customer = view?.kind === 'customer' ? view : undefined;
  return {
    id: user.id,
    customerCode: customer?.code ?? null,
    firstName: view?.person?.firstName ?? null,
    lastName: view?.person?.lastName ?? null,
    email: view?.person?.email ?? null,
    roles,
    status: view?.status ?? 'ACTIVE',
    complianceStatus: customer?.complianceStatus ?? null,
    countryIsoCode3: customer?.country ?? null,
    tenancyId: tenantId,
  };
}
