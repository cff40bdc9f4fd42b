import { applyOperation, layOutOpen, passTo } from './engine-apply.js';
import { settlement } from './engine-ending.js';
import { positionOn } from './engine-position.js';
import { type Running, leftOf, newRunning, noAmounts } from './engine-state.js';
import { standing } from './operations-json.js';
import type { LoanOperation } from './operations.js';
import type { LoanPosition } from './position.js';
import { larger } from './schedule-rounding.js';
import { BUCKETS, type ByBucket, type LoanTerms } from './terms.js';

/**
 * Where a loan stands at the end of a day: a pure function of its terms and of everything that happened to it, whatever
 * the order it was recorded in. What takes effect later than the day is left out.
 */
export function computeLoan(terms: LoanTerms, operations: readonly LoanOperation[], asOf: string): LoanPosition {
  return positionOn(runTo(terms, operations, asOf), asOf);
}

/**
 * What settles the loan on a day, by bucket: a repayment of the sum on that day leaves nothing owed. Where interest follows
 * what is outstanding, interest up to the day; else all that is scheduled.
 */
export function payoffQuote(terms: LoanTerms, operations: readonly LoanOperation[], date: string): ByBucket {
  const running = runTo(terms, operations, date);
  if (running.lost !== undefined || running.regular.length === 0) return noAmounts();
  const quote = settlement(running, date, running.rule);
  for (const part of running.parts) {
    if (part.period.due > date) continue;
    for (const bucket of BUCKETS) quote[bucket] += larger(0n, leftOf(part, bucket));
  }
  return quote;
}

function runTo(terms: LoanTerms, operations: readonly LoanOperation[], asOf: string): Running {
  const running = newRunning(terms);
  const inForce = standing(operations).filter(({ date }) => date <= asOf);
  const byDate = [...inForce].sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  const isAhead = ({ kind }: LoanOperation): boolean => terms.scheduling === 'CUMULATIVE' && kind === 'DISBURSED';
  for (const operation of byDate) if (isAhead(operation)) applyOperation(running, operation);
  for (const operation of byDate) {
    if (isAhead(operation)) continue;
    passTo(running, operation.date);
    applyOperation(running, operation);
  }
  if (terms.scheduling === 'CUMULATIVE') inOrderOf(byDate, running);
  if (running.lost === undefined) passTo(running, asOf);
  if (running.isActual) layOutOpen(running, running.lost?.date ?? asOf);
  return running;
}

/** Disbursements were applied first: transactions in the order of what they belong to. */
function inOrderOf(byDate: readonly LoanOperation[], { transactions }: Running): void {
  const place = new Map(byDate.map(({ id }, index) => [id, index]));
  transactions.sort((a, b) => (place.get(a.operation) ?? 0) - (place.get(b.operation) ?? 0));
}
