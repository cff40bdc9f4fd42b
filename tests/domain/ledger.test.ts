/** Every decider: given events, when a command, then events or a refusal. And that no refusal was forgotten. */
import { test } from 'tap';
import { MAX_NUMBER_SKIPS } from '../../domain/ledger/decide-accounts.js';
import { accountNumberOf } from '../../domain/ledger/account-number.js';
import { EARLIEST_VALUE_DATE, MAX_VALUE_DATE_AHEAD_DAYS } from '../../domain/ledger/entry.js';
import { SYSTEM_ACCOUNTS, systemAccountNumber } from '../../domain/ledger/products.js';
import { MAX_LINES_PER_ENTRY, tenantIdOf } from '../../domain/shared/ids.js';
import { MAX_AMOUNT_MINOR, MAX_BALANCE_MINOR } from '../../domain/shared/money.js';
import { REFUSAL_CODES } from '../../domain/shared/refusal.js';
import { agentCreated, agentId, customerErased, customerRegistered, personId } from '../support/given-people.js';
import {
  CURRENCIES,
  type Fact,
  OWNER,
  SETTINGS,
  TENANT,
  account,
  closed,
  frozen,
  given,
  held,
  idOf,
  keyOf,
  moved,
  opened,
  openedFree,
  permitted,
  refusalsMet,
  tenantCreated,
  tenantSuspended,
  tokenIs,
  tokenIssued,
  transfer,
} from '../support/given.js';
import { isAboutLending, isAboutPeople, refusalsIn } from '../support/refusals.js';

const tenant = tenantCreated();
/** A till that never runs dry, and two wallets. */
const book: Fact[] = [tenant, openedFree('cash'), opened('A'), opened('B')];
const funded = (amount: bigint): Fact[] => [...book, moved('cash', 'A', amount, 'funding')];
const inSequence = (
  ...lines: Array<[number: string, side: string, amount: string, balance: string, sequence: number]>
) =>
  lines.map(([number, side, amount, balance, sequence]) => ({
    account: account(number),
    side,
    amount,
    balance,
    sequence,
  }));

test('open-account', (t) => {
  const open = { owner: OWNER, currency: 'NGN', product: 'WALLET', name: 'Main' };
  given(tenant)
    .when('open-account', open)
    .then(t, {
      type: 'account-opened',
      data: {
        account: account('1000000016'),
        number: '1000000016',
        numberSequence: 1,
        kind: 'LIABILITY',
        permission: 'FULL_ACCESS',
        overdraftLimit: '0',
        minimumBalance: '0',
        maximumBalance: undefined,
      },
      tags: [`account:${account('1000000016')}`, `tenant:${TENANT}`, `customer:${OWNER}`],
    });
  given(tenant)
    .when('open-account', {
      ...open,
      product: 'INTERNAL',
      kind: 'EXPENSE',
      number: 'RENT',
      permission: 'READ_ONLY',
      overdraftLimit: 5n,
      maximumBalance: 9n,
    })
    .then(t, {
      type: 'account-opened',
      data: {
        number: 'RENT',
        kind: 'EXPENSE',
        permission: 'READ_ONLY',
        overdraftLimit: '5',
        minimumBalance: undefined,
        maximumBalance: '9',
        numberSequence: undefined,
      },
    });
  given(tenant)
    .when('open-account', { ...open, minimumBalance: -50n })
    .then(t, { type: 'account-opened', data: { minimumBalance: '-50' } });
  // Running numbers step over chosen ones.
  given(tenant, opened(accountNumberOf(1)), opened(accountNumberOf(2)))
    .when('open-account', open)
    .then(t, { type: 'account-opened', data: { number: accountNumberOf(3), numberSequence: 3 } });
  const taken = Array.from({ length: MAX_NUMBER_SKIPS }, (_, i) => opened(accountNumberOf(i + 1)));
  given(tenant, ...taken.slice(1))
    .when('open-account', open)
    .then(t, { type: 'account-opened', data: { numberSequence: 1 } });
  given(tenant, ...taken.slice(0, -1))
    .when('open-account', open)
    .then(t, { type: 'account-opened', data: { numberSequence: MAX_NUMBER_SKIPS } });
  given(tenant, ...taken)
    .when('open-account', open)
    .refused(t, 'account-exists');

  given().when('open-account', open).refused(t, 'tenant-not-found');
  given(tenant, tenantSuspended).when('open-account', open).refused(t, 'tenant-suspended');
  given(tenant)
    .when('open-account', { ...open, product: 'YACHT' })
    .refused(t, 'product-unknown', { field: 'productCode' });
  given(tenant)
    .when('open-account', { ...open, currency: 'EUR' })
    .refused(t, 'currency-not-enabled', { field: 'currencyCode' });
  given(tenant, opened('A'))
    .when('open-account', { ...open, number: 'A' })
    .refused(t, 'account-exists', { field: 'accountNumber' });
  given(tenant, opened('A'), closed('A'))
    .when('open-account', { ...open, number: 'A' })
    .refused(t, 'account-exists');
  for (const limits of [
    { overdraftLimit: -1n },
    { overdraftLimit: MAX_BALANCE_MINOR + 1n },
    { minimumBalance: -MAX_BALANCE_MINOR - 1n },
    { maximumBalance: MAX_BALANCE_MINOR + 1n },
  ]) {
    given(tenant)
      .when('open-account', { ...open, ...limits })
      .refused(t, 'amount-out-of-range');
  }
  given(tenant)
    .when('open-account', { ...open, minimumBalance: 2n, maximumBalance: 1n })
    .refused(t, 'invalid-argument', { field: 'minimumBalance' });
  t.end();
});

test('close-account, freeze-account, unfreeze-account', (t) => {
  given(...book)
    .when('close-account', { account: account('A'), reason: 'gone' })
    .then(t, { type: 'account-closed', data: { reason: 'gone' } });
  given(...funded(5n), moved('A', 'cash', 5n))
    .when('close-account', { account: account('A') })
    .then(t, { type: 'account-closed' });
  given(...book)
    .when('close-account', { account: account('X') })
    .refused(t, 'account-not-found');
  given(...book, closed('A'))
    .when('close-account', { account: account('A') })
    .refused(t, 'account-closed');
  given(tenant, opened('S', { systemRole: 'cash' }))
    .when('close-account', { account: account('S') })
    .refused(t, 'invalid-state');
  given(...funded(1n))
    .when('close-account', { account: account('A') })
    .refused(t, 'account-has-balance');
  const overdrawn = [tenant, openedFree('cash'), opened('A', { overdraftLimit: '100' })];
  for (const type of ['HOLD', 'LIEN'] as const) {
    given(...overdrawn, held('h', 'A', 5n, { type }))
      .when('close-account', { account: account('A') })
      .refused(t, 'account-has-holds');
  }

  const freeze = { account: account('A'), scope: 'DEBIT' as const, reason: 'court' };
  given(...book)
    .when('freeze-account', freeze)
    .then(t, { type: 'account-frozen', data: { scope: 'DEBIT', reason: 'court' } });
  given(...book, frozen('A', 'ALL'))
    .when('freeze-account', freeze)
    .then(t, { type: 'account-frozen', data: { scope: 'DEBIT' } });
  given(...book, frozen('A', 'DEBIT'))
    .when('freeze-account', freeze)
    .refused(t, 'invalid-state');
  given(...book, closed('A'))
    .when('freeze-account', freeze)
    .refused(t, 'account-closed');
  given(...book)
    .when('freeze-account', { ...freeze, account: account('X') })
    .refused(t, 'account-not-found');
  given(...book, frozen('A', 'ALL'))
    .when('unfreeze-account', { account: account('A') })
    .then(t, { type: 'account-unfrozen' });
  given(...book)
    .when('unfreeze-account', { account: account('A') })
    .refused(t, 'invalid-state');
  t.end();
});

test('a freeze stops what its scope says', (t) => {
  const both = [...funded(10n), moved('cash', 'B', 10n)];
  given(...both, frozen('A', 'DEBIT'))
    .when('post-entries', transfer('B', 'A', 1n))
    .then(t, { type: 'entry-posted' });
  given(...both, frozen('A', 'DEBIT'))
    .when('post-entries', transfer('A', 'B', 1n))
    .refused(t, 'account-frozen');
  given(...both, frozen('A', 'ALL'))
    .when('post-entries', transfer('A', 'B', 1n))
    .refused(t, 'account-frozen');
  given(...both, frozen('A', 'ALL'))
    .when('post-entries', transfer('B', 'A', 1n))
    .refused(t, 'account-frozen');
  const hold = { account: account('A'), currency: 'NGN', amount: 1n, reason: 'r' };
  for (const scope of ['DEBIT', 'ALL'] as const) {
    given(...both, frozen('A', scope))
      .when('place-holds', { holds: [{ ...hold, type: 'HOLD' }] })
      .refused(t, 'account-frozen');
    given(...both, frozen('A', scope))
      .when('place-holds', { holds: [{ ...hold, type: 'LIEN' }] })
      .then(t, { type: 'hold-placed' });
    given(...both, held('h', 'A', 5n), frozen('A', scope))
      .when('capture-hold', { hold: idOf('h'), counterparties: [{ number: 'B', currency: 'NGN' }] })
      .refused(t, 'account-frozen');
    given(...both, held('h', 'A', 5n), frozen('A', scope))
      .when('release-hold', { hold: idOf('h') })
      .then(t, { type: 'hold-released' });
  }
  t.end();
});

