import { z } from 'zod';
import type { PersonView } from '../../application/people/standing.js';
import type { CustomerView } from '../../application/ports/read-models.js';
import { COMPLIANCE_STATUSES, CUSTOMER_TYPES } from '../../domain/customer/events.js';
import { ROLES } from '../../domain/shared/decider.js';
import { EXAMPLE } from '../ledger/examples.js';
import { PEOPLE } from './examples.js';

export const PICTURE_PATH = '/api/v6/services/usermanagement/profile-picture';

const addressShape = z.object({
  address1: z.string().optional(),
  address2: z.string().optional(),
  city: z.string().optional(),
  state: z.string().optional(),
  postcode: z.string().optional(),
  countryCommonName: z.string().optional(),
  countryIso3: z.string().optional(),
});

const USER_STATUSES = ['PENDING_VERIFICATION', 'ACTIVE', 'INACTIVE', 'LOCKED', 'ERASED'] as const;

/** A customer, or a member of staff looking at himself. Of an erased person only ids and states are left. */
export const profileShape = z
  .object({
    id: z.string(),
    userType: z.enum(['CUSTOMER', 'EMPLOYEE']),
    customerCode: z.string().nullable(),
    customerType: z.enum(CUSTOMER_TYPES).nullable(),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    dob: z.string().nullable(),
    nationality: z.string().nullable(),
    customerGender: z.string().nullable(),
    address: addressShape.nullable(),
    dynamicFields: z.record(z.string(), z.unknown()).meta({ type: 'object', additionalProperties: true }),
    status: z.enum(USER_STATUSES),
    lockedUntil: z.string().nullable(),
    complianceStatus: z.enum(COMPLIANCE_STATUSES).nullable(),
    riskLevel: z.string().nullable(),
    roles: z.array(z.enum(ROLES)),
    agentId: z.string().nullable(),
    profilePictureUrl: z.string().nullable(),
    hasTransactionPin: z.boolean(),
    hasUserPin: z.boolean(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Profile' });

export const PROFILE_EXAMPLE = {
  id: PEOPLE.customerId,
  userType: 'CUSTOMER',
  customerCode: PEOPLE.customerCode,
  customerType: 'INDIVIDUAL',
  firstName: 'Adaobi',
  lastName: 'Obi',
  email: PEOPLE.email,
  phone: PEOPLE.phone,
  dob: '1990-05-17',
  nationality: 'NGA',
  customerGender: 'FEMALE',
  address: { address1: '12 Marina', city: 'Lagos', countryCommonName: 'Nigeria', countryIso3: 'NGA' },
  dynamicFields: {},
  status: 'PENDING_VERIFICATION',
  lockedUntil: null,
  complianceStatus: 'INCOMPLETE',
  riskLevel: null,
  roles: ['CUSTOMER'],
  agentId: null,
  profilePictureUrl: null,
  hasTransactionPin: false,
  hasUserPin: false,
  createdAt: EXAMPLE.at,
  updatedAt: EXAMPLE.at,
};

export function customerOut(customer: CustomerView, nowMs: number) {
  return profileOut({ kind: 'customer', ...customer }, nowMs);
}

export function profileOut(view: PersonView, nowMs: number) {
  const { person } = view;
  const id = view.kind === 'customer' ? view.customerId : view.employeeId;
  return {
    id,
    userType: view.kind === 'customer' ? 'CUSTOMER' : 'EMPLOYEE',
    customerCode: view.kind === 'customer' ? view.code : null,
    customerType: view.kind === 'customer' ? view.customerType : null,
    firstName: person?.firstName ?? null,
    lastName: person?.lastName ?? null,
    email: person?.email ?? null,
    phone: person?.phone ?? null,
    dob: person?.dob ?? null,
    nationality: person?.nationality ?? null,
    customerGender: person?.gender ?? null,
    address: person?.address ?? null,
    dynamicFields: person?.dynamicFields ?? {},
    ...statusOut(view, nowMs),
    complianceStatus: view.kind === 'customer' ? view.complianceStatus : null,
    // Comes with the compliance engine.
    riskLevel: null,
    roles: view.kind === 'customer' ? ['CUSTOMER'] : view.roles,
    agentId: view.agentId,
    profilePictureUrl: view.pictureId === null ? null : `${PICTURE_PATH}/${id}`,
    hasTransactionPin: view.hasTransactionPin,
    hasUserPin: view.hasLoginPin,
    createdAt: view.kind === 'customer' ? view.registeredAt : view.createdAt,
    updatedAt: view.updatedAt,
  };
}

/** A lock ends by itself: it is shown while it lasts. */
export function statusOut({ status, lockedUntil }: Pick<PersonView, 'status' | 'lockedUntil'>, nowMs: number) {
  const isLocked = lockedUntil !== null && Date.parse(lockedUntil) > nowMs;
  const shown = isLocked && status !== 'INACTIVE' && status !== 'ERASED' ? ('LOCKED' as const) : status;
  return { status: shown, lockedUntil: isLocked ? lockedUntil : null };
}
