/** Loans and their products: given events, when a command, then events or a refusal; rules of the checks; and their folds. */
import { test } from 'tap';
import type { CommandPayloads } from '../../application/commands.js';
import { AGGREGATES } from '../../domain/aggregates.js';
import type { LoanFacts } from '../../domain/loan/commands.js';
import { LOAN_STATUSES, type LoanStatus } from '../../domain/loan/events.js';
import { loanCodeOf } from '../../domain/loan/loan-code.js';
import { assess, isMet } from '../../domain/loan/rules.js';
import { termsToJson, termsFromJson } from '../../domain/loan/terms-json.js';
import { termsOfProduct, upfrontFees } from '../../domain/loan/terms-of-product.js';
import type { LoanProductSettings } from '../../domain/loan-product/events.js';
import type { Json } from '../../domain/shared/event.js';
import { REFUSAL_CODES } from '../../domain/shared/refusal.js';
import { type AccountState, normalBalance } from '../../domain/ledger/account.js';
import {
  type Deed,
  type Fact,
  NOW,
  TENANT,
  closed,
  did,
  frozen,
  given,
  moved,
  opened as accountOpened,
  refusalsMet,
  tenantSuspended,
} from '../support/given.js';
import {
  agentCreated,
  agentId,
  customerErased,
  customerIs,
  customerRegistered,
  personId,
} from '../support/given-people.js';
import {
  ACCOUNTS,
  APPROVAL,
  CODE,
  DAILY,
  STEPS,
  type Step,
  borrower,
  founded,
  loanId,
  operationId,
  product,
  productId,
  productIsActive,
  productSettings,
  repaymentId,
  request,
  taken,
} from '../support/given-loans.js';
import { isAboutLending, refusalsIn } from '../support/refusals.js';

const loan = loanId('l');
const ada = personId('ada');
const starter = productId('starter');
const LAGOS = { subject: 'tester', roles: ['AGENT' as const], agentId: agentId('lagos') };

test('save-loan-product: versions, and what settings must be to each other', (t) => {
  const settings = productSettings();
  const save = (more: Partial<LoanProductSettings> = {}, isNew = true) =>
    ({ product: starter, isNew, settings: productSettings(more) }) satisfies CommandPayloads['save-loan-product'];
  const book = given(founded)
    .when('save-loan-product', save())
    .then(t, { type: 'loan-product-saved', data: { productVersion: 1, settings }, tags: [`loan-product:${starter}`] });
  t.match(book.state('loan-product', starter), { status: 'INACTIVE', version: 1, settings });
  given().when('save-loan-product', save()).refused(t, 'tenant-not-found');
  given(founded, tenantSuspended).when('save-loan-product', save()).refused(t, 'tenant-suspended');
  given(founded, product('starter')).when('save-loan-product', save()).refused(t, 'loan-product-exists');
  given(founded).when('save-loan-product', save({}, false)).refused(t, 'loan-product-not-found');
  given(founded, product('starter')).when('save-loan-product', save({}, false)).then(t);
  const { name, ...rest } = settings;
  given(founded, product('starter'))
    .when('save-loan-product', { product: starter, isNew: false, settings: { ...rest, name } })
    .then(t);
  const changed = given(founded, product('starter'), productIsActive('starter'))
    .when('save-loan-product', save({ annualRatePercent: '13' }, false))
    .then(t, { type: 'loan-product-saved', data: { productVersion: 2, settings: { annualRatePercent: '13' } } });
  t.match(changed.state('loan-product', starter), { status: 'ACTIVE', version: 2 }, 'and stays what it was');

  const wrong: Array<[Partial<LoanProductSettings>, string]> = [
    [{ minAmount: '0' }, 'minAmount'],
    [{ minAmount: '100000001' }, 'minAmount'],
    [{ minInstalments: 25 }, 'minInstalments'],
    [{ rounding: { multiple: '0', mode: 'UP' } }, 'rounding'],
    [{ schedule: 'BALLOON' }, 'balloonPercent'],
    [{ schedule: 'BALLOON', balloonPercent: '100' }, 'balloonPercent'],
    [{ downPaymentPercent: '0' }, 'downPaymentPercent'],
    [{ graceOnPrincipal: 24 }, 'graceOnPrincipal'],
    [{ graceOnInterest: 24 }, 'graceOnInterest'],
    [{ fees: [{ name: 'f', when: 'UPFRONT', kind: 'FIXED', percent: '1' }] }, 'fees'],
    [{ fees: [{ name: 'f', when: 'UPFRONT', kind: 'PERCENT', amount: '1' }] }, 'fees'],
    [{ penalty: { graceDays: 0, when: 'FLAT', kind: 'PERCENT', amount: '1' } }, 'penalty'],
    [{ allocation: { walk: 'BY_BUCKET', due: ['fees', 'fees', 'fees', 'fees'], inAdvance: ['penalty', 'fees', 'interest', 'principal'] } }, 'allocation'], // prettier-ignore
    [{ maxRatePercent: '11.99' }, 'interestRate'],
    [{ minRatePercent: '12.01' }, 'interestRate'],
    [{ annualRatePercent: '1001' }, 'interestRate'],
    [{ scoring: { rules: [], high: 1, low: 0 } }, 'scoring'],
    [
      { questions: [{ questionId: 'q', question: 'Which?', type: 'SELECT', options: [], required: true }] },
      'questions',
    ],
    [{ name: '' }, 'name'],
    [{ scoring: { rules: [], high: 0.5, low: 1 } }, 'scoring.high'],
  ];
  for (const [more, field] of wrong) {
    given(founded).when('save-loan-product', save(more)).refused(t, 'invalid-argument', { field });
  }
  const twice = { questionId: 'q', question: 'Which?', type: 'TEXT', options: [], required: true } as const;
  given(founded)
    .when(
      'save-loan-product',
      save({
        questions: [
          { ...twice, options: [] },
          { ...twice, options: [] },
        ],
      }),
    )
    .refused(t, 'invalid-argument', { field: 'questions' });
  given(founded)
    .when('save-loan-product', save({ currency: 'EUR' }))
    .refused(t, 'currency-not-enabled');

  const thousands: Fact = () => ({
    type: 'loan-product-saved',
    data: { product: starter, productVersion: 10_000, settings },
    tags: [`loan-product:${starter}`],
  });
  given(founded, thousands)
    .when('save-loan-product', save({ name: 'again' }, false))
    .refused(t, 'too-many-settings');
  t.end();
});

test('status and questions of a product, conditions of a tenant', (t) => {
  const made = [founded, product('starter')];
  given(...made)
    .when('set-loan-product-status', { product: starter, to: 'ACTIVE' })
    .then(t, { type: 'loan-product-status-set', data: { from: 'INACTIVE', to: 'ACTIVE' } });
  given(...made, productIsActive('starter'))
    .when('set-loan-product-status', { product: starter, to: 'ACTIVE' })
    .then(t);
  given(founded)
    .when('set-loan-product-status', { product: starter, to: 'ACTIVE' })
    .refused(t, 'loan-product-not-found');
  const questions = [
    { questionId: 'own', question: 'Do you own?', type: 'BOOLEAN' as const, options: [], required: true },
  ];
  given(...made)
    .when('set-loan-questions', { product: starter, questions })
    .then(t, { type: 'loan-product-saved', data: { productVersion: 2, settings: { questions, name: 'Starter' } } });
  given(founded).when('set-loan-questions', { product: starter, questions }).refused(t, 'loan-product-not-found');
  const conditions = { text: 'You repay.', details: { fees: { processing: '500' } } };
  const book = given(founded, did('set-loan-conditions', conditions))
    .when('set-loan-conditions', conditions)
    .then(t, {
      type: 'loan-conditions-set',
      data: { ...conditions, conditionsVersion: 2 },
      tags: [`tenant:${TENANT}`],
    });
  t.equal(book.state('tenant', TENANT).loanConditionsVersion, 2);
  given().when('set-loan-conditions', conditions).refused(t, 'tenant-not-found');
  t.end();
});