test('change-account-permission', (t) => {
  const change = (permission: 'FULL_ACCESS' | 'CREDIT_ONLY' | 'DEBIT_ONLY' | 'READ_ONLY') => ({
    account: account('A'),
    permission,
  });
  given(...book)
    .when('change-account-permission', change('READ_ONLY'))
    .then(t, {
      type: 'account-permission-changed',
      data: { from: 'FULL_ACCESS', to: 'READ_ONLY', byStaff: true },
    });
  given(...book)
    .when('change-account-permission', change('FULL_ACCESS'))
    .then(t);
  given(...book)
    .byCustomer(OWNER)
    .when('change-account-permission', change('CREDIT_ONLY'))
    .then(t, { type: 'account-permission-changed', data: { byStaff: false } });
  given(...book)
    .byCustomer(TENANT)
    .when('change-account-permission', change('CREDIT_ONLY'))
    .refused(t, 'account-not-found');
  given(...book)
    .by('CUSTOMER')
    .when('change-account-permission', change('CREDIT_ONLY'))
    .refused(t, 'account-not-found');
  given(...book)
    .when('change-account-permission', { ...change('READ_ONLY'), account: account('X') })
    .refused(t, 'account-not-found');
  given(...book, closed('A'))
    .when('change-account-permission', change('READ_ONLY'))
    .refused(t, 'account-closed');
  // What staff restricted only staff may widen; restricting further, and widening what he restricted himself, is his.
  const changed = { type: 'account-permission-changed' };
  given(...book, permitted('A', 'READ_ONLY'))
    .byCustomer(OWNER)
    .when('change-account-permission', change('FULL_ACCESS'))
    .refused(t, 'permission-widening-denied');
  given(...book, permitted('A', 'CREDIT_ONLY'))
    .byCustomer(OWNER)
    .when('change-account-permission', change('DEBIT_ONLY'))
    .refused(t, 'permission-widening-denied');
  given(...book, permitted('A', 'CREDIT_ONLY'))
    .byCustomer(OWNER)
    .when('change-account-permission', change('READ_ONLY'))
    .then(t, changed);
  given(...book, permitted('A', 'READ_ONLY', false))
    .byCustomer(OWNER)
    .when('change-account-permission', change('FULL_ACCESS'))
    .then(t, changed);
  given(...book, permitted('A', 'READ_ONLY'))
    .when('change-account-permission', change('FULL_ACCESS'))
    .then(t, changed);
  // Staff restricted, the customer restricted further: he may undo his own part only.
  const further = [...book, permitted('A', 'CREDIT_ONLY'), permitted('A', 'READ_ONLY', false)];
  given(...further)
    .byCustomer(OWNER)
    .when('change-account-permission', change('CREDIT_ONLY'))
    .then(t, changed);
  given(...further)
    .byCustomer(OWNER)
    .when('change-account-permission', change('FULL_ACCESS'))
    .refused(t, 'permission-widening-denied');
  // Staff confirm what the customer restricted himself: from now on it is theirs.
  const confirmed = given(...book, permitted('A', 'READ_ONLY', false))
    .when('change-account-permission', change('READ_ONLY'))
    .then(t, { type: 'account-permission-changed', data: { from: 'READ_ONLY', to: 'READ_ONLY', byStaff: true } });
  t.equal(confirmed.state('account', account('A')).staffPermission, 'READ_ONLY');
  // What an account was opened with is staff's.
  given(tenant, opened('A', { permission: 'CREDIT_ONLY' }))
    .byCustomer(OWNER)
    .when('change-account-permission', change('FULL_ACCESS'))
    .refused(t, 'permission-widening-denied');
  t.end();
});

test('a permission allows its side only', (t) => {
  const both = [...funded(10n), moved('cash', 'B', 10n)];
  const cases: Array<['CREDIT_ONLY' | 'DEBIT_ONLY' | 'READ_ONLY' | 'FULL_ACCESS', debit: boolean, credit: boolean]> = [
    ['FULL_ACCESS', true, true],
    ['DEBIT_ONLY', true, false],
    ['CREDIT_ONLY', false, true],
    ['READ_ONLY', false, false],
  ];
  for (const [permission, debit, credit] of cases) {
    const out = given(...both, permitted('A', permission)).when('post-entries', transfer('A', 'B', 1n));
    const into = given(...both, permitted('A', permission)).when('post-entries', transfer('B', 'A', 1n));
    if (debit) out.then(t, { type: 'entry-posted' });
    else out.refused(t, 'account-permission-denied');
    if (credit) into.then(t, { type: 'entry-posted' });
    else into.refused(t, 'account-permission-denied');
    // A reversal by staff is not stopped by it.
    given(...both, permitted('A', permission))
      .when('reverse-entry', { entry: idOf('funding'), reason: 'error' })
      .then(t, { type: 'entry-posted' });
  }
  t.end();
});

test('set-account-limits', (t) => {
  const set = (limits: object) => ({ account: account('A'), ...limits });
  const changed = (data: object) => ({ type: 'account-limits-changed', data });
  given(...book)
    .when('set-account-limits', set({ overdraftLimit: 7n }))
    .then(t, changed({ overdraftLimit: '7', minimumBalance: '0', maximumBalance: undefined }));
  given(tenant, opened('A', { overdraftLimit: '7', maximumBalance: '9' }))
    .when('set-account-limits', set({ minimumBalance: null, maximumBalance: null }))
    .then(t, changed({ overdraftLimit: '7', minimumBalance: undefined, maximumBalance: undefined }));
  given(tenant, opened('A', { maximumBalance: '9' }))
    .when('set-account-limits', set({ minimumBalance: 9n }))
    .then(t, changed({ minimumBalance: '9', maximumBalance: '9' }));
  given(tenant, opened('A', { maximumBalance: '9' }))
    .when('set-account-limits', set({ minimumBalance: 10n }))
    .refused(t, 'invalid-argument', { field: 'minimumBalance' });
  given(...book)
    .when('set-account-limits', set({ overdraftLimit: -1n }))
    .refused(t, 'amount-out-of-range');
  given(...book)
    .when('set-account-limits', { account: account('X') })
    .refused(t, 'account-not-found');
  const overdrawn = [tenant, openedFree('cash'), opened('A', { overdraftLimit: '100' }), moved('A', 'cash', 60n)];
  given(...overdrawn)
    .when('set-account-limits', set({ overdraftLimit: 60n }))
    .then(t, changed({ overdraftLimit: '60' }));
  given(...overdrawn)
    .when('set-account-limits', set({ overdraftLimit: 59n }))
    .refused(t, 'invalid-state', { field: 'overDraftLimit' });
  t.end();
});

