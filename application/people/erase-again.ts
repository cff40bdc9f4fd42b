import type { Actor } from '../../domain/shared/decider.js';
import type { Identity } from '../access/identity.js';
import { type Erasure, keyOfErasure } from '../ports/erasure-register.js';
import type { EventScan, ScannedEvent } from '../ports/event-scan.js';
import { forgetPerson } from './forget-person.js';

const PAGE_EVENTS = 20_000;
const TYPES = ['customer-erased', 'employee-erased'] as const;

/** Everybody whom the log says to be erased. */
export async function erasuresInLog(scan: EventScan): Promise<Erasure[]> {
  const found: Erasure[] = [];
  for (let after = ''; ;) {
    const { events, next } = await scan.scan({ after, limit: PAGE_EVENTS, types: TYPES });
    found.push(...events.map(erasureOf));
    if (next === after) return found;
    after = next;
  }
}

function erasureOf({ tenantId, recordedAt: erasedAt, data }: ScannedEvent): Erasure {
  const { customer, employee, legalBasis } = data as {
    readonly customer?: string;
    readonly employee?: string;
    readonly legalBasis: string;
  };
  const user =
    customer === undefined
      ? { kind: 'employee' as const, id: employee ?? '' }
      : { kind: 'customer' as const, id: customer };
  return { tenantId, ...user, erasedAt, legalBasis };
}

export interface ErasedAgain {
  /** Persons who were in the restored database and are erased again, with an event that says so. */
  readonly stated: number;
  /** Forgotten without an event: unknown to the restored log, or it cannot be written now. */
  readonly unstated: number;
  /** Erased in the restored log already. */
  readonly known: number;
}

/**
 * Carries out erasures on a restored database that may be older than they are: as they were carried out the first time,
 * with the same legal basis, and said so. Whoever is erased in the log already is forgotten again too: a backup may be of
 * the moment between the two.
 */
export async function eraseAgain(
  identity: Parameters<typeof forgetPerson>[0] & Pick<Identity, 'bus'>,
  erasures: readonly Erasure[],
  options: {
    /** What the restored log says itself. */
    readonly inLog: readonly Erasure[];
    /** The log can be appended to from here. */
    readonly mayAppend: boolean;
    readonly actor: Actor;
    readonly correlationId: string;
  },
): Promise<ErasedAgain> {
  const { inLog, mayAppend, actor, correlationId } = options;
  const known = new Set(inLog.map(keyOfErasure));
  let [stated, unstated] = [0, 0];
  for (const erasure of erasures) {
    const { tenantId, kind, id, erasedAt, legalBasis } = erasure;
    await forgetPerson(
      identity,
      tenantId,
      { kind, id },
      { erasedAt, ...(legalBasis === undefined ? {} : { legalBasis }) },
    );
    if (known.has(keyOfErasure(erasure))) continue;
    const asked = { tenantId, actor, correlationId };
    const payload = {
      legalBasis: legalBasis ?? 'register of erasures',
      reason: `erased on ${erasedAt}; again after an older backup was restored`,
    };
    const accepted =
      mayAppend &&
      (
        await (kind === 'customer'
          ? identity.bus.execute({ ...asked, name: 'erase-customer', payload: { customer: id, ...payload } })
          : identity.bus.execute({ ...asked, name: 'erase-employee', payload: { employee: id, ...payload } }))
      ).status === 'accepted';
    if (accepted) stated += 1;
    else unstated += 1;
  }
  return { stated, unstated, known: known.size };
}
