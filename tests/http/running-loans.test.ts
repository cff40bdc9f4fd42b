import t, { type Test } from 'tap';
import { loanWalletNumber } from '../../domain/loan/decide-disbursement.js';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { SECRETS } from '../../http/auth/examples.js';
import { PEOPLE } from '../../http/ciam/examples.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { LOANS } from '../../http/lending/examples.js';
import { ENDPOINTS, routesOf } from '../../http/registry.js';
import { systemClock } from '../../infrastructure/system/clock.js';
import { type Answered, HttpWorld, OTHER_OWNER } from '../support/http-world.js';
import {
  ADMIN,
  type LoanMade,
  type Stage,
  USER,
  activeProduct,
  dataOf,
  disbursed,
  fundWallet,
  loanAt,
  reported,
  requested,
  send,
  verified,
} from '../support/lending-steps.js';

/** Loans from the decision to the last recovery, over HTTP. The engine's figures have tests of their own. */
const DEMO = tenantIdOf('demo');
const RANDOM = '01234567-89ab-4cde-8f01-23456789abcd';
const TODAY = '2026-11-22';

type Data = Record<string, unknown>;
const shown = (answer: Answered): Data => answer.json.data as Data;
const listed = (answer: Answered): Data[] => answer.json.data as Data[];
const say = ({ status, json }: Answered): string =>
  [status, json.errorCode ?? '', ...(json.errors ?? []).map(({ field, code }) => `${field}:${code}`)].join(' ').trim();
const pageOf = ({ json }: Answered): unknown => (json.metadata as { page?: unknown } | undefined)?.page;

/** A clock that stands where it is put. */
function movableClock() {
  return {
    ...systemClock,
    now: Date.parse(`${TODAY}T10:30:00Z`),
    nowMs() {
      return this.now;
    },
    on(day: string) {
      this.now = Date.parse(`${day}T10:30:00Z`);
    },
  };
}

async function worldOn(t: Test) {
  const clock = movableClock();
  const world = await HttpWorld.open({ clock });
  t.teardown(() => world.close());
  return { clock, world };
}
const details = async (world: HttpWorld, { loanId }: LoanMade): Promise<Data> =>
  shown(await send(world, 'GET', `${USER}/loan-details-with-payment-history/${loanId}`));
const staffed = (world: HttpWorld, { loanId }: LoanMade, what: string, body: object = {}) =>
  send(world, 'POST', `${ADMIN}/loan-application/${loanId}/${what}`, body);
const own = (world: HttpWorld, method: string, path: string, body?: object) =>
  send(world, method, `${USER}/${path}`, body, 'CUSTOMER');

/** What the ledger holds of a loan, by bucket, in minor units; the accounts of a customer's book are credit-positive. */
async function ledgerOf(world: HttpWorld, { loanId }: LoanMade): Promise<Record<string, bigint>> {
  const { readModels } = world.deps;
  const loan = await readModels.loan(DEMO, loanId);
  const accounts = Object.entries(loan?.accounts ?? {});
  const balances = accounts.map(async ([bucket, account]) => {
    return [bucket, -((await readModels.account(DEMO, account))?.ledger ?? 0n)] as const;
  });
  return Object.fromEntries(await Promise.all(balances));
}
const wallet = async (world: HttpWorld): Promise<bigint | undefined> =>
  (await world.deps.readModels.accountByNumber(DEMO, loanWalletNumber(PEOPLE.customerCode, 'NGN')))?.ledger;
const cents = (amount: unknown): bigint => BigInt(Math.round(Number(amount) * 100));

/** The loan as it is shown, against the book. */
async function agrees(t: Test, world: HttpWorld, loan: LoanMade, message: string): Promise<void> {
  const now = await details(world, loan);
  const book = await ledgerOf(world, loan);
  t.same(
    Object.fromEntries(Object.keys(book).map((bucket) => [bucket, cents(now[`${bucket}Balance`])])),
    book,
    `${message}: what is shown is what the ledger holds`,
  );
  const sum = ['principal', 'interest', 'fees', 'penalty'].reduce((all, one) => all + cents(now[`${one}Balance`]), 0n);
  t.equal(cents(now['totalBalance']), sum, `${message}: the buckets are the whole`);
}

