import { settlePenaltyDays } from './engine-fees.js';
import { borneNotDue } from './engine-owed.js';
import { type Running, isSettled, leftOf } from './engine-state.js';
import type { LoanOperation } from './operations.js';
import { larger, smaller } from './schedule-rounding.js';

/**
 * Gives up what is outstanding of a bucket, oldest first: interest that is due or was borne until then; fees and penalties
 * that were charged, due or not. What was really waived, never more than there is.
 */
export function waive(running: Running, operation: Extract<LoanOperation, { kind: 'WAIVED' }>): bigint {
  const { date, bucket, amount } = operation;
  let left = amount;
  let borne = bucket === 'interest' ? borneNotDue(running, date) : amount;
  for (const part of running.parts) {
    const isDue = part.period.due <= date;
    const most = isDue ? leftOf(part, bucket) : smaller(borne, leftOf(part, bucket));
    const taken = smaller(left, larger(0n, most));
    if (taken === 0n) continue;
    if (bucket === 'interest') settlePenaltyDays(part, date);
    if (!isDue) borne -= taken;
    running.laidOutFor = '';
    part.waived[bucket] += taken;
    left -= taken;
    if (isSettled(part)) part.paidDate ??= date;
  }
  return amount - left;
}
