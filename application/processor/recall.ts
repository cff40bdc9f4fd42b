import type { KeyAnswer } from '../../domain/shared/decider.js';
import type { DomainEvent } from '../../domain/shared/event.js';
import type { Refusal } from '../../domain/shared/refusal.js';
import type { CommittedEvent } from '../commands.js';
import type { EventLog, StoredEvent } from '../ports/event-log.js';

/** What a stored keyed event answers. */
export function answerOf(event: StoredEvent): KeyAnswer {
  const { requestHash = '', events = '1' } = event.meta;
  const answer = { requestHash, revision: event.revision, events: Number.parseInt(events, 10) };
  return event.type === 'command-refused' ? { ...answer, refusal: refusalOf(event) } : answer;
}

function refusalOf(event: DomainEvent): Refusal {
  const {
    operation: _operation,
    instructionKey: _key,
    ...refusal
  } = event.data as Refusal & {
    operation: string;
    instructionKey?: string;
  };
  return refusal;
}

/** The events of the commit that a header key answered, with earlier parts put back in their places. */
export async function readCommit(log: EventLog, tenantId: string, answer: KeyAnswer): Promise<CommittedEvent[]> {
  const stored = await readRevisions(log, tenantId, answer.revision, answer.revision + answer.events - 1);
  const [first] = stored;
  if (first === undefined || first.type !== 'command-accepted') return stored;
  const { replays = [] } = first.data as { replays?: Array<{ index: number; revision: number }> };
  const parts = stored.slice(1);
  for (const { index, revision } of replays) parts.splice(index, 0, await readReplayed(log, tenantId, revision));
  return parts;
}

/** An event that answered an inner key before. */
export async function readReplayed(log: EventLog, tenantId: string, revision: number): Promise<CommittedEvent> {
  const [event] = await readRevisions(log, tenantId, revision, revision);
  return { ...(event as CommittedEvent), replayed: true };
}

async function readRevisions(log: EventLog, tenantId: string, from: number, to: number): Promise<CommittedEvent[]> {
  const events: CommittedEvent[] = [];
  for await (const event of log.read(tenantId, { from, to })) events.push(event);
  if (events.length !== to - from + 1) throw new Error(`revisions ${from} to ${to} are not all there`);
  return events;
}
