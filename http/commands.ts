import {
  type Command,
  type CommandName,
  type CommandPayloads,
  type Outcome,
  Overloaded,
  Unavailable,
} from '../application/commands.js';
import type { Asked } from '../application/access/api-tokens.js';
import { keyOf, requestHash } from '../application/idempotency.js';
import type { Call } from './endpoint.js';
import { type Failure, refusalFailure, unavailable } from './problem.js';

export type Accepted = Extract<Outcome, { status: 'accepted' }>;

/** The parts of a command that come from the request. `variant` tells commands of one request apart. */
export function askedBy(call: Call, tenantId: string = call.caller.tenantId, variant = ''): Asked {
  const { caller, correlationId, idempotencyKey, endpoint } = call;
  const asked = { tenantId, actor: actorOf(call), correlationId };
  if (idempotencyKey === undefined) return asked;
  // Validated values, in the schemas' order: white space and the order of members make no difference.
  const canonical = JSON.stringify([call.params ?? null, call.query ?? null, withoutSecrets(call), variant]);
  return {
    ...asked,
    idempotency: {
      id: keyOf(tenantId, endpoint.id, idempotencyKey + variant),
      requestHash: requestHash(caller.subject, canonical),
    },
  };
}

/**
 * As `askedBy`. The hash of the request stays in the log for ever: where the request is personal data it is keyed, so that
 * nobody who reads the log can try guesses on it.
 */
export function askedAboutPerson(call: Call): Asked {
  const { idempotency, ...asked } = askedBy(call);
  if (idempotency === undefined) return asked;
  const { id, requestHash } = idempotency;
  const keyed = call.services.identity.master.digest('request about a person', requestHash);
  return { ...asked, idempotency: { id, requestHash: keyed.slice(0, requestHash.length) } };
}

/**
 * The body as the request hash sees it: a hash of a password would be a way to guess it, and ciphertext is different
 * each time. A retry with another secret is answered like the first call.
 */
function withoutSecrets({ body, endpoint }: Call): unknown {
  const { secretMembers } = endpoint;
  if (secretMembers === undefined || typeof body !== 'object' || body === null) return body ?? null;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !secretMembers.includes(name)));
}

function actorOf(call: Call): Command['actor'] {
  const { subject, roles, customerId, agentId } = call.caller;
  const actor: { -readonly [K in keyof Command['actor']]: Command['actor'][K] } = { subject, roles };
  if (customerId !== undefined) actor.customerId = customerId;
  if (agentId !== undefined) actor.agentId = agentId;
  return actor;
}

/** Carries out a command; a refusal comes back as the failure to answer with. */
export async function execute<N extends CommandName>(
  call: Call,
  name: N,
  payload: CommandPayloads[N],
  tenantId?: string,
): Promise<Accepted | Failure> {
  const outcome = await call.services.bus.execute({ ...askedBy(call, tenantId), name, payload });
  return acceptedOr(outcome, call, tenantId);
}

/** What the caller is told when the processor could not carry out a command: the same call may succeed later. */
export function transientFailure(error: unknown, isOutage?: (error: unknown) => boolean): Failure | undefined {
  if (error instanceof Overloaded) return unavailable('Too much work is waiting', error.retryAfterSeconds);
  if (error instanceof Unavailable || isOutage?.(error) === true) {
    return unavailable(
      'Temporarily unavailable. It is not known whether a command took effect: retry with the same idempotency key',
    );
  }
  return undefined;
}

/** Remembers how far the tenant's log has come, so that later look-ups of this process see it. */
export function acceptedOr(outcome: Outcome, call: Call, tenantId: string = call.caller.tenantId): Accepted | Failure {
  if (outcome.status === 'refused') return refusalFailure(outcome.refusal, outcome.replayed);
  call.services.positions.set(tenantId, outcome.position);
  return outcome;
}

export function isFailure(value: Accepted | Failure): value is Failure {
  return 'kind' in value;
}

/** Waits until the read models show what this process has committed for the tenant; false when they did not in time. */
export async function caughtUp(call: Call, tenantId: string = call.caller.tenantId): Promise<boolean> {
  const { positions, readModels, config } = call.services;
  const position = positions.get(tenantId);
  return position === undefined || (await readModels.waitFor(position, config.positionWaitMs));
}
