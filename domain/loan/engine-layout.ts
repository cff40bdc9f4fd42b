import { type Change, actualInterest, interestAcross, interestBetween } from './engine-interest.js';
import {
  askedInterest,
  carriedInto,
  disbursedFor,
  otherPrincipal,
  principalBefore,
  principalOf,
  remainingAt,
  takenFrom,
  takenInterest,
} from './engine-remaining.js';
import { type Part, type Running, balanceOn, leftOf, paidAhead } from './engine-state.js';
import { flatInterest } from './schedule-flat.js';
import { larger, smaller } from './schedule-rounding.js';

/** Lays out principal and interest of instalments by the levels that engine-plan.ts gave them. */

/**
 * Principal and interest anew of the regular instalments that are not closed, from `from` on, as of a day; actual ones
 * only up to `to`, if that is all that is asked. Payments of
 * principal in advance are kept: no instalment asks for less than what was paid into it.
 */
export function layOut(running: Running, from: number, day: string, to = running.regular.length - 1): void {
  if (!running.isActual) {
    layOutScheduled(running, from);
    return;
  }
  layOutActual(running, Math.max(from, running.open), day, to);
  const isAll = from <= running.open && to === running.regular.length - 1;
  running.laidOutFor = isAll ? day : '';
}

function layOutScheduled(running: Running, from: number): void {
  const { regular } = running;
  const flat = running.terms.schedule === 'FLAT' ? flatInterest(running, from, remainingBase(running)) : undefined;
  const placing = new Placing(running, from);
  for (let index = from; index < regular.length; index += 1) {
    const part = regular[index] as Part;
    placing.enter(index);
    const raw = flat?.[index - from] ?? scheduledInterest(running, index, placing.remaining);
    placing.place(part, index, raw);
  }
}

/** FLAT: what was disbursed, without what down payments repay at once. */
function remainingBase({ tranches, parts }: Running): bigint {
  const down = parts.reduce((sum, { kind, principal }) => (kind === 'DOWN_PAYMENT' ? sum + principal : sum), 0n);
  return tranches.reduce((sum, { amount }) => sum + amount, -down);
}

/**
 * Interest of a period, or of its days until one, on the balance that is scheduled for it: disbursements in between count
 * from their day.
 */
export function scheduledInterest(
  running: Running,
  index: number,
  remaining = remainingAt(running, index),
  until = (running.regular[index] as Part).period.due,
): bigint {
  const { period } = running.regular[index] as Part;
  const changes: Change[] = [];
  for (const { date, amount } of running.tranches) {
    const isFor = date > period.from && (date < period.due || index === running.regular.length - 1);
    const isDue = date === period.due && running.terms.scheduling === 'CUMULATIVE';
    if (isFor || isDue) changes.push({ date, delta: amount });
  }
  if (changes.length === 0) {
    return interestBetween(running, period, { from: period.from, to: until }, remaining, changes);
  }
  for (const { kind, period: day, principal } of running.parts) {
    if (kind === 'DOWN_PAYMENT' && day.due > period.from && changes.some(({ date }) => date === day.due)) {
      changes.push({ date: day.due, delta: -principal });
    }
  }
  changes.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  const opening = changes.reduce((sum, { delta }) => sum - delta, remaining);
  return interestBetween(running, period, { from: period.from, to: until }, opening, changes);
}

/** Up to the day as it was; after it as if all were paid when it is due, and what is overdue on that day. */
function layOutActual(running: Running, from: number, day: string, to: number): void {
  const { regular } = running;
  const placing = new Placing(running, from);
  const future: Change[] = running.moves.filter(({ date }) => date > day);
  let balance = balanceOn(running, day);
  for (const part of running.parts) {
    if (part.kind === 'REGULAR' && part.period.due > day) continue;
    const left = leftOf(part, 'principal');
    if (left > 0n && part.period.due > day) future.push({ date: part.period.due, delta: -left });
    else balance -= left;
  }
  future.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  let [start, cursor] = [running.accruedTo, day];
  const planned = {
    on: (date: string): bigint => balance + sumWithin(future, cursor, date),
    changes: future,
  };
  for (let index = from; index <= to; index += 1) {
    const part = regular[index] as Part;
    const { due } = part.period;
    placing.enter(index);
    const ahead = start > day ? start : day;
    const known = actualInterest(running, index, start, due < day ? due : day);
    placing.place(part, index, known + interestAcross(running, index, ahead, due, planned));
    if (due > day) {
      balance += sumWithin(future, cursor, due) - larger(0n, leftOf(part, 'principal'));
      cursor = due > cursor ? due : cursor;
    }
    start = due > start ? due : start;
  }
}

function sumWithin(changes: readonly Change[], after: string, until: string): bigint {
  let sum = 0n;
  for (const { date, delta } of changes) if (date > after && date <= until) sum += delta;
  return sum;
}

/** What a schedule still has to place while it is laid out, instalment by instalment. */
class Placing {
  remaining = 0n;
  private before: bigint;
  private ahead: bigint;
  /** Actual interest that was paid into instalments to come. */
  private taken: bigint;
  private carried: bigint;
  private readonly steps: bigint[];
  /** Principal of parts to come that are not regular, and of all disbursements: more than that is never placed. */
  private others: bigint;
  private readonly all: bigint;

  constructor(
    private readonly running: Running,
    from: number,
  ) {
    this.before = principalBefore(running, from);
    this.ahead = 0n;
    for (let index = from; index < running.regular.length; index += 1) {
      this.ahead += paidAhead(running.regular[index] as Part);
    }
    this.taken = running.isActual ? takenFrom(running, from) : 0n;
    this.carried = carriedInto(running, from);
    this.steps = otherPrincipal(running, from);
    this.others = this.steps.reduce((sum, step) => sum + step, 0n);
    this.all = running.tranches.reduce((sum, { amount }) => sum + amount, running.replanned);
  }

  enter(index: number): void {
    this.before += this.steps[index] ?? 0n;
    this.others -= this.steps[index] ?? 0n;
    const inAll = this.all - this.before - this.others;
    this.remaining = smaller(disbursedFor(this.running, index) - this.before, inAll);
    const part = this.running.regular[index] as Part;
    this.ahead -= paidAhead(part);
    if (this.running.isActual) this.taken -= takenInterest(part);
  }

  place(part: Part, index: number, raw: bigint): void {
    const isLast = index === this.running.regular.length - 1;
    part.raw = raw;
    this.carried += raw;
    part.interest = askedInterest(part, isLast, this.carried - this.taken);
    this.carried -= part.interest;
    part.principal = principalOf(this.running, index, part.interest, this.remaining, this.ahead);
    this.before += part.principal;
  }
}
