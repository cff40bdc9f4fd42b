/**
 * The European Commission's amortisation tables print their first rows and totals; how the loan is repaid shows in the
 * rows. This reads that off and computes the whole table from amount, rates and duration, interest not rounded.
 */
import { Decimal } from 'decimal.js';
import { fv, nominal, nper, pmt, rate as rateOf } from '../../domain/loan/time-value.js';
import { ExactDecimal } from '../../domain/shared/money.js';

export interface PrintedRow {
  readonly period: number;
  readonly opening: string;
  readonly closing: string;
  readonly rate: string;
  readonly interest: string;
}
export interface PrintedTable {
  readonly main: {
    readonly final_balance: string;
    readonly duration: string;
    readonly total_amount: string;
    readonly total_cost: string;
    readonly total_payable: string;
    readonly first_repayment?: string;
    readonly apr: string;
  };
  readonly periods: readonly PrintedRow[];
  readonly total_row_raw: readonly string[];
}
/** Later payments of the same loan, from its APRC example: how many of which amount, in order. */
export type PaymentRuns = readonly { readonly count: number; readonly amount: Decimal }[];
export interface ComputedRow {
  readonly opening: Decimal;
  readonly interest: Decimal;
  readonly payment: Decimal;
  readonly closing: Decimal;
}
export type Repayment = 'LEVEL' | 'GROWING' | 'EQUAL_PRINCIPAL' | 'INTEREST_ONLY' | 'AT_THE_END' | 'OTHER';

const CENT = new ExactDecimal('0.0101');
const ZERO = new ExactDecimal(0);

export function repaymentOf({ periods, main }: PrintedTable): Repayment {
  const count = durationOf(main.duration);
  const rows = periods.filter(({ period }) => period < count);
  const same = (values: Decimal[]): boolean =>
    values.every((value) =>
      value
        .minus(values[0] ?? 0)
        .abs()
        .lte('0.0201'),
    );
  if (rows.every(({ opening, closing }) => opening === closing)) return 'INTEREST_ONLY';
  if (rows.every((row) => paymentOf(row).abs().lte(CENT))) return 'AT_THE_END';
  if (same(rows.map(({ opening, closing }) => new ExactDecimal(opening).minus(closing)))) return 'EQUAL_PRINCIPAL';
  const levels = new Map<string, Decimal[]>();
  for (const row of rows) {
    const key = `${row.rate} ${Math.ceil(row.period / 12)}`;
    levels.set(key, [...(levels.get(key) ?? []), paymentOf(row)]);
  }
  if (![...levels.values()].every(same)) return 'OTHER';
  return growthOf(rows).eq(1) || new Set(rows.map(({ rate }) => rate)).size > 1 ? 'LEVEL' : 'GROWING';
}

/** All rows of the table; null where its way of repayment is none of these. */
export function computedTable(table: PrintedTable, runs: PaymentRuns): ComputedRow[] | null {
  const { main, periods } = table;
  const amount = new ExactDecimal(periods.find(({ period }) => period === 1)?.opening ?? main.total_amount);
  const count = durationOf(main.duration);
  const rateAt = ratesOf(table);
  const firstPart = firstPartOf(table, rateAt(1));
  const repayment = repaymentOf(table);
  switch (repayment) {
    case 'OTHER':
      return null;
    case 'INTEREST_ONLY':
    case 'AT_THE_END':
    case 'EQUAL_PRINCIPAL': {
      const share = repayment === 'EQUAL_PRINCIPAL' ? shareOf(periods[0], amount.div(count)) : ZERO;
      const pays = (period: number, opening: Decimal, interest: Decimal): Decimal =>
        period === count ? opening.plus(interest) : repayment === 'AT_THE_END' ? ZERO : interest.plus(share);
      return rowsOf(amount, count, rateAt, firstPart, pays);
    }
    case 'GROWING': {
      const first = growingPayment(amount, count, rateAt(1), growthOf(periods));
      return rowsOf(amount, count, rateAt, firstPart, (period) =>
        first.mul(growthOf(periods).pow(Math.floor((period - 1) / 12))),
      );
    }
    case 'LEVEL':
      return levelRows(table, amount, rateAt, firstPart, runs);
  }
}

/** Principal of each period: an equal part of all, or a fixed amount that the first row shows. */
function shareOf(first: PrintedRow | undefined, equal: Decimal): Decimal {
  const shown = new ExactDecimal(first?.opening ?? 0).minus(first?.closing ?? 0);
  return shown.minus(equal).abs().lte(CENT) ? equal : shown;
}

/**
 * The payment is found anew where the rate changes; beyond the printed rows the runs tell, whose payments imply the rate.
 * What level payments over a longer time leave is paid with the last one.
 */
function levelRows(
  { main, periods }: PrintedTable,
  amount: Decimal,
  rateAt: (period: number) => Decimal,
  firstPart: Decimal,
  runs: PaymentRuns,
): ComputedRow[] {
  const count = durationOf(main.duration);
  const lastPrinted = periods.at(-1)?.period ?? 0;
  const starts = new Map<number, Decimal>();
  runs.reduce((start, run) => {
    if (start > lastPrinted) starts.set(start, run.amount);
    return start + run.count;
  }, 1);
  let rate = rateAt(1);
  // Interest of an odd first period moves the loan that would have regular ones to another beginning.
  const asRegular = amount.mul(rate.mul(firstPart).plus(1)).div(rate.plus(1));
  const planned = plannedCount(rate, asRegular, count, main.first_repayment);
  let payment = pmt(rate, planned, asRegular.neg());
  let balance = amount;
  return Array.from({ length: count }, (_, index) => {
    const period = index + 1;
    const opening = balance;
    const run = starts.get(period);
    if (period > 1 && (run !== undefined || !rateAt(period).eq(rateAt(period - 1)))) {
      rate = run === undefined ? rateAt(period) : impliedRate(opening, planned - index, run);
      payment = pmt(rate, planned - index, opening.neg());
    }
    const interest = opening.mul(rate).mul(period === 1 ? firstPart : 1);
    const isEarlyEnd = period === count && planned > count;
    const paid = isEarlyEnd ? opening.plus(interest) : payment;
    balance = opening.plus(interest).minus(paid);
    return { opening, interest, payment: paid, closing: balance };
  });
}

