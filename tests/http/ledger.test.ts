import t from 'tap';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { MAX_INSTRUCTIONS } from '../../http/ledger/posting-instruction.js';
import { type Answered, HttpWorld, transfer } from '../support/http-world.js';

const V6 = '/api/v6/services';
const POST = `${V6}/gateway/post-account`;
const MAINTENANCE = `${V6}/account-maintenance`;

interface Entry {
  readonly accountId: string;
  readonly transactionId: string;
  readonly newBalance: number;
  readonly externalCorrelationId: string;
}
interface Posting {
  readonly postingGroupId: string;
  readonly replayed: boolean;
  readonly status: string;
  readonly errorCode?: string;
  readonly entries: readonly Entry[];
}

const say = (answer: Answered): string =>
  `${answer.status} ${answer.json.errorCode ?? ''} ${answer.json.errors?.[0]?.code ?? ''}`.trim();
const postings = (answer: Answered): readonly Posting[] => answer.json.data as Posting[];

async function balanceOf(world: HttpWorld, accountId: string = EXAMPLE.accountId): Promise<number> {
  return ((await world.send(`${V6}/ledger/account-balance/${accountId}`)).json.data as { accountBalance: number })
    .accountBalance;
}

t.test('a posting and its answer', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const before = await balanceOf(world);
  const instruction = {
    ...transfer(0),
    counterParties: [
      { accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN', amount: '1000.10', narration: 'own words' },
      { accountNumber: 'SYS-FEE-INCOME-NGN', currencyCode: 'NGN', amount: 0.4 },
    ],
    narration: 'School fees',
    paymentReference: 'INV-1',
    valueDate: '20/11/2026',
    instructionIdempotencykey: 'first',
  };
  const headers = { 'x-fapi-interaction-id': 'interaction-1' };
  const answer = await world.send(POST, { body: [instruction], headers });
  t.equal(answer.status, 200);
  const [posting] = postings(answer);
  t.match(posting, {
    ...{
      instructionIdempotencykey: 'first',
      status: 'PAID',
      replayed: false,
      kind: 'posting',
      valueDate: '2026-11-20',
    },
    entries: [
      {
        ledgerType: 'DEBIT',
        transactionAmount: 1000.5,
        previousAccountBalance: before,
        newBalance: before - 1000.5,
        narration: 'School fees',
      },
      { ledgerType: 'CREDIT', transactionAmount: 1000.1, narration: 'own words' },
      { ledgerType: 'CREDIT', transactionAmount: 0.4, accountId: world.account('SYS-FEE-INCOME-NGN') },
    ],
  });
  const [debit] = posting?.entries ?? [];
  t.match(debit, {
    ...{
      idempotencyKey: 'first',
      externalCorrelationId: 'interaction-1',
      postingGroupId: posting?.postingGroupId,
      status: 'PAID',
    },
    ...{
      paymentReference: 'INV-1',
      actionPerformedByUser: /^token:/,
      executionDate: /Z$/,
      accountId: EXAMPLE.accountId,
      currencyCode: 'NGN',
    },
  });
  t.equal(await balanceOf(world), before - 1000.5);

  await t.test('is found by account, interaction, key and group', async (t) => {
    const only = (found: Answered) =>
      (found.json.data as { entries: Entry[] }).entries.map(({ transactionId }) => transactionId);
    const all = posting?.entries.map(({ transactionId }) => transactionId) ?? [];
    const ledger = `${V6}/ledger`;
    t.same(only(await world.send(`${ledger}/account-ledger-history-interaction-id`, { headers })), all, 'by header');
    t.same(only(await world.send(`${ledger}/account-ledger-history-interaction-id?interactionId=interaction-1`)), all);
    t.same(
      only(
        await world.send(`${ledger}/account-ledger-history-idempotency-key`, {
          headers: { 'x-idempotency-key': 'first' },
        }),
      ),
      all,
    );
    t.same(only(await world.send(`${ledger}/account-ledger-history-idempotency-key?idempotencyKey=first`)), all);
    t.same(only(await world.send(`${ledger}/posting-group/${posting?.postingGroupId}`)), all);
    t.equal(say(await world.send(`${ledger}/account-ledger-history-idempotency-key`)), '422 VALIDATION_ERROR REQUIRED');
    t.equal(
      only(await world.send(`${ledger}/account-ledger-history/${EXAMPLE.accountId}/0/1`))[0],
      all[0],
      'pages of the path from 0',
    );
    const second = await world.send(`${ledger}/account-ledger-history/${EXAMPLE.accountId}?page=2&size=1`);
    t.match(second.json.data, { page: 2, size: 1, totalElements: 2, totalPages: 2 });
    t.match((await world.send(`${ledger}/account-ledger-history/${EXAMPLE.accountId}/1/1`)).json.data, {
      page: 1,
      entries: only(second).map((transactionId) => ({ transactionId })),
    });
    t.equal(
      only(
        await world.send(`${ledger}/account-ledger-history/${EXAMPLE.accountId}?ledgerType=CREDIT&fromDate=2026-11-21`),
      ).length,
      1,
    );
    t.match((await world.send(`${ledger}/account-ledger-history/${EXAMPLE.accountId}?size=5000`)).json.data, {
      size: 100,
    });
  });

  await t.test('in the wrappers of the documents, and with clean spellings', async (t) => {
    const { counterParties, instructionIdempotencykey: _, ...rest } = transfer(1);
    const clean = { ...rest, counterparties: counterParties, instructionIdempotencyKey: 'clean' };
    t.equal((await world.send(POST, { body: { accountPostings: [clean] } })).status, 200);
    t.equal((await world.send(POST, { body: { data: [transfer(1)], metadata: {} } })).status, 200);
    t.equal(
      say(await world.send(POST, { body: [{ ...transfer(1), instructionIdempotencyKey: 'differs' }] })),
      '422 VALIDATION_ERROR UNKNOWN_MEMBER',
    );
  });
});