test('rules: exact decimals, lists, and facts that are not there', (t) => {
  const facts: LoanFacts = { age: '18', income: '1000.10', country: 'NGA', bvn: 'true', odd: '', 'answer:q': 'yes' };
  const met = (fact: string, operator: string, value: string | string[]): boolean =>
    isMet({ fact, operator, value } as never, facts);
  const yes: Array<[string, string, string | string[]]> = [
    ['age', 'GTE', '18'],
    ['age', 'EQ', '18.00'],
    ['age', 'LT', '18.0000000000000000000000000001'],
    ['age', 'LTE', '18'],
    ['income', 'GT', '1000.09999999999999999999'],
    ['income', 'EQ', '1000.1'],
    ['country', 'IN', ['GBR', 'NGA']],
    ['country', 'NOT_IN', ['GBR']],
    ['country', 'NE', 'GBR'],
    ['bvn', 'EQ', 'true'],
    ['odd', 'EQ', ''],
    ['answer:q', 'EQ', 'yes'],
    ['age', 'IN', ['17', '18.0']],
  ];
  const no: Array<[string, string, string | string[]]> = [
    ['age', 'GT', '18'],
    ['age', 'LT', '18'],
    ['age', 'NE', '18.0'],
    ['country', 'GT', 'A'],
    ['age', 'GT', 'A'],
    ['age', 'GT', ['1', '2']],
    ['country', 'EQ', 'nga'],
    ['country', 'NOT_IN', ['NGA']],
    ['absent', 'NE', 'x'],
    ['absent', 'NOT_IN', ['x']],
    ['absent', 'EQ', ''],
    ['absent', 'LT', '5'],
    ['toString', 'NE', 'x'],
    ['constructor', 'NE', 'x'],
  ];
  for (const one of yes) t.ok(met(...one), one.join(' '));
  for (const one of no) t.notOk(met(...one), one.join(' '));

  const scoring = (high: number, low: number) => ({
    eligibility: [
      { name: 'adult', must: { fact: 'age', operator: 'GTE' as const, value: '18' } },
      { name: 'here', must: { fact: 'country', operator: 'IN' as const, value: ['NGA'] } },
    ],
    scoring: {
      rules: [
        { name: 'earns', when: { fact: 'income', operator: 'GT' as const, value: '1000' }, points: 30 },
        { name: 'owes', when: { fact: 'debts', operator: 'GT' as const, value: '0' }, points: -50 },
      ],
      high,
      low,
    },
  });
  t.match(assess(scoring(10, 40), facts), {
    eligibility: [
      { rule: 'adult', met: true, applied: { must: { value: '18' } } },
      { rule: 'here', met: true },
    ],
    scoring: [
      { rule: 'earns', met: true, points: 30 },
      { rule: 'owes', met: false, points: 0, applied: { points: -50 } },
    ],
    ...{ score: 30, risk: 'MEDIUM', outcome: 'REVIEW' },
  });
  t.match(assess(scoring(10, 30), facts), { risk: 'LOW', outcome: 'REVIEW' });
  t.match(assess(scoring(30, 31), facts), { risk: 'MEDIUM', outcome: 'REVIEW' });
  t.match(assess(scoring(31, 31), facts), { risk: 'HIGH', outcome: 'REJECTED' });
  const young = assess(scoring(10, 30), { ...facts, age: '17.99' });
  t.match(young, { risk: 'LOW', outcome: 'REJECTED', eligibility: [{ met: false }, { met: true }] }, 'all are applied');
  t.equal(young.scoring.length, 2);
  t.end();
});

test('request-loan: checked and scored in the same commit', (t) => {
  const book = given(...borrower())
    .byCustomer(ada)
    .when('request-loan', request({ facts: { age: '30' } }))
    .then(
      t,
      {
        type: 'loan-requested',
        data: { loan, code: CODE, codeSequence: 1, customer: ada, product: starter, productVersion: 1, currency: 'NGN', amount: '3650000', instalments: 12 }, // prettier-ignore
        tags: [`loan:${loan}`, `tenant:${TENANT}`, `customer:${ada}`],
      },
      { type: 'loan-assessed', data: { risk: 'LOW', outcome: 'REVIEW', score: 0 }, tags: [`loan:${loan}`] },
    );
  t.match(book.state('loan', loan), { status: 'REQUESTED', code: CODE, requestedAmount: '3650000', risk: 'LOW' });
  t.equal(book.state('tenant', TENANT).loanSequence, 1);
  t.notOk('agent' in (book.emitted[0]?.data as object), 'of no agent');

  const strict = productSettings({
    eligibility: [{ name: 'adult', must: { fact: 'age', operator: 'GTE', value: '18' } }],
    scoring: { rules: [{ name: 'base', when: { fact: 'age', operator: 'GT', value: '0' }, points: 5 }], high: 5, low: 9 }, // prettier-ignore
  });
  const rejected = given(...borrower(strict))
    .when('request-loan', request({ facts: { age: '17' } }))
    .then(
      t,
      { type: 'loan-requested' },
      { type: 'loan-assessed', data: { outcome: 'REJECTED', risk: 'MEDIUM' } },
      { type: 'loan-ended', data: { from: 'REQUESTED', to: 'REJECTED', by: 'SYSTEM', reason: 'an automated check was not passed' } }, // prettier-ignore
    );
  t.equal(rejected.state('loan', loan).status, 'REJECTED');
  given(...borrower(strict))
    .when('request-loan', request())
    .then(
      t,
      { type: 'loan-requested' },
      { type: 'loan-assessed' },
      { type: 'loan-ended', data: { reason: 'the score is too low' } },
    );
  given(...borrower(strict))
    .when('request-loan', request({ facts: { age: '18' } }))
    .then(t, { type: 'loan-requested' }, { type: 'loan-assessed', data: { risk: 'MEDIUM', score: 5 } });

  const agents = [...borrower(), agentCreated('lagos'), customerRegistered('abe', { agent: agentId('lagos') })];
  given(...agents)
    .as(LAGOS)
    .when('request-loan', request({ customer: personId('abe') }))
    .then(t, { type: 'loan-requested', data: { agent: agentId('lagos') } }, { type: 'loan-assessed' });
  given(...agents)
    .as(LAGOS)
    .when('request-loan', request())
    .refused(t, 'customer-not-found');
  t.end();
});

test('request-loan: what is refused', (t) => {
  const refused = (
    more: Partial<CommandPayloads['request-loan']>,
    code: string,
    field?: string,
    settings?: LoanProductSettings,
    ...facts: Array<Fact | Deed>
  ): void =>
    given(...borrower(settings), ...facts)
      .when('request-loan', request(more))
      .refused(t, code, field === undefined ? {} : { field });
  given().when('request-loan', request()).refused(t, 'tenant-not-found');
  given(founded, tenantSuspended).when('request-loan', request()).refused(t, 'tenant-suspended');
  refused({ customer: personId('nobody') }, 'customer-not-found');
  refused({}, 'customer-not-found', undefined, undefined, customerErased('ada'));
  refused({}, 'user-not-active', undefined, undefined, customerIs('ada', 'ACTIVE', 'INACTIVE'));
  given(...borrower())
    .byCustomer(personId('eve'))
    .when('request-loan', request())
    .refused(t, 'customer-not-found');
  refused({ product: productId('none') }, 'loan-product-not-found', 'loanProductId');
  refused({}, 'loan-product-not-active', undefined, undefined, did('set-loan-product-status', { product: starter, to: 'INACTIVE' })); // prettier-ignore
  refused({ amount: 99_999n }, 'amount-out-of-range', 'loanAmount');
  refused({ amount: 100_000_001n }, 'amount-out-of-range', 'loanAmount');
  refused({ instalments: 25 }, 'invalid-argument', 'loanDuration');
  refused({ instalments: 0 }, 'invalid-argument', 'loanDuration');
  refused({ instalments: 1.5 }, 'invalid-argument', 'loanDuration');
  refused({ repaymentMethod: 'CARD' }, 'invalid-argument', 'loanRepaymentMethodEnum');
  const asks = productSettings({
    bvnRequired: true,
    questions: [
      { questionId: 'q1', question: '?', type: 'TEXT', options: [], required: true },
      { questionId: 'q2', question: '?', type: 'TEXT', options: [], required: false },
    ],
  });
  refused({ facts: { 'answer:q1': 'x' } }, 'invalid-argument', 'bvn', asks);
  refused({ facts: { hasBvn: 'false', 'answer:q1': 'x' } }, 'invalid-argument', 'bvn', asks);
  refused({ facts: { hasBvn: 'true', 'answer:q2': 'x' } }, 'invalid-argument', 'eligibilityAnswers', asks);
  refused({ facts: { hasBvn: 'true', 'answer:q1': '' } }, 'invalid-argument', 'eligibilityAnswers', asks);
  given(...borrower(asks))
    .when('request-loan', request({ facts: { hasBvn: 'true', 'answer:q1': 'x' } }))
    .then(t, { type: 'loan-requested' }, { type: 'loan-assessed' });
  given(...taken('REQUESTED'))
    .when('request-loan', request())
    .refused(t, 'invalid-state');
  t.end();
});

