import { settlePenaltyDays } from './engine-fees.js';
import { type Part, type Running, type Transaction, chargesOf, isSettled, leftOf, move } from './engine-state.js';
import { larger, divideRounded, smaller } from './schedule-rounding.js';
import { type Bucket, type PrepaymentRule } from './terms.js';

/** Money on its way through the instalments. */
export interface Payment {
  readonly date: string;
  readonly transaction: Transaction;
  left: bigint;
}

/** Pays up to `most` of a bucket of an instalment. */
export function pay(running: Running, payment: Payment, part: Part, bucket: Bucket, most: bigint): void {
  const amount = smaller(smaller(payment.left, most), leftOf(part, bucket));
  if (amount <= 0n) return;
  const { date, transaction } = payment;
  const isArrears = bucket === 'principal' || bucket === 'interest';
  if (isArrears) settlePenaltyDays(part, date);
  running.laidOutFor = '';
  payment.left -= amount;
  part.paid[bucket] += amount;
  transaction.portions[bucket] += amount;
  if (date < part.period.due) part.inAdvance += amount;
  else if (date > part.period.due) part.late += amount;
  if (bucket === 'principal') move(running, date, -amount);
  if (isSettled(part)) part.paidDate = date;
}

function payBuckets(running: Running, payment: Payment, part: Part, order: readonly Bucket[]): void {
  for (const bucket of order) pay(running, payment, part, bucket, payment.left);
}

/** What is past due, then what is due on the day: by instalment or by bucket. */
export function payDue(running: Running, payment: Payment): void {
  const { allocation } = running.terms;
  const { parts } = running;
  const isOver = ({ period }: Part): boolean => period.due <= payment.date;
  for (let part = parts[running.unpaid]; part !== undefined && isOver(part) && isSettled(part);) {
    running.unpaid += 1;
    part = parts[running.unpaid];
  }
  const due: Part[] = [];
  for (let index = running.unpaid; index < parts.length; index += 1) {
    const part = parts[index] as Part;
    if (part.period.due > payment.date) break;
    due.push(part);
    if (allocation.walk === 'BY_INSTALMENT') payBuckets(running, payment, part, allocation.due);
    if (payment.left === 0n) return;
  }
  if (allocation.walk === 'BY_INSTALMENT') return;
  const past = due.filter(({ period }) => period.due < payment.date);
  for (const group of [past, due]) {
    for (const bucket of allocation.due) {
      for (const part of group) pay(running, payment, part, bucket, payment.left);
    }
  }
}

/** What is not due yet and stands in the schedule, in the order of the rule. */
export function payAhead(running: Running, payment: Payment, rule: PrepaymentRule): void {
  if (payment.left === 0n) return;
  const ahead: Part[] = [];
  for (let index = running.unpaid; index < running.parts.length; index += 1) {
    const part = running.parts[index] as Part;
    if (part.period.due > payment.date) ahead.push(part);
  }
  if (rule === 'SHORTEN') ahead.reverse();
  const { walk, inAdvance } = running.terms.allocation;
  const groups = walk === 'BY_INSTALMENT' ? [inAdvance] : inAdvance.map((bucket) => [bucket]);
  for (const order of groups) {
    if (rule === 'REDUCE') spread(running, payment, ahead, order);
    else for (const part of ahead) payOne(running, payment, part, order);
  }
}

/** Of an instalment that is not due yet, first its charges whose own day has come. */
function payOne(running: Running, payment: Payment, part: Part, order: readonly Bucket[]): void {
  if (payment.left === 0n) return;
  if (order.length > 1) payDueCharges(running, payment, part);
  payBuckets(running, payment, part, order);
}

export function payDueCharges(running: Running, payment: Payment, part: Part): void {
  if (part.charges.length === 0) return;
  for (const bucket of running.terms.allocation.due) {
    const due = chargesOf(part, bucket, payment.date) - part.paid[bucket] - part.waived[bucket];
    pay(running, payment, part, bucket, larger(0n, due));
  }
}

/** Equal shares for all instalments that have something left, the last one takes what rounding leaves; until none has. */
function spread(running: Running, payment: Payment, parts: readonly Part[], order: readonly Bucket[]): void {
  const leftIn = (part: Part): bigint => order.reduce((sum, bucket) => sum + larger(0n, leftOf(part, bucket)), 0n);
  for (let round = 0; round <= parts.length && payment.left > 0n; round += 1) {
    const open = parts.filter((part) => leftIn(part) > 0n);
    if (open.length === 0) return;
    const share = larger(1n, divideRounded(payment.left, BigInt(open.length), 'HALF_EVEN'));
    for (const [index, part] of open.entries()) {
      let rest = index === open.length - 1 ? payment.left : smaller(share, payment.left);
      for (const bucket of order) {
        const before = payment.left;
        pay(running, payment, part, bucket, rest);
        rest -= before - payment.left;
      }
    }
  }
}
