import { z } from 'zod';
import { standingOf } from '../../application/loan/position-of.js';
import { present } from '../../application/people/person-checks.js';
import type { LoanView } from '../../application/ports/lending-read-models.js';
import type { LoanOperated } from '../../domain/loan/events.js';
import type { LoanOperation } from '../../domain/loan/operations.js';
import { Findings, amountIn } from '../amounts.js';
import { type Accepted, execute, isFailure } from '../commands.js';
import { type Answer, type Call, defineEndpoint } from '../endpoint.js';
import type { Failure } from '../problem.js';
import { amount, dateIn, reason, uuid } from '../schemas.js';
import { STAFF } from './applications.js';
import { collectionAccount } from './collection.js';
import { LOANS } from './examples.js';
import { ProductVersions, loanAfter, loanForCommand, todayOf } from './loan-in-sight.js';
import { LOAN_WITH_HISTORY_EXAMPLE, loanWithHistoryOut, loanWithHistoryShape } from './loan-shape.js';
import { LOAN_PARAMS, loanParams } from './offers.js';
import { percentIn, wholeNumber } from './pieces.js';
import { instalmentsIn } from './tenure.js';

/** What staff do to running loans; each answers the loan with its schedule, and the id by which it can be undone. */
export const servicedShape = loanWithHistoryShape
  .extend({ operationId: z.string().meta({ description: 'Of what was done: for undo' }) })
  .meta({ id: 'ServicedLoan' });
export const SERVICED_EXAMPLE = { ...LOAN_WITH_HISTORY_EXAMPLE, operationId: LOANS.operationId };

const shown = { status: 200, data: servicedShape, example: SERVICED_EXAMPLE } as const;
const common = {
  group: 'lending',
  method: 'POST',
  aliases: [],
  roles: ['MANAGER'],
  kind: 'command',
  movesMoney: true,
  hot: true,
  params: loanParams,
  unknownMembers: 'refuse',
} as const;
const ERRORS = ['NOT_FOUND', 'INVALID_STATE_TRANSITION', 'LIMIT_EXCEEDED'] as const;

/** An operation without its id, as an endpoint makes it. */
type NewOperation = LoanOperation extends infer One ? (One extends unknown ? Omit<One, 'id'> : never) : never;

/** Does it, dated today where no date was sent, and shows the loan. */
export async function operated(
  call: Call,
  loan: LoanView,
  operation: NewOperation,
  why: string | undefined,
  message: string,
): Promise<Answer | Failure> {
  const { loanId } = loan;
  const id = call.services.ids.eventId();
  const payload = { loan: loanId, operation: { id, ...operation } as LoanOperation, ...present({ reason: why }) };
  const done = await execute(call, 'operate-loan', payload);
  return isFailure(done) ? done : servicedLoan(call, loanId, done, message);
}

export async function servicedLoan(call: Call, id: string, done: Accepted, message: string): Promise<Answer> {
  const event = done.events.find(({ type }) => type === 'loan-operated');
  if (event === undefined) throw new Error('what was done to a loan has its event');
  const { operation } = event.data as LoanOperated['data'];
  const now = await loanAfter(call, id, done);
  const today = todayOf(call);
  const product = await new ProductVersions(call).of(now);
  const loan = loanWithHistoryOut(standingOf(now, today), product, today, await collectionAccount(call));
  const data = { ...loan, operationId: operation.id };
  return { kind: 'answer', message, data, position: done.position, replayed: done.replayed };
}

const date = dateIn.optional().meta({ description: 'When it takes effect; default today' });

export const writeOffLoan = defineEndpoint({
  ...common,
  id: 'write-off-loan',
  title: 'Write off loan',
  description: 'Once it is as many days overdue as its product says. What comes in later is a recovery.',
  path: `${STAFF}/{loanApplicationId}/write-off`,
  body: z.strictObject({ reason, date }),
  requestExamples: { lost: { params: LOAN_PARAMS, body: { reason: 'No answer in 120 days' } } },
  success: { ...shown, description: 'The loan' },
  errors: ERRORS,
  async handler(call) {
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const operation = { kind: 'WRITTEN_OFF', date: call.body.date ?? todayOf(call) } as const;
    return operated(call, loan, operation, call.body.reason, 'Loan written off');
  },
});

export const restructureBody = {
  tenure: wholeNumber(1, 10_000).optional().meta({ description: 'Of what is left, in the loan’s unit' }),
  interestRate: percentIn.optional(),
  firstDueDate: dateIn.optional(),
};

/** The operation that a restructuring is; a tenure that does not fit is refused. */
export function restructuring(
  wire: {
    readonly tenure?: number | undefined;
    readonly interestRate?: string | undefined;
    readonly firstDueDate?: string | undefined;
  },
  { terms }: LoanView,
  day: string,
) {
  const findings = new Findings();
  if (Object.values(wire).every((member) => member === undefined)) {
    findings.add('tenure', 'REQUIRED', 'or interestRate or firstDueDate is required');
  }
  const { tenure, interestRate, firstDueDate } = wire;
  const instalments =
    tenure === undefined || terms === null ? undefined : instalmentsIn(tenure, terms.frequency, 'tenure', findings);
  findings.throwIfAny();
  return {
    kind: 'RESCHEDULED',
    date: day,
    ...present({ instalments, annualRatePercent: interestRate, firstDueDate }),
  } as const;
}

