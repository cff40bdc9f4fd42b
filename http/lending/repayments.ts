import { z } from 'zod';
import { present } from '../../application/people/person-checks.js';
import type { LoanView } from '../../application/ports/lending-read-models.js';
import type { RepaymentReported } from '../../domain/loan/events.js';
import { Findings, amountIn } from '../amounts.js';
import { PEOPLE } from '../ciam/examples.js';
import { customerCode, personId } from '../ciam/person-schemas.js';
import { type Accepted, caughtUp, execute, isFailure } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { RequestFailed, unavailable } from '../problem.js';
import { amount, dateIn, narration, uuid } from '../schemas.js';
import { noSuch, visibleCustomer } from '../scope.js';
import { visibleBankAccount } from './bank-pieces.js';
import { collectionAccount } from './collection.js';
import { LOANS } from './examples.js';
import { ProductVersions, todayOf, visibleLoan } from './loan-in-sight.js';
import { COLLECTION_EXAMPLE } from './loan-shape.js';
import { VIEWERS } from './loan-views.js';
import { LOAN_PARAMS, loanParams } from './offers.js';
import { REPORTED_EXAMPLE, reportedOut, reportedShape } from './repayment-shape.js';

const USER = '/api/v1/services/user';

export const repaymentInstructions = defineEndpoint({
  id: 'repayment-instructions',
  group: 'lending',
  title: 'Repayment instructions',
  description:
    'Where and how the loan is repaid. `paymentReference` belongs to the loan: transfers and repay-loan name it. ' +
    '`bankAccountDetails` is null where the tenant has set no account (preferences `LOAN_COLLECTION_…`).',
  method: 'GET',
  path: `${USER}/repayment-instructions/{loanApplicationId}`,
  aliases: [],
  roles: VIEWERS,
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  unknownMembers: 'refuse',
  requestExamples: { one: { params: LOAN_PARAMS } },
  success: {
    status: 200,
    description: 'The instructions',
    data: z
      .object({
        loanApplicationId: z.string(),
        paymentMethods: z.array(z.string()),
        bankAccountDetails: z
          .object({
            accountNumber: z.string(),
            accountName: z.string(),
            bankCode: z.string(),
            bankName: z.string(),
          })
          .nullable(),
        paymentReference: z.string(),
        instructions: z.array(z.string()),
        contactInformation: z.object({ organisation: z.string(), email: z.string().nullable() }),
      })
      .meta({ id: 'RepaymentInstructions' }),
    example: {
      loanApplicationId: LOANS.loanId,
      paymentMethods: ['BANK_TRANSFER', 'WALLET'],
      bankAccountDetails: COLLECTION_EXAMPLE,
      paymentReference: LOANS.reference,
      instructions: [
        `Transfer the amount to account 0123456789 of Guaranty Trust Bank, reference ${LOANS.reference}.`,
        'Then report the payment with repay-loan: it counts once it is verified.',
        'Or pay off the whole loan from the loan wallet with payoff-loan.',
      ],
      contactInformation: { organisation: 'FinLend', email: 'help@finlend.example' },
    },
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    const { settings } = await new ProductVersions(call).of(loan);
    const { readModels, identity } = call.services;
    const { tenantId } = call.caller;
    const [account, tenant, preferences] = await Promise.all([
      collectionAccount(call),
      readModels.tenant(tenantId),
      identity.preferences.of(tenantId),
    ]);
    const { repaymentMethods, thirdPartyCollection } = settings;
    const transfer = repaymentMethods.includes('BANK_TRANSFER') && account !== null;
    const instructions = thirdPartyCollection
      ? ['Repayments are collected by a partner: nothing has to be done.']
      : [
          ...(transfer
            ? [
                `Transfer the amount to account ${account.accountNumber} of ${account.bankName}, reference ${loan.code}.`,
                'Then report the payment with repay-loan: it counts once it is verified.',
              ]
            : []),
          ...(repaymentMethods.includes('WALLET')
            ? ['Or pay off the whole loan from the loan wallet with payoff-loan.']
            : []),
        ];
    const data = {
      loanApplicationId: loan.loanId,
      paymentMethods: repaymentMethods,
      bankAccountDetails: account,
      paymentReference: loan.code,
      instructions,
      contactInformation: {
        organisation: tenant?.name ?? '',
        email: preferences.SUPPORT_EMAIL === '' ? null : preferences.SUPPORT_EMAIL,
      },
    };
    return { kind: 'answer', message: 'Repayment instructions', data };
  },
});

