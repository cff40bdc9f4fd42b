/** Transfers from a loan wallet to a bank: given events, when a command, then events or a refusal. */
import t from 'tap';
import type { EntryPosted } from '../../domain/ledger/events.js';
import { nubanError } from '../../domain/loan/nuban.js';
import { isNameOf } from '../../application/payouts/account-name.js';
import { bankAccountPairs, bankAccountsOf } from '../../application/payouts/bank-accounts.js';
import { withdrawalFee } from '../../application/payouts/transfer-to-bank.js';
import { tagOf } from '../../domain/aggregates.js';
import {
  type WithdrawalState,
  withdrawalAggregate,
  withdrawalReferenceOf,
} from '../../domain/withdrawal/withdrawal.js';
import { behaviourOf } from '../../infrastructure/partners/magic-numbers.js';
import { NIGERIAN_BANKS } from '../../infrastructure/partners/nigerian-banks.js';
import { refusalsIn } from '../support/refusals.js';
import {
  type Fact,
  TENANT,
  account,
  closed,
  frozen,
  given,
  idOf,
  moved,
  opened,
  openedFree,
  permitted,
  refusalsMet,
  tenantCreated,
  tenantSuspended,
} from '../support/given.js';
import {
  bankDetailsAdded,
  customerErased,
  customerIs,
  customerRegistered,
  personId,
  plainlySealed,
} from '../support/given-people.js';

const ada = personId('ada');
const bankDetail = personId('gtb');
const person = plainlySealed(ada, { accountNumber: '0123456785' });
const system = (role: string, kind: string, systemRole: string): Fact =>
  openedFree(`SYS-${role}-NGN`, { owner: TENANT, kind, product: 'SYSTEM', systemRole });

/** Ada, her bank account, and a loan wallet with 1,000.00 naira. */
const BOOK: readonly Fact[] = [
  tenantCreated(),
  system('CASH', 'ASSET', 'cash'),
  system('PAYOUT-CLEARING', 'LIABILITY', 'payout-clearing'),
  system('FEE-INCOME', 'INCOME', 'fee-income'),
  system('SUSPENSE', 'LIABILITY', 'suspense'),
  customerRegistered('ada'),
  bankDetailsAdded('ada', 'gtb'),
  opened('LW', { owner: ada, product: 'LOAN_WALLET' }),
  moved('SYS-CASH-NGN', 'LW', 100_000n),
];
const ask = {
  withdrawal: personId('a withdrawal'),
  customer: ada,
  wallet: account('LW'),
  bankDetail,
  currency: 'NGN',
  amount: 60_000n,
  fee: 1_000n,
  person,
};
const FIRST = 'TXN-20260315-000001';
const withdrawal = personId('a withdrawal');

/** The withdrawal was asked for: the entry that took the money, and the event. */
const requested: readonly Fact[] = [
  (book) => ({
    id: idOf('taken'),
    type: 'entry-posted',
    data: {
      kind: 'posting',
      lines: [
        line('LW', 'debit', 61_000n, book.state('account', account('LW')).ledger - 61_000n),
        line('SYS-PAYOUT-CLEARING-NGN', 'credit', 60_000n, 60_000n),
        line('SYS-FEE-INCOME-NGN', 'credit', 1_000n, 1_000n),
      ],
      valueDate: book.today,
    },
    tags: ['LW', 'SYS-PAYOUT-CLEARING-NGN', 'SYS-FEE-INCOME-NGN'].map((number) => tagOf('account', account(number))),
    effectiveAt: book.today,
  }),
  () => ({
    type: 'withdrawal-requested',
    data: {
      ...{ withdrawal, reference: FIRST, referenceSequence: 1, customer: ada, wallet: account('LW'), bankDetail },
      ...{ currency: 'NGN', amount: '60000', fee: '1000', entry: idOf('taken'), person },
    },
    tags: [tagOf('withdrawal', withdrawal), tagOf('customer', ada), tagOf('tenant', TENANT)],
  }),
];
const line = (number: string, side: 'debit' | 'credit', amount: bigint, balance: bigint) => ({
  ...{ account: account(number), currency: 'NGN', side, amount: String(amount), balance: String(balance), sequence: 2 },
});
const ofWithdrawal =
  (type: string, data: object = {}): Fact =>
  () => ({ type, data: { withdrawal, ...data }, tags: [tagOf('withdrawal', withdrawal), tagOf('customer', ada)] });