t.test('an array is one commit', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const before = await balanceOf(world);
  const broken = transfer(1, { primaryAccountNumber: '0000000000' });
  const refused = await world.send(POST, { body: [transfer(1), broken, transfer(2)] });
  t.equal(say(refused), '404 ACCOUNT_NOT_FOUND ACCOUNT_NOT_FOUND');
  t.equal(refused.json.errors?.[0]?.field, '1');
  t.equal(await balanceOf(world), before, 'nothing of it was posted');
  const answer = await world.send(POST, { body: [transfer(1), transfer(2), transfer(3)] });
  t.equal(postings(answer).length, 3);
  t.same(
    postings(answer).map(({ entries }) => entries[0]?.newBalance),
    [before - 1, before - 3, before - 6],
    'in order',
  );
  t.equal(say(await world.send(POST, { body: [] })), '422 VALIDATION_ERROR TOO_SHORT');
  t.equal(
    say(await world.send(POST, { body: Array.from({ length: MAX_INSTRUCTIONS + 1 }, () => transfer(1)) })),
    '422 VALIDATION_ERROR TOO_LONG',
  );

  await t.test('unless each is to stand by itself', async (t) => {
    const mixed = await world.send(`${POST}?mode=independent`, {
      body: [transfer(1), transfer(1, { primaryAccountNumber: '0000000000' }), transfer(10 ** 12)],
    });
    t.equal(mixed.status, 200);
    t.same(
      postings(mixed).map(({ status, errorCode = '' }) => `${status} ${errorCode}`.trim()),
      ['PAID', 'FAILED ACCOUNT_NOT_FOUND', 'FAILED INSUFFICIENT_FUNDS'],
    );
    t.equal(await balanceOf(world), before - 7);
  });
});

