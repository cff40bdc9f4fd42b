/** Callers who move money with idempotency keys and write down what they were told. */
import { setTimeout as delay } from 'node:timers/promises';
import type { DemoTenant } from '../../application/sandbox/seed.js';

/** No caller waits longer for an answer. */
const PATIENCE_MS = 40_000;
const PAUSE_MS = 25;
/** Callers who look up balances. */
const LOOKING = 3;
const RETRY_MS = 200;
/** Every so many-th call is not tried again when its outcome is open. */
const GIVES_UP_EVERY = 4;
const DRAIN_MS = 60_000;

interface Sent {
  readonly key: string;
  tries: number;
  /** `open`: a call was made whose outcome nobody told. */
  outcome: 'acknowledged' | 'refused' | 'open';
  answer: string;
}

export interface Seen {
  readonly atMs: number;
  readonly label: string;
  readonly ms: number;
}

export class Load {
  readonly sent: Sent[] = [];
  /** Answers to commands and to look-ups, as their callers saw them, with the time of the answer. */
  readonly commands: Seen[] = [];
  readonly lookUps: Seen[] = [];
  #stopped = false;
  #running: Promise<unknown> | undefined;

  constructor(
    private readonly name: string,
    private readonly urls: () => readonly string[],
    private readonly demo: DemoTenant,
    private readonly callers = 4,
  ) {}

  start(): void {
    const posting = Array.from({ length: this.callers }, (_, caller) => this.#call(caller));
    const looking = Array.from({ length: LOOKING }, (_, caller) => this.#look(caller));
    this.#running = Promise.all([...posting, ...looking]);
  }

  /** Lets every caller come to an end with what he has begun. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  get acknowledged(): readonly Sent[] {
    return this.sent.filter(({ outcome }) => outcome === 'acknowledged');
  }

  acknowledgedSince(atMs: number): boolean {
    const last = this.commands.findLast(({ label }) => label === '200');
    return last !== undefined && last.atMs >= atMs;
  }

  async #call(caller: number): Promise<void> {
    for (let count = 0; !this.#stopped; count += 1) {
      const sent: Sent = { key: `${this.name}-${caller}-${count}`, tries: 0, outcome: 'open', answer: '' };
      this.sent.push(sent);
      await this.#settle(sent, { caller, turn: caller + count }, count % GIVES_UP_EVERY === GIVES_UP_EVERY - 1);
      await delay(PAUSE_MS);
    }
  }

  /** A caller stays with a process that answers him. */
  async #settle(
    sent: Sent,
    { caller, turn }: { readonly caller: number; readonly turn: number },
    givesUp: boolean,
  ): Promise<void> {
    let leftMs = DRAIN_MS;
    while (leftMs > 0) {
      const startedMs = performance.now();
      sent.tries += 1;
      const url = this.#url(caller + sent.tries - 1);
      const label = await this.#ask(this.commands, `${url}/api/v6/services/gateway/post-account`, {
        method: 'POST',
        body: this.#body(sent.key, turn),
      });
      sent.answer = label;
      if (label === '200') sent.outcome = 'acknowledged';
      else if (label.startsWith('4')) sent.outcome = 'refused';
      else if (!givesUp) {
        await delay(RETRY_MS);
        if (this.#stopped) leftMs -= performance.now() - startedMs;
        continue;
      }
      return;
    }
  }

  async #look(caller: number): Promise<void> {
    const [, wallet] = this.demo.wallets;
    for (let turn = caller; !this.#stopped; turn += 1) {
      await this.#ask(
        this.lookUps,
        `${this.#url(turn)}/api/v6/services/ledger/account-balance/${wallet?.accountId}`,
        {},
      );
      await delay(4 * PAUSE_MS);
    }
  }

  #url(turn: number): string {
    const urls = this.urls();
    return urls[turn % urls.length] ?? '';
  }

  async #ask(seen: Seen[], url: string, request: RequestInit): Promise<string> {
    const startedMs = performance.now();
    const headers = { 'X-Auth-Token': this.demo.tokens.MANAGER, 'Content-Type': 'application/json' };
    let label: string;
    try {
      const response = await fetch(url, { ...request, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      const { errorCode } = (await response.json()) as { errorCode?: string };
      label = errorCode === undefined ? String(response.status) : `${response.status} ${errorCode}`;
    } catch (error) {
      const { name, cause } = error as Error & { cause?: { code?: string } };
      label = name === 'TimeoutError' ? `no answer in ${PATIENCE_MS / 1000} s` : (cause?.code ?? 'connection lost');
    }
    const atMs = performance.now();
    seen.push({ atMs, label, ms: atMs - startedMs });
    return label;
  }

  #body(key: string, turn: number): string {
    const { wallets, cashAccountNumber, currency } = this.demo;
    const numbers = [cashAccountNumber, ...wallets.map(({ accountNumber }) => accountNumber)];
    const [from, to] = turn % 2 === 0 ? [numbers[0], numbers[1]] : [numbers[1], numbers[2]];
    return JSON.stringify([
      {
        primaryAccountNumber: from,
        currencyCode: currency,
        creditDebitInstructionDirection: 'DEBIT_PRIMARY_ACCOUNT_CREDIT_COUNTERPARTY_ACCOUNT',
        counterParties: [{ accountNumber: to, currencyCode: currency, amount: 0.01 }],
        instructionIdempotencykey: key,
      },
    ]);
  }
}