test('post-entries: one instruction is one balanced entry', (t) => {
  given(...funded(1000n))
    .when('post-entries', {
      instructions: [
        {
          primaryNumber: 'A',
          currency: 'NGN',
          direction: 'debit-primary',
          key: keyOf('k1'),
          narration: 'rent',
          reference: 'ref',
          valueDate: '2026-03-01',
          counterparties: [
            { number: 'B', currency: 'NGN', amount: 300n, narration: 'n' },
            { number: 'cash', currency: 'NGN', amount: 200n },
          ],
        },
      ],
    })
    .then(t, {
      type: 'entry-posted',
      effectiveAt: '2026-03-01',
      data: {
        kind: 'posting',
        valueDate: '2026-03-01',
        narration: 'rent',
        reference: 'ref',
        instructionKey: 'k1',
        forced: undefined,
        lines: inSequence(
          ['A', 'debit', '500', '500', 2],
          ['B', 'credit', '300', '300', 1],
          ['cash', 'credit', '200', '-800', 2],
        ),
      },
      tags: [`account:${account('A')}`, `account:${account('B')}`, `account:${account('cash')}`],
    });
  given(...funded(1000n))
    .when('post-entries', transfer('B', 'A', 400n, { direction: 'credit-primary' }))
    .then(t, {
      type: 'entry-posted',
      effectiveAt: '2026-03-15',
      data: { lines: inSequence(['B', 'credit', '400', '400', 1], ['A', 'debit', '400', '600', 2]) },
    });
  // One account twice: both lines chain.
  given(...funded(1000n))
    .when('post-entries', {
      instructions: [
        {
          ...transfer('A', 'B', 1n).instructions[0]!,
          counterparties: [
            { number: 'B', currency: 'NGN', amount: 1n },
            { number: 'B', currency: 'NGN', amount: 2n },
          ],
        },
      ],
    })
    .then(t, {
      type: 'entry-posted',
      data: {
        lines: inSequence(['A', 'debit', '3', '997', 2], ['B', 'credit', '1', '1', 1], ['B', 'credit', '2', '3', 2]),
      },
    });

  const post = (from: string, to: string, amount: bigint, more = {}) =>
    given(...funded(1000n)).when('post-entries', transfer(from, to, amount, more));
  post('A', 'A', 1n).refused(t, 'invalid-argument', { field: 'counterParties' });
  post('A', 'X', 1n).refused(t, 'account-not-found', { details: { account: account('X') } });
  post('X', 'A', 1n).refused(t, 'account-not-found');
  post('A', 'B', 0n).refused(t, 'amount-out-of-range');
  post('A', 'B', -1n).refused(t, 'amount-out-of-range');
  post('cash', 'B', MAX_AMOUNT_MINOR).then(t, { type: 'entry-posted' });
  post('cash', 'B', MAX_AMOUNT_MINOR + 1n).refused(t, 'amount-out-of-range');
  post('A', 'B', 1n, { counterparties: [] }).refused(t, 'unbalanced');
  post('A', 'B', 1n, { currency: 'USD' }).refused(t, 'currency-mismatch');
  post('A', 'B', 1n, { counterparties: [{ number: 'B', currency: 'USD', amount: 1n }] }).refused(
    t,
    'currency-mismatch',
    { field: 'counterParties' },
  );
  given(...funded(9n), closed('B'))
    .when('post-entries', transfer('A', 'B', 1n))
    .refused(t, 'account-not-activated');
  given(...funded(9n), tenantSuspended)
    .when('post-entries', transfer('A', 'B', 1n))
    .refused(t, 'tenant-suspended');
  given()
    .when('post-entries', transfer('A', 'B', 1n))
    .refused(t, 'tenant-not-found');
  const many = (count: number) => ({
    counterparties: Array.from({ length: count }, () => ({ number: 'B', currency: 'NGN', amount: 1n })),
  });
  post('A', 'B', 1n, many(MAX_LINES_PER_ENTRY - 1)).then(t, { type: 'entry-posted' });
  post('A', 'B', 1n, many(MAX_LINES_PER_ENTRY)).refused(t, 'too-many-lines');
  const rich = [tenant, openedFree('cash', { minimumBalance: null }), openedFree('R', { overdraftLimit: '0' })];
  const near = Array.from({ length: 999 }, () => ({ number: 'R', currency: 'NGN', amount: MAX_AMOUNT_MINOR }));
  given(...rich)
    .when('post-journal-entry', {
      lines: [
        ...near.slice(0, 500).map((line) => ({
          accountNumber: line.number,
          currency: 'NGN',
          side: 'credit' as const,
          amount: line.amount,
        })),
        ...near
          .slice(0, 500)
          .map((line) => ({ accountNumber: 'cash', currency: 'NGN', side: 'debit' as const, amount: line.amount })),
      ],
    })
    .then(t, { type: 'entry-posted' });
  t.end();
});

test('the largest balance is not passed', (t) => {
  const at =
    (balance: bigint): Fact =>
    () => ({
      type: 'entry-posted',
      data: {
        kind: 'journal',
        valueDate: '2026-03-15',
        lines: [
          {
            account: account('R'),
            currency: 'NGN',
            side: 'credit',
            amount: String(balance),
            balance: String(balance),
            sequence: 1,
          },
          {
            account: account('cash'),
            currency: 'NGN',
            side: 'debit',
            amount: String(balance),
            balance: String(-balance),
            sequence: 1,
          },
        ],
      },
      tags: [`account:${account('R')}`, `account:${account('cash')}`],
    });
  const rich = [tenant, openedFree('cash'), openedFree('R'), opened('A')];
  given(...rich, at(MAX_BALANCE_MINOR - 1n))
    .when('post-entries', transfer('cash', 'R', 1n))
    .then(t, { type: 'entry-posted' });
  given(...rich, at(MAX_BALANCE_MINOR))
    .when('post-entries', transfer('cash', 'R', 1n))
    .refused(t, 'amount-out-of-range');
  given(...rich, at(MAX_BALANCE_MINOR))
    .when('post-entries', transfer('R', 'cash', 1n))
    .then(t, { type: 'entry-posted' });
  t.end();
});

test('post-entries: floors, ceilings and overdrafts', (t) => {
  const post = (facts: Fact[], from: string, to: string, amount: bigint, more = {}) =>
    given(...facts).when('post-entries', transfer(from, to, amount, more));
  const posted = { type: 'entry-posted' };
  post(funded(100n), 'A', 'B', 100n).then(t, posted);
  post(funded(100n), 'A', 'B', 101n).refused(t, 'insufficient-funds', {
    details: { accountNumber: 'A', available: '1.00', required: '1.01', currencyCode: 'NGN' },
  });
  const withLimit = (more: Record<string, unknown>) => [
    tenant,
    openedFree('cash'),
    opened('B'),
    opened('A', more),
    moved('cash', 'A', 100n),
  ];
  post(withLimit({ overdraftLimit: '50' }), 'A', 'B', 150n).then(t, {
    ...posted,
    data: { lines: inSequence(['A', 'debit', '150', '-50', 2], ['B', 'credit', '150', '150', 1]) },
  });
  post(withLimit({ overdraftLimit: '50' }), 'A', 'B', 151n).refused(t, 'insufficient-funds', {
    details: { available: '1.50' },
  });
  post(withLimit({ minimumBalance: '30' }), 'A', 'B', 70n).then(t, posted);
  post(withLimit({ minimumBalance: '30' }), 'A', 'B', 71n).refused(t, 'insufficient-funds', {
    details: { available: '0.70' },
  });
  post(withLimit({ minimumBalance: '-30' }), 'A', 'B', 130n).then(t, posted);
  post(withLimit({ minimumBalance: '-30' }), 'A', 'B', 131n).refused(t, 'insufficient-funds');
  post(withLimit({ minimumBalance: '30', overdraftLimit: '10' }), 'A', 'B', 80n).then(t, posted);
  post(withLimit({ minimumBalance: '30', overdraftLimit: '10' }), 'A', 'B', 81n).refused(t, 'insufficient-funds');
  post(withLimit({ maximumBalance: '120' }), 'cash', 'A', 20n).then(t, posted);
  post(withLimit({ maximumBalance: '120' }), 'cash', 'A', 21n).refused(t, 'balance-above-maximum');
  // Above the ceiling or below the floor already: it may improve, not worsen.
  post(withLimit({ maximumBalance: '50' }), 'A', 'B', 10n).then(t, posted);
  post(withLimit({ maximumBalance: '50' }), 'cash', 'A', 1n).refused(t, 'balance-above-maximum');
  post(withLimit({ minimumBalance: '500' }), 'cash', 'A', 1n).then(t, posted);
  post(withLimit({ minimumBalance: '500' }), 'A', 'B', 1n).refused(t, 'insufficient-funds');
  // Holds and liens count.
  post([...funded(100n), held('h', 'A', 30n), held('l', 'A', 20n, { type: 'LIEN' })], 'A', 'B', 50n).then(t, posted);
  post([...funded(100n), held('h', 'A', 30n), held('l', 'A', 20n, { type: 'LIEN' })], 'A', 'B', 51n).refused(
    t,
    'insufficient-funds',
    { details: { available: '0.50' } },
  );
  // An account that grows by debits has its floor on the other side.
  const till = [tenant, opened('W', { overdraftLimit: '1000' }), opened('T', { kind: 'ASSET', product: 'TILL' })];
  post(till, 'T', 'W', 100n).then(t, {
    ...posted,
    data: { lines: inSequence(['T', 'debit', '100', '-100', 1], ['W', 'credit', '100', '100', 1]) },
  });
  post(till, 'W', 'T', 1n).refused(t, 'insufficient-funds', { details: { accountNumber: 'T' } });
  post([...till, moved('T', 'W', 100n)], 'W', 'T', 100n).then(t, posted);
  // The floor holds after the whole entry, not line by line.
  given(...funded(10n))
    .when('post-journal-entry', {
      lines: [
        { accountNumber: 'A', currency: 'NGN', side: 'debit', amount: 50n },
        { accountNumber: 'A', currency: 'NGN', side: 'credit', amount: 45n },
        { accountNumber: 'B', currency: 'NGN', side: 'credit', amount: 5n },
      ],
    })
    .then(t, {
      ...posted,
      data: {
        lines: inSequence(['A', 'debit', '50', '-40', 2], ['A', 'credit', '45', '5', 3], ['B', 'credit', '5', '5', 1]),
      },
    });
  t.end();
});