t.test('idempotency', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const before = await balanceOf(world);
  const data = (answer: Answered) => JSON.stringify(answer.json.data);

  await t.test('of an instruction, by its own key', async (t) => {
    const instruction = transfer(10, { instructionIdempotencykey: 'i-1' });
    const first = await world.send(POST, { body: [instruction] });
    const second = await world.send(POST, { body: [instruction, transfer(5, { instructionIdempotencykey: 'i-2' })] });
    t.same(
      postings(second).map(({ replayed }) => replayed),
      [true, false],
    );
    t.equal(postings(second)[0]?.postingGroupId, postings(first)[0]?.postingGroupId);
    t.equal(await balanceOf(world), before - 15);
    t.equal(
      (await world.send(POST, { body: [transfer('10.00', { instructionIdempotencykey: 'i-1' })] })).status,
      200,
      'the same amount in other digits',
    );
    const reused = await world.send(POST, { body: [transfer(11, { instructionIdempotencykey: 'i-1' })] });
    t.equal(say(reused), '409 IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_REUSED');
    t.equal(reused.json.errors?.[0]?.field, 'instructionIdempotencykey');
    t.equal(
      say(await world.send(POST, { body: [instruction] }, 'CASHIER')),
      '409 IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_REUSED',
      "another caller's",
    );
    t.equal(await balanceOf(world), before - 15);
  });

  await t.test('of a request, by a header in three spellings', async (t) => {
    const start = await balanceOf(world);
    const body = [transfer(1), transfer(2)];
    const first = await world.send(POST, { body, headers: { 'Idempotency-Key': 'r-1' } });
    t.equal(first.headers['idempotency-replayed'], undefined);
    for (const name of ['Idempotency-Key', 'X-Idempotency-Key', 'x-idempotency-key']) {
      const again = await world.send(POST, { body, headers: { [name]: 'r-1' } });
      t.equal(again.headers['idempotency-replayed'], 'true', name);
      t.equal(again.status, first.status);
      t.equal(data(again), data(first));
    }
    t.equal(await balanceOf(world), start - 3);
    const other = await world.send(POST, { body: [transfer(3)], headers: { 'Idempotency-Key': 'r-1' } });
    t.equal(say(other), '409 IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_REUSED');
    t.equal(
      (await world.send(POST, { body: [transfer(1)], headers: { 'Idempotency-Key': 'r-1' } }, 'MANAGER', 'other'))
        .status,
      200,
      'keys are of a tenant',
    );
  });

  await t.test('white space and the order of members are no difference', async (t) => {
    const path = `${V6}/ledger/journal-entries`;
    const lines = [
      { accountNumber: EXAMPLE.accountNumber, currencyCode: 'NGN', ledgerType: 'DEBIT', amount: 1 },
      { accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN', ledgerType: 'CREDIT', amount: 1 },
    ];
    const headers = { 'Idempotency-Key': 'j-1' };
    const first = await world.send(path, { body: { narration: 'n', lines }, headers });
    const again = await world.send(path, { body: JSON.stringify({ lines, narration: 'n' }, null, 2), headers });
    t.same([first.status, again.status, again.headers['idempotency-replayed']], [201, 201, 'true']);
    t.equal(data(first), data(again));
  });

  await t.test('a refusal of money is remembered too', async (t) => {
    const huge = transfer(10 ** 9, { instructionIdempotencykey: 'poor' });
    t.equal(say(await world.send(POST, { body: [huge] })), '422 INSUFFICIENT_FUNDS INSUFFICIENT_FUNDS');
    await world.fund(EXAMPLE.accountNumber, 'NGN', 10n ** 12n);
    const again = await world.send(POST, { body: [huge] });
    t.equal(say(again), '422 INSUFFICIENT_FUNDS INSUFFICIENT_FUNDS');
    t.equal(again.headers['idempotency-replayed'], 'true');
    t.match(again.json.errors?.[0]?.details, { accountNumber: EXAMPLE.accountNumber, currencyCode: 'NGN' });
  });

  await t.test('at the same moment', async (t) => {
    const start = await balanceOf(world);
    const instruction = transfer(7, { instructionIdempotencykey: 'race' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.send(POST, { body: [instruction] })));
    t.same(new Set(answers.map((answer) => postings(answer)[0]?.postingGroupId)).size, 1);
    t.equal(answers.filter((answer) => !postings(answer)[0]?.replayed).length, 1);
    t.equal(await balanceOf(world), start - 7);
  });

  await t.test('of a state change by GET; on a query the key is ignored', async (t) => {
    const path = `${MAINTENANCE}/change-account-permission/${EXAMPLE.spareId}/CREDIT_ONLY`;
    const headers = { 'Idempotency-Key': 'g-1' };
    t.equal((await world.send(path, { headers })).status, 200);
    t.equal((await world.send(path, { headers })).headers['idempotency-replayed'], 'true');
    t.equal(
      say(await world.send(`${MAINTENANCE}/change-account-permission/${EXAMPLE.spareId}/READ_ONLY`, { headers })),
      '409 IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_REUSED',
    );
    t.equal((await world.send(`${MAINTENANCE}/account/${EXAMPLE.spareId}`, { headers })).status, 200);
  });
});