const submitted = ofWithdrawal('withdrawal-submitted', { partner: 'p', partnerReference: 'r' });
const completed = ofWithdrawal('withdrawal-completed');

const sides = (event: unknown): string[] =>
  (event as EntryPosted).data.lines.map(({ account: id, side, amount }) => `${side} ${amount} ${nameOf(id)}`);
const nameOf = (id: string): string =>
  ['LW', 'SYS-PAYOUT-CLEARING-NGN', 'SYS-FEE-INCOME-NGN', 'SYS-SUSPENSE-NGN'].find((name) => account(name) === id) ??
  id;

t.test('amount and fee leave the wallet in the commit that says where the amount goes', (t) => {
  const book = given(...BOOK)
    .byCustomer(ada)
    .when('request-withdrawal', ask)
    .then(
      t,
      { type: 'entry-posted', data: { kind: 'posting', reference: FIRST } },
      {
        type: 'withdrawal-requested',
        data: { withdrawal, reference: FIRST, referenceSequence: 1, amount: '60000', fee: '1000', person },
        tags: [tagOf('withdrawal', withdrawal), tagOf('customer', ada), tagOf('tenant', TENANT)],
      },
    );
  const [entry, event] = book.emitted;
  t.same(sides(entry), ['debit 61000 LW', 'credit 60000 SYS-PAYOUT-CLEARING-NGN', 'credit 1000 SYS-FEE-INCOME-NGN']);
  t.equal((event?.data as { entry: string }).entry, entry?.id);
  t.equal(book.state('account', account('LW')).ledger, 39_000n);
  t.match(book.state('withdrawal', withdrawal), { status: 'PENDING', amount: 60_000n, fee: 1_000n });
  t.end();
});

t.test('references are unique: each has the next number, and the day', (t) => {
  const book = given(...BOOK, ...requested)
    .at('2026-03-16T00:00:01.000Z')
    .when('request-withdrawal', { ...ask, withdrawal: personId('another'), amount: 1n, fee: 0n })
    .then(t, { type: 'entry-posted' }, { type: 'withdrawal-requested', data: { reference: 'TXN-20260316-000002' } });
  t.equal(sides(book.emitted[0]).length, 2, 'without a fee there is no line of it');
  t.equal(withdrawalReferenceOf('2026-03-16', 1_234_567), 'TXN-20260316-1234567');
  t.end();
});

