/** What a loan costs and when: rates, day counts, time value, disclosure; against tests/reference/lending.json, which nobody here made up. */
import type { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { test } from 'tap';
import { actuarialApr, actuarialAprOf } from '../../domain/loan/apr.js';
import type { AnnualRate } from '../../domain/loan/apr.js';
import { addDays, addPeriods, compareDates, daysBetween, isLeapYear } from '../../domain/loan/calendar.js';
import { yearFraction, yearRatio } from '../../domain/loan/day-count.js';
import type { YearRatio } from '../../domain/loan/day-count.js';
import { MAX_DISCLOSED_INSTALMENTS, aprOf, discloseLoan } from '../../domain/loan/disclosure.js';
import type { LoanToDisclose } from '../../domain/loan/disclosure.js';
import {
  annualRateOfCharge,
  annualRateOfChargeOf,
  euInterval,
  publishedRate,
  yearsOfDays,
} from '../../domain/loan/eu-aprc.js';
import type { EuPeriod } from '../../domain/loan/eu-aprc.js';
import { nubanCheckDigit, nubanError } from '../../domain/loan/nuban.js';
import { MAX_TIMED_AMOUNTS, rateOfReturn } from '../../domain/loan/rate-of-return.js';
import type { TimedAmount } from '../../domain/loan/rate-of-return.js';
import { DAY_COUNTS } from '../../domain/loan/terms.js';
import type { FrequencyUnit } from '../../domain/loan/terms.js';
import * as timeValue from '../../domain/loan/time-value.js';
import type { UnitPeriod } from '../../domain/loan/unit-period.js';
import { ExactDecimal } from '../../domain/shared/money.js';
import { computedTable, durationOf, periodicRate, periodsPerYear, repaymentOf } from '../support/amortisation-table.js';
import type { PrintedTable } from '../support/amortisation-table.js';
import { addRatios, evaluate, lendingCases, ratioOf, referenceCases } from '../support/lending-cases.js';
import type { Formulas } from '../support/lending-cases.js';

const NOW: YearRatio = { numerator: 0, denominator: 1 };
const exact = (value: Decimal.Value): Decimal => new ExactDecimal(value);
const off = (a: Decimal.Value, b: Decimal.Value): Decimal => exact(a).minus(b).abs();
const negated = (amount: string): string => exact(amount).neg().toString();
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

function percentOf(rate: AnnualRate): Decimal {
  if (!rate.defined) throw new Error(rate.reason);
  return rate.percent;
}

interface AppendixJ {
  readonly advance: string;
  readonly dates: { readonly advance: string; readonly first_payment?: string; readonly payment?: string };
  readonly payment?: string;
  readonly count?: number;
  readonly first_t?: number;
  readonly unit_period: string;
  readonly unit_periods_per_year: number | string;
  readonly odd_fraction_f?: string;
  readonly payments_in_unit_periods?: readonly { first_t: number; count: number; amount: string }[];
}

/** Payments as the case gives them: whole unit-periods, all with the same odd fraction. */
function paymentsOf(inputs: AppendixJ): { t: number; amount: string }[] {
  const { payment = '0', count = 1, first_t = 1 } = inputs;
  const runs = inputs.payments_in_unit_periods ?? [{ first_t, count, amount: payment }];
  return runs.flatMap((run) => times(run.count, (k) => ({ t: run.first_t + k, amount: run.amount })));
}

const UNITS: { readonly [name: string]: FrequencyUnit } = {
  day: 'DAYS',
  week: 'WEEKS',
  month: 'MONTHS',
  year: 'YEARS',
};

/** The date so many unit-periods after the first payment; half months alternate, 15 days apart. */
function dateAfter(first: string, steps: number, unitPeriod: string): string {
  if (unitPeriod === 'half month') {
    const base = addPeriods(first, Math.floor(steps / 2), 'MONTHS');
    return steps % 2 === 0 ? base : addDays(base, 15);
  }
  const [count = '', name = ''] = unitPeriod.split(' ');
  const unit = UNITS[name.replace(/s$/, '')];
  if (unit === undefined) throw new Error(`unit-period ${unitPeriod}`);
  return addPeriods(first, steps * Number.parseInt(count, 10), unit);
}

test('US Appendix J: by unit-periods, and by dates alone', (t) => {
  const cases = ['us_apr_appendix_j', 'us_apr_appendix_j_extra'].flatMap((kind) =>
    lendingCases<AppendixJ, { apr_percent_2dp: string }>(kind),
  );
  t.ok(cases.length >= 8);
  for (const { id, inputs, expected } of cases) {
    const payments = paymentsOf(inputs);
    const odd = ratioOf(inputs.odd_fraction_f ?? '0');
    const timed = payments.map(({ t: whole, amount }): TimedAmount => ({
      amount: negated(amount),
      time: { numerator: whole, denominator: 1 },
      odd,
    }));
    const perYear = ratioOf(String(inputs.unit_periods_per_year));
    const apr = percentOf(actuarialApr([{ amount: inputs.advance, time: NOW }, ...timed], perYear));
    t.equal(publishedRate(apr, 2), expected.apr_percent_2dp, id);

    const first = inputs.dates.first_payment ?? inputs.dates.payment ?? '';
    const [start = 0] = payments.map((payment) => payment.t);
    const dated = payments.map((payment) => ({
      date: dateAfter(first, payment.t - start, inputs.unit_period),
      amount: negated(payment.amount),
    }));
    const found = actuarialAprOf([{ date: inputs.dates.advance, amount: inputs.advance }, ...dated]);
    t.ok(off(percentOf(found), apr).lt('1e-18'), `${id}: its dates give the same`);
  }
  t.end();
});

test('US Appendix J: the other examples of (c), and around them', (t) => {
  const every = (first: string, count: number, unit: FrequencyUnit, n: number, amount: number): [string, number][] =>
    times(n, (k) => [addPeriods(first, k * count, unit), amount]);
  const of = (advance: number, date: string, payments: [string, number][]): string => {
    const apr = actuarialAprOf([
      { date, amount: advance },
      ...payments.map(([on, amount]) => ({ date: on, amount: -amount })),
    ]);
    if (!apr.defined) return apr.reason;
    return `${publishedRate(apr.percent, 2)} ${apr.unitPeriod.count} ${apr.unitPeriod.unit}`;
  };
  t.equal(of(5000, '1978-01-10', every('1978-02-10', 1, 'MONTHS', 24, 230)), '9.69 1 MONTH', '(c)(1)(i)');
  const fourWeeks: [string, number][] = [['1978-04-20', 39.5], ...every('1978-05-18', 4, 'WEEKS', 11, 38.31)];
  t.equal(of(400, '1978-03-18', fourWeeks), '28.50 4 WEEK', '(c)(2)(ii)');
  const oddLast: [string, number][] = [...every('1978-02-10', 1, 'MONTHS', 23, 230), ['1980-01-10', 280]];
  t.equal(of(5000, '1978-01-10', oddLast), '10.50 1 MONTH', '(c)(3)(i)');
  const oddBoth: [string, number][] = [['1978-02-10', 250], ...oddLast.slice(1)];
  t.equal(of(5000, '1978-01-10', oddBoth), '10.90 1 MONTH', '(c)(4)(i)');
  const twoMonths: [string, number][] = [['1978-03-01', 449.36], ...every('1978-05-01', 2, 'MONTHS', 18, 465)];
  t.equal(of(8000, '1978-01-10', [...twoMonths, ['1981-05-01', 200]]), '7.30 2 MONTH', '(c)(4)(ii)');
  t.equal(of(10000, '1978-07-23', every('1978-10-01', 3, 'MONTHS', 40, 385)), '9.32 3 MONTH', 'short first quarter');
  t.equal(of(1000, '2023-10-26', every('2023-11-30', 1, 'DAYS', 5, 220)), '94.15 1 DAY', 'daily');
  t.equal(of(1000, '2023-10-26', every('2023-11-30', 1, 'YEARS', 5, 500)), '78.34 1 YEAR', 'yearly, odd days of 365');
  t.equal(of(1000, '2023-01-31', [['2024-01-31', 1100]]), '10.00 1 YEAR', 'one payment after a year');
  t.equal(of(1000, '2023-01-31', [['2023-07-31', 1050]]), '10.00 6 TERM_MONTHS', 'one payment after whole months');
  const ends = times(4, (k): [string, number] => [addPeriods('2023-08-31', k + 1, 'MONTHS'), 260]);
  const regular = timeValue.rate(4, -260, 1000);
  t.ok(regular.defined);
  if (regular.defined) {
    const apr = publishedRate(regular.rate.mul(1200), 2);
    t.equal(of(1000, '2023-08-31', ends), `${apr} 1 MONTH`, 'ends of months are months apart');
  }
  t.match(
    of(1000, '2023-01-01', [
      ['2023-02-20', 500],
      ['2023-04-01', 550],
    ]),
    / 6 WEEK$/,
    'average of no common period',
  );
  const two = ['2024-03-01', '2024-05-01', '2024-07-01', '2024-08-01', '2024-09-01'];
  t.match(
    of(
      1000,
      '2024-01-01',
      two.map((on) => [on, 220]),
    ),
    / 1 MONTH$/,
    'of two common periods the smaller',
  );
  t.match(of(1000, '2024-01-15', semimonthly(8)), / 1 SEMIMONTH$/, '15th and last day');
  t.equal(of(1000, '2023-01-01', []), 'no-rate', 'nothing is paid');
  t.equal(of(1000, '2023-01-02', [['2023-01-01', 1100]]), 'no-rate', 'paid before it is lent');
  t.end();

  function semimonthly(n: number): [string, number][] {
    return times(n, (k) => [
      k % 2 === 0 ? addPeriods('2024-01-31', k / 2, 'MONTHS') : addPeriods('2024-02-15', (k - 1) / 2, 'MONTHS'),
      130,
    ]);
  }
});

test('US Appendix J: several advances count from the first', (t) => {
  const amounts = [
    { date: '2024-01-10', amount: 1000 },
    { date: '2024-02-10', amount: 1000 },
    ...times(12, (k) => ({ date: addPeriods('2024-03-10', k, 'MONTHS'), amount: -180 })),
  ];
  const byMonths = actuarialApr(
    amounts.map(({ amount }, k) => ({ amount, time: { numerator: k, denominator: 1 } })),
    { numerator: 12, denominator: 1 },
  );
  t.ok(off(percentOf(actuarialAprOf(amounts)), percentOf(byMonths)).lt('1e-18'));
  t.end();
});

interface EuAprc {
  readonly cash_flows?: readonly { t_years: string; amount: string }[];
  readonly cash_flow_runs?: readonly { first_t_years: string; step_years: string; count: number; amount: string }[];
  readonly signed?: string;
  readonly first_payment?: string;
}

function runsOf(inputs: EuAprc): TimedAmount[] {
  return (inputs.cash_flow_runs ?? []).flatMap(({ first_t_years: first, step_years: step, count, amount }) => {
    let time = ratioOf(first);
    return times(count, (k) => {
      time = k === 0 ? time : addRatios(time, ratioOf(step));
      return { amount, time };
    });
  });
}

test('EU APRC: the worked examples of the European Commission', (t) => {
  const cases = lendingCases<EuAprc, { X_percent: string; apr_1dp: string }>('eu_aprc');
  t.ok(cases.length >= 30);
  let dated = 0;
  for (const { id, inputs, expected, tolerance } of cases) {
    const within = (tolerance as { X_percent: string }).X_percent;
    const listed = inputs.cash_flows?.map(({ t_years: years, amount }) => ({ amount, time: ratioOf(years) }));
    for (const amounts of [listed, runsOf(inputs)].filter((one) => one !== undefined && one.length > 0)) {
      const x = percentOf(annualRateOfCharge(amounts ?? []));
      t.ok(off(x, expected.X_percent).lte(within), `${id}: ${x.toString()} is ${expected.X_percent}`);
      t.equal(publishedRate(x, 1), expected.apr_1dp, id);
    }
    const { signed, first_payment: first, cash_flow_runs: runs } = inputs;
    const last = runs?.at(-1);
    if (signed === undefined || first === undefined || runs === undefined || last?.step_years !== '1/12') continue;
    // The same from its dates: what is paid at once, then a payment each month.
    const x = annualRateOfChargeOf(
      [
        ...runs.slice(0, -1).map(({ amount }) => ({ date: signed, amount })),
        ...times(last.count, (k) => ({ date: addPeriods(first, k, 'MONTHS'), amount: last.amount })),
      ],
      'MONTHS',
    );
    t.ok(off(percentOf(x), expected.X_percent).lte(within), `${id}: by its dates`);
    dated += 1;
  }
  t.ok(dated >= 2);
  t.end();
});

test('EU intervals, published rates, UK rates', (t) => {
  const counted = (period: string): EuPeriod =>
    period.includes('week') ? 'WEEKS' : ['year', 'day'].includes(period) ? 'YEARS' : 'MONTHS';
  const intervals = lendingCases<
    { drawdown: string; payment: string; regular_period: string },
    { interval_years: string }
  >('eu_interval');
  t.ok(intervals.length >= 6);
  for (const { id, inputs, expected } of intervals) {
    const ours = euInterval(inputs.drawdown, inputs.payment, counted(inputs.regular_period));
    const theirs = ratioOf(expected.interval_years);
    t.equal(
      ours.numerator * theirs.denominator,
      theirs.numerator * ours.denominator,
      `${id}: ${expected.interval_years}`,
    );
  }
  const guidelines: [string, string, EuPeriod, string][] = [
    ['2019-01-12', '2020-01-12', 'MONTHS', '12/12'],
    ['2012-01-12', '2012-03-15', 'MONTHS', '2/12 + 3/365'],
    ['2013-01-12', '2013-02-15', 'MONTHS', '1/12 + 3/366'],
    ['2012-02-26', '2012-03-29', 'MONTHS', '1/12 + 3/366'],
    ['2012-01-12', '2012-02-15', 'YEARS', '34/365'],
    ['2012-01-12', '2014-02-15', 'YEARS', '2 + 34/365'],
    ['2020-01-01', '2021-03-15', 'YEARS', '1 + 74/366'],
    ['2012-01-12', '2012-01-26', 'WEEKS', '2/52'],
    ['2012-01-12', '2012-01-30', 'WEEKS', '2/52 + 4/365'],
    ['2012-01-12', '2013-01-12', 'WEEKS', '52/52 + 2/365'],
  ];
  for (const [from, to, period, expected] of guidelines) {
    const [ours, theirs] = [euInterval(from, to, period), ratioOf(expected)];
    t.equal(ours.numerator * theirs.denominator, theirs.numerator * ours.denominator, `${from} to ${to}: ${expected}`);
  }
  t.same(euInterval('2024-01-01', '2024-01-01', 'MONTHS'), { numerator: 0, denominator: 12 });

  for (const { id, inputs, expected } of lendingCases<{ value_percent: string; decimals: number }, string>(
    'apr_rounding',
  )) {
    t.equal(publishedRate(inputs.value_percent, inputs.decimals), expected, id);
  }
  t.equal(publishedRate('-0.04', 1), '0.0');
  t.equal(publishedRate('-12.25', 1), '-12.3');
  t.equal(publishedRate('7', 0), '7');

  const single = lendingCases<{ advance: string; payment: string; days: number }, { apr_percent_1dp: string }>(
    'uk_apr_single_payment',
  );
  t.ok(single.length >= 5);
  for (const { id, inputs, expected, verified } of single) {
    const by = (daysAYear: 365 | 365.25): string => {
      const amounts = [
        { amount: inputs.advance, time: NOW },
        { amount: negated(inputs.payment), time: yearsOfDays(inputs.days, daysAYear) },
      ];
      return publishedRate(percentOf(annualRateOfCharge(amounts)), 1);
    };
    t.ok(off(by(365.25), expected.apr_percent_1dp).lte('0.1'), id);
    if (verified?.with_365 !== undefined) t.ok(off(by(365), verified.with_365).lte('0.1'), `${id} by 365 days`);
  }
  type UkLoan = { advance: string; payment: string; count: number; every: string };
  for (const { id, inputs, expected } of lendingCases<UkLoan, { apr_percent_1dp: string }>('uk_apr')) {
    const perYear = { day: 365, week: 52, month: 12, quarter: 4, year: 1 }[inputs.every] ?? 0;
    const amounts = times(inputs.count, (k) => ({
      amount: negated(inputs.payment),
      time: { numerator: k + 1, denominator: perYear },
    }));
    const apr = percentOf(annualRateOfCharge([{ amount: inputs.advance, time: NOW }, ...amounts]));
    t.equal(publishedRate(apr, 1), expected.apr_percent_1dp, id);
  }
  t.end();
});

/** A spreadsheet's arguments to ours: the last one, 0 or 1, says when payments fall. */
const fall = (type?: Decimal): timeValue.PaymentsFall => (type?.eq(1) === true ? 'AT_START' : 'AT_END');
const n = (value: Decimal): number => value.toNumber();
const FORMULAS: Formulas = {
  PMT: (r, count, pv, fv, type) => timeValue.pmt(need(r), need(count), need(pv), fv, fall(type)),
  FV: (r, count, payment, pv, type) => timeValue.fv(need(r), need(count), need(payment), pv, fall(type)),
  PV: (r, count, payment, fv, type) => timeValue.pv(need(r), need(count), need(payment), fv, fall(type)),
  NPER: (r, payment, pv, fv, type) =>
    need(timeValue.nper(need(r), need(payment), need(pv), fv, fall(type)) ?? undefined),
  RATE: (count, payment, pv, fv, type) => {
    const found = timeValue.rate(n(need(count)), need(payment), need(pv), fv, fall(type));
    if (!found.defined) throw new Error(found.reason);
    return exact(found.rate);
  },
  IPMT: (r, period, count, pv, fv, type) =>
    timeValue.ipmt(need(r), n(need(period)), need(count), need(pv), fv, fall(type)),
  PPMT: (r, period, count, pv, fv, type) =>
    timeValue.ppmt(need(r), n(need(period)), need(count), need(pv), fv, fall(type)),
  CUMIPMT: (r, count, pv, first, last, type) =>
    timeValue.cumipmt(need(r), n(need(count)), need(pv), n(need(first)), n(need(last)), fall(type)),
  CUMPRINC: (r, count, pv, first, last, type) =>
    timeValue.cumprinc(need(r), n(need(count)), need(pv), n(need(first)), n(need(last)), fall(type)),
  EFFECT: (r, perYear) => timeValue.effect(need(r), n(need(perYear))),
  NOMINAL: (r, perYear) => timeValue.nominal(need(r), n(need(perYear))),
};
function need(value: Decimal | undefined): Decimal {
  if (value === undefined) throw new Error('too few arguments');
  return value;
}

test('Time value of money: the examples of the spreadsheets', (t) => {
  const cases = lendingCases<{ formula: string }, string>('excel_tvm');
  t.ok(cases.length >= 10);
  for (const { id, inputs, expected, expected_full: full } of cases) {
    const isRate = /^(RATE|EFFECT|NOMINAL)\(/.test(inputs.formula);
    const value = evaluate(inputs.formula, FORMULAS);
    t.ok(off(value, expected).lte(isRate ? '5e-8' : '0.005'), `${id}: ${inputs.formula} is ${expected}`);
    if (full !== undefined) t.ok(off(value, full).lte('1e-8'), `${id}: ${full}`);
  }
  const more: [string, string, string][] = [
    ['RATE(4*12,-200,8000)*12', '0.0924', '5e-5'],
    ['NPER(12%/12,-100,-1000,10000,1)', '59.6738657', '1e-7'],
    ['NPER(12%/12,-100,-1000)', '-9.57859404', '1e-8'],
    ['NPER(0,-100,1000)', '10', '0'],
    ['PMT(0,10,1000)', '-100', '0'],
    ['IPMT(10%/12,1,36,8000)', '-66.67', '0.005'],
    ['IPMT(10%/12,1,36,8000,0,1)', '0', '0'],
    ['CUMIPMT(9%/12,360,125000,13,24,0)', '-11135.23', '0.005'],
    ['CUMIPMT(9%/12,360,125000,1,1,0)', '-937.5', '0'],
    ['NOMINAL(5.3543%,4)', '0.0525', '1e-6'],
    ['-(1+2)*3/4%', '-225', '0'],
  ];
  for (const [formula, expected, tolerance] of more) {
    t.ok(off(evaluate(formula, FORMULAS), expected).lte(tolerance), `${formula} is ${expected}`);
  }
  t.equal(timeValue.nper('0.1', '-50', '1000'), null, 'payments below the interest never repay');
  t.equal(timeValue.nper(0, 0, 1000), null);
  t.match(timeValue.rate(MAX_TIMED_AMOUNTS, -1, 1000), { defined: false, reason: 'too-many-amounts' });
  t.end();
});

interface RateFactor {
  readonly annual_rate: string;
  readonly days_in_year: string;
  readonly days_in_month: string;
  readonly months: string;
}

test('Day counts: rate factors of months, and the examples of the ISDA', (t) => {
  const cases = lendingCases<RateFactor, string[]>('rate_factor');
  t.ok(cases.length >= 2);
  for (const { id, inputs, expected } of cases) {
    const actual = inputs.days_in_year.startsWith('ACTUAL') ? 'ACT/ACT' : `ACT/${inputs.days_in_year}`;
    const wanted = inputs.days_in_month === 'ACTUAL' ? actual : `${inputs.days_in_month}/${inputs.days_in_year}`;
    const dayCount = DAY_COUNTS.find((one) => one === wanted);
    if (dayCount === undefined) throw new Error(`${id}: no day count ${wanted}`);
    const [first = ''] = inputs.months.split('..');
    const factors = expected.map((_, k) => {
      const [from, to] = [k, k + 1].map((months) => addPeriods(`${first}-01`, months, 'MONTHS'));
      return yearFraction(from ?? '', to ?? '', dayCount).mul(inputs.annual_rate);
    });
    factors.forEach((factor, k) => t.ok(off(factor, expected[k] ?? 0).lte('1e-12'), `${id}, month ${k + 1}`));
  }
  // ISDA memorandum "EMU and Market Conventions: Recent Developments" (1998), 5(b): 61/365 + 121/366.
  t.ok(off(yearFraction('2003-11-01', '2004-05-01', 'ACT/ACT'), '0.49772438056740').lt('1e-14'));
  t.ok(off(yearFraction('1999-07-01', '2000-07-01', 'ACT/ACT'), '1.00137734860393').lt('1e-14'));
  t.same(yearRatio('2002-08-15', '2003-07-15', 'ACT/ACT'), { numerator: 334, denominator: 365 });
  t.same(
    yearRatio('1999-01-01', '2003-01-01', 'ACT/ACT'),
    { numerator: 1460, denominator: 365 },
    'a whole leap year is one year',
  );
  t.same(
    yearRatio('2007-01-31', '2007-02-28', '30/360'),
    { numerator: 28, denominator: 360 },
    '30E/360: February stays',
  );
  t.same(yearRatio('2007-01-30', '2007-03-31', '30/360'), { numerator: 60, denominator: 360 });
  t.same(yearRatio('2024-03-01', '2024-01-01', 'ACT/360'), { numerator: -60, denominator: 360 });
  t.end();
});

test('Amortisation tables of the European Commission', (t) => {
  const cases = lendingCases<{ example: number }, PrintedTable>('amortisation_table');
  t.ok(cases.length >= 15);
  let whole = 0;
  for (const { id, inputs, expected: table } of cases) {
    const { main, periods } = table;
    for (const row of periods.filter(({ period }) => period > 1)) {
      const interest = exact(row.opening).mul(periodicRate(row, table));
      t.ok(off(interest, row.interest).lte('0.0101'), `${id}: interest of period ${row.period}`);
    }
    const runs = runsOfExample(inputs.example, table);
    const rows = computedTable(table, runs);
    if (rows === null) continue;
    for (const row of periods) {
      const ours = rows[row.period - 1];
      for (const column of ['opening', 'interest', 'closing'] as const) {
        t.ok(off(ours?.[column] ?? 0, row[column]).lte('0.0101'), `${id}: ${column} of period ${row.period}`);
      }
    }
    const [first] = rows;
    if (main.first_repayment !== undefined)
      t.equal(first?.payment.toFixed(2), main.first_repayment, `${id}: instalment`);
    if (!isKnownToTheEnd(table, runs)) continue;
    whole += 1;
    t.ok(rows.at(-1)?.closing.abs().lte('1e-30'), `${id}: nothing is left`);
    const interest = rows.reduce((sum, row) => sum.plus(row.interest), exact(0));
    t.ok(off(interest, table.total_row_raw[2] ?? '').lte('0.0101'), `${id}: total interest`);
    const paid = rows.reduce((sum, row) => sum.plus(row.payment.toDecimalPlaces(2)), exact(0));
    const fees = exact(table.total_row_raw[3] ?? '');
    t.ok(off(paid.plus(fees), main.total_payable).lte(feesRounded(table)), `${id}: total payable`);
    // Where the fee at the beginning is all, the rate follows.
    if (!isFeeUpfront(table)) continue;
    const payments = rows.map(({ payment }, k) => ({
      amount: payment.toDecimalPlaces(2).neg(),
      time: addRatios(firstInterval(table), { numerator: k, denominator: periodsPerYear(main.duration) }),
    }));
    const x = percentOf(annualRateOfCharge([{ amount: exact(main.total_amount).minus(fees), time: NOW }, ...payments]));
    t.equal(`${publishedRate(x, 1)}%`, main.apr, `${id}: rate`);
  }
  t.ok(whole >= 15, `${whole} tables to their end`);
  t.end();

  /** The payments of an example with this number, where they are those of this table: what is paid in all agrees. */
  function runsOfExample(example: number, table: PrintedTable): { count: number; amount: Decimal }[] {
    const examples = lendingCases<EuAprc, unknown>('eu_aprc').filter(({ id }) =>
      new RegExp(`^EC-0?${example}(-\\d+)?i?$`).test(id),
    );
    for (const { inputs } of examples) {
      const runs = (inputs.cash_flow_runs ?? [])
        .filter(({ first_t_years: at }) => at !== '0')
        .map(({ count, amount }) => ({ count, amount: exact(amount).neg() }));
      const months = runs.reduce((sum, { count }) => sum + count, 0);
      if (months === durationOf(table.main.duration) && addsUp(table, runs)) return runs;
    }
    return [];
  }

  /** All these loans cost 2 % at the beginning. */
  function isFeeUpfront({ main, total_row_raw: totals }: PrintedTable): boolean {
    return exact(main.total_amount)
      .mul('0.02')
      .eq(totals[3] ?? 0);
  }

  /** Fees that are paid with each instalment are rounded each time, and printed unrounded. */
  function feesRounded(table: PrintedTable): Decimal {
    return isFeeUpfront(table) ? exact('0.0101') : exact('0.005').mul(durationOf(table.main.duration));
  }

  function addsUp(table: PrintedTable, runs: { count: number; amount: Decimal }[]): boolean {
    const { main, total_row_raw: totals } = table;
    const paid = runs.reduce((sum, { count, amount }) => sum.plus(amount.mul(count)), exact(totals[3] ?? 0));
    return off(paid, main.total_payable).lte(feesRounded(table));
  }

  /** Whether rates beyond the printed rows are known: level payments that add up to what is printed, or their runs. */
  function isKnownToTheEnd(table: PrintedTable, runs: { count: number; amount: Decimal }[]): boolean {
    const repayment = repaymentOf(table);
    if (repayment !== 'LEVEL' || runs.length > 0) return repayment !== 'OTHER';
    const { duration, first_repayment: level = '0' } = table.main;
    return addsUp(table, [{ count: durationOf(duration), amount: exact(level) }]);
  }

  /** Years to the first payment: a period, or what the interest of an odd first one shows. */
  function firstInterval({ periods: [row], main }: PrintedTable): YearRatio {
    const perYear = periodsPerYear(main.duration);
    const rate = exact(row?.rate.replace('%', '') ?? 0).div(100);
    const years = exact(row?.interest ?? 0).div(rate.mul(row?.opening ?? 0));
    // An effective rate's interest is a little below that of the nominal one.
    if (off(years.mul(perYear), 1).lt('0.05')) return { numerator: 1, denominator: perYear };
    return { numerator: Math.round(years.mul(1e6).toNumber()), denominator: 1e6 };
  }
});

const monthly = (amount: bigint, annualRatePercent: string, instalments: number, fee = 0n): LoanToDisclose => ({
  amount,
  annualRatePercent,
  instalments,
  frequency: { every: 1, unit: 'MONTHS' },
  fees: [{ name: 'Processing', amount: fee }],
});
function disclosed(loan: LoanToDisclose): Exclude<ReturnType<typeof discloseLoan>, string> {
  const answer = discloseLoan(loan);
  if (typeof answer === 'string') throw new Error(answer);
  return answer;
}

test('Disclosure: decisions 9.5 and 9.6, both conventions named, refusals', (t) => {
  const { breakdown, ...totals } = disclosed(monthly(5_000_000n, '12.5', 12, 50_000n));
  t.same(totals, {
    instalment: 445_414n,
    totalInterest: 344_971n,
    totalFees: 50_000n,
    totalAmountPayable: 5_394_971n,
    apr: '14.4154',
    effectiveApr: '15.4070',
  });
  t.same(breakdown.payments, [
    { count: 11, amount: 445_414n },
    { count: 1, amount: 445_417n },
  ]);
  t.equal(breakdown.amountFinanced, 4_950_000n);
  t.match(breakdown.usAppendixJ, { convention: /Appendix J/, published: '14.42', unitPeriod: '1 month' });
  t.match(breakdown.euAprc, { convention: /2008\/48\/EC/, published: '15.4', undefinedBecause: null });

  const free = disclosed(monthly(1_000_01n, '0', 3));
  t.same([free.totalInterest, free.apr, free.effectiveApr], [0n, '0.0000', '0.0000'], 'without interest');
  const eaten = disclosed(monthly(100n, '10', 2, 100n));
  t.same([eaten.apr, eaten.breakdown.euAprc.undefinedBecause], [null, 'no-rate'], 'the fee is all there is');
  t.equal(discloseLoan(monthly(0n, '1', 1)), 'amount-not-positive');
  t.equal(discloseLoan(monthly(1n, '-1', 1)), 'rate-out-of-range');
  t.equal(discloseLoan(monthly(1n, '1', MAX_DISCLOSED_INSTALMENTS + 1)), 'instalments-out-of-range');
  t.equal(discloseLoan(monthly(1n, '1', 1, -1n)), 'fee-negative');
  const longest = disclosed(monthly(10n ** 24n, '100000', MAX_DISCLOSED_INSTALMENTS, 1n));
  t.equal(longest.breakdown.usAppendixJ.published, '100000.00', 'the widest of all');

  const weekly = disclosed({ ...monthly(100_000n, '26', 26), frequency: { every: 2, unit: 'WEEKS' } });
  t.match(weekly.breakdown.usAppendixJ, { published: '26.00', unitPeriod: '2 weeks' });

  const dated = aprOf(
    [
      { date: '2024-01-15', amount: 5_000_000n },
      { date: '2024-01-15', amount: -50_000n },
      ...times(12, (k) => ({ date: addPeriods('2024-02-15', k, 'MONTHS'), amount: k < 11 ? -445_414n : -445_417n })),
    ],
    'MONTHS',
  );
  t.match(dated, { usAppendixJ: { percent: '14.4154', unitPeriod: '1 month' }, euAprc: { percent: '15.4070' } });
  const senseless = aprOf([{ date: '2024-01-15', amount: 100n }], 'DAYS');
  t.match(senseless, { usAppendixJ: { percent: null, unitPeriod: null }, euAprc: { undefinedBecause: 'no-rate' } });
  t.end();
});

const aRate = fc.integer({ min: 1, max: 8_000 }).map((basisPoints) => (basisPoints / 100).toString());
const aCount = fc.integer({ min: 1, max: 120 });
const anAmount = fc.bigInt({ min: 10n ** 9n, max: 10n ** 12n });

test('Disclosure: without fees the APR is the rate; fees raise it', (t) => {
  fc.assert(
    fc.property(anAmount, aRate, aCount, fc.bigInt({ min: 1_000n, max: 10n ** 8n }), (amount, rate, count, fee) => {
      const [plain, costly] = [monthly(amount, rate, count), monthly(amount, rate, count, fee)].map(disclosed);
      if (plain?.apr == null || costly?.apr == null) throw new Error('no rate');
      if (off(plain.apr, rate).gt('0.001')) throw new Error(`${plain.apr} is not ${rate}`);
      if (off(plain.effectiveApr ?? 0, timeValue.effect(exact(rate).div(100), 12).mul(100)).gt('0.01')) {
        throw new Error('the effective rate is not the nominal one compounded');
      }
      return exact(costly.apr).gte(plain.apr) && (fee < amount / 100n || exact(costly.apr).gt(plain.apr));
    }),
    { numRuns: 100 },
  );
  t.end();
});

test('Disclosure: any loan ends at nothing owed, no instalment below its interest', (t) => {
  const small = fc.bigInt({ min: 1n, max: 100_000n });
  fc.assert(
    fc.property(small, fc.integer({ min: 0, max: 100_000 }), aCount, (amount, rate, count) => {
      const { breakdown, totalInterest, totalAmountPayable } = disclosed(monthly(amount, String(rate), count));
      const paid = breakdown.payments.reduce((sum, run) => sum + BigInt(run.count) * run.amount, 0n);
      return (
        totalInterest >= 0n &&
        paid === totalAmountPayable &&
        breakdown.payments.every((run) => run.amount >= 0n) &&
        breakdown.payments.reduce((sum, run) => sum + run.count, 0) === count
      );
    }),
    { numRuns: 200 },
  );
  t.end();
});

test('Time value: what one function takes apart, another puts together', (t) => {
  const rate = fc.integer({ min: -5_000, max: 20_000 }).map((r) => exact(r).div(100_000));
  const money = fc.integer({ min: -1_000_000, max: 1_000_000 });
  const when = fc.constantFrom<timeValue.PaymentsFall>('AT_END', 'AT_START');
  const close = (a: Decimal.Value, b: Decimal.Value): boolean => off(a, b).lte('1e-20');
  fc.assert(
    fc.property(rate, aCount, money, money, when, (r, count, start, end, falls) => {
      const payment = timeValue.pmt(r, count, start, end, falls);
      const interest = timeValue.cumipmt(r, count, start, 1, count, falls);
      const principal = timeValue.cumprinc(r, count, start, 1, count, falls);
      return (
        close(timeValue.pv(r, count, payment, end, falls), start) &&
        close(timeValue.fv(r, count, payment, start, falls), end) &&
        close(principal, -start) &&
        close(interest.plus(principal), timeValue.pmt(r, count, start, 0, falls).mul(count))
      );
    }),
    { numRuns: 150 },
  );
  fc.assert(
    fc.property(rate, aCount, fc.integer({ min: 1, max: 1_000_000 }), when, (r, count, start, falls) => {
      const payment = timeValue.pmt(r, count, start, 0, falls);
      const periods = timeValue.nper(r, payment, start, 0, falls);
      if (periods === null || off(periods, count).gt('1e-15')) return false;
      // One payment at the start pays back at once: any rate does.
      if (count === 1 && falls === 'AT_START') return true;
      const found = timeValue.rate(count, payment, start, 0, falls);
      return found.defined && off(found.rate, r).lte('1e-18');
    }),
    { numRuns: 150 },
  );
  t.end();
});

/** Amounts that are balanced by exactly these factors (1 + rate): the coefficients of Π (1 - factor/x). */
function balancedBy(factors: readonly number[]): TimedAmount[] {
  const product = factors.reduce<Decimal[]>(
    (poly, factor) =>
      [...poly, exact(0)].map((value, k) => value.minus((poly[k - 1] ?? exact(0)).mul(factor).div(100))),
    [exact(1000)],
  );
  return product.map((amount, k) => ({ amount, time: { numerator: k, denominator: 1 } }));
}

test('Rate of return: one rate, none or several, and always an answer', (t) => {
  const factor = fc.integer({ min: 20, max: 400 });
  fc.assert(
    fc.property(fc.uniqueArray(factor, { minLength: 1, maxLength: 4 }), (factors) => {
      // The search looks in steps of 1 %: closer ones are not told apart.
      const sorted = [...factors].sort((a, b) => a - b);
      fc.pre(sorted.every((one, k) => k === 0 || one > 1.12 * (sorted[k - 1] ?? 0)));
      const found = rateOfReturn(balancedBy(factors));
      if (factors.length > 1) return !found.defined && found.reason === 'several-rates';
      return (
        found.defined &&
        off(
          found.rate,
          exact(factors[0] ?? 0)
            .div(100)
            .minus(1),
        ).lte('1e-20')
      );
    }),
    { numRuns: 200 },
  );
  const anything = fc.array(
    fc.record({
      amount: fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 1e24, -1e24)),
      time: fc.record({
        numerator: fc.integer({ min: 0, max: 15_000 }),
        denominator: fc.constantFrom(1, 12, 52, 365, 366),
      }),
      odd: fc.record({ numerator: fc.integer({ min: 0, max: 30 }), denominator: fc.constant(30) }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(anything, (amounts) => {
      const found = rateOfReturn(amounts);
      if (!found.defined) return found.reason === 'no-rate' || found.reason === 'several-rates';
      return found.rate.isFinite() && found.rate.gt(-1);
    }),
    { numRuns: 300 },
  );
  t.match(rateOfReturn([]), { defined: false, reason: 'no-rate' });
  const tooMany = times(MAX_TIMED_AMOUNTS + 1, (k) => ({ amount: k - 1, time: { numerator: k, denominator: 1 } }));
  t.match(rateOfReturn(tooMany), { defined: false, reason: 'too-many-amounts' });
  const at = (numerator: number): YearRatio => ({ numerator, denominator: 1 });
  t.match(rateOfReturn([100, -130, 132].map((amount, k) => ({ amount, time: at(k) }))), { reason: 'no-rate' });
  t.match(rateOfReturn([100, -230, 132].map((amount, k) => ({ amount, time: at(k) }))), { reason: 'several-rates' });
  const zero = rateOfReturn([100, -50, -50].map((amount, k) => ({ amount, time: at(k) })));
  t.ok(zero.defined && zero.rate.isZero(), 'no interest is a rate');
  t.match(
    rateOfReturn([1, -1e30].map((amount, k) => ({ amount, time: at(k) }))),
    { reason: 'no-rate' },
    'beyond the bounds',
  );
  t.end();
});

test('APR by dates is APR by periods', (t) => {
  const start = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('1990-01-01', days));
  fc.assert(
    fc.property(start, fc.integer({ min: 3, max: 60 }), fc.constantFrom(1, 2, 3, 6), (date, count, every) => {
      const payments = times(count, (k) => ({ date: addPeriods(date, (k + 1) * every, 'MONTHS'), amount: -1_000 }));
      const advance = { date, amount: 900 * count };
      const dated = actuarialAprOf([advance, ...payments]);
      const regular = actuarialApr(
        [advance, ...payments].map(({ amount }, k) => ({ amount, time: { numerator: k, denominator: 1 } })),
        { numerator: 12, denominator: every },
      );
      const unitPeriod: UnitPeriod = { unit: 'MONTH', count: every };
      if (!dated.defined || dated.unitPeriod.unit !== unitPeriod.unit || dated.unitPeriod.count !== every) return false;
      if (off(dated.percent, percentOf(regular)).gt('1e-15')) return false;
      // The EU counts backwards only, so ends of months leave days over there.
      if (Number.parseInt(date.slice(8), 10) > 28) return true;
      const effective = timeValue.effect(percentOf(regular).div(100), 12 / every).mul(100);
      return off(percentOf(annualRateOfChargeOf([advance, ...payments], 'MONTHS')), effective).lte('1e-15');
    }),
    { numRuns: 60 },
  );
  t.end();
});

test('Calendar and day counts add up', (t) => {
  t.equal(addPeriods('2023-01-31', 1, 'MONTHS'), '2023-02-28');
  t.equal(addPeriods('2023-01-31', 2, 'MONTHS'), '2023-03-31', 'counted from the first date, not from February');
  t.equal(addPeriods('2024-02-29', 12, 'MONTHS'), '2025-02-28');
  t.equal(addPeriods('2024-02-29', 4, 'YEARS'), '2028-02-29');
  t.equal(addPeriods('2024-03-31', -1, 'MONTHS'), '2024-02-29');
  t.same([1900, 2000, 2023, 2024].map(isLeapYear), [false, true, false, true]);
  for (const text of ['2023-02-29', '2023-13-01', '2023-00-10', '2023-1-1', '', '2023-01-01T00:00']) {
    t.throws(() => addDays(text, 1), RangeError, `"${text}" is no date`);
  }
  t.throws(() => addPeriods('9999-12-31', 1, 'DAYS'), RangeError);
  const aDate = fc.integer({ min: 0, max: 700_000 }).map((days) => addDays('0001-01-01', days));
  const oracle = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 86_400_000;
  fc.assert(
    fc.property(aDate, aDate, aDate, (a, b, c) => {
      const [from = '', between = '', to = ''] = [a, b, c].sort(compareDates);
      if (daysBetween(from, to) !== oracle(to) - oracle(from)) return false;
      return DAY_COUNTS.every((dayCount) => {
        const parts = yearFraction(from, between, dayCount).plus(yearFraction(between, to, dayCount));
        const back = yearFraction(to, from, dayCount);
        return off(parts, yearFraction(from, to, dayCount)).lte('1e-50') && off(parts, back.neg()).lte('1e-50');
      });
    }),
  );
  t.end();
});

test('NUBAN: the check digit of the Central Bank of Nigeria', (t) => {
  const cases = referenceCases<{ bank_code: string; serial: string }, { check_digit: number; nuban: string }>(
    'payments.json',
    'nuban_check_digit',
  );
  t.ok(cases.length > 0);
  for (const { id, inputs, expected } of cases) {
    t.equal(nubanCheckDigit(inputs.bank_code, inputs.serial), expected.check_digit, id);
    t.equal(nubanError(expected.nuban, inputs.bank_code), null, id);
  }
  t.equal(nubanError('0000014579', '011'), null, 'the other worked example of the circular');
  t.equal(nubanError('0000000220', '011'), null);
  t.equal(nubanError('0000000221', '011'), 'wrong-check-digit');
  t.equal(nubanError('000000022', '011'), 'not-ten-digits');
  t.equal(nubanError('0000000220', '11'), 'not-a-bank-code');
  const digits = (length: number): fc.Arbitrary<string> =>
    fc.integer({ min: 0, max: 10 ** length - 1 }).map((value) => String(value).padStart(length, '0'));
  const aCode = fc.oneof(digits(3), digits(5), digits(6));
  fc.assert(
    fc.property(aCode, digits(9), fc.nat(8), fc.integer({ min: 1, max: 9 }), (code, serial, place, change) => {
      const number = serial + String(nubanCheckDigit(code, serial));
      const digit = (Number.parseInt(number[place] ?? '0', 10) + change) % 10;
      const misread = number.slice(0, place) + String(digit) + number.slice(place + 1);
      return nubanError(number, code) === null && nubanError(misread, code) === 'wrong-check-digit';
    }),
  );
  t.equal(
    nubanCheckDigit('50211', '000000001'),
    nubanCheckDigit('950211', '000000001'),
    'five digits stand behind a 9',
  );
  t.equal(nubanCheckDigit('058', '000000001'), nubanCheckDigit('000058', '000000001'), 'three behind zeros');
  t.end();
});