t.test('money is exact at the edge', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const post = async (amount: string, currency = 'NGN', number: string = EXAMPLE.accountNumber) => {
    const text = JSON.stringify([
      {
        ...transfer('AMOUNT'),
        primaryAccountNumber: number,
        currencyCode: currency,
        counterParties: [{ accountNumber: `SYS-SUSPENSE-${currency}`, currencyCode: currency, amount: 'AMOUNT' }],
      },
    ]);
    return say(await world.send(POST, { body: text.replace('"AMOUNT"', amount) }));
  };
  const invalid = (code: string) => `422 VALIDATION_ERROR ${code}`;
  t.equal(await post('0.30'), '200');
  t.equal(await post('"24.240"'), '200');
  t.equal(await post('0.30000000000000004'), invalid('TOO_MANY_DECIMALS'), '0.1 + 0.2');
  t.equal(await post('1e400'), invalid('INVALID_AMOUNT'));
  t.equal(await post('1e2'), invalid('INVALID_AMOUNT'));
  t.equal(await post('0.001'), invalid('TOO_MANY_DECIMALS'));
  t.equal(await post('1', 'JPY', 'JPY-1'), '200');
  t.equal(await post('1.5', 'JPY', 'JPY-1'), invalid('TOO_MANY_DECIMALS'));
  t.equal(await post('1.005', 'KWD', 'KWD-1'), '200');
  t.equal(await post('1.0005', 'KWD', 'KWD-1'), invalid('TOO_MANY_DECIMALS'));
  t.equal(await post('99999999999999999999999999'), invalid('AMOUNT_TOO_LARGE'));
  t.equal(await post('999999999999999999999'), '422 INSUFFICIENT_FUNDS INSUFFICIENT_FUNDS', 'large, but an amount');
  for (const amount of ['0', '-1', '"-0.01"']) t.equal(await post(amount), invalid('AMOUNT_OUT_OF_RANGE'), amount);
  for (const amount of ['null', 'true', '[]', '{}']) t.equal(await post(amount), invalid('INVALID_TYPE'), amount);
  t.equal(await post('1', 'XXY'), invalid('UNKNOWN_CURRENCY'));
  t.equal(await post('1', 'USD'), '422 CURRENCY_MISMATCH CURRENCY_MISMATCH');
});

t.test('overdraft and authority', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const forced = (mode: string) =>
    transfer(200_000, { insufficientFundHandler: { insufficientFundAuthorizationMode: mode } });
  t.equal(
    say(await world.send(POST, { body: [forced('ON_AVAILABLE_BALANCE')] })),
    '422 INSUFFICIENT_FUNDS INSUFFICIENT_FUNDS',
  );
  t.equal(
    say(await world.send(POST, { body: [forced('FORCE_ON_UNARRANGED_OVERDRAFT')] }, 'AGENT')),
    '403 FORBIDDEN AUTHORITY_REQUIRED',
  );
  t.equal(say(await world.send(POST, { body: [forced('FORCE_ON_UNARRANGED_OVERDRAFT')] }, 'CASHIER')), '200');
  const limit = await world.send(`${MAINTENANCE}/overdraft-limit/${EXAMPLE.accountId}`, {
    method: 'PUT',
    body: { overdraftLimit: '250000' },
  });
  t.match(limit.json.data, {
    ...{ accountBalance: -100_000, availableBalance: -100_000, overDraftLimit: 250_000 },
    ...{ newOverDraftBalance: 100_000, availableOverdraft: 150_000, spendableBalance: 150_000 },
  });
  t.equal(say(await world.send(POST, { body: [transfer(150_000)] })), '200');
  t.equal(say(await world.send(POST, { body: [transfer(0.01)] })), '422 INSUFFICIENT_FUNDS INSUFFICIENT_FUNDS');
  const limits = await world.send(`${MAINTENANCE}/balance-limits/${EXAMPLE.accountId}`, {
    method: 'PUT',
    body: { minimumBalance: null, maximumBalance: '1000' },
  });
  t.match(limits.json.data, { minimumBalance: null, maximumBalance: 1000, spendableBalance: null });
  t.equal(
    say(await world.send(`${MAINTENANCE}/balance-limits/${EXAMPLE.accountId}`, { method: 'PUT', body: {} })),
    '422 VALIDATION_ERROR REQUIRED',
  );
});