/** Over how many periods the payment would repay: the duration, or what the printed payment comes to. */
function plannedCount(rate: Decimal, amount: Decimal, count: number, printed: string | undefined): number {
  const paysIn = (periods: number): boolean =>
    pmt(rate, periods, amount.neg())
      .minus(printed ?? 0)
      .abs()
      .lte(CENT);
  if (printed === undefined || paysIn(count)) return count;
  const periods = nper(rate, printed, amount.neg())?.toDecimalPlaces(0).toNumber() ?? count;
  return periods > count && paysIn(periods) ? periods : count;
}

/** The yearly rate, to hundredths of a percent as it is printed, that repays the balance by these payments. */
function impliedRate(balance: Decimal, periods: number, payment: Decimal): Decimal {
  const found = rateOf(periods, payment.neg(), balance);
  if (!found.defined) throw new Error(found.reason);
  return found.rate.mul(12).toDecimalPlaces(4, Decimal.ROUND_HALF_EVEN).div(12);
}

function rowsOf(
  amount: Decimal,
  count: number,
  rateAt: (period: number) => Decimal,
  firstPart: Decimal,
  pays: (period: number, opening: Decimal, interest: Decimal) => Decimal,
): ComputedRow[] {
  let balance = amount;
  return Array.from({ length: count }, (_, index) => {
    const opening = balance;
    const interest = opening.mul(rateAt(index + 1)).mul(index === 0 ? firstPart : 1);
    const payment = pays(index + 1, opening, interest);
    balance = opening.plus(interest).minus(payment);
    return { opening, interest, payment, closing: balance };
  });
}

/** First payment of twelve equal ones a year that grow each year: what is left is linear in it. */
function growingPayment(amount: Decimal, count: number, rate: Decimal, growth: Decimal): Decimal {
  let [ofAmount, ofOne, factor] = [amount, ZERO, new ExactDecimal(1)];
  for (let left = count; left > 0; left -= 12) {
    const months = Math.min(12, left);
    ofAmount = fv(rate, months, 0, ofAmount.neg());
    ofOne = fv(rate, months, factor.neg(), ofOne.neg());
    factor = factor.mul(growth);
  }
  return ofAmount.div(ofOne);
}

/** How payments grow from the first year to the second, to hundredths of a percent. */
function growthOf(rows: readonly PrintedRow[]): Decimal {
  const ofPeriod = (period: number): Decimal | null => {
    const row = rows.find((one) => one.period === period);
    return row === undefined ? null : paymentOf(row);
  };
  const [before, after] = [ofPeriod(12), ofPeriod(13)];
  return before === null || after === null
    ? new ExactDecimal(1)
    : after.div(before).toDecimalPlaces(4, Decimal.ROUND_HALF_EVEN);
}

function paymentOf({ opening, interest, closing }: PrintedRow): Decimal {
  return new ExactDecimal(opening).plus(interest).minus(closing);
}

/** Per period: its part of the printed rate, or where the interest shows it an effective rate's. */
function ratesOf(table: PrintedTable): (period: number) => Decimal {
  const known = table.periods.map((row) => ({ period: row.period, rate: periodicRate(row, table) }));
  return (period) => known.findLast((one) => one.period <= period)?.rate ?? ZERO;
}

export function periodicRate({ rate }: PrintedRow, { periods, main }: PrintedTable): Decimal {
  const yearly = new ExactDecimal(rate.replace('%', '')).div(100);
  const perYear = periodsPerYear(main.duration);
  const part = yearly.div(perYear);
  const sample = periods.find((row) => row.period > 1 && row.rate === rate);
  if (sample === undefined || fits(sample, part)) return part;
  const effective = nominal(yearly, perYear).div(perYear);
  return fits(sample, effective) ? effective : part;
}

function fits({ opening, interest }: PrintedRow, rate: Decimal): boolean {
  return new ExactDecimal(opening).mul(rate).minus(interest).abs().lte(CENT);
}

/** Length of the first period in regular ones: whole ones and days over 365 or 366, whichever its interest shows. */
function firstPartOf({ periods: [first], main }: PrintedTable, rate: Decimal): Decimal {
  if (first === undefined) throw new Error('no rows');
  if (rate.isZero()) return new ExactDecimal(1);
  const perYear = periodsPerYear(main.duration);
  const shown = new ExactDecimal(first.interest).div(rate.mul(first.opening));
  const candidates = [0, 1, 2].flatMap((whole) =>
    Array.from({ length: Math.ceil(366 / perYear) }, (_, days) =>
      [365, 366].map((year) => new ExactDecimal(days).mul(perYear).div(year).plus(whole)),
    ).flat(),
  );
  return candidates.reduce((best, one) => (one.minus(shown).abs().lt(best.minus(shown).abs()) ? one : best));
}

/** `240 MONTHS`, `20 YEARS`. */
export function periodsPerYear(duration: string): number {
  return /YEAR/i.test(duration) ? 1 : 12;
}

export function durationOf(text: string): number {
  return Number.parseInt(text, 10);
}
