import { z } from 'zod';
import type { LoanProductView } from '../../application/ports/lending-read-models.js';
import type { Call } from '../endpoint.js';
import { defineEndpoint } from '../endpoint.js';
import { currencyCode, uuid } from '../schemas.js';
import { noSuch, ownOnly } from '../scope.js';
import { LOANS } from './examples.js';
import { PRODUCT_EXAMPLE, STAFF_PRODUCT_EXAMPLE, productOut, productShape } from './product-shape.js';
import { questionShown } from './product-rules.js';

export const READERS = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'] as const;
/** Tenants have a handful; more than this are not listed to customers. */
const MOST_PRODUCTS = 1_000;
export const productId = uuid.meta({ description: 'Loan product' });

export const listLoanProducts = defineEndpoint({
  id: 'list-loan-products',
  group: 'lending',
  title: 'List loan products',
  description: 'The products that can be applied for now, oldest first.',
  method: 'GET',
  path: '/api/v1/services/user/list-products',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  query: z.object({ currencyCode: currencyCode.optional() }),
  unknownMembers: 'ignore',
  requestExamples: { all: {}, naira: { query: { currencyCode: 'NGN' } } },
  success: { status: 200, description: 'Products', data: z.array(productShape), example: [PRODUCT_EXAMPLE] },
  errors: [],
  async handler(call) {
    const { currencyCode: currency } = call.query;
    const filter = { status: 'ACTIVE', ...(currency === undefined ? {} : { currency }) } as const;
    const slice = { page: 1, size: MOST_PRODUCTS };
    const { items } = await call.services.readModels.loanProducts(call.caller.tenantId, filter, slice);
    return { kind: 'answer', message: 'Loan products', data: items.map(productOut) };
  },
});

/** A product by id; one that cannot be applied for is not there for customers. */
export async function visibleProduct(call: Call, id: string): Promise<LoanProductView> {
  const product = await call.services.readModels.loanProduct(call.caller.tenantId, id);
  const isHidden = ownOnly(call.caller) !== undefined && product?.status !== 'ACTIVE';
  if (product === undefined || isHidden) throw noSuch('loan product');
  return product;
}

export const eligibilityQuestions = defineEndpoint({
  id: 'loan-eligibility-questions',
  group: 'lending',
  title: 'Eligibility questions',
  description: 'What a customer is asked when he applies for this product: the answers go into request-loan.',
  method: 'GET',
  path: '/api/v1/services/user/loan-eligibility-questions/{productId}',
  aliases: [],
  roles: READERS,
  kind: 'query',
  movesMoney: false,
  params: z.object({ productId }),
  unknownMembers: 'refuse',
  requestExamples: { one: { params: { productId: LOANS.productId } } },
  success: {
    status: 200,
    description: 'Eligibility questions retrieved successfully',
    data: z.array(questionShown),
    example: STAFF_PRODUCT_EXAMPLE.eligibilityQuestions,
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { settings } = await visibleProduct(call, call.params.productId);
    return { kind: 'answer', message: 'Eligibility questions retrieved successfully', data: settings.questions };
  },
});