t.test('the life of an account', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const open = (body: Record<string, unknown>) =>
    world.send(`${MAINTENANCE}/open-account`, {
      body: { ownerId: EXAMPLE.ownerId, currencyCode: 'KWD', productCode: 'WALLET', accountName: 'New', ...body },
    });
  const opened = await open({ maximumBalance: '1.500' });
  t.equal(opened.status, 201);
  const { accountId, accountNumber } = opened.json.data as { accountId: string; accountNumber: string };
  t.match(opened.json.data, {
    accountBalance: 0,
    maximumBalance: 1.5,
    accountStatus: 'ACTIVATED',
    permission: 'FULL_ACCESS',
    kind: 'LIABILITY',
  });
  t.match(accountNumber, /^\d{10}$/);
  const found = await world.send(`${MAINTENANCE}/account/${accountId}`, {
    headers: { 'X-Min-Position': String(opened.headers['x-position']) },
  });
  t.same(found.json.data, opened.json.data, 'what was answered is what is read');
  t.equal(say(await open({ accountNumber })), '422 VALIDATION_ERROR DUPLICATE');
  t.equal(say(await open({ productCode: 'NONE' })), '422 VALIDATION_ERROR PRODUCT_UNKNOWN');
  t.equal(say(await open({ currencyCode: 'EUR' })), '422 VALIDATION_ERROR CURRENCY_NOT_ENABLED');
  t.equal(say(await open({ accountNumber: '\u202e' })), '422 VALIDATION_ERROR INVALID_FORMAT');

  const change = (what: string, body?: unknown) =>
    world.send(`${MAINTENANCE}/${what}/${accountId}`, { method: 'PUT', ...(body === undefined ? {} : { body }) });
  t.match((await change('freeze-account', { scope: 'ALL', reason: 'r' })).json.data, { frozen: 'ALL' });
  t.equal(
    say(await change('freeze-account', { scope: 'ALL', reason: 'r' })),
    '409 INVALID_STATE_TRANSITION INVALID_STATE',
  );
  t.match((await change('unfreeze-account')).json.data, { frozen: null });
  t.match((await change('close-account', { reason: 'r' })).json.data, { accountStatus: 'CLOSED' });
  t.equal(say(await change('close-account')), '422 ACCOUNT_NOT_USABLE ACCOUNT_CLOSED');
});

t.test('holds: one, a group, captured in parts, released', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const HOLDS = `${V6}/ledger/holds`;
  const hold = (amount: unknown, more: Record<string, unknown> = {}) => ({
    accountId: EXAMPLE.accountId,
    amount,
    currencyCode: 'NGN',
    type: 'HOLD',
    reason: 'r',
    ...more,
  });
  const placed = await world.send(HOLDS, { body: hold('100.00', { expiresAt: '2099-01-01' }) });
  t.equal(placed.status, 201);
  const { holdId } = placed.json.data as { holdId: string };
  t.match(placed.json.data, {
    amount: 100,
    remainingAmount: 100,
    status: 'ACTIVE',
    totalHoldAmount: 100,
    groupId: null,
    expiresAt: '2099-01-01T00:00:00.000Z',
  });
  const act = (what: string, body?: unknown, id = holdId) =>
    world.send(`${HOLDS}/${id}/${what}`, { method: 'POST', ...(body === undefined ? {} : { body }) });
  const counterParties = [{ accountNumber: EXAMPLE.counterpartyNumber, currencyCode: 'NGN' }];
  const captured = await act('capture', { amount: 30, counterParties });
  t.match(captured.json.data, {
    kind: 'capture',
    entries: [{ transactionAmount: 30 }, {}],
    hold: { capturedAmount: 30, remainingAmount: 70, status: 'ACTIVE', totalHoldAmount: 70 },
  });
  t.match((await act('release', { amount: 20 })).json.data, {
    remainingAmount: 50,
    capturedAmount: 30,
    releasedAmount: 20,
    status: 'ACTIVE',
    totalHoldAmount: 50,
  });
  t.equal(say(await act('release', { amount: 51 })), '422 VALIDATION_ERROR HOLD_AMOUNT_EXCEEDED');
  t.match((await act('capture', { amount: 10, counterParties, final: true })).json.data, {
    hold: { remainingAmount: 0, status: 'CAPTURED', totalHoldAmount: 0 },
  });
  t.equal(say(await act('release')), '409 INVALID_STATE_TRANSITION HOLD_NOT_ACTIVE');
  t.equal(say(await act('release', undefined, EXAMPLE.holdId)), '404 NOT_FOUND');
  t.equal(
    say(await act('capture', { counterParties: [...counterParties, ...counterParties] }, holdId)),
    '422 VALIDATION_ERROR REQUIRED',
  );

  const group = await world.send(HOLDS, { body: { holds: [hold(1), hold(2, { type: 'LIEN' })] } });
  const { groupId, holds } = group.json.data as { groupId: string; holds: unknown[] };
  t.equal(holds.length, 2);
  t.match((await world.send(`${HOLDS}?groupId=${groupId}`)).json.data, { totalElements: 2 });
  const released = await world.send(`${V6}/ledger/hold-groups/${groupId}/release`, { method: 'POST' });
  t.match(released.json.data, {
    groupId,
    holds: [{ status: 'RELEASED' }, { status: 'RELEASED', totalHoldAmount: 0, totalLienAmount: 0 }],
  });
  t.equal(
    say(await world.send(`${V6}/ledger/hold-groups/${groupId}/release`, { method: 'POST' })),
    '409 INVALID_STATE_TRANSITION HOLD_NOT_ACTIVE',
  );
  t.equal(say(await world.send(HOLDS, { body: hold(10 ** 9) })), '422 INSUFFICIENT_FUNDS INSUFFICIENT_FUNDS');
  const { json } = await world.send(HOLDS, { body: { holds: [hold(1), { ...hold(1), type: 'GRIP' }] } });
  t.match(json.errors, [{ field: 'holds.1.type', code: 'INVALID_VALUE' }], 'errors of a group name the hold');
  t.match((await world.send(HOLDS, { body: { ...hold(1), amount: undefined } })).json.errors, [
    { field: 'amount', code: 'REQUIRED' },
  ]);
});