test('approve-loan: within what was asked for and what the product allows, as it was then', (t) => {
  const requested = taken('REQUESTED', productSettings({ minRatePercent: '10', maxRatePercent: '15.5' }));
  const approve = { ...APPROVAL, amount: 1_000_000n, annualRatePercent: '15.5', instalments: 10, reason: 'fine' };
  const book = given(...requested)
    .when('approve-loan', approve)
    .then(t, {
      type: 'loan-approved',
      data: { amount: '1000000', annualRatePercent: '15.5', instalments: 10, fees: [], reason: 'fine' },
    });
  t.match(book.state('loan', loan), { status: 'APPROVED', approved: { amount: '1000000', instalments: 10 } });
  const fee = { name: 'Legal', when: 'UPFRONT', kind: 'FIXED', amount: 100n } as const;
  given(...requested)
    .when('approve-loan', { ...approve, fees: [fee] })
    .then(t, { type: 'loan-approved', data: { fees: [{ ...fee, amount: '100' }] } });
  const withFees = productSettings({ fees: [{ name: 'Product', when: 'INSTALMENT', kind: 'PERCENT', percent: '1' }] });
  given(...taken('REQUESTED', withFees))
    .when('approve-loan', APPROVAL)
    .then(t, { type: 'loan-approved', data: { fees: withFees.fees } });
  given(...taken('REQUESTED', withFees))
    .when('approve-loan', { ...APPROVAL, fees: [] })
    .then(t, { type: 'loan-approved', data: { fees: [] } });

  const refused = (more: Partial<typeof approve> & { fees?: object[] }, code: string, field: string): void =>
    given(...requested)
      .when('approve-loan', { ...approve, ...more } as CommandPayloads['approve-loan'])
      .refused(t, code, { field });
  refused({ amount: 3_650_001n }, 'amount-out-of-range', 'amount');
  refused({ amount: 99_999n }, 'amount-out-of-range', 'amount');
  refused({ instalments: 25 }, 'invalid-argument', 'tenure');
  refused({ instalments: 1.5 }, 'invalid-argument', 'tenure');
  for (const annualRatePercent of ['9.99', '15.51', '-1', 'x', '1e1', '1001', '']) {
    refused({ annualRatePercent }, 'invalid-argument', 'interestRate');
  }
  refused({ fees: [{ ...fee, amount: undefined }] }, 'invalid-argument', 'fees');
  refused({ fees: [{ ...fee, kind: 'PERCENT' }] }, 'invalid-argument', 'fees');
  refused({ fees: [{ ...fee, kind: 'PERCENT', percent: '1/2' }] }, 'invalid-argument', 'fees');
  refused({ fees: Array.from({ length: 21 }, () => fee) }, 'invalid-argument', 'fees');
  given(...borrower())
    .when('approve-loan', approve)
    .refused(t, 'loan-not-found');

  // The product has changed since: the loan keeps the version that was asked for.
  const narrower = productSettings({ maxInstalments: 3, schedule: 'FLAT', offerDays: 1 });
  const since = [
    ...taken('REQUESTED'),
    did('save-loan-product', { product: starter, isNew: false, settings: narrower }),
  ];
  given(...since, did('approve-loan', APPROVAL))
    .when('send-loan-offer', { loan })
    .then(t, {
      type: 'loan-offer-sent',
      data: { terms: { schedule: 'EQUAL_INSTALMENTS', instalments: 12 }, expiresAt: '2026-03-29T10:00:00.000Z' },
    });
  t.end();
});

test('send-loan-offer: the terms of product and approval, for a time', (t) => {
  const settings = productSettings({
    ...{ schedule: 'BALLOON', balloonPercent: '33.3333333', downPaymentPercent: '10', graceOnPrincipal: 1 },
    penalty: { graceDays: 2, when: 'DAILY', kind: 'PERCENT', percent: '0.1', cap: '500' },
    fees: [{ name: 'f', when: 'UPFRONT', kind: 'PERCENT', percent: '1' }],
    disbursement: 'AUTOMATIC',
  });
  const book = given(...taken('APPROVED', settings))
    .when('send-loan-offer', { loan })
    .then(t, {
      type: 'loan-offer-sent',
      data: {
        expiresAt: '2026-03-29T10:00:00.000Z',
        terms: {
          ...{
            principal: '3650000',
            annualRatePercent: '12',
            instalments: 12,
            balloon: '1216667',
            graceOnPrincipal: 1,
          },
          ...{ downPaymentPercent: '10', penalty: settings.penalty, fees: settings.fees, currency: 'NGN' },
        },
      },
    });
  t.match(book.state('loan', loan), { status: 'OFFER_SENT', offerExpiresAt: '2026-03-29T10:00:00.000Z' });
  given(...taken('APPROVED'))
    .when('send-loan-offer', { loan, expiresAt: '2026-03-15T10:00:00.001Z' })
    .then(t, { type: 'loan-offer-sent', data: { expiresAt: '2026-03-15T10:00:00.001Z' } });
  for (const expiresAt of [NOW, '2020-01-01T00:00:00Z', '2027-03-17T00:00:00Z', 'soon']) {
    given(...taken('APPROVED'))
      .when('send-loan-offer', { loan, expiresAt })
      .refused(t, 'invalid-argument', { field: 'expiresAt' });
  }
  t.end();
});

test('an offer is accepted in time, or expires', (t) => {
  const sent = taken('OFFER_SENT');
  given(...sent)
    .byCustomer(ada)
    .when('accept-loan-offer', { loan })
    .then(t, { type: 'loan-offer-accepted' });
  given(...sent)
    .byCustomer(personId('eve'))
    .when('accept-loan-offer', { loan })
    .refused(t, 'loan-not-found');
  given(...sent)
    .at('2026-03-29T10:00:00.000Z')
    .when('accept-loan-offer', { loan })
    .refused(t, 'offer-expired');
  given(...sent)
    .at('2026-03-29T09:59:59.999Z')
    .when('expire-loan-offer', { loan })
    .then(t);
  given(...sent)
    .at('2026-03-29T10:00:00.000Z')
    .when('expire-loan-offer', { loan })
    .then(t, { type: 'loan-ended', data: { from: 'OFFER_SENT', to: 'WITHDRAWN', by: 'SYSTEM', reason: 'the offer expired' } }); // prettier-ignore
  given(...taken('ACCEPTED'))
    .at('2026-06-01T00:00:00.000Z')
    .when('expire-loan-offer', { loan })
    .then(t);
  given(...borrower())
    .when('expire-loan-offer', { loan })
    .refused(t, 'loan-not-found');
  t.end();
});

test('every transition of an application: those of the table, and no other', (t) => {
  const allowed = new Set([
    ...['REQUESTED REJECTED STAFF', 'REQUESTED REJECTED SYSTEM', 'REQUESTED CANCELLED CUSTOMER'],
    ...['REQUESTED CANCELLED STAFF', 'APPROVED CANCELLED CUSTOMER', 'APPROVED CANCELLED STAFF'],
    ...['OFFER_SENT REJECTED CUSTOMER', 'OFFER_SENT WITHDRAWN CUSTOMER', 'OFFER_SENT WITHDRAWN SYSTEM'],
    ...['OFFER_SENT CANCELLED CUSTOMER', 'OFFER_SENT CANCELLED STAFF', 'ACCEPTED CANCELLED STAFF'],
  ]);
  const reached: Array<[LoanStatus, Array<Fact | Deed>]> = [
    ...STEPS.map((step): [LoanStatus, Array<Fact | Deed>] => [statusOf(step), taken(step)]),
    ['REJECTED', [...taken('REQUESTED'), did('end-loan', { loan, to: 'REJECTED', by: 'STAFF', reason: 'no' })]],
    ['WITHDRAWN', [...taken('OFFER_SENT'), did('end-loan', { loan, to: 'WITHDRAWN', by: 'CUSTOMER' })]],
    ['CANCELLED', [...taken('ACCEPTED'), did('end-loan', { loan, to: 'CANCELLED', by: 'STAFF' })]],
  ];
  for (const [status, facts] of reached) {
    for (const to of ['REJECTED', 'WITHDRAWN', 'CANCELLED'] as const) {
      for (const by of ['CUSTOMER', 'STAFF', 'SYSTEM'] as const) {
        const out = given(...facts).when('end-loan', { loan, to, by, reason: 'because' });
        if (!allowed.has(`${status} ${to} ${by}`)) out.refused(t, 'invalid-state', { details: { status } });
        else out.then(t, { type: 'loan-ended', data: { from: status, to, by, reason: 'because' } });
      }
    }
    const only = (
      wanted: LoanStatus,
      name: 'approve-loan' | 'send-loan-offer' | 'accept-loan-offer',
      payload: object,
    ) => {
      if (status !== wanted)
        given(...facts)
          .when(name, payload as never)
          .refused(t, 'invalid-state', { details: { status } });
    };
    only('REQUESTED', 'approve-loan', APPROVAL);
    only('APPROVED', 'send-loan-offer', { loan });
    only('OFFER_SENT', 'accept-loan-offer', { loan });
    if (status !== 'ACCEPTED') {
      given(...facts)
        .when('accept-loan-conditions', { loan })
        .refused(t, 'invalid-state');
      given(...facts)
        .when('disburse-loan', { loan })
        .refused(t, 'invalid-state');
    }
  }
  given(...borrower())
    .when('end-loan', { loan, to: 'CANCELLED', by: 'STAFF' })
    .refused(t, 'loan-not-found');
  given(...taken('REQUESTED'), tenantSuspended)
    .when('end-loan', { loan, to: 'CANCELLED', by: 'STAFF' })
    .refused(t, 'tenant-suspended');
  given(...taken('REQUESTED'), agentCreated('lagos'))
    .as(LAGOS)
    .when('end-loan', { loan, to: 'CANCELLED', by: 'STAFF' })
    .refused(t, 'loan-not-found');
  t.end();
});