t.test('decisions, each from its state', async (t) => {
  const { world, clock } = await worldOn(t);
  const acts: Readonly<Record<string, (loan: LoanMade) => Promise<Answered>>> = {
    approve: (loan) => staffed(world, loan, 'approve'),
    reject: (loan) => staffed(world, loan, 'reject', { reason: 'r' }),
    sendOffer: (loan) => staffed(world, loan, 'send-offer'),
    staffCancel: (loan) => staffed(world, loan, 'cancel', { reason: 'r' }),
    disburse: (loan) => staffed(world, loan, 'disburse'),
    accept: ({ loanId }) => own(world, 'PUT', `accept-loan-offer/${loanId}/accept`),
    acceptByUpdate: ({ loanId }) => own(world, 'PUT', `update-application/${loanId}?status=true`),
    refuse: ({ loanId }) => own(world, 'PUT', `accept-loan-offer/${loanId}/reject`),
    refuseByAlias: ({ loanId }) => own(world, 'PUT', `reject-loan-offer/${loanId}`),
    withdraw: ({ loanId }) => own(world, 'PUT', `update-application/${loanId}?status=false`),
    acceptTerms: ({ loanId }) => own(world, 'PUT', `accept-terms-and-conditions/${loanId}`),
    cancel: ({ loanId }) => own(world, 'PUT', `cancel-application/${loanId}`),
  };
  const MANUAL = { disbursement: 'MANUAL' };
  /** What each may do, by the state; everything else is a conflict. */
  const allowed: Readonly<Record<Stage, Readonly<Record<string, string>>>> = {
    REQUESTED: { approve: 'APPROVED', reject: 'REJECTED', staffCancel: 'CANCELLED', cancel: 'CANCELLED' },
    APPROVED: { sendOffer: 'OFFER_SENT', staffCancel: 'CANCELLED', cancel: 'CANCELLED' },
    OFFER_SENT: {
      ...{ accept: 'ACCEPTED', acceptByUpdate: 'ACCEPTED', refuse: 'REJECTED', refuseByAlias: 'REJECTED' },
      ...{ withdraw: 'WITHDRAWN', staffCancel: 'CANCELLED', cancel: 'CANCELLED' },
    },
    ACCEPTED: { acceptTerms: 'ACCEPTED', staffCancel: 'CANCELLED' },
    TERMS_ACCEPTED: { disburse: 'DISBURSED', staffCancel: 'CANCELLED' },
  };
  for (const [stage, may] of Object.entries(allowed) as Array<[Stage, Record<string, string>]>) {
    for (const [name, act] of Object.entries(acts)) {
      const loan = await loanAt(world, stage, MANUAL);
      const answer = await act(loan);
      const to = may[name];
      if (to === undefined) {
        t.match(say(answer), /^409 INVALID_STATE_TRANSITION/, `${name} of one that is ${stage}`);
        continue;
      }
      t.equal(answer.status, 200, `${name} of one that is ${stage} ${answer.text}`);
      const status = shown(answer)['loanStatus'] ?? (shown(answer)['loanDetails'] as Data)['loanApplicationStatusEnum'];
      t.equal(status, to, `${name} of one that is ${stage}`);
    }
  }

  await t.test('approved with other terms', async (t) => {
    const loan = await requested(world);
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ amount: 50_000.01 }, 'amount:AMOUNT_OUT_OF_RANGE'],
      [{ amount: 9_999 }, 'amount:AMOUNT_OUT_OF_RANGE'],
      [{ amount: '1.001' }, 'amount:TOO_MANY_DECIMALS'],
      [{ tenure: 25 }, 'tenure:INVALID_ARGUMENT'],
      [{ interestRate: 1001 }, 'interestRate:INVALID_ARGUMENT'],
      [{ fees: [{ name: 'f', type: 'FIXED' }] }, 'fees.0.amount:REQUIRED'],
      [{ rate: 1 }, 'rate:UNKNOWN_MEMBER'],
    ];
    for (const [more, what] of wrong)
      t.equal(say(await staffed(world, loan, 'approve', more)), `422 VALIDATION_ERROR ${what}`, JSON.stringify(more));
    const terms = {
      amount: 40_000,
      interestRate: 15,
      tenure: 10,
      reason: 'less',
      fees: [{ name: 'Once', type: 'PERCENTAGE', percentage: 1 }],
    };
    t.match(shown(await staffed(world, loan, 'approve', terms)), {
      approval: {
        amount: 40_000,
        interestRate: 15,
        tenure: 10,
        reason: 'less',
        fees: [{ name: 'Once', percentage: 1 }],
      },
    });
    t.equal(
      say(await staffed(world, loan, 'send-offer', { expiresAt: '2020-01-01T00:00:00Z' })),
      '422 VALIDATION_ERROR expiresAt:INVALID_ARGUMENT',
    );
    t.match(shown(await staffed(world, loan, 'send-offer', { expiresAt: '2026-11-25T00:00:00Z' })), {
      offer: {
        offeredAmount: 40_000,
        requestedLoanAmount: 50_000,
        tenure: 10,
        totalFees: 400,
        expiresAt: '2026-11-25T00:00:00.000Z',
      },
    });
    const offers = await own(world, 'GET', 'get-loan-offer');
    const offer = listed(offers).find(({ loanApplicationId }) => loanApplicationId === loan.loanId);
    t.equal((offer?.['schedule'] as Data[]).length, 10, 'the schedule before it is accepted');
    t.match(offer, {
      interestRate: 15,
      amountPaidOut: 39_600,
      rates: { usAppendixJ: { convention: /Appendix J/ }, euAprc: { convention: /EU/ } },
    });
    t.match(pageOf(offers), { page: 1, size: 10 });
    clock.on('2026-11-25');
    t.equal(
      say(await own(world, 'PUT', `accept-loan-offer/${loan.loanId}/accept`)),
      '409 INVALID_STATE_TRANSITION :OFFER_EXPIRED',
    );
    const left = listed(await own(world, 'GET', 'get-loan-offer'));
    t.notOk(
      left.some(({ loanApplicationId }) => loanApplicationId === loan.loanId),
      'it is no offer any more',
    );
    clock.on(TODAY);
  });

  await t.test('a running loan keeps the terms it was asked for with', async (t) => {
    const loan = await requested(world);
    await send(world, 'PUT', `${ADMIN}/loan-products/${loan.productId}`, { interestRate: 90, fees: [] });
    await staffed(world, loan, 'approve');
    const { offer } = shown(await staffed(world, loan, 'send-offer')) as { offer: Data };
    t.match(offer, { interestRate: 12.5, totalFees: 500 });
  });

  await t.test('why it ended, and who ended it', async (t) => {
    const loan = await requested(world);
    await own(world, 'PUT', `cancel-application/${loan.loanId}`, { reason: 'cheaper elsewhere' });
    const { history } = shown(await send(world, 'GET', `${ADMIN}/loan-application/${loan.loanId}`));
    t.match(history, [
      { to: 'REQUESTED' },
      { from: 'REQUESTED', to: 'CANCELLED', by: 'CUSTOMER', reason: 'cheaper elsewhere' },
    ]);
    t.equal(say(await staffed(world, await requested(world), 'reject')), '422 VALIDATION_ERROR reason:REQUIRED');
    t.equal(
      say(await own(world, 'PUT', `update-application/${loan.loanId}`)),
      '422 VALIDATION_ERROR status:INVALID_VALUE',
    );
    t.equal(
      say(await own(world, 'PUT', `update-application/${loan.loanId}?status=maybe`)),
      '422 VALIDATION_ERROR status:INVALID_VALUE',
    );
    const path = `${USER}/accept-loan-offer/${(await loanAt(world, 'OFFER_SENT')).loanId}/accept`;
    t.equal((await send(world, 'POST', path, undefined, 'CUSTOMER')).status, 200, 'POST is an alias');
  });
});