t.test('journal entries, exchange and reversal', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const line = (accountNumber: string, ledgerType: string, amount: unknown, currencyCode = 'NGN') => ({
    accountNumber,
    ledgerType,
    amount,
    currencyCode,
  });
  const JOURNAL = `${V6}/ledger/journal-entries`;
  const lines = [
    line(EXAMPLE.accountNumber, 'DEBIT', 10),
    line(EXAMPLE.counterpartyNumber, 'CREDIT', 6),
    line(EXAMPLE.counterpartyNumber, 'CREDIT', 4),
  ];
  const journal = await world.send(JOURNAL, { body: { lines } });
  t.equal(journal.status, 201);
  t.equal((journal.json.data as Posting).entries.length, 3);
  t.equal(say(await world.send(JOURNAL, { body: { lines: lines.slice(0, 2) } })), '422 VALIDATION_ERROR UNBALANCED');
  t.equal(say(await world.send(JOURNAL, { body: { lines: lines.slice(0, 1) } })), '422 VALIDATION_ERROR TOO_SHORT');

  const fx = {
    sourceAccountNumber: EXAMPLE.accountNumber,
    sourceCurrencyCode: 'NGN',
    targetAccountNumber: EXAMPLE.dollarNumber,
    targetCurrencyCode: 'USD',
    amount: 1000,
  };
  const exchanged = await world.send(`${V6}/gateway/post-fx`, { body: { ...fx, rate: '0.000655' } });
  t.match(exchanged.json.data, {
    kind: 'fx',
    rate: '0.000655',
    entries: [{}, {}, {}, { currencyCode: 'USD', transactionAmount: 0.66, accountId: EXAMPLE.dollarId }],
  });
  t.equal((await world.send(`${V6}/gateway/post-fx`, { body: { ...fx, counterAmount: '0.66' } })).status, 201);
  t.equal(say(await world.send(`${V6}/gateway/post-fx`, { body: fx })), '422 VALIDATION_ERROR REQUIRED');
  for (const rate of ['1e3', '-1', 'x', 1e-9])
    t.equal((await world.send(`${V6}/gateway/post-fx`, { body: { ...fx, rate } })).status, 422, String(rate));

  const reverse = (id: string, body: unknown) => world.send(`${V6}/gateway/reverse-posting/${id}`, { body });
  const { postingGroupId, entries } = journal.json.data as Posting;
  const parts = [entries[0], entries[1]].map((entry) => ({ transactionId: entry?.transactionId, amount: 6 }));
  t.equal(
    say(await reverse(postingGroupId, { reason: 'r', lines: [{ ...parts[0], amount: 5 }, parts[1]] })),
    '422 VALIDATION_ERROR UNBALANCED',
  );
  t.equal(
    say(
      await reverse(postingGroupId, { reason: 'r', lines: [parts[0], { transactionId: EXAMPLE.entryId, amount: 6 }] }),
    ),
    '422 VALIDATION_ERROR UNKNOWN',
  );
  t.match((await reverse(postingGroupId, { reason: 'r', lines: parts })).json.data, {
    kind: 'reversal',
    reverses: postingGroupId,
    entries: [{ ledgerType: 'CREDIT' }, {}],
  });
  t.equal(say(await reverse(postingGroupId, { reason: 'r' })), '409 INVALID_STATE_TRANSITION ALREADY_REVERSED');
  t.match((await world.send(`${V6}/ledger/posting-group/${postingGroupId}`)).json.data, {
    status: 'REVERSED',
    entries: [{ status: 'REVERSED' }, {}, {}],
  });
  const [two] = postings(await world.send(POST, { body: [transfer(9)] }));
  t.match((await reverse(two?.postingGroupId ?? '', { reason: 'half', amount: '4.50' })).json.data, {
    entries: [{ transactionAmount: 4.5 }, {}],
  });
  t.equal(say(await reverse(EXAMPLE.entryId, { reason: 'r' })), '404 NOT_FOUND ENTRY_NOT_FOUND');
});

