import type { CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import { POST_INSTRUCTION, keyOf } from '../../application/idempotency.js';
import type { EventLog } from '../../application/ports/event-log.js';
import type { StateStore } from '../../application/ports/state-store.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { PostingInstruction } from '../../domain/ledger/commands.js';
import { systemAccountNumber } from '../../domain/ledger/products.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

const noStates: StateStore = { load: () => Promise.resolve({ revision: -1, states: new Map() }) };
const OWNER = '11111111-1111-4111-8111-111111111111';
const START_MS = Date.UTC(2026, 0, 5, 9, 0, 0);

type Accepted = Extract<Outcome, { status: 'accepted' }>;

/** A tenant's book with a processor to write it, and what is in it. */
export interface Book {
  readonly log: EventLog;
  readonly tenantId: string;
  readonly processor: CommandProcessor;
  /** Ids of customer accounts, in the order of opening. */
  readonly accounts: string[];
  /** Their numbers. */
  readonly numbers: string[];
  readonly holds: string[];
  /** Recorded time after each command. */
  readonly instants: string[];
  run<N extends CommandName>(name: N, payload: CommandPayloads[N], key?: string): Promise<Accepted>;
  open(): Promise<string>;
  transfer(from: number, to: number, amount: bigint): Promise<Accepted>;
}

/** A book on this log (default: a new one in memory), with a tenant `slug` in euros and yen; its clock runs a second a command. */
export async function openBook(
  slug: string,
  log: EventLog = new MemoryEventLog(),
  nowMs?: () => number,
): Promise<Book> {
  const tenantId = tenantIdOf(slug);
  let ms = START_MS;
  const clock = { ...systemClock, nowMs: nowMs ?? (() => (ms += 1_000)) };
  const processor = new CommandProcessor({ log, states: noStates, clock, ids: createIdSource() });
  let keys = 0;
  const book: Book = {
    log,
    tenantId,
    processor,
    accounts: [],
    numbers: [],
    holds: [],
    instants: [],
    async run(name, payload, key) {
      const outcome = await processor.execute({
        name,
        tenantId,
        payload,
        actor: { subject: 'tester', roles: ['MANAGER', 'CASHIER'] },
        correlationId: '00000000-0000-4000-8000-0000000000aa',
        ...(key === undefined ? {} : { idempotency: { id: keyOf(tenantId, name, key), requestHash: '0'.repeat(32) } }),
      });
      if (outcome.status === 'refused')
        throw new Error(`${name}: ${outcome.refusal.refused} ${outcome.refusal.message}`);
      book.instants.push(outcome.events.at(-1)?.recordedAt ?? '');
      for (const event of outcome.events) {
        if (event.type === 'hold-placed') book.holds.push((event.data as { hold: string }).hold);
      }
      return outcome;
    },
    async open() {
      const payload = { owner: OWNER, currency: 'EUR', product: 'CURRENT', name: 'An account' };
      const { events } = await book.run('open-account', payload);
      const { account, number } = events[0]?.data as { account: string; number: string };
      book.accounts.push(account);
      book.numbers.push(number);
      return account;
    },
    transfer(from, to, amount) {
      keys += 1;
      const [primary = '', other = ''] = [book.numbers[from], book.numbers[to]];
      return book.run('post-entries', { instructions: [instruction(tenantId, primary, other, amount, keys)] });
    },
  };
  const settings = {
    name: slug,
    baseCurrency: 'EUR',
    currencies: ['EUR', 'JPY'],
    domains: [],
    branding: {},
    emailTemplates: {},
  };
  await book.run('create-tenant', { slug, settings });
  return book;
}

function instruction(
  tenantId: string,
  primaryNumber: string,
  number: string,
  amount: bigint,
  key: number,
): PostingInstruction {
  const text = `transfer ${key}`;
  return {
    primaryNumber,
    currency: 'EUR',
    direction: 'debit-primary',
    counterparties: [{ number, currency: 'EUR', amount }],
    key: { text, id: keyOf(tenantId, POST_INSTRUCTION, text), requestHash: '0'.repeat(32) },
  };
}

/** Some of everything that can happen to a book, about eighty events. */
export async function busyBook(slug = 'busy', log?: EventLog): Promise<Book> {
  const book = await openBook(slug, log);
  for (let i = 0; i < 4; i += 1) await book.open();
  const [first = '', second = '', third = ''] = book.accounts;
  const fund = (index: number, amount: bigint): Promise<Accepted> =>
    book.run(
      'post-journal-entry',
      {
        lines: [
          { accountNumber: systemAccountNumber('cash', 'EUR'), currency: 'EUR', side: 'debit', amount },
          { accountNumber: book.numbers[index] as string, currency: 'EUR', side: 'credit', amount: amount - 5n },
          { accountNumber: systemAccountNumber('fee-income', 'EUR'), currency: 'EUR', side: 'credit', amount: 5n },
        ],
        narration: 'paid in',
      },
      `fund ${index}`,
    );
  for (let i = 0; i < 3; i += 1) await fund(i, 100_000n);
  await book.run('close-account', { account: book.accounts[3] as string });
  const toReverse = await book.transfer(0, 1, 1_250n);
  await book.transfer(1, 2, 1_000n);
  await book.transfer(2, 0, 1_999n);
  const placed = { account: first, currency: 'EUR', amount: 500n, reason: 'card' };
  await book.run('place-holds', { holds: [{ ...placed, type: 'HOLD' as const }] }, 'hold 1');
  const hold = book.holds[0] as string;
  const takers = [{ number: book.numbers[1] as string, currency: 'EUR' }];
  await book.run('capture-hold', { hold, amount: 200n, counterparties: takers });
  await book.run('release-hold', { hold });
  await book.run('place-holds', {
    holds: [
      { ...placed, type: 'LIEN' as const, reason: 'court order' },
      { ...placed, account: second, type: 'HOLD' as const, expiresAt: '2027-01-01T00:00:00.000Z' },
    ],
  });
  await book.run('capture-hold', { hold: book.holds[1] as string, amount: 100n, counterparties: takers, final: true });
  await book.run('reverse-entry', { entry: toReverse.events[0]?.id as string, reason: 'wrong account' }, 'reverse 1');
  const part = await book.transfer(2, 1, 400n);
  await book.run('reverse-entry', { entry: part.events[0]?.id as string, reason: 'too much', amount: 150n });
  await book.run('freeze-account', { account: third, scope: 'DEBIT', reason: 'suspicion' });
  await book.transfer(0, 2, 10n);
  await book.run('unfreeze-account', { account: third });
  await book.run('change-account-permission', { account: third, permission: 'CREDIT_ONLY' });
  await book.run('set-account-limits', { account: second, overdraftLimit: 10_000n });
  await book.run('post-journal-entry', {
    lines: [
      { accountNumber: systemAccountNumber('cash', 'JPY'), currency: 'JPY', side: 'debit', amount: 5_000n },
      {
        accountNumber: systemAccountNumber('opening-balances', 'JPY'),
        currency: 'JPY',
        side: 'credit',
        amount: 5_000n,
      },
    ],
    valueDate: '2025-12-31',
  });
  await book.run('post-fx-entry', {
    sourceNumber: systemAccountNumber('cash', 'JPY'),
    targetNumber: book.numbers[0] as string,
    sourceCurrency: 'JPY',
    targetCurrency: 'EUR',
    amount: 1_600n,
    rate: '0.00625',
  });
  await book.transfer(0, 1, 77n);
  return book;
}