function statusOf(step: Step): LoanStatus {
  const status = step === 'CONDITIONS_ACCEPTED' ? 'ACCEPTED' : step;
  if (!LOAN_STATUSES.includes(status)) throw new Error(status);
  return status;
}

/** What a book's accounts hold, in the sense of their kinds; those that are empty are left out. */
function balances(book: { state: (kind: 'account', id: string) => AccountState }): Record<string, bigint> {
  const all = Object.entries(ACCOUNTS).map(([name, id]) => [name, normalBalance(book.state('account', id))] as const);
  return Object.fromEntries(all.filter(([, balance]) => balance !== 0n));
}
const opened = (product: string) => ({ type: 'account-opened', data: { product } });
const entry = (valueDate: string, narration: string) => ({
  type: 'entry-posted',
  data: { kind: 'journal', valueDate, narration, reference: CODE },
  effectiveAt: valueDate,
});
const receivablesOpened = Array.from({ length: 4 }, () => opened('LOAN_RECEIVABLE'));
const daily = (more: Partial<LoanProductSettings> = {}) => productSettings({ ...DAILY, ...more });
const noon = (day: string) => `${day}T12:00:00.000Z`;
/** Paid out on 15 March: 36,500.00 at 12.00 a day. */
const running = (more: Partial<LoanProductSettings> = {}) => taken('DISBURSED', daily(more));

test('disburse-loan: wallet, receivables and money in one commit', (t) => {
  const fees = [{ name: 'f', when: 'UPFRONT', kind: 'FIXED', amount: '50000' } as const];
  const book = given(...taken('CONDITIONS_ACCEPTED', daily({ fees })))
    .when('disburse-loan', { loan })
    .then(
      t,
      {
        type: 'account-opened',
        data: { account: ACCOUNTS.wallet, number: 'LW-C1-NGN', owner: ada, kind: 'LIABILITY', product: 'LOAN_WALLET', name: 'Loan wallet', minimumBalance: '0' }, // prettier-ignore
        tags: [`account:${ACCOUNTS.wallet}`, `tenant:${TENANT}`, `customer:${ada}`],
      },
      ...(['principal', 'interest', 'fees', 'penalty'] as const).map((bucket) => ({
        type: 'account-opened',
        data: { account: ACCOUNTS[bucket], owner: TENANT, kind: 'ASSET', product: 'LOAN_RECEIVABLE', number: `${CODE}-${bucket.toUpperCase()}`, systemRole: `loan-${bucket}` }, // prettier-ignore
      })),
      {
        type: 'loan-disbursed',
        data: {
          ...{ wallet: ACCOUNTS.wallet, upTo: '2026-03-15', terms: { principal: '3650000' } },
          operation: { kind: 'DISBURSED', amount: '3650000', date: '2026-03-15' },
          booked: { disbursed: '3650000', upfrontFees: '50000', earned: { interest: '0' }, chargedBack: '0' },
        },
      },
      entry('2026-03-15', 'Loan disbursement'),
    );
  t.same(balances(book), { wallet: 3_600_000n, principal: 3_650_000n, feeIncome: 50_000n });
  t.match(book.state('loan', loan), { status: 'DISBURSED', accruedTo: '2026-03-15', wallet: ACCOUNTS.wallet });

  // Back-dated: what was earned since is booked with it.
  const late = given(...taken('CONDITIONS_ACCEPTED', daily()))
    .when('disburse-loan', { loan, date: '2026-03-05' })
    .then(t, opened('LOAN_WALLET'), ...receivablesOpened, { type: 'loan-disbursed', data: { upTo: '2026-03-15' }, effectiveAt: '2026-03-05' }, entry('2026-03-05', 'Loan disbursement')); // prettier-ignore
  t.match(balances(late), { principal: 3_650_000n, interest: 12_000n, interestIncome: 12_000n });

  // A second loan of the same borrower goes to the same wallet.
  const second = { loan: loanId('second') };
  const again = given(
    ...running(),
    did('request-loan', request(second)),
    ...(['approve-loan', 'send-loan-offer', 'accept-loan-offer', 'accept-loan-conditions'] as const).map((name) =>
      did(name, { ...APPROVAL, ...second }),
    ),
  )
    .when('disburse-loan', second)
    .then(t, ...receivablesOpened, { type: 'loan-disbursed' }, { type: 'entry-posted' });
  t.match(balances(again), { wallet: 7_300_000n, principal: 3_650_000n });
  t.end();
});

test('disburse-loan: what is refused, and that nothing has happened then', (t) => {
  const ready = taken('CONDITIONS_ACCEPTED', daily());
  for (const date of ['2026-03-16', '1899-12-31', '2026-02-30', 'today', '']) {
    given(...ready)
      .when('disburse-loan', { loan, date })
      .refused(t, 'value-date-out-of-range', { field: 'date' });
  }
  given(...taken('ACCEPTED'))
    .when('disburse-loan', { loan })
    .refused(t, 'invalid-state', { message: /conditions/ });
  given(...ready, customerIs('ada', 'ACTIVE', 'INACTIVE'))
    .when('disburse-loan', { loan })
    .refused(t, 'user-not-active');
  given(...ready, customerErased('ada'))
    .when('disburse-loan', { loan })
    .refused(t, 'customer-not-found');
  given(...ready, tenantSuspended)
    .when('disburse-loan', { loan })
    .refused(t, 'tenant-suspended');
  given(...ready, accountOpened('LW-C1-NGN'))
    .when('disburse-loan', { loan })
    .refused(t, 'account-exists');
  given(...ready, accountOpened(`${CODE}-FEES`))
    .when('disburse-loan', { loan })
    .refused(t, 'account-exists');
  const wallet = accountOpened('LW-C1-NGN', { owner: ada, product: 'LOAN_WALLET' });
  given(...ready, wallet)
    .when('disburse-loan', { loan })
    .then(t, ...receivablesOpened, { type: 'loan-disbursed' }, { type: 'entry-posted' });
  given(...ready, wallet, frozen('LW-C1-NGN', 'ALL'))
    .when('disburse-loan', { loan })
    .refused(t, 'account-frozen');
  given(...ready, wallet, closed('LW-C1-NGN'))
    .when('disburse-loan', { loan })
    .refused(t, 'account-not-activated');
  t.end();
});

test('accept-loan-conditions: and paid out at once where the product says so', (t) => {
  const by = (mode: 'AUTOMATIC' | 'MANUAL') =>
    given(...taken('ACCEPTED', daily({ disbursement: mode })), did('set-loan-conditions', { text: 'x', details: {} }))
      .byCustomer(ada)
      .when('accept-loan-conditions', { loan });
  const accepted = { type: 'loan-conditions-accepted', data: { conditionsVersion: 1 } };
  by('MANUAL').then(t, accepted);
  const book = by('AUTOMATIC').then(t, accepted, opened('LOAN_WALLET'), ...receivablesOpened, { type: 'loan-disbursed' }, entry('2026-03-15', 'Loan disbursement')); // prettier-ignore
  t.equal(book.state('loan', loan).status, 'DISBURSED');
  given(...taken('CONDITIONS_ACCEPTED'))
    .when('accept-loan-conditions', { loan })
    .refused(t, 'invalid-state');
  given(...taken('ACCEPTED', daily({ disbursement: 'AUTOMATIC' })), accountOpened('LW-C1-NGN'))
    .when('accept-loan-conditions', { loan })
    .refused(t, 'account-exists');
  t.end();
});

