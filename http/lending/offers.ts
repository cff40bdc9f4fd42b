import { z } from 'zod';
import type { CommandName, CommandPayloads } from '../../application/commands.js';
import { execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import type { Failure } from '../problem.js';
import { page, reason, uuid } from '../schemas.js';
import { noSuch } from '../scope.js';
import { pageInfo } from '../envelope.js';
import { UPDATED_APPLICATION_EXAMPLE, updatedApplicationOut, updatedApplicationShape } from './application-shape.js';
import { LOANS } from './examples.js';
import { ProductVersions, changedLoan, loanForCommand, todayOf } from './loan-in-sight.js';
import { OFFER_EXAMPLE, offerOut, offerShape } from './offer-shape.js';
import { smallSize } from './pieces.js';

const USER = '/api/v1/services/user';
export const loanId = uuid.meta({ description: 'Loan application' });
export const loanParams = z.object({ loanApplicationId: loanId });
export const LOAN_PARAMS = { loanApplicationId: LOANS.loanId };

export const getLoanOffer = defineEndpoint({
  id: 'get-loan-offer',
  group: 'lending',
  title: 'Get loan offer',
  description:
    'The customer’s present offers, newest first: terms, both annual rates, and the schedule as if the money were paid out today. ' +
    'Offers that expired are not among them.',
  method: 'GET',
  path: `${USER}/get-loan-offer`,
  aliases: [],
  roles: ['CUSTOMER'],
  kind: 'query',
  movesMoney: false,
  query: z.object({ page, size: smallSize }),
  unknownMembers: 'refuse',
  requestExamples: { own: {} },
  success: {
    status: 200,
    description: 'Loan offers retrieved successfully',
    data: z.array(offerShape),
    example: [OFFER_EXAMPLE],
  },
  errors: [],
  async handler(call) {
    const { customerId } = call.caller;
    if (customerId === undefined) throw noSuch('customer');
    const today = todayOf(call);
    const now = new Date(call.services.clock.nowMs()).toISOString();
    const slice = call.query;
    const filter = { customerId, status: 'OFFER_SENT' } as const;
    const found = await call.services.readModels.loans(call.caller.tenantId, filter, undefined, slice);
    // The daily job ends them later.
    const open = found.items.filter(({ offerExpiresAt }) => offerExpiresAt === null || offerExpiresAt > now);
    const data = open.flatMap((loan) => offerOut(loan, today) ?? []);
    const counters = pageInfo(slice, found.totalElements);
    return { kind: 'answer', message: 'Loan offers retrieved successfully', data, page: counters };
  },
});

/** Carries out what a customer decides about his own application, and answers it as update-application does. */
async function decided<N extends CommandName>(
  call: Call<{ readonly loanApplicationId: string }>,
  name: N,
  payload: (loan: string) => CommandPayloads[N],
  message: string,
): Promise<Answer | Failure> {
  const { loanId: id } = await loanForCommand(call, call.params.loanApplicationId);
  const done = await execute(call, name, payload(id));
  if (isFailure(done)) return done;
  return changedLoan(call, id, done, message, async (loan) =>
    updatedApplicationOut(loan, await new ProductVersions(call).of(loan)),
  );
}

const shown = (loanStatus: string) =>
  ({
    data: updatedApplicationShape,
    example: { ...UPDATED_APPLICATION_EXAMPLE, loanStatus },
  }) as const;

export const acceptLoanOffer = defineEndpoint({
  id: 'accept-loan-offer',
  group: 'lending',
  title: 'Accept loan offer',
  description: 'From OFFER_SENT, before it expires. The money comes once the terms are accepted too.',
  method: 'PUT',
  path: `${USER}/accept-loan-offer/{loanApplicationId}/accept`,
  aliases: [{ method: 'POST', path: `${USER}/accept-loan-offer/{loanApplicationId}/accept` }],
  roles: ['CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  params: loanParams,
  unknownMembers: 'refuse',
  requestExamples: { own: { params: LOAN_PARAMS } },
  success: { status: 200, description: 'Loan offer accepted', ...shown('ACCEPTED') },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  handler: (call) => decided(call, 'accept-loan-offer', (loan) => ({ loan }), 'Loan offer accepted'),
});

export const rejectLoanOffer = defineEndpoint({
  id: 'reject-loan-offer',
  group: 'lending',
  title: 'Reject loan offer',
  description: 'From OFFER_SENT: the application ends as REJECTED by the customer.',
  method: 'PUT',
  path: `${USER}/accept-loan-offer/{loanApplicationId}/reject`,
  aliases: [{ method: 'PUT', path: `${USER}/reject-loan-offer/{loanApplicationId}` }],
  roles: ['CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  params: loanParams,
  unknownMembers: 'refuse',
  requestExamples: { own: { params: LOAN_PARAMS } },
  success: { status: 200, description: 'Loan offer rejected', ...shown('REJECTED') },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  handler: (call) =>
    decided(
      call,
      'end-loan',
      (loan) => ({ loan, to: 'REJECTED', by: 'CUSTOMER', reason: 'offer rejected by the customer' }),
      'Loan offer rejected',
    ),
});

export const updateLoanOffer = defineEndpoint({
  id: 'update-loan-offer',
  group: 'lending',
  title: 'Update loan offer',
  description: '`status=true` accepts the offer, `status=false` withdraws the application. Only from OFFER_SENT.',
  method: 'PUT',
  path: `${USER}/update-application/{loanApplicationId}`,
  aliases: [],
  roles: ['CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  params: loanParams,
  query: z.object({ status: z.enum(['true', 'false']) }),
  unknownMembers: 'refuse',
  requestExamples: {
    accept: { params: LOAN_PARAMS, query: { status: 'true' } },
    withdraw: { params: LOAN_PARAMS, query: { status: 'false' } },
  },
  success: { status: 200, description: 'The application', ...shown('ACCEPTED') },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  handler: (call) =>
    call.query.status === 'true'
      ? decided(call, 'accept-loan-offer', (loan) => ({ loan }), 'Loan offer accepted')
      : decided(
          call,
          'end-loan',
          (loan) => ({ loan, to: 'WITHDRAWN', by: 'CUSTOMER', reason: 'withdrawn by the customer' }),
          'Loan application withdrawn',
        ),
});

export const acceptLoanTerms = defineEndpoint({
  id: 'accept-loan-terms',
  group: 'lending',
  title: 'Accept loan terms',
  description:
    'Once the offer is accepted. Where the product disburses automatically the money is in the customer’s loan wallet with the answer; ' +
    'else the application waits for staff to disburse.',
  method: 'PUT',
  path: `${USER}/accept-terms-and-conditions/{loanApplicationId}`,
  aliases: [{ method: 'POST', path: `${USER}/accept-terms-and-conditions/{loanApplicationId}` }],
  roles: ['CUSTOMER'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  params: loanParams,
  unknownMembers: 'refuse',
  requestExamples: { own: { params: LOAN_PARAMS } },
  success: { status: 200, description: 'Terms accepted and loan disbursed', ...shown('DISBURSED') },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION', 'ACCOUNT_NOT_USABLE', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const answer = await decided(call, 'accept-loan-conditions', (loan) => ({ loan }), 'Terms accepted');
    if (answer.kind === 'failure') return answer;
    const isOut = (answer.data as { readonly loanStatus: string }).loanStatus === 'DISBURSED';
    return isOut ? { ...answer, message: 'Terms accepted and loan disbursed' } : answer;
  },
});

export const cancelLoanApplication = defineEndpoint({
  id: 'cancel-loan-application',
  group: 'lending',
  title: 'Cancel own application',
  description: 'Before the offer is accepted.',
  method: 'PUT',
  path: `${USER}/cancel-application/{loanApplicationId}`,
  aliases: [],
  roles: ['CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  params: loanParams,
  body: z.strictObject({ reason: reason.optional() }),
  bodyOptional: true,
  unknownMembers: 'refuse',
  requestExamples: { own: { params: LOAN_PARAMS, body: { reason: 'I found a cheaper one' } } },
  success: { status: 200, description: 'The application', ...shown('CANCELLED') },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  handler: (call) => {
    const { reason: why = 'cancelled by the customer' } = call.body;
    const payload = (loan: string) => ({ loan, to: 'CANCELLED', by: 'CUSTOMER', reason: why }) as const;
    return decided(call, 'end-loan', payload, 'Loan application cancelled');
  },
});
