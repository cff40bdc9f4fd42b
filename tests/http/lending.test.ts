import t, { type Test } from 'tap';
import { tenantIdOf } from '../../domain/shared/ids.js';
import { EXAMPLE } from '../../http/ledger/examples.js';
import { type Answered, HttpWorld, OTHER_OWNER } from '../support/http-world.js';
import { ADMIN, REQUEST_LOAN, USER, activeProduct, application, send } from '../support/lending-steps.js';

const DEMO = tenantIdOf('demo');
const PRODUCTS = `${ADMIN}/loan-products`;
const RANDOM = '01234567-89ab-4cde-8f01-23456789abcd';

type Data = Record<string, unknown>;
const shown = (answer: Answered): Data => answer.json.data as Data;
const say = ({ status, json }: Answered): string =>
  [status, json.errorCode ?? '', ...(json.errors ?? []).map(({ field, code }) => `${field}:${code}`)].join(' ').trim();
async function openWorld(t: Test, options: Parameters<typeof HttpWorld.open>[0] = {}): Promise<HttpWorld> {
  const world = await HttpWorld.open(options);
  t.teardown(() => world.close());
  return world;
}
const revisionOf = async (world: HttpWorld): Promise<number> => (await world.log.head(DEMO)).revision;
t.test('loan products', async (t) => {
  const world = await openWorld(t);
  const create = (more: object = {}) =>
    send(world, 'POST', PRODUCTS, { name: 'Micro', currencyCode: 'NGN', interestRate: 24, ...more });

  await t.test('a short body makes one that lends', async (t) => {
    const answer = await create();
    t.equal(answer.status, 201, answer.text);
    t.match(shown(answer), {
      ...{ name: 'Micro', status: 'INACTIVE', version: 1, interestRate: 24, minAmount: 1000, maxAmount: 1_000_000 },
      ...{ amortisation: 'REDUCING_BALANCE', minTenure: 1, maxTenure: 36, tenureUnit: 'MONTHS', repaymentEvery: 1 },
      ...{ dayCount: '30/360', fees: [], penalty: null, disbursement: 'AUTOMATIC', offerDays: 14, bvnRequired: false },
      ...{
        allocationOrder: ['PENALTY', 'FEES', 'INTEREST', 'PRINCIPAL'],
        repaymentMethods: ['BANK_TRANSFER', 'WALLET'],
      },
      eligibility: { minAge: 18, countries: null, rules: [] },
    });
    const id = String(shown(answer)['id']);
    const plain = { eligibilityAnswers: [] };
    t.equal(
      say(await send(world, 'POST', REQUEST_LOAN, application(id, plain), 'CUSTOMER')),
      '409 INVALID_STATE_TRANSITION :LOAN_PRODUCT_NOT_ACTIVE',
    );
    t.same(
      shown(await send(world, 'GET', `${USER}/list-products`, undefined, 'CUSTOMER')),
      [],
      'customers see active ones',
    );
    const questions = `${USER}/loan-eligibility-questions/${id}`;
    t.equal(say(await send(world, 'GET', questions, undefined, 'CUSTOMER')), '404 NOT_FOUND');
    t.equal((await send(world, 'GET', questions)).status, 200, 'staff see all');
    t.match(shown(await send(world, 'PUT', `${PRODUCTS}/${id}/status`, { status: 'ACTIVE' })), { status: 'ACTIVE' });
    t.match(await send(world, 'GET', `${USER}/list-products`, undefined, 'CUSTOMER'), { json: { data: [{ id }] } });
    const asked = await send(world, 'POST', REQUEST_LOAN, application(id, plain), 'CUSTOMER');
    t.match(shown(asked), { loanApplicationStatusEnum: 'REQUESTED' }, 'and lends');
  });

  await t.test('every setting comes back as it was said', async (t) => {
    const whole = {
      ...{
        description: 'd',
        minAmount: 5000,
        maxAmount: '750000.50',
        minTenure: 6,
        maxTenure: 36,
        tenureUnit: 'WEEKS',
      },
      ...{
        repaymentEvery: 2,
        minInterestRate: 10,
        maxInterestRate: '30.5',
        amortisation: 'BALLOON',
        dayCount: 'ACT/365',
      },
      ...{ interestBy: 'DAILY', recalculatesInterest: true, graceOnPrincipal: 1, graceOnInterest: 1 },
      ...{
        interestFreePeriods: 1,
        rounding: { multiple: 0.5, mode: 'UP' },
        balloonPercent: 40,
        downPaymentPercent: '12.5',
      },
      fees: [
        { name: 'a', when: 'UPFRONT', type: 'FIXED', amount: 10 },
        { name: 'b', when: 'INSTALMENT', type: 'PERCENTAGE', percentage: 0.25 },
      ],
      penalty: { graceDays: 5, when: 'DAILY', type: 'FIXED', amount: 2.5, cap: 100 },
      ...{
        prepaymentRule: 'SHORTEN',
        allocationBy: 'BUCKET',
        disbursement: 'MANUAL',
        offerDays: 7,
        writeOffAfterDays: 30,
      },
      allocationOrder: ['PRINCIPAL', 'INTEREST', 'FEES', 'PENALTY'],
      allocationInAdvance: ['INTEREST', 'PRINCIPAL', 'FEES', 'PENALTY'],
      ...{ repaymentMethods: ['WALLET', 'CARD'], thirdPartyCollection: true, bvnRequired: true },
      eligibilityQuestions: [{ questionId: 'q', question: 'Q?', type: 'NUMBER', options: [], required: false }],
      eligibility: {
        ...{ minAge: 21, maxAge: 60, countries: ['NGA'], employmentTypes: ['EMPLOYED'] },
        rules: [{ name: 'r', fact: 'answer:q', operator: 'GTE', value: '2' }],
      },
      scoring: {
        rules: [{ name: 's', fact: 'country', operator: 'IN', value: ['NGA', 'GHA'], points: -5 }],
        ...{ highRiskBelow: -10, lowRiskFrom: 10 },
      },
    };
    const answer = await create(whole);
    t.equal(answer.status, 201, answer.text);
    const { fees, penalty, ...rest } = whole;
    t.match(shown(answer), { ...rest, maxAmount: 750_000.5, maxInterestRate: 30.5, downPaymentPercent: 12.5 });
    t.same(shown(answer)['fees'], [
      { ...fees[0], percentage: null },
      { ...fees[1], amount: null },
    ]);
    t.same(shown(answer)['penalty'], { ...penalty, percentage: null });

    const path = `${PRODUCTS}/${String(shown(answer)['id'])}`;
    const changed = await send(world, 'PUT', path, { interestRate: 20, penalty: null, maxInterestRate: null });
    const { name, version, ...after } = shown(changed);
    t.same({ name, version }, { name: 'Micro', version: 2 }, changed.text);
    t.match(after, {
      interestRate: 20,
      penalty: null,
      maxInterestRate: null,
      downPaymentPercent: 12.5,
      scoring: whole.scoring,
    });
    t.equal(
      shown(await send(world, 'PUT', path, { interestRate: 20 }))['version'],
      2,
      'the same again is no new version',
    );
    const asked = await send(world, 'PUT', `${path}/eligibility-questions`, { questions: [] });
    t.equal(say(asked), '422 VALIDATION_ERROR eligibility.rules.0.fact:UNKNOWN_FACT', 'a rule looks at the answer');
    const more = { questions: [...whole.eligibilityQuestions, { questionId: 'p', question: 'P?' }] };
    t.match(shown(await send(world, 'PUT', `${path}/eligibility-questions`, more)), {
      version: 3,
      eligibilityQuestions: [{ questionId: 'q' }, { questionId: 'p', type: 'TEXT', required: true }],
    });
  });

  await t.test('what makes no sense is told, all at once', async (t) => {
    const before = await revisionOf(world);
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ minAmount: 10, maxAmount: 5 }, 'minAmount:INVALID_RANGE'],
      [{ minAmount: 1.005 }, 'minAmount:TOO_MANY_DECIMALS'],
      [{ maxAmount: -1 }, 'maxAmount:AMOUNT_OUT_OF_RANGE'],
      [{ minTenure: 12, maxTenure: 6 }, 'minTenure:INVALID_RANGE'],
      [{ maxTenure: 10, repaymentEvery: 3 }, 'maxTenure:NOT_A_MULTIPLE'],
      [{ maxTenure: 700 }, 'maxTenure:TOO_LARGE'],
      [{ interestRate: 1001 }, 'interestRate:OUT_OF_RANGE'],
      [{ interestRate: -1 }, 'interestRate:INVALID_PERCENT'],
      [{ interestRate: '1e3' }, 'interestRate:INVALID_PERCENT'],
      [{ minInterestRate: 25 }, 'minInterestRate:INVALID_RANGE'],
      [{ maxInterestRate: 23 }, 'maxInterestRate:INVALID_RANGE'],
      [{ amortisation: 'BALLOON' }, 'balloonPercent:REQUIRED'],
      [{ balloonPercent: 10 }, 'balloonPercent:INVALID'],
      [{ amortisation: 'BALLOON', balloonPercent: 100 }, 'balloonPercent:OUT_OF_RANGE'],
      [{ downPaymentPercent: 0 }, 'downPaymentPercent:OUT_OF_RANGE'],
      [{ graceOnPrincipal: 1 }, 'graceOnPrincipal:OUT_OF_RANGE'],
      [{ rounding: { multiple: 0 } }, 'rounding.multiple:AMOUNT_OUT_OF_RANGE'],
      [{ fees: [{ name: 'f', type: 'FIXED' }] }, 'fees.0.amount:REQUIRED'],
      [{ fees: [{ name: 'f', type: 'FIXED', amount: 1, percentage: 1 }] }, 'fees.0.type:AMBIGUOUS'],
      [{ fees: [{ name: 'f', type: 'PERCENTAGE', percentage: 100.5 }] }, 'fees.0.percentage:OUT_OF_RANGE'],
      [{ penalty: { type: 'PERCENTAGE', percentage: 0 } }, 'penalty.percentage:OUT_OF_RANGE'],
      [{ allocationOrder: ['FEES', 'FEES', 'INTEREST', 'PRINCIPAL'] }, 'allocationOrder:INVALID_VALUE'],
      [{ repaymentMethods: ['WALLET', 'WALLET'] }, 'repaymentMethods:DUPLICATE'],
      [{ repaymentMethods: ['CASH'] }, 'repaymentMethods.0:INVALID_VALUE'],
      [{ eligibilityQuestions: [{ questionId: 'q', question: 'Q', type: 'SELECT' }] }, 'questions.0.options:REQUIRED'],
      [
        { eligibility: { rules: [{ name: 'r', fact: 'shoeSize', operator: 'EQ', value: 1 }] } },
        'eligibility.rules.0.fact:UNKNOWN_FACT',
      ],
      [
        { eligibility: { rules: [{ name: 'r', fact: 'age', operator: 'IN', value: 1 }] } },
        'eligibility.rules.0.value:INVALID_TYPE',
      ],
      [
        { eligibility: { rules: [{ name: 'r', fact: 'age', operator: 'GT', value: 'old' }] } },
        'eligibility.rules.0.value:NOT_A_NUMBER',
      ],
      [{ scoring: { rules: [], highRiskBelow: 5, lowRiskFrom: 1 } }, 'scoring.lowRiskFrom:INVALID_RANGE'],
      [{ currencyCode: 'XXA' }, 'currencyCode:UNKNOWN_CURRENCY'],
      [{ colour: 'red' }, 'colour:UNKNOWN_MEMBER'],
      [{ name: ' ' }, 'name:TOO_SHORT'],
    ];
    for (const [more, what] of wrong)
      t.ok(say(await create(more)).includes(what), `${JSON.stringify(more)} is ${what}`);
    const two = await create({ minAmount: 1.005, fees: [{ name: 'f', type: 'FIXED', amount: 'x' }] });
    t.equal(say(two), '422 VALIDATION_ERROR minAmount:TOO_MANY_DECIMALS fees.0.amount:INVALID_AMOUNT');
    const nowhere = await create({ currencyCode: 'CHF' });
    t.match(say(nowhere), /^422 VALIDATION_ERROR .*:CURRENCY_NOT_ENABLED/, 'the tenant has no such currency');
    t.equal(await revisionOf(world), before, 'nothing was written');
  });

  await t.test('what is not there, and what is not the caller’s', async (t) => {
    for (const [method, path, body] of [
      ['PUT', `${PRODUCTS}/${RANDOM}`, { interestRate: 1 }],
      ['PUT', `${PRODUCTS}/${RANDOM}/status`, { status: 'ACTIVE' }],
      ['PUT', `${PRODUCTS}/${RANDOM}/eligibility-questions`, { questions: [] }],
      ['GET', `${USER}/loan-eligibility-questions/${RANDOM}`, undefined],
    ] as const) {
      t.match(say(await send(world, method, path, body)), /^404 NOT_FOUND/, path);
    }
    const id = await activeProduct(world);
    const elsewhere = { token: await world.token('MANAGER', 'other') };
    t.equal(say(await send(world, 'PUT', `${PRODUCTS}/${id}`, { interestRate: 1 }, elsewhere)), '404 NOT_FOUND');
    t.equal(
      say(await send(world, 'PUT', `${PRODUCTS}/${id}`, { currencyCode: 'USD' })),
      '422 VALIDATION_ERROR currencyCode:UNCHANGEABLE',
    );
  });

  await t.test('lists', async (t) => {
    const all = shown(await send(world, 'GET', `${PRODUCTS}?size=2`));
    t.match(all, { page: 1, size: 2, loanProducts: [{ name: 'Micro' }, { name: 'Micro' }] });
    t.equal(all['totalPages'], Math.ceil(Number(all['totalElements']) / 2));
    const inactive = shown(await send(world, 'GET', `${PRODUCTS}?status=INACTIVE`));
    t.ok((inactive['loanProducts'] as Data[]).every(({ status }) => status === 'INACTIVE'));
    t.same(shown(await send(world, 'GET', `${USER}/list-products?currencyCode=USD`)), []);
  });

  await t.test('once per key', async (t) => {
    const headers = { 'Idempotency-Key': 'product-1' };
    const body = { name: 'Once', currencyCode: 'NGN', interestRate: 1 };
    const [a, b] = [await world.send(PRODUCTS, { body, headers }), await world.send(PRODUCTS, { body, headers })];
    t.same(shown(b), shown(a));
    t.equal(b.headers['idempotency-replayed'], 'true');
  });
});

