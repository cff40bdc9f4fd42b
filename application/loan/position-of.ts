import { sumBuckets } from '../../domain/loan/booked.js';
import { computeLoan } from '../../domain/loan/compute.js';
import { type BothRates, aprOf } from '../../domain/loan/disclosure.js';
import type { LoanPosition } from '../../domain/loan/position.js';
import { upfrontFees } from '../../domain/loan/terms-of-product.js';
import type { ByBucket, LoanTerms } from '../../domain/loan/terms.js';
import type { LoanView } from '../ports/lending-read-models.js';

/** A loan and where it stands on a day. */
export interface LoanStanding {
  readonly loan: LoanView;
  /** Null: its money was not paid out. */
  readonly position: LoanPosition | null;
}

/** Computed, not looked up, so that no two views of a loan disagree. */
export function standingOf(loan: LoanView, day: string): LoanStanding {
  const { terms, operations } = loan;
  const position = terms === null || operations.length === 0 ? null : computeLoan(terms, operations, day);
  return { loan, position };
}

/** Any id will do: the operation is not kept. */
const IMAGINED = '00000000-0000-4000-8000-000000000000';

/** Where a loan of these terms would stand if it were paid out on a day: the schedule that an offer shows. */
export function imaginedPosition(terms: LoanTerms, day: string): LoanPosition {
  return computeLoan(terms, [{ id: IMAGINED, date: day, kind: 'DISBURSED', amount: terms.principal }], day);
}

/** What a loan of these terms costs if it is paid out on a day and every instalment is paid when it is due. */
export interface LoanCost {
  readonly position: LoanPosition;
  readonly instalment: bigint;
  readonly upfrontFees: bigint;
  /** Upfront ones and those of the instalments. */
  readonly totalFees: bigint;
  readonly totalInterest: bigint;
  /** Principal, interest and all fees. */
  readonly totalPayable: bigint;
  readonly rates: BothRates;
}

export function costOf(terms: LoanTerms, day: string): LoanCost {
  const position = imaginedPosition(terms, day);
  const upfront = upfrontFees(terms);
  const { interest, fees } = position.scheduled;
  const payments = position.instalments.map(({ dueDate, due }) => ({ date: dueDate, amount: -sumBuckets(due) }));
  const flows = [{ date: day, amount: terms.principal - upfront }, ...payments.filter(({ amount }) => amount !== 0n)];
  return {
    position,
    instalment: sumBuckets(firstRegular(position)),
    upfrontFees: upfront,
    totalFees: upfront + fees,
    totalInterest: interest,
    totalPayable: terms.principal + interest + fees + upfront,
    rates: aprOf(flows, terms.frequency.unit),
  };
}

const NONE: ByBucket = { principal: 0n, interest: 0n, fees: 0n, penalty: 0n };

/** The down payment is no instalment like the others. */
function firstRegular({ instalments }: LoanPosition): ByBucket {
  return instalments.find(({ number }) => number > 0)?.due ?? NONE;
}

/** The yearly rate that holds on a day: the last change that took effect, else the agreed one. */
export function rateOn({ operations }: LoanView, terms: LoanTerms, day: string): string {
  const undone = new Set(operations.flatMap((one) => (one.kind === 'UNDONE' ? [one.operation] : [])));
  const changes = operations.flatMap((one) => {
    const isChange = one.kind === 'RATE_CHANGED' || one.kind === 'RESCHEDULED';
    const rate = isChange ? one.annualRatePercent : undefined;
    return rate === undefined || undone.has(one.id) || one.date > day ? [] : [{ date: one.date, rate }];
  });
  const [latest] = changes.toReversed().sort((a, b) => (a.date < b.date ? 1 : a.date > b.date ? -1 : 0));
  return latest?.rate ?? terms.annualRatePercent;
}