export const restructureLoan = defineEndpoint({
  ...common,
  id: 'restructure-loan',
  title: 'Restructure loan',
  description: 'A new schedule on what is outstanding; absent members stay as they are. See restructure-preview.',
  path: `${STAFF}/{loanApplicationId}/restructure`,
  body: z.strictObject({ ...restructureBody, reason, date }),
  requestExamples: { longer: { params: LOAN_PARAMS, body: { tenure: 18, reason: 'Lost his job' } } },
  success: { ...shown, description: 'The loan with its new schedule' },
  errors: ERRORS,
  async handler(call) {
    const { reason: why, date: day = todayOf(call), ...wire } = call.body;
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    return operated(call, loan, restructuring(wire, loan, day), why, 'Loan restructured');
  },
});

export const recordLoanRecovery = defineEndpoint({
  ...common,
  id: 'record-loan-recovery',
  title: 'Record a recovery after write-off',
  description: 'At most what was written off.',
  path: `${STAFF}/{loanApplicationId}/recoveries`,
  body: z.strictObject({
    amount,
    paymentDate: dateIn.optional().meta({ description: 'Default today' }),
    reference: z.string().trim().min(1).max(256),
  }),
  requestExamples: { part: { params: LOAN_PARAMS, body: { amount: 1000, reference: 'Bailiff 77/2026' } } },
  success: { ...shown, description: 'The loan' },
  errors: ERRORS,
  async handler(call) {
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const findings = new Findings();
    const minor = amountIn(call.body.amount, loan.currency, 'amount', findings);
    findings.throwIfAny();
    const operation = { kind: 'RECOVERED', date: call.body.paymentDate ?? todayOf(call), amount: minor } as const;
    return operated(call, loan, operation, call.body.reference, 'Recovery recorded');
  },
});

const WAIVABLE = ['INTEREST', 'FEES', 'PENALTY'] as const;
const lower = <Word extends string>(word: Word) => word.toLowerCase() as Lowercase<Word>;

export const waiveLoan = defineEndpoint({
  ...common,
  id: 'waive-loan',
  title: 'Waive interest, fees or penalties',
  description: 'What is owed of one bucket, oldest first; without an amount all that is owed of it on the day.',
  path: `${STAFF}/{loanApplicationId}/waive`,
  body: z.strictObject({ bucket: z.enum(WAIVABLE), amount: amount.optional(), reason, date }),
  requestExamples: {
    penalty: { params: LOAN_PARAMS, body: { bucket: 'PENALTY', amount: 10, reason: 'Bank was closed' } },
  },
  success: { ...shown, description: 'The loan' },
  errors: ERRORS,
  async handler(call) {
    const { bucket: word, amount: wanted, reason: why, date: day = todayOf(call) } = call.body;
    const bucket = lower(word);
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const { position } = standingOf(loan, day);
    const findings = new Findings();
    const owed = position?.outstanding[bucket] ?? 0n;
    const minor = wanted === undefined ? owed : amountIn(wanted, loan.currency, 'amount', findings);
    findings.throwIfAny();
    return operated(call, loan, { kind: 'WAIVED', date: day, bucket, amount: minor }, why, 'Waived');
  },
});

export const chargeLoan = defineEndpoint({
  ...common,
  id: 'charge-loan',
  title: 'Charge a fee or penalty',
  description: 'Falls into the instalment of its due date.',
  path: `${STAFF}/{loanApplicationId}/charge`,
  body: z.strictObject({
    bucket: z.enum(['FEES', 'PENALTY']),
    amount,
    name: z.string().trim().min(1).max(64),
    dueDate: dateIn.optional().meta({ description: 'Default: the day of the charge' }),
    reason: reason.optional(),
    date,
  }),
  requestExamples: {
    letter: { params: LOAN_PARAMS, body: { bucket: 'FEES', amount: 25, name: 'Letter', reason: 'Second reminder' } },
  },
  success: { ...shown, description: 'The loan' },
  errors: ERRORS,
  async handler(call) {
    const { bucket, amount: wanted, name, dueDate, reason: why, date: day = todayOf(call) } = call.body;
    const loan = await loanForCommand(call, call.params.loanApplicationId);
    const findings = new Findings();
    const minor = amountIn(wanted, loan.currency, 'amount', findings);
    findings.throwIfAny();
    const operation = {
      ...({ kind: 'CHARGED', date: day, bucket: lower(bucket), amount: minor } as const),
      ...{ due: dueDate ?? day, type: name },
    };
    return operated(call, loan, operation, why, 'Charged');
  },
});

export const undoLoanOperation = defineEndpoint({
  ...common,
  id: 'undo-loan-operation',
  title: 'Undo what was done to a loan',
  description:
    'A repayment, charge, waiver, restructuring, write-off or recovery is void from the beginning: everything since is computed anew, and the difference is booked.',
  path: `${STAFF}/{loanApplicationId}/operations/{operationId}/undo`,
  params: loanParams.extend({ operationId: uuid }),
  body: z.strictObject({ reason }),
  requestExamples: {
    charge: {
      params: { ...LOAN_PARAMS, operationId: LOANS.operationId },
      body: { reason: 'Charged by mistake' },
    },
  },
  success: { ...shown, description: 'The loan' },
  errors: ERRORS,
  async handler(call) {
    const { loanApplicationId, operationId } = call.params;
    const loan = await loanForCommand(call, loanApplicationId);
    const operation = { kind: 'UNDONE', date: todayOf(call), operation: operationId } as const;
    return operated(call, loan, operation, call.body.reason, 'Undone');
  },
});
