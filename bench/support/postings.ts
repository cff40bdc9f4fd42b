import type { SealedEvent } from '../../application/ports/event-log.js';
import type { EventLog, LogHead } from '../../application/ports/event-log.js';
import { seal } from '../../application/processor/seal.js';
import type { DomainEvent } from '../../domain/shared/event.js';
import { accountIdOf } from '../../domain/shared/ids.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

/** Writes events of the book into a log without the processor: for measuring what comes after it. */
export class PostingWriter {
  readonly #ids = createIdSource();
  readonly #accounts: Array<{ readonly id: string; balance: bigint; sequence: number }> = [];
  #head: LogHead | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly tenantId: string,
  ) {}

  async openAccounts(count: number, batch = 1_000): Promise<void> {
    for (let done = 0; done < count; done += batch) {
      const events = Array.from({ length: Math.min(batch, count - done) }, (_, i) => this.#opened(done + i));
      await this.append(events);
    }
  }

  /** Transfers of 1.00 between two random accounts. */
  postings(count: number): DomainEvent[] {
    return Array.from({ length: count }, () => {
      const debit = this.#pick();
      let credit = this.#pick();
      while (credit === debit) credit = this.#pick();
      debit.balance -= 100n;
      credit.balance += 100n;
      const line = (account: typeof debit, side: string) => ({
        account: account.id,
        currency: 'EUR',
        side,
        amount: '100',
        balance: account.balance.toString(),
        sequence: (account.sequence += 1),
        narration: 'transfer',
      });
      return {
        id: this.#ids.eventId(),
        type: 'entry-posted',
        version: 1,
        data: {
          kind: 'posting',
          lines: [line(debit, 'debit'), line(credit, 'credit')],
          valueDate: VALUE_DATE,
          instructionKey: debit.id,
        },
        tags: [`account:${debit.id}`, `account:${credit.id}`],
        effectiveAt: VALUE_DATE,
      };
    });
  }

  async append(events: readonly DomainEvent[]): Promise<SealedEvent[]> {
    this.#head ??= await this.log.head(this.tenantId);
    const head = this.#head;
    const recordedAt = new Date().toISOString();
    let { hash, revision } = head;
    const sealed = events.map((event) => {
      const meta = `{"actor":"bench","correlation":"${this.#ids.eventId()}"}`;
      const next = seal(this.tenantId, (revision += 1), hash, recordedAt, event, meta, undefined);
      hash = next.hash;
      return next;
    });
    const result = await this.log.append(this.tenantId, head.revision, sealed);
    if (result.status !== 'appended') throw new Error(`not appended: ${result.status}`);
    this.#head = { revision, hash, recordedAt, position: result.lastPosition };
    return sealed;
  }

  #opened(index: number): DomainEvent {
    const number = String(index + 1).padStart(10, '0');
    const id = accountIdOf(this.tenantId, number);
    this.#accounts.push({ id, balance: 0n, sequence: 0 });
    return {
      id: this.#ids.eventId(),
      type: 'account-opened',
      version: 1,
      data: {
        account: id,
        number,
        name: `Account ${number}`,
        owner: this.tenantId,
        currency: 'EUR',
        kind: 'LIABILITY',
        product: 'WALLET',
        permission: 'FULL_ACCESS',
        overdraftLimit: '0',
        numberSequence: index + 1,
      },
      tags: [`account:${id}`, `tenant:${this.tenantId}`, `customer:${this.tenantId}`],
    };
  }

  #pick() {
    const account = this.#accounts[Math.floor(Math.random() * this.#accounts.length)];
    if (account === undefined) throw new Error('there are no accounts yet');
    return account;
  }
}

const VALUE_DATE = new Date().toISOString().slice(0, 10);