t.test('books: trial balance, statements, why a balance is what it is', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  await world.send(POST, {
    body: [transfer(1, { valueDate: '2026-01-05', narration: '=1+1' }), transfer(2, { valueDate: '2026-02-05' })],
  });
  const trial = (await world.send(`${V6}/ledger/trial-balance?currency=NGN`)).json.data as {
    totals: Array<{ balanced: boolean; totalDebits: number; totalCredits: number }>;
  };
  t.match(trial.totals, [{ balanced: true }]);
  t.equal(trial.totals[0]?.totalDebits, trial.totals[0]?.totalCredits);

  const path = `${V6}/ledger/account-statement/${EXAMPLE.accountId}?fromDate=2026-01-01&toDate=2026-01-31`;
  t.match((await world.send(path)).json.data, {
    openingBalance: 0,
    closingBalance: -1,
    totalDebits: 1,
    totalCredits: 0,
    entries: [{ transactionAmount: 1 }],
  });
  const csv = await world.send(`${path}&format=csv`);
  t.match(csv.headers, {
    'content-type': /^text\/csv/,
    'content-disposition': 'attachment; filename="statement-1234567890-2026-01-01-2026-01-31.csv"',
  });
  t.match(csv.text, /'=1\+1/);
  const pdf = await world.send(`${path}&format=pdf`);
  t.equal(pdf.headers['content-type'], 'application/pdf');
  t.match(pdf.text, /^%PDF-/);
  t.equal(
    say(await world.send(path.replace('toDate=2026-01-31', 'toDate=2025-01-31'))),
    '422 VALIDATION_ERROR INVALID_RANGE',
  );
  t.equal(say(await world.send(`${path}&format=xls`)), '422 VALIDATION_ERROR INVALID_VALUE');

  const explain = `${V6}/ledger/balance-explanation/${EXAMPLE.accountId}`;
  t.match((await world.send(`${explain}?valueDate=2026-01-31`)).json.data, {
    accountBalance: -1,
    entryCount: 1,
    entries: [{ narration: '=1+1' }],
  });
  t.match((await world.send(`${explain}?recordedAt=2020-01-01T00:00:00Z`)).json.data, {
    accountBalance: 0,
    entryCount: 0,
    entries: [],
  });
  t.match((await world.send(explain)).json.data, { accountBalance: 99_997, entryCount: 3 });
});

