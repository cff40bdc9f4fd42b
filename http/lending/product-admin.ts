import { z } from 'zod';
import { questionFaults } from '../../application/loan/product-settings.js';
import { ruleFaults } from '../../application/loan/facts.js';
import { present } from '../../application/people/person-checks.js';
import { PRODUCT_STATUSES } from '../../domain/loan-product/events.js';
import { type Accepted, caughtUp, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { RequestFailed, failure, unavailable } from '../problem.js';
import { currencyCode, page, pagedOf, size } from '../schemas.js';
import { LOANS } from './examples.js';
import { changedProduct, newProduct, settingsIn } from './product-in.js';
import { questionIn, questionsOf } from './product-rules.js';
import { NEW_PRODUCT_EXAMPLE, STAFF_PRODUCT_EXAMPLE, staffProductOut, staffProductShape } from './product-shape.js';
import { productId, visibleProduct } from './products.js';

const PATH = '/api/v6/services/admin/loan-products';
const params = z.object({ productId });
const shown = {
  status: 200,
  description: 'The product',
  data: staffProductShape,
  example: STAFF_PRODUCT_EXAMPLE,
} as const;

/** The product once the read model shows the commit. */
async function changedOne(call: Call, id: string, done: Accepted, message: string): Promise<Answer> {
  const { readModels, config } = call.services;
  const caught = await readModels.waitFor(done.position, config.positionWaitMs);
  const product = caught ? await readModels.loanProduct(call.caller.tenantId, id) : undefined;
  if (product === undefined) throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
  return {
    kind: 'answer',
    message,
    data: staffProductOut(product),
    position: done.position,
    replayed: done.replayed,
  };
}

export const adminListLoanProducts = defineEndpoint({
  id: 'admin-list-loan-products',
  group: 'lending',
  title: 'List loan products (staff)',
  description: 'Whatever their status, oldest first, with all settings of the newest version.',
  method: 'GET',
  path: PATH,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ page, size, status: z.enum(PRODUCT_STATUSES).optional(), currencyCode: currencyCode.optional() }),
  unknownMembers: 'refuse',
  requestExamples: { active: { query: { status: 'ACTIVE' } } },
  success: {
    status: 200,
    description: 'Products',
    data: pagedOf('loanProducts', staffProductShape),
    example: { loanProducts: [STAFF_PRODUCT_EXAMPLE], page: 1, size: 20, totalElements: 1, totalPages: 1 },
  },
  errors: [],
  async handler(call) {
    const { status, currencyCode: currency, ...slice } = call.query;
    const filter = present({ status, currency });
    const found = await call.services.readModels.loanProducts(call.caller.tenantId, filter, slice);
    const data = { loanProducts: found.items.map(staffProductOut), ...pageInfo(slice, found.totalElements) };
    return { kind: 'answer', message: 'Loan products', data };
  },
});

export const createLoanProduct = defineEndpoint({
  id: 'create-loan-product',
  group: 'lending',
  title: 'Create loan product',
  description:
    'Name, currency and rate are enough: everything else has a default. A new product is INACTIVE until its status is set.',
  method: 'POST',
  path: PATH,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  body: newProduct,
  unknownMembers: 'refuse',
  requestExamples: {
    short: { body: { name: 'Micro loan', currencyCode: 'NGN', interestRate: 24 } },
    salaryAdvance: { body: NEW_PRODUCT_EXAMPLE },
    farm: {
      body: {
        ...{ name: 'Farm season', currencyCode: 'NGN', interestRate: '18.25', amortisation: 'BALLOON' },
        ...{ balloonPercent: 40, repaymentEvery: 3, minTenure: 6, maxTenure: 36, dayCount: 'ACT/365' },
        ...{ interestBy: 'DAILY', recalculatesInterest: true, prepaymentRule: 'REAMORTISE', graceOnPrincipal: 1 },
        allocationOrder: ['INTEREST', 'PRINCIPAL', 'FEES', 'PENALTY'],
        penalty: { graceDays: 5, when: 'DAILY', type: 'FIXED', amount: 100, cap: 5000 },
        disbursement: 'MANUAL',
        eligibility: {
          ...{ minAge: 21, countries: ['NGA', 'GHA'], employmentTypes: ['SELF_EMPLOYED'] },
          rules: [{ name: 'no second loan', fact: 'activeLoans', operator: 'EQ', value: 0 }],
        },
        scoring: {
          rules: [{ name: 'income', fact: 'monthlyIncome', operator: 'GTE', value: 100_000, points: 40 }],
          ...{ highRiskBelow: 0, lowRiskFrom: 40 },
        },
      },
    },
  },
  success: { ...shown, status: 201 },
  errors: [],
  async handler(call) {
    await caughtUp(call);
    const settings = settingsIn(call.body, undefined);
    const product = call.services.ids.eventId();
    const done = await execute(call, 'save-loan-product', { product, isNew: true, settings });
    if (isFailure(done)) return done;
    // A retry is answered with the product that the first call made.
    const saved = done.events.find(({ type }) => type === 'loan-product-saved')?.data as
      { product: string } | undefined;
    return changedOne(call, saved?.product ?? product, done, 'Loan product created');
  },
});

