/**
 * Time value of money, in the names and signs of the spreadsheets' functions: money received is positive, money paid is
 * negative, and present value · (1+r)^n + payment · (1 + r·due) · ((1+r)^n − 1)/r + future value = 0. Exact decimals of
 * 60 digits, rounded half-even; whoever books an amount rounds it. Rates are per period (0.01 is 1 %).
 */
import type { Decimal } from 'decimal.js';
import { ExactDecimal } from '../shared/money.js';
import { MAX_TIMED_AMOUNTS, rateOfReturn } from './rate-of-return.js';
import type { RateOfReturn } from './rate-of-return.js';

/** Whether payments fall at the end of each period (spreadsheets: 0) or at its beginning (1). */
export type PaymentsFall = 'AT_END' | 'AT_START';

/** PMT: the level payment. Periods: more than zero. */
export function pmt(
  rate: Decimal.Value,
  periods: Decimal.Value,
  presentValue: Decimal.Value,
  futureValue: Decimal.Value = 0,
  fall: PaymentsFall = 'AT_END',
): Decimal {
  const growth = growthOver(rate, periods);
  return new ExactDecimal(presentValue)
    .mul(growth)
    .plus(futureValue)
    .div(sumOfPayments(rate, periods, fall))
    .neg();
}

/** FV: what remains after the last period. */
export function fv(
  rate: Decimal.Value,
  periods: Decimal.Value,
  payment: Decimal.Value,
  presentValue: Decimal.Value = 0,
  fall: PaymentsFall = 'AT_END',
): Decimal {
  const paid = new ExactDecimal(payment).mul(sumOfPayments(rate, periods, fall));
  return new ExactDecimal(presentValue).mul(growthOver(rate, periods)).plus(paid).neg();
}

/** PV: what the payments and the future value are worth now. */
export function pv(
  rate: Decimal.Value,
  periods: Decimal.Value,
  payment: Decimal.Value,
  futureValue: Decimal.Value = 0,
  fall: PaymentsFall = 'AT_END',
): Decimal {
  const paid = new ExactDecimal(payment).mul(sumOfPayments(rate, periods, fall));
  return paid.plus(futureValue).div(growthOver(rate, periods)).neg();
}

/** NPER: the number of periods, also broken; null where no number of payments gets there. */
export function nper(
  rate: Decimal.Value,
  payment: Decimal.Value,
  presentValue: Decimal.Value,
  futureValue: Decimal.Value = 0,
  fall: PaymentsFall = 'AT_END',
): Decimal | null {
  const r = new ExactDecimal(rate);
  if (r.isZero()) {
    const paid = new ExactDecimal(payment);
    return paid.isZero() ? null : new ExactDecimal(presentValue).plus(futureValue).div(paid).neg();
  }
  const perpetuity = new ExactDecimal(payment).mul(fall === 'AT_START' ? r.plus(1) : 1).div(r);
  const end = perpetuity.minus(futureValue);
  const start = perpetuity.plus(presentValue);
  if (start.isZero() || end.isZero() || end.s !== start.s || r.lte(-1)) return null;
  return end.div(start).ln().div(r.plus(1).ln());
}

/** RATE: the rate per period, for a whole number of periods. */
export function rate(
  periods: number,
  payment: Decimal.Value,
  presentValue: Decimal.Value,
  futureValue: Decimal.Value = 0,
  fall: PaymentsFall = 'AT_END',
): RateOfReturn {
  if (periods >= MAX_TIMED_AMOUNTS) return { defined: false, reason: 'too-many-amounts' };
  const shift = fall === 'AT_START' ? 0 : 1;
  const payments = Array.from({ length: periods }, (_, index) => ({
    amount: payment,
    time: { numerator: index + shift, denominator: 1 },
  }));
  return rateOfReturn([
    { amount: presentValue, time: { numerator: 0, denominator: 1 } },
    ...payments,
    { amount: futureValue, time: { numerator: periods, denominator: 1 } },
  ]);
}

/** IPMT: interest in the payment of a period (the first is 1). Paid at the start, the first payment has none. */
export function ipmt(
  rate: Decimal.Value,
  period: number,
  periods: Decimal.Value,
  presentValue: Decimal.Value,
  futureValue: Decimal.Value = 0,
  fall: PaymentsFall = 'AT_END',
): Decimal {
  if (period === 1 && fall === 'AT_START') return new ExactDecimal(0);
  const payment = pmt(rate, periods, presentValue, futureValue, fall);
  const balance = fv(rate, period - 1, payment, presentValue, fall);
  const interest = balance.mul(rate);
  return fall === 'AT_START' ? interest.div(new ExactDecimal(rate).plus(1)) : interest;
}

/** PPMT: principal in the payment of a period. */
export function ppmt(
  rate: Decimal.Value,
  period: number,
  periods: Decimal.Value,
  presentValue: Decimal.Value,
  futureValue: Decimal.Value = 0,
  fall: PaymentsFall = 'AT_END',
): Decimal {
  const payment = pmt(rate, periods, presentValue, futureValue, fall);
  return payment.minus(ipmt(rate, period, periods, presentValue, futureValue, fall));
}

/** CUMIPMT: interest in the payments from one period to another, both counted. */
export function cumipmt(
  rate: Decimal.Value,
  periods: number,
  presentValue: Decimal.Value,
  first: number,
  last: number,
  fall: PaymentsFall = 'AT_END',
): Decimal {
  const payment = pmt(rate, periods, presentValue, 0, fall);
  return payment.mul(last - first + 1).minus(cumprinc(rate, periods, presentValue, first, last, fall));
}

/** CUMPRINC: principal in the payments from one period to another, both counted. */
export function cumprinc(
  rate: Decimal.Value,
  periods: number,
  presentValue: Decimal.Value,
  first: number,
  last: number,
  fall: PaymentsFall = 'AT_END',
): Decimal {
  let sum = new ExactDecimal(0);
  for (let period = first; period <= last; period += 1) {
    sum = sum.plus(ppmt(rate, period, periods, presentValue, 0, fall));
  }
  return sum;
}

/** EFFECT: the yearly rate of a nominal one that is compounded so often a year. */
export function effect(nominal: Decimal.Value, timesAYear: number): Decimal {
  return new ExactDecimal(nominal).div(timesAYear).plus(1).pow(timesAYear).minus(1);
}

/** NOMINAL: the yearly rate that, compounded so often a year, gives the effective one. */
export function nominal(effective: Decimal.Value, timesAYear: number): Decimal {
  return new ExactDecimal(effective).plus(1).pow(new ExactDecimal(1).div(timesAYear)).minus(1).mul(timesAYear);
}

function growthOver(rate: Decimal.Value, periods: Decimal.Value): Decimal {
  return new ExactDecimal(rate).plus(1).pow(periods);
}

/** What payments of 1 come to at the end. */
function sumOfPayments(rate: Decimal.Value, periods: Decimal.Value, fall: PaymentsFall): Decimal {
  const r = new ExactDecimal(rate);
  if (r.isZero()) return new ExactDecimal(periods);
  const sum = growthOver(r, periods).minus(1).div(r);
  return fall === 'AT_START' ? sum.mul(r.plus(1)) : sum;
}