test('post-entries: a forced overdraft needs CASHIER or MANAGER', (t) => {
  for (const role of ['CASHIER', 'MANAGER'] as const) {
    given(...funded(10n))
      .by(role)
      .when('post-entries', transfer('A', 'B', 25n, { force: true }))
      .then(t, {
        type: 'entry-posted',
        data: { forced: true, lines: inSequence(['A', 'debit', '25', '-15', 2], ['B', 'credit', '25', '25', 1]) },
      });
  }
  for (const role of ['AGENT', 'CUSTOMER', 'PARTNER', 'AUDITOR', 'ANALYST'] as const) {
    given(...funded(10n))
      .by(role)
      .when('post-entries', transfer('A', 'B', 25n, { force: true }))
      .refused(t, 'authority-required');
    given(...funded(10n))
      .by(role)
      .when('post-journal-entry', { lines: [], force: true })
      .refused(t, 'authority-required');
  }
  const ceiling = [tenant, openedFree('cash'), opened('A', { maximumBalance: '5' })];
  given(...ceiling)
    .when('post-entries', transfer('cash', 'A', 6n, { force: true }))
    .refused(t, 'balance-above-maximum');
  given(...funded(10n), frozen('A', 'DEBIT'))
    .when('post-entries', transfer('A', 'B', 25n, { force: true }))
    .refused(t, 'account-frozen');
  t.end();
});

test('post-entries: another account funds what is missing', (t) => {
  const facts = [...funded(10n), opened('F'), moved('cash', 'F', 100n)];
  given(...facts)
    .when('post-entries', transfer('A', 'B', 25n, { overdraftFrom: 'F' }))
    .then(t, {
      type: 'entry-posted',
      data: {
        lines: inSequence(
          ['F', 'debit', '15', '85', 2],
          ['A', 'credit', '15', '25', 2],
          ['A', 'debit', '25', '0', 3],
          ['B', 'credit', '25', '25', 1],
        ),
      },
    });
  given(...facts)
    .when('post-entries', transfer('A', 'B', 25n, { overdraftFrom: account('F') }))
    .then(t, { type: 'entry-posted' });
  given(...facts)
    .when('post-entries', transfer('A', 'B', 10n, { overdraftFrom: 'F' }))
    .then(t, {
      type: 'entry-posted',
      data: { lines: inSequence(['A', 'debit', '10', '0', 2], ['B', 'credit', '10', '10', 1]) },
    });
  given(...facts, held('h', 'A', 4n))
    .when('post-entries', transfer('A', 'B', 25n, { overdraftFrom: 'F' }))
    .then(t, {
      type: 'entry-posted',
      data: {
        lines: inSequence(
          ['F', 'debit', '19', '81', 2],
          ['A', 'credit', '19', '29', 2],
          ['A', 'debit', '25', '4', 3],
          ['B', 'credit', '25', '25', 1],
        ),
      },
    });
  given(...facts)
    .when('post-entries', transfer('A', 'B', 111n, { overdraftFrom: 'F' }))
    .refused(t, 'insufficient-funds', { details: { accountNumber: 'F' } });
  given(...facts)
    .when('post-entries', transfer('A', 'B', 25n, { overdraftFrom: 'A' }))
    .refused(t, 'invalid-argument');
  given(...facts)
    .when('post-entries', transfer('A', 'B', 25n, { overdraftFrom: 'X' }))
    .refused(t, 'account-not-found');
  t.end();
});

test('post-entries: value dates', (t) => {
  const on = (valueDate: string) => given(...funded(10n)).when('post-entries', transfer('A', 'B', 1n, { valueDate }));
  const day = (offset: number) => new Date(Date.parse('2026-03-15') + offset * 86_400_000).toISOString().slice(0, 10);
  for (const date of [EARLIEST_VALUE_DATE, '2024-02-29', day(-1), day(0), day(1), day(MAX_VALUE_DATE_AHEAD_DAYS)]) {
    on(date).then(t, { type: 'entry-posted', data: { valueDate: date }, effectiveAt: date });
  }
  for (const date of [
    '1899-12-31',
    day(MAX_VALUE_DATE_AHEAD_DAYS + 1),
    '2026-02-29',
    '2026-13-01',
    '2026-1-1',
    '20260315',
    '',
    'today',
    '2026-03-15T00:00:00Z',
    '+002026-03-15',
    '9999-12-31',
  ]) {
    on(date).refused(t, 'value-date-out-of-range', { field: 'valueDate' });
  }
  // What was good today is not remembered as good on another day.
  on(day(MAX_VALUE_DATE_AHEAD_DAYS)).then(t, { type: 'entry-posted' });
  given(...funded(10n))
    .at('2026-03-14T10:00:00.000Z')
    .when('post-entries', transfer('A', 'B', 1n, { valueDate: day(MAX_VALUE_DATE_AHEAD_DAYS) }))
    .refused(t, 'value-date-out-of-range');
  t.end();
});

test('post-entries: an array is atomic and says which instruction was at fault; keys are answered again', (t) => {
  const [one] = transfer('A', 'B', 60n, { key: keyOf('k1') }).instructions;
  const [two] = transfer('A', 'B', 40n, { key: keyOf('k2') }).instructions;
  const [three] = transfer('A', 'B', 1n, { key: keyOf('k3') }).instructions;
  if (one === undefined || two === undefined || three === undefined) throw new Error('no instruction');
  given(...funded(100n))
    .when('post-entries', { instructions: [one, two] })
    .then(
      t,
      { type: 'entry-posted' },
      {
        type: 'entry-posted',
        data: { lines: inSequence(['A', 'debit', '40', '0', 3], ['B', 'credit', '40', '100', 2]) },
      },
    );
  given(...funded(100n))
    .when('post-entries', { instructions: [one, two, three] })
    .refused(t, 'insufficient-funds', { field: '2', details: { instruction: '2', accountNumber: 'A' } });
  given(...funded(100n))
    .when('post-entries', {
      instructions: [one, { ...two, counterparties: [{ number: 'A', currency: 'NGN', amount: 1n }] }],
    })
    .refused(t, 'invalid-argument', { field: '1.counterParties' });
  given(...funded(100n))
    .answered(one.key)
    .when('post-entries', { instructions: [one] })
    .thenReplays(t, 1);
  t.same(
    given(...funded(100n))
      .answered(one.key)
      .when('post-entries', { instructions: [two, one] })
      .then(t, { type: 'entry-posted' }).replayed,
    [{ requestHash: 'h1', revision: 7, events: 1 }],
  );
  given(...funded(100n))
    .when('post-entries', { instructions: [one, one] })
    .then(t, { type: 'entry-posted' });
  given(...funded(100n), tenantSuspended)
    .answered(one.key)
    .when('post-entries', { instructions: [one] })
    .thenReplays(t, 1);
  given(...funded(100n))
    .answered({ ...one.key, requestHash: 'other' })
    .when('post-entries', { instructions: [one] })
    .refused(t, 'idempotency-key-reused', { field: 'instructionIdempotencykey' });
  given(...funded(100n))
    .answered({ ...two.key, requestHash: 'other' })
    .when('post-entries', { instructions: [one, two] })
    .refused(t, 'idempotency-key-reused', { field: '1.instructionIdempotencykey' });
  given(...funded(100n))
    .when('post-entries', { instructions: [one, { ...two, key: { ...one.key, requestHash: 'other' } }] })
    .refused(t, 'idempotency-key-reused');
  const refusal = { refused: 'account-frozen', message: 'then' } as const;
  given(...funded(100n))
    .answered(one.key, { refusal })
    .when('post-entries', { instructions: [one] })
    .refused(t, 'account-frozen', { message: /^then$/ });
  t.end();
});