test('accrue-loan: what was earned, once a day', (t) => {
  const book = given(...running())
    .at(noon('2026-03-20'))
    .when('accrue-loan', { loan, upTo: '2026-03-20' })
    .then(
      t,
      { type: 'loan-accrued', data: { upTo: '2026-03-20', booked: { earned: { interest: '6000' } } }, effectiveAt: '2026-03-20' }, // prettier-ignore
      entry('2026-03-20', 'Loan accrual'),
    );
  t.match(balances(book), { principal: 3_650_000n, interest: 6_000n, interestIncome: 6_000n });
  t.equal(book.state('loan', loan).accruedTo, '2026-03-20');
  const accrued = [...running(), did('accrue-loan', { loan, upTo: '2026-03-20' }, { at: noon('2026-03-20') })];
  for (const upTo of ['2026-03-20', '2026-03-19', '2026-03-15', '2020-01-01']) {
    given(...accrued)
      .at(noon('2026-03-20'))
      .when('accrue-loan', { loan, upTo })
      .then(t);
  }
  given(...accrued).at(noon('2026-03-20')).when('accrue-loan', { loan, upTo: '2026-03-21' }).refused(t, 'value-date-out-of-range'); // prettier-ignore
  given(...accrued)
    .at(noon('2026-03-20'))
    .when('accrue-loan', { loan, upTo: 'x' })
    .refused(t, 'value-date-out-of-range');
  const caughtUp = given(...accrued)
    .at(noon('2026-03-24'))
    .when('accrue-loan', { loan, upTo: '2026-03-24' })
    .then(t, { type: 'loan-accrued', data: { booked: { earned: { interest: '10800' } } } }, { type: 'entry-posted' });
  t.match(balances(caughtUp), { interest: 10_800n, interestIncome: 10_800n }, 'days that were missed are made up for');
  given(...taken('ACCEPTED'))
    .when('accrue-loan', { loan, upTo: '2026-03-15' })
    .then(t);
  given(...borrower())
    .when('accrue-loan', { loan, upTo: '2026-03-15' })
    .refused(t, 'loan-not-found');
  given(...running(), tenantSuspended)
    .at(noon('2026-03-20'))
    .when('accrue-loan', { loan, upTo: '2026-03-20' })
    .refused(t, 'tenant-suspended');
  given(...running(), frozen(`${CODE}-INTEREST`, 'ALL'))
    .at(noon('2026-03-20'))
    .when('accrue-loan', { loan, upTo: '2026-03-20' })
    .refused(t, 'account-frozen');
  t.end();
});

test('accrue-loan: interest that is earned, not what is scheduled; penalties of the days that are late', (t) => {
  const on = (day: string, more: Partial<LoanProductSettings>) =>
    balances(given(...taken('DISBURSED', productSettings(more))).at(noon(day)).when('accrue-loan', { loan, upTo: day }).then(t, { type: 'loan-accrued' }, { type: 'entry-posted' })); // prettier-ignore
  // 1 % a month of 36,500.00 is 365.00: ten parts of 31 after ten days, all of it at the end of the month.
  for (const recalculates of [false, true]) {
    t.match(on('2026-03-25', { recalculates }), { interest: 11_774n, interestIncome: 11_774n, principal: 3_650_000n });
    t.match(on('2026-04-15', { recalculates }), { interest: 36_500n, interestIncome: 36_500n, principal: 3_650_000n });
  }
  const flat = { graceDays: 3, when: 'FLAT', kind: 'FIXED', amount: '777' } as const;
  t.equal(on('2026-04-18', { penalty: flat })['penalty'], undefined, 'within the days of grace');
  for (const day of ['2026-04-19', '2026-05-10']) {
    t.match(on(day, { penalty: flat }), { penalty: 777n, penaltyIncome: 777n }, 'once for an instalment');
  }
  t.match(on('2026-05-19', { penalty: flat }), { penalty: 1_554n, penaltyIncome: 1_554n }, 'and for the next one');
  // An instalment of 3,242.98 (36,500.00 at 1 % a month over 12), a thousandth of it a day.
  const each = { graceDays: 0, when: 'DAILY', kind: 'PERCENT', percent: '0.1', cap: '5000' } as const;
  const late = on('2026-04-25', { penalty: each, recalculates: false });
  t.match(late, { penalty: 3_243n, penaltyIncome: 3_243n });
  t.match(on('2026-05-10', { penalty: each, recalculates: false }), { penalty: 5_000n }, 'at most the cap');
  t.end();
});

const report = (name: string, amount: bigint, more: Partial<CommandPayloads['report-repayment']> = {}) => ({
  ...{
    loan,
    repayment: repaymentId(name),
    amount,
    method: 'BANK_TRANSFER',
    paymentDate: '2026-03-25',
    reference: CODE,
  },
  ...more,
});
const at = noon('2026-03-25');
const reported = (name: string, amount: bigint, more: Partial<CommandPayloads['report-repayment']> = {}) =>
  did('report-repayment', report(name, amount, more), { at });
const verified = (name: string) => did('verify-repayment', { loan, repayment: repaymentId(name) }, { at });

test('report-repayment: waits to be verified, and changes nothing', (t) => {
  const book = given(...running())
    .at(at)
    .byCustomer(ada)
    .when('report-repayment', report('r', 100_000n, { bankAccount: operationId('bank') }))
    .then(t, {
      type: 'repayment-reported',
      data: { loan, repayment: repaymentId('r'), amount: '100000', reference: CODE, bankAccount: operationId('bank') },
      effectiveAt: '2026-03-25',
    });
  t.match(book.state('loan', loan).repayments[repaymentId('r')], { status: 'PENDING_VERIFICATION', payoff: false });
  t.match(balances(book), { principal: 3_650_000n });
  const refused = (
    more: Partial<CommandPayloads['report-repayment']>,
    code: string,
    field?: string,
    facts = running(),
  ) =>
    given(...facts)
      .at(at)
      .when('report-repayment', report('r', 100_000n, more))
      .refused(t, code, field === undefined ? {} : { field });
  refused({ amount: 0n }, 'amount-out-of-range', 'repaymentAmount');
  refused({ amount: -1n }, 'amount-out-of-range', 'repaymentAmount');
  refused({ amount: 100_000_000n }, 'amount-out-of-range', 'repaymentAmount');
  refused({ method: 'SHELLS' }, 'invalid-argument', 'paymentMethod');
  refused({ paymentDate: '2026-03-14' }, 'value-date-out-of-range', 'paymentDate');
  refused({ paymentDate: '2026-03-26' }, 'value-date-out-of-range', 'paymentDate');
  refused({}, 'repayment-not-permitted', undefined, running({ thirdPartyCollection: true }));
  refused({}, 'invalid-state', undefined, taken('ACCEPTED'));
  refused({}, 'loan-not-found', undefined, borrower());
  const pending = [...running(), reported('r', 100_000n)];
  given(...pending)
    .at(at)
    .when('report-repayment', report('r', 5n))
    .refused(t, 'repayment-exists');
  given(...pending)
    .at(at)
    .when('report-repayment', report('s', 100_000n))
    .refused(t, 'repayment-exists', { field: 'repaymentReference' });
  for (const more of [{ amount: 100_001n }, { paymentDate: '2026-03-24' }, { reference: 'other' }]) {
    given(...pending)
      .at(at)
      .when('report-repayment', report('s', 100_000n, more))
      .then(t, { type: 'repayment-reported' });
  }
  given(...pending, verified('r'))
    .at(at)
    .when('report-repayment', report('s', 100_000n))
    .then(t, { type: 'repayment-reported' });
  const fifty = Array.from({ length: 50 }, (_, i) => reported(`n${i}`, BigInt(i + 1)));
  given(...running(), ...fifty)
    .at(at)
    .when('report-repayment', report('r', 100n))
    .refused(t, 'too-many-repayments');
  t.end();
});

