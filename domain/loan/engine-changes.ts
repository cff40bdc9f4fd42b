import { addDays, addPeriods } from './calendar.js';
import { putFees, settlePenaltyDays } from './engine-fees.js';
import { takenInterest } from './engine-remaining.js';
import { relevel } from './engine-plan.js';
import {
  type Charge,
  type Part,
  type Running,
  dayPeriod,
  insertPart,
  isSettled,
  leftOf,
  newPart,
  outstandingAtEnd,
  paidAhead,
  sumAmounts,
} from './engine-state.js';
import { type Period, periodsFrom } from './schedule-periods.js';
import { larger, percentRatio, smaller } from './schedule-rounding.js';
import type { Frequency } from './terms.js';

/** New levels, and fees with them, from an instalment on; those before it keep what they asked for. */
export function renew(running: Running, from: number, date: string): void {
  relevel(running, from, date);
  putFees(running, from);
}

/** Interest at another rate from a day on. */
export function changeRate(running: Running, date: string, annualRatePercent: string): void {
  running.rates.push({ from: date, rate: percentRatio(annualRatePercent) });
  running.laidOutFor = '';
  const index = nextDue(running, date);
  if (index >= 0) renew(running, index, date);
}

/** Index of the first open regular instalment that is due after a day; -1: none. */
export function nextDue({ regular }: Running, date: string): number {
  return regular.findIndex(({ period, isClosed }) => !isClosed && period.due > date);
}

/** Principal that is due and was not paid is spread over the instalments to come. */
export function reamortise(running: Running, date: string): bigint {
  const index = nextDue(running, date);
  if (index < 0) return 0n;
  const moved = takePrincipal(running, date, ({ period }) => period.due <= date);
  renew(running, index, date);
  return moved;
}

/** Takes the principal that is left out of instalments, to be scheduled anew. */
function takePrincipal(running: Running, date: string, which: (part: Part) => boolean): bigint {
  let sum = 0n;
  for (const part of running.parts) {
    const left = leftOf(part, 'principal');
    if (left <= 0n || !which(part)) continue;
    settlePenaltyDays(part, date);
    const again = smaller(part.again.principal, left);
    part.again.principal -= again;
    part.principal -= left - again;
    running.replanned += again;
    if (again > 0n) running.replannedOn = date;
    sum += left;
    if (isSettled(part)) part.paidDate ??= date;
  }
  return sum;
}

export interface NewSchedule {
  readonly instalments?: number | undefined;
  readonly frequency?: Frequency | undefined;
  readonly firstDueDate?: string | undefined;
}

/** All principal that is left gets a schedule of its own from a day on. */
export function reschedule(running: Running, date: string, schedule: NewSchedule): bigint {
  const { regular, terms } = running;
  if (outstandingAtEnd(running) <= 0n) return 0n;
  const replaced = regular.filter(({ period }) => period.due > date);
  const began = replaced.find(({ isClosed }) => !isClosed)?.period.from ?? date;
  const from = began < date ? began : date;
  const count = schedule.instalments ?? (replaced.length > 0 ? replaced.length : 1);
  const frequency = schedule.frequency ?? running.frequency;
  const dueBefore = replaced[0]?.period.due ?? addPeriods(date, frequency.every, frequency.unit);
  const wanted = schedule.firstDueDate ?? dueBefore;
  const firstDue = wanted > date ? wanted : addDays(date, 1);
  const moved = takePrincipal(running, date, () => true);
  const charges = replaced.flatMap((part) => retire(running, part, date));
  running.regular = regular.filter((part) => running.parts.includes(part));
  running.frequency = frequency;
  running.laidOutFor = '';
  if (running.isActual && replaced.every(({ isClosed }) => isClosed)) running.accruedTo = date;
  const kept = running.regular.length;
  for (const period of periodsFrom(terms, { from, firstDue, frequency, free: 0 }, count)) addRegular(running, period);
  running.open = running.isActual ? Math.max(running.open, firstOpen(running)) : running.open;
  renew(running, kept, date);
  for (const charge of charges) partFor(running, charge.due).charges.push(charge);
  return moved;
}

function firstOpen({ regular }: Running): number {
  const index = regular.findIndex(({ isClosed }) => !isClosed);
  return index < 0 ? regular.length : index;
}

export function addRegular(running: Running, period: Period): void {
  const part = newPart('REGULAR', period);
  running.regular.push(part);
  insertPart(running, part);
}

/**
 * An instalment that a new schedule replaces ends on that day with what was paid into it, or goes. Its charges that are
 * left are returned; interest that was paid is borne by what comes next.
 */
function retire(running: Running, part: Part, date: string): Charge[] {
  const { period } = part;
  if (sumAmounts(part.paid) + sumAmounts(part.waived) === 0n) {
    running.parts = running.parts.filter((other) => other !== part);
    running.unpaid = 0;
    return part.charges;
  }
  moveTo(running, part, { ...period, from: period.from < date ? period.from : date, due: date });
  part.principal = paidAhead(part);
  if (!part.isClosed) {
    part.interest = takenInterest(part);
    part.raw = 0n;
    if (running.isActual) running.carried -= part.interest;
    part.isClosed = true;
  }
  part.fees = 0n;
  part.fees = larger(0n, -leftOf(part, 'fees'));
  return (['fees', 'penalty'] as const).flatMap((bucket) => takeCharges(part, bucket));
}

/** Charges that are left of an instalment, taken out of it; the last ones first. */
function takeCharges(part: Part, bucket: Charge['bucket']): Charge[] {
  const taken: Charge[] = [];
  let left = leftOf(part, bucket);
  for (let index = part.charges.length - 1; index >= 0 && left > 0n; index -= 1) {
    const charge = part.charges[index] as Charge;
    if (charge.bucket !== bucket) continue;
    const amount = smaller(left, charge.amount);
    part.charges[index] = { ...charge, amount: charge.amount - amount };
    taken.push({ ...charge, amount });
    left -= amount;
  }
  return taken;
}

/**
 * Where something that falls on a day belongs: the regular instalment of that day, or the additional one after the end,
 * which is due when the last of what is in it is.
 */
export function partFor(running: Running, due: string): Part {
  const { regular, parts } = running;
  const ofDay = regular.find(({ period }) => period.due >= due);
  if (ofDay !== undefined) return ofDay;
  const additional = parts.find(({ kind }) => kind === 'ADDITIONAL');
  if (additional !== undefined) {
    if (additional.period.due < due) moveTo(running, additional, dayPeriod(due, additional.period.from));
    return additional;
  }
  const part = newPart('ADDITIONAL', dayPeriod(due, regular.at(-1)?.period.due ?? due));
  insertPart(running, part);
  return part;
}

function moveTo(running: Running, part: Part, period: Period): void {
  running.parts = running.parts.filter((other) => other !== part);
  part.period = period;
  running.unpaid = 0;
  insertPart(running, part);
}
