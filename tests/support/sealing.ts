import { randomUUID } from 'node:crypto';
import { GENESIS_HASH, type EventLog, type LogHead, type SealedEvent } from '../../application/ports/event-log.js';
import { seal } from '../../application/processor/seal.js';
import type { Tag } from '../../domain/shared/event.js';

/** What a test says about an event; everything else is made up. The type is one that takes any data when read back. */
export interface EventSketch {
  readonly id?: string;
  readonly data?: unknown;
  readonly meta?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly keyId?: string;
  readonly recordedAt?: string;
  readonly effectiveAt?: string;
}

export type ChainEnd = Pick<LogHead, 'revision' | 'hash'>;
export const EMPTY: ChainEnd = { revision: -1, hash: GENESIS_HASH };
export const RECORDED_AT = '2026-03-01T12:00:00.000Z';

let counter = 0;

/** Events sealed one upon the other, the first upon `after`. */
export function sealAfter(tenantId: string, after: ChainEnd, sketches: readonly EventSketch[]): SealedEvent[] {
  let { hash, revision } = after;
  return sketches.map((sketch) => {
    counter += 1;
    revision += 1;
    const sealed = seal(
      tenantId,
      revision,
      hash,
      sketch.recordedAt ?? RECORDED_AT,
      {
        id: sketch.id ?? randomUUID(),
        type: 'command-accepted',
        version: 1,
        data: sketch.data ?? { operation: `test-${counter}` },
        tags: (sketch.tags ?? []) as Tag[],
        ...(sketch.effectiveAt === undefined ? {} : { effectiveAt: sketch.effectiveAt }),
      },
      JSON.stringify(sketch.meta ?? { actor: 'test', correlation: 'c' }),
      sketch.keyId,
    );
    hash = sealed.hash;
    return sealed;
  });
}

/** `count` events that differ. */
export function some(count: number, more: EventSketch = {}): EventSketch[] {
  return Array.from({ length: count }, () => more);
}

export function endOf(after: ChainEnd, events: readonly SealedEvent[]): ChainEnd {
  return { revision: after.revision + events.length, hash: events.at(-1)?.hash ?? after.hash };
}

/** Appends at the end of the tenant's log, wherever that is, and answers what was appended. */
export async function appendAtEnd(
  log: EventLog,
  tenantId: string,
  sketches: readonly EventSketch[],
): Promise<SealedEvent[]> {
  const head = await log.head(tenantId);
  const events = sealAfter(tenantId, head, sketches);
  const result = await log.append(tenantId, head.revision, events);
  if (result.status !== 'appended') throw new Error(`append at the end: ${result.status}`);
  return events;
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}