test('verify-repayment: early, partial, over, twice, back-dated', (t) => {
  const pending = [...running(), reported('r', 100_000n)];
  const verify = { loan, repayment: repaymentId('r') };
  const booked = [{ type: 'repayment-verified', data: { receivedAmount: '100000', valueDate: '2026-03-25' } }];
  const book = given(...pending)
    .at(noon('2026-03-27'))
    .when('verify-repayment', verify)
    .then(
      t,
      ...booked,
      {
        type: 'loan-operated',
        data: {
          ...{ repayment: repaymentId('r'), upTo: '2026-03-27' },
          operation: { id: repaymentId('r'), kind: 'REPAID', amount: '100000', method: 'BANK_TRANSFER', date: '2026-03-25' }, // prettier-ignore
        },
        effectiveAt: '2026-03-25',
      },
      entry('2026-03-25', 'Loan repayment'),
    );
  t.equal(book.state('loan', loan).repayments[repaymentId('r')]?.status, 'VERIFIED');
  const after = balances(book);
  t.match(after, { cash: 100_000n, wallet: 3_650_000n });
  t.equal(
    (after['principal'] ?? 0n) + (after['interest'] ?? 0n),
    3_650_000n + (after['interestIncome'] ?? 0n) - 100_000n,
  );

  given(...pending, verified('r')).at(at).when('verify-repayment', verify).refused(t, 'invalid-state', { details: { status: 'VERIFIED' } }); // prettier-ignore
  given(...running())
    .at(at)
    .when('verify-repayment', verify)
    .refused(t, 'repayment-not-found');
  given(...taken('ACCEPTED'))
    .at(at)
    .when('verify-repayment', verify)
    .refused(t, 'invalid-state');
  for (const receivedAmount of [0n, -1n, 10n ** 24n + 1n]) {
    given(...pending)
      .at(at)
      .when('verify-repayment', { ...verify, receivedAmount })
      .refused(t, 'amount-out-of-range');
  }
  for (const valueDate of ['2026-03-26', '2026-03-14', 'x']) {
    given(...pending)
      .at(at)
      .when('verify-repayment', { ...verify, valueDate })
      .refused(t, 'value-date-out-of-range');
  }
  given(...pending)
    .at(at)
    .when('verify-repayment', { ...verify, receivedAmount: 99_000n, valueDate: '2026-03-20' })
    .then(t, { type: 'repayment-verified', data: { receivedAmount: '99000', valueDate: '2026-03-20' } }, { type: 'loan-operated', data: { operation: { amount: '99000', date: '2026-03-20' } } }, { type: 'entry-posted' }); // prettier-ignore

  // More than is owed settles the loan; the rest is the borrower's. So is a payment on a loan that is paid off.
  const over = given(...pending, reported('second', 70_000n))
    .at(at)
    .when('verify-repayment', { ...verify, receivedAmount: 4_000_000n })
    .then(t, { type: 'repayment-verified' }, { type: 'loan-operated' }, { type: 'entry-posted' }, { type: 'loan-paid-off', data: { date: '2026-03-25' } }); // prettier-ignore
  t.same(balances(over), { cash: 4_000_000n, wallet: 3_650_000n + 338_000n, interestIncome: 12_000n });
  t.equal(over.state('loan', loan).status, 'PAID_OFF');
  const settled = [
    ...[...pending, reported('second', 70_000n)],
    did('verify-repayment', { ...verify, receivedAmount: 4_000_000n }, { at }),
  ];
  const double = given(...settled)
    .at(at)
    .when('verify-repayment', { loan, repayment: repaymentId('second') })
    .then(t, { type: 'repayment-verified' }, { type: 'loan-operated' }, { type: 'entry-posted' });
  t.same(balances(double), { cash: 4_070_000n, wallet: 3_650_000n + 408_000n, interestIncome: 12_000n });
  given(...settled).at(at).when('report-repayment', report('third', 1n)).refused(t, 'invalid-state', { details: { status: 'PAID_OFF' } }); // prettier-ignore
  given(...settled)
    .at(noon('2026-04-25'))
    .when('accrue-loan', { loan, upTo: '2026-04-25' })
    .then(t);

  given(...pending)
    .when('reject-repayment', { ...verify, reason: 'never came' })
    .then(t, { type: 'repayment-rejected', data: { reason: 'never came' } });
  const rejected = [...pending, did('reject-repayment', { ...verify, reason: 'never came' })];
  given(...rejected).at(at).when('verify-repayment', verify).refused(t, 'invalid-state', { details: { status: 'REJECTED' } }); // prettier-ignore
  given(...rejected)
    .when('reject-repayment', { ...verify, reason: 'x' })
    .refused(t, 'invalid-state');
  given(...running())
    .when('reject-repayment', { ...verify, reason: 'x' })
    .refused(t, 'repayment-not-found');
  given(...taken('APPROVED'))
    .when('reject-repayment', { ...verify, reason: 'x' })
    .refused(t, 'invalid-state');
  t.end();
});

test('pay-off-loan: for exactly what it takes today', (t) => {
  const payOff = { loan, repayment: repaymentId('all'), reference: CODE };
  const funded = [...running(), moved('SYS-CASH-NGN', 'LW-C1-NGN', 20_000n)];
  const now = given(...funded)
    .at(at)
    .byCustomer(ada)
    .when('pay-off-loan', { ...payOff, method: 'WALLET', amount: 3_662_000n })
    .then(
      t,
      { type: 'repayment-reported', data: { amount: '3662000', payoff: true, paymentDate: '2026-03-25' } },
      { type: 'repayment-verified', data: { receivedAmount: '3662000', valueDate: '2026-03-25' } },
      { type: 'loan-operated', data: { operation: { kind: 'REPAID', method: 'WALLET' } } },
      entry('2026-03-25', 'Loan repayment'),
      { type: 'loan-paid-off', data: { date: '2026-03-25' } },
    );
  t.match(balances(now), { wallet: 8_000n, interestIncome: 12_000n });
  t.same([balances(now)['principal'], balances(now)['interest']], [undefined, undefined]);

  given(...running())
    .at(at)
    .when('pay-off-loan', { ...payOff, method: 'WALLET' })
    .refused(t, 'insufficient-funds');
  for (const amount of [3_661_999n, 3_662_001n]) {
    given(...funded)
      .at(at)
      .when('pay-off-loan', { ...payOff, method: 'WALLET', amount })
      .refused(t, 'payoff-amount-differs', { field: 'payoffAmount', details: { payoffAmount: '36620.00' } });
  }
  given(...running())
    .at(at)
    .when('pay-off-loan', { ...payOff, method: 'CARD' })
    .then(t, { type: 'repayment-reported', data: { amount: '3662000', payoff: true, method: 'CARD' } });
  const waiting = [...running(), did('pay-off-loan', { ...payOff, method: 'BANK_TRANSFER' }, { at })];
  // It came on the day of the quote, and is verified later.
  const later = given(...waiting)
    .at(noon('2026-03-28'))
    .when('verify-repayment', { loan, repayment: repaymentId('all') })
    .then(
      t,
      { type: 'repayment-verified' },
      { type: 'loan-operated' },
      { type: 'entry-posted' },
      { type: 'loan-paid-off' },
    );
  t.same(balances(later), { cash: 3_662_000n, wallet: 3_650_000n, interestIncome: 12_000n });
  given(...waiting)
    .at(at)
    .when('pay-off-loan', { ...payOff, method: 'CARD' })
    .refused(t, 'repayment-exists');
  given(...running())
    .at(at)
    .when('pay-off-loan', { ...payOff, method: 'SHELLS' })
    .refused(t, 'invalid-argument');
  given(...running({ thirdPartyCollection: true }))
    .at(at)
    .when('pay-off-loan', { ...payOff, method: 'CARD' })
    .refused(t, 'repayment-not-permitted');
  given(...funded, did('pay-off-loan', { ...payOff, method: 'WALLET' }, { at }))
    .at(at)
    .when('pay-off-loan', { ...payOff, repayment: repaymentId('again'), method: 'WALLET' })
    .refused(t, 'invalid-state');
  given(...taken('ACCEPTED'))
    .when('pay-off-loan', { ...payOff, method: 'WALLET' })
    .refused(t, 'invalid-state');
  t.end();
});

type Operation = CommandPayloads['operate-loan']['operation'];
/** Distributes over the kinds. */
type Without<T> = T extends unknown ? Omit<T, 'id' | 'date'> : never;
const operation = (name: string, what: Without<Operation>, date = '2026-03-25') => ({
  ...{ loan, reason: 'because' },
  operation: { id: operationId(name), date, ...what } as Operation,
});
const operated = (name: string, what: Without<Operation>, date?: string) =>
  did('operate-loan', operation(name, what, date), { at });
const done = { type: 'loan-operated', data: { reason: 'because' } };
const posted = { type: 'entry-posted' };

