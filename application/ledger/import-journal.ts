import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import type { JournalLine } from '../../domain/ledger/commands.js';
import type { AccountKind } from '../../domain/ledger/events.js';
import type { Actor } from '../../domain/shared/decider.js';
import { isCurrency, parseAmount } from '../../domain/shared/money.js';
import type { CommandBus } from '../commands.js';
import { keyOf } from '../idempotency.js';

/**
 * Imports a journal as `hledger print -O csv` writes it: one row a posting, rows of a transaction share `txnidx`.
 * The whole file is checked before anything is posted. Accounts are opened as needed (product JOURNAL, kind from the
 * first part of the name). Idempotent: a transaction's key is its content and how often the same content came before
 * in the file, so a second run, or a longer file, posts only what is new.
 */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

export interface ImportResult {
  readonly transactions: number;
  readonly posted: number;
  /** Answered by an earlier run. */
  readonly replayed: number;
  /** Transactions whose lines are all zero. */
  readonly skipped: number;
  readonly accountsOpened: number;
  /** Position of the last commit, for X-Min-Position. */
  readonly position: string;
}

interface Transaction {
  readonly index: string;
  readonly date: string;
  readonly code: string;
  readonly description: string;
  readonly lines: ReadonlyArray<JournalLine & { readonly name: string }>;
  readonly digest: string;
}

const KINDS: ReadonlyArray<readonly [RegExp, AccountKind]> = [
  [/^assets?$/i, 'ASSET'],
  [/^(debts?|liabilit(y|ies))$/i, 'LIABILITY'],
  [/^equity$/i, 'EQUITY'],
  [/^(income|revenues?)$/i, 'INCOME'],
  [/^expenses?$/i, 'EXPENSE'],
];
const SYMBOLS: Readonly<Record<string, string>> = { $: 'USD', '€': 'EUR', '£': 'GBP', '¥': 'JPY', '₦': 'NGN' };
const REQUIRED = ['txnidx', 'date', 'description', 'account', 'amount', 'commodity'] as const;
const IN_FLIGHT = 64;
const MAX_TEXT = 512;

/** The number of an imported account: a digest of its name and currency, so that the same name is the same account. */
export function journalAccountNumber(name: string, currency: string): string {
  const digest = createHash('sha256').update(`${name}\n${currency}`, 'utf8').digest('hex');
  return `JRN-${digest.slice(0, 20).toUpperCase()}`;
}

/** The transactions of the file. Throws `JournalError` that names the transaction and what is wrong with it. */
export function readJournal(text: string): Transaction[] {
  let rows: Array<Record<string, string>>;
  try {
    rows = parse(text, { columns: true, skip_empty_lines: true, bom: true });
  } catch (error) {
    throw new JournalError(`not a CSV file: ${(error as Error).message}`);
  }
  const [first] = rows;
  if (first === undefined) throw new JournalError('the file has no transactions');
  const lacking = REQUIRED.filter((column) => !(column in first));
  if (lacking.length > 0)
    throw new JournalError(`columns are missing: ${lacking.join(', ')} (write it with hledger print -O csv)`);
  const groups = new Map<string, Array<Record<string, string>>>();
  for (const row of rows) {
    const index = row['txnidx'] ?? '';
    const group = groups.get(index);
    if (group === undefined) groups.set(index, [row]);
    else group.push(row);
  }
  const seen = new Map<string, number>();
  return [...groups].map(([index, group]) => toTransaction(index, group, seen));
}

function toTransaction(
  index: string,
  rows: ReadonlyArray<Record<string, string>>,
  seen: Map<string, number>,
): Transaction {
  const [head] = rows as [Record<string, string>];
  const date = (head['date'] ?? '').replaceAll('/', '-');
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw new JournalError(`transaction ${index}: ${date} is not a date`);
  const description = head['description'] ?? '';
  const code = head['code'] ?? '';
  if (description.length > MAX_TEXT || code.length > MAX_TEXT) {
    throw new JournalError(`transaction ${index}: its description is longer than ${MAX_TEXT} characters`);
  }
  const lines = rows.map((row) => toLine(index, row)).filter((line) => line.amount !== 0n);
  const sums = new Map<string, bigint>();
  for (const line of lines) {
    sums.set(line.currency, (sums.get(line.currency) ?? 0n) + (line.side === 'debit' ? line.amount : -line.amount));
  }
  for (const [currency, sum] of sums) {
    if (sum !== 0n) throw new JournalError(`transaction ${index} does not balance in ${currency}`);
  }
  const content = JSON.stringify([
    date,
    code,
    description,
    lines.map((line) => [line.name, line.currency, line.side, line.amount.toString(), line.narration]),
  ]);
  const occurrence = (seen.get(content) ?? 0) + 1;
  seen.set(content, occurrence);
  const digest = createHash('sha256').update(`${occurrence}\n${content}`, 'utf8').digest('hex');
  return { index, date, code, description, lines, digest };
}

