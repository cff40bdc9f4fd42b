import type { CustomerRegistered } from '../../domain/customer/events.js';
import { nameBasedUuid } from '../../domain/shared/ids.js';
import type { PersonalData, SealedPerson } from '../../domain/shared/person.js';
import { refuse } from '../../domain/shared/refusal.js';
import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import { passwordFaults } from '../access/password-policy.js';
import type { CommittedEvent, Outcome } from '../commands.js';
import type { CustomerView } from '../ports/read-models.js';
import { type Faulty, fault, faulty } from './faults.js';
import { type NewCustomer, checkedPerson } from './new-customer.js';
import { recordFirstPassword, reserveAddress, whileReserved } from './reservation.js';
import { noSuchPerson, sealFor } from './seal-person.js';
import { type Standing, agentChain } from './standing.js';

/** Reads the secrets of the request: asked for only where they are needed, because a ciphertext may be read once. */
export type ReadPasswords = () => Promise<{ readonly password: string; readonly confirmPassword: string }>;

export type Registration =
  | {
      readonly status: 'accepted';
      readonly outcome: Extract<Outcome, { status: 'accepted' }>;
      /** As the registration made him. */
      readonly customer: CustomerView;
    }
  | Faulty
  | Extract<Outcome, { status: 'refused' }>;

/**
 * Registers a customer: the address is reserved, the password stored with the reservation, the person sealed, then the
 * log is written and the credentials are made active. A crash before the log leaves a reservation that runs out; after
 * it the identity reactor makes the credentials active. Under an idempotency key the customer's id is made from the key
 * and the request, so that a retry goes on with its own reservation, or finds its customer and gets the first answer.
 */
export async function registerCustomer(
  identity: Identity,
  asked: Asked,
  wanted: NewCustomer,
  readPasswords: ReadPasswords,
): Promise<Registration> {
  const { credentials, vault, bus } = identity;
  const { tenantId } = asked;
  const id = customerIdFor(asked, identity);
  const known = asked.idempotency === undefined ? undefined : await credentials.byUser(tenantId, id);
  const isDone = known !== undefined && known.status !== 'PENDING';
  const { person, faults } = await checkedPerson(identity, tenantId, wanted);
  const seal = () => sealFor(vault, tenantId, id, person);
  if (isDone) {
    const again = await seal();
    return again === undefined ? noSuchPerson('customer') : execute(identity, asked, wanted, id, person, again);
  }

  const closed = await registrationClosed(identity, tenantId, wanted);
  if (closed !== undefined) return closed;
  if (faults.length > 0) return faulty(...faults);
  const password = await newPassword(identity, tenantId, wanted, readPasswords);
  if (typeof password !== 'string') return password;
  const user = { kind: 'customer', id } as const;
  const reservation = await reserveAddress(identity, tenantId, user, standingFor(wanted), wanted.email);
  if (reservation === undefined) return faulty(fault('email', 'DUPLICATE', 'there is a customer with this e-mail'));
  const sealed = await whileReserved(identity, reservation, async () => {
    const hash = await identity.hasher.hash(password);
    await credentials.setPassword(tenantId, id, hash, new Date(identity.clock.nowMs()).toISOString());
    return seal();
  });
  // A retry of a registration whose customer was erased since: his key is gone, and so is he.
  if (sealed === undefined) {
    await credentials.release(tenantId, id);
    return noSuchPerson('customer');
  }
  const registration = await execute(identity, asked, wanted, id, person, sealed);
  if (registration.status !== 'accepted') {
    await credentials.release(tenantId, id);
    return registration;
  }
  await credentials.setStanding(tenantId, id, standingFor(wanted));
  await recordFirstPassword(bus, user, asked);
  return registration;
}

function customerIdFor({ tenantId, idempotency }: Asked, { ids }: Pick<Identity, 'ids'>): string {
  if (idempotency === undefined) return ids.eventId();
  return nameBasedUuid(tenantId, `customer:${idempotency.id}:${idempotency.requestHash}`);
}

function standingFor({ agent }: NewCustomer): Standing & { readonly status: 'ACTIVE' } {
  return { status: 'ACTIVE', roles: ['CUSTOMER'], agent: agent ?? null };
}

async function registrationClosed(
  { preferences, readModels }: Identity,
  tenantId: string,
  { agent, address, byStaff }: NewCustomer,
): Promise<Extract<Outcome, { status: 'refused' }> | undefined> {
  if (byStaff) return undefined;
  const agents = await agentChain(readModels, tenantId, agent);
  const { SELF_REGISTRATION_ENABLED } = await preferences.of(tenantId, { agents, country: address.countryIso3 });
  if (SELF_REGISTRATION_ENABLED) return undefined;
  const refusal = refuse('authority-required', 'customers are registered by staff here');
  return { status: 'refused', refusal, replayed: false };
}

/** The password in clear, once it fits the tenant's policy. */
async function newPassword(
  { preferences }: Identity,
  tenantId: string,
  wanted: NewCustomer,
  readPasswords: ReadPasswords,
): Promise<string | Faulty> {
  const { password, confirmPassword } = await readPasswords();
  if (password !== confirmPassword) {
    return faulty(fault('confirmPassword', 'MISMATCH', 'password and confirmPassword differ'));
  }
  const ownWords = [wanted.firstName, wanted.lastName, wanted.email];
  const found = passwordFaults(password, await preferences.of(tenantId), ownWords);
  if (found.length === 0) return password;
  return faulty(...found.map(({ code, message }) => fault('password', code, message)));
}

async function execute(
  { bus }: Identity,
  asked: Asked,
  wanted: NewCustomer,
  customer: string,
  person: PersonalData,
  sealed: SealedPerson,
): Promise<Registration> {
  const { customerType, address, agent } = wanted;
  const payload = {
    customer,
    customerType,
    country: address.countryIso3,
    ...(agent === undefined ? {} : { agent }),
    person: sealed,
  };
  const outcome = await bus.execute({ ...asked, name: 'register-customer', payload });
  if (outcome.status === 'refused') return outcome;
  const registered = outcome.events.find(({ type }) => type === 'customer-registered');
  if (registered === undefined) throw new Error('a new customer has his event');
  return { status: 'accepted', outcome, customer: registeredCustomer(registered, person) };
}

function registeredCustomer(event: CommittedEvent, person: PersonalData): CustomerView {
  const { customer, code, customerType, country, agent } = event.data as CustomerRegistered['data'];
  return {
    customerId: customer,
    code,
    customerType,
    status: 'PENDING_VERIFICATION',
    complianceStatus: 'INCOMPLETE',
    country,
    agentId: agent ?? null,
    pictureId: null,
    person,
    hasLoginPin: false,
    hasTransactionPin: false,
    lockedUntil: null,
    registeredAt: event.recordedAt,
    updatedAt: event.recordedAt,
  };
}
