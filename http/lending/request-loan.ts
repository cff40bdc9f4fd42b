import { z } from 'zod';
import { requestLoan } from '../../application/loan/request-loan.js';
import type { CustomerView } from '../../application/ports/read-models.js';
import type { LoanProductView } from '../../application/ports/lending-read-models.js';
import type { LoanRequested } from '../../domain/loan/events.js';
import { REPAYMENT_METHODS } from '../../domain/loan-product/events.js';
import { Findings, amountIn } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { faultyFailure } from '../ciam/person-in-sight.js';
import { customerCode, personName, phone } from '../ciam/person-schemas.js';
import { acceptedOr, askedAboutPerson, caughtUp, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { RequestFailed, failure, invalid } from '../problem.js';
import { amount, currencyCode, dateIn } from '../schemas.js';
import { noSuch, ownOnly, visibleCustomer } from '../scope.js';
import { LOAN_DETAILS_EXAMPLE, loanDetailsOut, loanDetailsShape } from './application-shape.js';
import { LOANS } from './examples.js';
import { ProductVersions, loanAfter } from './loan-in-sight.js';
import { wholeNumber } from './pieces.js';
import { productId } from './products.js';
import { instalmentsIn } from './tenure.js';

const duration = wholeNumber(1, 10_000);
const body = z.strictObject({
  currencyCode,
  dateOfBirth: dateIn,
  durationCounter: duration.meta({ description: 'The same number as loanDuration' }),
  loanDuration: duration.meta({ description: 'In the product’s unit, months by default' }),
  loanApplicationStatusEnum: z.literal('REQUESTED'),
  employmentStatus: z.string().trim().min(1).max(64).meta({ example: 'EMPLOYED' }),
  loanAmount: amount,
  loanProductId: productId,
  loanRepaymentMethodEnum: z
    .enum(REPAYMENT_METHODS)
    .optional()
    .meta({ description: 'Default: the first of the product’s' }),
  monthlyIncome: amount.optional(),
  bvn: z
    .string()
    .regex(/^\d{11}$/, 'has 11 digits')
    .optional()
    .meta({ description: 'Bank Verification Number' }),
  firstName: personName.optional(),
  lastName: personName.optional(),
  phoneNumber: phone.optional(),
  country: z.string().trim().min(2).max(100).optional().meta({ description: 'As in the profile' }),
  accountNumber: z.string().trim().min(1).max(34).optional(),
  bankCode: z.string().trim().min(1).max(32).optional(),
  eligibilityAnswers: z
    .array(z.strictObject({ questionId: z.string().min(1).max(64), answer: z.string().max(2000) }))
    .max(50)
    .default([]),
  customerId: customerCode.optional().meta({ description: 'Whom an agent asks for: id or code' }),
});
type Body = z.output<typeof body>;

const EXAMPLE_BODY = {
  currencyCode: 'NGN',
  dateOfBirth: '1990-05-17',
  durationCounter: 12,
  loanDuration: 12,
  loanApplicationStatusEnum: 'REQUESTED',
  employmentStatus: 'EMPLOYED',
  loanAmount: 50_000,
  loanProductId: LOANS.productId,
  loanRepaymentMethodEnum: 'BANK_TRANSFER',
  monthlyIncome: 200_000,
  bvn: '22212345678',
  firstName: 'Ada',
  lastName: 'Obi',
  phoneNumber: PEOPLE.phone,
  country: 'NGA',
  accountNumber: '0000014579',
  bankCode: '011',
  eligibilityAnswers: [{ questionId: 'purpose', answer: 'SCHOOL' }],
};
/** An agent names the customer; a customer may name himself. */
const REQUEST_BY_AGENT = { ...EXAMPLE_BODY, customerId: PEOPLE.customerCode };

export const requestLoanEndpoint = defineEndpoint({
  id: 'request-loan',
  group: 'lending',
  title: 'Request loan',
  description:
    'By a customer for himself, or by an agent for a customer of his. What the profile knows is compared with it and fills what is absent. ' +
    'The automated checks and the score follow at once: an application that does not pass them is REJECTED, with its reason, in the answer.',
  method: 'POST',
  path: '/api/v6/services/user/request-loan',
  aliases: [{ method: 'POST', path: '/api/v1/services/user/request-loan' }],
  roles: ['CUSTOMER', 'AGENT'],
  kind: 'command',
  movesMoney: false,
  body,
  unknownMembers: 'refuse',
  requestExamples: { byCustomer: { body: EXAMPLE_BODY }, byAgent: { body: REQUEST_BY_AGENT } },
  success: { status: 200, description: 'The application', data: loanDetailsShape, example: LOAN_DETAILS_EXAMPLE },
  errors: ['NOT_FOUND', 'CURRENCY_MISMATCH', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    await caughtUp(call);
    const customer = await borrowerOf(call, call.body.customerId);
    const product = await call.services.readModels.loanProduct(call.caller.tenantId, call.body.loanProductId);
    if (product === undefined) throw noSuch('loan product');
    const wanted = wantedOf(call.body, customer, product);
    const result = await requestLoan(call.services.identity, askedAboutPerson(call), wanted);
    if (result.status === 'faulty') return faultyFailure(result);
    const done = acceptedOr(result.outcome, call);
    if (isFailure(done)) return done;
    const requested = done.events.find(({ type }) => type === 'loan-requested');
    if (requested === undefined) throw new Error('a new loan has its event');
    const loan = await loanAfter(call, (requested.data as LoanRequested['data']).loan, done);
    const data = loanDetailsOut(loan, await new ProductVersions(call).of(loan), call.caller.tenantId);
    const message = loan.status === 'REJECTED' ? 'Loan request rejected by the automated checks' : 'Loan requested';
    return { kind: 'answer', message, data, position: done.position, replayed: done.replayed };
  },
});

/** A customer asks for himself, whatever he names; an agent must say for whom. */
async function borrowerOf(call: Call, named: string | undefined): Promise<CustomerView> {
  const own = ownOnly(call.caller);
  if (own === undefined && named === undefined) {
    throw new RequestFailed(invalid('customerId', 'REQUIRED', 'say for which customer'));
  }
  return visibleCustomer(call, named ?? own?.customerId ?? '');
}

function wantedOf(wire: Body, customer: CustomerView, product: LoanProductView) {
  const { currency, frequency, repaymentMethods } = product.settings;
  if (wire.currencyCode !== currency) {
    const message = `the product lends ${currency}`;
    const errors = [{ field: 'currencyCode', code: 'CURRENCY_MISMATCH', message }];
    throw new RequestFailed(failure('CURRENCY_MISMATCH', message, { errors }));
  }
  const findings = new Findings();
  if (wire.durationCounter !== wire.loanDuration) {
    findings.add('durationCounter', 'MISMATCH', 'and loanDuration differ');
  }
  const instalments = instalmentsIn(wire.loanDuration, frequency, 'loanDuration', findings);
  const minor = amountIn(wire.loanAmount, currency, 'loanAmount', findings);
  const monthlyIncome =
    wire.monthlyIncome === undefined
      ? undefined
      : amountIn(wire.monthlyIncome, currency, 'monthlyIncome', findings, 'not-negative');
  findings.throwIfAny();
  const { dateOfBirth, employmentStatus, bvn, firstName, lastName, phoneNumber, country, accountNumber, bankCode } =
    wire;
  return {
    ...{ customer, product, amount: minor, instalments },
    repaymentMethod: wire.loanRepaymentMethodEnum ?? repaymentMethods[0] ?? '',
    claim: {
      ...{ dateOfBirth, employmentStatus, monthlyIncome, bvn, firstName, lastName, phoneNumber, country },
      ...{ accountNumber, bankCode, answers: wire.eligibilityAnswers },
    },
  };
}
