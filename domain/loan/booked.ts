import type { BookedJson } from './events.js';
import { standing } from './operations-json.js';
import type { LoanOperation } from './operations.js';
import type { LoanPosition } from './position.js';
import { BUCKETS, type Bucket, type ByBucket, type LoanTerms } from './terms.js';
import { upfrontFees } from './terms-of-product.js';

export const EARNING = ['interest', 'fees', 'penalty'] as const;
export type Earning = (typeof EARNING)[number];
type ByEarning = { readonly [E in Earning]: bigint };

/**
 * Cumulated totals of a loan, as they follow from its terms and everything that happened to it. The book holds the totals
 * of the last commit; a command computes the new ones and books the difference, whatever the reason of it was.
 */
export interface Booked {
  readonly disbursed: bigint;
  /** Principal that is owed again because a repayment was taken back by the payer's bank. */
  readonly chargedBack: bigint;
  readonly earned: ByEarning;
  readonly paid: ByBucket;
  readonly waived: ByEarning;
  readonly writtenOff: ByBucket;
  readonly overpaid: bigint;
  readonly recovered: bigint;
  readonly upfrontFees: bigint;
}

/** Where the borrower's money came from: by operations, whatever it was allocated to. */
export interface Collected {
  readonly cash: bigint;
  readonly wallet: bigint;
  /** Nobody paid: the tenant credits the borrower at his own expense. */
  readonly own: bigint;
}

export const NOTHING_BOOKED: Booked = {
  disbursed: 0n,
  chargedBack: 0n,
  earned: { interest: 0n, fees: 0n, penalty: 0n },
  paid: { principal: 0n, interest: 0n, fees: 0n, penalty: 0n },
  waived: { interest: 0n, fees: 0n, penalty: 0n },
  writtenOff: { principal: 0n, interest: 0n, fees: 0n, penalty: 0n },
  overpaid: 0n,
  recovered: 0n,
  upfrontFees: 0n,
};

/** Credits of these types are the tenant's own money (goodwill), the others come from a third party (a merchant's refund). */
const OWN_CREDITS: ReadonlySet<string> = new Set(['GOODWILL', 'GOODWILL_CREDIT', 'INTEREST_PAYMENT_WAIVER']);

/**
 * The totals of a position. Earned is what is owed or was owed and settled; principal that is owed or settled beyond what
 * was disbursed was charged back.
 */
export function totalsOf(terms: LoanTerms, operations: readonly LoanOperation[], position: LoanPosition): Booked {
  const { outstanding, paid, waived, writtenOff, overpaid, recovered } = position;
  const disbursed = disbursedBy(operations);
  const chargedBack = outstanding.principal + paid.principal + writtenOff.principal - disbursed;
  const earned = (e: Earning): bigint => outstanding[e] + paid[e] + waived[e] + writtenOff[e];
  const totals = {
    disbursed,
    chargedBack,
    earned: { interest: earned('interest'), fees: earned('fees'), penalty: earned('penalty') },
    paid,
    waived: { interest: waived.interest, fees: waived.fees, penalty: waived.penalty },
    writtenOff,
    overpaid,
    recovered,
    upfrontFees: disbursed > 0n ? upfrontFees(terms) : 0n,
  };
  assertConserved(totals, collectedBy(operations), position);
  return totals;
}

function disbursedBy(operations: readonly LoanOperation[]): bigint {
  return standing(operations).reduce((sum, one) => (one.kind === 'DISBURSED' ? sum + one.amount : sum), 0n);
}

/** What came in went somewhere: a computation that loses or makes money is a defect, and nothing may be booked on it. */
function assertConserved(totals: Booked, { cash, wallet, own }: Collected, position: LoanPosition): void {
  const settled = sumBuckets(totals.paid) + totals.overpaid + totals.recovered - totals.chargedBack;
  const amounts = [totals.chargedBack, totals.overpaid, ...BUCKETS.map((bucket) => position.outstanding[bucket])];
  if (settled === cash + wallet + own && position.waived.principal === 0n && amounts.every((one) => one >= 0n)) return;
  throw new Error(`a loan took in ${cash + wallet + own}, and ${settled} of it is found again: ${amounts.join(', ')}`);
}

export function collectedBy(operations: readonly LoanOperation[]): Collected {
  let [cash, wallet, own] = [0n, 0n, 0n];
  for (const operation of standing(operations)) {
    if (operation.kind === 'REPAID' && operation.method === 'WALLET') wallet += operation.amount;
    else if (operation.kind === 'REPAID' || operation.kind === 'RECOVERED') cash += operation.amount;
    else if (operation.kind === 'CHARGED_BACK') cash -= operation.amount;
    else if (operation.kind === 'CREDITED' && OWN_CREDITS.has(operation.type)) own += operation.amount;
    else if (operation.kind === 'CREDITED') cash += operation.amount;
  }
  return { cash, wallet, own };
}

/** What the loan's receivable of each bucket must be. */
export function receivables(totals: Booked): ByBucket {
  const { disbursed, chargedBack, earned, paid, waived, writtenOff } = totals;
  const owed = (e: Earning): bigint => earned[e] - paid[e] - waived[e] - writtenOff[e];
  return {
    principal: disbursed + chargedBack - paid.principal - writtenOff.principal,
    interest: owed('interest'),
    fees: owed('fees'),
    penalty: owed('penalty'),
  };
}

export function sumBuckets(amounts: ByBucket): bigint {
  return BUCKETS.reduce((sum, bucket) => sum + amounts[bucket], 0n);
}

export function bookedToJson(totals: Booked): BookedJson {
  return {
    disbursed: totals.disbursed.toString(),
    chargedBack: totals.chargedBack.toString(),
    earned: textOf(EARNING, totals.earned),
    paid: textOf(BUCKETS, totals.paid),
    waived: textOf(EARNING, totals.waived),
    writtenOff: textOf(BUCKETS, totals.writtenOff),
    overpaid: totals.overpaid.toString(),
    recovered: totals.recovered.toString(),
    upfrontFees: totals.upfrontFees.toString(),
  };
}

export function bookedFromJson(json: BookedJson): Booked {
  return {
    disbursed: BigInt(json.disbursed),
    chargedBack: BigInt(json.chargedBack),
    earned: amountsOf(EARNING, json.earned),
    paid: amountsOf(BUCKETS, json.paid),
    waived: amountsOf(EARNING, json.waived),
    writtenOff: amountsOf(BUCKETS, json.writtenOff),
    overpaid: BigInt(json.overpaid),
    recovered: BigInt(json.recovered),
    upfrontFees: BigInt(json.upfrontFees),
  };
}

function textOf<B extends Bucket>(buckets: readonly B[], amounts: { readonly [K in B]: bigint }): Record<B, string> {
  return Object.fromEntries(buckets.map((bucket) => [bucket, amounts[bucket].toString()])) as Record<B, string>;
}

function amountsOf<B extends Bucket>(buckets: readonly B[], text: { readonly [K in B]: string }): Record<B, bigint> {
  return Object.fromEntries(buckets.map((bucket) => [bucket, BigInt(text[bucket])])) as Record<B, bigint>;
}