test('post-journal-entry', (t) => {
  const line = (accountNumber: string, side: 'debit' | 'credit', amount: bigint, currency = 'NGN') => ({
    accountNumber,
    side,
    amount,
    currency,
  });
  const facts = [
    tenant,
    openedFree('n1'),
    openedFree('n2'),
    openedFree('j1', { currency: 'JPY' }),
    openedFree('j2', { currency: 'JPY' }),
  ];
  given(...facts)
    .when('post-journal-entry', {
      lines: [
        line('n1', 'debit', 5n),
        line('j1', 'credit', 900n, 'JPY'),
        line('n2', 'credit', 5n),
        line('j2', 'debit', 900n, 'JPY'),
      ],
      narration: 'two currencies',
      reference: 'r',
      valueDate: '2020-01-01',
    })
    .then(t, {
      type: 'entry-posted',
      data: { kind: 'journal', narration: 'two currencies', reference: 'r' },
      effectiveAt: '2020-01-01',
    });
  for (const lines of [
    [line('n1', 'debit', 5n), line('n2', 'credit', 4n)],
    [line('n1', 'debit', 5n), line('n2', 'debit', 5n)],
    [line('n1', 'debit', 5n), line('j1', 'credit', 5n, 'JPY')],
    [line('n1', 'debit', 5n), line('j1', 'credit', 5n, 'JPY'), line('n2', 'credit', 5n)],
    [line('n1', 'debit', 5n)],
    [],
  ]) {
    given(...facts)
      .when('post-journal-entry', { lines })
      .refused(t, 'unbalanced');
  }
  given(...facts)
    .when('post-journal-entry', { lines: [line('n1', 'debit', 5n), line('n2', 'credit', 4n)] })
    .refused(t, 'unbalanced', { details: { currency: 'NGN' } });
  given(...facts)
    .when('post-journal-entry', { lines: [line('n1', 'debit', 0n), line('n2', 'credit', 0n)] })
    .refused(t, 'amount-out-of-range');
  given(...facts)
    .when('post-journal-entry', { lines: [line('n1', 'debit', 5n, 'JPY'), line('n2', 'credit', 5n, 'JPY')] })
    .refused(t, 'currency-mismatch');
  given().when('post-journal-entry', { lines: [] }).refused(t, 'tenant-not-found');
  t.end();
});

test('post-fx-entry: two balanced halves through the positions, rounded half-even', (t) => {
  const positions = CURRENCIES.map((currency) =>
    openedFree(systemAccountNumber('fx-position', currency), { currency, systemRole: 'fx-position' }),
  );
  const wallets = CURRENCIES.map((currency) => openedFree(currency, { currency }));
  const facts = [tenant, ...positions, ...wallets];
  const exchange = (from: string, to: string, amount: bigint, more: object) =>
    given(...facts).when('post-fx-entry', {
      sourceNumber: from,
      targetNumber: to,
      sourceCurrency: from,
      targetCurrency: to,
      amount,
      ...more,
    });
  const position = (currency: string) => systemAccountNumber('fx-position', currency);
  exchange('NGN', 'USD', 160_000n, { rate: '0.000625' }).then(t, {
    type: 'entry-posted',
    data: {
      kind: 'fx',
      rate: '0.000625',
      lines: inSequence(
        ['NGN', 'debit', '160000', '-160000', 1],
        [position('NGN'), 'credit', '160000', '160000', 1],
        [position('USD'), 'debit', '100', '-100', 1],
        ['USD', 'credit', '100', '100', 1],
      ),
    },
  });
  const arrives = (from: string, to: string, amount: bigint, rate: string, expected: string) =>
    exchange(from, to, amount, { rate }).then(t, {
      type: 'entry-posted',
      data: { lines: [{}, {}, { amount: expected }, { amount: expected }] },
    });
  arrives('USD', 'JPY', 250n, '1', '2'); // 2.5 → 2
  arrives('USD', 'JPY', 350n, '1', '4'); // 3.5 → 4
  arrives('USD', 'JPY', 251n, '1', '3'); // 2.51 → 3
  arrives('USD', 'KWD', 100n, '0.3075', '308'); // 307.5 → 308
  arrives('USD', 'KWD', 100n, '0.3065', '306'); // 306.5 → 306
  arrives('JPY', 'KWD', 1n, '0.0025', '2'); // 2.5 → 2
  arrives('JPY', 'USD', 10_000n, '0.0067', '6700');
  arrives('KWD', 'USD', 1_005n, '3.25', '327'); // 326.625 → 327
  exchange('USD', 'JPY', 250n, { counterAmount: 300n }).then(t, { type: 'entry-posted', data: { rate: undefined } });
  exchange('USD', 'JPY', 250n, { counterAmount: 2n, rate: '1' }).then(t, { type: 'entry-posted' });
  exchange('USD', 'JPY', 250n, { counterAmount: 3n, rate: '1' }).refused(t, 'invalid-argument', {
    field: 'counterAmount',
  });
  exchange('USD', 'JPY', 50n, { rate: '1' }).refused(t, 'amount-out-of-range', { field: 'amount' });
  exchange('USD', 'JPY', -250n, { rate: '1' }).refused(t, 'amount-out-of-range');
  exchange('USD', 'JPY', 250n, { counterAmount: 0n }).refused(t, 'amount-out-of-range');
  exchange('USD', 'USD', 250n, { rate: '1' }).refused(t, 'currency-mismatch', { field: 'targetCurrencyCode' });
  exchange('USD', 'JPY', 250n, {}).refused(t, 'invalid-argument', { field: 'rate' });
  for (const rate of ['0', '0.0', '-1', '1e3', 'x', '', '1.', '.5', '1,5', 'Infinity', '1'.repeat(21)])
    exchange('USD', 'JPY', 250n, { rate }).refused(t, 'invalid-argument', { field: 'rate' });
  given(...facts)
    .when('post-fx-entry', {
      sourceNumber: 'USD',
      targetNumber: 'EUR',
      sourceCurrency: 'USD',
      targetCurrency: 'EUR',
      amount: 1n,
      rate: '1',
    })
    .refused(t, 'currency-not-enabled');
  given(...facts)
    .when('post-fx-entry', {
      sourceNumber: 'NGN',
      targetNumber: 'JPY',
      sourceCurrency: 'USD',
      targetCurrency: 'JPY',
      amount: 100n,
      rate: '1',
    })
    .refused(t, 'currency-mismatch');
  given(tenant, tenantSuspended)
    .when('post-fx-entry', {
      sourceNumber: 'a',
      targetNumber: 'b',
      sourceCurrency: 'USD',
      targetCurrency: 'JPY',
      amount: 1n,
      rate: '1',
    })
    .refused(t, 'tenant-suspended');
  const poor = [tenant, ...positions, opened('W', { currency: 'USD' }), openedFree('JPY', { currency: 'JPY' })];
  given(...poor)
    .when('post-fx-entry', {
      sourceNumber: 'W',
      targetNumber: 'JPY',
      sourceCurrency: 'USD',
      targetCurrency: 'JPY',
      amount: 100n,
      rate: '1',
    })
    .refused(t, 'insufficient-funds');
  t.end();
});

test('reverse-entry: whole or part, once', (t) => {
  const facts = [...funded(100n), moved('A', 'B', 60n, 'e1')];
  const reverse = { entry: idOf('e1'), reason: 'wrong account' };
  given(...facts)
    .when('reverse-entry', reverse)
    .then(t, {
      type: 'entry-posted',
      data: {
        kind: 'reversal',
        reverses: idOf('e1'),
        narration: 'wrong account',
        lines: inSequence(['A', 'credit', '60', '100', 3], ['B', 'debit', '60', '0', 2]),
      },
      tags: [`account:${account('A')}`, `account:${account('B')}`, `posting:${idOf('e1')}`],
      effectiveAt: '2026-03-15',
    });
  given(...facts)
    .when('reverse-entry', { ...reverse, amount: 20n })
    .then(t, {
      type: 'entry-posted',
      data: { lines: inSequence(['A', 'credit', '20', '60', 3], ['B', 'debit', '20', '40', 2]) },
    });
  given(...facts)
    .when('reverse-entry', {
      ...reverse,
      lines: [
        { line: 1, amount: 5n },
        { line: 0, amount: 5n },
      ],
    })
    .then(t, {
      type: 'entry-posted',
      data: { lines: inSequence(['B', 'debit', '5', '55', 2], ['A', 'credit', '5', '45', 3]) },
    });
  const reversal: Fact = (book) => {
    const { id: _, ...mirrored } = moved('B', 'A', 60n)(book);
    return {
      ...mirrored,
      id: idOf('r1'),
      data: { ...(mirrored.data as object), kind: 'reversal', reverses: idOf('e1') },
      tags: [...mirrored.tags, `posting:${idOf('e1')}`],
    };
  };
  given(...facts, reversal)
    .when('reverse-entry', reverse)
    .refused(t, 'already-reversed', { details: { reversedBy: idOf('r1') } });
  given(...facts, reversal)
    .when('reverse-entry', { ...reverse, amount: 1n })
    .refused(t, 'already-reversed');
  given(...facts, reversal)
    .when('reverse-entry', { ...reverse, entry: idOf('r1') })
    .refused(t, 'reversal-invalid');
  given(...facts)
    .when('reverse-entry', { ...reverse, entry: idOf('nothing') })
    .refused(t, 'entry-not-found');
  given(...facts)
    .when('reverse-entry', { ...reverse, entry: idOf('fact 0') })
    .refused(t, 'entry-not-found');
  for (const amount of [0n, -1n, 61n])
    given(...facts)
      .when('reverse-entry', { ...reverse, amount })
      .refused(t, 'reversal-invalid', { field: 'amount' });
  for (const lines of [
    [{ line: 2, amount: 1n }],
    [{ line: -1, amount: 1n }],
    [
      { line: 0, amount: 1n },
      { line: 0, amount: 1n },
    ],
    [{ line: 0, amount: 61n }],
    [{ line: 0, amount: 0n }],
  ]) {
    given(...facts)
      .when('reverse-entry', { ...reverse, lines })
      .refused(t, 'reversal-invalid', { field: 'lines' });
  }
  given(...facts)
    .when('reverse-entry', {
      ...reverse,
      lines: [
        { line: 0, amount: 5n },
        { line: 1, amount: 4n },
      ],
    })
    .refused(t, 'unbalanced');
  given(...facts)
    .when('reverse-entry', { ...reverse, lines: [] })
    .refused(t, 'unbalanced');
  given(...facts, moved('B', 'cash', 1n))
    .when('reverse-entry', reverse)
    .refused(t, 'insufficient-funds');
  given(...facts, moved('B', 'cash', 60n), closed('B'))
    .when('reverse-entry', reverse)
    .refused(t, 'account-not-activated');
  given(...facts, frozen('B', 'DEBIT'))
    .when('reverse-entry', reverse)
    .refused(t, 'account-frozen');
  given(...facts, tenantSuspended)
    .when('reverse-entry', reverse)
    .refused(t, 'tenant-suspended');
  const three: Fact = () => ({
    id: idOf('e3'),
    type: 'entry-posted',
    data: {
      kind: 'posting',
      valueDate: '2026-03-15',
      lines: [
        ['cash', 'debit', '9', '-109', 2],
        ['A', 'credit', '4', '104', 2],
        ['B', 'credit', '5', '5', 1],
      ].map(([number, side, amount, balance, sequence]) => ({
        account: account(String(number)),
        currency: 'NGN',
        side,
        amount,
        balance,
        sequence,
      })),
    },
    tags: ['A', 'B', 'cash'].map((number) => `account:${account(number)}` as const),
  });
  given(...funded(100n), three)
    .when('reverse-entry', { ...reverse, entry: idOf('e3'), amount: 1n })
    .refused(t, 'reversal-invalid', { field: 'amount' });
  given(...funded(100n), three)
    .when('reverse-entry', {
      ...reverse,
      entry: idOf('e3'),
      lines: [
        { line: 0, amount: 3n },
        { line: 2, amount: 3n },
      ],
    })
    .then(t, {
      type: 'entry-posted',
      data: { lines: inSequence(['cash', 'credit', '3', '-106', 3], ['B', 'debit', '3', '2', 2]) },
    });
  t.end();
});

