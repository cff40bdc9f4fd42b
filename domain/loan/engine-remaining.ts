import { type Part, type Running, paidAhead } from './engine-state.js';
import { larger, smaller } from './schedule-rounding.js';

/** Lays out principal and interest of instalments by the levels that engine-plan.ts gave them. */

/** Disbursements that the instalment at `index` and those before it repay. */
export function disbursedFor(running: Running, index: number): bigint {
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
export function principalBefore({ parts, regular }: Running, index: number): bigint {
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

/** Principal of parts that are not regular, by the index of the regular one that they come before; the last also has those after it. */
export function otherPrincipal({ parts, regular }: Running, from: number): bigint[] {
  const steps: bigint[] = [];
  let index = 0;
  for (const part of parts) {
    if (part.kind === 'REGULAR') index += 1;
    const at = Math.min(index, regular.length - 1);
    if (part.kind !== 'REGULAR' && at > from) steps[at] = (steps[at] ?? 0n) + part.principal;
  }
  return steps;
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

/** Interest that an instalment asks for of what was borne until it is due: never less than was paid of it or waived. */
export function askedInterest(part: Part, isLast: boolean, borne: bigint): bigint {
  return larger(takenInterest(part), part.hasInterestGrace && !isLast ? 0n : larger(0n, borne));
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
