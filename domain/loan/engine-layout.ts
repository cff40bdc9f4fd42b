import { type Change, actualInterest, interestAcross, interestBetween } from './engine-interest.js';
import { type Part, type Running, balanceOn, leftOf, paidAhead } from './engine-state.js';
import { flatInterest } from './schedule-flat.js';
import { larger, smaller } from './schedule-rounding.js';

/** Lays out principal and interest of instalments by the levels that engine-plan.ts gave them. */

/** Disbursements that the instalment at `index` and those before it repay. */
function disbursedFor(running: Running, index: number): bigint {
  const { regular, tranches, terms, replanned } = running;
  if (index >= regular.length - 1) return tranches.reduce((sum, { amount }) => sum + amount, replanned);
  const { due } = (regular[index] as Part).period;
  let sum = replanned;
  for (const { date, amount } of tranches) {
    if (date < due || (date === due && terms.scheduling === 'CUMULATIVE')) sum += amount;
  }
  return sum;
}

/** Principal of all parts, whatever their kind, before the regular one at `index`; the last one leaves none behind it. */
function principalBefore({ parts, regular }: Running, index: number): bigint {
  const stop = regular[index];
  const isLast = index >= regular.length - 1;
  let sum = 0n;
  for (const part of parts) {
    if (part === stop && !isLast) break;
    if (part !== stop) sum += part.principal;
  }
  return sum;
}

/** What is left for the regular part at `index` and those after it to repay. */
export function remainingAt(running: Running, index: number): bigint {
  return disbursedFor(running, index) - principalBefore(running, index);
}

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

/** Interest that an instalment asks for of what was borne until it is due: never less than was paid of it or waived. */
export function askedInterest(part: Part, isLast: boolean, borne: bigint): bigint {
  return larger(takenInterest(part), part.hasInterestGrace && !isLast ? 0n : larger(0n, borne));
}

/** Interest that was paid or waived of an instalment, without what was charged back. */
export function takenInterest({ paid, waived, again }: Part): bigint {
  return larger(0n, paid.interest + waived.interest - again.interest);
}

/** The same of all regular instalments from one on. */
export function takenFrom({ regular }: Running, from: number): bigint {
  let sum = 0n;
  for (let index = from; index < regular.length; index += 1) sum += takenInterest(regular[index] as Part);
  return sum;
}

/** Interest that instalments with grace before this one have deferred. */
export function carriedInto(running: Running, from: number): bigint {
  let sum = running.carried;
  for (let index = running.isActual ? running.open : 0; index < from; index += 1) {
    const { raw, interest } = running.regular[index] as Part;
    sum += raw - interest;
  }
  return sum;
}

/** Principal of parts that are not regular, by the index of the regular one that they come before; the last also has those after it. */
function otherPrincipal({ parts, regular }: Running, from: number): bigint[] {
  const steps: bigint[] = [];
  let index = 0;
  for (const part of parts) {
    if (part.kind === 'REGULAR') index += 1;
    const at = Math.min(index, regular.length - 1);
    if (part.kind !== 'REGULAR' && at > from) steps[at] = (steps[at] ?? 0n) + part.principal;
  }
  return steps;
}

/** Principal that the instalment at `index` asks for with this interest. */
export function principalOf(
  running: Running,
  index: number,
  interest: bigint,
  remaining: bigint,
  ahead: bigint,
): bigint {
  const { regular, terms } = running;
  const part = regular[index] as Part;
  const paid = paidAhead(part);
  const most = larger(paid, remaining - ahead);
  if (index === regular.length - 1) return most;
  return smaller(most, larger(paid, wanted()));

  function wanted(): bigint {
    if (part.hasPrincipalGrace) return 0n;
    switch (terms.schedule) {
      case 'EQUAL_PRINCIPAL':
        return part.level;
      case 'BULLET':
      case 'INTEREST_ONLY':
        return 0n;
      case 'BALLOON':
        if (index === regular.length - 2) return larger(0n, remaining - (terms.balloon ?? 0n));
        return larger(0n, smaller(part.level - interest, remaining - (terms.balloon ?? 0n)));
      case 'EQUAL_INSTALMENTS':
      case 'FLAT':
        return larger(0n, part.level - interest);
    }
  }
}