test('operate-loan: charges, waivers, credits', (t) => {
  const charge = { kind: 'CHARGED', bucket: 'fees', amount: 5_000n, due: '2026-03-25', type: 'LETTER' } as const;
  const charged = given(...running()).at(at).when('operate-loan', operation('c', charge)).then(t, done, entry('2026-03-25', 'Loan charge')); // prettier-ignore
  t.match(balances(charged), { fees: 5_000n, feeIncome: 5_000n, interest: 12_000n });
  const withFee = [...running(), operated('c', charge)];
  const waive = (amount: bigint, bucket: 'fees' | 'interest' = 'fees') => ({ kind: 'WAIVED', bucket, amount }) as const;
  const waived = given(...withFee).at(at).when('operate-loan', operation('w', waive(2_000n))).then(t, done, entry('2026-03-25', 'Loan waiver')); // prettier-ignore
  t.match(balances(waived), { fees: 3_000n, feeIncome: 3_000n });
  given(...withFee).at(at).when('operate-loan', operation('w', waive(5_001n))).refused(t, 'amount-out-of-range', { details: { most: '50.00' } }); // prettier-ignore
  given(...withFee).at(at).when('operate-loan', operation('w', waive(12_001n, 'interest'))).refused(t, 'amount-out-of-range'); // prettier-ignore
  const free = given(...running()).at(at).when('operate-loan', operation('w', waive(12_000n, 'interest'))).then(t, done, posted); // prettier-ignore
  t.same([balances(free)['interest'], balances(free)['interestIncome']], [undefined, undefined]);

  const credit = (type: string) => operation('g', { kind: 'CREDITED', amount: 7_000n, type });
  const refund = given(...running())
    .at(at)
    .when('operate-loan', credit('MERCHANT_REFUND'))
    .then(t, done, posted);
  t.match(balances(refund), { cash: 7_000n });
  const goodwill = given(...running())
    .at(at)
    .when('operate-loan', credit('GOODWILL'))
    .then(t, done, posted);
  t.match(balances(goodwill), { losses: 7_000n });

  for (const amount of [0n, -1n, 10n ** 24n + 1n]) {
    given(...running()).at(at).when('operate-loan', operation('c', { ...charge, amount })).refused(t, 'amount-out-of-range'); // prettier-ignore
  }
  for (const due of ['2026-03-14', '2036-12-31', 'x']) {
    given(...running()).at(at).when('operate-loan', operation('c', { ...charge, due })).refused(t, 'value-date-out-of-range', { field: 'due' }); // prettier-ignore
  }
  for (const date of ['2026-03-14', '2026-03-26', '2026-02-30']) {
    given(...running()).at(at).when('operate-loan', operation('c', charge, date)).refused(t, 'value-date-out-of-range', { field: 'date' }); // prettier-ignore
  }
  given(...withFee)
    .at(at)
    .when('operate-loan', operation('c', charge))
    .refused(t, 'invalid-state');
  for (const kind of ['DISBURSED', 'REPAID'] as const) {
    given(...running()).at(at).when('operate-loan', operation('d', { kind, amount: 5n, method: 'CARD' })).refused(t, 'invalid-argument'); // prettier-ignore
  }
  given(...taken('ACCEPTED'))
    .when('operate-loan', operation('c', charge))
    .refused(t, 'invalid-state');
  const paidOff = [...running(), did('operate-loan', operation('all', { kind: 'CREDITED', amount: 3_662_000n, type: 'X' }), { at })]; // prettier-ignore
  given(...paidOff).at(at).when('operate-loan', operation('c', charge)).refused(t, 'invalid-state', { details: { status: 'PAID_OFF' } }); // prettier-ignore
  t.end();
});

test('operate-loan: rates, schedules', (t) => {
  const rate = (annualRatePercent: string) => operation('r', { kind: 'RATE_CHANGED', annualRatePercent }, '2026-03-20');
  const reset = given(...running()).at(at).when('operate-loan', rate('24')).then(t, done, entry('2026-03-20', 'Loan rate change')); // prettier-ignore
  t.match(balances(reset), { interest: 18_000n, interestIncome: 18_000n }, 'five days at 12.00 and five at 24.00');
  for (const wrong of ['-1', 'x', '1000.1', '']) {
    given(...running())
      .at(at)
      .when('operate-loan', rate(wrong))
      .refused(t, 'invalid-argument', { field: 'interestRate' });
  }
  const quiet = (what: Without<Operation>) =>
    given(...running())
      .at(at)
      .when('operate-loan', operation('s', what));
  quiet({ kind: 'RESCHEDULED', instalments: 18 }).then(t, done, posted);
  quiet({ kind: 'RESCHEDULED', firstDueDate: '2026-05-01' }).then(t, done, posted);
  quiet({ kind: 'RESCHEDULED', annualRatePercent: '6' }).then(t, done, posted);
  quiet({ kind: 'RESCHEDULED' }).refused(t, 'invalid-argument');
  quiet({ kind: 'RESCHEDULED', instalments: 601 }).refused(t, 'invalid-argument', { field: 'instalments' });
  quiet({ kind: 'RESCHEDULED', annualRatePercent: '-6' }).refused(t, 'invalid-argument', { field: 'interestRate' });
  quiet({ kind: 'RESCHEDULED', firstDueDate: '2026-03-24' }).refused(t, 'value-date-out-of-range', { field: 'firstDueDate' }); // prettier-ignore
  const monthly = { every: 1, unit: 'MONTHS' } as const;
  quiet({ kind: 'REAGED', instalments: 6, frequency: monthly, firstDueDate: '2026-04-30' }).then(t, done, posted);
  quiet({ kind: 'REAGED', instalments: 0, frequency: monthly, firstDueDate: '2026-04-30' }).refused(
    t,
    'invalid-argument',
  );
  quiet({ kind: 'REAGED', instalments: 6, frequency: monthly, firstDueDate: '2026-03-01' }).refused(t, 'value-date-out-of-range'); // prettier-ignore
  quiet({ kind: 'REAMORTISED' }).then(t, done, posted);
  quiet({ kind: 'PREPAYMENT_RULE_SET', rule: 'SHORTEN' }).then(t, done, posted);
  t.end();
});

test('operate-loan: write-off, recovery, and what may not be done to what is lost', (t) => {
  const lost = running({ writeOffAfterDays: 0 });
  const writeOff = operation('lost', { kind: 'WRITTEN_OFF' });
  const book = given(...lost)
    .at(at)
    .when('operate-loan', writeOff)
    .then(t, done, entry('2026-03-25', 'Loan written off'));
  t.same(balances(book), { wallet: 3_650_000n, losses: 3_662_000n, interestIncome: 12_000n });
  t.match(book.state('loan', loan), { status: 'DISBURSED', writtenOff: true });
  given(...running()).at(at).when('operate-loan', writeOff).refused(t, 'invalid-state', { details: { writeOffAfterDays: '90' } }); // prettier-ignore

  const gone = [...lost, reported('r', 100_000n), reported('early', 50_000n, { paymentDate: '2026-03-24' }), reported('w', 9n, { method: 'WALLET' }), operated('lost', { kind: 'WRITTEN_OFF' })]; // prettier-ignore
  const recover = (amount: bigint, name = 'back') => operation(name, { kind: 'RECOVERED', amount });
  const recovered = given(...gone).at(at).when('operate-loan', recover(1_000n)).then(t, done, entry('2026-03-25', 'Loan recovery')); // prettier-ignore
  t.match(balances(recovered), { cash: 1_000n, losses: 3_661_000n });
  given(...gone).at(at).when('operate-loan', recover(3_662_001n)).refused(t, 'amount-out-of-range', { details: { most: '36620.00' } }); // prettier-ignore
  given(...lost)
    .at(at)
    .when('operate-loan', recover(1n))
    .refused(t, 'invalid-state');

  // What was reported before: a recovery, or a repayment where it came before the loss.
  const verify = (name: string, more: object = {}) =>
    given(...gone)
      .at(at)
      .when('verify-repayment', { loan, repayment: repaymentId(name), ...more });
  const came = verify('r').then(t, { type: 'repayment-verified' }, { type: 'loan-operated', data: { operation: { kind: 'RECOVERED' } } }, posted); // prettier-ignore
  t.match(balances(came), { cash: 100_000n, losses: 3_562_000n });
  const before = verify('early').then(t, { type: 'repayment-verified' }, { type: 'loan-operated', data: { operation: { kind: 'REPAID' } } }, posted); // prettier-ignore
  t.match(balances(before), { cash: 50_000n });
  t.ok((balances(before)['losses'] ?? 0n) < 3_612_001n, 'less was lost');
  verify('w').refused(t, 'invalid-state');
  verify('r', { receivedAmount: 9_000_000n }).refused(t, 'amount-out-of-range');
  given(...gone)
    .at(at)
    .when('report-repayment', report('new', 5n))
    .refused(t, 'invalid-state');
  given(...gone)
    .at(noon('2026-04-25'))
    .when('accrue-loan', { loan, upTo: '2026-04-25' })
    .then(t);
  for (const what of [
    { kind: 'WRITTEN_OFF' },
    { kind: 'REAMORTISED' },
    { kind: 'CHARGED_BACK', amount: 5n },
    { kind: 'WAIVED', bucket: 'interest', amount: 5n },
  ] as const) {
    given(...gone)
      .at(at)
      .when('operate-loan', operation('x', what))
      .refused(t, 'invalid-state', { message: /written off/ });
  }
  const undo = { kind: 'UNDONE', operation: operationId('lost') } as const;
  given(...gone, operated('back', { kind: 'RECOVERED', amount: 5n }))
    .at(at)
    .when('operate-loan', operation('u', undo))
    .refused(t, 'invalid-state', { message: /recoveries/ });
  const again = given(...gone)
    .at(at)
    .when('operate-loan', operation('u', undo))
    .then(t, done, posted);
  t.match(balances(again), { principal: 3_650_000n, interest: 12_000n });
  t.equal(balances(again)['losses'], undefined);
  t.equal(again.state('loan', loan).writtenOff, false);

  const marked = given(...lost).at(at).when('operate-loan', operation('m', { kind: 'WRITTEN_OFF', stillOwed: true })).then(t, done, posted); // prettier-ignore
  t.match(balances(marked), { principal: 3_650_000n, interest: 12_000n }, 'only marked: it is owed as before');
  t.equal(marked.state('loan', loan).writtenOff, false);
  t.end();
});