t.test('what a loan costs', async (t) => {
  const { world } = await worldOn(t);
  const apr = (body: object, as: Parameters<typeof send>[4] = 'CUSTOMER') =>
    send(world, 'POST', `${USER}/calculate-apr`, body, as);
  const documented = { loanAmount: 50_000, interestRate: 12.5, tenure: 12, processingFee: 500 };
  const answer = await apr(documented);
  t.match(shown(answer), {
    ...{ apr: 14.4154, monthlyPayment: 4454.14, totalInterest: 3449.71, totalFees: 500, totalAmountPayable: 53_949.71 },
    breakdown: {
      ...{ currencyCode: 'NGN', principal: 50_000, amountFinanced: 49_500, fees: [{ amount: 500 }] },
      payments: [
        { count: 11, amount: 4454.14 },
        { count: 1, amount: 4454.17 },
      ],
      rates: {
        usAppendixJ: { convention: /Regulation Z/, percent: 14.4154, published: 14.42 },
        euAprc: { convention: /2008\/48\/EC/, percent: 15.407, published: 15.4 },
      },
    },
  });
  const others = {
    loanAmount: '50000.00',
    interestRate: '12.50',
    tenure: 12,
    otherFees: [250, { name: 'x', amount: 250 }],
  };
  t.equal(shown(await apr(others))['apr'], 14.4154, 'fees by any name');
  const plain = await activeProduct(world);
  const ofProduct = shown(await apr({ loanAmount: 50_000, interestRate: 12.5, tenure: 12, loanProductId: plain }));
  t.match(
    ofProduct,
    {
      ...shown(answer),
      breakdown: { payments: [{ count: 11 }, { count: 1 }], rates: { usAppendixJ: { percent: 14.4154 } } },
    },
    'of a product with the same fee',
  );
  const flat = await activeProduct(world, { amortisation: 'FLAT', fees: [] });
  t.match(shown(await apr({ loanAmount: 12_000, interestRate: 10, tenure: 12, loanProductId: flat })), {
    monthlyPayment: 1100,
    totalInterest: 1200,
  });
  t.match(shown(await apr({ loanAmount: 1200, interestRate: 0, tenure: 12 })), {
    apr: 0,
    monthlyPayment: 100,
    totalInterest: 0,
  });
  t.match(
    shown(await apr({ loanAmount: 100, interestRate: 10, tenure: 12, processingFee: 100 })),
    { apr: null, totalFees: 100 },
    'nothing is lent',
  );
  t.match(shown(await apr({ loanAmount: 1200, interestRate: 12, tenure: 12, currencyCode: 'JPY' })), {
    breakdown: { currencyCode: 'JPY' },
    monthlyPayment: 107,
  });
  const wrong: ReadonlyArray<readonly [object, string]> = [
    [{ loanAmount: 0 }, '422 VALIDATION_ERROR loanAmount:AMOUNT_OUT_OF_RANGE'],
    [{ loanAmount: 1.001 }, '422 VALIDATION_ERROR loanAmount:TOO_MANY_DECIMALS'],
    [{ interestRate: -1 }, '422 VALIDATION_ERROR interestRate:INVALID_PERCENT'],
    [{ interestRate: 1e6 }, '422 VALIDATION_ERROR interestRate:OUT_OF_RANGE'],
    [{ tenure: 0 }, '422 VALIDATION_ERROR tenure:TOO_SMALL'],
    [{ tenure: 1.5 }, '422 VALIDATION_ERROR tenure:INVALID_TYPE'],
    [{ processingFee: -1 }, '422 VALIDATION_ERROR processingFee:AMOUNT_OUT_OF_RANGE'],
    [{ otherFees: [{ name: 'x', amount: -1 }] }, '422 VALIDATION_ERROR otherFees.0.amount:AMOUNT_OUT_OF_RANGE'],
    [{ loanProductId: RANDOM }, '404 NOT_FOUND'],
    [{ loanProductId: plain, currencyCode: 'USD' }, '422 VALIDATION_ERROR currencyCode:CURRENCY_MISMATCH'],
    [{ months: 3 }, '422 VALIDATION_ERROR months:UNKNOWN_MEMBER'],
  ];
  for (const [more, what] of wrong) t.equal(say(await apr({ ...documented, ...more })), what, JSON.stringify(more));
});

