import type { Outcome } from '../../application/commands.js';
import type { Faulty } from '../../application/people/faults.js';
import { type PersonView, personOf, userOf } from '../../application/people/standing.js';
import { isUuid } from '../../domain/shared/ids.js';
import { type Accepted, acceptedOr, caughtUp } from '../commands.js';
import type { Answer, Call } from '../endpoint.js';
import { type Failure, RequestFailed, failure, unavailable } from '../problem.js';
import { noSuch, ownPerson, visibleCustomer } from '../scope.js';
import { profileOut } from './person-shape.js';

/**
 * Whose profile a call is about: the caller's own, or the customer that it names. An API token that speaks for nobody has
 * no profile of its own (403); one that speaks for a customer who is not there finds none (404).
 */
export async function subjectOf(call: Call, customerCode: string | undefined): Promise<PersonView> {
  if (customerCode !== undefined) return { kind: 'customer', ...(await visibleCustomer(call, customerCode)) };
  const person = await personOf(call.services.readModels, call.caller.tenantId, ownPerson(call));
  if (person === undefined) throw noSuch('person');
  return person;
}

/** A person of the tenant by id, or a customer by code: for managers, who see all of them. */
export async function personById(call: Call, id: string): Promise<PersonView> {
  await caughtUp(call);
  const { readModels } = call.services;
  const { tenantId } = call.caller;
  const customer = await readModels.customer(tenantId, id);
  if (customer !== undefined) return { kind: 'customer', ...customer };
  const text = id.toLowerCase();
  const employee = isUuid(text) ? await readModels.employee(tenantId, text) : undefined;
  if (employee === undefined) throw noSuch('person');
  return { kind: 'employee', ...employee };
}

/** The person once the read model shows the commit. */
export async function personAfter(call: Call, person: PersonView, { position }: Accepted): Promise<PersonView> {
  const { readModels, config } = call.services;
  const caught = await readModels.waitFor(position, config.positionWaitMs);
  const shown = caught ? await personOf(readModels, call.caller.tenantId, userOf(person)) : undefined;
  if (shown === undefined) throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
  return shown;
}

/** Answers a change of a person with the person as he is now. */
export async function changedPerson(
  call: Call,
  person: PersonView,
  outcome: Outcome,
  message: string,
): Promise<Answer | Failure> {
  const done = acceptedOr(outcome, call);
  if ('kind' in done) return done;
  const shown = await personAfter(call, person, done);
  const data = profileOut(shown, call.services.clock.nowMs());
  return { kind: 'answer', message, data, position: done.position, replayed: done.replayed };
}

/** What use cases find wrong, as the envelope's `errors`. */
export function faultyFailure({ faults }: Faulty): Failure {
  return failure('VALIDATION_ERROR', 'Validation failed', { errors: faults });
}