const body = z.object({
  repaymentAmount: amount,
  customerId: customerCode.optional().meta({ description: 'The caller: id or code' }),
  accountId: uuid.optional().meta({
    description:
      'The loan: its id, or one of its ledger accounts. Default: the one that the reference names, or the only one that runs',
  }),
  bankAccountId: uuid.optional().meta({ description: 'A bank account of the customer that the money came from' }),
  repaymentReference: z
    .string()
    .trim()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'As in the repayment instructions', example: LOANS.reference }),
  paymentDate: dateIn.optional().meta({ description: 'Default today' }),
  paymentNarration: narration.optional().meta({ description: 'Accepted; not kept' }),
});
type Body = z.output<typeof body>;

export const repayLoan = defineEndpoint({
  id: 'repay-loan',
  group: 'lending',
  title: 'Repay loan',
  description:
    'Reports a payment that was made by bank transfer with the reference of the loan. It is PENDING_VERIFICATION: the loan ' +
    'balance changes when it is verified. Loans that a partner collects refuse this.',
  method: 'POST',
  path: `${USER}/repay-loan/{userId}`,
  aliases: [],
  roles: ['CUSTOMER'],
  kind: 'command',
  movesMoney: false,
  params: z.object({ userId: personId }),
  body,
  unknownMembers: 'ignore',
  requestExamples: {
    instalment: {
      params: { userId: PEOPLE.customerId },
      body: {
        repaymentAmount: 4454.14,
        customerId: PEOPLE.customerId,
        accountId: LOANS.loanId,
        repaymentReference: LOANS.reference,
        paymentNarration: 'first instalment',
      },
    },
  },
  success: {
    status: 200,
    description: 'The repayment waits to be verified',
    data: reportedShape,
    example: REPORTED_EXAMPLE,
  },
  errors: ['NOT_FOUND', 'FORBIDDEN', 'INVALID_STATE_TRANSITION', 'LIMIT_EXCEEDED'],
  async handler(call) {
    await caughtUp(call);
    const { customerId } = await visibleCustomer(call, call.params.userId);
    const loan = await repaidLoan(call, customerId);
    const payload = await reportOf(call, loan);
    const done = await execute(call, 'report-repayment', payload);
    if (isFailure(done)) return done;
    const { repayment } = await repaymentAfter(call, done);
    const data = reportedOut(repayment, loan);
    return { kind: 'answer', message: data.message, data, position: done.position, replayed: done.replayed };
  },
});

/** Which loan is repaid: the named one, else the one of the reference, else the only one that runs. */
async function repaidLoan(call: Call<unknown, unknown, Body>, customerId: string): Promise<LoanView> {
  const { customerId: named, accountId, repaymentReference } = call.body;
  if (named !== undefined && (await visibleCustomer(call, named)).customerId !== customerId) throw noSuch('customer');
  const loans = await call.services.readModels.loansOfCustomer(call.caller.tenantId, customerId);
  const isNamed = ({ loanId, accounts }: LoanView): boolean =>
    accountId === loanId || Object.values(accounts ?? {}).includes(accountId ?? '');
  const running = loans.filter(({ status }) => status === 'DISBURSED');
  const only = running.length === 1 ? running[0] : undefined;
  const found =
    accountId === undefined
      ? (loans.find(({ code }) => code === repaymentReference?.toUpperCase()) ?? only)
      : loans.find(isNamed);
  if (found === undefined) throw noSuch('loan');
  return found;
}

async function reportOf(call: Call<unknown, unknown, Body>, { loanId, code, currency }: LoanView) {
  const { repaymentAmount, repaymentReference = code, bankAccountId, paymentDate = todayOf(call) } = call.body;
  const findings = new Findings();
  const minor = amountIn(repaymentAmount, currency, 'repaymentAmount', findings);
  if (repaymentReference.toUpperCase() !== code) {
    findings.add('repaymentReference', 'MISMATCH', 'is not the reference of the repayment instructions');
  }
  findings.throwIfAny();
  const bankAccount =
    bankAccountId === undefined ? undefined : (await visibleBankAccount(call, bankAccountId)).accountId;
  return {
    ...{ loan: loanId, repayment: call.services.ids.eventId(), amount: minor, method: 'BANK_TRANSFER' },
    ...{ paymentDate, reference: code },
    ...present({ bankAccount }),
  };
}

/** The repayment that a command is about, once the read model shows it. */
export async function repaymentAfter(call: Call, done: Accepted) {
  const { readModels, config } = call.services;
  const event = done.events.find(({ type }) => type.startsWith('repayment-'));
  if (event === undefined) throw new Error('a repayment has its event');
  const { repayment: id } = event.data as Pick<RepaymentReported['data'], 'repayment'>;
  const caught = await readModels.waitFor(done.position, config.positionWaitMs);
  const repayment = caught ? await readModels.repayment(call.caller.tenantId, id) : undefined;
  if (repayment === undefined) throw new RequestFailed(unavailable('It was done but cannot be shown yet'));
  return { repayment, id };
}
