import { addDays, addPeriods } from './calendar.js';
import { putFees, settlePenaltyDays } from './engine-fees.js';
import { relevel } from './engine-plan.js';
import { takenInterest } from './engine-layout.js';
import {
  type Charge,
  type Part,
  type Running,
  dayPeriod,
  insertPart,
  isSettled,
  leftOf,
  move,
  newPart,
  outstandingAtEnd,
  paidAhead,
  sumAmounts,
} from './engine-state.js';
import { type Period, periodsFrom } from './schedule-periods.js';
import { larger, percentRatio, roundInstalment, smaller } from './schedule-rounding.js';
import type { Frequency, LoanTerms } from './terms.js';

/** Money goes out: the first disbursement makes the schedule, a later one is spread over the instalments after it. */
export function disburse(running: Running, date: string, amount: bigint): void {
  const { terms, tranches } = running;
  tranches.push({ date, amount });
  move(running, date, amount);
  if (running.regular.length === 0) {
    running.accruedTo = date;
    const { frequency, instalments, firstDueDate, interestFreePeriods: free } = terms;
    const from = startFor(terms, date);
    const start = { from, frequency, free, ...(firstDueDate === undefined ? {} : { firstDue: firstDueDate }) };
    for (const [index, period] of periodsFrom(terms, start, instalments).entries()) {
      running.regular.push(newPart('REGULAR', period, graceOf(running, index, instalments)));
    }
    running.parts.push(...running.regular);
    putDownPayment(running, date, amount);
    renew(running, 0, date);
    dropEmptyEnd(running);
  } else {
    if (instalmentFor(running, date) < 0 && !reopenAfter(running, date)) addAfterEnd(running, date);
    putDownPayment(running, date, amount);
    renew(running, instalmentFor(running, date), date);
  }
}

/** New levels, and fees with them, from an instalment on; those before it keep what they asked for. */
function renew(running: Running, from: number, date: string): void {
  relevel(running, from, date);
  putFees(running, from);
}

/** Periods may be counted from an agreed day, if the money goes out before the first one of them is over. */
function startFor({ startDate, firstDueDate, frequency }: LoanTerms, date: string): string {
  if (startDate === undefined || startDate >= date) return date;
  const firstDue = firstDueDate ?? addPeriods(startDate, frequency.every, frequency.unit);
  return firstDue > date ? startDate : date;
}

function graceOf({ terms }: Running, index: number, count: number): { principal: boolean; interest: boolean } {
  const isBullet = terms.schedule === 'BULLET' && index < count - 1;
  return {
    principal: index < Math.min(terms.graceOnPrincipal, count - 1),
    interest: isBullet || index < Math.min(terms.graceOnInterest, count - 1),
  };
}

/** Index of the open regular instalment whose period a disbursement falls into; -1: it comes after the end. */
function instalmentFor({ regular, terms }: Running, date: string): number {
  return regular.findIndex(
    ({ period, isClosed }) => !isClosed && (terms.scheduling === 'CUMULATIVE' ? period.due >= date : period.due > date),
  );
}

/** Instalments that were settled before their days ask again, for what is owed anew; false: there are none. */
export function reopenAfter(running: Running, date: string): boolean {
  const { regular } = running;
  const isNext = ({ period }: Part): boolean => period.due > date;
  const first = regular.findIndex(isNext);
  if (first < 0) return false;
  let carried = regular.slice(0, first).reduce((sum, { raw, interest }) => sum + raw - interest, 0n);
  for (const part of regular.slice(first)) {
    carried += part.raw;
    part.isClosed = false;
  }
  if (running.isActual) {
    running.carried = carried;
    running.open = first;
    running.laidOutFor = '';
    if (running.accruedTo < date) running.accruedTo = date;
  }
  return true;
}

/** One instalment more, for what is disbursed after the last one was due. */
function addAfterEnd(running: Running, date: string): void {
  const { terms, frequency } = running;
  if (running.isActual) running.accruedTo = date;
  for (const period of periodsFrom(terms, { from: date, frequency, free: 0 }, 1)) addRegular(running, period);
}

function putDownPayment(running: Running, date: string, amount: bigint): void {
  const { downPaymentPercent, rounding, scheduling } = running.terms;
  if (downPaymentPercent === undefined) return;
  const { numerator, denominator } = percentRatio(downPaymentPercent);
  const part = newPart('DOWN_PAYMENT', dayPeriod(date));
  part.principal = smaller(amount, roundInstalment({ numerator: amount * numerator, denominator }, rounding));
  if (part.principal > 0n) insertPart(running, part, scheduling === 'CUMULATIVE');
}

/** A fixed instalment repays the loan before the most instalments there may be are used. */
function dropEmptyEnd(running: Running): void {
  if (running.terms.instalmentAmount === undefined) return;
  const last = running.regular.findLastIndex(({ principal, interest }) => principal > 0n || interest > 0n);
  const dropped = new Set(running.regular.splice(last + 1));
  running.parts = running.parts.filter((part) => !dropped.has(part));
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

function addRegular(running: Running, period: Period): void {
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
