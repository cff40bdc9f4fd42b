import { z } from 'zod';
import { present } from '../../application/people/person-checks.js';
import type { RepaymentView } from '../../application/ports/lending-read-models.js';
import { Findings, amountIn } from '../amounts.js';
import { type Accepted, caughtUp, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import { failure } from '../problem.js';
import { amount, dateIn, reason, uuid } from '../schemas.js';
import { noSuch } from '../scope.js';
import { LOANS } from './examples.js';
import { loanAfter, loanForCommand, todayOf } from './loan-in-sight.js';
import { REPAYMENT_EXAMPLE, repaymentOut, repaymentShape } from './repayment-shape.js';
import { repaymentAfter } from './repayments.js';
import { SERVICED_EXAMPLE, operated, servicedShape } from './servicing.js';

const PATH = '/api/v6/services/admin/repayments/{repaymentId}';
const params = z.object({ repaymentId: uuid.meta({ description: 'Repayment' }) });
const PARAMS = { repaymentId: LOANS.repaymentId };
const common = {
  group: 'lending',
  method: 'POST',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  params,
  unknownMembers: 'refuse',
} as const;
const shown = { status: 200, description: 'The repayment', data: repaymentShape } as const;

async function repaymentForCommand(call: Call<{ readonly repaymentId: string }>): Promise<RepaymentView> {
  await caughtUp(call);
  const repayment = await call.services.readModels.repayment(call.caller.tenantId, call.params.repaymentId);
  if (repayment === undefined) throw noSuch('repayment');
  return repayment;
}

async function decidedRepayment(call: Call, done: Accepted, message: string): Promise<Answer> {
  const { repayment } = await repaymentAfter(call, done);
  const data = repaymentOut(repayment, await loanAfter(call, repayment.loanId, done));
  return { kind: 'answer', message, data, position: done.position, replayed: done.replayed };
}

export const verifyRepayment = defineEndpoint({
  ...common,
  id: 'verify-repayment',
  title: 'Verify repayment',
  description:
    'The money is there: it settles what is owed in the order of the product, on its value date. More than is owed goes to the customer’s loan wallet.',
  path: `${PATH}/verify`,
  movesMoney: true,
  hot: true,
  body: z.strictObject({
    receivedAmount: amount.optional().meta({ description: 'Default: as reported' }),
    valueDate: dateIn.optional().meta({ description: 'Default: the day of payment that was reported' }),
  }),
  bodyOptional: true,
  requestExamples: { asReported: { params: PARAMS, body: {} } },
  success: { ...shown, example: REPAYMENT_EXAMPLE },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION', 'INSUFFICIENT_FUNDS', 'ACCOUNT_NOT_USABLE', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const { loanId, repaymentId, currency } = await repaymentForCommand(call);
    const { receivedAmount, valueDate } = call.body;
    const findings = new Findings();
    const received =
      receivedAmount === undefined ? undefined : amountIn(receivedAmount, currency, 'receivedAmount', findings);
    findings.throwIfAny();
    const payload = { loan: loanId, repayment: repaymentId, ...present({ receivedAmount: received, valueDate }) };
    const done = await execute(call, 'verify-repayment', payload);
    return isFailure(done) ? done : decidedRepayment(call, done, 'Repayment verified');
  },
});

export const rejectRepayment = defineEndpoint({
  ...common,
  id: 'reject-repayment',
  title: 'Reject repayment',
  description: 'The money is not there: the loan stays as it is.',
  path: `${PATH}/reject`,
  movesMoney: false,
  body: z.strictObject({ reason }),
  requestExamples: { one: { params: PARAMS, body: { reason: 'No such transfer on the statement' } } },
  success: {
    ...shown,
    example: {
      ...REPAYMENT_EXAMPLE,
      ...{ verificationStatus: 'REJECTED', receivedAmount: null, valueDate: null, allocation: null },
      reason: 'No such transfer on the statement',
    },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const { loanId, repaymentId } = await repaymentForCommand(call);
    const payload = { loan: loanId, repayment: repaymentId, reason: call.body.reason };
    const done = await execute(call, 'reject-repayment', payload);
    return isFailure(done) ? done : decidedRepayment(call, done, 'Repayment rejected');
  },
});

export const reverseRepayment = defineEndpoint({
  ...common,
  id: 'reverse-repayment',
  title: 'Reverse a verified repayment',
  description:
    'The payment is void from the beginning (it bounced, or it was another loan’s): what came after it is computed anew, and the difference is booked.',
  path: `${PATH}/reverse`,
  movesMoney: true,
  hot: true,
  body: z.strictObject({ reason }),
  requestExamples: { bounced: { params: PARAMS, body: { reason: 'Bounced' } } },
  success: { status: 200, description: 'The loan', data: servicedShape, example: SERVICED_EXAMPLE },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION', 'INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const repayment = await repaymentForCommand(call);
    const { operationId, loanId } = repayment;
    if (operationId === null) {
      return failure('INVALID_STATE_TRANSITION', `The repayment is ${repayment.status}: there is nothing to reverse`);
    }
    const loan = await loanForCommand(call, loanId);
    const operation = { kind: 'UNDONE', date: todayOf(call), operation: operationId } as const;
    return operated(call, loan, operation, call.body.reason, 'Repayment reversed');
  },
});
