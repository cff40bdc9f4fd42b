import { z } from 'zod';
import { MAX_PHONE_LENGTH } from '../../application/people/phone.js';

/** What people say of themselves, as it comes in. Meaning (age, number plans, countries) is application/people's. */
const NAME = /^\p{L}[\p{L}\p{M} '’ʼ\-‐]*$/u;
const NAME_LENGTH = { least: 2, most: 50 };

/** Letters count, not their UTF-16 units: some scripts need two. */
const letters = (text: string): number => [...text].length;

export const personName = z
  .string()
  .max(2 * NAME_LENGTH.most)
  .trim()
  .normalize('NFC')
  .regex(NAME, 'has letters of any script, spaces, hyphens and apostrophes only')
  .refine((text) => letters(text) >= NAME_LENGTH.least, {
    error: `has at least ${NAME_LENGTH.least} letters`,
    params: { code: 'TOO_SHORT' },
  })
  .refine((text) => letters(text) <= NAME_LENGTH.most, {
    error: `has at most ${NAME_LENGTH.most} letters`,
    params: { code: 'TOO_LONG' },
  })
  .meta({ example: 'Adaobi' });

export const email = z.email().max(255).meta({ example: 'ada.obi@example.com' });

export const phone = z.string().min(4).max(MAX_PHONE_LENGTH).meta({
  description: 'International with +, or national beside `dialingCode`; stored as E.164',
  example: '+2348031234567',
});
export const dialingCode = z
  .string()
  .regex(/^\+?[1-9]\d{0,3}$/, 'is not a dialling code')
  .meta({ example: '+234' });

export const countryIso3 = z
  .string()
  .length(3)
  .toUpperCase()
  .regex(/^[A-Z]{3}$/, 'is not an ISO 3166-1 alpha-3 code')
  .meta({ description: 'ISO 3166-1 alpha-3', example: 'NGA' });

const line = z.string().trim().max(200);
/** All of an address but the country. */
export const addressLines = {
  address1: line.optional(),
  address2: line.optional(),
  city: line.optional(),
  state: line.optional(),
  postcode: z.string().trim().max(32).optional(),
  countryCommonName: z.string().trim().max(100).optional(),
};

export const gender = z.enum(['MALE', 'FEMALE', 'OTHER']);

const MAX_DYNAMIC_FIELDS = 50;
const dynamicValue = z.union([z.string().max(2000), z.number(), z.boolean(), z.array(z.string().max(2000)).max(50)]);
export const dynamicFields = z
  .record(z.string().min(1).max(64), dynamicValue)
  .refine((fields) => Object.keys(fields).length <= MAX_DYNAMIC_FIELDS, {
    error: `at most ${MAX_DYNAMIC_FIELDS} fields`,
    params: { code: 'TOO_LONG' },
  })
  .meta({ type: 'object', additionalProperties: true, example: { occupation: 'Engineer' } });

/** A customer or employee by id, or a customer by code. */
export const personId = z
  .string()
  .min(1)
  .max(36)
  .regex(/^[A-Za-z0-9-]+$/, 'is not an id')
  .meta({ description: 'UUID, or the customer code' });
export const customerCode = personId.meta({ description: 'Code or id of a customer; for staff. Default: the caller' });
