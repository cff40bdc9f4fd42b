import { z } from 'zod';
import { standingOf } from '../../application/loan/position-of.js';
import { MAX_RATE_PERCENT } from '../../application/loan/product-settings.js';
import type { LoanView } from '../../application/ports/lending-read-models.js';
import { computeLoan } from '../../domain/loan/compute.js';
import { payableOf } from '../../domain/loan/payoff.js';
import type { LoanPosition } from '../../domain/loan/position.js';
import { ExactDecimal } from '../../domain/shared/money.js';
import { Findings, amountOut } from '../amounts.js';
import { defineEndpoint } from '../endpoint.js';
import { failure } from '../problem.js';
import { amountShown, dateIn } from '../schemas.js';
import { STAFF } from './applications.js';
import { LOANS } from './examples.js';
import { todayOf, visibleLoan } from './loan-in-sight.js';
import { INSTALMENT_EXAMPLE, instalmentOut, instalmentShape } from './loan-shape.js';
import { LOAN_PARAMS, loanParams } from './offers.js';
import { percentIn } from './pieces.js';
import { restructuring } from './servicing.js';

const planShape = z.object({
  installmentsRemaining: z.int(),
  nextInstallment: amountShown,
  nextPaymentDueDate: z.string().nullable(),
  maturityDate: z.string().nullable(),
  totalPayable: amountShown,
  schedule: z.array(instalmentShape),
});
const PLAN_EXAMPLE = {
  ...{ installmentsRemaining: 12, nextInstallment: 4454.14, nextPaymentDueDate: LOANS.firstDueDate },
  ...{ maturityDate: LOANS.maturityDate, totalPayable: 53_449.71, schedule: [INSTALMENT_EXAMPLE] },
};

const wholeText = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, 'must be a whole number')
  .transform((digits) => Number.parseInt(digits, 10))
  .meta({ type: 'integer', minimum: 1, maximum: 9999 });

const wanted = z.object({
  tenure: wholeText.optional().meta({ description: 'Of what is left, in the loan’s unit' }),
  interestRate: percentIn.optional(),
  firstDueDate: dateIn.optional(),
  date: dateIn.optional().meta({ description: 'When it would take effect; default today' }),
});

export const previewLoanRestructure = defineEndpoint({
  id: 'preview-loan-restructure',
  group: 'lending',
  title: 'Preview a restructuring',
  description: 'The schedule as it is and as it would be; nothing is changed.',
  method: 'GET',
  path: `${STAFF}/{loanApplicationId}/restructure-preview`,
  aliases: [],
  roles: ['MANAGER'],
  kind: 'query',
  movesMoney: false,
  params: loanParams,
  query: wanted,
  unknownMembers: 'refuse',
  requestExamples: { longer: { params: LOAN_PARAMS, query: { tenure: '18' } } },
  success: {
    status: 200,
    description: 'Both schedules',
    data: z.object({ loanApplicationId: z.string(), present: planShape, restructured: planShape }),
    example: { loanApplicationId: LOANS.loanId, present: PLAN_EXAMPLE, restructured: PLAN_EXAMPLE },
  },
  errors: ['NOT_FOUND', 'INVALID_STATE_TRANSITION'],
  async handler(call) {
    const loan = await visibleLoan(call, call.params.loanApplicationId);
    const today = todayOf(call);
    const { position } = standingOf(loan, today);
    if (position === null || loan.terms === null || loan.status !== 'DISBURSED' || loan.writtenOff) {
      return failure('INVALID_STATE_TRANSITION', `The loan is ${loan.writtenOff ? 'written off' : loan.status}`);
    }
    const operation = operationOf(call.query, loan, today);
    const after = computeLoan(loan.terms, [...loan.operations, operation], today);
    const plan = (of: LoanPosition) => planOut(of, loan.currency, today);
    const data = { loanApplicationId: loan.loanId, present: plan(position), restructured: plan(after) };
    return { kind: 'answer', message: 'Restructuring, not done', data };
  },
});

const IMAGINED = '00000000-0000-4000-8000-000000000000';
const MAX_INSTALMENTS = 600;
const MAX_YEARS = 10;

/** Within what the command would take (domain/loan/decide-operations.ts). */
function operationOf(query: z.output<typeof wanted>, loan: LoanView, today: string) {
  const { date = today, ...wire } = query;
  const operation = { id: IMAGINED, ...restructuring(wire, loan, date) };
  const start = loan.operations[0]?.date ?? today;
  const { firstDueDate, instalments = 1, annualRatePercent = '0' } = operation;
  const latest = `${Number.parseInt(date.slice(0, 4), 10) + MAX_YEARS}${date.slice(4)}`;
  const findings = new Findings();
  if (date < start || date > today) findings.add('date', 'OUT_OF_RANGE', `lies between ${start} and ${today}`);
  if (firstDueDate !== undefined && (firstDueDate < date || firstDueDate > latest)) {
    findings.add('firstDueDate', 'OUT_OF_RANGE', `lies between ${date} and ${latest}`);
  }
  if (instalments > MAX_INSTALMENTS)
    findings.add('tenure', 'TOO_LARGE', `has more than ${MAX_INSTALMENTS} instalments`);
  if (new ExactDecimal(annualRatePercent).gt(MAX_RATE_PERCENT)) {
    findings.add('interestRate', 'OUT_OF_RANGE', `is at most ${MAX_RATE_PERCENT} percent a year`);
  }
  findings.throwIfAny();
  return operation;
}

function planOut(position: LoanPosition, currency: string, today: string) {
  const schedule = position.instalments.map((one) => instalmentOut(one, currency, today));
  const open = schedule.filter(({ paymentStatus }) => paymentStatus !== 'PAID');
  const next = open.find(({ dueDate }) => dueDate >= today) ?? open[0];
  return {
    installmentsRemaining: open.length,
    nextInstallment: next?.installmentAmount ?? 0,
    nextPaymentDueDate: next?.dueDate ?? null,
    maturityDate: position.maturityDate,
    totalPayable: amountOut(payableOf(position), currency),
    schedule,
  };
}