t.test('audit', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const AUDIT = `${V6}/audit`;
  await world.send(POST, { body: [transfer(1)] });
  const events = await world.send(`${AUDIT}/events?type=entry-posted&size=1`);
  t.match(events.json.data, { events: [{ type: 'entry-posted', actor: /^token:/, hash: /^[0-9a-f]{64}$/ }], size: 1 });
  const { revision } = (events.json.data as { events: Array<{ revision: number }> }).events[0] ?? { revision: -1 };
  t.match((await world.send(`${AUDIT}/events/account/${EXAMPLE.accountId}`)).json.data, {
    events: [{ type: 'account-opened' }, { type: 'entry-posted' }, {}],
    totalElements: 3,
  });
  const replay = `${AUDIT}/replay/account/${EXAMPLE.accountId}`;
  t.match((await world.send(replay)).json.data, { aggregateType: 'account', events: 3, state: { ledger: '9999900' } });
  t.match((await world.send(`${replay}?revision=${revision - 1}`)).json.data, { state: { ledger: '10000000' } });
  t.equal(say(await world.send(`${replay}?at=2020-01-01`)), '404 NOT_FOUND');
  t.equal(say(await world.send(`${replay}?at=2020-01-01&revision=1`)), '422 VALIDATION_ERROR AMBIGUOUS');
  t.equal((await world.send(`${AUDIT}/replay/nonsense/x`)).status, 404);
  t.equal((await world.send(`${AUDIT}/replay/Account/x`)).status, 422);
  t.match((await world.send(`${AUDIT}/verify-chain`)).json.data, { ok: true, checkedFrom: 0, checkedTo: revision });
  t.equal(say(await world.send(`${AUDIT}/verify-chain?from=5&to=4`)), '422 VALIDATION_ERROR INVALID_RANGE');
});

t.test('tenants', async (t) => {
  const world = await HttpWorld.open();
  t.teardown(() => world.close());
  const TENANTS = `${V6}/admin/tenants`;
  const send = (path: string, sent: Parameters<HttpWorld['send']>[1] = {}) =>
    world.send(`${TENANTS}${path}`, sent, 'MANAGER', 'root');
  const created = await send('', {
    body: { slug: 'acme', name: 'Acme', baseCurrency: 'GBP', domains: ['Pay.Acme.Example'] },
  });
  t.equal(created.status, 201);
  const { tenantId } = created.json.data as { tenantId: string };
  t.match(created.json.data, { slug: 'acme', currencies: ['GBP'], domains: ['pay.acme.example'], status: 'ACTIVE' });
  t.same((await send(`/${tenantId}`)).json.data, created.json.data);
  t.equal(
    say(await send('', { body: { slug: 'acme', name: 'Acme', baseCurrency: 'GBP' } })),
    '422 VALIDATION_ERROR DUPLICATE',
  );
  t.equal(
    say(await send('', { body: { slug: 'acme2', name: 'Acme', baseCurrency: 'GBP', domains: ['pay.acme.example'] } })),
    '422 VALIDATION_ERROR DUPLICATE',
  );
  t.equal(
    say(await send('', { body: { slug: 'Acme!', name: 'Acme', baseCurrency: 'GBP' } })),
    '422 VALIDATION_ERROR INVALID_FORMAT',
  );
  const updated = await send(`/${tenantId}`, { method: 'PUT', body: { name: 'Acme Ltd', currencies: ['GBP', 'EUR'] } });
  t.match(updated.json.data, { name: 'Acme Ltd', currencies: ['GBP', 'EUR'], domains: ['pay.acme.example'] });
  t.equal(
    say(await send(`/${tenantId}`, { method: 'PUT', body: { currencies: ['EUR'], baseCurrency: 'EUR' } })),
    '422 VALIDATION_ERROR INVALID_ARGUMENT',
  );
  t.match(
    (await send(`/${tenantId}/status`, { method: 'PUT', body: { status: 'SUSPENDED', reason: 'r' } })).json.data,
    { status: 'SUSPENDED' },
  );
  t.equal(
    say(await send(`/${tenantId}/status`, { method: 'PUT', body: { status: 'SUSPENDED', reason: 'r' } })),
    '409 INVALID_STATE_TRANSITION INVALID_STATE',
  );
  t.match((await send('?size=2')).json.data, { totalElements: 4, totalPages: 2 });
  t.equal(say(await send(`/${EXAMPLE.holdId}`)), '404 NOT_FOUND');
  t.equal(
    (
      await send('', {
        body: `{"slug":"p","name":"P","baseCurrency":"GBP","branding":{"__proto__":"x","constructor":"y"}}`,
      })
    ).status < 500,
    true,
  );
});