t.test('a loan that is repaid', async (t) => {
  const { world, clock } = await worldOn(t);
  const loan = await disbursed(world);
  const { loanId, code } = loan;
  await t.test('as it is paid out', async (t) => {
    t.equal(await wallet(world), 4_950_000n, 'the loan wallet has the amount less the fee');
    const now = await details(world, loan);
    t.match(now, {
      ...{ loanApplicationId: loanId, loanCode: code, customerId: EXAMPLE.ownerId, customerName: 'Ada Obi' },
      ...{ customerEmail: PEOPLE.email, loanProductName: 'Salary advance', loanApplicationStatus: 'DISBURSED' },
      ...{ accountState: 'ACTIVE', loanAmount: 50_000, interestRate: 12.5, totalRepaymentAmount: 53_449.71 },
      ...{ totalBalance: 50_000, principalBalance: 50_000, interestBalance: 0, totalAmountPaid: 0 },
      ...{ applicationDate: `${TODAY}T10:30:00.000Z`, disbursementDate: TODAY, firstInstallmentDate: '2026-12-22' },
      ...{ maturityDate: '2027-11-22', nextPaymentDueDate: '2026-12-22', totalInstallments: 12, installmentsPaid: 0 },
      ...{
        installmentsRemaining: 12,
        loanDuration: 12,
        durationCounter: 'MONTHS',
        loanRepaymentMethod: 'BANK_TRANSFER',
      },
      ...{ isThirdPartyPayment: false, loanFullyRepaid: false, currencyCode: 'NGN', repaymentAccountNumber: null },
    });
    const history = now['paymentHistory'] as Data[];
    t.equal(history.length, 12);
    t.match(history[0], {
      ...{ installmentNumber: 1, dueDate: '2026-12-22', installmentAmount: 4454.14, principalAmount: 3933.31 },
      ...{ interestAmount: 520.83, feesAmount: 0, penaltyAmount: 0, amountPaid: 0, outstandingAmount: 4454.14 },
      ...{ paymentStatus: 'PENDING', paymentDate: null, daysOverdue: 0 },
    });
    t.match(history[11], { installmentAmount: 4454.17 });
    t.equal(
      history.reduce((sum, one) => sum + cents(one['principalAmount']), 0n),
      5_000_000n,
      'the principals are the amount',
    );
    await agrees(t, world, loan, 'paid out');
    const { offer } = shown(await send(world, 'GET', `${ADMIN}/loan-application/${loanId}`)) as { offer: Data };
    t.same(
      (offer['schedule'] as Data[]).map(({ dueDate, installmentAmount }) => [dueDate, installmentAmount]),
      history.map(({ dueDate, installmentAmount }) => [dueDate, installmentAmount]),
      'the schedule is the one that was offered',
    );
  });

  await t.test('what is due, and where to pay it', async (t) => {
    const due = await own(world, 'GET', `pending-repayments/${EXAMPLE.ownerId}`);
    t.equal(listed(due).length, 10);
    t.same(pageOf(due), { page: 1, size: 10, totalElements: 12, totalPages: 2 });
    t.match(listed(due)[0], {
      loanApplicationId: loanId,
      installmentNumber: 1,
      dueDate: '2026-12-22',
      amountDue: 4454.14,
      principalAmount: 3933.31,
      interestAmount: 520.83,
      status: 'PENDING',
      daysOverdue: 0,
    });
    t.match(
      listed(await own(world, 'GET', `pending-repayments/${PEOPLE.customerCode}?page=2`)),
      [{ installmentNumber: 11 }, { installmentNumber: 12 }],
      'by code, too',
    );
    t.match(listed(await own(world, 'GET', `manage-loans/${EXAMPLE.ownerId}`)), [
      { loanApplicationId: loanId, amountDue: 4454.14, daysOverdue: 0 },
    ]);
    t.match(shown(await own(world, 'GET', `get-total/${EXAMPLE.ownerId}`)), {
      ...{
        currencyCode: 'NGN',
        totalBorrowed: 50_000,
        totalOutstanding: 53_449.71,
        totalRepaid: 0,
        activeLoans: 1,
        overdueAmount: 0,
      },
      ...{ nextPaymentDueDate: '2026-12-22', byCurrency: [{ currencyCode: 'NGN', totalBorrowed: 50_000 }] },
    });
    t.match(shown(await own(world, 'GET', `get-loan-history/${EXAMPLE.ownerId}`)), {
      loans: [{ loanApplicationId: loanId, principalBalance: 50_000 }],
      totalElements: 1,
      page: 1,
      size: 10,
    });
    t.match(shown(await own(world, 'GET', `loan-history/${EXAMPLE.ownerId}?status=COMPLETED`)), {
      loans: [],
      totalElements: 0,
    });
    const where = () => own(world, 'GET', `repayment-instructions/${loanId}`);
    t.match(shown(await where()), {
      loanApplicationId: loanId,
      paymentReference: code,
      bankAccountDetails: null,
      paymentMethods: ['BANK_TRANSFER', 'WALLET'],
    });
    const preferences = {
      LOAN_COLLECTION_ACCOUNT_NUMBER: '0123456785',
      LOAN_COLLECTION_ACCOUNT_NAME: 'Demo collections',
      LOAN_COLLECTION_BANK_CODE: '058',
      LOAN_COLLECTION_BANK_NAME: 'Guaranty Trust Bank',
    };
    dataOf(
      await send(world, 'PUT', `${ADMIN}/organisation-preference-management/update-organisation-preference`, {
        preferences,
      }),
    );
    t.match(shown(await where()), {
      bankAccountDetails: { accountNumber: '0123456785', bankCode: '058' },
      instructions: [new RegExp(`0123456785.*${code}`), /repay-loan/, /payoff-loan/],
    });
    t.match(await details(world, loan), {
      repaymentBankName: 'Guaranty Trust Bank',
      repaymentAccountNumber: '0123456785',
      repaymentAccountName: 'Demo collections',
    });
  });

  const repay = (more: object = {}) =>
    own(world, 'POST', `repay-loan/${EXAMPLE.ownerId}`, {
      repaymentAmount: 4454.14,
      accountId: loanId,
      repaymentReference: code,
      ...more,
    });

  await t.test('a payment is reported', async (t) => {
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ repaymentAmount: 0 }, '422 VALIDATION_ERROR repaymentAmount:AMOUNT_OUT_OF_RANGE'],
      [{ repaymentAmount: 53_449.72 }, '422 VALIDATION_ERROR repaymentAmount:AMOUNT_OUT_OF_RANGE'],
      [{ repaymentAmount: 1.001 }, '422 VALIDATION_ERROR repaymentAmount:TOO_MANY_DECIMALS'],
      [{ repaymentReference: 'L000000' }, '422 VALIDATION_ERROR repaymentReference:MISMATCH'],
      [{ paymentDate: '2026-11-23' }, '422 VALIDATION_ERROR paymentDate:VALUE_DATE_OUT_OF_RANGE'],
      [{ accountId: RANDOM }, '404 NOT_FOUND'],
      [{ bankAccountId: RANDOM }, '404 NOT_FOUND'],
      [{ customerId: OTHER_OWNER }, '404 NOT_FOUND'],
    ];
    for (const [more, what] of wrong) t.equal(say(await repay(more)), what, JSON.stringify(more));
    t.equal(say(await own(world, 'POST', `repay-loan/${OTHER_OWNER}`, { repaymentAmount: 1 })), '404 NOT_FOUND');
    const answer = await repay({ paymentNarration: 'first', colour: 'red' });
    t.equal(answer.status, 200, answer.text);
    t.match(shown(answer), {
      repaymentAmount: 4454.14,
      customerName: 'Ada Obi',
      email: PEOPLE.email,
      loanProductName: 'Salary advance',
      repaymentReference: code,
      verificationStatus: 'PENDING_VERIFICATION',
      message: /./,
    });
    t.match(
      say(await repay()),
      /^409 INVALID_STATE_TRANSITION repaymentReference:REPAYMENT_EXISTS|422 VALIDATION_ERROR repaymentReference:/,
      'the same once more',
    );
    t.equal((await details(world, loan))['totalBalance'], 50_000, 'nothing has changed yet');
    t.match(shown(await send(world, 'GET', `${ADMIN}/repayments/list?status=PENDING_VERIFICATION`)), {
      repayments: [
        {
          verificationStatus: 'PENDING_VERIFICATION',
          loanApplicationId: loanId,
          customerId: EXAMPLE.ownerId,
          verifiedAt: null,
        },
      ],
      totalElements: 1,
      size: 10,
    });
    const id = String(shown(answer)['id']);
    const rejected = await send(world, 'POST', `${ADMIN}/repayments/${id}/reject`, { reason: 'no such transfer' });
    t.match(shown(rejected), { verificationStatus: 'REJECTED', reason: 'no such transfer' });
    t.equal(
      say(await send(world, 'POST', `${ADMIN}/repayments/${id}/verify`, {})),
      '409 INVALID_STATE_TRANSITION :INVALID_STATE',
    );
    t.equal(say(await send(world, 'POST', `${ADMIN}/repayments/${RANDOM}/verify`, {})), '404 NOT_FOUND');
    t.equal(
      say(await send(world, 'POST', `${ADMIN}/repayments/${id}/reverse`, { reason: 'r' })),
      '409 INVALID_STATE_TRANSITION',
    );
    const plain = await own(world, 'POST', `repay-loan/${EXAMPLE.ownerId}`, { repaymentAmount: 5 });
    t.equal(shown(plain)['loanApplicationId'], loanId, 'the only loan that runs needs no name');
    await send(world, 'POST', `${ADMIN}/repayments/${String(shown(plain)['id'])}/reject`, { reason: 'r' });
  });

  await t.test('and verified', async (t) => {
    clock.on('2026-12-22');
    const id = await reported(world, loan, 4454.14);
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ receivedAmount: 0 }, '422 VALIDATION_ERROR receivedAmount:AMOUNT_OUT_OF_RANGE'],
      [{ valueDate: '2026-11-21' }, '422 VALIDATION_ERROR valueDate:VALUE_DATE_OUT_OF_RANGE'],
      [{ amount: 1 }, '422 VALIDATION_ERROR amount:UNKNOWN_MEMBER'],
    ];
    for (const [body, what] of wrong)
      t.equal(say(await send(world, 'POST', `${ADMIN}/repayments/${id}/verify`, body)), what);
    const answer = await send(world, 'POST', `${ADMIN}/repayments/${id}/verify`, {});
    t.match(shown(answer), {
      ...{ verificationStatus: 'VERIFIED', receivedAmount: 4454.14, valueDate: '2026-12-22', overpaidAmount: 0 },
      allocation: { principalAmount: 3933.31, interestAmount: 520.83, feesAmount: 0, penaltyAmount: 0 },
    });
    t.match(await details(world, loan), {
      totalBalance: 46_066.69,
      principalPaid: 3933.31,
      interestPaid: 520.83,
      totalAmountPaid: 4454.14,
      installmentsPaid: 1,
      installmentsRemaining: 11,
      nextPaymentDueDate: '2027-01-22',
      paymentHistory: [{ paymentStatus: 'PAID', paymentDate: '2026-12-22', outstandingAmount: 0 }],
    });
    await agrees(t, world, loan, 'after a repayment');
    const repaid = await own(world, 'GET', `repaid-transactions/${EXAMPLE.ownerId}`);
    t.match(listed(repaid), [
      {
        repaymentId: id,
        repaymentAmount: 4454.14,
        paymentMethod: 'BANK_TRANSFER',
        status: 'VERIFIED',
        paymentDate: '2026-12-22',
      },
    ]);
    t.match(pageOf(repaid), { totalElements: 1 });
    const all = await own(world, 'GET', `list-customer-repayments/${EXAMPLE.ownerId}`);
    t.equal(listed(all).length, 3, 'the rejected ones, too');
    t.match(listed(all)[0], {
      id,
      loanAmountPaid: false,
      principalBalance: 46_066.69,
      totalBalance: 46_066.69,
      installmentCount: 12,
      loanApplicationId: loanId,
      paymentDueDate: '2027-01-22',
    });
    const found = async (query: string) =>
      shown(await send(world, 'GET', `${ADMIN}/repayments/list?${query}`))['totalElements'];
    t.same(
      await Promise.all(
        [
          'status=ALL',
          `loanApplicationId=${loanId}`,
          'status=VERIFIED',
          'status=REJECTED',
          'startDate=2026-12-01',
          'endDate=2026-12-01',
        ].map(found),
      ),
      [3, 3, 1, 2, 1, 2],
    );
    t.equal(
      say(await send(world, 'GET', `${ADMIN}/repayments/list?startDate=2026-12-02&endDate=2026-12-01`)),
      '422 VALIDATION_ERROR startDate:INVALID_RANGE',
    );
  });

  await t.test('late, in part, too much, and taken back', async (t) => {
    clock.on('2027-02-01');
    t.match(await details(world, loan), {
      accountState: 'IN_ARREARS',
      daysOverdue: 10,
      amountOverdue: /./,
      paymentHistory: [{}, { paymentStatus: 'OVERDUE', daysOverdue: 10 }],
    });
    t.match(listed(await own(world, 'GET', `pending-repayments/${EXAMPLE.ownerId}?size=1`)), [
      { status: 'OVERDUE', daysOverdue: 10 },
    ]);
    const before = await details(world, loan);
    const id = await verified(world, loan, 1000, { receivedAmount: 60_000 });
    const much = shown(await send(world, 'GET', `${ADMIN}/repayments/list?status=VERIFIED&size=1`))[
      'repayments'
    ] as Data[];
    t.ok(Number(much[0]?.['overpaidAmount']) > 10_000, 'the rest went to the wallet');
    t.match(await details(world, loan), {
      loanApplicationStatus: 'PAID_OFF',
      accountState: 'CLOSED',
      totalBalance: 0,
      loanFullyRepaid: true,
    });
    const reverse = () => send(world, 'POST', `${ADMIN}/repayments/${id}/reverse`, { reason: 'bounced' });
    t.match(
      shown(await reverse()),
      {
        loanApplicationStatus: 'DISBURSED',
        totalBalance: before['totalBalance'],
        paymentHistory: before['paymentHistory'],
      },
      'as if it had never been',
    );
    t.match(say(await reverse()), /^(409|422) /, 'once');
    await agrees(t, world, loan, 'after a reversal');
    t.equal(listed(await own(world, 'GET', `repaid-transactions/${EXAMPLE.ownerId}`))[0]?.['status'], 'REVERSED');
  });

  await t.test('paid off to the last cent', async (t) => {
    clock.on('2027-02-10');
    const quote = shown(await own(world, 'GET', `payoff-quote/${loanId}`));
    t.match(quote, { payoffDate: '2027-02-10', currencyCode: 'NGN' });
    t.equal(cents(quote['payoffAmount']), cents((await details(world, loan))['totalBalance']));
    const later = shown(await own(world, 'GET', `payoff-quote/${loanId}?date=2027-02-11`));
    t.equal(
      cents(later['payoffAmount']),
      cents(quote['payoffAmount']) + cents(quote['perDiem']),
      'the next day, as told',
    );
    t.equal(
      say(await own(world, 'GET', `payoff-quote/${loanId}?date=2027-02-09`)),
      '422 VALIDATION_ERROR date:OUT_OF_RANGE',
    );
    const payoff = (more: object = {}) =>
      own(world, 'POST', 'payoff-loan', { loanApplicationId: loanId, paymentMethod: 'WALLET', ...more });
    const refused = await payoff({ payoffAmount: 1 });
    t.equal(say(refused), '422 VALIDATION_ERROR payoffAmount:PAYOFF_AMOUNT_DIFFERS');
    t.equal(
      cents(refused.json.errors?.[0]?.details?.['payoffAmount']),
      cents(quote['payoffAmount']),
      'with the right figure',
    );
    t.equal(say(await payoff({ paymentMethod: 'CASH' })), '422 VALIDATION_ERROR paymentMethod:INVALID_VALUE');
    t.equal(say(await payoff({ loanApplicationId: RANDOM })), '404 NOT_FOUND');
    const before = (await wallet(world)) ?? 0n;
    const owed = cents(quote['payoffAmount']);
    if (before < owed) {
      t.match(say(await payoff()), /^422 INSUFFICIENT_FUNDS/);
      await fundWallet(world, owed - before);
    }
    const had = (await wallet(world)) ?? 0n;
    const answer = await payoff({ payoffAmount: quote['payoffAmount'] });
    t.match(
      shown(answer),
      {
        payoffAmount: quote['payoffAmount'],
        remainingBalance: 0,
        loanStatus: 'PAID_OFF',
        verificationStatus: 'VERIFIED',
        transactionReference: code,
        payoffDate: '2027-02-10',
      },
      answer.text,
    );
    t.equal(await wallet(world), had - owed);
    t.same(
      await ledgerOf(world, loan),
      { principal: 0n, interest: 0n, fees: 0n, penalty: 0n },
      'exactly nothing is left',
    );
    t.match(say(await payoff()), /^409 INVALID_STATE_TRANSITION/);
    t.match(say(await repay()), /^409 INVALID_STATE_TRANSITION/, 'CLOSED takes no more');
    t.match(say(await own(world, 'GET', `payoff-quote/${loanId}`)), /^409 INVALID_STATE_TRANSITION/);
    t.match(shown(await own(world, 'GET', `payoff-letter/${loanId}`)), {
      loanStatus: 'PAID_OFF',
      payoffAmount: 0,
      paidOffDate: '2027-02-10',
      lender: 'demo',
    });
    t.match(shown(await own(world, 'GET', `get-loan-history/${EXAMPLE.ownerId}?status=COMPLETED`)), {
      totalElements: 1,
      loans: [{ accountState: 'CLOSED', nextPaymentDueDate: null }],
    });
    t.same(listed(await own(world, 'GET', `manage-loans/${EXAMPLE.ownerId}`)), []);
  });

  await t.test('its statement', async (t) => {
    const statement = shown(await own(world, 'GET', `loan-statement/${loanId}`));
    t.match(statement, {
      fromDate: TODAY,
      toDate: '2027-02-10',
      openingPrincipal: 0,
      closingPrincipal: 0,
      totalDisbursed: 50_000,
    });
    const lines = statement['transactions'] as Data[];
    t.match(lines[0], { type: 'DISBURSED', amount: 50_000, principalBalance: 50_000, recordedAt: /^2026-11-22T/ });
    t.match(lines[1], {
      type: 'REPAID',
      amount: 4454.14,
      principalAmount: 3933.31,
      interestAmount: 520.83,
      principalBalance: 46_066.69,
    });
    t.match(lines.at(-1), { type: 'REPAID', principalBalance: 0 });
    const part = shown(await own(world, 'GET', `loan-statement/${loanId}?fromDate=2026-12-01&toDate=2026-12-31`));
    t.match(part, {
      openingPrincipal: 50_000,
      closingPrincipal: 46_066.69,
      totalRepaid: 4454.14,
      transactions: [{ type: 'REPAID' }],
    });
    t.equal(
      say(await own(world, 'GET', `loan-statement/${loanId}?fromDate=2027-01-01&toDate=2026-12-31`)),
      '422 VALIDATION_ERROR fromDate:INVALID_RANGE',
    );
    const young = await requested(world);
    for (const what of ['loan-statement', 'payoff-letter', 'payoff-quote'])
      t.match(say(await own(world, 'GET', `${what}/${young.loanId}`)), /^409 INVALID_STATE_TRANSITION/, what);
  });
});