export const updateLoanProduct = defineEndpoint({
  id: 'update-loan-product',
  group: 'lending',
  title: 'Update loan product',
  description:
    'Makes a new version; running loans and applications that were made keep theirs. Absent members stay as they are, null takes a penalty, ' +
    'balloon or down payment away. The currency cannot be changed.',
  method: 'PUT',
  path: `${PATH}/{productId}`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params,
  body: changedProduct,
  unknownMembers: 'refuse',
  requestExamples: {
    rate: { params: { productId: LOANS.productId }, body: { interestRate: 15, maxAmount: 750_000, penalty: null } },
  },
  success: shown,
  errors: ['NOT_FOUND'],
  async handler(call) {
    await caughtUp(call);
    const product = await visibleProduct(call, call.params.productId);
    const settings = settingsIn(call.body, product.settings);
    const done = await execute(call, 'save-loan-product', { product: product.productId, isNew: false, settings });
    return isFailure(done) ? done : changedOne(call, product.productId, done, 'Loan product updated');
  },
});

export const setLoanProductStatus = defineEndpoint({
  id: 'set-loan-product-status',
  group: 'lending',
  title: 'Activate or deactivate loan product',
  description: 'Only ACTIVE products can be applied for. Applications and loans that there are go on.',
  method: 'PUT',
  path: `${PATH}/{productId}/status`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject({ status: z.enum(PRODUCT_STATUSES) }),
  unknownMembers: 'refuse',
  requestExamples: { activate: { params: { productId: LOANS.productId }, body: { status: 'ACTIVE' } } },
  success: shown,
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { productId: product } = call.params;
    const done = await execute(call, 'set-loan-product-status', { product, to: call.body.status });
    return isFailure(done) ? done : changedOne(call, product, done, 'Status set');
  },
});

export const setEligibilityQuestions = defineEndpoint({
  id: 'set-eligibility-questions',
  group: 'lending',
  title: 'Set eligibility questions',
  description: 'All of them; makes a new version of the product.',
  method: 'PUT',
  path: `${PATH}/{productId}/eligibility-questions`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params,
  body: z.strictObject({ questions: z.array(questionIn).max(50) }),
  unknownMembers: 'refuse',
  requestExamples: {
    two: {
      params: { productId: LOANS.productId },
      body: {
        questions: [
          { questionId: 'dependants', question: 'How many people live on your income?', type: 'NUMBER' },
          { questionId: 'ownHome', question: 'Do you own your home?', type: 'BOOLEAN', required: false },
        ],
      },
    },
  },
  success: shown,
  errors: ['NOT_FOUND'],
  async handler(call) {
    await caughtUp(call);
    const product = await visibleProduct(call, call.params.productId);
    const questions = questionsOf(call.body.questions);
    // A rule may look at an answer that would not be asked for any more.
    const faults = [...questionFaults(questions), ...ruleFaults({ ...product.settings, questions })];
    if (faults.length > 0) return failure('VALIDATION_ERROR', 'Validation failed', { errors: faults });
    const done = await execute(call, 'set-loan-questions', { product: product.productId, questions });
    return isFailure(done) ? done : changedOne(call, product.productId, done, 'Eligibility questions set');
  },
});
