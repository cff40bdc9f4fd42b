import type { LoanOperation } from './operations.js';
import type { Period } from './schedule-periods.js';
import { type Ratio, larger, percentRatio } from './schedule-rounding.js';
import { BUCKETS, type Bucket, type ByBucket, type Frequency, type LoanTerms, type PrepaymentRule } from './terms.js';

/** A loan while its operations are applied one after the other: the only place of the computation that changes. */
export type Amounts = { [B in Bucket]: bigint };

export interface Charge {
  readonly bucket: 'fees' | 'penalty';
  readonly amount: bigint;
  readonly due: string;
}

/** Penalty of an instalment that is late: what its days came to so far, and since when they bear at its present arrears. */
export interface LatePenalty {
  settled: bigint;
  since: string;
  days: bigint;
}

/** An instalment as it is computed. */
export interface Part {
  readonly kind: 'REGULAR' | 'DOWN_PAYMENT' | 'ADDITIONAL';
  period: Period;
  readonly hasPrincipalGrace: boolean;
  readonly hasInterestGrace: boolean;
  /** Principal and interest together; of EQUAL_PRINCIPAL the principal. */
  level: bigint;
  /** Principal as scheduled, without what was charged back. */
  principal: bigint;
  /** Interest that its time bears, and interest that it asks for: they differ where a grace defers it. */
  raw: bigint;
  interest: bigint;
  /** Fees of instalments; those of a day are charges. */
  fees: bigint;
  readonly charges: Charge[];
  penalty: LatePenalty | undefined;
  /** Owed again after a charge-back. */
  readonly again: Amounts;
  readonly paid: Amounts;
  readonly waived: Amounts;
  inAdvance: bigint;
  late: bigint;
  paidDate: string | null;
  /** Its interest and principal follow nothing any more. */
  isClosed: boolean;
}

export interface Transaction {
  readonly operation: string;
  readonly date: string;
  readonly kind: LoanOperation['kind'] | 'OVERPAYMENT_USED';
  readonly amount: bigint;
  readonly portions: Amounts;
  overpaid: bigint;
}

/** Principal that is really outstanding from a day on. */
interface Move {
  readonly date: string;
  delta: bigint;
}

export interface Running {
  readonly terms: LoanTerms;
  /** Interest follows what is really outstanding, not what was scheduled to be. */
  readonly isActual: boolean;
  frequency: Frequency;
  rule: PrepaymentRule;
  readonly rates: { readonly from: string; readonly rate: Ratio }[];
  /** In order of their days. */
  parts: Part[];
  /** Those of `parts` that are regular. */
  regular: Part[];
  /** Index in `regular` of the first that is not closed. */
  open: number;
  /** Index in `parts` before which nothing is left to pay. */
  unpaid: number;
  readonly tranches: { readonly date: string; readonly amount: bigint }[];
  readonly moves: Move[];
  /** Principal that was charged back and then put into the schedule, last on a day. */
  replanned: bigint;
  replannedOn: string;
  /** Actual interest: up to here it stands in closed instalments. */
  accruedTo: string;
  /** Actual interest: the day that what is open was laid out for, if nothing happened since. */
  laidOutFor: string;
  /** Interest of closed instalments with grace that none asked for yet. */
  carried: bigint;
  overpaid: bigint;
  recovered: bigint;
  readonly restored: Amounts;
  lost: { readonly date: string; readonly amounts: Amounts } | undefined;
  readonly transactions: Transaction[];
}

export function newRunning(terms: LoanTerms): Running {
  return {
    terms,
    isActual: terms.recalculates && terms.schedule !== 'FLAT',
    frequency: terms.frequency,
    rule: terms.prepayment,
    rates: [{ from: '', rate: percentRatio(terms.annualRatePercent) }],
    ...{ parts: [], regular: [], open: 0, unpaid: 0, tranches: [], moves: [] },
    ...{ replanned: 0n, replannedOn: '', accruedTo: '', laidOutFor: '', carried: 0n, overpaid: 0n, recovered: 0n },
    restored: noAmounts(),
    lost: undefined,
    transactions: [],
  };
}