test('place-holds', (t) => {
  const hold = (amount: bigint, more: object = {}) => ({
    account: account('A'),
    currency: 'NGN',
    amount,
    type: 'HOLD' as const,
    reason: 'card',
    ...more,
  });
  const placed = given(...funded(100n), held('l', 'A', 10n, { type: 'LIEN' }))
    .when('place-holds', { holds: [hold(90n, { expiresAt: '2026-03-15T10:00:00.001Z' })] })
    .then(t, {
      type: 'hold-placed',
      data: {
        account: account('A'),
        amount: '90',
        type: 'HOLD',
        held: '90',
        liens: '10',
        group: undefined,
        expiresAt: '2026-03-15T10:00:00.001Z',
      },
    });
  const [{ data, tags }] = placed.emitted as unknown as [{ data: { hold: string }; tags: string[] }];
  t.same(tags, [`account:${account('A')}`, `hold:${data.hold}`]);
  const group = given(...funded(100n))
    .when('place-holds', { holds: [hold(60n), hold(40n, { type: 'LIEN' })] })
    .then(
      t,
      { type: 'hold-placed', data: { held: '60', liens: '0' } },
      { type: 'hold-placed', data: { held: '60', liens: '40' } },
    );
  const [first, second] = group.emitted as unknown as Array<{ data: { group: string; hold: string } }>;
  t.ok(
    first?.data.group !== undefined && first.data.group === second?.data.group && first.data.hold !== second.data.hold,
  );
  given(...funded(100n))
    .when('place-holds', { holds: [hold(60n), hold(41n)] })
    .refused(t, 'insufficient-funds', { details: { available: '0.40', required: '0.41' } });
  given(...book.slice(0, 2))
    .when('place-holds', { holds: [hold(5n, { account: account('cash') })] })
    .then(t, { type: 'hold-placed' });
  given(tenant, opened('A', { overdraftLimit: '5' }))
    .when('place-holds', { holds: [hold(5n)] })
    .then(t, { type: 'hold-placed' });
  given(tenant, opened('A', { overdraftLimit: '5' }))
    .when('place-holds', { holds: [hold(6n)] })
    .refused(t, 'insufficient-funds');
  given(...funded(100n))
    .when('place-holds', { holds: [hold(1n, { currency: 'USD' })] })
    .refused(t, 'currency-mismatch', { field: 'currencyCode' });
  for (const amount of [0n, -1n, MAX_AMOUNT_MINOR + 1n])
    given(...funded(100n))
      .when('place-holds', { holds: [hold(amount)] })
      .refused(t, 'amount-out-of-range', { field: 'amount' });
  given(...funded(100n))
    .when('place-holds', { holds: [hold(1n, { expiresAt: '2026-03-15T10:00:00.000Z' })] })
    .refused(t, 'invalid-argument', { field: 'expiresAt' });
  given(...funded(100n))
    .when('place-holds', { holds: [hold(1n, { type: 'LIEN', expiresAt: '2027-01-01T00:00:00.000Z' })] })
    .refused(t, 'invalid-argument', { field: 'expiresAt' });
  given(...book)
    .when('place-holds', { holds: [hold(1n, { account: account('X') })] })
    .refused(t, 'account-not-found');
  given(...book, closed('A'))
    .when('place-holds', { holds: [hold(1n)] })
    .refused(t, 'account-closed');
  given(...book, tenantSuspended)
    .when('place-holds', { holds: [hold(1n)] })
    .refused(t, 'tenant-suspended');
  t.end();
});

test('capture-hold: all, parts, the last part, never more', (t) => {
  const facts = [...funded(100n), held('h', 'A', 60n)];
  const capture = (more: object = {}) => ({
    hold: idOf('h'),
    counterparties: [{ number: 'B', currency: 'NGN' }],
    ...more,
  });
  given(...facts)
    .when('capture-hold', capture())
    .then(t, {
      type: 'entry-posted',
      data: {
        kind: 'capture',
        narration: 'test',
        lines: inSequence(['A', 'debit', '60', '40', 2], ['B', 'credit', '60', '60', 1]),
        capture: { hold: idOf('h'), account: account('A'), amount: '60', held: '0', liens: '0', remaining: '0' },
      },
      tags: [`account:${account('A')}`, `account:${account('B')}`, `hold:${idOf('h')}`],
    });
  const part = given(...facts)
    .when('capture-hold', capture({ amount: 25n, narration: 'n', reference: 'r' }))
    .then(t, {
      type: 'entry-posted',
      data: { narration: 'n', reference: 'r', capture: { amount: '25', held: '35', remaining: '35' } },
    });
  t.match(part.state('hold', idOf('h')), { status: 'ACTIVE', placed: 60n, captured: 25n, released: 0n });
  const last = given(...facts)
    .when('capture-hold', capture({ amount: 25n, final: true }))
    .then(
      t,
      { type: 'entry-posted' },
      { type: 'hold-released', data: { amount: '35', cause: 'released', remaining: '0', held: '0' } },
    );
  t.match(last.state('hold', idOf('h')), { status: 'CAPTURED', captured: 25n, released: 35n });
  t.match(last.state('account', account('A')), { held: 0n, ledger: 75n });
  given(...facts)
    .when('capture-hold', capture({ amount: 60n, final: true }))
    .then(t, { type: 'entry-posted', data: { capture: { remaining: '0' } } });
  given(...facts)
    .when(
      'capture-hold',
      capture({
        amount: 50n,
        counterparties: [
          { number: 'B', currency: 'NGN', amount: 30n },
          { number: 'cash', currency: 'NGN', amount: 20n },
        ],
      }),
    )
    .then(t, { type: 'entry-posted' });
  given(...facts)
    .when(
      'capture-hold',
      capture({
        amount: 50n,
        counterparties: [
          { number: 'B', currency: 'NGN', amount: 30n },
          { number: 'cash', currency: 'NGN', amount: 21n },
        ],
      }),
    )
    .refused(t, 'unbalanced', { field: 'counterParties' });
  given(...facts)
    .when('capture-hold', capture({ amount: 50n, counterparties: [{ number: 'B', currency: 'NGN', amount: 49n }] }))
    .refused(t, 'unbalanced');
  given(...facts)
    .when('capture-hold', capture({ counterparties: [] }))
    .refused(t, 'unbalanced');
  given(...facts)
    .when('capture-hold', capture({ amount: 61n }))
    .refused(t, 'hold-amount-exceeded', { field: 'amount', details: { remaining: '0.60' } });
  for (const amount of [0n, -1n])
    given(...facts)
      .when('capture-hold', capture({ amount }))
      .refused(t, 'amount-out-of-range');
  given(...facts)
    .when('capture-hold', capture({ counterparties: [{ number: 'B', currency: 'USD' }] }))
    .refused(t, 'currency-mismatch');
  given(...facts)
    .when('capture-hold', capture({ counterparties: [{ number: 'X', currency: 'NGN' }] }))
    .refused(t, 'account-not-found');
  given(...facts)
    .when('capture-hold', { ...capture(), hold: idOf('nothing') })
    .refused(t, 'hold-not-found', { details: { holdId: idOf('nothing') } });
  given(...facts, tenantSuspended)
    .when('capture-hold', capture())
    .refused(t, 'tenant-suspended');
  // What is on hold is not in its own way, but everything else is.
  given(...funded(100n), held('h', 'A', 60n), held('other', 'A', 40n))
    .when('capture-hold', capture())
    .then(t, { type: 'entry-posted', data: { capture: { held: '40' } } });
  const lien = [...funded(100n), held('h', 'A', 60n, { type: 'LIEN' }), held('other', 'A', 40n)];
  given(...lien)
    .when('capture-hold', capture())
    .then(t, { type: 'entry-posted', data: { capture: { held: '40', liens: '0' } } });
  // Until it expires, not then.
  const expiring = [...funded(100n), held('h', 'A', 60n, { expiresAt: '2026-03-15T12:00:00.000Z' })];
  given(...expiring)
    .at('2026-03-15T11:59:59.999Z')
    .when('capture-hold', capture())
    .then(t, { type: 'entry-posted' });
  given(...expiring)
    .at('2026-03-15T12:00:00.000Z')
    .when('capture-hold', capture())
    .refused(t, 'hold-not-active', { details: { status: 'EXPIRED' } });
  t.end();
});

