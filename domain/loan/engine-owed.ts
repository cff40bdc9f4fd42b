import { daysBetween } from './calendar.js';
import { actualInterest } from './engine-interest.js';
import { scheduledInterest } from './engine-layout.js';
import { type Amounts, type Part, type Running, balanceOn, chargesOf, leftOf, noAmounts } from './engine-state.js';
import { divideRounded, larger } from './schedule-rounding.js';

/** What the borrower owes on a day: disbursed, borne or charged by then, and neither paid nor waived. */
export function owedOn(running: Running, day: string): Amounts {
  const owed = noAmounts();
  owed.principal = larger(0n, balanceOn(running, day));
  owed.interest = interestOwed(running, day);
  for (const part of running.parts) {
    const isDue = part.period.due <= day;
    owed.fees += larger(0n, isDue ? leftOf(part, 'fees') : chargedBy(part, 'fees', day));
    owed.penalty += larger(0n, isDue ? leftOf(part, 'penalty') : chargedBy(part, 'penalty', day));
  }
  return owed;
}

function chargedBy(part: Part, bucket: 'fees' | 'penalty', day: string): bigint {
  return chargesOf(part, bucket, day) + part.again[bucket] - part.paid[bucket] - part.waived[bucket];
}

function interestOwed(running: Running, day: string): bigint {
  let owed = borneNotDue(running, day);
  for (const part of running.parts) if (part.period.due <= day) owed += larger(0n, leftOf(part, 'interest'));
  return owed;
}

/** Interest borne until a day that no instalment has asked for by then, less what was paid or waived of it. */
export function borneNotDue(running: Running, day: string): bigint {
  let borne = accruing(running, day);
  for (const { period, raw, interest } of running.regular) if (period.due <= day) borne += raw - interest;
  return larger(0n, borne);
}

/** Interest borne since the last instalment was due, less what was paid or waived of it. */
function accruing(running: Running, day: string): bigint {
  const { regular } = running;
  const index = regular.findIndex(({ period }) => period.due > day);
  if (index < 0) return 0n;
  let sum = 0n;
  for (const part of regular.slice(index)) {
    if (part.isClosed) sum += part.raw;
    sum -= part.paid.interest + part.waived.interest - part.again.interest;
  }
  if (running.isActual) return sum + actualInterest(running, regular.length - 1, running.accruedTo, day);
  const part = regular[index] as Part;
  if (part.isClosed || part.period.from >= day) return sum;
  return sum + borneBy(running, part, index, day);
}

function borneBy(running: Running, part: Part, index: number, day: string): bigint {
  const { period, raw } = part;
  if (running.terms.schedule !== 'FLAT') return scheduledInterest(running, index, undefined, day);
  const days = BigInt(daysBetween(period.from, day));
  return divideRounded(raw * days, BigInt(daysBetween(period.from, period.due)), 'HALF_EVEN');
}