t.test('terms and conditions', async (t) => {
  const world = await openWorld(t);
  const path = `${USER}/get-loan-terms/${DEMO}`;
  t.match(shown(await send(world, 'GET', path, undefined, 'CUSTOMER')), {
    ...{ organisationId: DEMO, version: 0, termsAndConditions: '', interestRateRange: {} },
  });
  await activeProduct(world, { penalty: undefined });
  t.match(shown(await send(world, 'GET', path)), {
    interestRateRange: { minimum: '12.5', maximum: '12.5' },
    feeStructure: { 'Salary advance': 'Processing: 500.00 NGN upfront' },
    repaymentTerms: { 'Salary advance': '1 to 24 MONTHS by BANK_TRANSFER, WALLET' },
    eligibilityCriteria: { 'Salary advance': 'age GTE 18' },
  });
  const set = (body: object, organisation = DEMO) => send(world, 'PUT', `${ADMIN}/loan-terms/${organisation}`, body);
  const answer = await set({ termsAndConditions: 'Pay back.', eligibilityCriteria: { age: 21 } });
  t.match(shown(answer), { version: 1, termsAndConditions: 'Pay back.', eligibilityCriteria: { age: '21' } });
  t.match(shown(answer), { interestRateRange: { minimum: '12.5' } }, 'the rest is made from the products');
  t.equal(shown(await set({ termsAndConditions: 'Pay back soon.' }))['version'], 2);
  t.equal(say(await set({})), '422 VALIDATION_ERROR termsAndConditions:REQUIRED');
  t.equal(say(await set({ termsAndConditions: 'x' }, tenantIdOf('other'))), '404 NOT_FOUND');
  t.equal(say(await send(world, 'GET', `${USER}/get-loan-terms/${tenantIdOf('other')}`)), '404 NOT_FOUND');
});

