import { z } from 'zod';
import { sealedPerson } from '../shared/person.js';
import type { DomainEvent } from '../shared/event.js';

/**
 * Facts about customers. Who the person is stands sealed in `person`; what is in clear says nothing of the person:
 * ids, states, which fields changed. Reasons are written by staff and must not name people.
 */
const id = z.string().length(36);
const reason = z.string().min(1).max(512);

export const CUSTOMER_TYPES = ['INDIVIDUAL', 'COMPANY'] as const;
export type CustomerType = (typeof CUSTOMER_TYPES)[number];
export const CUSTOMER_STATUSES = ['PENDING_VERIFICATION', 'ACTIVE', 'INACTIVE', 'ERASED'] as const;
export type CustomerStatus = (typeof CUSTOMER_STATUSES)[number];
export const COMPLIANCE_STATUSES = [
  'INCOMPLETE',
  'DOCUMENTS_SUBMITTED',
  'CRA_SUBMITTED',
  'SCREENING',
  'MANUAL_REVIEW',
  'APPROVED',
  'REJECTED',
  'REVIEW_DUE',
] as const;
export type ComplianceStatus = (typeof COMPLIANCE_STATUSES)[number];

export const customerRegisteredV1 = z.strictObject({
  customer: id,
  /** Short code for people, unique in the tenant: made from `codeSequence`. */
  code: z.string().max(16),
  codeSequence: z.int().positive(),
  customerType: z.enum(CUSTOMER_TYPES),
  /** ISO 3166-1 alpha-3 of the address: rules depend on it. */
  country: z.string().length(3),
  /** The agent whose customer this is; absent: the principal's own. */
  agent: id.optional(),
  person: sealedPerson,
});
export const customerProfileChangedV1 = z.strictObject({
  customer: id,
  /** Names of the members of `PersonalData` that changed: before and after are sealed, that it changed is not secret. */
  changed: z.array(z.string().max(64)).min(1).max(50),
  country: z.string().length(3),
  person: sealedPerson,
});
export const customerPictureSetV1 = z.strictObject({
  customer: id,
  /** Id of the file (application/ports/file-store.ts). */
  file: id,
  contentType: z.string().max(64),
});
export const customerStatusSetV1 = z.strictObject({
  customer: id,
  from: z.enum(CUSTOMER_STATUSES),
  to: z.enum(CUSTOMER_STATUSES),
  reason: reason.optional(),
});
export const customerComplianceSetV1 = z.strictObject({
  customer: id,
  from: z.enum(COMPLIANCE_STATUSES),
  to: z.enum(COMPLIANCE_STATUSES),
  reason: reason.optional(),
});
export const bankDetailsAddedV1 = z.strictObject({
  customer: id,
  bankDetail: id,
  currency: z.string().length(3),
  country: z.string().length(3),
  /** Sealed: the key-value pairs (account number, holder, bank). */
  person: sealedPerson,
});
export const bankDetailsRemovedV1 = z.strictObject({ customer: id, bankDetail: id });
export const customerErasedV1 = z.strictObject({
  customer: id,
  /** Why the law asks for it or permits it, e.g. `GDPR Art. 17(1)(a)`. */
  legalBasis: z.string().min(1).max(256),
  reason: reason.optional(),
});

export type CustomerRegistered = DomainEvent<'customer-registered', z.infer<typeof customerRegisteredV1>>;
export type CustomerProfileChanged = DomainEvent<'customer-profile-changed', z.infer<typeof customerProfileChangedV1>>;
export type CustomerPictureSet = DomainEvent<'customer-picture-set', z.infer<typeof customerPictureSetV1>>;
export type CustomerStatusSet = DomainEvent<'customer-status-set', z.infer<typeof customerStatusSetV1>>;
export type CustomerComplianceSet = DomainEvent<'customer-compliance-set', z.infer<typeof customerComplianceSetV1>>;
export type BankDetailsAdded = DomainEvent<'bank-details-added', z.infer<typeof bankDetailsAddedV1>>;
export type BankDetailsRemoved = DomainEvent<'bank-details-removed', z.infer<typeof bankDetailsRemovedV1>>;
export type CustomerErased = DomainEvent<'customer-erased', z.infer<typeof customerErasedV1>>;
export type CustomerEvent =
  | CustomerRegistered
  | CustomerProfileChanged
  | CustomerPictureSet
  | CustomerStatusSet
  | CustomerComplianceSet
  | BankDetailsAdded
  | BankDetailsRemoved
  | CustomerErased;