function toLine(index: string, row: Record<string, string>): JournalLine & { name: string } {
  const name = (row['account'] ?? '').trim();
  const commodity = (row['commodity'] ?? '').trim();
  const currency = SYMBOLS[commodity] ?? commodity;
  if (!isCurrency(currency))
    throw new JournalError(`transaction ${index}: ${commodity || 'no commodity'} is not an ISO 4217 currency`);
  if (name === '' || name.length > MAX_TEXT)
    throw new JournalError(`transaction ${index}: a posting has no proper account name`);
  const amount = parseAmount((row['amount'] ?? '').replaceAll(',', ''), currency);
  if (typeof amount === 'string')
    throw new JournalError(`transaction ${index}: ${row['amount'] ?? ''} ${currency}: ${amount}`);
  kindOf(index, name);
  const comment = (row['posting-comment'] ?? '').trim();
  return {
    name,
    accountNumber: journalAccountNumber(name, currency),
    currency,
    side: amount < 0n ? 'credit' : 'debit',
    amount: amount < 0n ? -amount : amount,
    ...(comment === '' ? {} : { narration: comment.slice(0, MAX_TEXT) }),
  };
}

function kindOf(index: string, name: string): AccountKind {
  const first = name.split(':')[0] ?? '';
  const found = KINDS.find(([pattern]) => pattern.test(first));
  if (found === undefined) {
    throw new JournalError(
      `transaction ${index}: account ${name} does not start with Assets, Liabilities, Equity, Income or Expenses`,
    );
  }
  return found[1];
}

export async function importJournal(options: {
  readonly bus: CommandBus;
  readonly tenantId: string;
  readonly actor: Actor;
  readonly correlationId: string;
  readonly text: string;
  readonly progress?: (done: number, total: number) => void;
}): Promise<ImportResult> {
  const { bus, tenantId, actor, correlationId } = options;
  const transactions = readJournal(options.text);
  const command = { tenantId, actor, correlationId };
  const currencies = [
    ...new Set(transactions.flatMap((transaction) => transaction.lines.map((line) => line.currency))),
  ];
  accepted(await bus.execute({ ...command, name: 'enable-currencies', payload: { currencies } }));
  const accountsOpened = await openAccounts(options, transactions);

  let posted = 0;
  let replayed = 0;
  let skipped = 0;
  let done = 0;
  let position = '';
  const post = async (transaction: Transaction): Promise<void> => {
    if (transaction.lines.length < 2) {
      skipped += 1;
    } else {
      const outcome = accepted(
        await bus.execute({
          ...command,
          name: 'post-journal-entry',
          payload: {
            lines: transaction.lines,
            valueDate: transaction.date,
            ...(transaction.description === '' ? {} : { narration: transaction.description }),
            ...(transaction.code === '' ? {} : { reference: transaction.code }),
          },
          idempotency: {
            id: keyOf(tenantId, 'import-journal', transaction.digest),
            requestHash: transaction.digest.slice(0, 32),
          },
        }),
        transaction.index,
      );
      if (outcome.replayed) replayed += 1;
      else posted += 1;
      ({ position } = outcome);
    }
    done += 1;
    options.progress?.(done, transactions.length);
  };
  await inParallel(transactions, post);
  return { transactions: transactions.length, posted, replayed, skipped, accountsOpened, position };
}

async function openAccounts(
  { bus, tenantId, actor, correlationId }: { bus: CommandBus; tenantId: string; actor: Actor; correlationId: string },
  transactions: readonly Transaction[],
): Promise<number> {
  const accounts = new Map(
    transactions.flatMap((transaction) =>
      transaction.lines.map((line) => [line.accountNumber, { line, transaction }] as const),
    ),
  );
  let opened = 0;
  await inParallel([...accounts], async ([number, { line, transaction }]) => {
    const outcome = await bus.execute({
      name: 'open-account',
      tenantId,
      actor,
      correlationId,
      payload: {
        owner: tenantId,
        currency: line.currency,
        product: 'JOURNAL',
        name: line.name,
        kind: kindOf(transaction.index, line.name),
        number,
      },
    });
    if (outcome.status === 'accepted') opened += 1;
    else if (outcome.refusal.refused !== 'account-exists')
      throw new JournalError(`account ${line.name}: ${outcome.refusal.message}`);
  });
  return opened;
}

function accepted(outcome: Awaited<ReturnType<CommandBus['execute']>>, index?: string) {
  if (outcome.status === 'accepted') return outcome;
  throw new JournalError(`${index === undefined ? '' : `transaction ${index}: `}${outcome.refusal.message}`);
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, items.length) }, worker));
}
