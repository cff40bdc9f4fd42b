import type { AccountKind, AccountOpened, EntryPosted, Line } from '../../domain/ledger/events.js';
import { currencyExponent, formatAmount } from '../../domain/shared/money.js';
import type { EventLog, StoredEvent } from '../ports/event-log.js';

/**
 * Writes a tenant's journal for hledger: every entry a transaction at its value date, balanced in each commodity,
 * commodities and accounts declared, so that `hledger check --strict` and its balances are an independent oracle.
 * Signs are hledger's: a debit is positive.
 */
const ROOTS: Readonly<Record<AccountKind, string>> = {
  ASSET: 'Assets',
  LIABILITY: 'Liabilities',
  EQUITY: 'Equity',
  INCOME: 'Income',
  EXPENSE: 'Expenses',
};

/** Name under which an account stands in the exported journal: its own name where it came from one. */
export function hledgerAccountName(opened: AccountOpened['data']): string {
  const own = opened.product === 'JOURNAL' ? opened.name : undefined;
  const name = own ?? `${ROOTS[opened.kind]}:${opened.product}:${opened.number}`;
  return name.replace(/[\s;]+/g, ' ').trim();
}

/** Yields the text in pieces; reads the log once for the accounts and currencies and once for the entries. */
export async function* exportJournal(options: {
  readonly log: EventLog;
  readonly tenantId: string;
  readonly progress?: (done: number, total: number) => void;
}): AsyncIterable<string> {
  const { log, tenantId } = options;
  const { revision: last } = await log.head(tenantId);
  const names = new Map<string, string>();
  const currencies = new Set<string>();
  for await (const event of log.read(tenantId, { to: last })) {
    if (event.type !== 'account-opened') continue;
    const { data } = event as StoredEvent & AccountOpened;
    names.set(data.account, hledgerAccountName(data));
    currencies.add(data.currency);
  }
  yield `; Journal of tenant ${tenantId} up to revision ${last}, exported by Corebook\n\n`;
  for (const currency of [...currencies].sort()) {
    const exponent = currencyExponent(currency) ?? 0;
    yield `commodity 1000.${'0'.repeat(exponent)} ${currency}\n`;
  }
  for (const name of [...new Set(names.values())].sort()) yield `account ${name}\n`;
  yield '\n';
  for await (const event of log.read(tenantId, { to: last })) {
    options.progress?.(event.revision + 1, last + 1);
    if (event.type === 'entry-posted') yield transaction(event as StoredEvent & EntryPosted, names);
  }
}

function transaction(event: StoredEvent & EntryPosted, names: ReadonlyMap<string, string>): string {
  const { data } = event;
  const code = data.reference === undefined ? '' : `(${oneLine(data.reference).replace(/[()]/g, ' ')}) `;
  const lines = data.lines.map((line) => posting(line, names));
  return `${data.valueDate} * ${code}${oneLine(data.narration ?? data.kind)}\n    ; entry: ${event.id}\n${lines.join('\n')}\n\n`;
}

function posting(line: Line, names: ReadonlyMap<string, string>): string {
  const amount = BigInt(line.amount) * (line.side === 'debit' ? 1n : -1n);
  const note = line.narration === undefined ? '' : `  ; ${oneLine(line.narration)}`;
  return `    ${names.get(line.account) ?? line.account}  ${formatAmount(amount, line.currency)} ${line.currency}${note}`;
}

function oneLine(text: string): string {
  return text.replace(/[\s;]+/g, ' ').trim();
}
