import { randomUUID } from 'node:crypto';
import type { EventLog, StoredEvent } from '../../application/ports/event-log.js';
import type { ScannedEvent } from '../../application/ports/event-scan.js';
import { seal } from '../../application/processor/seal.js';
import type { Tag } from '../../domain/shared/event.js';
import { tenantIdOf } from '../../domain/shared/ids.js';

export const TENANT = tenantIdOf('given');
const START_MS = Date.UTC(2026, 2, 1, 12, 0, 0);

export interface GivenEvent {
  readonly type: string;
  readonly data: unknown;
  readonly tags?: readonly string[];
  readonly tenantId?: string;
  readonly correlation?: string;
  readonly id?: string;
}

/** Events as a projection gets them: positions and revisions counted up, one second apart. */
export function given(events: readonly GivenEvent[], from = 0): ScannedEvent[] {
  const revisions = new Map<string, number>();
  return events.map((event, i) => {
    const tenantId = event.tenantId ?? TENANT;
    const revision = (revisions.get(tenantId) ?? from - 1) + 1;
    revisions.set(tenantId, revision);
    const recordedAt = new Date(START_MS + (from + i) * 1_000).toISOString();
    return {
      id: event.id ?? randomUUID(),
      type: event.type,
      version: 1,
      data: event.data,
      tags: (event.tags ?? []) as Tag[],
      tenantId,
      revision,
      position: String(from + i + 1),
      recordedAt,
      effectiveAt: recordedAt.slice(0, 10),
      meta: { actor: 'tester', correlation: event.correlation ?? 'a-correlation' },
    };
  });
}

/** Appends events to a log as they are, without a processor: also such as no decider would state. */
export async function append(log: EventLog, events: readonly GivenEvent[]): Promise<StoredEvent[]> {
  const before = await log.lastPosition();
  for (const event of events) {
    const tenantId = event.tenantId ?? TENANT;
    const head = await log.head(tenantId);
    const revision = head.revision + 1;
    const recordedAt = new Date(START_MS + revision * 1_000).toISOString();
    const fact = {
      id: event.id ?? randomUUID(),
      type: event.type,
      version: 1,
      data: event.data,
      tags: (event.tags ?? []) as Tag[],
    };
    const meta = JSON.stringify({ actor: 'tester', correlation: event.correlation ?? 'a-correlation' });
    const sealed = seal(tenantId, revision, head.hash, recordedAt, fact, meta, undefined);
    const result = await log.append(tenantId, head.revision, [sealed]);
    if (result.status !== 'appended') throw new Error(`not appended: ${result.status}`);
  }
  return await log.readAll({ after: before, limit: events.length }).catch(() => []);
}

export function accountId(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

export function opened(n: number, more: Record<string, unknown> = {}): GivenEvent {
  const account = accountId(n);
  return {
    type: 'account-opened',
    tags: [`account:${account}`, `tenant:${TENANT}`],
    data: {
      account,
      number: `N${n}`,
      name: `Account ${n}`,
      owner: TENANT,
      currency: 'EUR',
      kind: 'LIABILITY',
      product: 'INTERNAL',
      permission: 'FULL_ACCESS',
      overdraftLimit: '0',
      ...more,
    },
  };
}

/** Keeps balances and line numbers, so that the entries it makes are sound. */
export class Teller {
  readonly #accounts = new Map<number, { balance: bigint; sequence: number }>();

  /** Moves `amount` from one account to another. */
  entry(debit: number, credit: number, amount: bigint, more: Record<string, unknown> = {}): GivenEvent {
    const lines = [this.#line(debit, 'debit', amount), this.#line(credit, 'credit', amount)];
    return {
      type: 'entry-posted',
      tags: [`account:${accountId(debit)}`, `account:${accountId(credit)}`],
      data: { kind: 'posting', lines, valueDate: '2026-03-01', ...more },
    };
  }

  #line(n: number, side: 'debit' | 'credit', amount: bigint) {
    const account = this.#accounts.get(n) ?? { balance: 0n, sequence: 0 };
    this.#accounts.set(n, account);
    account.balance += side === 'credit' ? amount : -amount;
    account.sequence += 1;
    return {
      account: accountId(n),
      currency: 'EUR',
      side,
      amount: amount.toString(),
      balance: account.balance.toString(),
      sequence: account.sequence,
    };
  }
}
