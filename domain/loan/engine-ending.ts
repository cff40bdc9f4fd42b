import { type Payment, payAhead } from './allocate.js';
import { feesFor } from './engine-fees.js';
import { actualInterest } from './engine-interest.js';
import { carriedInto, principalOf, remainingAt, takenFrom, takenInterest } from './engine-remaining.js';
import {
  type Amounts,
  type Part,
  type Running,
  balanceOn,
  leftOf,
  noAmounts,
  paidAhead,
  sumAmounts,
} from './engine-state.js';
import { larger } from './schedule-rounding.js';
import { BUCKETS, type PrepaymentRule } from './terms.js';

/** Whether the money is enough to end the loan; less than its principal never is. */
export function settles(running: Running, { date, left }: Payment, rule: PrepaymentRule): boolean {
  return left >= balanceOn(running, date) && left >= sumAmounts(settlement(running, date, rule));
}

/** Index of the instalment that runs on a day: the first open one that is due then or later; the last one after the end. */
export function runningIndex({ regular, open, isActual }: Running, date: string): number {
  const from = isActual ? open : 0;
  const index = regular.findIndex(({ period, isClosed }, at) => at >= from && !isClosed && period.due > date);
  return index < 0 ? regular.length - 1 : index;
}

/** Interest that the running instalment asks for if the loan ends on a day: actual up to then, else as scheduled. */
function askedToday(running: Running, part: Part, date: string): bigint {
  if (!running.isActual) return part.interest;
  const index = running.regular.indexOf(part);
  const borne = running.carried + actualInterest(running, index, running.accruedTo, date);
  return larger(takenInterest(part), borne - takenFrom(running, index + 1));
}

/** What an instalment that is not due yet asks for if the loan ends on a day. */
interface Ending {
  readonly part: Part;
  readonly principal: bigint;
  readonly interest: bigint;
  readonly fees: bigint;
}

/**
 * How the loan ends on a day where the schedule follows payments: the running instalment asks for its interest and fees,
 * those after it for principal only.
 */
function endings(running: Running, date: string, rule: PrepaymentRule): Ending[] {
  const { regular, terms } = running;
  const current = runningIndex(running, date);
  const first = regular[current];
  if (first === undefined || first.isClosed || first.period.due <= date) return [];
  const result: Ending[] = [];
  let rest = remainingAtEnd(running, current);
  let ahead = regular.slice(current).reduce((sum, part) => sum + paidAhead(part), 0n);
  for (let index = current; index < regular.length; index += 1) {
    const part = regular[index] as Part;
    ahead -= paidAhead(part);
    const interest = larger(takenInterest(part), index === current ? askedToday(running, part, date) : 0n);
    const isLast = index === regular.length - 1 || rule === 'REAMORTISE';
    const wanted = isLast ? rest - ahead : principalOf(running, index, interest, rest, ahead);
    const principal = larger(wanted, paidAhead(part));
    rest -= principal;
    const fees = feesFor(part, index === current ? principal + interest : 0n, terms.fees);
    result.push({ part, principal, interest, fees });
  }
  return result;
}

/** All that is owed if the loan is settled on a day, without what was due by then. */
export function settlement(running: Running, date: string, rule: PrepaymentRule): Amounts {
  const owed = noAmounts();
  const follows = running.isActual || (rule === 'REAMORTISE' && running.terms.schedule !== 'FLAT');
  const ends = new Map((follows ? endings(running, date, rule) : []).map((ending) => [ending.part, ending]));
  for (const part of running.parts) {
    if (part.period.due <= date) continue;
    const { principal, interest, fees } = ends.get(part) ?? part;
    const less = { principal: part.principal - principal, interest: part.interest - interest, fees: part.fees - fees, penalty: 0n }; // prettier-ignore
    for (const bucket of BUCKETS) owed[bucket] += larger(0n, leftOf(part, bucket) - less[bucket]);
  }
  return owed;
}

/** Scheduled principal that open regular instalments after a day still have to ask for. */
export function openPrincipal(running: Running, date: string): bigint {
  const current = runningIndex(running, date);
  const part = running.regular[current];
  if (part === undefined || part.isClosed || part.period.due <= date) return 0n;
  let sum = remainingAtEnd(running, current);
  for (let index = current; index < running.regular.length; index += 1) {
    sum -= paidAhead(running.regular[index] as Part);
  }
  return larger(0n, sum);
}

/** Like `remainingAt`, of all that was disbursed and without later parts of other kinds. */
function remainingAtEnd(running: Running, index: number): bigint {
  const last = running.regular.length - 1;
  let sum = remainingAt(running, last);
  for (let at = index; at < last; at += 1) sum += (running.regular[at] as Part).principal;
  return sum;
}

/** The loan ends today. */
export function settle(running: Running, payment: Payment, rule: PrepaymentRule): void {
  const { date } = payment;
  const ends = endings(running, date, rule);
  let carried = ends[0] === undefined ? 0n : carriedInto(running, running.regular.indexOf(ends[0].part));
  for (const { part, principal, interest, fees } of ends) {
    part.raw = interest - carried;
    carried = 0n;
    Object.assign(part, { principal, interest, fees });
    part.isClosed = true;
  }
  if (running.isActual) {
    running.carried = 0n;
    running.open = running.regular.length;
    running.laidOutFor = '';
    if (running.accruedTo < date) running.accruedTo = date;
  }
  payAhead(running, payment, 'NEXT_INSTALMENT');
}
