import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'csv-parse/sync';
import { test, type Test } from 'tap';
import type { Command, CommandName, CommandPayloads, Outcome } from '../../application/commands.js';
import { keyOf } from '../../application/idempotency.js';
import { exportJournal } from '../../application/ledger/export-journal.js';
import { JournalError, importJournal, readJournal } from '../../application/ledger/import-journal.js';
import { CommandProcessor } from '../../application/processor/command-processor.js';
import type { AccountOpened, EntryPosted } from '../../domain/ledger/events.js';
import type { Actor } from '../../domain/shared/decider.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { formatAmount } from '../../domain/shared/money.js';
import { MemoryEventLog } from '../../infrastructure/memory/event-log.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { createIdSource } from '../../infrastructure/system/ids.js';

/**
 * hledger (Debian's package) as an independent oracle: it checks what we export and computes the balances by itself.
 */
const run = promisify(execFile);
const TENANT = tenantIdOf('books');
const ACTOR: Actor = { subject: 'test', roles: ['MANAGER', 'CASHIER'] };
const CORRELATION = '00000000-0000-4000-8000-000000000001';

function openCore() {
  const log = new MemoryEventLog();
  const states = { load: () => Promise.resolve({ revision: -1, states: new Map() }) };
  const bus = new CommandProcessor({ log, states, clock: systemClock, ids: createIdSource() });
  const execute = <N extends CommandName>(name: N, payload: CommandPayloads[N], key?: string): Promise<Outcome> =>
    bus.execute({
      name,
      tenantId: TENANT,
      payload,
      actor: ACTOR,
      correlationId: CORRELATION,
      ...(key === undefined ? {} : { idempotency: { id: keyOf(TENANT, name, key), requestHash: key.padEnd(32, '0') } }),
    } as Command<N>);
  const createTenant = (currencies: string[]): Promise<Outcome> =>
    execute('create-tenant', {
      slug: 'books',
      settings: {
        name: 'Books',
        baseCurrency: currencies[0] ?? 'USD',
        currencies,
        domains: [],
        branding: {},
        emailTemplates: {},
      },
    });
  const importText = (text: string) =>
    importJournal({ bus, tenantId: TENANT, actor: ACTOR, correlationId: CORRELATION, text });
  return { log, bus, execute, createTenant, importText };
}

async function exported(log: MemoryEventLog): Promise<string> {
  let text = '';
  for await (const piece of exportJournal({ log, tenantId: TENANT })) text += piece;
  return text;
}

/** Balances by account and commodity as hledger computes them; throws when `hledger check` finds something. */
async function judge(t: Test, journal: string): Promise<Map<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'corebook-hledger-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'books.journal');
  await writeFile(file, journal);
  await run('hledger', ['-f', file, 'check', '--strict']);
  const { stdout } = await run('hledger', ['-f', file, 'bal', '-N', '-O', 'csv', '--layout=bare']);
  return balances(stdout);
}

function balances(csv: string): Map<string, string> {
  const rows: Array<Record<string, string>> = parse(csv, { columns: true });
  return new Map(rows.map((row) => [`${row['account']} ${row['commodity']}`, row['balance'] ?? '']));
}

const example = (name: string): Promise<string> => readFile(join('docs/examples', name), 'utf8');

test('a household’s books: every transaction posted, balances to the cent, a second run changes nothing', async (t) => {
  const core = openCore();
  await core.createTenant(['USD']);
  const csv = await example('household.csv');
  const first = await core.importText(csv);
  t.equal(first.transactions, 741);
  t.equal(first.posted, 741);
  const { revision } = await core.log.head(TENANT);
  const second = await core.importText(csv);
  t.equal(second.posted, 0);
  t.equal(second.replayed, 741);
  t.equal(second.accountsOpened, 0);
  t.equal((await core.log.head(TENANT)).revision, revision, 'the second run wrote no event');

  const expected = balances(await example('household-balances.csv'));
  const found = await judge(t, await exported(core.log));
  t.strictSame(Object.fromEntries(found), Object.fromEntries(expected));

  const corrupt = (await exported(core.log)).replace('3077.70 USD', '3077.71 USD');
  await t.rejects(judge(t, corrupt), 'the oracle notices one cent');
});

test('a longer file posts only what is new; equal transactions are all posted', async (t) => {
  const core = openCore();
  await core.createTenant(['USD']);
  const head = 'txnidx,date,date2,status,code,description,comment,account,amount,commodity\n';
  const coffee = (index: number): string =>
    `${index},2026-01-02,,*,,coffee,,Expenses:Coffee,3.50,USD\n${index},2026-01-02,,*,,coffee,,Assets:Cash,-3.50,USD\n`;
  t.equal((await core.importText(head + coffee(1) + coffee(2))).posted, 2);
  const more = await core.importText(head + coffee(1) + coffee(2) + coffee(3));
  t.equal(more.posted, 1);
  t.equal(more.replayed, 2);
});

