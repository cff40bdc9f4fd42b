import { tagOf } from '../aggregates.js';
import { checkTenant } from '../ledger/guards.js';
import type { LoanProductSettings } from '../loan-product/events.js';
import type { Decide } from '../shared/decider.js';
import { formatAmount } from '../shared/money.js';
import { type Refusal, refuse } from '../shared/refusal.js';
import type { RequestLoan } from './commands.js';
import { checkBorrower, isSomebodyElses } from './guards.js';
import { loanCodeOf } from './loan-code.js';
import { assess } from './rules.js';

/** An application, its automated checks and its score in one commit: what fails them is refused there and then. */
export const decideRequestLoan: Decide<RequestLoan> = (command, context) => {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const { loan, customer, product } = command;
  if (isSomebodyElses(customer, context)) return refuse('customer-not-found', 'there is no such customer');
  const borrower = checkBorrower(customer, context);
  if (borrower !== undefined) return borrower;
  if (context.state('loan', loan).status !== 'NONE') return refuse('invalid-state', 'there is such a loan');
  const { status, version, settings } = context.state('loan-product', product);
  if (settings === undefined) {
    return refuse('loan-product-not-found', 'there is no such loan product', { field: 'loanProductId' });
  }
  if (status !== 'ACTIVE') return refuse('loan-product-not-active', 'the loan product is not offered at present');
  const unfit = checkFits(command, settings);
  if (unfit !== undefined) return unfit;

  const codeSequence = context.state('tenant', context.tenantId).loanSequence + 1;
  const { agent } = context.state('customer', customer);
  const { instalments, repaymentMethod, person } = command;
  context.emit({
    type: 'loan-requested',
    version: 1,
    data: {
      loan,
      code: loanCodeOf(codeSequence),
      codeSequence,
      ...{ customer, product, productVersion: version },
      currency: settings.currency,
      amount: command.amount.toString(),
      ...{ instalments, repaymentMethod },
      ...(agent === undefined ? {} : { agent }),
      person,
    },
    tags: [tagOf('loan', loan), tagOf('tenant', context.tenantId), tagOf('customer', customer)],
  });
  const assessment = assess(settings, command.facts);
  const tags = [tagOf('loan', loan)];
  context.emit({ type: 'loan-assessed', version: 1, data: { loan, ...assessment }, tags });
  if (assessment.outcome === 'REJECTED') {
    const reason = assessment.risk === 'HIGH' ? 'the score is too low' : 'an automated check was not passed';
    context.emit({
      type: 'loan-ended',
      version: 1,
      data: { loan, from: 'REQUESTED', to: 'REJECTED', by: 'SYSTEM', reason },
      tags,
    });
  }
  return undefined;
};

function checkFits(command: RequestLoan, settings: LoanProductSettings): Refusal | undefined {
  const { amount, instalments, repaymentMethod, facts } = command;
  const { currency, minAmount, maxAmount, minInstalments, maxInstalments } = settings;
  if (amount < BigInt(minAmount) || amount > BigInt(maxAmount)) {
    return refuse('amount-out-of-range', 'the product does not lend this amount', {
      field: 'loanAmount',
      details: {
        minAmount: formatAmount(BigInt(minAmount), currency),
        maxAmount: formatAmount(BigInt(maxAmount), currency),
      },
    });
  }
  if (!Number.isInteger(instalments) || instalments < minInstalments || instalments > maxInstalments) {
    return refuse('invalid-argument', 'the product does not lend for so long', {
      field: 'loanDuration',
      details: { minInstalments: String(minInstalments), maxInstalments: String(maxInstalments) },
    });
  }
  if (!(settings.repaymentMethods as readonly string[]).includes(repaymentMethod)) {
    return refuse('invalid-argument', 'the product is not repaid like this', { field: 'loanRepaymentMethodEnum' });
  }
  if (settings.bvnRequired && facts['hasBvn'] !== 'true') {
    return refuse('invalid-argument', 'the product asks for a Bank Verification Number', { field: 'bvn' });
  }
  const open = settings.questions.find(({ required, questionId }) => {
    const answer = facts[`answer:${questionId}`];
    return required && (answer === undefined || answer === '');
  });
  if (open === undefined) return undefined;
  return refuse('invalid-argument', 'a question of the product was not answered', {
    field: 'eligibilityAnswers',
    details: { questionId: open.questionId },
  });
}
