import { checkTenant, isCustomerOutOfSight } from '../ledger/guards.js';
import type { LoanProductSaved, LoanProductSettings } from '../loan-product/events.js';
import type { DecisionContext } from '../shared/decider.js';
import { type Refusal, isRefusal, refuse } from '../shared/refusal.js';
import { type RunningLoan, runningLoan } from './book.js';
import type { LoanState } from './loan.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The loan, unless there is none, or it is none of the actor's business: then there is none for him. */
export function knownLoan(id: string, context: DecisionContext): LoanState | Refusal {
  const refusal = checkTenant(context);
  if (refusal !== undefined) return refusal;
  const loan = context.state('loan', id);
  return loan.status === 'NONE' || isSomebodyElses(loan.customer, context)
    ? refuse('loan-not-found', 'there is no such loan')
    : loan;
}

/** Whether a customer is neither the actor himself nor somebody he works for. */
export function isSomebodyElses(customer: string, context: DecisionContext): boolean {
  const { customerId } = context.actor;
  return (customerId !== undefined && customerId !== customer) || isCustomerOutOfSight(customer, context);
}

/** The loan's money is out and it is not known to be lost; or it is paid off. */
export function runningLoanOf(id: string, context: DecisionContext): { state: LoanState; loan: RunningLoan } | Refusal {
  const state = knownLoan(id, context);
  if (isRefusal(state)) return state;
  const loan = runningLoan(state);
  return loan === undefined ? wrongStatus(state) : { state, loan };
}

export function wrongStatus({ status }: Pick<LoanState, 'status'>): Refusal {
  return refuse('invalid-state', `the loan is ${status}`, { details: { status } });
}

/** Who may borrow: an identity that is not established yet is a matter of the product's rules. */
export function checkBorrower(customer: string, context: DecisionContext): Refusal | undefined {
  const { status } = context.state('customer', customer);
  if (status === 'NONE' || status === 'ERASED') return refuse('customer-not-found', 'there is no such customer');
  return status === 'INACTIVE' ? refuse('user-not-active', 'the customer is INACTIVE') : undefined;
}

/** The product as it was when the loan was asked for. */
export function settingsOf(
  { product, productVersion }: Pick<LoanState, 'product' | 'productVersion'>,
  context: DecisionContext,
): LoanProductSettings {
  const { version, settings, versions } = context.state('loan-product', product);
  if (version === productVersion && settings !== undefined) return settings;
  const event = context.event(versions[productVersion - 1] ?? '');
  if (event?.type !== 'loan-product-saved') throw new Error(`product ${product} has no version ${productVersion}`);
  return (event as LoanProductSaved).data.settings;
}

/** A real calendar day between two others. */
export function checkDay(day: string, from: string, to: string, field: string): Refusal | undefined {
  const parsed = Date.parse(`${day}T00:00:00Z`);
  const isDay = DAY.test(day) && !Number.isNaN(parsed) && new Date(parsed).toISOString().slice(0, 10) === day;
  if (isDay && day >= from && day <= to) return undefined;
  return refuse('value-date-out-of-range', `the date must lie between ${from} and ${to}`, {
    field,
    details: { from, to },
  });
}