t.test('what may not be asked for', (t) => {
  const refused = (code: string, more: Partial<typeof ask>, ...facts: readonly Fact[]) =>
    given(...BOOK, ...facts)
      .when('request-withdrawal', { ...ask, ...more })
      .refused(t, code);
  given(...BOOK)
    .when('request-withdrawal', { ...ask, amount: 99_000n })
    .then(t, { type: 'entry-posted' }, { type: 'withdrawal-requested' });
  refused('insufficient-funds', { amount: 99_001n });
  refused('amount-out-of-range', { amount: 0n });
  refused('amount-out-of-range', { fee: -1n });
  refused('tenant-suspended', {}, tenantSuspended);
  refused('customer-not-found', { customer: personId('nobody') });
  refused('customer-not-found', {}, customerErased('ada'));
  refused('user-not-active', {}, customerIs('ada', 'ACTIVE', 'INACTIVE'));
  refused('bank-details-not-found', { bankDetail: personId('other') });
  const removed: Fact = () => ({
    ...{ type: 'bank-details-removed', data: { customer: ada, bankDetail }, tags: [tagOf('customer', ada)] },
  });
  refused('bank-details-not-found', {}, removed);
  refused('account-not-found', { wallet: account('none') });
  refused('account-not-found', { wallet: account('BW') }, opened('BW', { owner: personId('bayo') }));
  refused('invalid-argument', { wallet: account('W') }, opened('W', { owner: ada }));
  refused('account-closed', {}, closed('LW'));
  refused('account-frozen', {}, frozen('LW', 'DEBIT'));
  refused('account-permission-denied', {}, permitted('LW', 'CREDIT_ONLY'));
  refused('currency-mismatch', { currency: 'USD' });
  refused('invalid-state', { amount: 1n }, ...requested);
  given(...BOOK)
    .as({ subject: 'agent', roles: ['AGENT'], agentId: personId('an agent') })
    .when('request-withdrawal', ask)
    .refused(t, 'customer-not-found');
  t.end();
});

t.test('what the partner says is written once, however often he says it', (t) => {
  const submit = { withdrawal, partner: 'p', partnerReference: 'r' };
  const book = [...BOOK, ...requested];
  given(...book)
    .when('submit-withdrawal', submit)
    .then(t, { type: 'withdrawal-submitted', data: submit });
  given(...book, submitted)
    .when('submit-withdrawal', submit)
    .then(t);
  given(...book, submitted, completed)
    .when('submit-withdrawal', submit)
    .then(t);
  given(...book, submitted)
    .when('complete-withdrawal', { withdrawal })
    .then(t, { type: 'withdrawal-completed' });
  given(...book, submitted, completed)
    .when('complete-withdrawal', { withdrawal })
    .then(t);
  given(...book)
    .when('complete-withdrawal', { withdrawal })
    .refused(t, 'invalid-state');
  for (const name of ['submit-withdrawal', 'complete-withdrawal', 'fail-withdrawal'] as const) {
    const payload = { ...submit, withdrawal: idOf('none'), reason: 'INVALID_AMOUNT' as const };
    given(...BOOK)
      .when(name, payload)
      .refused(t, 'withdrawal-not-found');
  }
  t.end();
});

t.test('a failed one gives amount and fee back in the same commit, once', (t) => {
  const fail = { withdrawal, reason: 'ACCOUNT_NOT_FOUND' } as const;
  for (const [before, from] of [
    [[], 'PENDING'],
    [[submitted, tenantSuspended], 'PROCESSING'],
  ] as const) {
    const book = given(...BOOK, ...requested, ...before)
      .when('fail-withdrawal', fail)
      .then(
        t,
        { type: 'entry-posted', data: { kind: 'reversal', reverses: idOf('taken') } },
        { type: 'withdrawal-failed', data: { withdrawal, from, reason: fail.reason, creditedTo: account('LW') } },
      );
    t.equal(book.state('account', account('LW')).ledger, 100_000n, 'as before');
    t.equal(book.state('account', account('SYS-PAYOUT-CLEARING-NGN')).ledger, 0n);
    t.equal(book.state('account', account('SYS-FEE-INCOME-NGN')).ledger, 0n);
  }
  const failed = ofWithdrawal('withdrawal-failed', { from: 'PENDING', reason: 'INVALID_AMOUNT' });
  given(...BOOK, ...requested, failed)
    .when('fail-withdrawal', fail)
    .then(t);
  given(...BOOK, ...requested, failed)
    .when('complete-withdrawal', { withdrawal })
    .refused(t, 'invalid-state');
  given(...BOOK, ...requested, submitted, completed)
    .when('fail-withdrawal', fail)
    .refused(t, 'invalid-state');
  t.end();
});

