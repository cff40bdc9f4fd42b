import { z } from 'zod';
import type { CommandName, CommandPayloads } from '../../application/commands.js';
import type { LoanView } from '../../application/ports/lending-read-models.js';
import { chargeFaults } from '../../application/loan/product-settings.js';
import { present } from '../../application/people/person-checks.js';
import { feeToJson } from '../../domain/loan/terms-json.js';
import { Findings, amountIn } from '../amounts.js';
import { execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import type { Failure } from '../problem.js';
import { amount, dateIn, instantIn, reason } from '../schemas.js';
import { STAFF_APPLICATION_EXAMPLE, staffApplicationOut, staffApplicationShape } from './application-for-staff.js';
import { STAFF } from './applications.js';
import { feesIn } from './charges.js';
import { ProductVersions, changedLoan, loanForCommand, todayOf } from './loan-in-sight.js';
import { LOAN_PARAMS, loanParams } from './offers.js';
import { feeIn, percentIn, wholeNumber } from './pieces.js';
import { instalmentsIn } from './tenure.js';

/** What staff decide about applications, before the money is out; each answers the application as staff see it. */
type LoanCall = Call<{ readonly loanApplicationId: string }>;

async function decided<N extends CommandName>(
  call: LoanCall,
  loan: LoanView,
  name: N,
  payload: CommandPayloads[N],
  message: string,
): Promise<Answer | Failure> {
  const done = await execute(call, name, payload);
  if (isFailure(done)) return done;
  const { tenantId } = call.caller;
  return changedLoan(call, loan.loanId, done, message, async (now) =>
    staffApplicationOut(now, await new ProductVersions(call).of(now), tenantId, todayOf(call)),
  );
}

const shown = (description: string, status: string) =>
  ({
    status: 200,
    description,
    data: staffApplicationShape,
    example: {
      ...STAFF_APPLICATION_EXAMPLE,
      loanDetails: { ...STAFF_APPLICATION_EXAMPLE.loanDetails, loanApplicationStatusEnum: status },
    },
  }) as const;
const common = {
  group: 'lending',
  method: 'POST',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: false,
  params: loanParams,
  unknownMembers: 'refuse',
} as const;

export const approveLoanApplication = defineEndpoint({
  ...common,
  id: 'approve-loan-application',
  title: 'Approve application',
  description:
    'From REQUESTED. Absent members are as requested and as the product says; the amount is at most the requested one.',
  path: `${STAFF}/{loanApplicationId}/approve`,
  body: z.strictObject({
    amount: amount.optional(),
    interestRate: percentIn.optional(),
    tenure: wholeNumber(1, 10_000).optional().meta({ description: 'In the product’s unit' }),
    fees: z.array(feeIn).max(20).optional().meta({ description: 'Instead of the product’s' }),
    reason: reason.optional(),
  }),
  bodyOptional: true,
  requestExamples: {
    asRequested: { params: LOAN_PARAMS, body: {} },
    less: {
      params: LOAN_PARAMS,
      body: {
        ...{ amount: 40_000, interestRate: 14, tenure: 10, reason: 'Income supports this much' },
        fees: [{ name: 'Processing', type: 'PERCENTAGE', percentage: 1 }],
      },
    },
  },
  success: shown('The approved application', 'APPROVED'),
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const { settings } = await new ProductVersions(call).of(loan);
    const { body } = call;
    const findings = new Findings();
    const instalments =
      body.tenure === undefined
        ? loan.requestedInstalments
        : instalmentsIn(body.tenure, settings.frequency, 'tenure', findings);
    const wanted =
      body.amount === undefined ? loan.requestedAmount : amountIn(body.amount, loan.currency, 'amount', findings);
    const fees = body.fees === undefined ? undefined : feesIn(body.fees, loan.currency, findings);
    findings.errors.push(...chargeFaults({ fees: (fees ?? []).map(feeToJson) }));
    findings.throwIfAny();
    const annualRatePercent = body.interestRate ?? settings.annualRatePercent;
    const payload = {
      ...{ loan: loan.loanId, amount: wanted, annualRatePercent, instalments },
      ...present({ fees, reason: body.reason }),
    };
    return decided(call, loan, 'approve-loan', payload, 'Loan application approved');
  },
});

export const rejectLoanApplication = defineEndpoint({
  ...common,
  id: 'reject-loan-application',
  title: 'Reject application',
  description: 'From REQUESTED. The reason stays in the log and is shown to the customer: it must not name people.',
  path: `${STAFF}/{loanApplicationId}/reject`,
  body: z.strictObject({ reason }),
  requestExamples: { one: { params: LOAN_PARAMS, body: { reason: 'Income could not be verified' } } },
  success: shown('The rejected application', 'REJECTED'),
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const payload = { loan: loan.loanId, to: 'REJECTED', by: 'STAFF', reason: call.body.reason } as const;
    return decided(call, loan, 'end-loan', payload, 'Loan application rejected');
  },
});

export const sendLoanOffer = defineEndpoint({
  ...common,
  id: 'send-loan-offer',
  title: 'Send offer',
  description: 'From APPROVED. Without `expiresAt` the offer is good for the days that the product says.',
  path: `${STAFF}/{loanApplicationId}/send-offer`,
  body: z.strictObject({ expiresAt: instantIn.optional() }),
  bodyOptional: true,
  requestExamples: { usual: { params: LOAN_PARAMS, body: {} } },
  success: shown('The application with its offer', 'OFFER_SENT'),
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const payload = { loan: loan.loanId, ...present({ expiresAt: call.body.expiresAt }) };
    return decided(call, loan, 'send-loan-offer', payload, 'Loan offer sent');
  },
});

export const adminCancelLoanApplication = defineEndpoint({
  ...common,
  id: 'admin-cancel-loan-application',
  title: 'Cancel application (staff)',
  description: 'Before the money is paid out.',
  path: `${STAFF}/{loanApplicationId}/cancel`,
  body: z.strictObject({ reason }),
  requestExamples: { one: { params: LOAN_PARAMS, body: { reason: 'Asked for by phone' } } },
  success: shown('The cancelled application', 'CANCELLED'),
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const payload = { loan: loan.loanId, to: 'CANCELLED', by: 'STAFF', reason: call.body.reason } as const;
    return decided(call, loan, 'end-loan', payload, 'Loan application cancelled');
  },
});

export const disburseLoan = defineEndpoint({
  ...common,
  id: 'disburse-loan',
  title: 'Disburse loan',
  description:
    'Credits the customer’s loan wallet, which is opened if there is none, and takes the upfront fees from it. The offer and the terms must be accepted.',
  path: `${STAFF}/{loanApplicationId}/disburse`,
  movesMoney: true,
  hot: true,
  body: z.strictObject({ date: dateIn.optional().meta({ description: 'Value date; default today' }) }),
  bodyOptional: true,
  requestExamples: { today: { params: LOAN_PARAMS, body: {} } },
  success: shown('The running loan', 'DISBURSED'),
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION', 'ACCOUNT_NOT_USABLE', 'LIMIT_EXCEEDED'],
  async handler(call) {
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const payload = { loan: loan.loanId, ...present({ date: call.body.date }) };
    return decided(call, loan, 'disburse-loan', payload, 'Loan disbursed');
  },
});
