import type { LoanOperation } from './operations.js';
import type { LoanPosition } from './position.js';
import type { LoanTerms } from './terms.js';

/**
 * Where a loan stands at the end of a day: a pure function of its terms and of everything that happened to it, whatever
 * the order it was recorded in.
 */
export function computeLoan(_terms: LoanTerms, _operations: readonly LoanOperation[], _asOf: string): LoanPosition {
  throw new Error('not built yet');
}
