import type { Actor } from '../../domain/shared/decider.js';
import type { UserReference } from '../../domain/access/user-events.js';
import { type Identity, emailDigestOf } from '../access/identity.js';
import { forgetPerson } from '../people/forget-person.js';
import { type PersonView, type Standing, endSessions, personOf, standingOf } from '../people/standing.js';
import type { ScannedEvent } from '../ports/event-scan.js';
import {
  type JobProcessor,
  type JobQueue,
  type JobQueues,
  MAX_JOBS_PER_CALL,
  type NewJob,
} from '../ports/job-queue.js';
import type { Reactor } from './run-reactor.js';

/**
 * What the log says of people, carried out beside the log: credentials mirror status, roles and agent; who was deactivated
 * is logged out; who was erased is forgotten. Use cases do it themselves right away: this finishes what a crash of theirs
 * left, and finds nothing to do otherwise. A type, not an interface: only types are Json by structure.
 */
export type IdentityTask = {
  readonly tenantId: string;
  readonly kind: UserReference['kind'];
  readonly id: string;
  /** Of the event: the read model must have seen it. */
  readonly position: string;
  readonly correlation: string;
};

export const IDENTITY_ACTOR: Actor = { subject: 'system:identity', roles: [] };

/** Attempts are about twenty minutes together. */
const RETRY = { attempts: 10, firstDelayMs: 1_000 };
const CONCURRENCY = 4;
/** The use case is given this long to do it itself. */
const DELAY_MS = 2_000;
const READ_MODEL_WAIT_MS = 5_000;

const TYPES = [
  'customer-registered',
  'customer-status-set',
  'customer-erased',
  'employee-created',
  'employee-changed',
  'employee-status-set',
  'employee-erased',
] as const;

export function identityQueue(queues: JobQueues): JobQueue<IdentityTask> {
  return queues.open<IdentityTask>('identity', RETRY);
}

/** For every change of a person's standing a job; its id is made from the event's, so it is one job. */
export function identityReactor(queue: JobQueue<IdentityTask>): Reactor {
  return {
    name: 'identity',
    types: TYPES,
    async react(events) {
      const jobs = events.flatMap(followJob);
      for (let from = 0; from < jobs.length; from += MAX_JOBS_PER_CALL) {
        await queue.addAll(jobs.slice(from, from + MAX_JOBS_PER_CALL));
      }
    },
  };
}

function followJob(event: ScannedEvent): Array<NewJob<IdentityTask>> {
  const { customer, employee } = event.data as { readonly customer?: string; readonly employee?: string };
  const id = customer ?? employee;
  if (id === undefined) return [];
  const { tenantId, position } = event;
  const kind = customer === undefined ? 'employee' : 'customer';
  const correlation = event.meta.correlation ?? event.id;
  return [{ id: `follow-${event.id}`, delayMs: DELAY_MS, data: { tenantId, kind, id, position, correlation } }];
}

/** Makes the stores say what the log says now, not what it said when the event was written: jobs may come in any order. */
export function identityProcessor(identity: Identity): JobProcessor<IdentityTask> {
  const { readModels, credentials } = identity;
  return async ({ data }) => {
    const { tenantId, position } = data;
    const user: UserReference = { kind: data.kind, id: data.id };
    // What stands beside the log is read before what the log says, so that a change in between is not undone.
    const known = await credentials.byUser(tenantId, user.id);
    if (!(await readModels.waitFor(position, READ_MODEL_WAIT_MS))) throw new Error('the read models are behind');
    const person = await personOf(readModels, tenantId, user);
    if (person === undefined) throw new Error(`the read models do not know ${user.kind} ${user.id}`);
    if (person.status === 'ERASED') {
      await forgetPerson(identity, tenantId, user);
      return;
    }
    const standing = standingOf(person);
    const asked = { tenantId, actor: IDENTITY_ACTOR, correlationId: data.correlation };
    const differs = known === undefined || !isMirrored(known, standing);
    if (differs && !(await credentials.setStanding(tenantId, user.id, standing))) {
      await credentialsAgain(identity, tenantId, user, person);
    }
    if (standing.status === 'INACTIVE') await endSessions(identity, asked, user, 'DEACTIVATED');
    else if (differs && known?.status !== 'PENDING') await endSessions(identity, asked, user, 'ROLES_CHANGED');
  };
}

function isMirrored(known: { status: string; roles: readonly string[]; agent: string | null }, standing: Standing) {
  const sameRoles =
    known.roles.length === standing.roles.length && standing.roles.every((role) => known.roles.includes(role));
  return known.status === standing.status && sameRoles && known.agent === standing.agent;
}

/** The reservation ran out before the log was written: the address is taken again, if nobody has it now. */
async function credentialsAgain(
  { credentials, master, clock }: Identity,
  tenantId: string,
  user: UserReference,
  person: PersonView,
): Promise<void> {
  const email = person.person?.email;
  if (email === undefined) return;
  const standing = standingOf(person);
  const nobody = { passwordHash: null, passwordSetAt: null, passwordHistory: [] };
  const createdAt = new Date(clock.nowMs()).toISOString();
  const reserved = await credentials.reserve(
    { tenantId, user, ...standing, status: 'PENDING', ...nobody, createdAt },
    emailDigestOf(master, tenantId, email),
  );
  if (!reserved) throw new Error(`the e-mail address of ${user.kind} ${user.id} belongs to somebody else now`);
  await credentials.setStanding(tenantId, user.id, standing);
}

/** Works on the queue in this process; the reactor is run beside it by `runReactor`. */
export async function startIdentityRepair(queue: JobQueue<IdentityTask>, identity: Identity): Promise<void> {
  await queue.work(identityProcessor(identity), { concurrency: CONCURRENCY });
}
