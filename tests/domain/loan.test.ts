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
import { type Deed, type Fact, NOW, TENANT, did, given, refusalsMet, tenantSuspended } from '../support/given.js';
import {
  agentCreated,
  agentId,
  customerErased,
  customerIs,
  customerRegistered,
  personId,
} from '../support/given-people.js';
import {
  APPROVAL,
  CODE,
  STEPS,
  type Step,
  borrower,
  founded,
  loanId,
  product,
  productId,
  productIsActive,
  productSettings,
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
        data: { loan, code: CODE, codeSequence: 1, customer: ada, product: starter, productVersion: 1, currency: 'NGN', amount: '1200000', instalments: 12 }, // prettier-ignore
        tags: [`loan:${loan}`, `tenant:${TENANT}`, `customer:${ada}`],
      },
      { type: 'loan-assessed', data: { risk: 'LOW', outcome: 'REVIEW', score: 0 }, tags: [`loan:${loan}`] },
    );
  t.match(book.state('loan', loan), { status: 'REQUESTED', code: CODE, requestedAmount: '1200000', risk: 'LOW' });
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
  refused({ amount: 1_200_001n }, 'amount-out-of-range', 'amount');
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
          ...{ principal: '1200000', annualRatePercent: '12', instalments: 12, balloon: '400000', graceOnPrincipal: 1 },
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