export function noAmounts(): Amounts {
  return { principal: 0n, interest: 0n, fees: 0n, penalty: 0n };
}

export function newPart(kind: Part['kind'], period: Period, grace?: { principal: boolean; interest: boolean }): Part {
  // One literal: a spread of several costs ten times as much, and there is one of these for each instalment.
  return {
    kind,
    period,
    hasPrincipalGrace: grace?.principal ?? false,
    hasInterestGrace: grace?.interest ?? false,
    level: 0n,
    principal: 0n,
    raw: 0n,
    interest: 0n,
    fees: 0n,
    charges: [],
    penalty: undefined,
    again: noAmounts(),
    paid: noAmounts(),
    waived: noAmounts(),
    inAdvance: 0n,
    late: 0n,
    paidDate: null,
    isClosed: false,
  };
}

/** A day's part outside the regular ones. */
export function dayPeriod(day: string, from = day): Period {
  return { from, due: day, isFree: true, unit: undefined };
}

export function dueOf(part: Part, bucket: Bucket): bigint {
  const again = part.again[bucket];
  switch (bucket) {
    case 'principal':
      return part.principal + again;
    case 'interest':
      return part.interest + again;
    case 'fees':
      return part.fees + again + chargesOf(part, 'fees');
    case 'penalty':
      return again + chargesOf(part, 'penalty') + (part.penalty?.settled ?? 0n) + (part.penalty?.days ?? 0n);
  }
}

/** Charges of a bucket; with a day only those that are due by then. */
export function chargesOf({ charges }: Part, bucket: Bucket, by?: string): bigint {
  let sum = 0n;
  for (const charge of charges) {
    if (charge.bucket === bucket && (by === undefined || charge.due <= by)) sum += charge.amount;
  }
  return sum;
}

export function leftOf(part: Part, bucket: Bucket): bigint {
  return dueOf(part, bucket) - part.paid[bucket] - part.waived[bucket];
}

export function isSettled(part: Part): boolean {
  return BUCKETS.every((bucket) => leftOf(part, bucket) <= 0n);
}

/** Of the scheduled principal what is paid already: no later schedule may ask for less. */
export function paidAhead(part: Part): bigint {
  return larger(0n, part.paid.principal - part.again.principal);
}

export function addAmounts(into: Amounts, amounts: ByBucket, factor = 1n): void {
  for (const bucket of BUCKETS) into[bucket] += amounts[bucket] * factor;
}

export function sumAmounts(amounts: ByBucket): bigint {
  return amounts.principal + amounts.interest + amounts.fees + amounts.penalty;
}

/** Principal really outstanding changes on a day. */
export function move(running: Running, date: string, delta: bigint): void {
  running.laidOutFor = '';
  const { moves } = running;
  let at = moves.length;
  while (at > 0 && (moves[at - 1] as Move).date > date) at -= 1;
  const before = moves[at - 1];
  if (before?.date === date) before.delta += delta;
  else moves.splice(at, 0, { date, delta });
}

export function balanceOn({ moves }: Running, date: string): bigint {
  let sum = 0n;
  for (const { date: day, delta } of moves) {
    if (day > date) break;
    sum += delta;
  }
  return sum;
}

/** Principal that is left after all disbursements that are known, those of later days too. */
export function outstandingAtEnd({ moves }: Running): bigint {
  return moves.reduce((sum, { delta }) => sum + delta, 0n);
}

/** Something may be owed before the first unpaid instalment again. */
export function reopen(running: Running, part: Part): void {
  part.paidDate = null;
  running.unpaid = Math.min(running.unpaid, running.parts.indexOf(part));
}

/** Puts a part behind all that are due before or with it; `isFirst`: before those that are due with it. */
export function insertPart(running: Running, part: Part, isFirst = false): void {
  const { due } = part.period;
  const { parts } = running;
  const at = parts.findIndex(({ period }) => (isFirst ? period.due >= due : period.due > due));
  const index = at < 0 ? parts.length : at;
  parts.splice(index, 0, part);
  if (index < running.unpaid) running.unpaid = index;
}