t.test('other ways to pay', async (t) => {
  const { world, clock } = await worldOn(t);
  await t.test('by transfer, once it is verified', async (t) => {
    const { loanId } = await disbursed(world);
    const answer = await own(world, 'POST', 'payoff-loan', {
      loanApplicationId: loanId,
      paymentMethod: 'BANK_TRANSFER',
    });
    t.match(shown(answer), {
      payoffAmount: 50_000,
      remainingBalance: 50_000,
      loanStatus: 'DISBURSED',
      verificationStatus: 'PENDING_VERIFICATION',
    });
    t.match(shown(await own(world, 'GET', `payoff-quote/${loanId}`)), { pendingVerificationAmount: 50_000 });
    const id = String(shown(answer)['repaymentId']);
    t.match(shown(await send(world, 'POST', `${ADMIN}/repayments/${id}/verify`)), {
      payoff: true,
      verificationStatus: 'VERIFIED',
    });
    t.match(shown(await own(world, 'GET', `payoff-letter/${loanId}`)), { loanStatus: 'PAID_OFF' });
  });

  await t.test('whatever the schedule, the quote settles it', async (t) => {
    const kinds = [
      { amortisation: 'FLAT' },
      { recalculatesInterest: false },
      { amortisation: 'BULLET' },
      { amortisation: 'INTEREST_ONLY', recalculatesInterest: false },
      { amortisation: 'EQUAL_PRINCIPAL', dayCount: 'ACT/365', interestBy: 'DAILY' },
      { amortisation: 'BALLOON', balloonPercent: 30 },
      { fees: [{ name: 'Service', when: 'INSTALMENT', type: 'FIXED', amount: 20 }], prepaymentRule: 'REAMORTISE' },
    ];
    for (const kind of kinds) {
      clock.on(TODAY);
      const loan = await disbursed(world, kind);
      clock.on('2027-01-05');
      await fundWallet(world, 2_000_000n);
      const { payoffAmount } = shown(await own(world, 'GET', `payoff-quote/${loan.loanId}`));
      const body = { loanApplicationId: loan.loanId, paymentMethod: 'WALLET', payoffAmount };
      const answer = await own(world, 'POST', 'payoff-loan', body);
      t.match(
        shown(answer),
        { loanStatus: 'PAID_OFF', remainingBalance: 0, payoffAmount },
        JSON.stringify(kind) + answer.text,
      );
      const left = await ledgerOf(world, loan);
      t.same(left, { principal: 0n, interest: 0n, fees: 0n, penalty: 0n }, 'and nothing is left');
    }
    clock.on(TODAY);
  });

  await t.test('a loan that a partner collects', async (t) => {
    const loan = await disbursed(world, { thirdPartyCollection: true });
    const body = { repaymentAmount: 5, accountId: loan.loanId };
    t.match(
      say(await own(world, 'POST', `repay-loan/${EXAMPLE.ownerId}`, body)),
      /^(403|409|422) \w+ :REPAYMENT_NOT_PERMITTED/,
    );
    t.match(shown(await own(world, 'GET', `repayment-instructions/${loan.loanId}`)), { instructions: [/partner/] });
    t.match(await details(world, loan), { isThirdPartyPayment: true });
  });

  await t.test('with the transaction PIN, where it is asked for', async (t) => {
    const { identity } = world;
    await identity.devices.setPin(
      DEMO,
      EXAMPLE.ownerId,
      '',
      await identity.hasher.hash(SECRETS.pin),
      `${TODAY}T00:00:00Z`,
    );
    const preferences = { TRANSACTION_PIN_REQUIRED: true };
    dataOf(
      await send(world, 'PUT', `${ADMIN}/organisation-preference-management/update-organisation-preference`, {
        preferences,
      }),
    );
    const { loanId: loanApplicationId } = await disbursed(world);
    await fundWallet(world, 100_000n);
    const payoff = (more: object, headers: Record<string, string> = {}) =>
      world.send(
        `${USER}/payoff-loan`,
        { body: { loanApplicationId, paymentMethod: 'WALLET', ...more }, headers },
        'CUSTOMER',
      );
    t.equal(say(await payoff({})), '422 VALIDATION_ERROR transactionPin:REQUIRED');
    t.equal(say(await payoff({ transactionPin: '9999' })), '401 INVALID_CREDENTIALS');
    const headers = { 'Idempotency-Key': 'payoff-1' };
    const first = await payoff({ transactionPin: SECRETS.pin }, headers);
    t.match(shown(first), { loanStatus: 'PAID_OFF' }, first.text);
    const again = await payoff({ transactionPin: '0000' }, headers);
    t.equal(again.headers['idempotency-replayed'], 'true', 'a retry is answered whatever it proves');
    t.same(shown(again)['repaymentId'], shown(first)['repaymentId']);
  });
});