t.test('a wallet that takes nothing any more: the money goes to suspense, where staff finds it', (t) => {
  for (const fact of [closed('LW'), frozen('LW', 'ALL')]) {
    const book = given(...BOOK, ...requested, fact)
      .when('fail-withdrawal', { withdrawal, reason: 'REJECTED_BY_BANK' })
      .then(
        t,
        { type: 'entry-posted' },
        { type: 'withdrawal-failed', data: { creditedTo: account('SYS-SUSPENSE-NGN') } },
      );
    t.equal(book.state('account', account('SYS-SUSPENSE-NGN')).ledger, 61_000n);
  }
  given(...BOOK, ...requested, frozen('LW', 'DEBIT'))
    .when('fail-withdrawal', { withdrawal, reason: 'REJECTED_BY_BANK' })
    .then(t, { type: 'entry-posted' }, { type: 'withdrawal-failed', data: { creditedTo: account('LW') } });
  t.end();
});

t.test('what staff reversed by hand is not given back a second time', (t) => {
  const reversedBy =
    (lines: ReadonlyArray<ReturnType<typeof line>>): Fact =>
    (book) => ({
      id: idOf('reversal'),
      type: 'entry-posted',
      data: { kind: 'reversal', lines, valueDate: book.today, reverses: idOf('taken') },
      tags: [...lines.map((each) => tagOf('account', each.account)), tagOf('posting', idOf('taken'))],
      effectiveAt: book.today,
    });
  const whole = reversedBy([
    line('LW', 'credit', 61_000n, 100_000n),
    line('SYS-PAYOUT-CLEARING-NGN', 'debit', 60_000n, 0n),
    line('SYS-FEE-INCOME-NGN', 'debit', 1_000n, 0n),
  ]);
  const fail = { withdrawal, reason: 'INVALID_AMOUNT' } as const;
  const nothing = given(...BOOK, ...requested, whole)
    .when('fail-withdrawal', fail)
    .then(t, { type: 'withdrawal-failed' });
  t.notOk('entry' in (nothing.emitted[0]?.data as object));
  const feeOnly = reversedBy([line('LW', 'credit', 1_000n, 40_000n), line('SYS-FEE-INCOME-NGN', 'debit', 1_000n, 0n)]);
  const rest = given(...BOOK, ...requested, feeOnly)
    .when('fail-withdrawal', fail)
    .then(t, { type: 'entry-posted', data: { kind: 'posting' } }, { type: 'withdrawal-failed' });
  t.same(sides(rest.emitted[0]), ['credit 60000 LW', 'debit 60000 SYS-PAYOUT-CLEARING-NGN']);
  t.equal(rest.state('account', account('LW')).ledger, 100_000n);
  t.end();
});

t.test('no refusal of these deciders was left out', (t) => {
  const codes = refusalsIn((file) => file.startsWith('withdrawal/'));
  t.ok(codes.length > 6, `${codes.length} codes`);
  t.same(
    codes.filter((code) => !refusalsMet.has(code)),
    [],
  );
  t.end();
});

t.test('its state survives storage', (t) => {
  const book = given(...BOOK, ...requested, submitted)
    .when('complete-withdrawal', { withdrawal })
    .then(t, { type: 'withdrawal-completed' });
  const state: WithdrawalState = book.state('withdrawal', withdrawal);
  const { toJson, fromJson, initial } = withdrawalAggregate;
  for (const each of [state, initial(withdrawal)]) {
    t.strictSame(fromJson(JSON.parse(JSON.stringify(toJson(each))) as never), each);
  }
  t.match(state, { status: 'COMPLETED', partner: 'p', partnerReference: 'r', destination: person });
  t.end();
});