test('release-hold, release-hold-group, expire-hold', (t) => {
  const released = (name: string, ...facts: Fact[]): Fact[] => [
    ...facts,
    (book) => {
      const hold = book.state('hold', idOf(name));
      const holder = book.state('account', hold.account);
      return {
        type: 'hold-released',
        data: {
          hold: idOf(name),
          account: hold.account,
          amount: String(hold.placed),
          cause: 'released',
          remaining: '0',
          held: String(holder.held - hold.placed),
          liens: '0',
        },
        tags: [`account:${hold.account}`, `hold:${idOf(name)}`],
      };
    },
  ];
  const facts = [...funded(100n), held('h', 'A', 60n)];
  const all = given(...facts)
    .when('release-hold', { hold: idOf('h') })
    .then(t, {
      type: 'hold-released',
      data: { amount: '60', cause: 'released', remaining: '0', held: '0', liens: '0' },
    });
  t.match(all.state('hold', idOf('h')), { status: 'RELEASED', released: 60n });
  const part = given(...facts)
    .when('release-hold', { hold: idOf('h'), amount: 10n })
    .then(t, { type: 'hold-released', data: { amount: '10', remaining: '50', held: '50' } });
  t.match(part.state('hold', idOf('h')), { status: 'ACTIVE', released: 10n });
  given(...funded(100n), held('h', 'A', 60n, { type: 'LIEN' }))
    .when('release-hold', { hold: idOf('h'), amount: 10n })
    .then(t, { type: 'hold-released', data: { held: '0', liens: '50' } });
  given(...facts)
    .when('release-hold', { hold: idOf('h'), amount: 61n })
    .refused(t, 'hold-amount-exceeded', { details: { remaining: '0.60' } });
  for (const amount of [0n, -5n])
    given(...facts)
      .when('release-hold', { hold: idOf('h'), amount })
      .refused(t, 'amount-out-of-range');
  given(...facts)
    .when('release-hold', { hold: idOf('x') })
    .refused(t, 'hold-not-found');
  given(...released('h', ...facts))
    .when('release-hold', { hold: idOf('h') })
    .refused(t, 'hold-not-active', { details: { status: 'RELEASED' } });
  given(...released('h', ...facts))
    .when('capture-hold', { hold: idOf('h'), counterparties: [{ number: 'B', currency: 'NGN' }] })
    .refused(t, 'hold-not-active');

  const group = idOf('group');
  const grouped = [
    ...funded(100n),
    held('g1', 'A', 10n, { group }),
    held('g2', 'A', 20n, { group }),
    held('g3', 'A', 30n, { group: idOf('other group') }),
    held('g4', 'A', 5n),
  ];
  const everything = { group, holds: ['g1', 'g2', 'g3', 'g4', 'g1', 'unknown'].map(idOf) };
  given(...grouped)
    .when('release-hold-group', everything)
    .then(
      t,
      { type: 'hold-released', data: { hold: idOf('g1'), held: '55' } },
      { type: 'hold-released', data: { hold: idOf('g2'), held: '35' } },
    );
  given(...released('g1', ...grouped))
    .when('release-hold-group', everything)
    .then(t, { type: 'hold-released', data: { hold: idOf('g2') } });
  given(...released('g2', ...released('g1', ...grouped)))
    .when('release-hold-group', everything)
    .refused(t, 'hold-not-active', { details: { groupId: group } });

  const expiring = [...funded(100n), held('h', 'A', 60n, { expiresAt: '2026-03-15T12:00:00.000Z' })];
  const expired = given(...expiring)
    .at('2026-03-15T12:00:00.000Z')
    .when('expire-hold', { hold: idOf('h') })
    .then(t, { type: 'hold-released', data: { cause: 'expired', amount: '60' } });
  t.match(expired.state('hold', idOf('h')), { status: 'EXPIRED' });
  given(...expiring)
    .at('2026-03-15T11:59:59.999Z')
    .when('expire-hold', { hold: idOf('h') })
    .then(t);
  given(...facts)
    .at('2030-01-01T00:00:00.000Z')
    .when('expire-hold', { hold: idOf('h') })
    .then(t);
  given(...released('h', ...expiring))
    .at('2030-01-01T00:00:00.000Z')
    .when('expire-hold', { hold: idOf('h') })
    .then(t);
  given(tenant)
    .when('expire-hold', { hold: idOf('x') })
    .then(t);
  t.end();
});

test('tenants', (t) => {
  const roles = SYSTEM_ACCOUNTS.length;
  const opens = (currency: string) =>
    SYSTEM_ACCOUNTS.map(({ role, kind }) => ({
      type: 'account-opened',
      data: {
        number: systemAccountNumber(role, currency),
        account: account(systemAccountNumber(role, currency)),
        systemRole: role,
        kind,
        currency,
        minimumBalance: undefined,
      },
      tags: [`account:${account(systemAccountNumber(role, currency))}`, `tenant:${TENANT}`],
    }));
  const settings = { ...SETTINGS, currencies: ['NGN', 'KWD'] };
  const created = given()
    .when('create-tenant', { slug: 'acme', settings })
    .then(t, { type: 'tenant-created', data: { slug: 'acme', ...settings } }, ...opens('NGN'), ...opens('KWD'));
  t.match(created.state('tenant', TENANT), { status: 'ACTIVE', slug: 'acme', settings, accountSequence: 0 });
  given(tenant).when('create-tenant', { slug: 'acme', settings }).refused(t, 'tenant-exists', { field: 'slug' });
  for (const slug of ['', 'A', '1a', '-a', 'a-', 'a_b', 'a.b', 'ü', 'a'.repeat(64), 'a\n'])
    given().when('create-tenant', { slug, settings }).refused(t, 'invalid-argument', { field: 'slug' });
  t.throws(() => given().when('create-tenant', { slug: 'other', settings }), /own log/, 'in the log of another tenant');
  given()
    .when('create-tenant', { slug: 'acme', settings: { ...settings, currencies: ['NGN', 'XYZ'] } })
    .refused(t, 'invalid-argument', { field: 'currencies' });
  given()
    .when('create-tenant', { slug: 'acme', settings: { ...settings, currencies: ['NGN', 'NGN'] } })
    .refused(t, 'invalid-argument', { field: 'currencies' });
  given()
    .when('create-tenant', { slug: 'acme', settings: { ...settings, baseCurrency: 'USD' } })
    .refused(t, 'invalid-argument', { field: 'baseCurrency' });
  t.equal(tenantIdOf('acme'), TENANT);

  given(tenant)
    .when('update-tenant', { settings: { name: 'New' } })
    .then(t, { type: 'tenant-updated', data: { ...SETTINGS, name: 'New' } });
  given(tenant)
    .when('update-tenant', { settings: { currencies: [...CURRENCIES, 'EUR'] } })
    .then(t, { type: 'tenant-updated' }, ...opens('EUR'));
  given(tenant)
    .when('update-tenant', { settings: { currencies: ['NGN'] } })
    .refused(t, 'invalid-argument', { field: 'currencies', message: /USD, JPY, KWD/ });
  given(tenant)
    .when('update-tenant', { settings: { baseCurrency: 'EUR' } })
    .refused(t, 'invalid-argument', { field: 'baseCurrency' });
  given().when('update-tenant', { settings: {} }).refused(t, 'tenant-not-found');
  given(tenant)
    .when('enable-currencies', { currencies: ['EUR', 'NGN', 'EUR'] })
    .then(t, { type: 'tenant-updated', data: { currencies: [...CURRENCIES, 'EUR'] } }, ...opens('EUR'));
  given(tenant)
    .when('enable-currencies', { currencies: ['NGN'] })
    .then(t);
  given(tenant)
    .when('enable-currencies', { currencies: ['XYZ'] })
    .refused(t, 'invalid-argument');
  given()
    .when('enable-currencies', { currencies: ['EUR'] })
    .refused(t, 'tenant-not-found');
  given(tenant)
    .when('set-tenant-status', { status: 'SUSPENDED', reason: 'fraud' })
    .then(t, { type: 'tenant-status-set', data: { from: 'ACTIVE', to: 'SUSPENDED', reason: 'fraud' } });
  given(tenant, tenantSuspended)
    .when('set-tenant-status', { status: 'ACTIVE', reason: 'ok' })
    .then(t, { type: 'tenant-status-set', data: { from: 'SUSPENDED', to: 'ACTIVE' } });
  given(tenant)
    .when('set-tenant-status', { status: 'ACTIVE', reason: '' })
    .refused(t, 'invalid-state', { field: 'status' });
  given().when('set-tenant-status', { status: 'ACTIVE', reason: '' }).refused(t, 'tenant-not-found');
  t.ok(roles >= 10);
  t.end();
});