t.test('what staff do to a loan', async (t) => {
  const { world, clock } = await worldOn(t);
  const loan = await disbursed(world, { writeOffAfterDays: 30 });
  const undo = (operationId: unknown, on = loan) =>
    staffed(world, on, `operations/${String(operationId)}/undo`, { reason: 'by mistake' });

  await t.test('charges and waivers, undone', async (t) => {
    const before = await details(world, loan);
    const charge = await staffed(world, loan, 'charge', {
      bucket: 'FEES',
      amount: 25,
      name: 'Letter',
      reason: 'reminder',
    });
    t.match(shown(charge), { feesBalance: 25, totalBalance: 50_025 }, charge.text);
    await agrees(t, world, loan, 'after a charge');
    const penalty = await staffed(world, loan, 'charge', { bucket: 'PENALTY', amount: 10, name: 'Late' });
    t.match(shown(penalty), { penaltyBalance: 10 });
    t.match(shown(await staffed(world, loan, 'waive', { bucket: 'FEES', amount: 20, reason: 'kind' })), {
      feesBalance: 5,
      amountWaived: 20,
    });
    const waived = await staffed(world, loan, 'waive', { bucket: 'PENALTY', reason: 'kind' });
    t.match(shown(waived), { penaltyBalance: 0 }, 'all of it, if no amount is said');
    await agrees(t, world, loan, 'after waivers');
    t.match(
      say(await staffed(world, loan, 'waive', { bucket: 'PENALTY', reason: 'kind' })),
      /^422 VALIDATION_ERROR amount:AMOUNT_OUT_OF_RANGE/,
      'nothing is owed of it',
    );
    t.match(
      say(await staffed(world, loan, 'waive', { bucket: 'FEES', amount: 6, reason: 'kind' })),
      /^422 VALIDATION_ERROR amount:AMOUNT_OUT_OF_RANGE/,
    );
    t.equal(
      say(await staffed(world, loan, 'waive', { bucket: 'PRINCIPAL', reason: 'kind' })),
      '422 VALIDATION_ERROR bucket:INVALID_VALUE',
    );
    t.equal(
      say(await staffed(world, loan, 'charge', { bucket: 'FEES', amount: 0, name: 'x' })),
      '422 VALIDATION_ERROR amount:AMOUNT_OUT_OF_RANGE',
    );
    t.match(
      say(await staffed(world, loan, 'charge', { bucket: 'FEES', amount: 1, name: 'x', date: '2026-11-23' })),
      /date:VALUE_DATE_OUT_OF_RANGE/,
    );
    const { operations } = (await world.deps.readModels.loan(DEMO, loan.loanId)) ?? { operations: [] };
    for (const { id, kind } of operations.toReversed())
      if (kind === 'WAIVED' || kind === 'CHARGED') t.equal((await undo(id)).status, 200);
    t.same(await details(world, loan), before, 'as if nothing had been done');
    t.match(say(await undo(RANDOM)), /^422 VALIDATION_ERROR operation:INVALID_ARGUMENT/);
    await agrees(t, world, loan, 'after undoing');
  });

  await t.test('a new schedule, looked at first', async (t) => {
    const path = `${ADMIN}/loan-application/${loan.loanId}/restructure-preview`;
    const preview = shown(await send(world, 'GET', `${path}?tenure=18&interestRate=10`)) as {
      present: Data;
      restructured: Data;
    };
    t.match(preview, { present: { installmentsRemaining: 12 }, restructured: { installmentsRemaining: 18 } });
    t.equal((await details(world, loan))['totalInstallments'], 12, 'nothing was done');
    const answer = await staffed(world, loan, 'restructure', { tenure: 18, interestRate: 10, reason: 'less income' });
    t.match(
      shown(answer),
      { totalInstallments: 18, interestRate: 10, paymentHistory: preview.restructured['schedule'] },
      'as it was shown',
    );
    await agrees(t, world, loan, 'restructured');
    for (const [query, what] of [
      ['', 'tenure:REQUIRED'],
      ['?tenure=0', 'tenure:INVALID_FORMAT'],
      ['?tenure=601', 'tenure:TOO_LARGE'],
      ['?interestRate=1001', 'interestRate:OUT_OF_RANGE'],
      ['?firstDueDate=2026-11-01', 'firstDueDate:OUT_OF_RANGE'],
      ['?tenure=3&date=2026-11-01', 'date:OUT_OF_RANGE'],
    ] as const) {
      t.equal(say(await send(world, 'GET', path + query)), `422 VALIDATION_ERROR ${what}`, query);
    }
    t.equal(say(await staffed(world, loan, 'restructure', { reason: 'r' })), '422 VALIDATION_ERROR tenure:REQUIRED');
    t.match(shown(await undo(shown(answer)['operationId'])), { totalInstallments: 12, interestRate: 12.5 });
    const young = await requested(world);
    t.match(
      say(await send(world, 'GET', `${ADMIN}/loan-application/${young.loanId}/restructure-preview?tenure=3`)),
      /^409/,
    );
    for (const [what, body] of [
      ['restructure', { tenure: 3, reason: 'r' }],
      ['charge', { bucket: 'FEES', amount: 1, name: 'x' }],
      ['waive', { bucket: 'FEES', amount: 1, reason: 'r' }],
      ['write-off', { reason: 'r' }],
      ['recoveries', { amount: 1, reference: 'r' }],
    ] as const) {
      t.match(
        say(await staffed(world, young, what, body)),
        /^409 INVALID_STATE_TRANSITION/,
        `${what} of an application`,
      );
    }
  });

  await t.test('given up, and some of it recovered', async (t) => {
    const lose = () => staffed(world, loan, 'write-off', { reason: 'no answer' });
    t.match(say(await lose()), /^409 INVALID_STATE_TRANSITION/, 'not so soon');
    clock.on('2027-03-01');
    t.match(
      say(await staffed(world, loan, 'recoveries', { amount: 5, reference: 'r' })),
      /^409 INVALID_STATE_TRANSITION/,
    );
    const lost = await lose();
    t.match(shown(lost), { accountState: 'WRITTEN_OFF', totalBalance: 0 }, lost.text);
    t.ok(Number(shown(lost)['amountWrittenOff']) > 50_000);
    await agrees(t, world, loan, 'written off');
    t.match(say(await lose()), /^409 INVALID_STATE_TRANSITION/);
    t.equal((await staffed(world, loan, 'recoveries', { amount: 1000, reference: 'Bailiff 7' })).status, 200);
    t.match(
      say(await staffed(world, loan, 'recoveries', { amount: 1e6, reference: 'x' })),
      /^422 VALIDATION_ERROR amount:AMOUNT_OUT_OF_RANGE/,
    );
    t.match(
      say(await own(world, 'POST', `repay-loan/${EXAMPLE.ownerId}`, { repaymentAmount: 5, accountId: loan.loanId })),
      /^409 INVALID_STATE_TRANSITION/,
    );
    t.match(shown(await send(world, 'GET', `${USER}/loan-statement/${loan.loanId}`)), { totalRepaid: 1000 });
  });
});

