import { addPeriods } from './calendar.js';
import { addRegular, renew } from './engine-changes.js';
import { type Part, type Running, dayPeriod, insertPart, move, newPart } from './engine-state.js';
import { periodsFrom } from './schedule-periods.js';
import { percentRatio, roundInstalment, smaller } from './schedule-rounding.js';
import type { LoanTerms } from './terms.js';

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
