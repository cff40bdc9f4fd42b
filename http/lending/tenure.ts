import type { Frequency } from '../../domain/loan/terms.js';
import type { Findings } from '../amounts.js';

/** Tenures count units (months by default); instalments come every so many of them. */
export function instalmentsIn(tenure: number, { every, unit }: Frequency, field: string, findings: Findings): number {
  if (tenure % every !== 0) {
    findings.add(field, 'NOT_A_MULTIPLE', `is not a multiple of ${every} ${unit}: instalments come so often`);
  }
  return Math.max(1, Math.floor(tenure / every));
}