test('API tokens', (t) => {
  const issue = {
    token: idOf('t'),
    name: 'till 1',
    roles: ['CASHIER' as const],
    ipAllowList: ['10.0.0.0/8'],
    expiresAt: '2026-03-15T10:00:00.001Z',
  };
  given(tenant)
    .when('issue-api-token', issue)
    .then(t, { type: 'api-token-issued', data: { ...issue, customer: undefined }, tags: [`token:${idOf('t')}`] });
  given(tenant)
    .when('issue-api-token', { ...issue, customer: OWNER })
    .then(t, { type: 'api-token-issued', data: { customer: OWNER } });
  given(tenant)
    .when('issue-api-token', { ...issue, expiresAt: '2026-03-15T10:00:00.000Z' })
    .refused(t, 'invalid-argument', { field: 'expiry' });
  const forAgent = { ...issue, roles: ['AGENT' as const] };
  given(tenant).when('issue-api-token', forAgent).refused(t, 'agent-not-found', { field: 'agentId' });
  given(tenant)
    .when('issue-api-token', { ...forAgent, agent: agentId('lagos') })
    .refused(t, 'agent-not-found');
  given(tenant, agentCreated('lagos'))
    .when('issue-api-token', { ...forAgent, agent: agentId('lagos') })
    .then(t, { type: 'api-token-issued', data: { roles: ['AGENT'], agent: agentId('lagos') } });
  given(tenant, tokenIssued('t')).when('issue-api-token', issue).refused(t, 'invalid-state');
  given().when('issue-api-token', issue).refused(t, 'tenant-not-found');
  given(tenant, tenantSuspended).when('issue-api-token', issue).refused(t, 'tenant-suspended');
  const rotate = { token: idOf('t'), graceUntil: '2026-03-16T00:00:00.000Z' };
  const of = { token: idOf('t') };
  given(tenant, tokenIssued('t')).when('rotate-api-token', rotate).then(t, { type: 'api-token-rotated', data: rotate });
  given(tenant, tokenIssued('t')).when('disable-api-token', of).then(t, { type: 'api-token-disabled' });
  given(tenant, tokenIssued('t')).when('delete-api-token', of).then(t, { type: 'api-token-deleted' });
  const disabled = [tenant, tokenIssued('t'), tokenIs('t', 'disabled')];
  given(...disabled)
    .when('rotate-api-token', rotate)
    .refused(t, 'invalid-state');
  given(...disabled)
    .when('disable-api-token', of)
    .refused(t, 'invalid-state');
  given(...disabled)
    .when('delete-api-token', of)
    .then(t, { type: 'api-token-deleted' });
  for (const facts of [[tenant], [tenant, tokenIssued('t'), tokenIs('t', 'deleted')]]) {
    given(...facts)
      .when('rotate-api-token', rotate)
      .refused(t, 'token-not-found');
    given(...facts)
      .when('disable-api-token', of)
      .refused(t, 'token-not-found');
    given(...facts)
      .when('delete-api-token', of)
      .refused(t, 'token-not-found');
  }
  given(tenant, tokenIssued('t'), tokenIs('t', 'deleted')).when('issue-api-token', issue).refused(t, 'invalid-state');
  t.end();
});

test('who works for an agent moves and sees the money of its customers and its sub-agents’ only', (t) => {
  const owners = { own: 'lagos', below: 'ikeja', other: 'kano' };
  const facts: Fact[] = [
    tenant,
    openedFree('SYS-CASH', { systemRole: 'cash', product: 'SYSTEM' }),
    agentCreated('lagos'),
    agentCreated('ikeja', 'lagos'),
    agentCreated('kano'),
    ...Object.entries(owners).map(([name, agent]) => customerRegistered(name, { agent: agentId(agent) })),
    customerRegistered('principal'),
    ...[...Object.keys(owners), 'principal'].flatMap((name) => [
      opened(name, { owner: personId(name) }),
      moved('SYS-CASH', name, 1_000n, `funding ${name}`),
    ]),
    held('own hold', 'own', 10n, { group: idOf('group') }),
    held('other hold', 'other', 10n, { group: idOf('group') }),
  ];
  const lagos = { subject: 'employee:x', roles: ['AGENT' as const], agentId: agentId('lagos') };
  const ikeja = { ...lagos, agentId: agentId('ikeja') };
  const as = (actor: typeof lagos) => given(...facts).as(actor);
  for (const [from, to] of [
    ['own', 'below'],
    ['below', 'own'],
    ['own', 'SYS-CASH'],
  ] as const) {
    as(lagos)
      .when('post-entries', transfer(from, to, 5n))
      .then(t, { type: 'entry-posted' });
  }
  for (const [from, to] of [
    ['other', 'own'],
    ['own', 'other'],
    ['principal', 'own'],
    ['own', 'nobody’s'],
  ] as const) {
    as(lagos)
      .when('post-entries', transfer(from, to, 5n))
      .refused(t, 'account-not-found');
  }
  as(ikeja)
    .when('post-entries', transfer('own', 'below', 5n))
    .refused(t, 'account-not-found');
  const freeze = { scope: 'ALL' as const, reason: 'r' };
  as(lagos)
    .when('freeze-account', { account: account('below'), ...freeze })
    .then(t, { type: 'account-frozen' });
  as(lagos)
    .when('freeze-account', { account: account('other'), ...freeze })
    .refused(t, 'account-not-found');
  as(lagos)
    .when('release-hold', { hold: idOf('own hold') })
    .then(t, { type: 'hold-released' });
  as(lagos)
    .when('release-hold', { hold: idOf('other hold') })
    .refused(t, 'hold-not-found');
  as(lagos)
    .when('release-hold-group', { group: idOf('group'), holds: [idOf('own hold'), idOf('other hold')] })
    .then(t, { type: 'hold-released', data: { hold: idOf('own hold') } });
  const open = { currency: 'NGN', product: 'WALLET', name: 'Main' };
  as(lagos)
    .when('open-account', { ...open, owner: personId('below') })
    .then(t, { type: 'account-opened' });
  for (const name of ['other', 'principal', 'nobody']) {
    as(lagos)
      .when('open-account', { ...open, owner: personId(name) })
      .refused(t, 'customer-not-found', { field: 'ownerId' });
  }
  given(...facts, customerErased('principal'))
    .when('open-account', { ...open, owner: personId('principal') })
    .refused(t, 'customer-not-found');
  t.end();
});

test('no refusal that a decider can give was left out', (t) => {
  const codes = refusalsIn((name) => !isAboutPeople(name) && !isAboutLending(name));
  t.ok(codes.length > 25, `${codes.length} codes in the deciders`);
  t.same(
    codes.filter((code) => !refusalsMet.has(code)),
    [],
    'met by a scenario',
  );
  t.same(
    codes.filter((code) => !(REFUSAL_CODES as readonly string[]).includes(code)),
    [],
  );
  t.end();
});
