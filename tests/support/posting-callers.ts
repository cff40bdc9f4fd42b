/** Callers that post from one hot account, each posting under a key of its own, and ask again until they know. */
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredEvent } from '../../application/ports/event-log.js';
import type { DemoTenant } from '../../application/sandbox/seed.js';

const RETRY_MS = 50;
const MAX_TRIES = 400;

export interface Told {
  /** The posting's id, from the first answer. */
  readonly id: string;
  readonly position: string;
}

export class PostingCallers {
  /** Acknowledged keys. */
  readonly told = new Map<string, Told>();
  /** Answers after which a caller asked again, by status or error code. */
  readonly retried = new Map<string, number>();
  /** What must not happen. */
  readonly wrong: string[] = [];
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly name: string,
    private readonly url: (call: number) => string,
    private readonly demo: DemoTenant,
  ) {}

  start(callers: number): void {
    this.#running = Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        for (let count = 0; !this.#stopped; count += 1) await this.post(`${this.name}-${caller}-${count}`, caller);
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Asks until there is an answer that is final. */
  async post(key: string, call: number): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const answer = await this.#ask(this.url(call + tries), key);
      if (answer.again === undefined) {
        if (answer.told !== undefined) this.#note(key, answer.told);
        return;
      }
      this.retried.set(answer.again, (this.retried.get(answer.again) ?? 0) + 1);
      await delay(RETRY_MS);
    }
    this.wrong.push(`${key}: no answer`);
  }

  #note(key: string, told: Told): void {
    const before = this.told.get(key);
    if (before === undefined) this.told.set(key, told);
    else if (before.id !== told.id) this.wrong.push(`${key}: ${told.id} after ${before.id}`);
  }

  async #ask(url: string, key: string): Promise<{ readonly again?: string; readonly told?: Told }> {
    const { tokens, currency, wallets, cashAccountNumber } = this.demo;
    try {
      const response = await fetch(`${url}/api/v6/services/gateway/post-account`, {
        method: 'POST',
        headers: { 'X-Auth-Token': tokens.MANAGER, 'Content-Type': 'application/json' },
        body: JSON.stringify([
          {
            primaryAccountNumber: cashAccountNumber,
            currencyCode: currency,
            creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
            counterParties: [{ accountNumber: wallets[1]?.accountNumber, currencyCode: currency, amount: 0.01 }],
            instructionIdempotencykey: key,
          },
        ]),
      });
      const text = await response.text();
      // 502: the balancer lost the connection. 503: try again, says the product.
      if (response.status === 502 || response.status === 503) return { again: `${response.status}` };
      if (response.status !== 200) {
        this.wrong.push(`${key}: ${response.status} ${text.slice(0, 200)}`);
        return {};
      }
      const answer = JSON.parse(text) as { position?: string; data: Array<{ postingGroupId: string }> };
      const position = answer.position ?? response.headers.get('x-position') ?? '';
      return { told: { id: answer.data[0]?.postingGroupId ?? '', position } };
    } catch (error) {
      return { again: ((error as Error).cause as { code?: string } | undefined)?.code ?? String(error) };
    }
  }

  /** Every acknowledged key has exactly one posting, the one that was told. Answers how many postings there are in all. */
  check(events: readonly StoredEvent[]): number {
    const posted = new Map<string, string[]>();
    for (const { type, id, data } of events) {
      const { instructionKey = '' } = data as { instructionKey?: string };
      if (type === 'entry-posted' && instructionKey.startsWith(`${this.name}-`))
        posted.set(instructionKey, [...(posted.get(instructionKey) ?? []), id]);
    }
    for (const [key, ids] of posted) if (ids.length > 1) this.wrong.push(`${key}: posted ${ids.length} times`);
    for (const [key, { id }] of this.told) if (posted.get(key)?.[0] !== id) this.wrong.push(`${key}: lost`);
    return posted.size;
  }
}