test('operate-loan: undone and charged back', (t) => {
  const paid = [...running(), reported('r', 100_000n), verified('r')];
  const undo = (target: string) => operation('u', { kind: 'UNDONE', operation: target });
  const untouched = balances(given(...running()).at(at).when('accrue-loan', { loan, upTo: '2026-03-25' }).then(t, { type: 'loan-accrued' }, posted)); // prettier-ignore
  const book = given(...paid)
    .at(at)
    .when('operate-loan', undo(repaymentId('r')))
    .then(t, { type: 'loan-operated', data: { repayment: repaymentId('r'), operation: { kind: 'UNDONE' } } }, entry('2026-03-25', 'Loan correction')); // prettier-ignore
  t.same(balances(book), untouched, 'as if it had never been');
  const twice = [...paid, did('operate-loan', undo(repaymentId('r')), { at })];
  const another = operation('v', { kind: 'UNDONE', operation: repaymentId('r') });
  given(...twice)
    .at(at)
    .when('operate-loan', another)
    .refused(t, 'invalid-argument', { field: 'operation' });
  given(...twice)
    .at(at)
    .when('operate-loan', operation('v', { kind: 'UNDONE', operation: operationId('u') }))
    .refused(t, 'invalid-argument');
  given(...paid)
    .at(at)
    .when('operate-loan', undo(operationId('none')))
    .refused(t, 'invalid-argument');
  const disbursement = given(...running())
    .when('expire-loan-offer', { loan })
    .then(t)
    .state('loan', loan).operations[0]?.id;
  given(...running())
    .at(at)
    .when('operate-loan', undo(disbursement ?? ''))
    .refused(t, 'invalid-argument');

  // A loan that was paid off owes again.
  const all = [...running(), did('pay-off-loan', { loan, repayment: repaymentId('all'), method: 'CARD', reference: CODE }, { at }), verified('all')]; // prettier-ignore
  const reopened = given(...all)
    .at(noon('2026-03-27'))
    .when('operate-loan', undo(repaymentId('all')))
    .then(t, { type: 'loan-operated' }, posted, { type: 'loan-reopened' });
  t.same(balances(reopened), { wallet: 3_650_000n, principal: 3_650_000n, interest: 14_400n, interestIncome: 14_400n });
  t.match(reopened.state('loan', loan), { status: 'DISBURSED', accruedTo: '2026-03-27' });

  // What was paid too much went to the wallet: it must still be there when the payment is taken back.
  const over = [...running(), reported('o', 3_000_000n), did('verify-repayment', { loan, repayment: repaymentId('o'), receivedAmount: 5_000_000n }, { at })]; // prettier-ignore
  given(...over, moved('LW-C1-NGN', 'SYS-CASH-NGN', 4_900_000n))
    .at(at)
    .when('operate-loan', undo(repaymentId('o')))
    .refused(t, 'insufficient-funds');

  const back = (amount: bigint, more: object = {}) => operation('b', { kind: 'CHARGED_BACK', amount, ...more });
  const charged = given(...paid).at(at).when('operate-loan', back(100_000n)).then(t, done, entry('2026-03-25', 'Loan repayment charged back')); // prettier-ignore
  t.equal(balances(charged)['cash'], undefined);
  given(...paid).at(at).when('operate-loan', back(100_001n)).refused(t, 'amount-out-of-range', { details: { most: '1000.00' } }); // prettier-ignore
  const restores = { operation: repaymentId('r'), order: ['interest', 'principal'] as const };
  given(...paid, reported('s', 9_000n), verified('s')).at(at).when('operate-loan', back(100_001n, { restores })).refused(t, 'amount-out-of-range'); // prettier-ignore
  given(...paid, did('operate-loan', back(60_000n), { at }))
    .at(at)
    .when('operate-loan', operation('b2', { kind: 'CHARGED_BACK', amount: 40_001n }))
    .refused(t, 'amount-out-of-range');
  t.end();
});

test('a loan has at most so many operations', (t) => {
  const many: Fact = (book) => {
    const { booked, accruedTo } = book.state('loan', loan);
    const undone = (i: number) => ({ id: operationId(`many ${i}`), date: '2026-03-15', kind: 'REAMORTISED' });
    for (let i = 0; i < 4_999; i += 1) {
      const data = { loan, operation: undone(i), upTo: accruedTo, booked };
      book.take({ id: operationId(`event ${i}`), type: 'loan-operated', version: 1, data, tags: [`loan:${loan}`] });
    }
    return { type: 'loan-reopened', data: { loan }, tags: [`loan:${loan}`] };
  };
  given(...running(), many)
    .at(at)
    .when('operate-loan', operation('one more', { kind: 'REAMORTISED' }))
    .refused(t, 'too-many-operations');
  t.end();
});

test('the receivables of a loan change with the loan only, and must agree with it', (t) => {
  const line = (accountNumber: string, side: 'debit' | 'credit') => ({
    accountNumber,
    currency: 'NGN',
    side,
    amount: 5n,
  });
  given(...running())
    .when('post-journal-entry', { lines: [line(`${CODE}-PRINCIPAL`, 'debit'), line('SYS-CASH-NGN', 'credit')] })
    .refused(t, 'account-permission-denied');
  const book = given(...running(), moved(`${CODE}-FEES`, 'SYS-CASH-NGN', 5n)).at(at);
  t.throws(() => book.when('accrue-loan', { loan, upTo: '2026-03-25' }), /fees is 0, its account holds 5/);
  t.end();
});

test('terms of a product, what is taken upfront, and codes', (t) => {
  const fees = [
    { name: 'a', when: 'UPFRONT', kind: 'FIXED', amount: 500n },
    { name: 'b', when: 'UPFRONT', kind: 'PERCENT', percent: '0.15' },
    { name: 'c', when: 'INSTALMENT', kind: 'FIXED', amount: 7n },
  ] as const;
  t.equal(upfrontFees({ principal: 333n, fees }), 500n, '0.4995 is nothing');
  t.equal(upfrontFees({ principal: 1000n, fees }), 502n, '1.5 is 2: half to even');
  t.equal(upfrontFees({ principal: 3000n, fees }), 504n, '4.5 is 4');
  const settings = productSettings({ schedule: 'BALLOON', balloonPercent: '12.5' });
  const agreed = { amount: 1_000_001n, annualRatePercent: '9', instalments: 6 };
  const terms = termsOfProduct(settings, agreed);
  t.equal(terms.balloon, 125_000n);
  t.notOk('balloon' in termsOfProduct(productSettings({ balloonPercent: '12.5' }), agreed), 'of a balloon loan only');
  const full = { ...terms, scheduling: 'CUMULATIVE' as const, instalmentAmount: 5n, firstDueDate: '2026-04-30', downPaymentPercent: '5' }; // prettier-ignore
  for (const one of [terms, full]) {
    t.strictSame(termsFromJson(JSON.parse(JSON.stringify(termsToJson(one))) as never), one, 'survive as JSON');
  }
  const codes = new Set(Array.from({ length: 5_000 }, (_, i) => loanCodeOf(i + 1)));
  t.equal(codes.size, 5_000);
  for (const code of codes) if (!/^L[0-9A-HJKMNP-TV-Z]{6}$/.test(code)) t.fail(code);
  t.equal(loanCodeOf(2 ** 30 + 1).length, 8);
  t.end();
});

test('aggregates of lending survive storage', (t) => {
  const book = given(...taken('OFFER_SENT'), did('set-loan-conditions', { text: 'x', details: {} }))
    .when('accept-loan-offer', { loan })
    .then(t, { type: 'loan-offer-accepted' });
  for (const [kind, id] of [
    ['loan', loan],
    ['loan', loanId('none')],
    ['loan-product', starter],
    ['tenant', TENANT],
  ] as const) {
    // prettier-ignore
    const aggregate = AGGREGATES[kind] as { toJson(s: unknown): Json; fromJson(j: Json): unknown };
    const state = book.state(kind, id);
    t.strictSame(aggregate.fromJson(JSON.parse(JSON.stringify(aggregate.toJson(state))) as Json), state, kind);
  }
  t.end();
});

test('no refusal about lending that a decider can give was left out', (t) => {
  const codes = refusalsIn((name) => isAboutLending(name) && !name.startsWith('withdrawal'));
  t.ok(codes.length > 15, `${codes.length} codes`);
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
