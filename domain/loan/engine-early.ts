import { type Payment, pay, payAhead, payDueCharges } from './allocate.js';
import { feesFor, putFees } from './engine-fees.js';
import { actualInterest } from './engine-interest.js';
import {
  askedInterest,
  carriedInto,
  layOut,
  principalOf,
  remainingAt,
  takenFrom,
  takenInterest,
} from './engine-layout.js';
import { relevel } from './engine-plan.js';
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

/** Payments before anything is due: where the schedule follows them, they change it. */
export function payEarly(running: Running, payment: Payment, rule: PrepaymentRule): void {
  if (running.regular.length === 0) return;
  const isNew = rule === 'REAMORTISE' && running.terms.schedule !== 'FLAT';
  if (!running.isActual && !isNew) {
    payAhead(running, payment, rule === 'REAMORTISE' ? 'REDUCE' : rule);
    return;
  }
  if (settles(running, payment, rule)) settle(running, payment, rule);
  else if (payment.left === 0n) return;
  else if (rule === 'REAMORTISE') payPrincipal(running, payment);
  else if (rule === 'NEXT_INSTALMENT') payNext(running, payment);
  else withoutInterest(running, payment, rule);
  if (payment.left === 0n) return;
  if (running.isActual) layOut(running, running.open, payment.date);
  payAhead(running, payment, 'NEXT_INSTALMENT');
}

/** Whether the money is enough to end the loan; less than its principal never is. */
function settles(running: Running, { date, left }: Payment, rule: PrepaymentRule): boolean {
  return left >= balanceOn(running, date) && left >= sumAmounts(settlement(running, date, rule));
}

/** Index of the instalment that runs on a day: the first open one that is due then or later; the last one after the end. */
function runningIndex({ regular, open, isActual }: Running, date: string): number {
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
function openPrincipal(running: Running, date: string): bigint {
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
function settle(running: Running, payment: Payment, rule: PrepaymentRule): void {
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

function aheadAfter({ regular }: Running, index: number): bigint {
  let sum = 0n;
  for (let at = index + 1; at < regular.length; at += 1) sum += paidAhead(regular[at] as Part);
  return sum;
}

/**
 * Instalments are settled one after the other: each asks for the interest up to the day and the principal that makes it
 * a whole instalment; one that is paid in full is closed, and interest runs for the next one from this day on.
 */
function payNext(running: Running, payment: Payment): void {
  const { regular, terms } = running;
  const { date } = payment;
  for (let index = running.open; index < regular.length && payment.left > 0n; index += 1) {
    const part = regular[index] as Part;
    const accrued = index === running.open ? actualInterest(running, index, running.accruedTo, date) : 0n;
    ask(running, index, accrued);
    const asksForMore = part.principal > paidAhead(part);
    if (!asksForMore && index > running.open) continue;
    const need = BUCKETS.reduce((sum, bucket) => sum + larger(0n, leftOf(part, bucket)), 0n);
    const isWhole = asksForMore && part.principal > 0n && need <= payment.left;
    payDueCharges(running, payment, part);
    for (const bucket of terms.allocation.inAdvance) pay(running, payment, part, bucket, payment.left);
    if (!isWhole) continue;
    close(running, index, accrued, date);
  }
  for (let index = regular.length - 1; index >= running.open && payment.left > 0n; index -= 1) {
    prepay(running, payment, index);
  }
}

/** What an open instalment asks for if its time bore this much interest. */
function ask(running: Running, index: number, borne: bigint): void {
  const { regular } = running;
  const part = regular[index] as Part;
  const carried = index === running.open ? running.carried : 0n;
  part.interest = askedInterest(part, index === regular.length - 1, carried + borne - takenFrom(running, index + 1));
  part.principal = principalOf(running, index, part.interest, remainingAt(running, index), aheadAfter(running, index));
  part.fees = feesFor(part, part.principal + part.interest, running.terms.fees);
}

/** Actual interest: instalments that are due by a day are what the days until then made of them. */
export function closeDue(running: Running, day: string): void {
  if (!running.isActual) return;
  for (let part = running.regular[running.open]; part !== undefined && part.period.due <= day;) {
    const { due } = part.period;
    const raw = actualInterest(running, running.open, running.accruedTo, due);
    ask(running, running.open, raw);
    close(running, running.open, raw, due);
    part = running.regular[running.open];
  }
}

/** The instalment at `running.open` asks for nothing more. */
function close(running: Running, index: number, raw: bigint, date: string): void {
  if (index !== running.open) return;
  const part = running.regular[index] as Part;
  part.raw = raw;
  running.carried += raw - part.interest;
  part.isClosed = true;
  running.open = index + 1;
  running.laidOutFor = '';
  if (date > running.accruedTo) running.accruedTo = date;
}

/** Principal of an open instalment in advance, as much as may be left of the loan. */
function prepay(running: Running, payment: Payment, index: number): void {
  const part = running.regular[index] as Part;
  const room = openPrincipal(running, payment.date);
  if (room <= 0n) return;
  const most = payment.left < room ? payment.left : room;
  part.principal = larger(part.principal, paidAhead(part) + most);
  pay(running, payment, part, 'principal', most);
}

/** All goes to principal and into the running instalment; if that is more than it asks for, what follows becomes smaller. */
function payPrincipal(running: Running, payment: Payment): void {
  const { date } = payment;
  const today = running.regular.findIndex(({ period }) => period.due === date);
  const index = today >= 0 ? today : runningIndex(running, date);
  const part = running.regular[index] as Part;
  const { inAdvance } = running.terms.allocation;
  payDueCharges(running, payment, part);
  for (const bucket of inAdvance.slice(0, inAdvance.indexOf('principal'))) {
    if (bucket !== 'interest') pay(running, payment, part, bucket, payment.left);
  }
  const room = openPrincipal(running, date);
  const most = payment.left < room ? payment.left : room;
  const planned = part.principal;
  part.principal = larger(part.principal, paidAhead(part) + most);
  pay(running, payment, part, 'principal', most);
  if (!part.isClosed && running.isActual) layOut(running, running.open, date, index);
  else part.principal = larger(planned, paidAhead(part));
  if (part.principal > paidAhead(part) || most === 0n) {
    putFees(running, index);
    return;
  }
  if (index + 1 < running.regular.length) relevel(running, index + 1, date, index);
  putFees(running, part.period.due > date ? index : index + 1);
}

/** Future instalments ask for no interest yet: only their other buckets are paid. */
function withoutInterest(running: Running, payment: Payment, rule: PrepaymentRule): void {
  layOut(running, running.open, payment.date);
  putFees(running, running.open);
  for (const part of running.regular.slice(running.open)) {
    part.interest = part.paid.interest + part.waived.interest - part.again.interest;
  }
  payAhead(running, payment, rule);
}