t.test('the name on an account', (t) => {
  const name = { firstName: 'Adaobi Ngozi', lastName: 'Obi-Eze' };
  for (const held of [
    'Adaobi Obi-Eze',
    'OBI EZE ADAOBI',
    'Mrs. Obi Eze, Adaobi Ngozi Chioma',
    'Àdáobí ÒBÍ-ÈZE',
    'adaobi  obi  eze',
  ]) {
    t.ok(isNameOf(held, name), held);
  }
  for (const held of ['Adaobi Obi', 'A. Obi-Eze', 'Ngozi Obi-Eze', 'Ada Obi-Eze', 'Adaobi Eze-Nwosu', '', '!?']) {
    t.notOk(isNameOf(held, name), held);
  }
  t.ok(isNameOf("O'NEILL SEAN", { firstName: 'Seán', lastName: 'O’Neill' }));
  t.notOk(isNameOf('anybody', { firstName: '?', lastName: '!' }), 'a name without a word is nobody’s');
  t.notOk(isNameOf('Sean', { firstName: 'Sean', lastName: '-' }));
  t.end();
});

t.test('bank details read as bank accounts', (t) => {
  const view = (id: string, details: unknown) => ({
    ...{ bankDetailId: id, customerId: ada, currency: 'NGN', country: 'NGA', addedAt: '2026-01-01T00:00:00.000Z' },
    details: details as never,
  });
  const one = {
    accountNumber: '1',
    accountName: 'A',
    bankCode: '058',
    bankName: 'G',
    isDefault: true,
    isVerified: true,
  };
  const ours = bankAccountPairs({ ...one, accountType: 'SAVINGS' });
  const theirs = [
    { key: 'BankAccountNo', value: '2' },
    { key: 'accountHolderName', value: 'B' },
  ];
  const accounts = bankAccountsOf([
    view('a', ours),
    view('b', theirs),
    view('c', null),
    view('d', bankAccountPairs(one)),
  ]);
  t.match(accounts[0], { ...one, accountId: 'a', accountType: 'SAVINGS', isDefault: false });
  t.match(accounts[1], { accountNumber: '2', accountName: 'B', bankCode: '', isVerified: false, isDefault: false });
  t.match(accounts[2], { accountNumber: '', isVerified: false }, 'of an erased person nothing is left');
  t.match(accounts[3], { isDefault: true, accountType: null }, 'the last one that was said to be');
  t.match(
    bankAccountsOf([view('b', theirs), view('c', theirs)]).map(({ isDefault }) => isDefault),
    [true, false],
  );
  t.end();
});

t.test('the fee is in the base currency, rounded half-even', (t) => {
  t.equal(withdrawalFee({ WITHDRAWAL_FEE: '10' }, 'NGN', 'NGN'), 1_000n);
  t.equal(withdrawalFee({ WITHDRAWAL_FEE: '0.125' }, 'NGN', 'NGN'), 12n);
  t.equal(withdrawalFee({ WITHDRAWAL_FEE: '0.135' }, 'NGN', 'NGN'), 14n);
  t.equal(withdrawalFee({ WITHDRAWAL_FEE: '10' }, 'JPY', 'JPY'), 10n);
  t.equal(withdrawalFee({ WITHDRAWAL_FEE: '10' }, 'USD', 'NGN'), 0n);
  t.end();
});

t.test('magic numbers: whole numbers win over endings', (t) => {
  t.equal(behaviourOf('0123456700'), 'success');
  t.equal(behaviourOf('0123456712'), 'insufficient-balance');
  t.equal(behaviourOf('0123456713'), 'invalid-amount');
  t.equal(behaviourOf('0123456723'), 'account-not-found');
  t.same(
    ['1', '2', '3', '4', '5', '6'].map((digit) => behaviourOf(digit.repeat(10))),
    ['success', 'delayed', 'insufficient-balance', 'invalid-account', 'time-out', 'duplicate-notification'],
  );
  for (const [code] of NIGERIAN_BANKS) t.not(nubanError('0000000000', code), 'not-a-bank-code', code);
  t.equal(new Set(NIGERIAN_BANKS.map(([code]) => code)).size, NIGERIAN_BANKS.length);
  t.end();
});
