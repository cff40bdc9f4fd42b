import { shortCode } from '../shared/short-code.js';

const SCATTER = { factor: 577_215_665n, offset: 161_803_399n };

/**
 * The short code of the n-th loan of a tenant: what people call it by, the reference of its repayments, and what the
 * numbers of its accounts are made from. The `L` keeps it apart from customers' codes.
 */
export function loanCodeOf(sequence: number): string {
  return `L${shortCode(sequence, SCATTER)}`;
}
