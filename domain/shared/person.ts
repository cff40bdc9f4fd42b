import { z } from 'zod';
import type { Json } from './event.js';

/**
 * Personal data inside events is sealed with a key of its own per person (architecture.md §6); erasing the person
 * destroys the key. An event that says something of a person has a member `person`: whoever folds events finds sealed
 * data by that name, whatever the event. `sealed` is the text of the key vault (application/ports/key-vault.ts).
 */
export const sealedPerson = z.strictObject({
  /** Id of the data subject: a customer, an employee, the owner of an account. */
  subject: z.string().length(36),
  sealed: z.string().max(64_000),
});
export type SealedPerson = z.infer<typeof sealedPerson>;

/** The sealed part of an event, if it has one. */
export function sealedPersonOf(data: unknown): SealedPerson | undefined {
  if (typeof data !== 'object' || data === null || !('person' in data)) return undefined;
  return data.person as SealedPerson | undefined;
}

/** What is sealed of a customer or an employee. Optional members are absent, never null. A type, so that it is Json. */
export type PersonalData = {
  readonly firstName: string;
  readonly lastName: string;
  /** As it was given; compared in lower case. */
  readonly email: string;
  /** E.164. */
  readonly phone?: string;
  /** YYYY-MM-DD. */
  readonly dob?: string;
  /** ISO 3166-1 alpha-3. */
  readonly nationality?: string;
  readonly gender?: 'MALE' | 'FEMALE' | 'OTHER';
  readonly address?: PostalAddress;
  /** Fields that the tenant asks for beside these (a company's name and registration number among them). */
  readonly dynamicFields?: { readonly [name: string]: Json };
};

export type PostalAddress = {
  readonly address1?: string;
  readonly address2?: string;
  readonly city?: string;
  readonly state?: string;
  readonly postcode?: string;
  readonly countryCommonName?: string;
  /** ISO 3166-1 alpha-3. */
  readonly countryIso3?: string;
};
