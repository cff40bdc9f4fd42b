import type { CommittedEvent } from '../commands.js';
import { Unavailable } from '../commands.js';
import type { EventLog, StoredEvent } from '../ports/event-log.js';
import type { Appended, Batch, Settled } from './batch.js';
import type { ProcessorObserver } from './processor-ports.js';
import { readCommit, readReplayed } from './recall.js';
import { type Decision, committed } from './work.js';

/** Gives the callers of one tenant's commands their answers. */
export class Answering {
  #recalling = 0;

  constructor(
    private readonly tenantId: string,
    private readonly ports: { readonly log: EventLog; readonly observer?: ProcessorObserver | undefined },
  ) {}

  /** Nobody waits for an answer that is being read from the log. */
  get idle(): boolean {
    return this.#recalling === 0;
  }

  /** Tells observers and callers of a batch that is in the log. */
  answer(batch: Batch, appended: Appended): void {
    const events: CommittedEvent[] = batch.work.decided.map(({ event, meta }) =>
      committed(event, batch.work.now, meta),
    );
    try {
      this.#publish(batch, events, appended);
    } finally {
      for (const one of batch.settled) this.settle(one, events, appended.lastRevision, appended.lastPosition);
    }
  }

  #publish(batch: Batch, events: readonly CommittedEvent[], appended: Appended): void {
    const { observer } = this.ports;
    if (observer === undefined) return;
    observer.committed(
      // Member by member, always in this order: a spread costs twice as much as all the rest here.
      batch.sealed.map((one, index): StoredEvent => {
        const event = events[index] as CommittedEvent;
        const stored = {
          id: one.id,
          type: one.type,
          version: one.version,
          data: event.data,
          tags: one.tags,
          tenantId: this.tenantId,
          revision: batch.expectedRevision + 1 + index,
          position: appended.positionAt(index),
          recordedAt: one.recordedAt,
          effectiveAt: one.effectiveAt,
          meta: event.meta,
          hash: one.hash,
          dataText: one.dataText,
          metaText: one.metaText,
          storedVersion: one.version,
          keyId: one.keyId,
        };
        return stored as StoredEvent;
      }),
    );
  }

  /** Answers one caller; `events` are those of his batch, which ends at `revision` and `position`. */
  settle(settled: Settled, events: readonly CommittedEvent[], revision: number, position: string): void {
    const { waiting, decision } = settled;
    if (decision.status === 'refused') {
      const { refusal, replayed } = decision;
      waiting.resolve({ status: 'refused', refusal, replayed });
    } else if (decision.status === 'accepted' && decision.parts.every((part) => 'index' in part)) {
      const own = decision.parts.map((part) => events[(part as { index: number }).index] as CommittedEvent);
      waiting.resolve({ status: 'accepted', events: own, revision, position, replayed: false });
    } else {
      this.#recalling += 1;
      void this.#recall(decision, events)
        .then((recalled) => waiting.resolve({ status: 'accepted', ...recalled, revision, position }))
        .catch((error: unknown) => {
          waiting.reject(new Unavailable('the first answer could not be read', { cause: error }));
        })
        .finally(() => {
          this.#recalling -= 1;
        });
    }
  }

  /** Answers that hold parts of earlier commits read them from the log. */
  async #recall(
    decision: Exclude<Decision, { status: 'refused' }>,
    events: readonly CommittedEvent[],
  ): Promise<{ events: CommittedEvent[]; replayed: boolean }> {
    const { log } = this.ports;
    if (decision.status === 'replay') {
      return { events: await readCommit(log, this.tenantId, decision.answer), replayed: true };
    }
    const parts: CommittedEvent[] = [];
    for (const part of decision.parts) {
      if ('index' in part) parts.push(events[part.index] as CommittedEvent);
      else parts.push(await readReplayed(log, this.tenantId, part.replay.revision));
    }
    return { events: parts, replayed: decision.parts.every((part) => 'replay' in part) };
  }
}