t.test('the portfolio', async (t) => {
  const { world, clock } = await worldOn(t);
  await disbursed(world);
  const view = async (path: string, as: Parameters<typeof send>[4] = 'MANAGER') =>
    send(world, 'GET', `${ADMIN}/loan-portfolio/${path}`, undefined, as);
  t.match(shown(await view('arrears')), {
    asOf: TODAY,
    arrears: [{ currencyCode: 'NGN', bucket: 'CURRENT', loans: 1, principalBalance: 50_000, overdueAmount: 0 }],
  });
  clock.on('2027-01-05');
  t.match(shown(await view('arrears')), {
    asOf: '2027-01-05',
    arrears: [{ bucket: '1-30', loans: 1, overdueAmount: 4454.14 }],
  });
  t.match(shown(await view('arrears?asOf=2026-12-01', 'AUDITOR')), {
    asOf: '2026-12-01',
    arrears: [{ bucket: 'CURRENT' }],
  });
  t.match(shown(await view('vintages', 'ANALYST')), {
    vintages: [{ month: '2026-11', loans: 1, disbursedAmount: 50_000, principalBalance: 50_000 }],
  });
  const flow = shown(await view('expected-cash-flow?fromDate=2026-12-01&toDate=2027-01-31'));
  t.match(flow, {
    cashFlow: [
      { month: '2026-12', installments: 1, expectedAmount: 4454.14 },
      { month: '2027-01', expectedAmount: 4454.14 },
    ],
  });
  t.equal(
    say(await view('expected-cash-flow?fromDate=2026-01-01&toDate=2037-01-01')),
    '422 VALIDATION_ERROR toDate:INVALID_RANGE',
  );
  t.equal(say(await view('arrears?asOf=never')), '422 VALIDATION_ERROR asOf:INVALID_DATE');
  t.equal((await view('arrears', 'CUSTOMER')).status, 403);
});

