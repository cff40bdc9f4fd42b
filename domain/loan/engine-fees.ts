import { daysBetween, addDays } from './calendar.js';
import { type Part, type Running, chargesOf, leftOf } from './engine-state.js';
import { larger, percentRatio, shareOf, smaller } from './schedule-rounding.js';
import type { LoanFee } from './terms.js';

/** Fees of the regular instalments that are not closed: of those that ask for anything. */
export function putFees(running: Running, from: number): void {
  const fees = running.terms.fees.filter(({ when }) => when === 'INSTALMENT');
  if (fees.length === 0) return;
  for (let index = from; index < running.regular.length; index += 1) {
    const part = running.regular[index] as Part;
    if (!part.isClosed) part.fees = feesFor(part, part.principal + part.interest, fees);
  }
}

/** Fees of an instalment that asks for this much principal and interest: never less than was paid of them or waived. */
export function feesFor(part: Part, base: bigint, fees: readonly LoanFee[]): bigint {
  const taken = part.paid.fees + part.waived.fees - part.again.fees - chargesOf(part, 'fees');
  const asked =
    base <= 0n ? 0n : fees.reduce((sum, fee) => (fee.when === 'INSTALMENT' ? sum + feeOn(fee, base) : sum), 0n);
  return larger(larger(0n, taken), asked);
}

function feeOn({ kind, amount = 0n, percent = '0' }: LoanFee, base: bigint): bigint {
  return kind === 'FIXED' ? amount : shareOf(base, percentRatio(percent));
}

/** Penalties up to and with a day of instalments that are late: the agreed days are over and something is left. */
export function putPenalties(running: Running, day: string): void {
  const { penalty } = running.terms;
  if (penalty === undefined) return;
  for (let index = running.unpaid; index < running.parts.length; index += 1) {
    const part = running.parts[index] as Part;
    if (part.period.due >= day) break;
    const since = addDays(part.period.due, penalty.graceDays);
    if (since < day) putPenaltyOn(running, part, since, day);
  }
}

function putPenaltyOn(running: Running, part: Part, since: string, day: string): void {
  const penalty = running.terms.penalty as NonNullable<Running['terms']['penalty']>;
  const base = larger(0n, leftOf(part, 'principal')) + larger(0n, leftOf(part, 'interest'));
  const rate = percentRatio(penalty.percent ?? '0');
  const most = (amount: bigint): bigint => (penalty.cap === undefined ? amount : smaller(amount, penalty.cap));
  if (penalty.when === 'FLAT') {
    if (part.penalty !== undefined || base === 0n) return;
    const amount = penalty.kind === 'FIXED' ? (penalty.amount ?? 0n) : shareOf(base, rate);
    part.penalty = { settled: most(amount), since: day, days: 0n };
    return;
  }
  part.penalty ??= { settled: 0n, since, days: 0n };
  const late = part.penalty;
  if (base === 0n) {
    settlePenaltyDays(part, day);
    return;
  }
  const days = BigInt(daysBetween(late.since, day));
  const amount = penalty.kind === 'FIXED' ? (penalty.amount ?? 0n) * days : shareOf(base * days, rate);
  late.days = most(late.settled + amount) - late.settled;
}

/** Before the arrears of a late instalment change: what its days came to until now stays. */
export function settlePenaltyDays({ penalty }: Part, day: string): void {
  if (penalty === undefined || day <= penalty.since) return;
  penalty.settled += penalty.days;
  penalty.days = 0n;
  penalty.since = day;
}