test('a file that cannot be imported whole is refused before anything is posted', async (t) => {
  const core = openCore();
  await core.createTenant(['USD']);
  const { revision } = await core.log.head(TENANT);
  const head = 'txnidx,date,description,account,amount,commodity\n';
  for (const [title, text] of [
    ['unbalanced', `${head}1,2026-01-02,x,Assets:A,3.50,USD\n1,2026-01-02,x,Assets:B,-3.49,USD\n`],
    ['too many decimals', `${head}1,2026-01-02,x,Assets:A,3.505,USD\n1,2026-01-02,x,Assets:B,-3.505,USD\n`],
    ['no currency', `${head}1,2026-01-02,x,Assets:A,3,VWCE\n1,2026-01-02,x,Assets:B,-3,VWCE\n`],
    ['unknown kind', `${head}1,2026-01-02,x,Stuff:A,3,USD\n1,2026-01-02,x,Assets:B,-3,USD\n`],
    ['bad date', `${head}1,someday,x,Assets:A,3,USD\n1,someday,x,Assets:B,-3,USD\n`],
    ['not a number', `${head}1,2026-01-02,x,Assets:A,1e3,USD\n1,2026-01-02,x,Assets:B,-1e3,USD\n`],
    ['missing columns', 'a,b\n1,2\n'],
    ['empty', ''],
  ] as const) {
    await t.rejects(core.importText(text), JournalError, title);
  }
  t.equal((await core.log.head(TENANT)).revision, revision);
  t.equal(
    readJournal(`${head}1,2026-01-02,x,Assets:A,3,$\n1,2026-01-02,x,Assets:B,-3,$\n`)[0]?.lines[0]?.currency,
    'USD',
  );
});

test('a simulated tenant: several currencies, holds, reversals and exchange, judged by hledger', async (t) => {
  const core = openCore();
  await core.createTenant(['NGN', 'JPY', 'KWD', 'USD']);
  const wallets = new Map<string, { id: string; number: string }[]>();
  for (const currency of ['NGN', 'JPY', 'KWD', 'USD']) {
    const opened: { id: string; number: string }[] = [];
    for (let i = 0; i < 5; i += 1) {
      const outcome = await core.execute('open-account', {
        owner: '3b1f8a52-6c0d-4c8e-9a57-2f4f0c1d7e11',
        currency,
        product: 'WALLET',
        name: `wallet ${i}; "quoted" `,
      });
      if (outcome.status === 'refused') throw new Error(outcome.refusal.message);
      const { account, number } = outcome.events[0]?.data as AccountOpened['data'];
      opened.push({ id: account, number });
    }
    wallets.set(currency, opened);
  }
  let seed = 42;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const entries: string[] = [];
  for (let i = 0; i < 400; i += 1) {
    const currency = ['NGN', 'JPY', 'KWD', 'USD'][random(4)] as string;
    const mine = wallets.get(currency) as { id: string; number: string }[];
    const to = mine[random(5)] as { id: string; number: string };
    const from = random(3) === 0 ? (mine[random(5)] as { number: string }).number : `SYS-CASH-${currency}`;
    const amount = BigInt(1 + random(100_000));
    let outcome: Outcome;
    if (i % 17 === 0 && entries.length > 0) {
      outcome = await core.execute('reverse-entry', {
        entry: entries[random(entries.length)] as string,
        reason: 'oops; undone',
      });
    } else if (i % 11 === 0) {
      const target = (wallets.get('USD') as { number: string }[])[0] as { number: string };
      outcome = await core.execute('post-fx-entry', {
        sourceNumber: to.number,
        targetNumber: target.number,
        sourceCurrency: currency,
        targetCurrency: 'USD',
        amount,
        rate: '0.0125',
      });
    } else {
      outcome = await core.execute('post-journal-entry', {
        lines: [
          { accountNumber: from, currency, side: 'debit', amount },
          { accountNumber: to.number, currency, side: 'credit', amount },
        ],
        narration: `movement ${i} ; not a comment`,
        valueDate: `2026-0${1 + random(9)}-1${random(9)}`,
      });
    }
    if (outcome.status === 'accepted')
      entries.push(...outcome.events.filter((event) => event.type === 'entry-posted').map((event) => event.id));
  }
  t.ok(entries.length > 200, 'enough was posted to mean something');

  const ours = new Map<string, bigint>();
  const names = new Map<string, string>();
  for await (const event of core.log.read(TENANT)) {
    if (event.type === 'account-opened') {
      const { account, kind, product, number } = event.data as AccountOpened['data'];
      names.set(
        account,
        `${{ ASSET: 'Assets', LIABILITY: 'Liabilities', EQUITY: 'Equity', INCOME: 'Income', EXPENSE: 'Expenses' }[kind]}:${product}:${number}`,
      );
    } else if (event.type === 'entry-posted') {
      for (const line of (event.data as EntryPosted['data']).lines) {
        const key = `${names.get(line.account)} ${line.currency}`;
        ours.set(key, (ours.get(key) ?? 0n) + BigInt(line.amount) * (line.side === 'debit' ? 1n : -1n));
      }
    }
  }
  const expected = [...ours]
    .filter(([, minor]) => minor !== 0n)
    .map(([key, minor]) => [key, formatAmount(minor, key.slice(-3))] as const);
  const found = await judge(t, await exported(core.log));
  t.strictSame(Object.fromEntries([...found].sort()), Object.fromEntries([...expected].sort()));
});