t.test('a loan that is somebody else’s is like one that is not there', async (t) => {
  const { world } = await worldOn(t);
  const loan = await disbursed(world);
  const repayment = await reported(world, loan, 10);
  const strangers = [
    { role: 'CUSTOMER', token: await world.token('CUSTOMER', 'demo', { customerId: OTHER_OWNER }) },
    { role: 'AGENT', token: await world.token('AGENT', 'demo', { agentId: world.agentId('other') }) },
    { role: 'MANAGER', token: await world.token('MANAGER', 'other') },
    { role: 'AGENT', token: await world.token('AGENT', 'other') },
    { role: 'CUSTOMER', token: await world.token('CUSTOMER', 'other') },
  ] as const;
  const real: Readonly<Record<string, string>> = {
    [LOANS.loanId]: loan.loanId,
    [LOANS.productId]: loan.productId,
    [LOANS.repaymentId]: repayment,
  };
  const put = (value: unknown, to: (id: string) => string): unknown =>
    JSON.parse(Object.keys(real).reduce((text, id) => text.replaceAll(id, to(id)), JSON.stringify(value ?? null)));
  let compared = 0;
  for (const endpoint of ENDPOINTS.filter(({ group }) => group === 'lending')) {
    const [example = {}] = Object.values(endpoint.requestExamples);
    const text = JSON.stringify(example);
    if (![LOANS.loanId, LOANS.repaymentId].some((id) => text.includes(id))) continue;
    for (const { role, token } of strangers) {
      if (endpoint.roles === 'PUBLIC' || !endpoint.roles.includes(role)) continue;
      for (const { method, path: pattern } of routesOf(endpoint)) {
        const ask = async (to: (id: string) => string) => {
          const {
            params = {},
            query,
            body,
          } = put(example, to) as { params?: Record<string, string>; query?: Record<string, string>; body?: unknown };
          const search = new URLSearchParams(query).toString();
          const path =
            pattern.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '') +
            (search === '' ? '' : `?${search}`);
          return world.send(path, { method, ...(body === undefined || body === null ? {} : { body }) }, { token });
        };
        const before = await world.log.lastPosition();
        const theirs = await ask((id) => real[id] ?? id);
        const nobodys = await ask(() => RANDOM);
        const gist = ({ status, json }: Answered) => [status, json.errorCode, json.message, json.errors];
        t.same(gist(theirs), gist(nobodys), `${method} ${pattern} by ${role}`);
        t.equal(theirs.status, 404, `${method} ${pattern} by ${role} ${theirs.text}`);
        t.equal(await world.log.lastPosition(), before, `${method} ${pattern}: nothing is written`);
        compared += 1;
      }
    }
  }
  t.ok(compared > 40, `${compared} calls were compared`);
  const agent = await world.send(`${USER}/loan-details-with-payment-history/${loan.loanId}`, {}, 'AGENT');
  t.equal(agent.status, 200, 'his own agent sees it');
});
