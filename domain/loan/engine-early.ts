import { type Payment, pay, payAhead, payDueCharges } from './allocate.js';
import { openPrincipal, runningIndex, settle, settles } from './engine-ending.js';
import { feesFor, putFees } from './engine-fees.js';
import { actualInterest } from './engine-interest.js';
import { askedInterest, principalOf, remainingAt, takenFrom } from './engine-remaining.js';
import { layOut } from './engine-layout.js';
import { relevel } from './engine-plan.js';
import { type Part, type Running, leftOf, paidAhead } from './engine-state.js';
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