t.test('applications', async (t) => {
  const world = await openWorld(t);
  const product = await activeProduct(world);
  const ask = (more: object = {}, as: Parameters<typeof send>[4] = 'CUSTOMER', id = product) =>
    send(world, 'POST', REQUEST_LOAN, application(id, more), as);

  await t.test('by the customer', async (t) => {
    const claim = {
      ...{ bvn: '22212345678', firstName: 'ADA', lastName: 'obi', phoneNumber: '0803 123 4567', country: 'Nigeria' },
      ...{ accountNumber: '0000014579', bankCode: '011', employmentStatus: 'Self-Employed' },
    };
    const answer = await ask(claim);
    t.equal(answer.status, 200, answer.text);
    t.match(shown(answer), {
      ...{ loanApplicationStatusEnum: 'REQUESTED', requestedLoanAmount: 50_000, loanDuration: 12, currencyCode: 'NGN' },
      ...{ durationCounter: 'MONTHS', loanRepaymentMethodEnum: 'BANK_TRANSFER', monthlyIncome: 200_000 },
      ...{ customerName: 'Ada Obi', phoneNumber: '+2348031234567', dateOfBirth: '1990-05-17', loanProduct: product },
      ...{ loanRequestUserId: EXAMPLE.ownerId, employmentStatus: 'SELF_EMPLOYED', organisation: DEMO },
      ...{ customerCreditAccountId: null, loanCode: /^L[0-9A-Z]{6}$/ },
    });
    const id = String(shown(answer)['id']);
    const own = await send(world, 'GET', `${USER}/loan-application-details/${id}`, undefined, 'CUSTOMER');
    t.same(shown(own), { loanDetails: shown(answer), loanProductName: 'Salary advance' });
    const events = (await world.send(`/api/v6/services/audit/events/loan/${id}`)).text;
    t.match(events, /loan-requested.*loan-assessed|loan-assessed.*loan-requested/s);
    for (const secret of ['22212345678', '0000014579', '1990-05-17', '2348031234567', 'SCHOOL', '20000000'])
      t.notOk(events.includes(secret), `the log does not say ${secret}`);

    const staff = shown(await send(world, 'GET', `${ADMIN}/loan-application/${id}`));
    t.match(staff, {
      loanDetails: shown(answer),
      customer: { customerId: EXAMPLE.ownerId, bvn: '22212345678', accountNumber: '******4579', country: 'NGA' },
      eligibilityAnswers: [{ questionId: 'purpose', question: 'What is the loan for?', answer: 'SCHOOL' }],
      scoring: { outcome: 'REVIEW', risk: 'LOW', score: 50, eligibility: [{ name: 'minimum-age', met: true }] },
      ...{ approval: null, offer: null, history: [{ from: null, to: 'REQUESTED' }] },
    });
    const rules = (staff['scoring'] as { scoring: Array<{ name: string; met: boolean; pointsGiven: number }> }).scoring;
    t.same(
      rules.map(({ name, met, pointsGiven }) => [name, met, pointsGiven]),
      [
        ['identity-approved', false, 0],
        ['has-work', true, 20],
        ['instalment-within-a-third-of-income', true, 30],
        ['paid-off-before', false, 0],
        ['in-arrears', false, 0],
      ],
      'every rule with its result',
    );
  });

  await t.test('by an agent, for customers of his', async (t) => {
    t.equal((await ask({ customerId: EXAMPLE.ownerId }, 'AGENT')).status, 200);
    t.equal(say(await ask({}, 'AGENT')), '422 VALIDATION_ERROR customerId:REQUIRED');
    t.equal(say(await ask({ customerId: OTHER_OWNER }, 'AGENT')), '404 NOT_FOUND', 'another agent’s');
    t.equal(say(await ask({ customerId: RANDOM }, 'AGENT')), '404 NOT_FOUND');
    t.equal(say(await ask({ customerId: OTHER_OWNER })), '404 NOT_FOUND', 'a customer asks for himself');
    t.equal(say(await ask({}, 'MANAGER')), '403 FORBIDDEN');
    const alias = await send(world, 'POST', '/api/v1/services/user/request-loan', application(product), 'CUSTOMER');
    t.equal(alias.status, 200);
  });

  await t.test('what is wrong with one', async (t) => {
    const before = await revisionOf(world);
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ loanApplicationStatusEnum: 'APPROVED' }, '422 VALIDATION_ERROR loanApplicationStatusEnum:INVALID_VALUE'],
      [{ durationCounter: 6 }, '422 VALIDATION_ERROR durationCounter:MISMATCH'],
      [{ currencyCode: 'USD' }, '422 CURRENCY_MISMATCH currencyCode:CURRENCY_MISMATCH'],
      [{ loanAmount: 9_999.99 }, '422 VALIDATION_ERROR loanAmount:AMOUNT_OUT_OF_RANGE'],
      [{ loanAmount: 500_000.01 }, '422 VALIDATION_ERROR loanAmount:AMOUNT_OUT_OF_RANGE'],
      [{ loanAmount: 10_000.001 }, '422 VALIDATION_ERROR loanAmount:TOO_MANY_DECIMALS'],
      [{ loanAmount: '1e5' }, '422 VALIDATION_ERROR loanAmount:INVALID_AMOUNT'],
      [{ loanDuration: 25, durationCounter: 25 }, '422 VALIDATION_ERROR loanDuration:INVALID_ARGUMENT'],
      [{ loanRepaymentMethodEnum: 'CARD' }, '422 VALIDATION_ERROR loanRepaymentMethodEnum:INVALID_ARGUMENT'],
      [{ loanRepaymentMethodEnum: 'CASH' }, '422 VALIDATION_ERROR loanRepaymentMethodEnum:INVALID_VALUE'],
      [{ loanProductId: RANDOM }, '404 NOT_FOUND'],
      [{ dateOfBirth: '2015-01-01' }, '422 VALIDATION_ERROR dateOfBirth:TOO_YOUNG'],
      [{ dateOfBirth: 'yesterday' }, '422 VALIDATION_ERROR dateOfBirth:INVALID_DATE'],
      [{ firstName: 'Bayo' }, '422 VALIDATION_ERROR firstName:MISMATCH'],
      [{ lastName: 'Ade' }, '422 VALIDATION_ERROR lastName:MISMATCH'],
      [{ country: 'GHA' }, '422 VALIDATION_ERROR country:MISMATCH'],
      [{ phoneNumber: '12' }, '422 VALIDATION_ERROR phoneNumber:TOO_SHORT'],
      [{ phoneNumber: '0000 000' }, '422 VALIDATION_ERROR phoneNumber:INVALID_PHONE'],
      [{ bvn: '123' }, '422 VALIDATION_ERROR bvn:INVALID_FORMAT'],
      [{ accountNumber: '0000014579' }, '422 VALIDATION_ERROR bankCode:REQUIRED'],
      [{ accountNumber: '0000014578', bankCode: '011' }, '422 VALIDATION_ERROR accountNumber:INVALID_ACCOUNT'],
      [{ accountNumber: '0000014579', bankCode: 'FBN' }, '422 VALIDATION_ERROR bankCode:INVALID_ACCOUNT'],
      [{ monthlyIncome: -1 }, '422 VALIDATION_ERROR monthlyIncome:AMOUNT_OUT_OF_RANGE'],
      [{ eligibilityAnswers: [] }, '422 VALIDATION_ERROR eligibilityAnswers:REQUIRED'],
      [
        { eligibilityAnswers: [{ questionId: 'purpose', answer: ' ' }] },
        '422 VALIDATION_ERROR eligibilityAnswers.0.answer:INVALID_ANSWER eligibilityAnswers:REQUIRED',
      ],
      [
        { eligibilityAnswers: [{ questionId: 'purpose', answer: 'YACHT' }] },
        '422 VALIDATION_ERROR eligibilityAnswers.0.answer:INVALID_ANSWER',
      ],
      [{ interest: 3 }, '422 VALIDATION_ERROR interest:UNKNOWN_MEMBER'],
    ];
    for (const [more, what] of wrong) t.equal(say(await ask(more)), what, JSON.stringify(more));
    const answers = [
      { questionId: 'purpose', answer: 'RENT' },
      { questionId: 'purpose', answer: 'RENT' },
      { questionId: 'shoes', answer: '9' },
    ];
    t.equal(
      say(await ask({ eligibilityAnswers: answers, firstName: 'Bo' })),
      '422 VALIDATION_ERROR firstName:MISMATCH eligibilityAnswers.1.questionId:DUPLICATE eligibilityAnswers.2.questionId:UNKNOWN_QUESTION',
      'all at once',
    );
    for (const member of [
      'currencyCode',
      'dateOfBirth',
      'durationCounter',
      'employmentStatus',
      'loanAmount',
      'loanProductId',
      'loanDuration',
    ])
      t.equal(say(await ask({ [member]: undefined })), `422 VALIDATION_ERROR ${member}:REQUIRED`);
    t.equal(await revisionOf(world), before, 'nothing was written');

    const questions = [
      { questionId: 'people', question: 'How many?', type: 'NUMBER' },
      { questionId: 'home', question: 'Your own?', type: 'BOOLEAN', required: false },
    ];
    const strict = await activeProduct(world, { bvnRequired: true, eligibilityQuestions: questions });
    t.equal(
      say(
        await ask(
          {
            eligibilityAnswers: [
              { questionId: 'people', answer: 'two' },
              { questionId: 'home', answer: 'yes' },
            ],
          },
          'CUSTOMER',
          strict,
        ),
      ),
      '422 VALIDATION_ERROR bvn:REQUIRED eligibilityAnswers.0.answer:INVALID_ANSWER eligibilityAnswers.1.answer:INVALID_ANSWER',
    );
    const right = { bvn: '22212345678', eligibilityAnswers: [{ questionId: 'people', answer: '2' }] };
    t.equal((await ask(right, 'CUSTOMER', strict)).status, 200);
    const quarterly = await activeProduct(world, { repaymentEvery: 3, maxTenure: 24, minTenure: 3 });
    t.equal(
      say(await ask({ loanDuration: 10, durationCounter: 10 }, 'CUSTOMER', quarterly)),
      '422 VALIDATION_ERROR loanDuration:NOT_A_MULTIPLE',
    );
    t.match(shown(await ask({}, 'CUSTOMER', quarterly)), { loanDuration: 12 });
  });

  await t.test('rejected by the checks, and why', async (t) => {
    const rejecting: ReadonlyArray<readonly [object, object, string]> = [
      [
        { eligibility: { minAge: 40 } },
        { scoring: { eligibility: [{ name: 'minimum-age', met: false }] } },
        'too young',
      ],
      [
        { eligibility: { countries: ['GHA'] } },
        { scoring: { eligibility: [{ name: 'countries', met: false }] } },
        'elsewhere',
      ],
      [{ eligibility: { employmentTypes: ['SELF_EMPLOYED'] } }, { scoring: { outcome: 'REJECTED' } }, 'other work'],
      [
        {
          scoring: {
            rules: [{ name: 'rich', fact: 'monthlyIncome', operator: 'GTE', value: 1e6, points: 9 }],
            highRiskBelow: 1,
            lowRiskFrom: 5,
          },
        },
        { risk: 'HIGH', scoring: { score: 0, scoring: [{ name: 'rich', met: false, pointsGiven: 0 }] } },
        'high risk',
      ],
    ];
    for (const [more, why, name] of rejecting) {
      const id = await activeProduct(world, more);
      const answer = await ask({}, 'CUSTOMER', id);
      t.match(shown(answer), { loanApplicationStatusEnum: 'REJECTED' }, name);
      t.match(answer.json.message, /rejected/);
      const staff = shown(await send(world, 'GET', `${ADMIN}/loan-application/${String(shown(answer)['id'])}`));
      t.match(staff, { ...why, history: [{ to: 'REQUESTED' }, { to: 'REJECTED', by: 'SYSTEM', reason: /./ }] }, name);
    }
    const facts = await activeProduct(world, {
      eligibility: {
        rules: [
          { name: 'answered', fact: 'answer:purpose', operator: 'EQ', value: 'SCHOOL' },
          { name: 'new', fact: 'daysAsCustomer', operator: 'EQ', value: 0 },
          { name: 'wallet', fact: 'walletBalance', operator: 'EQ', value: '100000.00' },
          { name: 'no loans', fact: 'activeLoans', operator: 'EQ', value: 0 },
          { name: 'no BVN', fact: 'hasBvn', operator: 'EQ', value: false },
          { name: 'ratio', fact: 'instalmentToIncome', operator: 'EQ', value: '0.0223' },
        ],
      },
    });
    const answer = await ask({}, 'CUSTOMER', facts);
    t.match(shown(answer), { loanApplicationStatusEnum: 'REQUESTED' }, 'facts are what they are');
  });

  await t.test('once per key, whatever changes meanwhile', async (t) => {
    const id = await activeProduct(world);
    const headers = { 'Idempotency-Key': 'loan-1' };
    const body = application(id);
    const first = await world.send(REQUEST_LOAN, { body, headers }, 'CUSTOMER');
    t.equal(first.status, 200, first.text);
    await send(world, 'PUT', `${PRODUCTS}/${id}`, { bvnRequired: true });
    const before = await revisionOf(world);
    const again = await world.send(REQUEST_LOAN, { body, headers }, 'CUSTOMER');
    t.same(shown(again), shown(first), again.text);
    t.equal(again.headers['idempotency-replayed'], 'true');
    t.equal(await revisionOf(world), before);
    const other = await world.send(REQUEST_LOAN, { body: { ...body, loanAmount: 20_000 }, headers }, 'CUSTOMER');
    t.match(say(other), /^(409 IDEMPOTENCY_KEY_REUSED|422)/);
  });

  await t.test('the review queue', async (t) => {
    const list = async (query: string, as: Parameters<typeof send>[4] = 'MANAGER') =>
      shown(await send(world, 'GET', `${ADMIN}/loan-applications?${query}`, undefined, as));
    const all = await list('size=100&status=REQUESTED&sort=requestedAt&order=asc');
    const queue = all['loanApplications'] as Array<{ dateOfRequest: string; loanApplicationStatusEnum: string }>;
    t.ok(queue.length > 3);
    t.equal(all['totalElements'], queue.length);
    t.ok(queue.every(({ loanApplicationStatusEnum }) => loanApplicationStatusEnum === 'REQUESTED'));
    t.same(
      queue.map(({ dateOfRequest }) => dateOfRequest),
      queue.map(({ dateOfRequest }) => dateOfRequest).sort(),
    );
    const pages = [
      await list('size=2&page=1&status=REQUESTED&sort=requestedAt&order=asc'),
      await list('size=2&page=2&status=REQUESTED&sort=requestedAt&order=asc'),
    ];
    t.same(
      pages.flatMap((one) => one['loanApplications']),
      queue.slice(0, 4),
      'pages follow each other',
    );
    t.equal((await list(`productId=${product}`))['totalElements'], 3);
    t.equal((await list(`customerId=${OTHER_OWNER}`))['totalElements'], 0);
    t.equal((await list('toDate=2020-01-01'))['totalElements'], 0);
    t.equal((await list('size=100', 'AGENT'))['totalElements'], (await list('size=100'))['totalElements']);
    const stranger = { token: await world.token('AGENT', 'demo', { agentId: world.agentId('other') }) };
    t.equal((await list('size=100', stranger))['totalElements'], 0, 'another agent sees none');
    const path = `${ADMIN}/loan-applications`;
    t.equal(
      say(await send(world, 'GET', `${path}?fromDate=2026-02-01&toDate=2026-01-01`)),
      '422 VALIDATION_ERROR fromDate:INVALID_RANGE',
    );
    t.equal(say(await send(world, 'GET', `${path}?sort=name`)), '422 VALIDATION_ERROR sort:INVALID_VALUE');
    t.equal(say(await send(world, 'GET', `${path}?customerId=${OTHER_OWNER}`, undefined, 'AGENT')), '404 NOT_FOUND');
  });
});

t.test('an applicant who was erased', async (t) => {
  const world = await openWorld(t);
  const id = await activeProduct(world);
  const asked = await send(world, 'POST', REQUEST_LOAN, application(id, { bvn: '22212345678' }), 'CUSTOMER');
  const loan = String(shown(asked)['id']);
  const path = `/api/v6/services/usermanagement/erase-person/${EXAMPLE.ownerId}`;
  const erased = await send(world, 'POST', path, { legalBasis: 'GDPR Art. 17' });
  t.equal(erased.status, 200, erased.text);
  const staff = await send(world, 'GET', `${ADMIN}/loan-application/${loan}`);
  t.match(shown(staff), {
    loanDetails: { id: loan, customerName: null, dateOfBirth: null, monthlyIncome: null, requestedLoanAmount: 50_000 },
    customer: { customerId: EXAMPLE.ownerId, bvn: null, firstName: null },
    eligibilityAnswers: [],
  });
  for (const secret of ['22212345678', 'SCHOOL', 'Ada'])
    t.notOk(staff.text.includes(secret), `it does not say ${secret}`);
});
