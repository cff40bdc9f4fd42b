import { z } from 'zod';
import { present } from '../../application/people/person-checks.js';
import { LOAN_SORTS } from '../../application/ports/lending-read-models.js';
import { defineEndpoint } from '../endpoint.js';
import { pageInfo } from '../envelope.js';
import { RequestFailed, invalid } from '../problem.js';
import { dateIn, page, pagedOf, size, uuid } from '../schemas.js';
import { agentScope, visibleCustomer } from '../scope.js';
import { customerCode } from '../ciam/person-schemas.js';
import { STAFF_APPLICATION_EXAMPLE, staffApplicationOut, staffApplicationShape } from './application-for-staff.js';
import { LOAN_DETAILS_EXAMPLE, loanDetailsOut, loanDetailsShape, statusFilter, statusIn } from './application-shape.js';
import { ProductVersions, todayOf, visibleLoan } from './loan-in-sight.js';
import { LOAN_PARAMS, loanParams } from './offers.js';

export const STAFF = '/api/v6/services/admin/loan-application';

export const getLoanApplication = defineEndpoint({
  id: 'get-loan-application',
  group: 'lending',
  title: 'Get application (staff)',
  description:
    'Everything that an underwriter sees: the applicant, his answers, every rule with its result, approval, offer, history.',
  method: 'GET',
  path: `${STAFF}/{loanApplicationId}`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: LOAN_PARAMS } },
  success: {
    status: 200,
    description: 'Successful retrieval of loan application details',
    data: staffApplicationShape,
    example: STAFF_APPLICATION_EXAMPLE,
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    const product = await new ProductVersions(call).of(loan);
    const data = staffApplicationOut(loan, product, call.caller.tenantId, todayOf(call));
    return { kind: 'answer', message: 'Successful retrieval of loan application details', data };
  },
});

export const loanApplicationDetails = defineEndpoint({
  id: 'loan-application-details',
  group: 'lending',
  title: 'Loan application details',
  method: 'GET',
  path: '/api/v1/services/user/loan-application-details/{loanApplicationId}',
  aliases: [],
  roles: ['MANAGER', 'AGENT', 'CUSTOMER'],
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: LOAN_PARAMS } },
  success: {
    status: 200,
    description: 'The application and the name of its product',
    data: z.object({ loanDetails: loanDetailsShape, loanProductName: z.string() }),
    example: { loanDetails: LOAN_DETAILS_EXAMPLE, loanProductName: 'Salary advance' },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    const product = await new ProductVersions(call).of(loan);
    const loanDetails = loanDetailsOut(loan, product, call.caller.tenantId);
    return { kind: 'answer', message: 'Loan application', data: { loanDetails, loanProductName: loan.productName } };
  },
});

const listedShape = loanDetailsShape
  .extend({
    loanProductName: z.string(),
    agentId: z.string().nullable(),
    risk: z.enum(['LOW', 'MEDIUM', 'HIGH']).nullable(),
    score: z.int().nullable(),
    updatedAt: z.string(),
  })
  .meta({ id: 'ListedLoanApplication' });

export const listLoanApplications = defineEndpoint({
  id: 'list-loan-applications',
  group: 'lending',
  title: 'List loan applications',
  description:
    '`status=REQUESTED&sort=requestedAt&order=asc` is the review queue, oldest first. An agent sees those of his own and his sub-agents’ customers.',
  method: 'GET',
  path: '/api/v6/services/admin/loan-applications',
  aliases: [],
  roles: ['MANAGER', 'AGENT'],
  kind: 'query',
  movesMoney: false,
  query: z.object({
    page,
    size,
    status: statusFilter.optional(),
    productId: uuid.optional(),
    customerId: customerCode.optional().meta({ description: 'Id or code' }),
    fromDate: dateIn.optional().meta({ description: 'Of the request, inclusive' }),
    toDate: dateIn.optional(),
    overdueOn: dateIn.optional().meta({ description: 'Only running loans that are overdue on this day' }),
    sort: z.enum(LOAN_SORTS).default('requestedAt'),
    order: z.enum(['asc', 'desc']).default('desc'),
  }),
  unknownMembers: 'refuse',
  requestExamples: {
    queue: { query: { status: 'REQUESTED', sort: 'requestedAt', order: 'asc' } },
    since: { query: { fromDate: '2026-01-01', size: '50' } },
  },
  success: {
    status: 200,
    description: 'Applications',
    data: pagedOf('loanApplications', listedShape),
    example: {
      loanApplications: [
        {
          ...LOAN_DETAILS_EXAMPLE,
          ...{ loanProductName: 'Salary advance', agentId: null, risk: 'LOW', score: 50 },
          updatedAt: LOAN_DETAILS_EXAMPLE.dateOfRequest,
        },
      ],
      ...{ page: 1, size: 20, totalElements: 1, totalPages: 1 },
    },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { page: number, size: most, status, productId, customerId, fromDate, toDate, overdueOn, ...by } = call.query;
    if (fromDate !== undefined && toDate !== undefined && fromDate > toDate) {
      throw new RequestFailed(invalid('fromDate', 'INVALID_RANGE', 'fromDate is after toDate'));
    }
    const { readModels } = call.services;
    const { tenantId } = call.caller;
    const agentIds = await agentScope(call);
    const customer = customerId === undefined ? undefined : (await visibleCustomer(call, customerId)).customerId;
    const filter = {
      ...present({ productId, customerId: customer, from: fromDate, to: toDate, overdueOn, agentIds }),
      ...(status === undefined ? {} : { status: statusIn(status) }),
    };
    const slice = { page: number, size: most };
    const sort = { by: by.sort, descending: by.order === 'desc' };
    const found = await readModels.loans(tenantId, filter, sort, slice);
    const products = new ProductVersions(call);
    const loanApplications = await Promise.all(
      found.items.map(async (loan) => ({
        ...loanDetailsOut(loan, await products.of(loan), tenantId),
        loanProductName: loan.productName,
        agentId: loan.agentId,
        risk: loan.risk,
        score: loan.assessment?.score ?? null,
        updatedAt: loan.updatedAt,
      })),
    );
    const data = { loanApplications, ...pageInfo(slice, found.totalElements) };
    return { kind: 'answer', message: 'Loan applications', data };
  },
});
