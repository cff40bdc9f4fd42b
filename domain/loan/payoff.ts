import { sumBuckets } from './booked.js';
import { payoffQuote } from './compute.js';
import type { LoanOperation } from './operations.js';
import type { LoanPosition } from './position.js';
import type { LoanTerms } from './terms.js';

/** What settles a loan on a day, to the minor unit (spec 9.9). */
export function payoffOn(terms: LoanTerms, operations: readonly LoanOperation[], date: string): bigint {
  return sumBuckets(payoffQuote(terms, operations, date));
}

/** What is owed as of the position's day: a loan may need more than that to be settled, where early payment saves nothing. */
function owedOf(position: LoanPosition): bigint {
  return sumBuckets(position.outstanding);
}

/** Most that may be paid on a loan: what is and will be due over its whole schedule, and at least what is owed now. */
export function payableOf(position: LoanPosition): bigint {
  const { scheduled, paid, waived, writtenOff } = position;
  const scheduledRest = sumBuckets(scheduled) - sumBuckets(paid) - sumBuckets(waived) - sumBuckets(writtenOff);
  const owed = owedOf(position);
  return scheduledRest > owed ? scheduledRest : owed;
}
