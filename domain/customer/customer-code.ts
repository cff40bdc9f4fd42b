import { shortCode } from '../shared/short-code.js';

const SCATTER = { factor: 693_147_181n, offset: 271_828_183n };

/** The short code of the n-th customer of a tenant. */
export function customerCodeOf(sequence: number): string {
  return shortCode(sequence, SCATTER);
}
